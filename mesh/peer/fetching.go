package peer

import (
	"errors"
	"time"

	"github.com/fanfare-relay/fanfare/mesh/schedule"
	"github.com/fanfare-relay/fanfare/mesh/store"
	"github.com/fanfare-relay/fanfare/mesh/wire"
)

// accept asks whether what is shared is wanted, and where it goes.
func (s *swarm) accept() {
	offered := *s.shared
	offered.Checked = func(done, all int64) {
		s.post(func() { s.checking = &checking{done, all} })
	}
	s.tasks.Go(func() {
		sink, err := s.cfg.Fetch.Accept(s.ctx, offered)
		s.post(func() {
			s.checking = nil
			switch {
			case err == nil && sink != nil:
				s.begun(sink)
			case err == nil && len(offered.Manifest.Files) == 0 && !s.cfg.Fetch.Look:
				s.took()
			default:
				s.end(err)
			}
		})
	})
}

// took: what is shared is a text alone. Accept has it, and so has everything: the others are told so.
func (s *swarm) took() {
	s.content = &content{id: s.shared.ID, layout: s.shared.Manifest.Layout(), key: s.signer}
	s.schedule(false)
	s.joinAll()
	s.finishing, s.finished, s.servedAt = true, true, time.Now()
}

// joinAll tells those who are connected how we fare, and has them take part.
func (s *swarm) joinAll() {
	stat := s.stat()
	for _, one := range s.links {
		if !one.dead {
			s.say(one, stat)
			s.join(one)
		}
	}
}

// begun starts to fetch, with what the sink has from an earlier run.
func (s *swarm) begun(sink *store.Sink) {
	l := sink.Layout()
	s.content = &content{id: s.shared.ID, layout: l, key: s.signer, sink: sink}
	s.schedule(false)
	now := time.Now()
	for i := range l.Pieces() {
		if sink.Whole(i) {
			s.sched.Hold(i, 1)
			s.held += int64(l.PieceLen(i))
		}
		s.holdLeaves(i)
		if !sink.Wanted(i) {
			s.sched.Select(i, 1, false, now)
		}
	}
	s.joinAll()
}

// holdLeaves counts what an earlier run has left of a piece that is not whole.
func (s *swarm) holdLeaves(piece int) {
	for _, leaf := range s.content.sink.Begun(piece) {
		s.sched.HoldLeaf(piece, leaf)
		s.held += int64(s.content.layout.LeafLen(piece, leaf))
	}
}

// proves tells whether a piece that is about to be whole is right, if an earlier run had begun it. If not, what
// that run had left of it no longer counts.
func (s *swarm) proves(piece int) bool {
	leaves := s.content.sink.Begun(piece)
	if len(leaves) == 0 || s.content.sink.Verify(piece) {
		return true
	}
	for _, leaf := range leaves {
		s.held -= int64(s.content.layout.LeafLen(piece, leaf))
	}
	return false
}

// expects tells a lane's reader what to make of a leaf that begins to come.
func (s *swarm) expects(l *link, piece, leaf int) (e schedule.Expectation, size int) {
	s.call(func() {
		if l.dead || !l.joined {
			return
		}
		if e = s.sched.Expects(l.slot, piece, leaf, time.Now()); e != schedule.Unasked {
			size = s.content.layout.LeafLen(piece, leaf)
		}
	})
	if e != schedule.Unasked && size == 0 {
		e = schedule.Unasked
	}
	return e, size
}

// sweep forgets the beginnings of leaves that nobody waits for any more.
func (s *swarm) sweep(now time.Time) {
	for _, l := range s.links {
		l.coming.sweep(func(key partKey) bool {
			return l.joined && s.sched.Expects(l.slot, key.piece, key.leaf, now) != schedule.Unasked
		})
	}
}

// takeLeaf runs in a lane's goroutine: it verifies, stores, and tells. A full disk is no fault of the
// peer's; other errors of the disk end the transfer.
func (s *swarm) takeLeaf(l *link, leaf *wire.Parts, piece, index int) error {
	err := s.content.take(leaf, piece, index)
	switch {
	case errors.Is(err, errBadLeaf):
		l.bad.Add(int64(len(leaf.Bytes())))
		return err
	case errors.Is(err, store.ErrFull):
		s.post(func() { s.diskFull(err) })
	case err != nil:
		s.post(func() { s.end(err) })
	default:
		s.post(func() { s.arrived(l, piece, index) })
	}
	return nil
}

// msgAgain is said of each leaf that comes once more, at once: so it is known also of a process that is killed.
const msgAgain = "a leaf came again"

func (s *swarm) arrived(l *link, piece, index int) {
	bytes := int64(s.content.layout.LeafLen(piece, index))
	if !l.dead && s.sched.Completes(piece, index) && !s.proves(piece) {
		s.sched.Restart(piece)
	}
	// Of a link that has ended the bytes are good and on disk, but the scheduler has asked others for them.
	if l.dead || !s.sched.LeafArrived(l.slot, piece, index, time.Now()) {
		s.again += bytes
		s.cfg.Log.Debug(msgAgain, "bytes", bytes)
		return
	}
	l.taken += bytes
	s.verified += bytes
	if s.sched.Has(piece) {
		s.content.sink.Complete(piece)
	}
}

// checkEnd finishes when nothing is missing, and ends when nobody is waited for.
func (s *swarm) checkEnd(now time.Time) {
	if s.cfg.Fetch == nil || s.done {
		return
	}
	if s.changed && !s.finishing && (s.sched == nil || s.sched.Missing() > 0 && !s.sched.SwarmHolds()) {
		s.end(ErrChanged)
		return
	}
	if s.sched == nil || s.sched.Missing() > 0 || s.full {
		return
	}
	if !s.finishing {
		s.finishing = true
		s.tasks.Go(func() {
			names, err := s.content.sink.Finish()
			s.post(func() { s.finish(names, err) })
		})
		return
	}
	if s.finished && !s.cfg.Fetch.Seed {
		s.leave(now)
	}
}

func (s *swarm) finish(names []string, err error) {
	if errors.Is(err, store.ErrFull) { // the journal had no room; all is stored
		s.finishing = false
		s.diskFull(err)
		return
	}
	if err != nil {
		s.end(err)
		return
	}
	s.finished, s.servedAt = true, time.Now()
	s.announce(time.Time{}) // that it is complete
	s.cfg.Tell(Finished{names})
}
