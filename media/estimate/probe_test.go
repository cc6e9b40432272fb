package estimate_test

import (
	"testing"
	"time"

	"github.com/fanfare-relay/fanfare/media"
	"github.com/fanfare-relay/fanfare/media/estimate"
)

// cluster plays one probe: packets of 250 bytes sent with a gap between them arrive with another,
// in order or not; it returns the target after the feedback on them.
func cluster(t *testing.T, packets int, sentGap, gotGap time.Duration, lost int) (before, after media.Bitrate) {
	t.Helper()
	e, now := estimate.New(estimate.Config{Initial: 500_000}), epoch
	e.Sent(0, 1000, now)
	now = now.Add(50 * ms)
	e.Feedback(feedback(0, 1, 1, 0), now)
	e.SetDemand(500_000, 2_000_000)
	p, ok := e.Probe(now)
	if !ok || p.Rate != 1_000_000 || p.Bytes != 5000 || p.Packets != 5 {
		t.Fatalf("probe %+v, %v", p, ok)
	}
	if _, again := e.Probe(now); again {
		t.Fatal("a second probe is wanted before the first is judged")
	}
	w := newWriter(1, uint16(packets), 2, 1)
	for i := range packets {
		e.Sent(uint16(1+i), 250, now.Add(time.Duration(i)*sentGap))
		w.add(i >= lost, 150*ms+time.Duration(i)*gotGap)
	}
	before = e.Target()
	e.Feedback(w.bytes(), now.Add(200*ms))
	return before, e.Target()
}

func TestProbeVerdict(t *testing.T) {
	tests := []struct {
		name            string
		packets         int
		sentGap, gotGap time.Duration
		lost            int
		want            media.Bitrate // within a hundredth
	}{
		{"the line carries it", 20, 2 * ms, 2 * ms, 0, 1_000_000},
		{"the line carries less", 20, 2 * ms, 2500 * time.Microsecond, 0, 760_000},
		{"the line carries less than the target: half way", 20, 2 * ms, 5 * ms, 0, 440_000},
		{"sent slower than asked", 20, 3 * ms, 3 * ms, 0, 666_000},
		{"sent faster than asked", 20, ms, ms, 0, 1_000_000},
		{"held up on the way and let go", 20, 2 * ms, 500 * time.Microsecond, 0, 500_000},
		{"a tenth lost", 20, 2 * ms, 2 * ms, 2, 1_000_000},
		{"half lost: no verdict", 20, 2 * ms, 2 * ms, 10, 500_000},
		{"not sent to the end: no verdict", 10, 2 * ms, 2 * ms, 0, 500_000},
	}
	for _, test := range tests {
		before, after := cluster(t, test.packets, test.sentGap, test.gotGap, test.lost)
		if before != 500_000 || after < test.want*99/100 || after > test.want*101/100 {
			t.Errorf("%s: from %d to %d, want about %d", test.name, before, after, test.want)
		}
	}
}

// A probe that was asked for and never sent is given up, and the next is not asked for at once.
func TestProbeNeverSent(t *testing.T) {
	e, now := estimate.New(estimate.Config{}), epoch
	e.Sent(0, 1000, now)
	now = now.Add(50 * ms)
	e.Feedback(feedback(0, 1, 1, 0), now)
	e.SetDemand(500_000, 2_000_000)
	var asked []time.Duration
	for now.Sub(epoch) < 30*time.Second {
		if _, ok := e.Probe(now); ok {
			asked = append(asked, now.Sub(epoch).Round(100*ms))
		}
		at, ok := e.Deadline()
		if !ok {
			t.Fatal("no deadline")
		}
		now = at
	}
	if len(asked) != 6 || asked[0] != 100*ms || asked[1] < 3500*ms || asked[5]-asked[4] < 6*time.Second {
		t.Errorf("asked at %v", asked)
	}
}

// The queue that a probe makes is no overuse: on a line that probes find full again and again the
// target stays.
func TestProbesDoNotHurt(t *testing.T) {
	for seed := range uint64(4) {
		l := newLine(lineConfig{seed: seed, rate: 450_000, queue: 300 * ms, rtt: 50 * ms, jitter: 10 * ms})
		l.run(10*time.Second, nil)
		before, low := l.est.State(), l.est.Target()
		l.run(40*time.Second, func() { low = min(low, l.est.Target()) })
		s := l.est.State()
		if low < 315_000 || s.Probes-before.Probes < 5 || s.Overuses != before.Overuses {
			t.Errorf("seed %d: down to %d, %+v", seed, low, s)
		}
	}
}

// A line that lets bursts pass faster than it carries on fools probes: a layer that it does not
// carry is tried more and more seldom.
func TestShapedLine(t *testing.T) {
	for seed := range uint64(2) {
		l := newLine(lineConfig{seed: seed, rate: 1_200_000, queue: 200 * ms, rtt: 50 * ms, jitter: 2 * ms})
		l.down.SetBurst(60_000)
		tries, was := 0, 0
		count := func() {
			if l.layer == 2 && was != 2 {
				tries++
			}
			was = l.layer
		}
		l.run(60*time.Second, count)
		first := tries
		l.run(120*time.Second, count)
		if tries-first > 4 {
			t.Errorf("seed %d: tried %d times in a minute, %d in the next two", seed, first, tries-first)
		}
	}
}
