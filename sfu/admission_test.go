package sfu

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fanfare-relay/fanfare/media"
)

// The bound follows how fast sessions get through.
func TestAdmissionBound(t *testing.T) {
	type second struct {
		done  int           // sessions that connected in it
		least time.Duration // what the fastest took
		limit int           // the bound behind it
	}
	const quick, slow = 300 * time.Millisecond, 3 * time.Second
	for _, c := range []struct {
		name    string
		most    int
		seconds []second
	}{
		{"quick ones leave it as it is", 512, []second{{500, quick, 512}, {1, quick, 512}}},
		{"who is at the limit is not slow", 512, []second{{50, tooLong, 512}}},
		{"as many as get through in the time", 512, []second{{100, slow, 200}, {70, slow, 140}, {300, slow, 512}}},
		{"never fewer", 512, []second{{1, slow, fewest}}},
		{"a small bound stays", 3, []second{{1, slow, 3}}},
		{"doubles when it is quick again", 512, []second{{40, slow, 80}, {40, quick, 160}, {40, quick, 320}, {40, quick, 512}}},
		{"nobody gets through", 512, []second{{40, slow, 80}, {0, 0, 80}, {0, 0, 80}, {0, 0, 80}, {0, 0, 160}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			a, now := newAdmission(c.most), time.Unix(1000, 0)
			a.began = now
			for i, s := range c.seconds {
				for n := range s.done {
					took := s.least
					if n > 0 {
						took += 5 * time.Second // others are on slow lines
					}
					a.connected(took, now.Add(time.Millisecond))
				}
				now = now.Add(time.Second)
				if !a.admits(s.limit-1, now) || a.admits(s.limit, now) {
					t.Errorf("after second %d the bound is %d, want %d", i+1, a.limit, s.limit)
				}
			}
		})
	}
}

// Who is refused comes back one after another, as fast as others get through.
func TestAdmissionTimes(t *testing.T) {
	a, now := newAdmission(512), time.Unix(1000, 0)
	a.began = now
	refuse := func(n int) (last time.Duration) {
		for range n {
			last = a.refuse(now)
			if last < soonest || last > latest {
				t.Fatalf("is told to wait %v", last)
			}
		}
		return last
	}
	about := func(what string, got, want time.Duration) {
		t.Helper()
		if d := got - want; d < -want/20 || d > want/20 {
			t.Errorf("%s waits %v, want %v", what, got, want)
		}
	}
	about("the first", refuse(1), time.Second)
	about("behind two seconds' worth", refuse(2*usual*invited), 3*time.Second)
	round := func(done int) {
		for range done {
			a.connected(time.Second, now)
		}
		now = now.Add(time.Second)
		a.admits(0, now)
	}
	round(2 * usual)
	about("the next", refuse(1), 2*time.Second)
	about("behind two seconds' worth of those", refuse(2*2*usual*invited), 4*time.Second)
	round(1) // less than got through before
	slower := float64(2*usual) * 7 / 8
	if a.pace != slower {
		t.Errorf("the pace is %v, want %v", a.pace, slower)
	}
	before := refuse(1)
	about("behind a second's worth of fewer", refuse(int(slower)*invited), before+time.Second)
	round(0) // the second is not over before somebody gets through
	if a.pace != slower {
		t.Errorf("the pace is %v, want %v", a.pace, slower)
	}
	for refuse(1) > 2*time.Second { // who would wait too long begins at the front
	}
	now = now.Add(time.Minute)
	about("when the queue is over", refuse(1), time.Second)
}

// Behind a pause everything is as it was at first.
func TestAdmissionAfterAPause(t *testing.T) {
	a, now := newAdmission(512), time.Unix(1000, 0)
	a.began = now
	a.refuse(now)
	a.connected(3*time.Second, now)
	now = now.Add(2 * time.Second)
	a.admits(0, now)
	if a.limit != fewest || a.pace >= usual {
		t.Errorf("while it is slow the bound is %d, the pace %v", a.limit, a.pace)
	}
	now = now.Add(lull)
	a.admits(0, now)
	if a.limit != 512 || a.pace != usual {
		t.Errorf("behind a pause the bound is %d, the pace %v", a.limit, a.pace)
	}
}

// A stalled minute says nothing about how fast sessions get through.
func TestAdmissionForgetsPauses(t *testing.T) {
	a, now := newAdmission(512), time.Unix(1000, 0)
	a.began = now
	a.refuse(now)
	a.connected(3*time.Second, now)
	now = now.Add(time.Hour)
	a.admits(0, now)
	if a.pace != usual || a.limit != 512 {
		t.Errorf("the pace is %v, the bound %d", a.pace, a.limit)
	}
}

// Who is refused hears when to come back, and an offer that cannot be served keeps no place.
func TestRefusedInTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &SFU{sessions: map[media.SessionID]*session{}, streams: map[string]*stream{}, cfg: Config{MaxUnfinished: 2}, admission: newAdmission(2), offers: make(chan struct{}, 1)}
		for range 5 {
			if _, err := s.Subscribe(context.Background(), "s", "no offer"); !errors.Is(err, media.ErrBadOffer) {
				t.Fatalf("a bad offer gets %v", err)
			}
		}
		for range 2 {
			if _, err := s.reserve(media.RoleSubscriber, "s"); err != nil {
				t.Fatal(err)
			}
		}
		_, err := s.Subscribe(context.Background(), "s", "no offer")
		var busy media.BusyError
		if !errors.As(err, &busy) || busy.After < soonest || !errors.Is(err, media.ErrBusy) {
			t.Errorf("the third gets %v", err)
		}
		if len(s.streams) != 1 || s.unfinished != 2 {
			t.Errorf("%d streams, %d unfinished", len(s.streams), s.unfinished)
		}
		for range publisherPlaces { // a crowd does not keep publishers out
			if _, err := s.reserve(media.RolePublisher, "s"); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := s.reserve(media.RolePublisher, "s"); !errors.Is(err, media.ErrBusy) {
			t.Errorf("one publisher more gets %v", err)
		}
	})
}
