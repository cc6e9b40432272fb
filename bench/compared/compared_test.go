package main

import (
	"math"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/fanfare-relay/fanfare/bench/page"
	"github.com/fanfare-relay/fanfare/compare/experiment"
	"github.com/fanfare-relay/fanfare/compare/report"
	"github.com/fanfare-relay/fanfare/compare/stats"
)

const (
	thePage    = "../../docs/COMPARISON.md"
	theFigures = "../../docs/comparison.json"
)

// TestThePage: what stands in docs/COMPARISON.md is what docs/comparison.json says, so that neither is changed alone.
func TestThePage(t *testing.T) {
	text, err := os.ReadFile(thePage)
	if err != nil {
		t.Fatal(err)
	}
	f, err := readFigures(theFigures)
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range f.sections() {
		want, err := page.Replace(string(text), s.name, s.body)
		if err != nil {
			t.Fatal(err)
		}
		if want != string(text) {
			t.Errorf("%q is not what %s says (make compared writes it anew); that would be\n%s", s.name, theFigures, s.body)
		}
		if strings.Contains(s.body, "NaN") || strings.Count(s.body, "\n") < 1 {
			t.Errorf("%q is no part of a page:\n%s", s.name, s.body)
		}
	}
}

// TestPromises: what is told of is a full comparison that did what one is to do. It took half an hour at most; the star breaks where
// arithmetic says that it must, and nothing else does; the swarm comes near its bound, N copies take N times as long, and HTTP what its
// two legs take. Figures of another machine that do not are to be looked into before they are told.
func TestPromises(t *testing.T) {
	f, err := readFigures(theFigures)
	if err != nil {
		t.Fatal(err)
	}
	if took := f.Run.Ended.Sub(f.Run.Began); took > 30*time.Minute || f.Run.Made != f.Run.Planned {
		t.Errorf("%d of %d runs took %v", f.Run.Made, f.Run.Planned, took)
	}
	uplink := f.streams("uplink")
	for _, s := range uplink {
		if s.Topology == experiment.Star && s.Point.Viewers == 5 {
			if s.Loss.Low <= report.LossLimit {
				t.Errorf("the star of 5 does not break: %s %% are lost", small(s.Loss))
			}
		} else if !s.Holds() || s.Loss.High > report.LossLimit {
			t.Errorf("%s: %s %% are lost, up to %d by the relay", s.Words(), small(s.Loss), s.OnServer)
		}
	}
	if want := 2 * len(experiment.Media()); len(uplink) != want {
		t.Errorf("%d figures of narrow uplinks, not %d", len(uplink), want)
	}
	seen := map[string]int{}
	for _, s := range f.Files {
		seen[s.Experiment]++
		n := float64(s.Point.Viewers)
		switch legs := s.Upload.Median + s.Download.Median; {
		case s.Runs == 0:
			t.Errorf("%s: no run counts", s.Words())
		case s.Experiment == "files" && s.Share.Low < 0.92:
			t.Errorf("%s: it reaches %s of its bound", s.Words(), shown(s.Share, 3))
		case s.Experiment == "files-copies" && (n*s.Share.Low < 0.9 || n*s.Share.High > 1):
			t.Errorf("%s: %s of the bound is not 1/%g", s.Words(), shown(s.Share, 3), n)
		case s.Experiment == "files-http" && (s.Upload.Median <= 0 || s.Download.Median <= 0 || math.Abs(legs/s.Last.Median-1) > 0.01):
			t.Errorf("%s: the legs take %.2f s, all of it %s", s.Words(), legs, shown(s.Last, 2))
		}
	}
	if seen["files"] != 2 || seen["files-copies"] != 2 || seen["files-http"] != 2 {
		t.Errorf("figures of files: %v", seen)
	}
}

