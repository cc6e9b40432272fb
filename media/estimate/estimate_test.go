package estimate_test

import (
	"testing"
	"time"
	"unsafe"

	"github.com/fanfare-relay/fanfare/media"
	"github.com/fanfare-relay/fanfare/media/estimate"
)

const ms = time.Millisecond

// A line is squeezed from 10 Mbit/s to 300 kbit/s and let go: the target follows within two
// seconds and stays down, and is back for the top layer within twelve, by probing.
func TestSqueeze(t *testing.T) {
	for _, rtt := range []time.Duration{20 * ms, 50 * ms, 100 * ms} {
		for _, queue := range []time.Duration{50 * ms, 300 * ms} {
			for seed := range uint64(3) {
				squeeze(t, lineConfig{seed: seed, rate: 10_000_000, queue: queue, rtt: rtt, jitter: 5 * ms})
			}
		}
	}
}

func squeeze(t *testing.T, cfg lineConfig) {
	const squeezed, top = 300_000, 2_600_000
	l := newLine(cfg)
	l.run(10*time.Second, nil)
	if got := l.est.Target(); got < top {
		t.Errorf("%+v: %d before the squeeze", cfg, got)
	}
	l.down.SetRate(squeezed, l.now)
	l.run(2*time.Second, nil)
	if got := l.est.Target(); got >= squeezed {
		t.Errorf("%+v: %d two seconds into the squeeze", cfg, got)
	}
	highest := media.Bitrate(0)
	l.run(18*time.Second, func() { highest = max(highest, l.est.Target()) })
	if highest > squeezed*120/100 || l.layer != 0 {
		t.Errorf("%+v: up to %d, layer %d in the squeeze", cfg, highest, l.layer)
	}
	l.down.SetRate(cfg.rate, l.now)
	highest = 0
	l.run(12*time.Second, func() { highest = max(highest, l.est.Target()) })
	if highest < top || l.layer != 2 {
		t.Errorf("%+v: up to %d, layer %d after the squeeze", cfg, highest, l.layer)
	}
}

// On a steady line the target stays near what the line carries, whether layers or all of it is sent,
// with jitter, with loss that no queue made; a layer that fits is never left.
func TestSteady(t *testing.T) {
	tests := []struct {
		cfg       lineConfig
		low, high media.Bitrate
		layer     int
	}{
		{lineConfig{rate: 3_000_000, jitter: 2 * ms}, 2_100_000, 3_150_000, 2},
		{lineConfig{rate: 3_000_000, jitter: 10 * ms}, 2_100_000, 3_150_000, 2},
		{lineConfig{rate: 3_000_000, jitter: 5 * ms, followTarget: true}, 2_100_000, 3_150_000, 2},
		{lineConfig{rate: 3_000_000, jitter: 5 * ms, wholeBursts: true}, 2_100_000, 3_150_000, 2},
		{lineConfig{rate: 10_000_000, jitter: 5 * ms, loss: 0.02}, need(2) * 8 / 10, 3_200_000, 2},
		{lineConfig{rate: 3_000_000, jitter: 5 * ms, loss: 0.02}, need(2) * 8 / 10, 3_150_000, 2},
		{lineConfig{rate: 1_000_000, jitter: 5 * ms}, 700_000, 1_100_000, 1},
		{lineConfig{rate: 450_000, jitter: 2 * ms}, 315_000, 500_000, 0},
	}
	for _, test := range tests {
		for seed := range uint64(3) {
			cfg := test.cfg
			cfg.seed, cfg.queue, cfg.rtt = seed, 300*ms, 50*ms
			l := newLine(cfg)
			l.run(10*time.Second, nil)
			low, high, switches := l.est.Target(), l.est.Target(), l.switches
			l.run(40*time.Second, func() {
				low, high = min(low, l.est.Target()), max(high, l.est.Target())
			})
			if low < test.low || high > test.high {
				t.Errorf("%+v: between %d and %d", cfg, low, high)
			}
			if l.layer != test.layer || l.switches != switches {
				t.Errorf("%+v: layer %d after %d switches", cfg, l.layer, l.switches-switches)
			}
		}
	}
}

