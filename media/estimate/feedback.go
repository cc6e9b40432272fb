package estimate

import (
	"time"

	"github.com/fanfare-relay/fanfare/media"
)

// Feedback takes one RTCP packet of transport-wide feedback, as IsFeedback knows it. Malformed and
// absurd ones (no status, more than could be in flight, a clock that jumped) are ignored and
// counted, as are statuses of packets that were never sent.
func (e *Estimator) Feedback(b []byte, now time.Time) {
	at := e.clock.micros(now)
	s, err := ParseFeedback(b)
	if err != nil || s.Count == 0 || s.Count > historySize {
		e.counts.Refused++
		return
	}
	base, ok := e.arrivals.base(s.Reference, at)
	if !ok {
		e.counts.Refused++
		e.trend, e.queue, e.acked = newTrend(), newQueue(), throughput{}
		return
	}
	if e.read(s, base, at) == 0 {
		return
	}
	e.counts.Feedbacks++
	e.source = SourceTransport
	e.unanswered = -1
	e.decide(at)
}

// read notes what the feedback says of each packet, and returns of how many it said something new.
func (e *Estimator) read(s Statuses, base, at int64) (news int) {
	var newest int64 = -1
	for st, ok := s.Next(); ok; st, ok = s.Next() {
		p, known := e.sent.find(st.Seq, at)
		switch {
		case !known:
			e.counts.Unknown++
			continue
		case st.Received:
			e.received(p, base+st.Arrival)
			e.sent.remove(st.Seq)
			newest = max(newest, p.sent)
		case !p.lost:
			e.sent.markLost(st.Seq)
			e.loss.add(1, 1)
			e.counts.Lost++
		default:
			continue
		}
		news++
	}
	if newest >= 0 {
		e.setRTT(time.Duration(at-newest) * time.Microsecond)
	}
	return news
}

func (e *Estimator) received(p packet, arrival int64) {
	if p.lost { // it was only late
		e.loss.add(-1, 0)
		e.counts.Lost--
	} else {
		e.loss.add(0, 1)
	}
	e.acked.add(arrival, p.size)
	e.queue.add(p.sent, arrival)
	if p.cluster == 0 {
		e.trend.add(p.sent, arrival)
		return
	}
	e.trend.skip() // the queue that a probe makes says nothing of the rate between probes
	e.probe.received(p.cluster, p.size, arrival)
}

// decide lets the controllers see what the feedback brought.
func (e *Estimator) decide(at int64) {
	e.wait = e.queue.wait()
	if share, ok := e.loss.interval(e.rtt, at); ok {
		e.applyLoss(share, at)
	}
	if rate, ok := e.probe.result(); ok {
		e.probed(rate, at)
	}
	switch near, collapsed := e.collapsed(); {
	case collapsed:
		e.fall(near, at)
	case e.trend.usage == UsageOver:
		e.fall(e.acked.full(), at)
	default:
		e.delay.increase(e.trend.usage, e.acked.rate(), e.useful(), e.rtt, at)
	}
	e.delay.rate = e.clamp(e.delay.rate)
}

// fall lowers the rate below what arrives.
func (e *Estimator) fall(acked media.Bitrate, at int64) {
	if e.delay.decrease(acked, e.rtt, at) {
		e.counts.Overuses++
		e.probe.failed(e.Target(), at)
	}
}

// collapsed tells whether the line has become far narrower than what is being sent: everything waits
// for long, and of late less than half of it has arrived. A trend needs several groups to be sure,
// each of which takes a third of a second by then; that much is plain after the first.
func (e *Estimator) collapsed() (near media.Bitrate, yes bool) {
	if e.wait < collapseWait {
		return 0, false
	}
	near = e.acked.near()
	return near, near > 0 && 2*near < e.demand.current
}

// applyLoss lets a share of packets lost move the rate.
func (e *Estimator) applyLoss(share float64, at int64) {
	if e.loss.apply(share, e.Target(), e.rtt, at) {
		e.counts.LossCuts++
		if full := e.acked.full(); e.wait > standing && full > 0 { // the line is full: what arrives is what it has
			e.loss.rate = min(e.loss.rate, media.Bitrate(backOff*float64(full)))
		}
		e.delay.rate = min(e.delay.rate, e.loss.rate) // else it would wait above, without evidence
		e.probe.failed(e.Target(), at)
	}
	e.loss.rate = e.clamp(e.loss.rate)
}

// probed takes the result of a probe: evidence that this rate arrives, or does not. What is below
// the target may be jitter, so it counts by half.
func (e *Estimator) probed(rate media.Bitrate, at int64) {
	before := e.Target()
	switch {
	case rate > before:
		e.counts.Raised++
		e.delay.raise(rate, at)
		e.loss.rate = max(e.loss.rate, rate)
	case rate > 0:
		e.delay.rate = min(e.delay.rate, (before+rate)/2)
	}
	e.probe.concluded(rate, before, e.demand.next, at)
}

// arrivals unwraps the receiver's clock.
type arrivals struct {
	known     bool
	reference int64 // in units of 64 ms
	local     int64 // our clock when it came
}

// maxSkew is how far the receiver's clock may move against ours from one feedback to the next. More
// is a clock that was set, or nonsense.
const maxSkew = 3_000_000

// base returns the reference time in microseconds of the receiver's clock. ok is false when that
// clock has jumped; the next call starts from the new time.
func (a *arrivals) base(reference uint32, at int64) (base int64, ok bool) {
	if !a.known {
		*a = arrivals{known: true, reference: int64(reference), local: at}
		return a.reference * 64_000, true
	}
	moved := int64(int32(reference<<8-uint32(a.reference)<<8) >> 8)
	skew := moved*64_000 - (at - a.local)
	a.reference, a.local = a.reference+moved, at
	return a.reference * 64_000, skew >= -maxSkew && skew <= maxSkew
}
