package main

import (
	"fmt"
	"time"
)

// quiet is what the machine did beside a measurement, in cores: 0.03 is 3 % of one.
type quiet struct {
	Others float64 `json:"others"` // processes that are not the bench's
	Steal  float64 `json:"steal"`  // taken by the host of a virtual machine
	Unseen float64 `json:"unseen"` // busy, and no process that can be seen: other containers
}

// What a line may be disturbed by. Unseen is a difference of two ways to count and has their noise.
const (
	maxDisturbed = 0.03
	maxUnseen    = 0.10
)

// quietBetween compares two looks. pid is the process whose family does not count as others. With steered the soft interrupts are
// the bench's, too, though no process has those that meet an idle core.
func quietBetween(before, after snapshot, pid int, steered bool) quiet {
	d := after.at.Sub(before.at).Seconds()
	if d <= 0 {
		return quiet{}
	}
	own0, others0 := before.used(pid)
	own1, others1 := after.used(pid)
	own, others := own1-own0, others1-others0
	busy := after.times.busy - before.times.busy
	if steered {
		busy -= after.times.soft - before.times.soft
	}
	cores := func(t time.Duration) float64 { return max(0, t.Seconds()/d) }
	return quiet{
		Others: cores(others), Steal: cores(after.times.steal - before.times.steal),
		Unseen: cores(busy - own - max(0, others)),
	}
}

// void tells why a line does not count, "" when it does.
func (q quiet) void() string {
	for _, c := range []struct {
		used, most float64
		by         string
	}{{q.Others, maxDisturbed, "other processes used"}, {q.Steal, maxDisturbed, "the host took"}, {q.Unseen, maxUnseen, "something unseen used"}} {
		if c.used > c.most {
			return fmt.Sprintf("%s %.0f %% of a core", c.by, 100*c.used)
		}
	}
	return ""
}
