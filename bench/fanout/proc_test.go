package main

import (
	"errors"
	"testing"
	"time"
)

const (
	statPage = "cpu  100 20 300 4000 50 6 70 8 0 0\ncpu0 1 2 3 4 5 6 7 8 0 0\nctxt 5\n"
	statLine = "42 (a (b) c) S 7 42 42 0 -1 4194560 100 0 0 0 120 30 40 10 20 0 9 0 100 0 0\n"
)

func TestParseStat(t *testing.T) {
	got, err := parseStat([]byte(statPage), "cpu")
	if want := (machineTimes{busy: 496 * tick, steal: 8 * tick}); err != nil || got != want {
		t.Errorf("%+v, %v", got, err)
	}
	core, err := parseStat([]byte(statPage), "cpu0")
	if want := (machineTimes{busy: 19 * tick, steal: 8 * tick}); err != nil || core != want {
		t.Errorf("one core: %+v, %v", core, err)
	}
	for _, bad := range []string{"", "cpu 1 2 3\n", "intr 1 2 3 4 5 6 7 8 9\n", "cpu 1 2 3 4 5 6 7 x 9\n"} {
		if _, err := parseStat([]byte(bad), "cpu"); !errors.Is(err, errFormat) {
			t.Errorf("%q: %v", bad, err)
		}
	}
}

func TestParseProcess(t *testing.T) {
	got, err := parseProcess([]byte(statLine))
	if want := (process{pid: 42, parent: 7, name: "a (b) c", cpu: 150 * tick, children: 50 * tick}); err != nil || got != want {
		t.Errorf("%+v, %v", got, err)
	}
	kernel, err := parseProcess([]byte("3 (ksoftirqd/0) S 2 0 0 0 -1 69238848 0 0 0 0 0 5 0 0 20 0 1 0 1 0 0"))
	if err != nil || !kernel.kernel {
		t.Errorf("%+v, %v", kernel, err)
	}
	for _, bad := range []string{"", "(x) S 1", "1 (x", "1 x) S (", "x (x) S 7 42 42 0 -1 1 1 0 0 0 1 3 4 1 2 0 9", "1 (x) S 7 42"} {
		if _, err := parseProcess([]byte(bad)); !errors.Is(err, errFormat) {
			t.Errorf("%q: %v", bad, err)
		}
	}
}

func TestParseSchedstat(t *testing.T) {
	if got, err := parseSchedstat([]byte("169647 1104517 1\n")); err != nil || got != 169647 {
		t.Errorf("%v, %v", got, err)
	}
	for _, bad := range []string{"", "1 2", "x 2 3", "1 2 3 4"} {
		if _, err := parseSchedstat([]byte(bad)); !errors.Is(err, errFormat) {
			t.Errorf("%q: %v", bad, err)
		}
	}
}

func FuzzParseSchedstat(f *testing.F) {
	f.Add([]byte("169647 1104517 1\n"))
	f.Fuzz(func(_ *testing.T, b []byte) { _, _ = parseSchedstat(b) })
}

func FuzzParseProcess(f *testing.F) {
	f.Add([]byte(statLine))
	f.Add([]byte(")("))
	f.Fuzz(func(t *testing.T, b []byte) {
		if p, err := parseProcess(b); err == nil && len(p.name) > len(b) {
			t.Errorf("%+v", p)
		}
	})
}

func FuzzParseStat(f *testing.F) {
	f.Add([]byte(statPage))
	f.Fuzz(func(_ *testing.T, b []byte) { _, _ = parseStat(b, "cpu0") })
}

// scene is a machine: the bench (10) with a server (11) and its child (12), a shell (1) with a compiler (20), a kernel thread.
func scene(at time.Time, busy, server, bench, shell, compiler time.Duration) snapshot {
	s := snapshot{at: at, times: machineTimes{busy: busy}, processes: map[int]process{
		1:  {pid: 1, children: shell},
		3:  {pid: 3, parent: 2, kernel: true, cpu: busy},
		10: {pid: 10, parent: 1, children: bench},
		11: {pid: 11, parent: 10, cpu: server},
		12: {pid: 12, parent: 11, cpu: time.Second},
	}}
	if compiler > 0 {
		s.processes[20] = process{pid: 20, parent: 1, cpu: compiler}
	}
	return s
}

func TestQuiet(t *testing.T) {
	at := time.Date(2026, 11, 26, 0, 0, 0, 0, time.UTC)
	before := scene(at, 0, time.Second, 0, 0, time.Second)
	later := at.Add(10 * time.Second)
	for _, c := range []struct {
		name  string
		after snapshot
		void  string
	}{
		{"the server's time is ours", scene(later, 5*time.Second, 6*time.Second, 0, 0, time.Second), ""},
		{"a client of ours has ended", scene(later, 9*time.Second, 6*time.Second, 4*time.Second, 0, time.Second), ""},
		{"a compiler ran", scene(later, 6*time.Second, 6*time.Second, 0, 0, 2*time.Second), "other processes used 10 % of a core"},
		{"it ran and ended", scene(later, 6*time.Second, 6*time.Second, 0, 2*time.Second, 0), "other processes used 10 % of a core"},
		{"a little", scene(later, 5200*time.Millisecond, 6*time.Second, 0, 0, 1200*time.Millisecond), ""},
		{"another container", scene(later, 8*time.Second, 6*time.Second, 0, 0, time.Second), "something unseen used 30 % of a core"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if q := quietBetween(before, c.after, 10); q.void() != c.void {
				t.Errorf("%+v: %q, want %q", q, q.void(), c.void)
			}
		})
	}
	card := scene(later, 0, 6*time.Second, 0, 0, time.Second)
	before.cores, card.cores = make([]machineTimes, 2), []machineTimes{{busy: 7 * time.Second}, {busy: 9 * time.Second}}
	if got := unseenOn(0, 11, before, card); got != 0.2 {
		t.Errorf("beside the server its core was busy for %v", got)
	}
	if got := unseenOn(2, 11, before, card); got != 0 {
		t.Errorf("a core that is not there was busy for %v", got)
	}
	stolen := scene(later, 0, time.Second, 0, 0, time.Second)
	stolen.times.steal = time.Second
	if q := quietBetween(before, stolen, 10); q.void() != "the host took 10 % of a core" {
		t.Errorf("%+v", q)
	}
	if q := quietBetween(before, before, 10); q != (quiet{}) {
		t.Errorf("no time passed: %+v", q)
	}
}
