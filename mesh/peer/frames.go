package peer

import (
	"errors"
	"time"

	"github.com/fanfare-relay/fanfare/mesh/manifest"
	"github.com/fanfare-relay/fanfare/mesh/schedule"
	"github.com/fanfare-relay/fanfare/mesh/seal"
	"github.com/fanfare-relay/fanfare/mesh/wire"
)

// banTime is how long a peer that broke the protocol is left alone. One that sent a bad leaf is left
// alone for good.
const (
	banTime = 30 * time.Second
	forGood = 100 * 365 * 24 * time.Hour
)

// maxShown is how many ranges of HAVE are kept of a peer before we know what is shared.
const maxShown = 64 * wire.MaxRanges

var errOrder = errors.New("a frame that may not come now")

// frame takes a frame of a control channel.
func (s *swarm) frame(l *link, f wire.Frame) {
	if l.dead || s.done {
		if _, last := f.(wire.Bye); last && l.dead {
			s.unlink(l)
		}
		return
	}
	if err := s.handle(l, f, time.Now()); err != nil {
		s.broke(l, err)
	}
}

func (s *swarm) handle(l *link, f wire.Frame, now time.Time) error {
	switch f := f.(type) {
	case wire.Manifest:
		return s.manifestPart(l, f)
	case wire.Bitfield:
		return s.bitfield(l, f)
	case wire.Have:
		for _, r := range f.Ranges {
			if err := s.shows(l, r); err != nil {
				return err
			}
		}
	case wire.Want:
		if !l.joined {
			s.say(l, wire.Reject{Leaves: f.Leaves, Reason: wire.NotHeld})
			return nil
		}
		return s.sched.Wanted(l.slot, int(f.Piece), int(f.First), int(f.Count))
	case wire.Cancel:
		if l.joined {
			return s.sched.Cancelled(l.slot, int(f.Piece), int(f.First), int(f.Count))
		}
	case wire.Reject:
		if l.joined {
			return s.sched.Rejected(l.slot, int(f.Piece), int(f.First), int(f.Count), schedule.Reason(f.Reason), now)
		}
	case wire.Stat:
		s.fares(l, f, now)
	case wire.Revoke:
		return s.revokeFrame(f)
	case wire.Bye:
		s.saidBye(l, f)
	case wire.Ping:
		s.say(l, wire.Pong{Value: f.Value, Clock: uint64(now.Sub(s.started).Microseconds())})
	case wire.Pong:
		s.pong(l, f, now)
	default:
		return errOrder // a second HELLO
	}
	return nil
}

// fares takes a peer's word on how it fares. To the uploader the first one says that it takes part.
func (s *swarm) fares(l *link, f wire.Stat, now time.Time) {
	if l.statAt.IsZero() {
		s.takesPlace(l)
	}
	if l.dead { // there was no place left
		return
	}
	l.fares(f, now)
	if s.sched != nil && !l.joined {
		s.join(l)
	}
	if l.joined {
		s.sched.Rate(l.slot, float64(f.Up))
		// Who has less than it has shown has lost some of that, and does not say which.
		s.sched.Leaves(l.slot, f.State == wire.Leaving || int(f.Held) < s.sched.Shows(l.slot))
	}
	if f.State == wire.Complete {
		s.completed(l)
	}
}

// pong takes the answer to a PING of ours. One that was not asked for, or comes again, says nothing.
func (s *swarm) pong(l *link, f wire.Pong, now time.Time) {
	if !l.pings.answer(f.Value) {
		return
	}
	took := now.Sub(s.started) - time.Duration(f.Value)
	if took > 0 {
		there := time.Duration(f.Clock)*time.Microsecond - time.Duration(f.Value)
		s.timed(l, took, l.there.Over(there, now), now)
	}
	if took <= 0 || l.rtt != 0 && took >= l.rtt {
		return
	}
	l.rtt = took
	if l.joined {
		s.sched.Line(l.slot, 1+len(l.further), max(leastRoundTrip, took))
	}
}

