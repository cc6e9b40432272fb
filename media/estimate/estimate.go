// Package estimate tells how many bits per second one viewer's line carries now.
//
// It owns the numbers of the packets sent to one viewer, what feedback says of them, and the rules
// that make a rate of it: the delay-based and loss-based controllers of Google congestion control
// (draft-ietf-rmcat-gcc-02, with the trendline in place of the Kalman filter), on transport-wide
// feedback (draft-holmer-rmcat-transport-wide-cc-extensions-01), or on REMB
// (draft-alvestrand-rmcat-remb-03) or receiver reports (RFC 3550 section 6.4) where that is all there is.
// It never sends, never chooses a layer, never waits: it is given now and hands back a target, a
// wanted probe and a deadline. Why it is ours, and where it departs from the draft:
// docs/adr/0006-congestion-control.md.
package estimate

import (
	"time"

	"github.com/fanfare-relay/fanfare/media"
)

// Config bounds the target. Zero fields get the defaults named here.
type Config struct {
	// Initial is the target until the first evidence: 1 Mbit/s, which carries a middle layer and
	// which nearly every line has; the first feedback corrects it within a second.
	Initial media.Bitrate
	// Min is never undercut: 50 kbit/s, sound alone. A line that has less is of no use.
	Min media.Bitrate
	// Max is never exceeded: 20 Mbit/s, twice the largest encoding that browsers publish.
	Max media.Bitrate
}

func (c *Config) setDefaults() {
	if c.Min <= 0 {
		c.Min = 50_000
	}
	if c.Max <= 0 {
		c.Max = 20_000_000
	}
	c.Max = max(c.Max, c.Min)
	if c.Initial <= 0 {
		c.Initial = 1_000_000
	}
	c.Initial = min(max(c.Initial, c.Min), c.Max)
}

// Source tells what the target rests on, the best that the viewer has ever given.
type Source uint8

// The sources, from the poorest to the best.
const (
	SourceNone      Source = iota // nothing yet: Config.Initial
	SourceReports                 // loss in receiver reports
	SourceREMB                    // the receiver's own estimate, and loss
	SourceTransport               // transport-wide feedback: delay and loss
)

var sourceNames = [...]string{"none", "reports", "remb", "transport"}

// String returns the source as a metric label.
func (s Source) String() string { return sourceNames[min(int(s), len(sourceNames)-1)] }

// demand is what the caller sends and would like to send.
type demand struct{ current, next media.Bitrate }

// Estimator is the estimate of one viewer. Use New. It is a value for one goroutine; what it keeps
// of sent packets (6 KiB) is made when the first is sent.
type Estimator struct {
	// What Sent looks at comes first, side by side (HotBytes): with many viewers it lies in cold memory.
	clock             clock
	unanswered        int64 // when the first packet since the last feedback left, -1 when none has
	unansweredPackets int   // how many have left since
	sent              history
	probe             prober

	cfg    Config
	source Source
	demand demand

	arrivals arrivals
	trend    trend
	queue    queue
	acked    throughput
	delay    delayControl
	loss     lossControl

	remb   media.Bitrate
	rtt    time.Duration
	wait   time.Duration // in the queue of the line, by the last feedback
	counts Counts
}

// HotBytes is how much of the beginning of an Estimator Sent looks at, for callers that fetch it ahead of time.
const HotBytes = 96

// Next is where the next n calls of Sent will write, for the same callers; fewer at the end of what is kept, none before the first call.
func (e *Estimator) Next(n int) []Slot { return e.sent.next(n) }

// New returns an estimator that knows nothing yet.
func New(cfg Config) Estimator {
	cfg.setDefaults()
	return Estimator{
		cfg:        cfg,
		trend:      newTrend(),
		queue:      newQueue(),
		delay:      newDelayControl(cfg.Initial),
		loss:       lossControl{rate: cfg.Max},
		probe:      newProber(),
		unanswered: -1,
	}
}

