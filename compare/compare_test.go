package compare

import (
	"context"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/fanfare-relay/fanfare/compare/experiment"
	"github.com/fanfare-relay/fanfare/signalling/overlay"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// TestParts: what is written is read, and of the stream's rate.
func TestParts(t *testing.T) {
	f := newFrame(70000, 1, true, time.Unix(5, 7))
	bytes := 0
	for i := range f.parts {
		b := f.part(i)
		bytes += len(b)
		p, ok := readPart(b)
		if !ok || p != (part{70000, i, f.parts, time.Unix(5, 7)}) {
			t.Errorf("part %d is read as %+v", i, p)
		}
	}
	if rate := float64(bytes) * 8 * 30; rate < 0.99e6 || rate > 1e6 {
		t.Errorf("%.0f bit/s", rate)
	}
	for _, b := range [][]byte{nil, make([]byte, 24), make([]byte, 2000)} {
		if _, ok := readPart(b); ok {
			t.Errorf("%d bytes of nothing are read", len(b))
		}
	}
}

// TestTopologies: in every topology everybody gets the picture, from where the plan says. (How soon says nothing on a busy machine.)
func TestTopologies(t *testing.T) {
	m, err := New()
	if err != nil {
		t.Fatal(err)
	}
	for topology, depth := range map[experiment.Topology]int{experiment.SFU: 0, experiment.Star: 1, experiment.Tree2: 2} {
		t.Run(string(topology), func(t *testing.T) {
			run := experiment.Run{Topology: topology, Seed: 1, Point: experiment.Point{Viewers: 3, RoundTripMS: 10, LossBurst: 1, UplinkMbit: 50, BitrateMbit: 0.2}}
			r, err := m.Measure(context.Background(), run, 0, 1)
			if err != nil {
				t.Fatal(err)
			}
			deepest := 0
			for _, v := range r.Viewers {
				deepest = max(deepest, v.Depth)
				if v.WholeFrames == 0 || v.Via == string(overlay.Nowhere) {
					t.Errorf("%s got %d of %d frames, from %q", v.ID, v.WholeFrames, v.Frames, v.Via)
				}
			}
			if len(r.Viewers) != 3 || deepest != depth || r.Frames == 0 {
				t.Errorf("%d viewers, depth %d, %d frames", len(r.Viewers), deepest, r.Frames)
			}
		})
	}
}

// TestInterrupted: what was measured until somebody interrupts is kept and marked.
func TestInterrupted(t *testing.T) {
	m, err := New()
	if err != nil {
		t.Fatal(err)
	}
	run := experiment.Run{Topology: experiment.SFU, Seed: 1, Point: experiment.Point{Viewers: 1, LossBurst: 1, UplinkMbit: 50, BitrateMbit: 0.2}}
	ctx, cancel := context.WithCancel(context.Background())
	time.AfterFunc(6*time.Second, cancel)
	r, err := m.Measure(ctx, run, 0, 600)
	if err == nil && (!r.Interrupted || r.Problem == "") {
		t.Errorf("not marked: %+v", r.Problem)
	}
}