func (s *swarm) saidBye(l *link, f wire.Bye) {
	s.cfg.Log.Debug("a peer says goodbye", "serial", l.token.Serial, "reason", f.Reason, "text", f.Text)
	if f.Reason == wire.Done {
		l.complete = true
		s.completed(l)
	}
	s.unlink(l)
	uploader := l.token.Rights&seal.Uploader != 0
	m := s.memberOf(l.peer)
	switch {
	case f.Reason == wire.SourceChanged && uploader:
		s.changed = true
	case f.Reason == wire.NotAdmitted && uploader:
		s.end(ErrRemoved)
	case f.Reason == wire.TooManyPeers && uploader:
		s.end(ErrFull)
	case f.Reason == wire.BadLeaf || f.Reason == wire.BrokeProtocol || f.Reason == wire.TooManyPeers:
		s.banned[l.peer] = time.Now().Add(banTime)
	case m != nil: // it leaves; if it stays in the room after all, we try again later
		m.next = time.Now().Add(longestRetry)
	}
}

// manifestPart puts the manifest together, and has it accepted when it is whole and good.
func (s *swarm) manifestPart(l *link, f wire.Manifest) error {
	if l.gotBlob {
		return errOrder
	}
	if s.shared != nil { // ours is known: what comes again is passed over
		return nil
	}
	blob, err := l.blob.Add(f)
	if blob == nil || err != nil {
		return err
	}
	l.gotBlob, l.blob = true, wire.Blob{}
	offered, err := openOffered(blob, s.cfg.Link.Room, s.signer)
	if errors.Is(err, manifest.ErrSignature) {
		return err
	}
	if err != nil { // signed by the uploader itself, and yet not acceptable
		s.end(err)
		return nil
	}
	s.blob, s.shared = blob, &offered
	for _, other := range s.links {
		if other != l && !other.dead {
			other.blob = wire.Blob{}
			s.sendBlob(other)
		}
	}
	s.accept()
	return nil
}

func (s *swarm) bitfield(l *link, f wire.Bitfield) error {
	if s.content != nil && int(f.Pieces) != s.content.layout.Pieces() {
		return wire.ErrValue
	}
	for i := uint32(0); i < f.Pieces; i++ {
		first := i
		for i < f.Pieces && f.Has(i) {
			i++
		}
		if i > first {
			if err := s.shows(l, wire.Range{First: first, Count: i - first}); err != nil {
				return err
			}
		}
	}
	return nil
}

// shows notes what a peer has.
func (s *swarm) shows(l *link, r wire.Range) error {
	if l.joined {
		return s.sched.Shown(l.slot, int(r.First), int(r.Count))
	}
	if len(l.shown) >= maxShown {
		return errFlood
	}
	if n := len(l.shown); n > 0 && l.shown[n-1].First+l.shown[n-1].Count == r.First {
		l.shown[n-1].Count += r.Count
		return nil
	}
	l.shown = append(l.shown, r)
	return nil
}

// revokeFrame takes a newer list and passes it on.
func (s *swarm) revokeFrame(f wire.Revoke) error {
	r, err := seal.VerifyRevocations(f.List, s.signer, s.cfg.Link.Room)
	if err != nil {
		return errOrder
	}
	if r.Version > s.revoked.Version {
		s.revoke(r, f.List)
	}
	return nil
}

func (s *swarm) revoke(r seal.Revocations, list []byte) {
	s.revoked, s.revokeList = r, list
	for _, l := range s.links {
		if r.Has(l.token.Serial) {
			s.bye(l, wire.NotAdmitted, "")
			continue
		}
		s.say(l, wire.Revoke{List: list})
	}
	for _, a := range s.attempts {
		if a.token != nil && r.Has(a.token.Serial) {
			s.giveUp(a)
		}
	}
}
