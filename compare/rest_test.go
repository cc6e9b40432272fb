package compare

import (
	"context"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fanfare-relay/fanfare/compare/emulate"
	"github.com/fanfare-relay/fanfare/compare/experiment"
	"github.com/fanfare-relay/fanfare/compare/report"
	"github.com/fanfare-relay/fanfare/signalling/overlay"
)

// TestWaitsForTheRest: what queues and repeats make late is waited for and is not lost; a run in which all has come, or nothing comes any more,
// does not wait for it.
func TestWaitsForTheRest(t *testing.T) {
	for name, c := range map[string]arriving{
		"all has come":               {10, 0, 0, 0, look},
		"all comes late":             {0, 10, 0, 10 * lateEvery, 10*lateEvery + look},
		"some is lost":               {6, 0, 4, stillFor, stillFor + look},
		"some is lost and some late": {2, 4, 4, 4*lateEvery + stillFor, 4*lateEvery + stillFor + 2*look},
		"it has had its time":        {0, 30, 9, restAt, restAt + look},
	} {
		synctest.Test(t, func(t *testing.T) {
			r, took := c.watched(t)
			if took < c.least || took > c.until {
				t.Errorf("%s: it waited %v, want %v to %v", name, took, c.least, c.until)
			}
			if r.Viewers[0].Via != string(overlay.Direct) {
				t.Errorf("%s: it was served by %q", name, r.Viewers[0].Via)
			}
			if one := r.Viewers[0]; one.Packets-one.Received < c.lost || name != "it has had its time" && one.Packets-one.Received != c.lost {
				t.Errorf("%s: %d of %d packets have come", name, one.Received, one.Packets)
			}
		})
	}
}

// lateEvery is between parts that are late.
const lateEvery = 100 * time.Millisecond

// arriving is what comes of a second in which parts were sent: 10, or as many as are late and lost.
type arriving struct {
	comes, late  int // parts: at once, and one after another afterwards
	lost         int
	least, until time.Duration // that is waited for it
}

// watched measures that second at a viewer, whom the server takes over afterwards, and how long it waited then.
func (c arriving) watched(t *testing.T) (r report.Sample, took time.Duration) {
	s := handMade()
	v, err := newViewer("v01", s.net.Host(emulate.Line{}), s.run.Point, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	s.viewers["v01"], s.all = v, []*viewer{v}
	s.shows["v01"] = overlay.Source{Via: overlay.Direct}
	begin := time.Now()
	for i := range max(10, c.late+c.lost) {
		s.made = append(s.made, frame{number: uint32(i), made: begin, parts: 1, size: 100})
	}
	come := func(i int) { v.note(part{frame: uint32(i), parts: 1}, make([]byte, 100), time.Now()) }
	for i := range c.comes {
		come(i)
	}
	ctx, stop := context.WithCancel(t.Context())
	var lines sync.WaitGroup
	lines.Go(func() {
		pause(ctx, time.Second+look/2)
		s.mu.Lock() // the planner has it taken over by the server
		s.shows["v01"] = overlay.Source{Via: overlay.Server}
		s.mu.Unlock()
		for i := range c.late {
			if pause(ctx, lateEvery) {
				come(c.comes + i)
			}
		}
	})
	defer lines.Wait()
	defer stop()
	r = s.window(t.Context(), time.Second)
	return r, time.Since(begin) - time.Second
}

// handMade is a stage in which nothing runs.
func handMade() *stage {
	n := emulate.NewNetwork(1)
	return &stage{
		run: experiment.Run{Topology: experiment.Star}, net: n, server: n.Host(emulate.Line{}), uploader: n.Host(emulate.Line{}),
		planner: overlay.NewPlanner(), source: newSource(1),
		viewers: map[string]*viewer{}, shows: map[string]overlay.Source{}, silent: map[string]bool{},
	}
}

// TestGapAfterTheWindow: a frame that comes late is no gap where newer ones came meanwhile.
func TestGapAfterTheWindow(t *testing.T) {
	begin := time.Now()
	v, err := newViewer("v01", nil, experiment.Point{}, begin)
	if err != nil {
		t.Fatal(err)
	}
	const each = 40 * time.Millisecond
	var made []frame
	for i := range 20 {
		f := frame{number: uint32(i), made: begin.Add(time.Duration(i) * each), parts: 1, size: 100}
		made = append(made, f)
		at := f.made.Add(each)
		if i == 9 {
			at = at.Add(time.Second)
		}
		v.note(part{frame: f.number, parts: 1}, make([]byte, 100), at)
	}
	r := v.result(begin, begin.Add(10*each), made)
	if r.GapMS != milliseconds(2*each) || r.Frames != 10 || r.WholeFrames != 10 {
		t.Errorf("%v ms without a frame, %d of %d frames", r.GapMS, r.WholeFrames, r.Frames)
	}
}
