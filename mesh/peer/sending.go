package peer

import (
	"errors"
	"time"

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

// picked is the leaf that goes next, and when the rate limit lets it.
type picked struct {
	schedule.Send
	at time.Time
}

// feed hands leaves to links, one after the other as the rate limit lets them: so the order is the
// scheduler's, and a link whose lane takes no more holds up nobody else. It returns how long there is
// nothing to do.
func (s *swarm) feed(now time.Time) time.Duration {
	for {
		if s.picked == nil {
			next, ok := s.sched.NextSend(now)
			if !ok {
				return houseEvery
			}
			bytes := s.content.layout.LeafLen(next.Piece, next.Leaf)
			s.picked = &picked{next, now.Add(s.limit.ReserveN(now, bytes).DelayFrom(now))}
		}
		if wait := s.picked.at.Sub(now); wait > 0 {
			return wait
		}
		s.hand(s.picked.Send)
		s.picked = nil
	}
}

func (s *swarm) hand(next schedule.Send) {
	l := s.slots[next.Peer]
	s.handed++
	l.queued++
	if l.queued >= feedQueue {
		s.sched.Full(next.Peer, true)
	}
	l.feed <- next // has room: it holds feedQueue
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
	s.tellUnreadable(err)
	leaf := wire.Leaves{Piece: uint32(n.Piece), First: uint16(n.Leaf), Count: 1}
	s.say(l, wire.Reject{Leaves: leaf, Reason: reason})
}

// tellUnreadable tells of a file once: it has many leaves, which are asked for again and again.
func (s *swarm) tellUnreadable(err error) {
	about := err.Error()
	if file := (*store.FileError)(nil); errors.As(err, &file) {
		about = file.Path
	}
	if !s.unreadable[about] {
		s.unreadable[about] = true
		s.cfg.Tell(Unreadable{err})
	}
}

// sourceChanged ends the transfer at the uploader: what it signed is not what it has.
func (s *swarm) sourceChanged(err error) {
	if s.cfg.Share != nil {
		s.end(&changedError{err})
	}
}
