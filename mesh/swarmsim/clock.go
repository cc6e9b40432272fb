package swarmsim

import (
	"container/heap"
	"time"
)

// clock is virtual time: what is due first runs first, in the order of asking among equals.
type clock struct {
	now   time.Time
	queue events
	asked int
}

type event struct {
	at    time.Time
	order int
	run   func()
}

// after has run called when d has passed.
func (c *clock) after(d time.Duration, run func()) {
	c.asked++
	heap.Push(&c.queue, event{c.now.Add(max(0, d)), c.asked, run})
}

// step runs what is due next; it returns false when there is nothing, or not before the end.
func (c *clock) step(end time.Time) bool {
	if len(c.queue) == 0 || c.queue[0].at.After(end) {
		return false
	}
	next := heap.Pop(&c.queue).(event)
	c.now = next.at
	next.run()
	return true
}

type events []event

func (e events) Len() int { return len(e) }
func (e events) Less(i, j int) bool {
	if !e[i].at.Equal(e[j].at) {
		return e[i].at.Before(e[j].at)
	}
	return e[i].order < e[j].order
}
func (e events) Swap(i, j int) { e[i], e[j] = e[j], e[i] }
func (e *events) Push(x any)   { *e = append(*e, x.(event)) }
func (e *events) Pop() any {
	old := *e
	last := old[len(old)-1]
	old[len(old)-1] = event{}
	*e = old[:len(old)-1]
	return last
}
