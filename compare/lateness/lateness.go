// Package lateness looks how late the timers of this machine are while something is measured: what a busy machine does to a
// measurement shows there first. It judges nothing.
package lateness

import (
	"context"
	"sync"
	"time"

	"github.com/fanfare-relay/fanfare/compare/stats"
)

const every = 5 * time.Millisecond

// Probe looks until it is stopped.
type Probe struct {
	stop  context.CancelFunc
	ended sync.WaitGroup
	late  []float64
}

// Start begins to look.
func Start() *Probe {
	ctx, stop := context.WithCancel(context.Background())
	p := &Probe{stop: stop}
	p.ended.Go(func() { p.look(ctx) })
	return p
}

func (p *Probe) look(ctx context.Context) {
	timer := time.NewTimer(every)
	defer timer.Stop()
	for {
		due := time.Now().Add(every)
		timer.Reset(every)
		select {
		case <-timer.C:
			p.late = append(p.late, float64(time.Since(due))/float64(time.Millisecond))
		case <-ctx.Done():
			return
		}
	}
}

// Stop ends it and returns the 99th percentile, in milliseconds; 0 when no timer has fired yet.
func (p *Probe) Stop() float64 {
	p.stop()
	p.ended.Wait()
	return stats.Quantile(append(p.late, 0), 0.99)
}
