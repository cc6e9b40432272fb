package estimate

import (
	"math"
	"time"

	"github.com/fanfare-relay/fanfare/media"
)

// The constants of the loss-based controller (gcc-02 section 6).
const (
	lossLow  = 0.02 // below it the rate grows
	lossHigh = 0.10 // above it the rate falls

	cutPause     = 300 * time.Millisecond // beside a round trip: what was lowered must have shown
	lossMany     = 50                     // packets that make an interval at once
	lossFew      = 20                     // and those that do after lossPatience
	lossPatience = time.Second
)

// lossControl makes a rate of the share of packets lost.
type lossControl struct {
	rate        media.Bitrate
	share       float64 // in the last interval
	lost, total int
	since       int64 // the interval's beginning
	cut         int64
	applied     int64
}

func (l *lossControl) add(lost, total int) {
	l.lost = max(l.lost+lost, 0)
	l.total += total
}

// interval returns the share lost, and begins anew, when there are enough packets to tell.
func (l *lossControl) interval(rtt time.Duration, at int64) (share float64, ok bool) {
	age := time.Duration(at-l.since) * time.Microsecond
	many := l.total >= lossMany && age >= cutPause+rtt
	few := l.total >= lossFew && age >= lossPatience
	if !many && !few {
		return 0, false
	}
	share = min(float64(l.lost)/float64(l.total), 1)
	l.lost, l.total, l.since = 0, 0, at
	return share, true
}

// apply moves the rate by the share lost, and tells whether it was lowered. target is what was sent
// by until now.
func (l *lossControl) apply(share float64, target media.Bitrate, rtt time.Duration, at int64) (cut bool) {
	seconds := min(float64(at-l.applied)/1e6, 1)
	l.share, l.applied = share, at
	switch {
	case share < lossLow:
		l.rate += media.Bitrate(float64(l.rate)*(math.Pow(growth, seconds)-1) + 1000*seconds)
	case share > lossHigh && at-l.cut >= (cutPause+rtt).Microseconds():
		l.rate = media.Bitrate(float64(min(l.rate, target)) * (1 - share/2))
		l.cut = at
		return true
	}
	return false
}
