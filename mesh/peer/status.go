package peer

import (
	"cmp"
	"slices"
	"time"

	"github.com/fanfare-relay/fanfare/mesh/seal"
	"github.com/fanfare-relay/fanfare/mesh/wire"
)

// Status is how it goes. Bytes are those of files.
type Status struct {
	Online   bool // the server is there
	Peers    []PeerStatus
	Total    int64 // what is wanted, in bytes; 0 before that is known
	Held     int64 // verified and on disk, of Total
	Here     int64 // of Held, what was here at the start
	Again    int64 // leaves that came twice, or that a connection had brought when it ended
	Pieces   int
	Sent     int64   // leaves that went out
	Up, Down float64 // bytes a second
	// Safe: the others have every piece among them and will finish without this peer, or everybody who is
	// there has all that it wants. It may cease to be true: who has everything may leave, others may come.
	Safe     bool
	Stall    Stall
	Checked  float64 // while that is Checking, how much of what lies here from before was looked at: 0 to 1
	Finished bool
	// At the uploader: how many receive or did so, and how many of them have everything, also those that have left.
	LetIn, Complete int
	// Needed tells how many others this peer stays for after its end, since the uploader has left and they
	// lack something.
	Needed int
}

// PeerStatus is one connected peer.
type PeerStatus struct {
	Key      seal.PublicKey
	Name     string // at the uploader: what it calls itself
	Uploader bool
	Held     int // pieces
	Complete bool
	Up, Down float64 // bytes a second, by its own word
	Relayed  bool    // through a relay and not directly
	Sent     int64   // bytes of leaves to it
	Taken    int64   // and from it
	Since    time.Time
}

// checking is how far Accept is with what lies here from an earlier run, in bytes.
type checking struct{ done, all int64 }

// Stall is why nothing comes.
type Stall uint8

// The reasons.
const (
	Flowing   Stall = iota
	NoServer        // and nobody is connected
	NoCard          // the uploader has not been seen
	NoToken         // its answer, or its person's
	NotLinked       // nobody is connected yet
	NoList          // the list of files has not come
	Checking        // what lies here from before is being looked at
	NoPiece         // nobody who is connected has what is missing
	DiskFull
	Quiet // those who have it do not send
)

func (s *swarm) status() Status {
	st := Status{Online: s.online, Up: s.upNow, Down: s.downNow, Sent: s.sentBytes, Again: s.again, Stall: s.stall(), Finished: s.finished}
	if c := s.checking; c != nil && c.all > 0 {
		st.Checked = float64(c.done) / float64(c.all)
	}
	if s.content != nil {
		st.Pieces = s.content.layout.Pieces()
		st.Total, st.Held, st.Here = s.wanted()
		st.Safe = st.Pieces > 0 && s.sched.SwarmHolds() || s.nobodyLacks()
	}
	if s.finished && s.cfg.Fetch != nil && !s.cfg.Fetch.Seed && s.leavingAt.IsZero() {
		_, st.Needed = s.around()
	}
	if s.door != nil {
		st.LetIn, st.Complete = s.door.counts()
	}
	for _, l := range s.links {
		if l.dead {
			continue
		}
		st.Peers = append(st.Peers, PeerStatus{
			Key: l.peer, Name: s.nameOf(l), Uploader: l.token.Rights&seal.Uploader != 0, Held: int(l.stat.Held),
			Complete: l.complete, Up: float64(l.stat.Up), Down: float64(l.stat.Down),
			Relayed: l.conn.relayed(), Sent: l.sent, Taken: l.taken, Since: l.since,
		})
	}
	slices.SortFunc(st.Peers, func(a, b PeerStatus) int { return cmp.Or(a.Since.Compare(b.Since), cmp.Compare(a.Name, b.Name)) })
	return st
}

// wanted gives the sizes of what is to be here, of what is, and of what was at the start. Leaves of
// pieces that are not wanted do not count.
func (s *swarm) wanted() (total, held, here int64) {
	l := s.content.layout
	if s.content.sink == nil {
		return l.Total(), l.Total(), l.Total()
	}
	if s.total == 0 {
		for i := range l.Pieces() {
			if s.content.sink.Wanted(i) {
				s.total += int64(l.PieceLen(i))
			}
		}
	}
	return s.total, min(s.total, s.held+s.verified), s.held
}

// stall tells why a receiver gets nothing.
func (s *swarm) stall() Stall {
	linked := false
	for _, l := range s.links {
		linked = linked || !l.dead
	}
	switch {
	case s.cfg.Fetch == nil || s.finishing || s.downNow > 0:
		return Flowing
	case s.full:
		return DiskFull
	case s.checking != nil:
		return Checking
	case !linked && !s.online:
		return NoServer
	case !linked && s.token == nil && s.uploader == (seal.PublicKey{}):
		return NoCard
	case !linked && s.token == nil:
		return NoToken
	case !linked:
		return NotLinked
	case s.sched == nil:
		return NoList
	case s.sched.Missing() > 0 && !s.sched.Reachable():
		return NoPiece
	}
	return Quiet
}

// report measures, and tells others how we fare.
func (s *swarm) report(now time.Time) {
	over := now.Sub(s.lastStat).Seconds()
	if over <= 0 {
		return
	}
	s.downNow = float64(s.verified-s.statTaken) / over
	s.upNow = float64(s.sentBytes-s.statSent) / over
	s.lastStat, s.statTaken, s.statSent = now, s.verified, s.sentBytes
	if s.sched == nil {
		return
	}
	stat := s.stat()
	for _, l := range s.links {
		s.say(l, stat)
	}
}

// stat is how we fare.
func (s *swarm) stat() wire.Stat {
	return wire.Stat{Held: uint32(s.sched.Held()), Up: clamp32(s.sched.SendRate()), Down: clamp32(s.downNow), State: s.state()}
}

func clamp32(v float64) uint32 { return uint32(min(v, 1<<32-1)) }

func (s *swarm) state() wire.State {
	switch {
	case !s.leavingAt.IsZero():
		return wire.Leaving
	case s.cfg.Share != nil:
		return wire.Running
	case s.full:
		return wire.DiskFull
	case s.sched.Missing() == 0:
		return wire.Complete
	case s.downNow == 0:
		return wire.Waiting
	}
	return wire.Running
}
