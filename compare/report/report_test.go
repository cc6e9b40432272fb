package report

import (
	"bytes"
	"encoding/csv"
	"math"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/fanfare-relay/fanfare/compare/experiment"
)

// samples are those of a comparison in which the star breaks at five viewers.
func samples() (list []Sample) {
	for repeat := 1; repeat <= 3; repeat++ {
		for _, n := range []int{4, 5} {
			for _, t := range []experiment.Topology{experiment.Star, experiment.SFU} {
				s := Sample{Run: experiment.Run{
					Experiment: "uplink", Factor: "viewers", Value: float64(n), Topology: t, Repeat: repeat,
					Point: experiment.Point{Viewers: n, UplinkMbit: 5, BitrateMbit: 1, Repair: true},
				}, Seconds: 2, Frames: 60, UploaderMbit: float64(repeat), Started: time.Unix(1e9, 0).UTC()}
				v := Viewer{ID: "v01", Via: "sfu", JoinMS: 200, Frames: 60, WholeFrames: 60, Packets: 240, Received: 240, LatencyMS: []float64{50, 60, 70}}
				if t == experiment.Star {
					v.Via, v.Depth, v.LatencyMS = "direct", 1, []float64{25, 35, 45}
					if n == 5 {
						v.Received, v.WholeFrames = 228, 50
					}
				}
				s.Viewers = append(s.Viewers, v)
				list = append(list, s)
			}
		}
	}
	return list
}

// TestFigures: they are what the samples say, invalid runs are counted and left out.
func TestFigures(t *testing.T) {
	list := samples()
	list[0].Problem = "busy"
	list[0].Viewers[0].Received = 0
	figures := Figures(list, 0)
	if len(figures) != 4 {
		t.Fatalf("%d figures", len(figures))
	}
	star := figures[1]
	if star.Topology != experiment.Star || star.Value != 4 || star.Runs != 2 || star.Invalid != 1 {
		t.Fatalf("%+v", star)
	}
	if star.P50.Median != 35 || star.P99.Median < 44 || star.Loss.Median != 0 || star.Uploader.Low != 2 || star.Uploader.High != 3 || !star.Holds() {
		t.Errorf("%+v", star)
	}
	if broken := figures[3]; broken.Loss.Median != 5 || math.Abs(broken.Broken.Median-100.0/6) > 1e-9 || broken.Holds() {
		t.Errorf("%+v", broken)
	}
	words := strings.Join(Document{Samples: list}.Words(), "\n")
	for _, want := range []string{"the star holds up to 4 viewers and no longer at 5 (5.0 % of the packets are lost); the relay (sfu) holds for as many as were tried, up to 5.", "25 ms sooner"} {
		if !strings.Contains(words, want) {
			t.Errorf("%q is not said in\n%s", want, words)
		}
	}
}

// TestReportFromItsJSON: what samples.json holds makes the same page again, with the figures in it.
func TestReportFromItsJSON(t *testing.T) {
	d := Document{Made: time.Unix(1e9, 0).UTC(), Command: "fanfare compare --quick --out x", Version: "<b>1</b>", Samples: samples(), Planned: 20, Interrupted: true}
	var text, first, second bytes.Buffer
	if err := WriteJSON(&text, d); err != nil {
		t.Fatal(err)
	}
	read, err := ReadJSON(&text)
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(Figures(d.Samples, 0), Figures(read.Samples, 0)) {
		t.Error("the figures differ")
	}
	if err := WriteHTML(&first, d); err != nil {
		t.Fatal(err)
	}
	if err := WriteHTML(&second, read); err != nil {
		t.Fatal(err)
	}
	if first.String() != second.String() {
		t.Error("the pages differ")
	}
	for _, want := range []string{"<td>5.00 (5.00 to 5.00)</td>", "12 of 20 runs", "&lt;b&gt;1", "What is missing then is lost; what only waited in a queue is late.", "<polyline points=\"146.0,"} {
		if !strings.Contains(first.String(), want) {
			t.Errorf("the page does not hold %q", want)
		}
	}
	for _, bad := range []string{"http://", "https://", "ZgotmplZ", "NaN"} {
		if strings.Contains(first.String(), bad) {
			t.Errorf("the page holds %q", bad)
		}
	}
}

