package estimate

import (
	"time"

	"github.com/fanfare-relay/fanfare/media"
)

// Counts are events since New.
type Counts struct {
	// Feedbacks were read; Refused were malformed or absurd reports of any kind, and left aside.
	Feedbacks, Refused uint64
	// Unknown are statuses of packets that were never sent, were told before, or are too old.
	Unknown uint64
	// Lost are packets that feedback called lost and did not take back.
	Lost uint64
	// Overuses are the times that delay lowered the rate; LossCuts those of loss.
	Overuses, LossCuts uint64
	// Silences are the times that the rate was halved because no feedback came.
	Silences uint64
	// Probes were wanted; Raised are those of them that raised the rate.
	Probes, Raised uint64
}

// State is what is known, for metrics and the studio. Rates that do not apply are 0.
type State struct {
	Source Source
	Target media.Bitrate
	// DelayBased, LossBased and REMB are the three limits; the target is the least.
	DelayBased, LossBased, REMB media.Bitrate
	// Acked is the rate at which packets arrived, in the half second before the last that did.
	Acked media.Bitrate
	Usage Usage
	RTT   time.Duration
	// Queue is how long packets wait on the line at least, by the last feedback.
	Queue time.Duration
	// Loss is the share of packets lost in the last interval that had enough of them.
	Loss float64
	Counts
}

// State returns what is known.
func (e *Estimator) State() State {
	s := State{
		Source: e.source, Target: e.Target(), LossBased: e.loss.rate, REMB: e.remb,
		Acked: e.acked.rate(), Usage: e.trend.usage, RTT: e.rtt, Queue: e.wait, Loss: e.loss.share, Counts: e.counts,
	}
	if e.source == SourceTransport {
		s.DelayBased = e.delay.rate
	}
	return s
}
