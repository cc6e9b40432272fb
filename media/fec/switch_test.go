package fec_test

import (
	"slices"
	"testing"
	"time"

	"github.com/fanfare-relay/fanfare/media/fec"
)

func TestSwitch(t *testing.T) {
	const ms = time.Millisecond
	for name, c := range map[string]struct {
		rtt  time.Duration
		loss []float64 // one report a second
		want []int
	}{
		"no loss":               {300 * ms, []float64{0, 0.001}, []int{0, 0}},
		"asking is soon enough": {70 * ms, []float64{0.05, 0.1}, []int{0, 0}},
		"asking once is":        {100 * ms, []float64{0.02, 0.05, 0.02}, []int{0, 5, 7}},
		"not known yet":         {0, []float64{0.1}, []int{0}},
		"a little":              {150 * ms, []float64{0.01, 0.01}, []int{10, 10}},
		"more":                  {150 * ms, []float64{0.05, 0.1, 0.5}, []int{5, 3, 3}},
		"falls slowly":          {150 * ms, []float64{0.08, 0.04, 0.04}, []int{3, 4, 4}},
		"ends after quiet":      {150 * ms, append([]float64{0.02}, make([]float64, 30)...), append(slices.Repeat([]int{10}, 23), 0)},
	} {
		t.Run(name, func(t *testing.T) {
			var s fec.Switch
			if s.Plan() != (fec.Plan{}) {
				t.Error("on from the beginning")
			}
			for i, want := range c.want {
				s.Observe(c.loss[i], c.rtt, epoch.Add(time.Duration(i)*time.Second))
				if got := s.Plan().Size; got != want {
					t.Errorf("report %d: one for %d packets, want %d", i, got, want)
				}
			}
		})
	}
}

// Small frames wait for others as long as the line leaves time for it.
func TestPatience(t *testing.T) {
	const ms = time.Millisecond
	for rtt, want := range map[time.Duration]time.Duration{130 * ms: 100 * ms, 200 * ms: 85 * ms, 300 * ms: 35 * ms, 600 * ms: 0} {
		var s fec.Switch
		s.Observe(0.05, rtt, epoch)
		if got := s.Plan().Patience; got != want {
			t.Errorf("%v: %v, want %v", rtt, got, want)
		}
	}
}