// TestAHandOnATable: a digit that somebody changed is seen.
func TestAHandOnATable(t *testing.T) {
	text, err := os.ReadFile(thePage)
	if err != nil {
		t.Fatal(err)
	}
	f, err := readFigures(theFigures)
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range f.sections() {
		at := strings.LastIndexAny(s.body, "0123456789")
		if at < 0 {
			t.Errorf("%q has no figure", s.name)
			continue
		}
		digit := string('0' + (s.body[at]-'0'+1)%10)
		spoilt := strings.Replace(string(text), s.body, s.body[:at]+digit+s.body[at+1:], 1)
		if mended, err := page.Replace(spoilt, s.name, s.body); err != nil || spoilt == string(text) || mended != string(text) {
			t.Errorf("%q: another digit in it makes no difference (%v)", s.name, err)
		}
	}
}

// samples are those of a comparison of four seconds: the star of five viewers loses some, and one run does not count.
func samples() (list []report.Sample) {
	began := time.Date(2026, 11, 26, 20, 21, 0, 0, time.UTC)
	for repeat := 1; repeat <= 3; repeat++ {
		for _, topology := range []experiment.Topology{experiment.SFU, experiment.Star} {
			s := report.Sample{Run: experiment.Run{
				Experiment: "uplink", Factor: "viewers", Value: 5, Topology: topology, Repeat: repeat,
				Point: experiment.Point{Viewers: 5, UplinkMbit: 5, BitrateMbit: 1, Repair: true},
			}, Seconds: 2, Frames: 60, UploaderMbit: 1.05, Started: began.Add(2 * time.Minute), LatenessMS: float64(repeat), Beside: 1}
			v := report.Viewer{ID: "v01", Via: "sfu", JoinMS: 200, Frames: 60, WholeFrames: 60, Packets: 240, Received: 240, LatencyMS: []float64{50, 60, 70}}
			if topology == experiment.Star {
				v.Via, v.Depth, v.Received, v.LatencyMS = "direct", 1, 240-12*repeat, []float64{100 * float64(repeat)}
				s.UploaderMbit, s.RepeatedMbit = 5.11, 7+float64(repeat)
			}
			s.Viewers = append(s.Viewers, v)
			list = append(list, s)
		}
	}
	list[4].Problem = report.Busy(11)
	return list
}

// TestFromSamples: the file of figures holds what the samples say, and survives being written and read.
func TestFromSamples(t *testing.T) {
	d := report.Document{
		Made: time.Date(2026, 11, 26, 20, 21, 0, 0, time.UTC), Command: "fanfare compare --out DIR", Version: "devel", Planned: 6, Samples: samples(),
		Machine: report.Machine{System: "linux/amd64", Processor: "A Processor", CPUs: 2, Go: "go1.26.8"},
	}
	file := filepath.Join(t.TempDir(), "figures.json")
	f := figuresOf(d, "abc1234")
	if err := f.write(file); err != nil {
		t.Fatal(err)
	}
	read, err := readFigures(file)
	if err != nil || !reflect.DeepEqual(read, f) {
		t.Fatalf("%v\n%+v is not\n%+v", err, read, f)
	}
	want := "One run of the full comparison: `fanfare compare --out DIR` on 26 November 2026, from 20:21 to 20:23 UTC, commit abc1234, on linux/amd64 with 2 processors (A Processor), Go 1.26.8. " +
		"6 runs were planned and made. 1 is invalid and in no figure (uplink: viewers = 5, relay, repeat 3: the machine was busy: timers were 11.0 ms late). " +
		"Timers were 2.0 ms late in the median valid run and 3.0 ms in the latest, by the 99th percentile; above 10 ms a run is invalid. 6 runs had others beside them, 1 at most.\n"
	if got := f.Run.words(); got != want {
		t.Errorf("the run is told as\n%s, want\n%s", got, want)
	}
	want = `| Viewers | Way | p50 | p95 | Lost, % | Uploader, Mbit/s | Sent again, Mbit/s |
|---|---|---|---|---|---|---|
| 5 | relay (2 runs) | 60.0 | 69.0 | 0.00 | 1.05 | 0.0 |
| 5 | star | 200 (100–300) | 200 (100–300) | 10 (5–15) | 5.11 | 9.0 (8.0–10.0) |
`
	if got := f.breaks(); got != want {
		t.Errorf("got\n%s, want\n%s", got, want)
	}
}

