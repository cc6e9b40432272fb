package main

import (
	"cmp"
	"fmt"
	"math"
	"time"
)

// Limits of what load takes.
const (
	mostViewers = 100_000
	leastTime   = time.Millisecond
	longestRun  = 7 * 24 * time.Hour
	longestWait = time.Hour
)

// within is a usageError when a flag's value is out of its bounds.
func within[T cmp.Ordered](flag string, value, least, most T) error {
	if value < least || value > most {
		return usageError{fmt.Sprintf("%s is %v; it can be %v to %v", flag, value, least, most)}
	}
	return nil
}

// checkPID: no process has a number below 0, and 0 stands for none.
func checkPID(pid int) error { return within("--pid", pid, 0, math.MaxInt32) }

func (c *loadWhepCmd) check(viewers int) error {
	if err := cmp.Or(
		within("-n", viewers, 0, mostViewers),
		within("--joins", c.Joins, 0, mostViewers),
		within("--for", c.For, leastTime, longestRun),
		within("--settle", c.Settle, 0, longestWait),
		within("--apart", c.Apart, 0, longestWait),
		checkPID(c.PID),
	); err != nil {
		return err
	}
	if viewers+c.Joins == 0 {
		return usageError{"there is nobody to join; give -n or --joins"}
	}
	return nil
}

func (c *loadWhipCmd) check() error {
	return cmp.Or(
		within("-n", c.Publishers, 1, mostPublishers),
		within("--for", c.For, 0, longestRun),
		within("--key-every", c.KeyEvery, 0, longestWait),
		checkPID(c.PID),
	)
}

func (c *loadFilesCmd) check() error {
	return cmp.Or(
		within("-n", c.Receivers, 1, mostReceivers),
		within("--for", c.For, leastTime, longestRun),
		checkPID(c.PID),
	)
}
