package peer

import (
	"bytes"
	"context"
	"errors"
	"time"

	"github.com/fanfare-relay/fanfare/mesh/manifest"
	"github.com/fanfare-relay/fanfare/mesh/schedule"
	"github.com/fanfare-relay/fanfare/mesh/seal"
	"github.com/fanfare-relay/fanfare/mesh/wire"
)

// link takes up a peer whose HELLO was right. An older connection to it gives way: the other side has
// made a new one, since the old one failed it.
func (s *swarm) link(a *attempt, theirs wire.Hello, over connection, ctx context.Context, drop context.CancelFunc) {
	if old := s.links[a.peer]; old != nil {
		if old.stays(a, time.Now()) {
			drop()
			s.tasks.Go(over.close)
			return
		}
		s.unlink(old)
	}
	slot := -1
	for i, l := range s.slots {
		if l == nil {
			slot = i
			break
		}
	}
	l := &link{
		attempt: a.id, ours: a.ours, peer: a.peer, token: *a.token, pair: a.pair, conn: over, largest: min(int(theirs.Largest), largestMessage),
		slot: schedule.Peer(slot), since: time.Now(), ctx: ctx, drop: drop,
		outbox: newOutbox(), feed: make(chan schedule.Send, feedQueue), pinged: time.Now(),
	}
	l.control, l.lane = over.channels()
	s.tasks.Go(func() {
		err := l.writeControl()
		s.post(func() { s.controlWritten(l, err) })
	})
	if slot < 0 {
		s.bye(l, wire.TooManyPeers, "")
		return
	}
	s.links[l.peer], s.slots[slot] = l, l
	s.cfg.Log.Debug("connected", "serial", l.token.Serial, "slot", slot, "relayed", over.relayed())
	s.tasks.Go(func() {
		err := l.readControl(func(f wire.Frame) { s.post(func() { s.frame(l, f) }) })
		s.post(func() { s.broke(l, err) })
	})
	s.readFrom(l, l.lane)
	s.endsWith(l, l.conn)
	if s.door != nil {
		s.putBack(s.door.returned(l.peer, l.token.Serial, a.to))
	}
	if !l.dead { // what is shared may be in the greeting
		s.greetLink(l, theirs)
	}
}

// stays tells whether a link does not give way to a new connection: when both were made at the same time,
// since both sides had offered, both sides have to keep the same one. Two offers of the same side have not
// crossed: then the first connection has failed it.
func (l *link) stays(made *attempt, now time.Time) bool {
	const together = 5 * time.Second
	return !l.dead && l.ours != made.ours && now.Sub(l.since) < together && bytes.Compare(l.attempt[:], made.id[:]) > 0
}

// greetLink tells a new peer all that it has to know.
func (s *swarm) greetLink(l *link, theirs wire.Hello) {
	s.ping(l, time.Now())
	if s.revokeList != nil {
		s.say(l, wire.Revoke{List: s.revokeList})
	}
	if s.blob != nil && !theirs.Seed {
		s.sendBlob(l)
	}
	if s.sched != nil && s.cfg.Fetch != nil {
		s.say(l, s.stat())
		s.join(l)
	}
	if m := s.memberOf(l.peer); m != nil {
		m.pause, m.next = 0, time.Now() // when it fails another is offered at once
	}
}

func (s *swarm) memberOf(dh seal.PublicKey) *member {
	for _, m := range s.members {
		if m.has(dh) {
			return m
		}
	}
	return nil
}

func (s *swarm) sendBlob(l *link) {
	for f := range wire.CutManifest(s.blob, l.largest) {
		s.say(l, f)
	}
	l.sentBlob = true
}

// join makes a link part of what the scheduler knows. The uploader joins a receiver when that says how it
// fares: who has not taken yet what is shared asks for nothing, and what it is shown would wait for it.
func (s *swarm) join(l *link) {
	l.joined = true
	s.sched.PeerJoined(l.slot, 1, max(leastRoundTrip, l.rtt))
	s.sendOver(l, l.lane)
	for _, one := range l.further {
		s.sendOver(l, one.lane())
	}
	shown := l.shown
	l.shown = nil
	for _, r := range shown {
		if err := s.shows(l, r); err != nil {
			s.broke(l, err)
			return
		}
	}
}

