package sfu

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fanfare-relay/fanfare/media"
)

// crowdOf has a second go by in which so many get through, the fastest in that time, and others are refused.
func (a *admission) crowdOf(done int, least time.Duration, now time.Time) time.Time {
	for n := range done {
		took := least
		if n > 0 {
			took += 5 * time.Second // others are on slow lines
		}
		a.connected(took, now.Add(time.Millisecond))
	}
	a.refuse(now)
	return now.Add(time.Second + 2*time.Millisecond)
}

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
		{"as many as get through in the time", 512, []second{{100, slow, 199}, {70, slow, 139}, {300, slow, 512}}},
		{"never fewer", 512, []second{{1, slow, fewest}}},
		{"a small bound stays", 3, []second{{1, slow, 3}}},
		{"doubles when it is quick again", 512, []second{{70, slow, 139}, {40, quick, 278}, {40, quick, 512}}},
		{"nobody gets through", 512, []second{{70, slow, 139}, {0, 0, 139}, {0, 0, 139}, {0, 0, 139}, {0, 0, 278}}},
		{"a pause is not counted as slow", 512, []second{{70, slow, 139}, {0, 0, 139}, {0, 0, 139}, {300, slow, 512}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			a, now := newAdmission(c.most), time.Unix(1000, 0)
			a.began = now
			for i, s := range c.seconds {
				now = a.crowdOf(s.done, s.least, now)
				a.turn(now)
				if a.limit != s.limit {
					t.Errorf("after second %d the bound is %d, want %d", i+1, a.limit, s.limit)
				}
			}
		})
	}
}

// While nobody is refused, the machine is not at its limit, however long single sessions take.
func TestAdmissionOfASlowOne(t *testing.T) {
	a, now := newAdmission(512), time.Unix(1000, 0)
	for range 20 {
		a.connected(9*time.Second, now)
		now = now.Add(time.Second)
	}
	if a.limit != 512 {
		t.Errorf("the bound is %d", a.limit)
	}
}

// Sessions that never get through take places of the whole bound, and none of those that a crowd gets by its pace.
func TestAdmissionBesideTheDead(t *testing.T) {
	a, now := newAdmission(512), time.Unix(1000, 0)
	a.began = now
	const dead = 400
	for n := range dead {
		if !a.admit(n, now) {
			t.Fatal("there is no room for those who never come")
		}
	}
	now = now.Add(2 * stalled)
	now = a.crowdOf(10, 3*time.Second, now) // a round begins with them
	now = a.crowdOf(70, 3*time.Second, now)
	a.turn(now)
	if a.limit >= dead || a.limit < fewest {
		t.Fatalf("the bound is %d", a.limit)
	}
	let := 0
	for a.admit(dead+let, now) {
		let++
	}
	if want := min(a.limit, 512-dead); let != want {
		t.Errorf("%d are let in, want %d", let, want)
	}
}

// Who is refused comes back one after another, as fast as others get through.
func TestAdmissionTimes(t *testing.T) {
	a, now := newAdmission(512), time.Unix(1000, 0)
	a.began = now
	queue := func(n int) (last time.Duration) {
		for range n {
			last = a.queue(now)
			if last < soonest || last > latest {
				t.Fatalf("waits %v", last)
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
	about("the first", queue(1), time.Second)
	about("behind two seconds' worth", queue(2*usual*invited), 3*time.Second)
	now = a.crowdOf(2*usual, time.Second, now)
	a.turn(now)
	about("the next", queue(1), 2*time.Second)
	about("behind two seconds' worth of those", queue(2*2*usual*invited), 4*time.Second)
	pace := a.pace
	now = a.crowdOf(1, time.Second, now) // less than got through before
	a.turn(now)
	if want := pace * 7 / 8; a.pace != want {
		t.Errorf("the pace is %v, want %v", a.pace, want)
	}
	before := queue(1)
	about("behind a second's worth of fewer", queue(int(a.pace)*invited), before+time.Second)
	for queue(1) > 2*time.Second { // who would wait too long begins at the front
	}
	now = now.Add(time.Minute)
	about("when the queue is over", queue(1), time.Second)
}

// Times are told in whole seconds, and still spread over all of them.
func TestAdmissionInWholeSeconds(t *testing.T) {
	a, now := newAdmission(512), time.Unix(1000, 0)
	const span = 10 // seconds
	comes := map[int]int{}
	for range span * usual * invited {
		wait := a.refuse(now)
		if wait != wait.Truncate(time.Second) || wait < soonest || wait > latest {
			t.Fatalf("told to wait %v", wait)
		}
		comes[int(wait/time.Second)]++
	}
	for second := 2; second <= span; second++ {
		if n := comes[second]; n < usual*invited*9/10 || n > usual*invited*11/10 {
			t.Errorf("%d come back after %d seconds, want %d", n, second, usual*invited)
		}
	}
}

// Behind a pause everything is as it was at first.
func TestAdmissionAfterAPause(t *testing.T) {
	a, now := newAdmission(512), time.Unix(1000, 0)
	a.began = now
	now = a.crowdOf(1, 3*time.Second, now)
	a.turn(now)
	if a.limit != fewest || a.pace >= usual {
		t.Errorf("while it is slow the bound is %d, the pace %v", a.limit, a.pace)
	}
	now = now.Add(lull)
	a.turn(now)
	if a.limit != 512 || a.pace != usual {
		t.Errorf("behind a pause the bound is %d, the pace %v", a.limit, a.pace)
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
		if !errors.As(err, &busy) || busy.After < soonest || busy.After > latest || !errors.Is(err, media.ErrBusy) {
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