// Loss above a tenth lowers the target even where no queue grows; loss that goes is forgotten.
func TestHeavyLoss(t *testing.T) {
	l := newLine(lineConfig{seed: 1, rate: 10_000_000, queue: 100 * ms, rtt: 50 * ms, jitter: 2 * ms, loss: 0.15})
	l.run(20*time.Second, nil)
	s := l.est.State()
	if s.LossCuts == 0 || s.Target >= need(1) || s.LossBased != s.Target {
		t.Errorf("%+v", s)
	}
	quiet := newLine(lineConfig{seed: 1, rate: 10_000_000, queue: 100 * ms, rtt: 50 * ms, jitter: 2 * ms, loss: 0.05})
	quiet.run(20*time.Second, nil)
	if s := quiet.est.State(); s.Target < need(2) {
		t.Errorf("5 %% of loss: %+v", s)
	}
}

// A target is not lowered because little is sent, and not raised without evidence.
func TestApplicationLimited(t *testing.T) {
	l := newLine(lineConfig{seed: 1, rate: 10_000_000, queue: 100 * ms, rtt: 50 * ms, jitter: 5 * ms})
	l.run(10*time.Second, nil)
	before := l.est.Target()
	l.layersMax = 1
	l.run(60*time.Second, nil)
	if s := l.est.State(); s.Target < before || s.Acked > 300_000 {
		t.Errorf("%d while the top layer was sent, then %+v", before, s)
	}

	low := newLine(lineConfig{seed: 1, rate: 10_000_000, queue: 100 * ms, rtt: 50 * ms, jitter: 5 * ms})
	low.est = estimate.New(estimate.Config{Initial: 100_000})
	low.layersMax = 1
	low.run(60*time.Second, nil)
	if s := low.est.State(); s.Target < 150_000 || s.Target > 400_000 || s.Probes != 0 {
		t.Errorf("180 kbit/s and no more wanted: %+v", s)
	}
}

