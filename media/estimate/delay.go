package estimate

import (
	"math"
	"time"

	"github.com/fanfare-relay/fanfare/media"
)

// The constants of the delay-based controller (gcc-02 section 5.5).
const (
	backOff      = 0.85 // beta
	growth       = 1.08 // a second, while nothing is known of the capacity
	ackedFactor  = 1.5  // the rate never grows beyond so much of what arrived,
	ackedSlack   = 10_000
	slowestStep  = 4_000 // bits/s a second, near the capacity
	frameRate    = 30
	packetSize   = 1200 * 8 // bits
	responseTime = 100 * time.Millisecond
)

// delayControl makes a rate of the detector's verdicts: additive increase near the known capacity,
// multiplicative far from it, and on overuse a step below what arrived.
type delayControl struct {
	rate     media.Bitrate
	rising   bool
	changed  int64 // when rising was last counted
	cut      int64 // when it was last lowered
	capacity capacity
}

func newDelayControl(initial media.Bitrate) delayControl {
	return delayControl{rate: initial, cut: math.MinInt64 / 2}
}

// decrease lowers the rate below what arrives, at most once a round trip, and not when that is
// unknown: the next feedback tells. It tells whether it did.
func (d *delayControl) decrease(acked media.Bitrate, rtt time.Duration, at int64) bool {
	d.rising = false
	pause := min(max(rtt, 10*time.Millisecond), 200*time.Millisecond).Microseconds()
	if acked == 0 || at-d.cut < pause && acked > d.rate/2 {
		return false
	}
	rate := media.Bitrate(backOff * float64(acked))
	if rate >= d.rate {
		return false
	}
	d.capacity.observe(acked)
	d.rate, d.cut = rate, at
	return true
}

// increase lets the rate grow with time, not beyond what the evidence bears nor what is useful. A
// line whose queue empties is left to do so.
func (d *delayControl) increase(usage Usage, acked, useful media.Bitrate, rtt time.Duration, at int64) {
	if usage == UsageUnder {
		d.rising = false
		return
	}
	if !d.rising {
		d.rising, d.changed = true, at
		return
	}
	seconds := min(float64(at-d.changed)/1e6, 1)
	d.changed = at
	if d.capacity.below(acked) {
		d.capacity = capacity{}
	}
	bound := min(media.Bitrate(ackedFactor*float64(acked))+ackedSlack, useful)
	if d.rate >= bound {
		return
	}
	d.rate = min(d.rate+d.step(seconds, rtt), bound)
}

// step is the growth in so many seconds: near the capacity one packet a response time.
func (d *delayControl) step(seconds float64, rtt time.Duration) media.Bitrate {
	if d.capacity.known() {
		frame := float64(d.rate) / frameRate
		packet := frame / math.Ceil(frame/packetSize)
		perSecond := packet / (rtt + responseTime).Seconds()
		return media.Bitrate(max(perSecond, slowestStep) * seconds)
	}
	return media.Bitrate(float64(d.rate)*(math.Pow(growth, seconds)-1) + 1000*seconds)
}

// raise takes a rate that was seen to arrive; what was known of the capacity no longer holds.
func (d *delayControl) raise(rate media.Bitrate, at int64) {
	d.rate = max(d.rate, rate)
	d.capacity = capacity{}
	d.changed = at
}

// capacity remembers what arrived when the line was full (gcc-02 section 5.5): mean and variance in kbit/s.
type capacity struct{ mean, spread float64 }

func (c *capacity) known() bool { return c.mean > 0 }

func (c *capacity) deviation() float64 { return 3 * math.Sqrt(c.spread*c.mean) }

// below tells whether so much arrives that the capacity must have grown.
func (c *capacity) below(acked media.Bitrate) bool {
	return c.known() && float64(acked)/1000 > c.mean+c.deviation()
}

func (c *capacity) observe(acked media.Bitrate) {
	const alpha = 0.05
	sample := float64(acked) / 1000
	if !c.known() || sample < c.mean-c.deviation() {
		*c = capacity{mean: sample, spread: 0.4}
		return
	}
	miss := c.mean - sample
	c.mean += alpha * (sample - c.mean)
	c.spread = min(max((1-alpha)*c.spread+alpha*miss*miss/max(c.mean, 1), 0.4), 2.5)
}
