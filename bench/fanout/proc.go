package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// tick is the unit of times in /proc: USER_HZ is 100 on every architecture that Go runs on.
const tick = 10 * time.Millisecond

var errFormat = errors.New("its format is not known")

// machineTimes is a line of /proc/stat, in processor time of one core or of all together.
type machineTimes struct {
	busy  time.Duration // all but idle, waiting for disks, and steal
	steal time.Duration // taken by the host
}

// parseStat reads a line of /proc/stat (proc(5)): "cpu" for all cores together, "cpu1" for one of them.
func parseStat(b []byte, name string) (machineTimes, error) {
	var f []string
	for line := range strings.Lines(string(b)) {
		if f = strings.Fields(line); len(f) > 0 && f[0] == name {
			break
		}
	}
	if len(f) < 9 || f[0] != name {
		return machineTimes{}, fmt.Errorf("/proc/stat: %w", errFormat)
	}
	var n [9]time.Duration
	for i := 1; i < 9; i++ {
		v, err := strconv.ParseInt(f[i], 10, 64)
		if err != nil {
			return machineTimes{}, fmt.Errorf("/proc/stat: %w", errFormat)
		}
		n[i] = time.Duration(v) * tick
	}
	return machineTimes{busy: n[1] + n[2] + n[3] + n[6] + n[7], steal: n[8]}, nil
}

// watchCore tells how busy a core was for d, beginning after a pause. It tells 0 where ctx ends before, and where there is not just one.
func watchCore(ctx context.Context, cores []int, after, d time.Duration) <-chan float64 {
	told := make(chan float64, 1)
	go func() {
		defer close(told)
		if len(cores) != 1 || pause(ctx, after) != nil {
			return
		}
		core := cores[0]
		t0, from, err := coreBusy(core)
		if err != nil || pause(ctx, d) != nil {
			return
		}
		if t1, to, err := coreBusy(core); err == nil {
			told <- (to - from).Seconds() / t1.Sub(t0).Seconds()
		}
	}()
	return told
}

func coreBusy(core int) (at time.Time, busy time.Duration, err error) {
	b, err := os.ReadFile("/proc/stat")
	if err != nil {
		return at, 0, err
	}
	t, err := parseStat(b, fmt.Sprintf("cpu%d", core))
	return time.Now(), t.busy, err
}

// process is what /proc/PID/stat tells of one.
type process struct {
	pid, parent int
	name        string
	kernel      bool          // a thread of the kernel
	cpu         time.Duration // its own
	children    time.Duration // of its children that have ended and were waited for
}

// kernelThread is PF_KTHREAD of the flags.
const kernelThread = 0x00200000

// parseProcess reads a line of /proc/PID/stat. The name, field 2, stands in brackets and may hold anything.
func parseProcess(b []byte) (process, error) {
	open, end := bytes.IndexByte(b, '('), bytes.LastIndexByte(b, ')')
	if open < 1 || end < open {
		return process{}, errFormat
	}
	f := strings.Fields(string(b[end+1:]))
	if len(f) < 15 {
		return process{}, errFormat
	}
	pid, err := strconv.Atoi(strings.TrimSpace(string(b[:open])))
	if err != nil {
		return process{}, errFormat
	}
	var n [18]int64 // by the numbers of proc(5): 4 parent, 9 flags, 14 and 15 own times, 16 and 17 those of children
	for _, i := range []int{4, 9, 14, 15, 16, 17} {
		if n[i], err = strconv.ParseInt(f[i-3], 10, 64); err != nil {
			return process{}, errFormat
		}
	}
	return process{
		pid: pid, parent: int(n[4]), name: string(b[open+1 : end]), kernel: n[9]&kernelThread != 0,
		cpu: time.Duration(n[14]+n[15]) * tick, children: time.Duration(n[16]+n[17]) * tick,
	}, nil
}

// snapshot is the machine at one time.
type snapshot struct {
	at        time.Time
	times     machineTimes
	cores     []machineTimes // by number
	processes map[int]process
}

// look reads /proc. Processes that end meanwhile are left out: what they used is then their parents'.
func look() (snapshot, error) {
	b, err := os.ReadFile("/proc/stat")
	if err != nil {
		return snapshot{}, err
	}
	s := snapshot{processes: map[int]process{}}
	if s.times, err = parseStat(b, "cpu"); err != nil {
		return s, err
	}
	for core, err := parseStat(b, "cpu0"); err == nil; core, err = parseStat(b, fmt.Sprintf("cpu%d", len(s.cores))) {
		s.cores = append(s.cores, core)
	}
	entries, err := os.ReadDir("/proc")
	if err != nil {
		return s, err
	}
	for _, e := range entries {
		if _, err := strconv.Atoi(e.Name()); err != nil {
			continue
		}
		if b, err := os.ReadFile("/proc/" + e.Name() + "/stat"); err == nil {
			if p, err := parseProcess(b); err == nil {
				s.processes[p.pid] = p
			}
		}
	}
	s.at = time.Now()
	return s, nil
}

// family is a process and all that descend from it.
func (s snapshot) family(pid int) map[int]bool {
	own := map[int]bool{pid: true}
	for grown := true; grown; {
		grown = false
		for _, p := range s.processes {
			if own[p.parent] && !own[p.pid] {
				own[p.pid], grown = true, true
			}
		}
	}
	return own
}

// used adds up the processor time of all processes but the kernel's, once for the family of pid and once for the others. What
// ended children used is with their parents, so nothing that ends between two looks is lost.
func (s snapshot) used(pid int) (own, others time.Duration) {
	family := s.family(pid)
	for _, p := range s.processes {
		switch {
		case p.kernel:
		case family[p.pid]:
			own += p.cpu + p.children
		default:
			others += p.cpu + p.children
		}
	}
	return own, others
}

// cpuOf is the processor time of a process so far, to the nanosecond: what its threads have run by their schedstat files. Those of
// Go hardly ever end.
func cpuOf(pid int) (sum time.Duration, err error) {
	files, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/schedstat", pid))
	if err != nil || len(files) == 0 {
		return 0, fmt.Errorf("process %d: %w", pid, os.ErrNotExist)
	}
	for _, file := range files {
		b, err := os.ReadFile(file)
		if err != nil {
			continue // the thread has ended
		}
		ran, err := parseSchedstat(b)
		if err != nil {
			return 0, err
		}
		sum += ran
	}
	return sum, nil
}

// parseSchedstat reads how long a thread has run: the first of three numbers.
func parseSchedstat(b []byte) (time.Duration, error) {
	f := strings.Fields(string(b))
	if len(f) != 3 {
		return 0, fmt.Errorf("schedstat: %w", errFormat)
	}
	ns, err := strconv.ParseInt(f[0], 10, 64)
	if err != nil {
		return 0, fmt.Errorf("schedstat: %w", errFormat)
	}
	return time.Duration(ns), nil
}
