// Package schedule decides, for one peer of a swarm, what it asks of whom, what it sends next,
// and, at the uploader, which piece is shown to whom (docs/MESH.md, sections 6 and 7).
//
// It owns who has which piece, what was asked of whom and has not come, and what others asked.
// It never sends, never verifies, never stores, never waits: it is told facts with now, and hands
// back frames to send and the next leaf. Chance comes from the source that it is given, so equal
// facts and an equal seed make equal decisions; `fanfare simulate swarm` runs it in virtual time.
package schedule

import (
	"errors"
	"math/rand/v2"
	"slices"
	"time"
)

// Errors that another peer's frame causes. The channel of that peer is to be closed.
var (
	ErrRange   = errors.New("schedule: no such piece or leaf")
	ErrTooMuch = errors.New("schedule: more is asked for than one peer may")
)

// Config is fixed for a transfer.
type Config struct {
	Shape
	// Pair and Budget bound the bytes of leaves that are asked for and have not come: at one
	// peer, and at all of them.
	Pair, Budget int64
	// Stall is how long a peer that was asked may send nothing before others are asked.
	Stall time.Duration
	// UniqueFirst makes the uploader: it has everything, and shows each piece to one peer before
	// it shows anything to all.
	UniqueFirst bool
	// Order is for comparison in the simulator; transfers use Rarest.
	Order Order
}

// Order tells which of the open pieces is asked for first.
type Order uint8

// The orders.
const (
	Rarest Order = iota
	Sequential
)

// DefaultConfig has the limits of docs/MESH.md, section 8.
func DefaultConfig(shape Shape) Config {
	return Config{Shape: shape, Pair: 16 << 20, Budget: 48 << 20, Stall: 20 * time.Second}
}

// Kind is a kind of action: a frame to be sent.
type Kind uint8

// The kinds. Each names the frame of docs/MESH.md, section 6.
const (
	Have   Kind = iota // pieces First to First+Count-1 may be asked for
	Want               // of Piece, leaves First to First+Count-1
	Cancel             // likewise
	Reject             // likewise, for Reason
)

// Reason is why leaves are refused.
type Reason uint8

// The reasons, as numbered in docs/MESH.md, section 6.
const (
	NotHere Reason = 1 + iota
	Busy
	Unreadable
	Changed
)

// Action is a frame to be sent to Peer.
type Action struct {
	Kind                Kind
	Peer                Peer
	Piece, First, Count int
	Reason              Reason
}

// piece is what is known of one piece.
type piece struct {
	held, wanted bool
	shown        peerSet // who shows it to us
	leaves       []leaf  // nil unless it was begun and is not whole
	missing      int     // leaves that are not here
	unasked      int     // those of them that nobody was asked for
	bucket, at   int     // its place in the order; bucket is -1 unless it is open
	begun        int     // its place among those begun

	sentTo  peerSet // to whom we sent it or are sending it, and who does not show it yet
	shownTo peerSet // as the uploader: to whom we showed it
	sent    int     // as the uploader: how many leaves of it went out, since it has this carrier
	gone    int     // as the uploader: how many did in all
	carrier Peer    // as the uploader: who was shown it last or has asked, until somebody else has it; or -1
	again   bool    // as the uploader: it is to be shown to another
}

type leaf struct {
	here   bool
	askers peerSet // who was asked for it
}

// open tells whether a leaf is to be asked for.
func (l *leaf) open() bool { return !l.here && l.askers == 0 }

// Scheduler decides for one peer. The zero value is not usable; call New.
type Scheduler struct {
	cfg    Config
	rand   *rand.Rand
	peers  [MaxPeers]peer
	here   peerSet
	going  peerSet // of those who are here, who have said that they leave
	pieces []piece
	out    []Action // what facts caused, until AppendNext

	// As a receiver.
	buckets [][]int // open pieces by class and number of copies
	begun   []int   // pieces with leaves
	held    int
	picked  int   // the piece that was picked last; before the first none that is followed by another
	missing int   // wanted pieces that are not whole
	lonely  int   // pieces that no other peer shows
	asked   int64 // bytes asked for that have not come
	playing span

	// As a sender.
	turns  []turn
	turn   int64 // number of the last turn
	handed int   // leaves that the caller is sending
	sent   meter

	showing showing
}

