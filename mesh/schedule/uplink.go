package schedule

import "time"

// What an Uplink goes by. Rates are bytes of leaves a second.
const (
	uplinkFirst = 2e6 // where nothing is known, or what brings so many bytes under way on a short line
	uplinkNear  = 96 << 10
	uplinkLeast = 16e3

	// So long may everything wait before the line, or as long as so many bytes take: leaves go out whole, and two of them
	// meet there now and then.
	uplinkQuiet = 25 * time.Millisecond
	uplinkLies  = 48 << 10
	// What waits longer is to be gone in uplinkDrain; then uplinkShare of what the line carries goes out.
	uplinkDrain = 200 * time.Millisecond
	uplinkShare = 0.97
	// Who hands over less than such a share of the rate, and in whose channels lies less than takes so long, did not fill the line.
	uplinkFull = 0.6
	uplinkHeld = 100 * time.Millisecond

	// Answers are judged together: so many, and those of such a time. What is sent to get them takes little of the line: it is
	// so long apart, and so many bytes.
	uplinkAnswers = 5
	uplinkLast    = 4 // of them count
	uplinkSpan    = 60 * time.Millisecond
	uplinkEvery   = 15 * time.Millisecond
	uplinkApart   = 16 << 10
	// When so many drains in a row have not made it less by a quarter, or by uplinkMoved, what waits is none of ours: it is behind our
	// line, others send as well, or the way is another. A drain counts when less than such a share of what leaves went out in it, and
	// not much more than what leaves after it.
	uplinkVain    = 3
	uplinkMoved   = 90 * time.Millisecond
	uplinkDrained = 0.75
	uplinkSteady  = 1.3
	uplinkDeep    = 0.5 // goes out at least, and no more from the second in a row on
	// uplinkPause without a question is a time with nothing to send, which says nothing about the line.
	uplinkPause = 150 * time.Millisecond

	// By such a share the rate grows when nothing waits: little after something did, and each time more, so that a line that
	// has become wider is soon in use.
	uplinkSlow = 0.05
	uplinkFast = 0.5
	uplinkMore = 1.5
	// uplinkAhead is how far the rate may be above what leaves: who can not use it learns nothing about it.
	uplinkAhead = 2
)

// Ways is how many peers must say that something waits: what one or two say of their clocks may be a lie, and slows down nobody.
const Ways = 3

// Uplink finds out how much may be sent on one's own line where nobody has told: so much that little waits before it. What waits there
// was decided too early, and what others are asked waits behind it.
//
// It goes by the answers to PING. What the way to one peer takes more than at other times may have been spent anywhere; what even the
// quickest of several ways takes more was spent before our own line, which all of them share. Then no more goes out than has left
// lately, less what is to drain; else a little more each time. What no drain makes less is not ours, and left alone. The zero value
// waits for Begin.
type Uplink struct {
	rate, growth float64
	asked        time.Time // when a PING was sent

	// Since the rate was set.
	since   time.Time
	so      Gone // by then
	answers int
	last    [uplinkLast]uplinkAnswer
	leaving float64 // what left, bytes/s, before

	// While something drains.
	until time.Time // zero otherwise
	then  float64   // the rate of the time after that

	drain  float64       // the rate of the last drain; 0: there was none just before
	vain   int           // drains in a row that count
	waited time.Duration // what waited after the first of them
	stays  time.Duration // what waits and is not ours
}

// uplinkAnswer is how much longer than usual the way to a peer took.
type uplinkAnswer struct {
	from Peer
	wait time.Duration
}

// Gone is how many bytes of leaves were handed to channels so far, to all peers, and how many of them have left.
type Gone struct{ Handed, Left int64 }

// Begin starts to look, at a rate that was seen, or 0. roundTrip: the shortest to any peer.
func (u *Uplink) Begin(rate float64, roundTrip time.Duration, so Gone, now time.Time) {
	near := uplinkNear / max(time.Millisecond, roundTrip).Seconds()
	*u = Uplink{rate: max(uplinkFirst, rate, near), growth: uplinkFast}
	u.span(so, now)
}

// span begins to judge the present rate.
func (u *Uplink) span(so Gone, now time.Time) { u.since, u.so, u.answers = now, so, 0 }

// Rate is how many bytes of leaves may be sent a second, to all peers together.
func (u *Uplink) Rate() float64 { return u.rate }

// Every is how long a PING follows the one before.
func (u *Uplink) Every() time.Duration { return max(uplinkEvery, u.takes(uplinkApart)) }

