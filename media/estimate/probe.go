package estimate

import (
	"time"

	"github.com/fanfare-relay/fanfare/media"
)

// Probe is a wish for a short burst of packets, padding or repeats, that shows whether the line
// carries more than is sent now.
type Probe struct {
	// ID numbers the probes of a viewer, from 1.
	ID uint64
	// Rate is how fast all packets together should leave while it lasts, media included.
	Rate media.Bitrate
	// Bytes and Packets are how much must leave at that rate, at least.
	Bytes, Packets int
}

const (
	probeTime     = 40_000  // microseconds: long enough against jitter, short enough not to fill a queue;
	probeTimeLong = 160_000 // doubled up to here where packets arrive in bunches
	probePackets  = 5
	probeFactor   = 2    // times the target
	probeEnough   = 0.7  // of the asked rate: the line carries it, and perhaps more
	probeReceived = 0.8  // of the cluster must have arrived
	probeFull     = 0.9  // arriving slower than this share of the sending rate, the line is full,
	probeUsable   = 0.95 // and this share of it can be used
	probeBogus    = 2.0  // arriving faster than so many times the sending rate: it was held up and let go

	probeLife      = 1_000_000  // beside a round trip; then it is given up
	probeWait      = 2_500_000  // between probes, doubled by one that shows nothing new
	probeWaitLong  = 5_000_000  // up to here,
	probeWaitLimit = 40_000_000 // or here when what one showed did not last
	probeLasting   = 5_000_000  // how long a raise must last to be true,
	probeGain      = 1.2        // or how much must be left of it
)

// prober asks for clusters, one at a time, and judges them.
type prober struct {
	out    bool // a cluster was asked for and not judged yet
	closed bool // all of it was sent
	count  uint64
	asked  Probe
	since  int64
	next   int64 // not before
	wait   int64
	time   int64         // how long a cluster takes
	raised int64         // when a probe last raised the rate, -1 when none did or it was proved
	before media.Bitrate // the rate it raised

	sent, got span
}

// span measures a run of packets: rate is over all but one, which only marks the beginning or the end.
type span struct {
	first, last         int64
	firstSize, lastSize int
	bytes, packets      int
}

func (s *span) add(at int64, size int) {
	if s.packets == 0 || at < s.first {
		s.first, s.firstSize = at, size
	}
	if s.packets == 0 || at >= s.last {
		s.last, s.lastSize = at, size
	}
	s.bytes += size
	s.packets++
}

func (s *span) rate(without int) float64 {
	return float64(s.bytes-without) * 8e6 / float64(max(s.last-s.first, 1))
}

func newProber() prober { return prober{wait: probeWait, time: probeTime, raised: -1} }

// cluster is the mark of the packets of the cluster that is out.
func (p *prober) cluster() uint8 { return uint8(p.count%3) + 1 }

// ask begins a cluster at this rate.
func (p *prober) ask(rate media.Bitrate, at int64) Probe {
	p.count++
	p.asked = Probe{
		ID: p.count, Rate: rate, Packets: probePackets,
		Bytes: int(int64(rate) * p.time / 8e6),
	}
	p.out, p.closed, p.since = true, false, at
	p.sent, p.got = span{}, span{}
	return p.asked
}

// note takes a packet that leaves, and returns its cluster, 0 for none.
func (p *prober) note(size int, at int64) uint8 {
	if !p.out || p.closed {
		return 0
	}
	p.sent.add(at, size)
	p.closed = p.sent.bytes >= p.asked.Bytes && p.sent.packets >= p.asked.Packets
	return p.cluster()
}

func (p *prober) received(cluster uint8, size int, arrival int64) {
	if p.out && cluster == p.cluster() {
		p.got.add(arrival, size)
	}
}

// result returns the rate that the cluster showed, once enough of it has arrived. It is never above
// the rate asked for.
func (p *prober) result() (rate media.Bitrate, ok bool) {
	if !p.out || !p.closed || float64(p.got.bytes) < probeReceived*float64(p.sent.bytes) ||
		float64(p.got.packets) < probeReceived*float64(p.sent.packets) {
		return 0, false
	}
	sent, got := p.sent.rate(p.sent.lastSize), p.got.rate(p.got.firstSize)
	if got > probeBogus*sent {
		p.time = min(2*p.time, probeTimeLong)
		return 0, true
	}
	shown := min(sent, got)
	if got < probeFull*sent {
		shown = probeUsable * got
	}
	return min(media.Bitrate(shown), p.asked.Rate), true
}