// bye ends a link with a word; its connection is closed when that is out, or soon.
func (s *swarm) bye(l *link, reason wire.ByeReason, text string) {
	if l.dead {
		return
	}
	l.outbox.put(wire.Bye{Reason: reason, Text: text})
	s.forget(l)
	time.AfterFunc(partingTime, l.drop)
}

// controlWritten: a link's writer has ended, by BYE or by an error.
func (s *swarm) controlWritten(l *link, err error) {
	if !l.dead {
		s.broke(l, err)
		return
	}
	// What is in the channel goes out before it is closed; the other side closes first where it is there.
	s.tasks.Go(func() {
		l.flush()
		l.drop()
		s.post(func() { s.unlink(l) }) // first, as another connection waits for it and closing may take its time
		l.conn.close()
	})
}

// flush waits until the last words have left.
func (l *link) flush() {
	low := make(chan struct{}, 1)
	l.control.SetBufferedAmountLowThreshold(0)
	l.control.OnBufferedAmountLow(func() {
		select {
		case low <- struct{}{}:
		default:
		}
	})
	late := time.NewTimer(partingTime / 2)
	defer late.Stop()
	for l.control.BufferedAmount() > 0 {
		select {
		case <-low:
		case <-l.conn.lostC():
			return
		case <-late.C:
			return
		}
	}
}

// forget takes a link out of all that is decided; its connection may live a moment longer.
func (s *swarm) forget(l *link) {
	if l.dead {
		return
	}
	l.dead = true
	if s.door != nil && l.hasNothing() {
		s.door.free(l.peer)
	}
	if l.slot >= 0 && s.slots[l.slot] == l {
		s.slots[l.slot] = nil
		s.handed -= l.queued
		if s.picked != nil && s.picked.Peer == l.slot {
			s.picked = nil
		}
		if l.joined {
			s.sched.PeerLeft(l.slot)
		}
	}
	if m := s.memberOf(l.peer); m != nil {
		m.next = time.Now().Add(s.headStart(l.peer) + m.pause)
	}
}

// unlink drops a connection at once.
func (s *swarm) unlink(l *link) {
	s.forget(l)
	if s.links[l.peer] == l {
		delete(s.links, l.peer)
	}
	l.drop()
	s.tasks.Go(l.conn.close)
	for _, one := range l.further {
		one.drop()
		s.tasks.Go(one.conn.close)
	}
}

// broke: a goroutine of a link has ended. What the other side is to blame for is held against it.
func (s *swarm) broke(l *link, err error) {
	if l.dead || err == nil {
		return
	}
	now := time.Now()
	switch {
	case errors.Is(err, errBadLeaf):
		s.cfg.Log.Debug("a peer sent a bad leaf", "serial", l.token.Serial, "bytes", l.bad.Load(), "came", l.came.Load())
		s.banned[l.peer] = now.Add(forGood)
		s.cfg.Tell(Wrong{s.nameOf(l)})
		s.bye(l, wire.BadLeaf, "")
	case protocolError(err):
		s.cfg.Log.Debug("a peer broke the protocol", "serial", l.token.Serial, "error", err)
		s.banned[l.peer] = now.Add(banTime)
		s.bye(l, wire.BrokeProtocol, "")
	default:
		s.unlink(l)
	}
}

func protocolError(err error) bool {
	for _, one := range []error{
		wire.ErrType, wire.ErrChannel, wire.ErrLength, wire.ErrValue, errFlood, errUnasked,
		schedule.ErrRange, schedule.ErrTooMuch, errOrder, manifest.ErrSignature,
	} {
		if errors.Is(err, one) {
			return true
		}
	}
	return false
}

func (s *swarm) nameOf(l *link) string {
	if s.door != nil {
		if g := s.door.guests[l.peer]; g != nil {
			return g.name
		}
	}
	return ""
}
