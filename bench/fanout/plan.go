package main

import (
	"context"
	"time"
)

// plan says how much is measured.
type plan struct {
	ladder   []int       // viewers of Fanfare
	baseline []int       // of the baseline, which is measured after Fanfare at the same number
	repeated map[int]int // numbers of viewers that are measured more than once, and how often
	floors   []int       // numbers of viewers at which the floor is measured, after Fanfare
	turns    int         // of two cores beside one
	steady   time.Duration
	floor    time.Duration
	// card are viewers of Fanfare where the clients' core does the receiving half of loopback; at the first number the baseline is
	// measured as well.
	card []int

	joins      int       // viewers whose joining is priced
	joinTurns  int       // how often, in turns
	joinRates  []float64 // a second, tried in this order
	joinDuring time.Duration
	burst      time.Duration

	memoryViewers  int
	memoryBaseline int // the baseline's: more than it holds would tell of its distress and not of a viewer's memory
	memoryFor      time.Duration

	coresViewers int // of each core
}

// The two runs: less than twenty-five minutes, and some five.
var (
	whole = plan{
		ladder: []int{10, 50, 100, 200, 400, 600, 800, 1000, 1200}, baseline: []int{50, 100, 200},
		repeated: map[int]int{200: 3, 400: 5}, floors: []int{200, 400}, turns: 3, steady: 8 * time.Second, floor: 4 * time.Second,
		card:  []int{200, 800, 1000, 1200, 1600},
		joins: 200, joinTurns: 3, joinRates: []float64{50, 100, 200, 300, 400, 600, 800, 1200}, joinDuring: 2 * time.Second, burst: 4 * time.Second,
		memoryViewers: 400, memoryBaseline: 200, memoryFor: 60 * time.Second, coresViewers: 200,
	}
	quick = plan{
		ladder: []int{50, 200, 400}, baseline: []int{200},
		floors: []int{200, 400}, turns: 1, steady: 4 * time.Second, floor: 2 * time.Second, card: []int{200, 800},
		joins: 50, joinTurns: 1, joinRates: []float64{100, 200}, joinDuring: 2 * time.Second, burst: 2 * time.Second,
		memoryViewers: 400, memoryFor: 10 * time.Second, coresViewers: 100,
	}
)

// How viewers join: as slowly as in the peers' comparison. On plain loopback even many do within rampWithin, for that ladder ends before
// a second more or less of joining matters.
const (
	rampSlow   = 25.0
	rampWithin = 16 * time.Second
	// overhead is the start and the end of the processes of a line, and the load client's catching up.
	overhead = 6 * time.Second
)

// rampOf is how many viewers join a second.
func rampOf(viewers int, card bool) float64 {
	if card {
		return rampSlow
	}
	return max(rampSlow, float64(viewers)/rampWithin.Seconds())
}

// takes is about how long a line takes.
func takes(viewers int, card bool, steady time.Duration) time.Duration {
	return joining(viewers, rampOf(viewers, card)) + steady + overhead
}

// step is one measurement. run may find that there is nothing to do any more.
type step struct {
	part, name string
	takes      time.Duration
	run        func(context.Context, *results) error
}