// TestPartial: an interrupted comparison is told as one, and what was not measured has no row.
func TestPartial(t *testing.T) {
	f := figuresOf(report.Document{Version: "devel", Planned: 9, Samples: samples()[:1]}, "")
	if text := f.Run.words(); !strings.Contains(text, "of 9 runs that were planned, 1 were made. All are valid.") || !strings.Contains(text, "program: devel") {
		t.Error(text)
	}
	if text := f.files(); strings.Count(text, "\n") != 2 {
		t.Errorf("files that nobody sent:\n%s", text)
	}
}

func TestShown(t *testing.T) {
	for _, c := range []struct {
		median, low, high float64
		digits            int
		want              string
	}{
		{54.86, 54.71, 55.03, 1, "54.9 (54.7–55.0)"},
		{1.0531, 1.0529, 1.0533, 2, "1.05"},
		{2.04, 1.96, 2.04, 1, "2.0"},
		{121.2, 100.4, 143.6, 1, "121 (100–144)"},
		{0, 0, 0.24, 2, "0.00 (0.00–0.24)"},
	} {
		if got := shown(stats.Interval{Median: c.median, Low: c.low, High: c.high, N: 6}, c.digits); got != c.want {
			t.Errorf("%v: got %q", c, got)
		}
	}
	if got := shown(stats.Interval{}, 1); got != "" {
		t.Errorf("of no runs: %q", got)
	}
}

// TestRows: a row says what it is of, and what a latency does not.
func TestRows(t *testing.T) {
	tree := report.Figure{Cell: report.Cell{Topology: experiment.Tree2, Point: experiment.Point{Repair: true}}, Depth: 2, OnServer: 6}
	star := report.Figure{Cell: report.Cell{Topology: experiment.Star, Runs: 5, Invalid: 1}, Depth: 1, OnServer: 2, Loss: stats.Interval{Median: 3.92, Low: 3.92, High: 3.92, N: 5}}
	unsteady := tree
	unsteady.Server = stats.Interval{Median: 4.2, Low: 0, High: 6.3, N: 6}
	untold := report.Cell{Topology: experiment.Swarm, Runs: 1, Invalid: 1}
	likeStar := tree
	likeStar.Depth, likeStar.OnServer = 1, 0
	for _, c := range []struct{ got, want string }{
		{rowName(tree.Cell), "tree of 2"},
		{rowName(star.Cell), "star, nobody asks again (5 runs)"},
		{rowName(untold), "swarm, told nothing (1 run)"},
		{rowName(report.Cell{Topology: experiment.HTTP}), "HTTP"},
		{served(tree), "6"},
		{served(star), "up to 2"},
		{served(unsteady), "up to 6"},
		{remarks(star), ", 3.92 % lost, up to 2 by the relay, 5 runs"},
		{steps([]stats.Interval{{Median: 31.6, N: 6}, {Median: 59.2, N: 6}, {}}), "32 / 59 / –"},
		{lineName(report.Figure{Cell: report.Cell{Factor: "loss_percent", Point: experiment.Point{LossPercent: 3, LossBurst: 4}}}), "loss 3 %, 4 in a row"},
		{lineName(report.Figure{Cell: report.Cell{Factor: "round_trip_ms"}}), "round trip 0 ms (control)"},
	} {
		if c.got != c.want {
			t.Errorf("got %q, want %q", c.got, c.want)
		}
	}
	if starLike(tree) || starLike(star) || !starLike(likeStar) {
		t.Error("only a tree in which nobody passes anything on is like a star")
	}
}