// Sent notes that a packet with this transport-wide sequence number leaves now. Numbers must rise
// by one from packet to packet, repeats and padding included. size is in bytes, as the line carries
// it: with RTP header and extensions; whether the 28 bytes of UDP and IP are in it is the caller's choice,
// as the target then counts them or not.
func (e *Estimator) Sent(seq uint16, size int, now time.Time) {
	at := e.clock.micros(now)
	if e.unanswered < 0 {
		e.unanswered, e.unansweredPackets = at, 0
	}
	e.unansweredPackets++
	e.sent.add(seq, size, at, e.probe.note(size, at))
}

// SetDemand tells what is sent now and what the next layer up would need, both with sound and
// repair; next is 0 on the top layer. Both are 0 until it is known. A probe is only wanted when next
// is above the target, and the target does not grow far beyond what could be used.
func (e *Estimator) SetDemand(current, next media.Bitrate) {
	e.demand = demand{current: max(current, 0), next: max(next, 0)}
}

// REMB takes the receiver's own estimate. It bounds the target; where there is no transport-wide
// feedback it is the target, but for loss. A limit of nothing or less is ignored and counted.
func (e *Estimator) REMB(limit media.Bitrate, now time.Time) {
	e.clock.micros(now)
	if limit <= 0 {
		e.counts.Refused++
		return
	}
	e.remb = limit
	e.source = max(e.source, SourceREMB)
}

// Report takes what a receiver report says: the share of packets lost, 0 to 1, and the round trip,
// 0 when unknown. Loss counts only where there is no transport-wide feedback, which tells it
// sooner. Shares out of range are ignored and counted.
func (e *Estimator) Report(lost float64, rtt time.Duration, now time.Time) {
	at := e.clock.micros(now)
	if !(lost >= 0 && lost <= 1) || rtt < 0 { // NaN too
		e.counts.Refused++
		return
	}
	if e.source == SourceTransport {
		return
	}
	if rtt > 0 {
		e.setRTT(rtt)
	}
	if e.source < SourceReports {
		e.source = SourceReports
	}
	if e.source == SourceReports {
		e.loss.rate = min(e.loss.rate, max(e.cfg.Initial, e.useful()))
	}
	e.applyLoss(lost, at)
}

// Target is what may be sent to the viewer now, all packets together. It is within Config.Min and Max.
func (e *Estimator) Target() media.Bitrate {
	rate := e.cfg.Initial
	switch e.source {
	case SourceTransport:
		rate = min(e.delay.rate, e.loss.rate)
	case SourceREMB, SourceReports:
		rate = e.loss.rate
	}
	if e.remb > 0 {
		rate = min(rate, e.remb)
	}
	return e.clamp(rate)
}

// Proven tells that the line was seen to carry all that could be used, or nearly: the target is held down
// by what is sent and not by the line.
func (e *Estimator) Proven() bool {
	return e.source == SourceTransport && e.Target() >= e.useful()*9/10
}

// useful is the rate beyond which growth without evidence helps nobody: a fifth above what the
// next layer would need, so that a selector with a margin can take it.
func (e *Estimator) useful() media.Bitrate {
	if top := max(e.demand.current, e.demand.next); top > 0 {
		return min(top+top/5, e.cfg.Max)
	}
	return e.cfg.Max
}

func (e *Estimator) clamp(rate media.Bitrate) media.Bitrate {
	return min(max(rate, e.cfg.Min), e.cfg.Max)
}

func (e *Estimator) setRTT(sample time.Duration) {
	if e.rtt == 0 {
		e.rtt = sample
	}
	e.rtt += (sample - e.rtt) / 8
}

// clock makes microseconds of times; it starts with the first and never goes back.
type clock struct {
	epoch time.Time
	last  int64
}

func (c *clock) micros(now time.Time) int64 {
	if c.epoch.IsZero() {
		c.epoch = now
	}
	c.last = max(c.last, now.Sub(c.epoch).Microseconds())
	return c.last
}

func (c *clock) time(at int64) time.Time { return c.epoch.Add(time.Duration(at) * time.Microsecond) }
