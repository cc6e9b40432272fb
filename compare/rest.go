package compare

import (
	"context"
	"time"
)

// After a window the source goes on, and what was made in the window may still come: it waits in queues, or is asked for again.
const (
	stillFor = 300 * time.Millisecond // without anything of it nothing more will come; beside round trips
	restAt   = 2 * time.Second        // most of the time that it gets; beside round trips. Viewers ask for a packet for one second.
)

// rest decides for how long to wait for what is still under way.
type rest struct {
	still       time.Duration
	quiet, over time.Time // when it is over if nothing comes, and in any case
	missing     int
}

func newRest(missing int, roundTrip time.Duration, now time.Time) rest {
	still := stillFor + 4*roundTrip
	return rest{still, now.Add(still), now.Add(restAt + 4*roundTrip), missing}
}

// ended takes how many parts are missing, and tells whether there is nothing more to wait for.
func (r *rest) ended(missing int, now time.Time) bool {
	if missing < r.missing {
		r.missing, r.quiet = missing, now.Add(r.still)
	}
	return missing == 0 || !now.Before(r.quiet) || !now.Before(r.over)
}

// awaitRest waits until all that was made in a window has come, nothing of it comes any more, or it has had its time.
func (s *stage) awaitRest(from, to time.Time) {
	missing := s.missing(from, to)
	r := newRest(missing, roundTrip(s.run.Point), time.Now())
	for !r.ended(missing, time.Now()) {
		pause(context.Background(), look)
		missing = s.missing(from, to)
	}
}

// missing is how many parts have not come to those who are there of what was made in a window.
func (s *stage) missing(from, to time.Time) (n int) {
	made := s.frames()
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, v := range s.viewers {
		n += v.missing(from, to, made)
	}
	return n
}
