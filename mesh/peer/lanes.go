package peer

import (
	"context"
	"time"

	"github.com/fanfare-relay/fanfare/mesh/schedule"
	"github.com/fanfare-relay/fanfare/mesh/seal"
	"github.com/fanfare-relay/fanfare/mesh/wire"
)

// The lanes of a link: leaves go by the data channel of its first connection, and by those of further ones that are
// opened where they raise the rate (docs/MESH.md, sections 6 and 7). Each has a congestion window of its own.

// furtherLane is a connection of which only the lane is used, and what ends it.
type furtherLane struct {
	conn *conn
	drop context.CancelFunc
}

func (f furtherLane) lane() channel { return f.conn.lane }

// lookAtLanes opens a further lane to whom alone all comes from, where that is worth it.
func (s *swarm) lookAtLanes(now time.Time) {
	if s.cfg.Fetch == nil || s.sched == nil || s.finished {
		return
	}
	for _, l := range s.links {
		if l.lanes.Look(now, s.laneFacts(l)) && !s.openLane(l) {
			l.lanes.Failed()
		}
	}
}

func (s *swarm) laneFacts(l *link) schedule.LaneFacts {
	return schedule.LaneFacts{
		Taken: l.taken, Further: len(l.further), RoundTrip: l.rtt,
		Alone: len(s.links) == 1 && l.direct() && !l.conn.silent() && s.sched.Missing() > 0,
	}
}

// direct tells whether nobody else is on the way to the peer.
func (l *link) direct() bool {
	_, ok := l.conn.(*conn)
	return ok && !l.conn.relayed()
}

// openLane offers the next lane; false when that is not possible.
func (s *swarm) openLane(l *link) bool {
	m, lane := s.memberOf(l.peer), len(l.further)+1
	if m == nil || s.token == nil || !s.online || !s.takesLane(l.peer, lane) || s.attemptTo(m.endpoint, lane) != nil {
		return false
	}
	return s.offer(m, lane)
}

// takesLane tells whether a lane may be opened: the first always, others to whom there is a direct connection, one
// after the other. What comes by a single socket is told apart by where it comes from, so that a pair has one there.
func (s *swarm) takesLane(dh seal.PublicKey, lane int) bool {
	if lane == 0 {
		return true
	}
	l := s.links[dh]
	return l != nil && !l.dead && l.direct() && lane == len(l.further)+1 && s.cfg.Transport.Socket == nil
}

// laneEnded makes a lane of an attempt, or lets it be.
func (s *swarm) laneEnded(a *attempt, err error) {
	l := s.links[a.peer]
	if err == nil && s.takesLane(a.peer, a.lane) && !s.done && !s.revoked.Has(a.token.Serial) {
		s.addLane(l, furtherLane{a.conn, a.drop})
		return
	}
	s.cfg.Log.Debug("no further lane", "to", a.to, "lane", a.lane, "error", err)
	a.drop()
	s.tasks.Go(a.conn.close)
	if l != nil {
		l.lanes.Failed()
	}
}

func (s *swarm) addLane(l *link, further furtherLane) {
	l.further = append(l.further, further)
	s.cfg.Log.Debug("a further lane", "serial", l.token.Serial, "lanes", 1+len(l.further))
	s.readFrom(l, further.lane())
	s.endsWith(l, further.conn)
	if l.joined {
		s.sendOver(l, further.lane())
		s.sched.Line(l.slot, 1+len(l.further), max(leastRoundTrip, l.rtt))
	}
}

// readFrom takes leaves from one of a link's lanes.
func (s *swarm) readFrom(l *link, lane channel) {
	s.tasks.Go(func() {
		err := l.readLane(lane, intake{
			expects: func(piece, leaf int) (schedule.Expectation, int) { return s.expects(l, piece, leaf) },
			whole:   func(leaf *wire.Parts, piece, index int) error { return s.takeLeaf(l, leaf, piece, index) },
			buffers: &s.buffers,
		})
		s.post(func() { s.broke(l, err) })
	})
}

// sendOver sends leaves by one of a link's lanes: whichever has room takes the next.
func (s *swarm) sendOver(l *link, lane channel) {
	s.tasks.Go(func() {
		err := l.sendLeaves(lane, feeder{
			content: s.content,
			sent:    func(n schedule.Send, err error) { s.post(func() { s.sent(l, n, err) }) },
		})
		s.post(func() { s.broke(l, err) })
	})
}

// endsWith drops a link when one of its connections is lost: what was under way by that is asked for again.
func (s *swarm) endsWith(l *link, over connection) {
	s.tasks.Go(func() {
		select {
		case <-over.lostC():
			s.post(func() { s.unlink(l) })
		case <-l.ctx.Done():
		}
	})
}

// buffered is what lies in the lanes' channels, in bytes.
func (l *link) buffered() uint64 {
	sum := l.lane.BufferedAmount()
	for _, one := range l.further {
		sum += one.lane().BufferedAmount()
	}
	return sum
}