// span is pieces first to end-1.
type span struct{ first, end int }

func (s span) has(piece int) bool { return s.first <= piece && piece < s.end }

// New makes the scheduler of a peer that has nothing and wants everything.
func New(cfg Config, r *rand.Rand) *Scheduler {
	cfg.Pair, cfg.Budget = max(cfg.Pair, cfg.Leaf), max(cfg.Budget, cfg.Leaf)
	s := &Scheduler{cfg: cfg, rand: r, pieces: make([]piece, cfg.Pieces())}
	s.missing, s.lonely, s.picked = len(s.pieces), len(s.pieces), len(s.pieces)
	s.showing.ahead = showFirst
	s.buckets = make([][]int, classes*(MaxPeers+1))
	if cfg.Order == Sequential {
		s.buckets = make([][]int, len(s.pieces))
	}
	for i := range s.pieces {
		n := cfg.Leaves(i)
		s.pieces[i] = piece{wanted: true, missing: n, unasked: n, bucket: -1, carrier: -1}
	}
	return s
}

// Hold tells that pieces are here from the start: all of them at the uploader, those of the
// journal after a restart. Call it before the first peer joins.
func (s *Scheduler) Hold(first, count int) {
	for i := first; i < first+count; i++ {
		if pc := &s.pieces[i]; !pc.held {
			s.complete(i)
		}
	}
}

// Select tells whether pieces are wanted; all are at first. What is no longer wanted is cancelled.
func (s *Scheduler) Select(first, count int, wanted bool, now time.Time) {
	for i := first; i < first+count; i++ {
		pc := &s.pieces[i]
		if pc.wanted == wanted {
			continue
		}
		pc.wanted = wanted
		switch {
		case pc.held:
		case wanted:
			s.missing++
		default:
			s.missing--
			for p := range s.here.all() {
				s.takeBack(i, p, now)
			}
		}
		s.place(i)
	}
}

// Play asks for count pieces from first on before all others, rarest first among them: the
// window in front of a player. A count of 0 ends that.
func (s *Scheduler) Play(first, count int) {
	before := s.playing
	s.playing = span{max(0, first), min(first+count, len(s.pieces))}
	for _, w := range []span{before, s.playing} {
		for i := w.first; i < w.end; i++ {
			s.place(i)
		}
	}
}

// PeerJoined tells that a peer is connected, over so many lanes and with such a round trip.
func (s *Scheduler) PeerJoined(p Peer, lanes int, roundTrip time.Duration) {
	s.here.add(p)
	s.peers[p] = peer{lanes: max(1, lanes), roundTrip: roundTrip}
	if !s.cfg.UniqueFirst || s.showing.all {
		s.showHeld(p)
		return
	}
	s.showUnclaimed()
}

// Line tells how many lanes lead to a peer, and the round trip to it without waiting in queues.
func (s *Scheduler) Line(p Peer, lanes int, roundTrip time.Duration) {
	s.peers[p].lanes, s.peers[p].roundTrip = max(1, lanes), roundTrip
}

// Rate tells what a peer can send in bytes/s, by its own word (STAT).
func (s *Scheduler) Rate(p Peer, upload float64) { s.peers[p].uploads = upload }

