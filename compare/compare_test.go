package compare

import (
	"context"
	"flag"
	"os"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/pion/interceptor"
	"github.com/pion/rtp"
	"go.uber.org/goleak"

	"github.com/fanfare-relay/fanfare/compare/experiment"
	"github.com/fanfare-relay/fanfare/signalling/overlay"
)

// asRole makes the test's own program a process of a role.
const asRole = "FANFARE_TEST_COMPARE_ROLE"

func TestMain(m *testing.M) {
	if os.Getenv(asRole) != "" {
		if err := ServeRole(os.Stdin, os.Stdout); err != nil {
			panic(err)
		}
		return
	}
	flag.Parse()
	// The tests wait for connections and for the seconds that are measured, and hardly for a processor.
	if err := flag.Set("test.parallel", "4"); err != nil {
		panic(err)
	}
	goleak.VerifyTestMain(m)
}

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

// TestRest: when the server is needed again, its track goes on with a key frame.
func TestRest(t *testing.T) {
	s := newSource(1)
	for i, want := range []bool{true, false} {
		if s.serve(); s.wantKey.Swap(false) != want {
			t.Errorf("leg %d from the server: a key frame is wanted: %v", i+1, !want)
		}
	}
	s.onServer.Add(-2)
	if s.serve(); !s.wantKey.Load() {
		t.Error("no key frame after the rest")
	}
}

// TestTopologies: in every topology everybody gets the picture, from where the plan says. (How soon says nothing on a busy machine.)
func TestTopologies(t *testing.T) {
	t.Parallel()
	m, err := New()
	if err != nil {
		t.Fatal(err)
	}
	for topology, depth := range map[experiment.Topology]int{experiment.SFU: 0, experiment.Star: 1, experiment.Tree2: 2} {
		t.Run(string(topology), func(t *testing.T) {
			t.Parallel()
			run := experiment.Run{Topology: topology, Seed: 1, Point: experiment.Point{Viewers: 3, RoundTripMS: 10, LossBurst: 1, UplinkMbit: 50, BitrateMbit: 0.2, Repair: true}}
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
				if direct := topology != experiment.SFU; v.JoinMS == 0 || direct != (v.DirectMS > v.JoinMS) || !direct && v.DirectMS != 0 {
					t.Errorf("%s had its first picture after %g ms, and straight after %g", v.ID, v.JoinMS, v.DirectMS)
				}
			}
			if len(r.Viewers) != 3 || deepest != depth || r.Frames == 0 {
				t.Errorf("%d viewers, depth %d, %d frames", len(r.Viewers), deepest, r.Frames)
			}
		})
	}
}

// TestChurn: a viewer that leaves in the middle, and one that comes, leave figures behind; those who stay keep the picture.
func TestChurn(t *testing.T) {
	t.Parallel()
	m, err := New()
	if err != nil {
		t.Fatal(err)
	}
	run := experiment.Run{Topology: experiment.Tree2, Seed: 1, Point: experiment.Point{
		Viewers: 3, RoundTripMS: 10, LossBurst: 1, UplinkMbit: 50, BitrateMbit: 0.2, ChurnPerMinute: 60, Repair: true,
	}}
	r, err := m.Measure(context.Background(), run, 0, 2)
	if err != nil {
		t.Fatal(err)
	}
	if len(r.Viewers) != 5 || r.Interrupted {
		t.Fatalf("%d viewers, of whom two came later: %+v", len(r.Viewers), r)
	}
	for _, v := range r.Viewers[:4] { // the last may have come too late for a frame
		if v.WholeFrames == 0 || v.JoinMS == 0 {
			t.Errorf("%s got %d of %d frames", v.ID, v.WholeFrames, v.Frames)
		}
	}
	stayed := 0
	for _, v := range r.Viewers { // the report tells them by their frames; who left is shown from nowhere
		stays := v.ID[0] == 'v' && v.Via != string(overlay.Nowhere)
		if all := v.Frames == r.Frames; all != stays {
			t.Errorf("%s, by %q, watched %d of %d frames", v.ID, v.Via, v.Frames, r.Frames)
		} else if all {
			stayed++
		}
	}
	if stayed == 0 {
		t.Error("nobody stayed")
	}
}

// TestLeavesMeanwhile: a viewer that leaves while its leg from the server is being made takes that with it, so that the uploader's track
// to the server rests again, and is not shown from there when its picture comes too late.
func TestLeavesMeanwhile(t *testing.T) {
	t.Parallel()
	m, err := New()
	if err != nil {
		t.Fatal(err)
	}
	run := experiment.Run{Topology: experiment.Star, Seed: 1, Point: experiment.Point{Viewers: 1, LossBurst: 1, UplinkMbit: 50, BitrateMbit: 0.2, Repair: true}}
	s, err := open(t.Context(), run, m.identity)
	if err != nil {
		t.Fatal(err)
	}
	defer s.close()
	s.step(s.wish())
	if err := s.arrive("v01"); err != nil {
		t.Fatal(err)
	}
	if n := s.onServer.Load(); n != 1 {
		t.Errorf("%d legs from the server", n)
	}
	s.lose("v01")
	s.lose("v01") // nobody
	s.step(overlay.Ready{Viewer: "v01", From: overlay.Source{Via: overlay.Server}})
	if n, at := s.onServer.Load(), s.shows["v01"]; n != 0 || at.Via != overlay.Nowhere {
		t.Errorf("%d legs from the server; who left is shown from %q", n, at)
	}
}