func (u *Uplink) takes(bytes float64) time.Duration {
	return time.Duration(bytes / u.rate * float64(time.Second))
}

// Asks tells whether a PING is to be sent now. It is asked while there is more to send than may leave.
func (u *Uplink) Asks(so Gone, now time.Time) bool {
	if !u.until.IsZero() && !now.Before(u.until) {
		u.rate, u.until = u.then, time.Time{}
		u.span(so, now)
	}
	since := now.Sub(u.asked)
	if since < u.Every() {
		return false
	}
	if since > max(uplinkPause, 2*u.Every()) {
		u.span(so, now)
		u.leaving = 0
	}
	u.asked = now
	return true
}

// Answered tells how long an answer of a peer took that came now, and how much more than usual the way there took (Lag).
func (u *Uplink) Answered(from Peer, took, wait time.Duration, so Gone, now time.Time) {
	if !u.until.IsZero() || now.Add(-took).Before(u.since) {
		return // what drains is known, and a question that was on its way when the rate was set says nothing about it
	}
	u.last[u.answers%uplinkLast] = uplinkAnswer{from, wait}
	u.answers++
	if u.answers < uplinkAnswers || now.Sub(u.since) < uplinkSpan {
		return
	}
	quickest, ways := u.quickest()
	u.stays = min(u.stays, quickest)
	over := quickest - u.stays - max(uplinkQuiet, u.takes(uplinkLies))
	if over >= 0 && ways < Ways {
		return
	}
	leaving := float64(max(0, so.Left-u.so.Left)) / now.Sub(u.since).Seconds()
	handed := float64(so.Handed-u.so.Handed) / now.Sub(u.since).Seconds()
	carries := max(leaving, u.leaving)
	switch {
	case over < 0:
		u.more(carries)
	case handed >= uplinkFull*u.rate || u.takes(float64(so.Handed-so.Left)) >= uplinkHeld:
		u.less(leaving, carries, quickest, over, now)
	}
	u.leaving = leaving
	u.span(so, now)
}

// quickest is what the quickest of the last answers waited, and by how many peers they are.
func (u *Uplink) quickest() (wait time.Duration, ways int) {
	wait = u.last[0].wait
	var by peerSet
	for _, one := range u.last {
		by.add(one.from)
		wait = min(wait, one.wait)
	}
	return wait, by.len()
}

// more lets a little more out: nothing waits.
func (u *Uplink) more(carries float64) {
	u.drain, u.vain = 0, 0
	if rate := min(u.rate*(1+u.growth), uplinkAhead*carries); rate > u.rate {
		u.rate = rate
		u.growth = min(uplinkFast, uplinkMore*u.growth)
	}
}

// less drains what waits, and sets the rate of the time after: what the line carries, by what left of late. over: how much too long
// something waits.
func (u *Uplink) less(leaving, carries float64, quickest, over time.Duration, now time.Time) {
	share := max(uplinkDeep, uplinkShare-over.Seconds()/uplinkDrain.Seconds())
	if u.drain > 0 {
		share = uplinkDeep
	}
	if u.drain > 0 && u.drain <= uplinkDrained*leaving && u.then <= uplinkSteady*leaving {
		u.vain++
	} else {
		u.vain = 0
	}
	if u.vain > uplinkVain {
		if quickest > u.waited-min(u.waited/4, uplinkMoved) {
			u.stays, u.drain, u.vain = quickest, 0, 0
			return
		}
		u.vain = 1
	}
	if u.vain == 1 {
		u.waited = quickest
	}
	carries = min(u.rate, max(carries, u.rate/2))
	u.then = max(uplinkLeast, uplinkShare*carries)
	u.drain = max(uplinkLeast, share*carries)
	u.rate, u.until, u.growth = u.drain, now.Add(uplinkDrain), uplinkSlow
}

// lagWindow is how long the shortest counts at least: clocks drift apart by some milliseconds in it.
const lagWindow = time.Minute

// Lag tells how much longer something takes than it does at other times, by two clocks that know nothing of each other. The zero value
// is ready.
type Lag struct {
	since         time.Time
	least, before time.Duration // of this window, and of the one before
}

// Over is what a time is above the shortest of the last minutes, itself included.
func (l *Lag) Over(took time.Duration, now time.Time) time.Duration {
	switch {
	case l.since.IsZero():
		l.since, l.least, l.before = now, took, took
	case now.Sub(l.since) >= lagWindow:
		l.since, l.least, l.before = now, took, l.least
	default:
		l.least = min(l.least, took)
	}
	return took - min(l.least, l.before)
}
