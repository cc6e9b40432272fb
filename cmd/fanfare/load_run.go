package main

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/fanfare-relay/fanfare/endpoint"
)

// loadClient is a client that can be many viewers.
type loadClient interface {
	// join lets one viewer join and returns when it has its first whole key frame; then it stays until leave. stays tells that
	// it is one of those whose figures count.
	join(ctx context.Context, stays bool) (timing endpoint.Timing, leave func(), err error)
	// tally adds up the viewers that stay.
	tally() tally
	// close ends all sessions.
	close()
}

// tally are the figures of all viewers that stay.
type tally struct {
	client                         string
	received, lost, repeats, bytes uint64
	asked, frames, fewest, plis    uint64
	gone                           int // sessions that stood and went away
	waits                          uint64
	verified, forged, overflowed   uint64
	reads, taken                   uint64
}

// loader runs the viewers.
type loader struct {
	loadClient
	meter, self meter
	status      *status
	delays      delayHistogram

	mu      sync.Mutex
	begun   int
	timings []endpoint.Timing
	failed  []error
}

// joinTimeout is when a join without a whole key frame counts as failed. The light client does not count the time for which a
// busy server asked.
const joinTimeout = 15 * time.Second

// run is the whole measurement: ramp, steady time, joins.
func (l *loader) run(ctx context.Context, viewers int, c *loadWhepCmd) (loadReport, error) {
	defer l.loadClient.close()
	r := loadReport{Viewers: viewers}
	start, err := l.meter.read()
	if err != nil {
		return r, err
	}
	if l.meter.on {
		r.Server = &serverReport{RSSStart: start.rss}
	}
	stop := l.status.every(time.Second, l.line)
	defer stop()
	if viewers > 0 {
		l.ramp(ctx, viewers, c.Ramp.gap())
		switch {
		case len(l.timings) == 0 && ctx.Err() != nil:
			return r, ctx.Err()
		case len(l.timings) == 0:
			return r, l.failed[0]
		}
		if err := l.steady(ctx, c, start, &r); err != nil {
			return r, err
		}
	}
	if c.Joins > 0 {
		l.joins(ctx, c.Joins, c.Apart, &r)
	}
	r.Interrupted = ctx.Err() != nil
	if r.Interrupted && len(l.timings) == 0 && r.SingleJoins == nil {
		return r, ctx.Err()
	}
	r.Failed = len(l.failed)
	if r.Failed > 0 {
		r.FirstError = l.failed[0].Error()
	}
	if r.Failed == viewers+c.Joins {
		return r, l.failed[0]
	}
	return r, nil
}

// ramp starts the viewers that stay, and waits until each has its first key frame or has failed, or ctx ends.
func (l *loader) ramp(ctx context.Context, n int, gap time.Duration) {
	var joined sync.WaitGroup
	defer joined.Wait()
	begin := time.Now()
	for i := range n {
		if !pause(ctx, time.Until(begin.Add(time.Duration(i)*gap))) {
			return
		}
		joined.Go(func() {
			timing, _, err := l.one(ctx, true)
			if err == nil || ctx.Err() == nil { // who is interrupted has not failed
				l.note(timing, err)
			}
		})
	}
}

// one lets a viewer join.
func (l *loader) one(ctx context.Context, stays bool) (endpoint.Timing, func(), error) {
	l.mu.Lock()
	l.begun++
	l.mu.Unlock()
	return l.join(ctx, stays)
}

func (l *loader) note(t endpoint.Timing, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if err != nil {
		l.failed = append(l.failed, err)
		return
	}
	l.timings = append(l.timings, t)
}

// steady lets the viewers stay and measures meanwhile.
func (l *loader) steady(ctx context.Context, c *loadWhepCmd, start reading, r *loadReport) error {
	pause(ctx, c.Settle)
	before, err := l.meter.read()
	if err != nil {
		return err
	}
	ownBefore, _ := l.self.read()
	first := l.tally()
	l.delays.reset()
	begin := time.Now()
	r.AllGone = l.watch(ctx, c.For) // what ends before its time is reported up to there
	r.Seconds = time.Since(begin).Seconds()
	after, err := l.meter.read()
	if err != nil { // its process has ended: what the viewers saw remains
		r.Server, r.FirstError = nil, err.Error()
	}
	ownAfter, _ := l.self.read()
	r.fill(first, l.tally(), l.timings, &l.delays)
	if r.Server != nil {
		r.Server.fill(start, before, after, r.Connected, r.PacketsSteady)
	}
	if l.self.on {
		r.Own.fill(ownBefore, ownAfter)
	}
	return nil
}

// watch lets time pass while somebody watches; true when nobody does any more.
func (l *loader) watch(ctx context.Context, d time.Duration) (gone bool) {
	const look = 200 * time.Millisecond
	for end := time.Now().Add(d); ; {
		left := time.Until(end)
		if l.tally().gone >= len(l.timings) {
			return true
		}
		if left <= 0 || !pause(ctx, min(look, left)) {
			return false
		}
	}
}

// joins lets viewers join one after another; each leaves with its first key frame.
func (l *loader) joins(ctx context.Context, n int, apart time.Duration, r *loadReport) {
	var timings []endpoint.Timing
	next := time.Now()
	for range n {
		t, leave, err := l.one(ctx, false)
		if ctx.Err() != nil {
			if err == nil {
				leave()
			}
			break
		}
		if err != nil {
			l.failed = append(l.failed, err)
		} else {
			timings = append(timings, t)
			leave()
		}
		next = next.Add(apart)
		if !pause(ctx, time.Until(next)) {
			break
		}
	}
	if len(timings) > 0 || ctx.Err() == nil {
		j := joinsOf(timings)
		r.SingleJoins = &j
	}
}

// pause waits; it tells false when ctx ended before.
func pause(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}

func (l *loader) line() string {
	l.mu.Lock()
	up, begun, failed := len(l.timings), l.begun, len(l.failed)
	l.mu.Unlock()
	return fmt.Sprintf("%d of %d viewers have a picture, %d failed, %d packets", up, begun, failed, l.tally().received)
}
