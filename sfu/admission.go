package sfu

import "time"

const (
	// tooLong is how long nobody should take from a place to the connection: who gives up does so after some ten
	// seconds, having used what others could have had.
	tooLong = 2 * time.Second
	// fewest sessions may be in work however slow it goes: more than one address may have.
	fewest = 128
	// round is how long sessions are counted before the bound moves, stalled how long when none gets through. lull is how
	// long after the last round everything is free again.
	round, stalled, lull = time.Second, 4 * time.Second, 10 * time.Second
	// Who is refused is told to come back in that time. usual is how many a second are taken to get through before that
	// is known. Twice as many are asked to come back as get through, so that there is always somebody.
	soonest, latest = time.Second, 30 * time.Second
	usual           = 400
	invited         = 2
	// publisherPlaces are for publishers alone, beside those that a crowd may take.
	publisherPlaces = 64
)

// admission bounds the viewers' sessions that are in work, neither connected nor gone, by how fast they get through. While some
// are refused and the fastest of a round takes too long, as many are let in as got through in that time (Little's law): a machine
// that is busy with media refuses more, and does not keep any until they give up. The fastest counts, because a browser on a
// slow line takes long on a quick machine. It is a value; the SFU's lock guards it.
type admission struct {
	most, limit int
	began       time.Time // of the round
	done        int       // sessions that got through in it
	least       time.Duration
	refused     bool
	let         [stalled / round]int // sessions that were let in, by rounds, this one first
	pace        float64              // sessions a second that get through while others are refused
	next        time.Time            // when the next who is refused is to come back
	part        time.Duration        // of a second, that times to come back were rounded down by
}

func newAdmission(most int) admission {
	return admission{most: most, limit: most, pace: usual}
}

// connected counts a session that took so long from its place.
func (a *admission) connected(took time.Duration, now time.Time) {
	a.turn(now)
	if a.done == 0 {
		a.least = took
		if now.Sub(a.began) > round { // nobody got through for a while, which says nothing about those who come now
			a.began = now
		}
	}
	a.least = min(a.least, took)
	a.done++
}

// admit lets a session in if there is room beside so many. Those that hold a place for long without getting through count against
// the whole bound only.
func (a *admission) admit(unfinished int, now time.Time) bool {
	a.turn(now)
	late := 0
	for _, n := range a.let {
		late += n
	}
	if unfinished >= a.most || min(unfinished, late) >= a.limit {
		return false
	}
	a.let[0]++
	return true
}

// refuse tells in how many whole seconds whoever is refused is to come back.
func (a *admission) refuse(now time.Time) time.Duration {
	a.refused = true
	wait := a.queue(now)
	whole := wait.Truncate(time.Second)
	if a.part += wait - whole; a.part >= time.Second { // or all of a second would come together
		a.part -= time.Second
		whole += time.Second
	}
	return whole
}

// queue tells when it is the next one's turn: one after another, twice as fast as others get through. A queue that would be
// longer than latest begins at its front again.
func (a *admission) queue(now time.Time) time.Duration {
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
	rate := float64(a.done) / lasted.Seconds()
	crowd := a.refused && a.done > 0 && lasted <= stalled
	if crowd {
		a.pace = max(rate, a.pace*7/8) // a crowd that comes keeps the machine from what it can do
	}
	switch {
	case crowd && a.least > tooLong:
		a.limit = min(a.most, max(fewest, int(rate*tooLong.Seconds())))
	case lasted >= lull:
		a.limit, a.pace = a.most, usual
	default:
		a.limit = min(a.most, 2*a.limit)
	}
	copy(a.let[1:], a.let[:])
	a.let[0] = 0
	if lasted >= stalled {
		a.let = [len(a.let)]int{}
	}
	a.began, a.done, a.refused = now, 0, false
}
