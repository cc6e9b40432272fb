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
	seed := uint64(0)
	for _, rtt := range []time.Duration{20 * ms, 50 * ms, 100 * ms} {
		for _, queue := range []time.Duration{50 * ms, 300 * ms} {
			squeeze(t, lineConfig{
				seed: seed, rate: 10_000_000, queue: queue, rtt: rtt, jitter: 5 * ms, repeats: seed%2 == 1,
			})
			seed++
		}
	}
}

func squeeze(t *testing.T, cfg lineConfig) {
	const squeezed, top = 300_000, 2_600_000
	l := newLine(cfg)
	l.run(10*time.Second, nil)
	if got := l.est.Target(); got < top || !l.est.Proven() {
		t.Errorf("%+v: %d before the squeeze, proven: %v", cfg, got, l.est.Proven())
	}
	l.held = l.now.Add(400 * ms) // a silence of the last hop is no slow line, and does not make blind
	l.run(3*time.Second, nil)
	if got := l.est.Target(); got < need(2) {
		t.Errorf("%+v: %d after a silence", cfg, got)
	}
	l.down.SetRate(squeezed, l.now)
	l.run(2*time.Second, nil)
	if got := l.est.Target(); got >= squeezed || l.est.Proven() {
		t.Errorf("%+v: %d two seconds into the squeeze, proven: %v", cfg, got, l.est.Proven())
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
		{lineConfig{rate: 3_000_000, jitter: 5 * ms, feedbackLoss: 0.2}, 2_100_000, 3_150_000, 2},
		{lineConfig{rate: 3_000_000, jitter: 2 * ms, feedbackLoss: 0.2, followTarget: true}, 2_100_000, 3_150_000, 2},
		{lineConfig{rate: 3_000_000, jitter: 2 * ms, turns: 20 * ms}, 2_100_000, 3_150_000, 2},
		{lineConfig{rate: 3_000_000, jitter: 2 * ms, turns: 50 * ms}, 2_100_000, 3_150_000, 2},
		{lineConfig{rate: 3_000_000, jitter: 5 * ms, repeats: true}, 2_100_000, 3_150_000, 2},
		{lineConfig{rate: 3_000_000, jitter: 5 * ms, overtaking: true}, 2_100_000, 3_150_000, 2},
		{lineConfig{rate: 3_000_000, jitter: 5 * ms, feedback: 50 * ms}, 2_100_000, 3_150_000, 2},
		{lineConfig{rate: 3_000_000, jitter: 5 * ms, feedback: 250 * ms}, 2_100_000, 3_150_000, 2},
		{lineConfig{rate: 1_000_000, jitter: 5 * ms}, 700_000, 1_100_000, 1},
		{lineConfig{rate: 450_000, jitter: 2 * ms}, 315_000, 500_000, 0},
		{lineConfig{rate: 450_000, jitter: 10 * ms}, 315_000, 520_000, 0},
		{lineConfig{rate: 1_000_000, jitter: 10 * ms, loss: 0.02, followTarget: true}, 700_000, 1_100_000, 1},
	}
	for _, test := range tests {
		for seed := range uint64(2) {
			cfg := test.cfg
			cfg.seed, cfg.queue, cfg.rtt = seed, 300*ms, 50*ms
			l := newLine(cfg)
			l.run(10*time.Second, nil)
			low, high, switches := l.est.Target(), l.est.Target(), l.switches
			l.run(20*time.Second, func() {
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

// Near the capacity the rate grows by a packet a round trip, so that the queue is seldom felt.
func TestNearCapacity(t *testing.T) {
	l := newLine(lineConfig{seed: 1, rate: 3_000_000, queue: 300 * ms, rtt: 50 * ms, jitter: 5 * ms, followTarget: true})
	l.run(10*time.Second, nil)
	before := l.est.State().Overuses
	l.run(60*time.Second, nil)
	if n := l.est.State().Overuses - before; n == 0 || n > 20 {
		t.Errorf("overused %d times in a minute", n)
	}
}

// A start far above what the line carries fills its queue before the trend is known: loss ends it.
func TestStandingQueue(t *testing.T) {
	for seed := range uint64(3) {
		l := newLine(lineConfig{seed: seed, rate: 450_000, queue: 300 * ms, rtt: 50 * ms, jitter: 2 * ms})
		l.run(4*time.Second, nil)
		if s := l.est.State(); s.Target > 450_000 || s.Queue > 50*ms {
			t.Errorf("seed %d: %+v", seed, s)
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
	l.layersMax = 1
	l.run(5*time.Second, nil)
	l.loss = 0
	l.run(60*time.Second, nil)
	if s := l.est.State(); s.Target > s.Acked*2 {
		t.Errorf("it grew without evidence once the loss was gone: %+v", s)
	}
	quiet := newLine(lineConfig{seed: 1, rate: 10_000_000, queue: 100 * ms, rtt: 50 * ms, jitter: 2 * ms, loss: 0.05})
	quiet.run(20*time.Second, nil)
	if s := quiet.est.State(); s.Target < need(2) {
		t.Errorf("5 %% of loss: %+v", s)
	}
}

// After a dip the target comes back while the line goes on losing packets at random, where there is but one layer too:
// between a fiftieth and a tenth of loss only a probe can tell that the line carries more.
func TestDipUnderLoss(t *testing.T) {
	for seed := range uint64(10) {
		l := newLine(lineConfig{seed: seed, rate: 10_000_000, queue: 100 * ms, rtt: 150 * ms, jitter: 5 * ms, loss: 0.05})
		l.layersMax = 1
		l.run(10*time.Second, nil)
		if !l.est.Proven() {
			t.Fatalf("seed %d: 5 %% of loss from the beginning: %+v", seed, l.est.State())
		}
		l.loss = 0.3
		l.run(10*time.Second, nil)
		if s := l.est.State(); l.est.Proven() || s.LossBased != s.Target {
			t.Fatalf("seed %d: 30 %% of loss: %+v", seed, s)
		}
		l.loss = 0.05
		l.run(30*time.Second, nil)
		if !l.est.Proven() {
			t.Errorf("seed %d: 5 %% of loss again: %+v", seed, l.est.State())
		}
	}
}

// A line that is too narrow for the only layer, and loses packets at random too, is not taken for a wider one.
func TestNarrowUnderLoss(t *testing.T) {
	for seed := range uint64(10) {
		l := newLine(lineConfig{seed: seed, rate: 140_000, queue: 100 * ms, rtt: 50 * ms, jitter: 5 * ms, loss: 0.04})
		l.layersMax = 1
		l.run(10*time.Second, nil)
		over := 0
		l.run(60*time.Second, func() {
			if l.est.Target() > 160_000 {
				over++
			}
		})
		if over > 3000 {
			t.Errorf("seed %d: above the line for %d ms of 60,000: %+v", seed, over, l.est.State())
		}
	}
}

// What was told lost and came late is not lost; what is told twice, late or never sent is counted.
func TestHistory(t *testing.T) {
	e, now := estimate.New(estimate.Config{}), epoch
	for seq := range uint16(10) {
		e.Sent(seq+65530, 1000, now)
		now = now.Add(ms)
	}
	w := newWriter(65530, 4, 1, 0)
	for _, received := range []bool{true, false, false, true} {
		w.add(received, 70*ms)
	}
	steps := []struct {
		name          string
		feedback      []byte
		after         time.Duration
		lost, unknown uint64
	}{
		{"two lost", w.bytes(), 0, 2, 0},
		{"one of them came late", feedback(65531, 1, 1, 1), ms, 1, 0},
		{"told twice", feedback(65531, 1, 1, 2), ms, 1, 1},
		{"over the wrap, beyond the last", feedback(65534, 7, 1, 3), ms, 1, 2},
		{"too long ago", feedback(65532, 1, 1000, 4), 64 * time.Second, 1, 3},
	}
	for _, step := range steps {
		now = now.Add(step.after)
		e.Feedback(step.feedback, now)
		if s := e.State(); s.Lost != step.lost || s.Unknown != step.unknown || s.Refused != 0 {
			t.Errorf("%s: %+v", step.name, s)
		}
	}
	e.Sent(3, 1000, now)
	e.Sent(6, 1000, now)    // two numbers were passed over
	e.Sent(5, 1000, now)    // not a new number
	e.Sent(9000, 1000, now) // so many that nothing before is known
	e.Feedback(feedback(3, 5, 1000, 5), now.Add(ms))
	e.Feedback(feedback(8990, 11, 1000, 6), now.Add(2*ms))
	if s := e.State(); s.Unknown != 3+5+10 || s.Lost != 1 {
		t.Errorf("skipped numbers: %+v", s)
	}
}

// Next is where packets will be noted, as many as are asked for unless what is kept ends before that.
func TestNext(t *testing.T) {
	const kept = 1024 // packets
	e, now := estimate.New(estimate.Config{}), epoch
	if e.Next(4) != nil {
		t.Error("there is a place before there is a history")
	}
	e.Sent(0, 1000, now)
	for seq := uint16(1); seq < 3*kept; seq += 4 {
		want := min(4, kept-int(seq)%kept)
		next := e.Next(4)
		if len(next) != want || cap(next) != want {
			t.Fatalf("before %d: %d places of %d, want %d", seq, len(next), cap(next), want)
		}
		for i := range uint16(4) {
			now = now.Add(ms)
			size := 1 + int(seq+i)%1200 // another one than a round before
			var before estimate.Slot
			if int(i) < want {
				before = next[i]
			}
			e.Sent(seq+i, size, now)
			if int(i) < want && next[i] == before {
				t.Fatalf("%d was noted somewhere else", seq+i)
			}
		}
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

// A publisher that pauses is no silent line, even when the last of what it sent is lost.
func TestPause(t *testing.T) {
	l := newLine(lineConfig{seed: 1, rate: 10_000_000, queue: 100 * ms, rtt: 50 * ms})
	l.run(5*time.Second, nil)
	before := l.est.State()
	l.paused = true
	l.run(time.Second, nil)
	l.dead = true
	l.packet(80)
	l.run(20*time.Second, nil)
	l.dead = false
	s := l.est.State()
	if s.Target != before.Target || s.Silences != 0 {
		t.Errorf("%+v, then %+v", before, s)
	}
	if at, ok := l.est.Deadline(); ok {
		t.Errorf("something is due %v from now", at.Sub(l.now))
	}
	l.paused, l.frameAt, l.soundAt = false, l.now, l.now
	l.run(5*time.Second, func() {
		if l.est.Target() < need(2) || l.layer != 2 {
			t.Fatalf("after the pause %+v", l.est.State())
		}
	})
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
