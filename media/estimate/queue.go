package estimate

import (
	"math"
	"time"
)

// baseWindow is how long the least delay counts, at least: longer than a queue stands, shorter
// than two clocks drift apart by much.
const baseWindow = 30_000_000

// standing is the wait from which loss is a full queue's.
const standing = 50 * time.Millisecond

// collapseWait is the wait from which the line may have collapsed: more than the burst of a key
// frame makes on a line that carries the stream.
const collapseWait = 150 * time.Millisecond

// queue measures how long packets wait on the way: their one-way delay above its least of late. A
// trend sees a queue grow; it does not see one that stays full.
type queue struct {
	begun         bool
	least, before int64 // of this window and the last
	turned        int64 // when this window began
	lowest        int64 // since the last call of wait
}

func newQueue() queue { return queue{lowest: math.MaxInt64} }

func (q *queue) add(sent, arrival int64) {
	delay := arrival - sent
	switch {
	case !q.begun:
		q.begun, q.least, q.before, q.turned = true, delay, delay, sent
	case sent-q.turned > baseWindow:
		q.before, q.least, q.turned = q.least, delay, sent
	}
	q.least = min(q.least, delay)
	q.lowest = min(q.lowest, delay)
}

// wait returns what every packet since the last call waited at least.
func (q *queue) wait() time.Duration {
	lowest := q.lowest
	q.lowest = math.MaxInt64
	if lowest == math.MaxInt64 {
		return 0
	}
	return time.Duration(lowest-min(q.least, q.before)) * time.Microsecond
}
