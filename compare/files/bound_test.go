//go:build !race

package files

import (
	"fmt"
	"slices"
	"testing"
	"testing/synctest"

	"github.com/fanfare-relay/fanfare/compare/experiment"
)

// TestSwarmAgainstBound: real peers, who are told what they may send, reach the least possible time within a twelfth; copies take as many
// times as long as there are receivers, and HTTP its two legs. Peers that are not told find out what their line carries: the four of
// them, who reached 0.62 of the bound of the whole line before they did, come near those that are told 80 % of it (docs/adr/0026). Time is
// virtual here, so that the machine has no part in it; keys are drawn anew each time, and with them who passes on what, which
// of those who find out by themselves moves a single run by a tenth.
func TestSwarmAgainstBound(t *testing.T) {
	if _, err := site(); err != nil { // is made once, outside
		t.Fatal(err)
	}
	for _, c := range []struct {
		topology    experiment.Topology
		viewers     int
		mib, told   float64
		runs        int
		least, most float64 // of bound ÷ time of the last, in the median of the runs
	}{
		{experiment.Swarm, 2, 32, 80, 1, 0.92, 1},
		{experiment.Swarm, 4, 8, 0, 3, 0.68, 1},
		{experiment.Copies, 4, 2, 80, 1, 0.22, 0.26},
		{experiment.HTTP, 8, 16, 80, 1, 0.75, 0.84},
	} {
		t.Run(fmt.Sprint(c.topology, c.viewers, " told ", c.told), func(t *testing.T) {
			var shares []float64
			for range c.runs {
				synctest.Test(t, func(t *testing.T) {
					shares = append(shares, shareOfBound(t, experiment.Run{Topology: c.topology, Seed: 1, Point: experiment.Point{
						Viewers: c.viewers, RoundTripMS: 50, LossBurst: 1, UplinkMbit: 20, DownlinkMbit: 100, FileMiB: c.mib, ToldPercent: c.told,
					}}))
				})
			}
			slices.Sort(shares)
			if share := shares[len(shares)/2]; share < c.least || share > c.most {
				t.Errorf("%.3f of the bound, not %.2f to %.2f", share, c.least, c.most)
			}
		})
	}
}

// shareOfBound makes a run, and returns the least possible time by that of the last receiver.
func shareOfBound(t *testing.T, run experiment.Run) float64 {
	r, err := Measure(t.Context(), run)
	if err != nil {
		t.Fatal(err)
	}
	if r.Problem != "" {
		t.Error(r.Problem)
	}
	last := 0.0
	for _, one := range r.Receivers {
		last = max(last, one.Seconds)
	}
	share := r.BoundSeconds / last
	t.Logf("the bound is %.2f s, the last of %d had it after %.2f s: %.3f; %.2f copies", r.BoundSeconds, run.Point.Viewers, last, share, r.CopiesSent)
	t.Logf("on the lines: %.1f MB of the uploader, %.1f MB passed on", r.UploaderMB, r.PassedOnMB)
	return share
}
