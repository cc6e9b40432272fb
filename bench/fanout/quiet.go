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

// quietBetween compares two looks. pid is the process whose family does not count as others.
func quietBetween(before, after snapshot, pid int) quiet {
	d := after.at.Sub(before.at).Seconds()
	if d <= 0 {
		return quiet{}
	}
	own0, others0 := before.used(pid)
	own1, others1 := after.used(pid)
	own, others := own1-own0, others1-others0
	cores := func(t time.Duration) float64 { return max(0, t.Seconds()/d) }
	return quiet{
		Others: cores(others), Steal: cores(after.times.steal - before.times.steal),
		Unseen: cores(after.times.busy - before.times.busy - own - max(0, others)),
	}
}

// unseenOn is what a core was busy with beside the one process that runs on it, in cores. Where the other core does the receiving half
// of loopback, this is all that can be told: soft interrupts that meet an idle core are no process's.
func unseenOn(core, pid int, before, after snapshot) float64 {
	d := after.at.Sub(before.at).Seconds()
	if d <= 0 || core >= len(before.cores) || core >= len(after.cores) {
		return 0
	}
	own := after.processes[pid].cpu - before.processes[pid].cpu
	return max(0, (after.cores[core].busy-before.cores[core].busy-own).Seconds()/d)
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
