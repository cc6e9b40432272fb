package peer

import (
	"errors"
	"time"

	"github.com/fanfare-relay/fanfare/mesh/manifest"
	"github.com/fanfare-relay/fanfare/mesh/schedule"
	"github.com/fanfare-relay/fanfare/mesh/store"
	"github.com/fanfare-relay/fanfare/mesh/wire"
)

// act sends the frames that the scheduler wants; runs of HAVE become one frame.
func (s *swarm) act(actions []schedule.Action) {
	for i := 0; i < len(actions); i++ {
		a := actions[i]
		l := s.slots[a.Peer]
		if l == nil || a.Count == 0 { // of a transfer without bytes all pieces are none
			continue
		}
		switch a.Kind {
		case schedule.Have:
			var have wire.Have
			for ; i < len(actions) && actions[i].Kind == schedule.Have && actions[i].Peer == a.Peer && len(have.Ranges) < wire.MaxRanges; i++ {
				have.Ranges = appendRange(have.Ranges, actions[i])
			}
			i--
			s.say(l, have)
		case schedule.Want:
			s.say(l, wire.Want{Leaves: leavesOf(a)})
		case schedule.Cancel:
			s.say(l, wire.Cancel{Leaves: leavesOf(a)})
		case schedule.Reject:
			s.say(l, wire.Reject{Leaves: leavesOf(a), Reason: wire.RejectReason(a.Reason)})
		}
	}
}

func appendRange(ranges []wire.Range, a schedule.Action) []wire.Range {
	if n := len(ranges); n > 0 {
		if last := &ranges[n-1]; int(last.First+last.Count) == a.First {
			last.Count += uint32(a.Count)
			return ranges
		}
	}
	return append(ranges, wire.Range{First: uint32(a.First), Count: uint32(a.Count)})
}

func leavesOf(a schedule.Action) wire.Leaves {
	return wire.Leaves{Piece: uint32(a.Piece), First: uint16(a.First), Count: uint16(a.Count)}
}

// say queues a frame for a peer; one that does not read is dropped.
func (s *swarm) say(l *link, f wire.Frame) {
	if !l.dead && !l.outbox.put(f) {
		s.cfg.Log.Debug("a peer does not read", "peer", l.token.Serial)
		s.unlink(l)
	}
}

// feed hands leaves to links. With a rate limit few are handed at a time, so that the order stays the
// scheduler's; without one a lane that is full is left alone.
func (s *swarm) feed(now time.Time) {
	most := len(s.links) * feedQueue
	if s.cfg.UpRate > 0 {
		const ahead = 50 * time.Millisecond
		most = max(2, int(float64(s.cfg.UpRate)*ahead.Seconds())/manifest.LeafSize)
	}
	for s.handed < most {
		next, ok := s.sched.NextSend(now)
		if !ok {
			return
		}
		l := s.slots[next.Peer]
		s.handed++
		l.queued++
		if l.queued >= feedQueue {
			s.sched.Full(next.Peer, true)
		}
		l.feed <- next // has room: it holds feedQueue
	}
}

// sent hears from a link that a leaf has left, or could not be read.
func (s *swarm) sent(l *link, n schedule.Send, err error) {
	if l.dead {
		return
	}
	now := time.Now()
	s.handed--
	l.queued--
	if l.queued <= feedQueue/2 {
		s.sched.Full(l.slot, false)
	}
	s.sched.Sent(n, now)
	if err == nil {
		bytes := int64(s.content.layout.LeafLen(n.Piece, n.Leaf))
		l.sent += bytes
		s.sentBytes += bytes
		s.servedAt = now
		return
	}
	reason := wire.Unreadable
	if errors.Is(err, store.ErrChanged) {
		reason = wire.Changed
		s.sourceChanged(err)
	}
	s.cfg.Tell(Unreadable{err})
	leaf := wire.Leaves{Piece: uint32(n.Piece), First: uint16(n.Leaf), Count: 1}
	s.say(l, wire.Reject{Leaves: leaf, Reason: reason})
}

// sourceChanged ends the transfer at the uploader: what it signed is not what it has.
func (s *swarm) sourceChanged(err error) {
	if s.cfg.Share != nil {
		s.end(&changedError{err})
	}
}