// concluded ends the cluster: one that the line carried is followed at once, one that showed
// nothing new is not repeated soon.
func (p *prober) concluded(rate, before, next media.Bitrate, at int64) {
	raised := rate > before
	p.out = false
	if p.raised >= 0 && at-p.raised > probeLasting {
		p.wait, p.raised = probeWait, -1
	}
	if raised && rate >= next {
		if p.raised < 0 {
			p.before = before
		}
		p.raised = at
	}
	if raised && float64(rate) >= probeEnough*float64(p.asked.Rate) {
		p.next = at
		return
	}
	p.next = at + p.wait
	p.wait = max(p.wait, min(2*p.wait, probeWaitLong))
}

// expired ends a cluster without a verdict. One that was sent, and of which nothing was told, is
// asked for again: the feedback was lost.
func (p *prober) expired(told bool, at int64) {
	if told && p.closed && p.got.packets == 0 {
		p.out, p.next = false, at
		return
	}
	p.concluded(0, 0, 0, at)
}

// failed notes that the rate was lowered: what a probe raised just before did not last, and the
// line is left alone for longer.
func (p *prober) failed(rate media.Bitrate, at int64) {
	if p.raised >= 0 && at-p.raised <= probeLasting && float64(rate) < probeGain*float64(p.before) {
		p.wait = min(2*p.wait, probeWaitLimit)
	}
	p.raised = -1
	p.next = max(p.next, at+p.wait)
}

// Probe lets time pass, and tells whether a probe is wanted now. The caller sends padding, or repeats
// of what was sent, until Bytes and Packets have left at Rate, each noted by Sent; what they show
// comes with feedback. Call it at Deadline and after feedback; a caller that cannot send may leave it.
func (e *Estimator) Probe(now time.Time) (p Probe, wanted bool) {
	at := e.clock.micros(now)
	if due, ok := e.silentAt(); ok && at >= due {
		e.silent(at)
	}
	if e.probe.out && at >= e.probeEnd() {
		e.probe.expired(e.source == SourceTransport, at)
	}
	if !e.wantsProbe() || at < e.probe.next {
		return Probe{}, false
	}
	e.counts.Probes++
	return e.probe.ask(min(probeFactor*e.Target(), e.useful()), at), true
}

// wantsProbe tells whether a higher rate would help and nothing speaks against trying it.
func (e *Estimator) wantsProbe() bool {
	return !e.probe.out && e.source >= SourceREMB && (e.demand.next > e.Target() || e.heldByLoss()) &&
		e.Target() < e.cfg.Max && e.trend.usage != UsageOver && e.loss.share <= lossHigh
}

// heldByLoss tells that nothing but loss holds the target below what could be used. Between lossLow and lossHigh the
// loss-based rate moves in neither direction: lowered once, it would stay so for as long as a line loses packets
// at random, also where there is no next layer to ask for.
func (e *Estimator) heldByLoss() bool {
	return e.source == SourceTransport && e.demand.current > 0 && e.loss.share >= lossLow &&
		e.loss.rate < e.delay.rate && !e.Proven()
}

func (e *Estimator) probeEnd() int64 { return e.probe.since + probeLife + e.rtt.Microseconds() }

// Feedback may stay away for so long, beside two round trips, while so many packets are sent: the
// last before a pause may be lost, and is never told.
const (
	silence        = 1_000_000
	silencePackets = 10
)

// silent lowers the rate when much was sent and nothing came back. The next packet begins anew.
func (e *Estimator) silent(at int64) {
	e.unanswered = -1
	if e.unansweredPackets < silencePackets {
		return
	}
	e.counts.Silences++
	e.delay.rate = e.clamp(e.delay.rate / 2)
	e.probe.failed(e.Target(), at)
}

// silentAt returns when missing feedback lowers the rate, if it does.
func (e *Estimator) silentAt() (at int64, ok bool) {
	if e.source != SourceTransport || e.unanswered < 0 || e.delay.rate <= e.cfg.Min {
		return 0, false
	}
	return e.unanswered + silence + 2*e.rtt.Microseconds(), true
}

// Deadline returns when Probe should be called next, if nothing else happens before; ok is false
// when there is nothing to wait for.
func (e *Estimator) Deadline() (at time.Time, ok bool) {
	due, ok := e.silentAt()
	consider := func(t int64) {
		if !ok || t < due {
			due, ok = t, true
		}
	}
	if e.probe.out {
		consider(e.probeEnd())
	} else if e.wantsProbe() {
		consider(e.probe.next)
	}
	if !ok {
		return time.Time{}, false
	}
	return e.clock.time(due), true
}