func TestEmpty(t *testing.T) {
	var b bytes.Buffer
	if err := WriteHTML(&b, Document{}); err != nil || !strings.Contains(b.String(), "too few valid runs") {
		t.Errorf("%v", err)
	}
	broken := samples()[:1]
	broken[0].Viewers = nil
	if err := WriteHTML(&b, Document{Samples: broken}); err != nil {
		t.Error(err)
	}
}

func TestCSV(t *testing.T) {
	var b bytes.Buffer
	if err := WriteCSV(&b, samples()); err != nil {
		t.Fatal(err)
	}
	rows, err := csv.NewReader(&b).ReadAll()
	if err != nil || len(rows) != 13 || rows[1][0] != "uplink" || !slices.Contains(rows[1], "25 35 45") {
		t.Errorf("%v %v", rows, err)
	}
}

// TestHopCPU: what a browser's decoding and encoding takes is a column and a bias of its own, and changes no other figure.
func TestHopCPU(t *testing.T) {
	run := experiment.Run{Experiment: "processors", Topology: experiment.Tree2, Repeat: 1, OwnProcesses: true, Point: experiment.Point{Viewers: 1}}
	d := Document{Planned: 1, Samples: []Sample{{Run: run, Seconds: 4, Processes: []Process{
		{ID: "uploader", Role: RoleUploader, CPUSeconds: 0.1, Sends: 1}, {ID: "v01", Role: RoleRelay, CPUSeconds: 0.2},
	}}}}
	page := func() string {
		var b strings.Builder
		if err := WriteHTML(&b, d); err != nil {
			t.Fatal(err)
		}
		return b.String()
	}
	if text := page(); strings.Contains(text, "the same with") || !strings.Contains(text, "--hop-cpu</code> adds it") {
		t.Error("the page without it has its column, or no word on what is missing")
	}
	d.HopCPU = 12
	if f := ProcessFigures(d.Samples, d.HopCPU)[0]; f.Relay.Median != 5 || f.Browser.Median != 17 || f.All.Median != 7.5 {
		t.Errorf("%+v", f)
	}
	text := page()
	for _, want := range []string{"the same with 12 %", "<td>17.00</td>", "12 % of a processor", "a viewer who passes on 5.0 % by the tree of 2; which in a browser is 17.0 % by the tree of 2.", "is added once to each who passes on, however many are below, and is too little"} {
		if !strings.Contains(text, want) {
			t.Errorf("the page does not have %q", want)
		}
	}
}

// TestBaseBetween: the base point, which has no value of a factor, is spoken of in its place between the others.
func TestBaseBetween(t *testing.T) {
	var list []Sample
	for _, at := range []struct {
		factor   string
		n, whole int
	}{{"viewers", 1, 100}, {"viewers", 32, 40}, {"", 8, 100}} {
		list = append(list, Sample{
			Run: experiment.Run{Experiment: "viewers", Factor: at.factor, Topology: experiment.Star, Repeat: 1, Point: experiment.Point{
				Viewers: at.n, UplinkMbit: 10, BitrateMbit: 1,
			}},
			Seconds: 2, Viewers: []Viewer{{ID: "v01", Via: "direct", Depth: 1, Packets: 100, Received: at.whole, LatencyMS: []float64{40}}},
		})
		if at.factor != "" {
			list[len(list)-1].Value = float64(at.n)
		}
	}
	want := "With uplinks of 10 Mbit/s and a stream of 1 Mbit/s, the star holds up to 8 viewers and no longer at 32 (60.0 % of the packets are lost)."
	if words := (Document{Samples: list}).Words(); !slices.Contains(words, want) {
		t.Errorf("%q is not said in %q", want, words)
	}
}