// PeerLeft tells that a peer is gone, or was dropped. What it owed is asked of others.
func (s *Scheduler) PeerLeft(p Peer) {
	if !s.here.has(p) {
		return
	}
	for _, i := range s.begun {
		s.forget(i, p)
	}
	s.here.remove(p)
	s.going.remove(p)
	s.asked -= s.peers[p].asked
	s.handed -= s.peers[p].handed
	s.endTurn(p)
	for i := range s.pieces {
		pc := &s.pieces[i]
		if pc.shown.has(p) {
			s.unseen(i, p)
		}
		pc.sentTo.remove(p)
	}
	s.showLeft(p)
	s.peers[p] = peer{}
	s.out = slices.DeleteFunc(s.out, func(a Action) bool { return a.Peer == p })
}

// Shown tells that a peer has pieces that may be asked for (BITFIELD, HAVE).
func (s *Scheduler) Shown(p Peer, first, count int) error {
	if first < 0 || count < 1 || count > len(s.pieces)-first {
		return ErrRange
	}
	if !s.here.has(p) {
		return nil
	}
	for i := first; i < first+count; i++ {
		if !s.pieces[i].shown.has(p) {
			s.seen(i, p)
		}
	}
	return nil
}

// AppendNext appends the frames that are to be sent now. Call it after any fact, and at Deadline.
func (s *Scheduler) AppendNext(dst []Action, now time.Time) []Action {
	s.releaseStalled(now)
	dst = append(dst, s.out...)
	s.out = s.out[:0]
	dst = s.appendShows(dst, now)
	dst = s.appendWants(dst, now)
	return s.appendIdle(dst, now)
}

// Deadline is when AppendNext has something to do though nothing happens.
func (s *Scheduler) Deadline() (time.Time, bool) {
	var next time.Time
	sooner := func(t time.Time) {
		if next.IsZero() || t.Before(next) {
			next = t
		}
	}
	for p := range s.here.all() {
		if at := &s.peers[p]; at.asked > 0 {
			sooner(at.heard.Add(s.cfg.Stall))
		} else if at.useful > 0 && !at.quiet.IsZero() {
			sooner(at.quiet)
		}
	}
	for _, one := range s.showing.pending {
		if !one.asked || s.peers[one.peer].full {
			sooner(one.at.Add(s.patience(one)))
		}
	}
	if sh := &s.showing; !sh.all && !sh.out.IsZero() && s.here != 0 && s.allOut() {
		sooner(s.neededAt())
	}
	return next, !next.IsZero()
}

// Held is the number of whole pieces, Missing that of pieces that are wanted and not whole.
func (s *Scheduler) Held() int    { return s.held }
func (s *Scheduler) Missing() int { return s.missing }

// Has tells whether a piece is here.
func (s *Scheduler) Has(piece int) bool { return s.pieces[piece].held }

// Shows is how many pieces a peer has shown.
func (s *Scheduler) Shows(p Peer) int { return s.peers[p].shows }

// Leaves tells whether a peer has said that it leaves, or that it has less than it has shown. It may be asked for pieces, but is not counted on.
func (s *Scheduler) Leaves(p Peer, leaves bool) {
	s.going.remove(p)
	if leaves && s.here.has(p) {
		s.going.add(p)
	}
}

// SwarmHolds tells whether every piece is whole at some other peer that is connected and is counted on:
// then the uploader may.
func (s *Scheduler) SwarmHolds() bool {
	if s.lonely > 0 || s.going == 0 {
		return s.lonely == 0
	}
	for i := range s.pieces {
		if s.pieces[i].shown&^s.going == 0 {
			return false
		}
	}
	return true
}

// ArrivalRate is what comes from a peer in bytes/s while something is asked of it; SendRate is
// what goes out to all while there is something to send, the figure for STAT. 0: unknown.
func (s *Scheduler) ArrivalRate(p Peer) float64 { return s.peers[p].arrivals.rate }
func (s *Scheduler) SendRate() float64          { return s.sent.rate }

// Reachable tells whether anything that is missing was asked of somebody, or is shown by somebody.
func (s *Scheduler) Reachable() bool {
	if s.asked > 0 {
		return true
	}
	for p := range s.here.all() {
		if s.peers[p].useful > 0 {
			return true
		}
	}
	return false
}
