package sfu

import "time"

const (
	// tooLong is how long nobody should take from the answer to the connection: who gives up does so after some ten
	// seconds, having used what others could have had.
	tooLong = 2 * time.Second
	// fewest sessions may be in work however slow it goes.
	fewest = 64
	// round is how long sessions are counted before the bound moves, stalled how long when none gets through.
	round, stalled = time.Second, 4 * time.Second
	// Who is refused is told to come back in that time. usual is how many a second are taken to get through before that
	// is known. Twice as many are asked to come back as get through, so that there is always somebody.
	soonest, latest = time.Second, 30 * time.Second
	usual           = 400
	invited         = 2
	// lull is how long after the last round all of the bound is free again.
	lull = 10 * time.Second
	// publisherPlaces are for publishers alone, beside those that a crowd may take.
	publisherPlaces = 64
)

// admission bounds the sessions that are in work, answered and not connected, by how fast they get through. While the
// fastest of a round takes too long, as many are let in as got through in that time (Little's law): a machine that is busy with
// media refuses more, and does not keep any until they give up. The fastest counts, because a browser on a slow line takes long
// on a quick machine. It is a value; the SFU's lock guards it.
type admission struct {
	most, limit int
	began       time.Time // of the round
	done        int       // sessions that got through in it
	least       time.Duration
	refused     bool
	pace        float64   // sessions a second that get through while others are refused
	next        time.Time // when the next who is refused is to come back
}

func newAdmission(most int) admission {
	return admission{most: most, limit: most, pace: usual}
}

// connected counts a session that took so long from its answer.
func (a *admission) connected(took time.Duration, now time.Time) {
	a.turn(now)
	if a.done == 0 || took < a.least {
		a.least = took
	}
	a.done++
}

// admits tells whether there is room beside so many.
func (a *admission) admits(unfinished int, now time.Time) bool {
	a.turn(now)
	return unfinished < a.limit
}

// refuse tells when whoever is refused is to come back: one after another, twice as fast as others get through. A
// queue that would be longer than latest begins at its front again.
func (a *admission) refuse(now time.Time) time.Duration {
	a.refused = true
	wait := a.next.Sub(now)
	if wait < soonest || wait > latest {
		wait = soonest
	}
	a.next = now.Add(wait + time.Duration(float64(time.Second)/(invited*a.pace)))
	return wait
}

// turn ends the round when it is over.
func (a *admission) turn(now time.Time) {
	lasted := now.Sub(a.began)
	if lasted < round || a.done == 0 && lasted < stalled {
		return
	}
	counted := a.done > 0 && lasted <= stalled // else nobody came for a while
	rate := float64(a.done) / lasted.Seconds()
	if counted && a.refused {
		a.pace = max(rate, a.pace*7/8) // a crowd that comes keeps the machine from what it can do
	}
	switch {
	case counted && a.least > tooLong:
		a.limit = min(a.most, max(fewest, int(rate*tooLong.Seconds())))
	case lasted >= lull:
		a.limit, a.pace = a.most, usual
	default:
		a.limit = min(a.most, 2*a.limit)
	}
	a.began, a.done, a.refused = now, 0, false
}
