package compare

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fanfare-relay/fanfare/compare/experiment"
	"github.com/fanfare-relay/fanfare/compare/experiments"
	"github.com/fanfare-relay/fanfare/compare/report"
)

// TestSideBySide: topologies of one point and repeat share their seconds while they leave the machine free.
func TestSideBySide(t *testing.T) {
	usual := &report.Calibration{PacketMicroseconds: 70, Processors: 2, MostOfThem: 1.5}
	for _, c := range []struct {
		name, text string
		c          *report.Calibration
		want       string
	}{
		{"all of a point", "repeats = 2\n[base]\nviewers = 4\n", usual, "sfu star tree2 tree3|star tree2 tree3 sfu"},
		{"points apart", "repeats = 1\ntopologies = [\"sfu\", \"star\"]\n[vary]\nviewers = [1, 2]\n", usual, "sfu star|sfu star"},
		{"an overloaded star alone", "repeats = 1\n[base]\nviewers = 16\n", usual, "sfu tree2 tree3|star"},
		{"a large one has no room beside it", "repeats = 1\ntopologies = [\"sfu\", \"tree2\"]\n[base]\nviewers = 32\n", usual, "sfu|tree2"},
		{"processes alone", "repeats = 1\nprocesses = true\ntopologies = [\"sfu\", \"tree2\"]\n", usual, "sfu|tree2"},
		{"files alone", "repeats = 1\ntopologies = [\"swarm\", \"http\"]\n", usual, "swarm|http"},
		{"not known what it takes", "repeats = 1\ntopologies = [\"sfu\", \"tree2\"]\n", nil, "sfu|tree2"},
	} {
		plan, _ := Plan([]experiment.Experiment{parse(t, "name = \"x\"\n"+c.text)}, nil)
		var got []string
		for _, batch := range SideBySide(plan, c.c) {
			var names []string
			for _, p := range batch {
				names = append(names, string(p.Run.Topology))
			}
			got = append(got, strings.Join(names, " "))
		}
		if text := strings.Join(got, "|"); text != c.want {
			t.Errorf("%s: %s; want %s", c.name, text, c.want)
		}
	}
}

// TestHowLong: the quick comparison is made for a minute, the full one for half an hour, on a machine of two processors.
func TestHowLong(t *testing.T) {
	c := &report.Calibration{PacketMicroseconds: 90, MegabyteMilliseconds: 40, HTTPMilliseconds: 2, Processors: 2, MostOfThem: 1.5}
	for quick, limit := range map[bool]time.Duration{true: time.Minute, false: 28 * time.Minute} {
		names, texts, err := experiments.All(quick)
		if err != nil || len(names) == 0 {
			t.Fatalf("%v %v", names, err)
		}
		var list []experiment.Experiment
		for _, name := range names {
			list = append(list, parse(t, string(texts[name])))
		}
		plan, beyond := Plan(list, c)
		total := 10 * time.Second // of calibration
		for _, batch := range SideBySide(plan, c) {
			longest := time.Duration(0)
			for _, p := range batch {
				longest = max(longest, p.Takes)
			}
			total += longest
		}
		t.Logf("quick %v: %d runs, %v", quick, len(plan), total)
		if total > limit || len(beyond) > 0 {
			t.Errorf("quick %v takes %v; beyond: %v", quick, total, beyond)
		}
	}
}

// TestMeeting: nobody goes on before all have come, or before it is over.
func TestMeeting(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMeeting(2)
		var gone []string
		go func() { m.wait(t.Context()); gone = append(gone, "first") }()
		m.come()
		synctest.Wait()
		if len(gone) > 0 {
			t.Error("it went on alone")
		}
		m.come()
		synctest.Wait()
		if !slices.Equal(gone, []string{"first"}) {
			t.Errorf("%q went on", gone)
		}
		over, cancel := context.WithCancel(t.Context())
		cancel()
		newMeeting(2).wait(over)
	})
}

// TestTogether: runs of a batch measure in the same seconds and have their own outcomes, in order; one that fails keeps nobody waiting.
func TestTogether(t *testing.T) {
	t.Parallel()
	r, err := NewRunner(nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	e := parse(t, "name = \"x\"\nrepeats = 1\nseconds = 1\nsettle_seconds = 0\ntopologies = [\"sfu\", \"star\"]\n[base]\nviewers = 2\nround_trip_ms = 10\nbitrate_mbit = 0.2\n")
	plan, _ := Plan([]experiment.Experiment{e}, nil)
	unmade := plan[0]
	unmade.Run.OwnProcesses = true
	got := r.Together(t.Context(), append(plan, unmade))
	for i, o := range got[:2] {
		if o.Err != nil || o.Sample.Topology != plan[i].Run.Topology || o.Sample.Beside != 2 || len(o.Sample.Viewers) != 2 {
			t.Errorf("%+v, %v", o.Sample.Run, o.Err)
		}
	}
	if a, b := got[0].Sample, got[1].Sample; a.Started.After(ended(b)) || b.Started.After(ended(a)) {
		t.Errorf("measured from %v for %g s and from %v for %g s", a.Started, a.Seconds, b.Started, b.Seconds)
	}
	if got[2].Err == nil {
		t.Error("a run without processes was made")
	}
}

func ended(s report.Sample) time.Time {
	return s.Started.Add(time.Duration(s.Seconds * float64(time.Second)))
}

// TestBadViewer: the first viewer has the narrow line, in every topology, and the others by the relay lose nothing of it.
func TestBadViewer(t *testing.T) {
	t.Parallel()
	m, err := New()
	if err != nil {
		t.Fatal(err)
	}
	run := experiment.Run{Topology: experiment.SFU, Seed: 1, Point: experiment.Point{
		Viewers: 3, RoundTripMS: 10, LossBurst: 1, UplinkMbit: 50, BitrateMbit: 0.8, BadDownlinkMbit: 0.2, Repair: true,
	}}
	r, err := m.Measure(t.Context(), run, 0, 2)
	if err != nil {
		t.Fatal(err)
	}
	for i, v := range r.Viewers {
		said := fmt.Sprintf("%s got %d of %d packets", v.ID, v.Received, v.Packets)
		if v.Bad != (i == 0) {
			t.Errorf("%s is bad: %v", v.ID, v.Bad)
		}
		if v.Bad && v.Received*2 > v.Packets || !v.Bad && v.Received < v.Packets {
			t.Error(said)
		}
	}
}
