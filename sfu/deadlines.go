package sfu

import (
	"container/heap"
	"time"
)

// deadlines is a worker's heap of viewers, the one that is due first on top. Each viewer
// has exactly one deadline, so that one timer serves all of them.
type deadlines []*viewer

// set moves the viewer to a new deadline; it adds one that is not in the heap.
func (d *deadlines) set(v *viewer, at time.Time) {
	if v.inHeap {
		if !v.due.Equal(at) {
			v.due = at
			heap.Fix(d, v.heapAt)
		}
		return
	}
	v.due, v.inHeap = at, true
	heap.Push(d, v)
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
	d[i].heapAt, d[j].heapAt = i, j
}

func (d *deadlines) Push(x any) {
	v := x.(*viewer)
	v.heapAt = len(*d)
	*d = append(*d, v)
}

func (d *deadlines) Pop() any {
	old := *d
	v := old[len(old)-1]
	old[len(old)-1] = nil
	*d = old[:len(old)-1]
	return v
}
