package sfu

import (
	"container/heap"
	"time"
)

// deadlines is a worker's heap of viewers, the one that is due first on top. Each viewer
// has exactly one deadline, so that one timer serves all of them. Times lie in the heap itself: with many
// viewers those lie in cold memory.
type deadlines []deadline

type deadline struct {
	due    time.Time
	viewer *viewer
}

// set moves the viewer to a new deadline; it adds one that is not in the heap.
func (d *deadlines) set(v *viewer, at time.Time) {
	if v.inHeap {
		if one := &(*d)[v.heapAt]; !one.due.Equal(at) {
			one.due = at
			heap.Fix(d, v.heapAt)
		}
		return
	}
	v.inHeap = true
	heap.Push(d, deadline{at, v})
}

func (d *deadlines) remove(v *viewer) {
	if v.inHeap {
		heap.Remove(d, v.heapAt)
		v.inHeap = false
	}
}

// Len, Less, Swap, Push and Pop are those of heap.Interface.
func (d deadlines) Len() int           { return len(d) }
func (d deadlines) Less(i, j int) bool { return d[i].due.Before(d[j].due) }
func (d deadlines) Swap(i, j int) {
	d[i], d[j] = d[j], d[i]
	d[i].viewer.heapAt, d[j].viewer.heapAt = i, j
}

func (d *deadlines) Push(x any) {
	one := x.(deadline)
	one.viewer.heapAt = len(*d)
	*d = append(*d, one)
}

func (d *deadlines) Pop() any {
	old := *d
	one := old[len(old)-1]
	old[len(old)-1] = deadline{}
	*d = old[:len(old)-1]
	return one
}

func (w *worker) wait(now time.Time) time.Duration {
	if len(w.deadlines) == 0 {
		return idleWait
	}
	return max(w.deadlines[0].due.Sub(now), 0)
}

// advance does what is due for the viewers at the top of the heap, those that are due as it begins: media waits behind it.
func (w *worker) advance(began time.Time) (now time.Time) {
	now = began
	for i := 1; len(w.deadlines) > 0 && !w.deadlines[0].due.After(began); i++ {
		if i%viewersAMoment == 0 {
			now = time.Now() // a packet sent under an old time looks as if the viewer's line had held it up
		}
		v := w.deadlines[0].viewer
		w.count(v.shard.stream)
		v.leg.Advance(now, &w.out)
		if v.connected && !now.Before(v.nextReport) {
			w.report(v, now)
			v.nextReport = now.Add(reportInterval)
		}
		if !v.paused.IsZero() && !now.Before(v.paused) {
			w.resume(v, now)
		}
		if v.connected {
			w.probe(v, now)
		}
		w.settle(v, now)
	}
	return now
}

// pause ends sending to a viewer until at, because of its pace.
func (w *worker) pause(v *viewer, at, now time.Time) {
	if v.paused.IsZero() || at.Before(v.paused) {
		v.paused = at
		w.schedule(v, now)
	}
}

// resume goes on with the tracks of a viewer that were paced.
func (w *worker) resume(v *viewer, now time.Time) {
	v.paused = time.Time{}
	for i := range v.tracks {
		w.forward(v, &v.tracks[i], now)
	}
}

// schedule sets the viewer's deadline: the first of its leg's, the next report, the end of a pause, and
// what its line wants.
func (w *worker) schedule(v *viewer, now time.Time) {
	at, _, ok := v.leg.Deadline()
	sooner := func(due time.Time, wanted bool) {
		if wanted && (!ok || due.Before(at)) {
			at, ok = due, true
		}
	}
	sooner(v.nextReport, v.connected)
	sooner(v.paused, !v.paused.IsZero())
	sooner(v.lineDeadline())
	if ok {
		// Never now: a deadline that does not move must not keep the worker busy.
		w.deadlines.set(v, later(at, now.Add(time.Millisecond)))
	} else {
		w.deadlines.remove(v)
	}
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}
