package compare

import (
	"context"
	"sync"
	"time"

	"github.com/fanfare-relay/fanfare/compare/experiment"
	"github.com/fanfare-relay/fanfare/compare/report"
)

// besideShare is how much of the machine runs side by side may take, as calibration has it: little enough that none waits for another.
const besideShare = 0.25

// SideBySide parts a plan into batches. The topologies of one point and repeat are measured in the same seconds as far as they leave
// most of the machine free: what disturbs one then disturbs all, and there is time for more repeats. Files, runs with a process for
// each role, and a star that is more than the uploader's line carries are alone; without a calibration everything is.
func SideBySide(plan []Planned, c *report.Calibration) (batches [][]Planned) {
	open, taken := -1, 0.0 // the batch that others may join
	for _, p := range plan {
		if c == nil || !quiet(p.Run) {
			batches = append(batches, []Planned{p})
			continue
		}
		cores := Cores(*c, p.Run)
		if open < 0 || !samePoint(batches[open][0].Run, p.Run) || taken+cores > besideShare*float64(c.Processors) {
			open, taken = len(batches), 0
			batches = append(batches, nil)
		}
		batches[open], taken = append(batches[open], p), taken+cores
	}
	return batches
}

// samePoint tells whether two runs are of one point and repeat.
func samePoint(a, b experiment.Run) bool {
	a.Topology = b.Topology
	return a == b
}

// quiet tells whether a run takes what calibration says and no more, so that it may have neighbours.
func quiet(r experiment.Run) bool {
	return !r.Topology.OfFiles() && !r.OwnProcesses && !r.Overloads()
}

// Outcome is what has become of a run. Where Err is one, the sample says nothing.
type Outcome struct {
	Sample report.Sample
	Err    error
}

// Together carries out a batch; the outcomes have its order. All measure from when everybody in all of them has a place, or none can get
// one any more.
func (r *Runner) Together(ctx context.Context, batch []Planned) []Outcome {
	list := make([]Outcome, len(batch))
	m := newMeeting(len(batch))
	var tasks sync.WaitGroup
	for i, p := range batch {
		tasks.Go(func() {
			come := sync.OnceFunc(m.come)
			defer come() // a run that failed keeps nobody waiting
			begun := time.Now().UTC()
			sample, err := r.measure(ctx, p, func(ctx context.Context) { come(); m.wait(ctx) })
			if err != nil {
				sample = report.Sample{Run: p.Run, Started: begun}
			}
			sample.Beside = len(batch) - 1
			list[i] = Outcome{sample, err}
		})
	}
	tasks.Wait()
	return list
}

// meeting lets several wait for each other.
type meeting struct {
	mu      sync.Mutex
	missing int
	all     chan struct{}
}

func newMeeting(n int) *meeting { return &meeting{missing: n, all: make(chan struct{})} }

func (m *meeting) come() {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.missing--; m.missing == 0 {
		close(m.all)
	}
}

func (m *meeting) wait(ctx context.Context) {
	select {
	case <-m.all:
	case <-ctx.Done():
	}
}
