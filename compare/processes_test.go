package compare

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/fanfare-relay/fanfare/compare/experiment"
	"github.com/fanfare-relay/fanfare/compare/report"
)

// roles are processes of this test's program whose processor time is made up: what a system tells is for cmd/fanfare to ask.
func roles(t *testing.T) (p *Processes, started func() []*exec.Cmd) {
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	var mu sync.Mutex
	var list []*exec.Cmd
	asked := map[int]int{}
	p = &Processes{
		Command: func() *exec.Cmd {
			cmd := exec.Command(self)
			cmd.Env = append(os.Environ(), asRole+"=1")
			mu.Lock()
			defer mu.Unlock()
			list = append(list, cmd)
			return cmd
		},
		CPU: func(pid int) (time.Duration, error) {
			mu.Lock()
			defer mu.Unlock()
			asked[pid]++
			return time.Duration(asked[pid]) * time.Second, nil
		},
	}
	return p, func() []*exec.Cmd {
		mu.Lock()
		defer mu.Unlock()
		return list
	}
}

func apart(topology experiment.Topology) experiment.Run {
	return experiment.Run{Topology: topology, Seed: 1, OwnProcesses: true, Point: experiment.Point{Viewers: 3, LossBurst: 1, UplinkMbit: 10, BitrateMbit: 0.2}}
}

// TestProcesses: every role is a process of its own; all viewers get the picture, from whom the topology says.
func TestProcesses(t *testing.T) {
	t.Parallel()
	for topology, want := range map[experiment.Topology]string{
		experiment.SFU:   "server:3 uploader:1 viewer:0 viewer:0 viewer:0",
		experiment.Star:  "uploader:3 viewer:0 viewer:0 viewer:0",
		experiment.Tree2: "uploader:2 relay:1 viewer:0 viewer:0",
	} {
		t.Run(string(topology), func(t *testing.T) {
			t.Parallel()
			p, _ := roles(t)
			r, err := p.Measure(t.Context(), apart(topology), 0.2, 1)
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, one := range r.Processes {
				got = append(got, one.Role+":"+string(rune('0'+one.Sends)))
				if one.CPUSeconds != 1 {
					t.Errorf("%s used %g s", one.ID, one.CPUSeconds)
				}
				if (one.Role == report.RoleViewer || one.Role == report.RoleRelay) && one.WholeFrames == 0 {
					t.Errorf("%s got nothing of %d frames", one.ID, one.Frames)
				}
			}
			if text := strings.Join(got, " "); text != want || r.Frames == 0 {
				t.Errorf("%s, %d frames: %s", text, r.Frames, r.Problem)
			}
		})
	}
}

// TestProcessEnds: a role that ends in the middle makes the run invalid and is named; what the others used is kept.
func TestProcessEnds(t *testing.T) {
	t.Parallel()
	p, started := roles(t)
	cpu, calls := p.CPU, 0
	p.CPU = func(pid int) (time.Duration, error) {
		if calls++; calls == 5 { // all have been asked once
			server := started()[0].Process
			if err := server.Kill(); err != nil {
				t.Error(err)
			}
		}
		return cpu(pid)
	}
	r, err := p.Measure(t.Context(), apart(experiment.SFU), 0, 1)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(r.Problem, errGone.Error()+": server") || len(r.Processes) != 5 || r.Processes[1].CPUSeconds != 1 {
		t.Errorf("%q: %+v", r.Problem, r.Processes)
	}
}

func TestProcessInterrupted(t *testing.T) {
	t.Parallel()
	p, _ := roles(t)
	ctx, cancel := context.WithCancel(t.Context())
	cpu := p.CPU
	p.CPU = func(pid int) (time.Duration, error) {
		cancel()
		return cpu(pid)
	}
	r, err := p.Measure(ctx, apart(experiment.Star), 0, 600)
	if err != nil && !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	if err == nil && (!r.Interrupted || r.Problem == "") {
		t.Errorf("not marked: %+v", r)
	}
}

// TestRoleRefuses: a process that is asked for what it is not says so and goes on.
func TestRoleRefuses(t *testing.T) {
	var r Role
	var sdp string
	for name, err := range map[string]error{
		"offer": r.Offer(Leg{}, &sdp), "answer": r.Answer(Leg{}, &sdp), "take": r.Take(Leg{}, nil), "publish": r.Publish(Leg{}, &sdp),
		"play": r.Play(struct{}{}, nil), "start": r.Start(Begin{Kind: "conductor"}, nil),
	} {
		if err == nil {
			t.Errorf("%s is taken", name)
		}
	}
}

// TestAbove: a tree is full, level by level.
func TestAbove(t *testing.T) {
	for fanout, want := range map[int][]int{0: {-1, -1, -1, -1}, 2: {-1, -1, 0, 0, 1, 1, 2}, 3: {-1, -1, -1, 0, 0, 0, 1}} {
		for n, from := range want {
			if got := above(n, fanout); got != from {
				t.Errorf("in a tree of %d the viewer %d gets it from %d, not %d", fanout, n, got, from)
			}
		}
	}
}
