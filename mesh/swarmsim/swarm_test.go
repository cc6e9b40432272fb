package swarmsim_test

import (
	"testing"
	"time"

	"github.com/fanfare-relay/fanfare/mesh/swarmsim"
)

const megabit = 1e6

// base is 100 MB in 400 pieces over uplinks of 10 Mbit/s, 75 ms from a piece's last byte to the
// first byte passed on.
func base(receivers int, uplinks ...float64) swarmsim.Config {
	cfg := swarmsim.Config{
		Receivers: receivers, Size: 100e6, Piece: 250e3, Leaf: 64 << 10,
		UploaderUp: 10 * megabit, Uplinks: []float64{10 * megabit}, Delay: 25 * time.Millisecond, Neighbours: 8, Seed: 1,
	}
	if len(uplinks) > 0 {
		cfg.Uplinks = nil
	}
	for _, up := range uplinks {
		cfg.Uplinks = append(cfg.Uplinks, up*megabit)
	}
	return cfg
}

// The figures that the product promises, docs/adr/0015.
func TestEfficiency(t *testing.T) {
	for _, c := range []struct {
		name  string
		cfg   swarmsim.Config
		least float64
		most  float64 // copies that the uploader sends
		seeds uint64
		cuts  []int64 // pieces
	}{
		{"2 receivers", base(2), 0.98, 1.10, 3, []int64{400, 512}},
		{"10 receivers", base(10), 0.98, 1.10, 3, []int64{400, 512}},
		{"50 receivers", base(50), 0.96, 1.10, 1, []int64{400}},
		{"10 receivers, unequal", base(10, 2, 10, 40), 0.95, 1.10, 2, []int64{400, 512}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			for _, pieces := range c.cuts {
				for seed := range c.seeds {
					cfg := c.cfg
					cfg.Seed, cfg.Piece = seed, (cfg.Size+pieces-1)/pieces
					r := run(t, cfg)
					if r.Efficiency() < c.least || r.Copies > c.most || r.Repeats > 0 {
						t.Errorf("%d pieces, seed %d: %.1f %% of the bound, %.3f copies, %d leaves sent twice before all went out", pieces, seed, 100*r.Efficiency(), r.Copies, r.Repeats)
					}
				}
			}
		})
	}
}
