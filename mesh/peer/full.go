package peer

import (
	"errors"
	"time"

	"github.com/fanfare-relay/fanfare/mesh/store"
)

// fullPause is how long a full disk is left alone before it is looked at again.
const fullPause = 2 * time.Second

// diskFull stops asking. What is here stays, and what is on its way is passed over.
func (s *swarm) diskFull(err error) {
	if s.full || s.done {
		return
	}
	s.full, s.roomAt = true, time.Now().Add(fullPause)
	s.cfg.Tell(Full{err})
	s.sched.Select(0, s.content.layout.Pieces(), false, time.Now())
}

// lookForRoom tries the disk itself now and then, before anybody is asked for what it might not take.
func (s *swarm) lookForRoom(now time.Time) {
	if !s.full || s.roomAt.IsZero() || now.Before(s.roomAt) {
		return
	}
	s.roomAt = time.Time{}
	s.tasks.Go(func() {
		err := s.content.sink.HasRoom()
		s.post(func() { s.looked(err, time.Now()) })
	})
}

// looked goes on where it stopped, or tries again later.
func (s *swarm) looked(err error, now time.Time) {
	switch {
	case errors.Is(err, store.ErrFull):
		s.roomAt = now.Add(fullPause)
		return
	case err != nil:
		s.end(err)
		return
	}
	s.full = false
	s.cfg.Tell(Room{})
	for i := range s.content.layout.Pieces() {
		if s.content.sink.Wanted(i) {
			s.sched.Select(i, 1, true, now)
		}
	}
}
