package swarmsim_test

import (
	"errors"
	"testing"
	"time"

	"github.com/fanfare-relay/fanfare/mesh/swarmsim"
)

func run(t *testing.T, cfg swarmsim.Config) swarmsim.Result {
	t.Helper()
	r, err := swarmsim.Run(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// Whatever happens, those who stay have everything in the end.
func TestStories(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func(*swarmsim.Config)
	}{
		{"a fast uploader leaves at 1.05 copies", func(c *swarmsim.Config) { c.UploaderUp, c.LeaveAt = 40*megabit, 1.05 }},
		{"the uploader leaves as soon as one copy is out", func(c *swarmsim.Config) { c.LeaveAt = 1 }},
		{"half of the receivers are bad", func(c *swarmsim.Config) { c.Bad = 5 }},
		{"three of six are bad", func(c *swarmsim.Config) { c.Receivers, c.Bad = 6, 3 }},
		{"some come late, some leave", func(c *swarmsim.Config) { c.Churn = 0.3 }},
		{"some come late, some leave, some are bad", func(c *swarmsim.Config) { c.Churn, c.Bad = 0.3, 2 }},
		{"a line of its own for each", func(c *swarmsim.Config) { c.Down, c.Uplinks = 20*megabit, []float64{1 * megabit, 5 * megabit} }},
		{"one receiver", func(c *swarmsim.Config) { c.Receivers = 1 }},
		{"one piece", func(c *swarmsim.Config) { c.Piece = c.Size }},
		{"less than a leaf", func(c *swarmsim.Config) { c.Size, c.Piece = 100, 64<<10 }},
		{"far away", func(c *swarmsim.Config) { c.Delay = 300 * time.Millisecond }},
		{"62 bad ones", func(c *swarmsim.Config) { c.Receivers, c.Bad, c.Size = 63, 62, 2e6 }},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			for seed := range uint64(3) {
				cfg := base(10)
				cfg.Size, cfg.Seed = 10e6, seed
				c.change(&cfg)
				if r := run(t, cfg); r.Finished != r.Expected || r.BadLeaves != min(1, cfg.Bad) {
					t.Errorf("seed %d: %+v", seed, r)
				}
			}
		})
	}
}

// Receivers that take their time before they ask for anything cost nothing: before each leaf went out once
// none goes out twice, and all have everything when the uploader leaves at one copy.
func TestReceiversTakeTheirTime(t *testing.T) {
	t.Parallel()
	for _, receivers := range []int{2, 5, 10} {
		cfg := base(receivers)
		cfg.Size, cfg.Accept, cfg.LeaveAt = 20e6, 20*time.Second, 1
		if r := run(t, cfg); r.Finished != r.Expected || r.Repeats > 0 {
			t.Errorf("%d receivers: %+v", receivers, r)
		}
	}
}

func TestEqualSeedsGiveEqualRuns(t *testing.T) {
	cfg := base(10, 2, 10, 40)
	cfg.Size, cfg.Churn, cfg.Bad = 10e6, 0.2, 2
	a, b := run(t, cfg), run(t, cfg)
	if a != b {
		t.Errorf("%+v\n%+v", a, b)
	}
	cfg.Seed++
	if c := run(t, cfg); a == c {
		t.Errorf("another seed gives the same: %+v", c)
	}
}

// The bound is that of Kumar and Ross.
func TestBound(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func(*swarmsim.Config)
		want   time.Duration
	}{
		{"the uploader's line", func(*swarmsim.Config) {}, 80 * time.Second},
		{"a receiver's line", func(c *swarmsim.Config) { c.Down = 5 * megabit }, 160 * time.Second},
		{"all uplinks together", func(c *swarmsim.Config) { c.Uplinks, c.UploaderUp = []float64{2 * megabit}, 30*megabit }, 160 * time.Second},
	} {
		cfg := base(10)
		c.change(&cfg)
		if got := cfg.Bound(); got != c.want {
			t.Errorf("%s: %v, not %v", c.name, got, c.want)
		}
	}
}

// Nothing is faster than the bound, and the policies are worth what they are said to be, by the mean of runs.
func TestPolicies(t *testing.T) {
	t.Parallel()
	const runs = 4
	last := 2.0
	for _, p := range []swarmsim.Policy{swarmsim.UniqueFirst, swarmsim.RarestFirst, swarmsim.Sequential, swarmsim.Copies} {
		cfg := base(10)
		cfg.Policy, cfg.Size, cfg.Piece = p, 50e6, 125e3
		e := 0.0
		for range runs {
			cfg.Seed++
			of := run(t, cfg).Efficiency()
			if of > 1 {
				t.Errorf("policy %d: %.3f of the bound", p, of)
			}
			e += of / runs
		}
		if e >= last || e < 0.09 {
			t.Errorf("policy %d: %.3f after %.3f", p, e, last)
		} else {
			last = e
		}
	}
}

func TestWrongConfigurations(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func(*swarmsim.Config)
		want   error
	}{
		{"nobody", func(c *swarmsim.Config) { c.Receivers = 0 }, swarmsim.ErrReceivers},
		{"too many", func(c *swarmsim.Config) { c.Receivers = 64 }, swarmsim.ErrReceivers},
		{"no line", func(c *swarmsim.Config) { c.Uplinks = nil }, swarmsim.ErrRate},
		{"a line of nothing", func(c *swarmsim.Config) { c.Uplinks = []float64{0} }, swarmsim.ErrRate},
		{"nothing to send", func(c *swarmsim.Config) { c.Size = 0 }, swarmsim.ErrRate},
		{"all are bad", func(c *swarmsim.Config) { c.Bad = 10 }, swarmsim.ErrNobody},
		{"all leave", func(c *swarmsim.Config) { c.Churn = 1 }, swarmsim.ErrNobody},
	} {
		cfg := base(10)
		c.change(&cfg)
		if _, err := swarmsim.Run(cfg); !errors.Is(err, c.want) {
			t.Errorf("%s: %v", c.name, err)
		}
	}
}
