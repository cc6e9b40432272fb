package schedule

import "time"

const (
	// MostLanes is how many peer connections a pair may have.
	MostLanes = 4
	// laneLong is the shortest round trip of a line on which a further lane is tried: a shorter one soon recovers
	// from a loss.
	laneLong = 30 * time.Millisecond
	// laneSettles is how long a lane takes to its rate, and laneSpan how long the rate is taken.
	laneSettles = 2 * time.Second
	laneSpan    = 4 * time.Second
	// laneGain is by how much a lane has to raise the rate for another to be tried.
	laneGain = 1.15
)

// Lanes decides for one pair when a further peer connection is opened, each with a congestion window of its own
// (docs/MESH.md, section 7). One is tried when the rate has had time to grow; while each raises it enough, the next.
// The zero value is a pair with one lane.
type Lanes struct {
	asked   int       // further lanes that were asked for
	begun   time.Time // of the present span; zero: there is none
	settled bool      // the rate of the span is being taken
	taken   int64     // bytes that had come when that began
	before  float64   // bytes a second with one lane less
	over    bool
}

// LaneFacts is what is known of a pair.
type LaneFacts struct {
	Taken     int64         // bytes that have come over it so far
	Further   int           // lanes that are there beside the first
	RoundTrip time.Duration // the shortest so far
	// Alone: it is a direct one, brings what is wanted, and nobody else does. With others, those are the lanes.
	Alone bool
}

// Look tells whether to open a further lane now. It is to be asked about once a second.
func (l *Lanes) Look(now time.Time, f LaneFacts) bool {
	if l.over || !f.Alone || f.RoundTrip < laneLong || f.Further < l.asked {
		l.begun = time.Time{}
		return false
	}
	switch {
	case l.begun.IsZero():
		l.begun, l.settled = now, false
	case !l.settled && now.Sub(l.begun) >= laneSettles:
		l.begun, l.settled, l.taken = now, true, f.Taken
	case l.settled && now.Sub(l.begun) >= laneSpan:
		return l.judge(float64(f.Taken-l.taken) / now.Sub(l.begun).Seconds())
	}
	return false
}

// judge asks for another lane if the last one was worth it. rate is in bytes a second.
func (l *Lanes) judge(rate float64) bool {
	l.begun = time.Time{}
	l.over = rate <= 0 || rate < laneGain*l.before || l.asked == MostLanes-1
	l.before = rate
	if l.over {
		return false
	}
	l.asked++
	return true
}

// Failed: a lane that was asked for did not come about. No other is tried.
func (l *Lanes) Failed() { l.over = true }