// A line that lets bursts pass faster than it carries on fools probes: a layer that it does not
// carry is tried more and more seldom.
func TestShapedLine(t *testing.T) {
	for seed := range uint64(3) {
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

// When nothing comes back the target falls to its least, and a line that lives again is found.
func TestSilence(t *testing.T) {
	l := newLine(lineConfig{seed: 1, rate: 10_000_000, queue: 100 * ms, rtt: 50 * ms})
	l.run(5*time.Second, nil)
	l.dead = true
	l.run(10*time.Second, nil)
	if s := l.est.State(); s.Target >= need(0) || s.Silences < 4 {
		t.Errorf("dead for ten seconds: %+v", s)
	}
	l.dead = false
	l.run(15*time.Second, nil)
	if s := l.est.State(); s.Target < need(2) {
		t.Errorf("alive for fifteen: %+v", s)
	}
}

func TestREMB(t *testing.T) {
	e := estimate.New(estimate.Config{})
	now := epoch
	if e.Target() != 1_000_000 || e.State().Source != estimate.SourceNone {
		t.Errorf("at first %+v", e.State())
	}
	e.SetDemand(500_000, 2_500_000)
	if _, ok := e.Probe(now); ok {
		t.Error("a probe is wanted though nothing can tell what it shows")
	}
	e.REMB(0, now)
	e.REMB(-5, now)
	if s := e.State(); s.Refused != 2 || s.Source != estimate.SourceNone {
		t.Errorf("nonsense: %+v", s)
	}
	e.REMB(600_000, now)
	if e.Target() != 600_000 {
		t.Errorf("target %d", e.Target())
	}
	p, ok := e.Probe(now)
	if !ok || p.Rate != 1_200_000 || p.ID != 1 {
		t.Errorf("probe %+v, %v", p, ok)
	}
	e.REMB(3_000_000, now.Add(time.Second))
	if e.Target() != 3_000_000 {
		t.Errorf("target %d", e.Target())
	}
	e.Report(0.5, 50*ms, now.Add(2*time.Second))
	if e.Target() != 2_250_000 {
		t.Errorf("half lost: target %d", e.Target())
	}
	e.REMB(1<<40, now.Add(3*time.Second))
	if e.Target() != 2_250_000 {
		t.Errorf("target %d", e.Target())
	}
}

func TestReports(t *testing.T) {
	e := estimate.New(estimate.Config{})
	now := epoch
	report := func(lost float64) media.Bitrate {
		now = now.Add(time.Second)
		e.Report(lost, 50*ms, now)
		return e.Target()
	}
	for _, lost := range []float64{-0.1, 1.1} {
		report(lost)
	}
	if s := e.State(); s.Refused != 2 || s.Source != estimate.SourceNone || s.RTT != 0 {
		t.Errorf("nonsense: %+v", s)
	}
	first := report(0)
	if got := report(0.05); got != first {
		t.Errorf("some loss: %d after %d", got, first)
	}
	if got, want := report(0.2), first*9/10; got != want {
		t.Errorf("a fifth lost: %d after %d", got, first)
	}
	before := e.Target()
	if got := report(0.01); got <= before || got > before*110/100 {
		t.Errorf("hardly any loss: %d after %d", got, before)
	}
	e.SetDemand(500_000, 600_000)
	for range 100 {
		report(0)
	}
	if got := e.Target(); got < 1_000_000 || got > 20_000_000 {
		t.Errorf("long without loss: %d", got)
	}
	for range 100 {
		report(1)
	}
	if got := e.Target(); got != 50_000 {
		t.Errorf("all lost: %d", got)
	}
	if s := e.State(); s.RTT != 50*ms || s.Source != estimate.SourceReports {
		t.Errorf("%+v", s)
	}
}

// Feedback that cannot be is left aside and counted, and the target stays.
func TestAbsurdFeedback(t *testing.T) {
	l := newLine(lineConfig{seed: 1, rate: 3_000_000, queue: 300 * ms, rtt: 50 * ms})
	l.run(5*time.Second, nil)
	before := l.est.State()
	good := feedback(l.seq-3, 3, 64, 0)
	refused := [][]byte{
		nil,
		good[:len(good)-1],
		feedback(l.seq-3, 0, 64, 0),         // speaks of nothing
		feedback(l.seq-3, 5000, 64, 0),      // of more than was ever in flight
		feedback(l.seq-3, 3, 1<<20, 0),      // its clock jumped by hours
		feedback(l.seq-3, 3, 1<<20-1000, 0), // and back
	}
	for i, b := range refused {
		l.est.Feedback(b, l.now)
		if s := l.est.State(); s.Refused != uint64(i+1) || s.Target != before.Target {
			t.Errorf("%d: %+v", i, s)
		}
	}
	l.est.Feedback(feedback(l.seq+100, 50, 1<<20-1000, 0), l.now)
	s := l.est.State()
	if s.Unknown != before.Unknown+50 || s.Target != before.Target || s.Feedbacks != before.Feedbacks {
		t.Errorf("numbers that were never sent: %+v", s)
	}
}

func TestConfig(t *testing.T) {
	tests := []struct {
		cfg  estimate.Config
		want media.Bitrate
	}{
		{estimate.Config{}, 1_000_000},
		{estimate.Config{Initial: 10}, 50_000},
		{estimate.Config{Initial: 10, Min: 20}, 20},
		{estimate.Config{Max: 300_000}, 300_000},
		{estimate.Config{Min: 400_000, Max: 300_000, Initial: 1}, 400_000},
		{estimate.Config{Min: -1, Max: -1, Initial: -1}, 1_000_000},
	}
	for _, test := range tests {
		if e := estimate.New(test.cfg); e.Target() != test.want {
			t.Errorf("%+v: target %d", test.cfg, e.Target())
		}
	}
}

// Noting a packet and reading a feedback cost no memory.
func TestAllocatesNothing(t *testing.T) {
	l := newLine(lineConfig{seed: 1, rate: 3_000_000, queue: 300 * ms, rtt: 50 * ms})
	l.run(5*time.Second, nil)
	if n := testing.AllocsPerRun(1000, func() {
		l.est.Sent(l.seq, 1140, l.now)
		l.seq++
		l.now = l.now.Add(time.Millisecond)
	}); n != 0 {
		t.Errorf("Sent: %v allocations", n)
	}
	b := feedback(l.seq-20, 20, 100, 7)
	if n := testing.AllocsPerRun(1000, func() {
		l.est.Feedback(b, l.now)
		l.est.Probe(l.now)
		l.est.Deadline()
	}); n != 0 {
		t.Errorf("Feedback: %v allocations", n)
	}
	if size := unsafe.Sizeof(estimate.Estimator{}); size > 1536 {
		t.Errorf("an estimator takes %d bytes beside its history", size)
	}
}

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