// TestServerGoesAway: when the relay ends in the middle, what came before is kept, what is missing counts as lost, and nothing hangs.
func TestServerGoesAway(t *testing.T) {
	t.Parallel()
	m, err := New()
	if err != nil {
		t.Fatal(err)
	}
	run := experiment.Run{Topology: experiment.SFU, Seed: 1, Point: experiment.Point{Viewers: 2, LossBurst: 1, UplinkMbit: 50, BitrateMbit: 0.2, Repair: true}}
	s, err := open(t.Context(), run, m.identity)
	if err != nil {
		t.Fatal(err)
	}
	defer s.close()
	ctx, stop := context.WithCancel(context.Background())
	var tasks sync.WaitGroup
	defer tasks.Wait()
	defer stop()
	tasks.Go(func() { s.send(ctx) })
	tasks.Go(func() { s.control(ctx) })
	s.step(s.wish())
	for _, id := range []string{"v01", "v02"} {
		if err := s.arrive(id); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.awaitPlaces(t.Context()); err != nil {
		t.Fatal(err)
	}
	before := s.viewers["v01"].wholeFrames()
	tasks.Go(func() {
		for s.viewers["v01"].wholeFrames() < before+20 {
			pause(ctx, look)
		}
		s.relay.Shutdown()
	})
	r := s.window(context.Background(), 2*time.Second)
	for _, v := range r.Viewers {
		if v.WholeFrames == 0 || v.Received == v.Packets {
			t.Errorf("%s got %d of %d packets", v.ID, v.Received, v.Packets)
		}
	}
}

// TestClockJumps: the packets carry the time of a clock that is set while they are under way; the latency does not follow it.
func TestClockJumps(t *testing.T) {
	begin := time.Now()
	v, err := newViewer("v01", nil, experiment.Point{}, begin)
	if err != nil {
		t.Fatal(err)
	}
	f := newFrame(0, 0.2, true, begin)
	sent := f
	sent.made = f.made.Add(time.Hour).Round(0) // without the monotonic reading, as on the wire
	for i := range f.parts {
		at, ok := readPart(sent.part(i))
		if !ok {
			t.Fatal("not read")
		}
		v.note(at, sent.part(i), begin.Add(50*time.Millisecond))
	}
	if r := v.result(begin, begin.Add(time.Second), []frame{f}); len(r.LatencyMS) != 1 || r.LatencyMS[0] != 50 {
		t.Errorf("%v", r.LatencyMS)
	}
}

// TestGap: a frame that was made before the window and comes in it is no gap, and one that is missing is.
func TestGap(t *testing.T) {
	begin := time.Now()
	v, err := newViewer("v01", nil, experiment.Point{}, begin)
	if err != nil {
		t.Fatal(err)
	}
	const each, way = 40 * time.Millisecond, 100 * time.Millisecond
	var made []frame
	for i := range 10 {
		f := newFrame(uint32(i), 0.2, i == 0, begin.Add(time.Duration(i)*each))
		made = append(made, f)
		if i == 7 {
			continue
		}
		for part := range f.parts {
			at, ok := readPart(f.part(part))
			if !ok {
				t.Fatal("not read")
			}
			v.note(at, f.part(part), f.made.Add(way))
		}
	}
	from := begin.Add(4 * each)
	for _, c := range []struct {
		to   int
		want time.Duration
	}{{6, each}, {9, 2 * each}} {
		if r := v.result(from, begin.Add(time.Duration(c.to)*each), made); r.GapMS != milliseconds(c.want) {
			t.Errorf("frames 4 to %d: %v ms without a frame, want %v", c.to-1, r.GapMS, c.want)
		}
	}
}

// TestRepeats: what a stream sends again is counted, and what is new is not, also round the end of its numbers.
func TestRepeats(t *testing.T) {
	var bytes atomic.Uint64
	i, err := repeats{bytes: &bytes}.NewInterceptor("")
	if err != nil {
		t.Fatal(err)
	}
	w := i.BindLocalStream(&interceptor.StreamInfo{SSRC: 7}, interceptor.RTPWriterFunc(func(h *rtp.Header, b []byte, _ interceptor.Attributes) (int, error) {
		return h.MarshalSize() + len(b), nil
	}))
	for _, c := range []struct {
		number uint16
		ssrc   uint32
		again  bool
	}{{65534, 7, false}, {65535, 7, false}, {65534, 7, true}, {0, 7, false}, {65535, 7, true}, {5, 8, true}, {1, 7, false}} {
		before := bytes.Load()
		if _, err := w.Write(&rtp.Header{Version: 2, SequenceNumber: c.number, SSRC: c.ssrc}, make([]byte, 100), nil); err != nil {
			t.Fatal(err)
		}
		want := uint64(0)
		if c.again {
			want = 12 + 100 + sealed
		}
		if got := bytes.Load() - before; got != want {
			t.Errorf("%d of source %d: %d bytes sent again", c.number, c.ssrc, got)
		}
	}
}

// TestInterrupted: what was measured until somebody interrupts is kept and marked.
func TestInterrupted(t *testing.T) {
	t.Parallel()
	m, err := New()
	if err != nil {
		t.Fatal(err)
	}
	run := experiment.Run{Topology: experiment.SFU, Seed: 1, Point: experiment.Point{Viewers: 1, LossBurst: 1, UplinkMbit: 50, BitrateMbit: 0.2, Repair: true}}
	ctx, cancel := context.WithCancel(context.Background())
	begun := func() (time.Duration, error) { cancel(); return 0, nil } // the processor time is asked for when measuring begins
	r, _, err := m.measure(ctx, run, 0, 600, moments{cpu: begun})
	if err != nil || !r.Interrupted || r.Problem == "" || len(r.Viewers) != 1 || r.Seconds > 600 {
		t.Errorf("not kept and marked: %v, %+v", err, r)
	}
}
