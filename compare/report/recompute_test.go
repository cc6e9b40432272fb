package report

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"math"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/fanfare-relay/fanfare/compare/experiment"
)

// mixed is a comparison of everything: streams of which a tree is two steps deep, a file by two ways, processes.
func mixed() Document {
	d := Document{Command: "fanfare compare --hop-ms 40 --out DIR", HopMS: 40, Planned: 30, Samples: samples()}
	for repeat := 1; repeat <= 3; repeat++ {
		tree := Sample{Run: experiment.Run{
			Experiment: "uplink", Factor: "viewers", Value: 5, Topology: experiment.Tree2, Repeat: repeat,
			Point: experiment.Point{Viewers: 5, UplinkMbit: 5, BitrateMbit: 1, Repair: true},
		}, Seconds: 2, Frames: 60, LatenessMS: 3.2}
		for i := range 5 {
			tree.Viewers = append(tree.Viewers, Viewer{
				ID: fmt.Sprint(i), Via: "direct", Depth: 1 + i/2, JoinMS: 200, DirectMS: 1300 + float64(10*i+repeat), Packets: 100, Received: 100, Frames: 3, WholeFrames: 3,
				LatencyMS: []float64{40 + float64(repeat), 41, 42},
			})
		}
		d.Samples = append(d.Samples, tree)
		for _, way := range []experiment.Topology{experiment.Swarm, experiment.HTTP} {
			file := Sample{
				Run:     experiment.Run{Experiment: "files", Topology: way, Repeat: repeat, Point: experiment.Point{Viewers: 2, UplinkMbit: 20, FileMiB: 8}},
				Seconds: 9, BoundSeconds: 4, CopiesSent: 1.25, UploaderMB: 11, Receivers: []Receiver{{"r01", 4.2, true, 8 << 20}, {"r02", 4 + float64(repeat), true, 8 << 20}},
			}
			if way == experiment.HTTP {
				file.UploadSeconds = 3.5
			}
			d.Samples = append(d.Samples, file)
		}
		d.Samples = append(d.Samples, Sample{
			Run:     experiment.Run{Experiment: "processors", Topology: experiment.SFU, Repeat: repeat, OwnProcesses: true, Point: experiment.Point{Viewers: 2}},
			Seconds: 4, Processes: []Process{
				{ID: "uploader", Role: RoleUploader, CPUSeconds: 0.1, Sends: 1}, {ID: "server", Role: RoleServer, CPUSeconds: 0.2},
				{ID: "v01", Role: RoleViewer, CPUSeconds: 0.04}, {ID: "v02", Role: RoleViewer, CPUSeconds: 0.08},
			},
		})
	}
	return d
}

// middle is the median of raw values, computed another way than package stats does.
func middle(values []float64) float64 {
	slices.Sort(values)
	n := len(values)
	return (values[(n-1)/2] + values[n/2]) / 2
}

// TestJoinOfNobody: a viewer that never had a picture has no join of 0 ms, and one whose picture stopped later has its own.
func TestJoinOfNobody(t *testing.T) {
	s := samples()[0]
	s.Viewers = []Viewer{{ID: "v01", JoinMS: 300, Frames: 2}, {ID: "v02", JoinMS: 500, Frames: 2, WholeFrames: 1, LatencyMS: []float64{50}}, {ID: "v03", Frames: 2}}
	if f := Figures([]Sample{s}, 0)[0]; f.Join.Median != 400 {
		t.Errorf("the median of joins is %v", f.Join)
	}
	s.Viewers = s.Viewers[2:]
	if f := Figures([]Sample{s}, 0)[0]; f.Join.N != 0 {
		t.Errorf("nobody joined: %v", f.Join)
	}
}

// number takes a value out of raw JSON.
func number(t *testing.T, v any, keys ...string) float64 {
	t.Helper()
	for _, k := range keys {
		v = v.(map[string]any)[k]
	}
	f, ok := v.(float64)
	if !ok {
		t.Fatalf("%v is no number", keys)
	}
	return f
}

// TestRecomputed: figures on the page are computed again from the bytes of samples.json, without the code that made the page.
func TestRecomputed(t *testing.T) {
	var text, html bytes.Buffer
	d := mixed()
	if err := WriteJSON(&text, d); err != nil {
		t.Fatal(err)
	}
	if err := WriteHTML(&html, d); err != nil {
		t.Fatal(err)
	}
	var raw map[string]any
	if err := json.Unmarshal(text.Bytes(), &raw); err != nil {
		t.Fatal(err)
	}
	var p50, steps, lost, direct, last, share, download, viewer []float64
	for _, s := range raw["samples"].([]any) {
		sample := s.(map[string]any)
		switch sample["topology"].(string) {
		case "tree2":
			var latencies, deeper, straight []float64
			packets, received := 0.0, 0.0
			for _, v := range sample["viewers"].([]any) {
				packets, received = packets+number(t, v, "packets"), received+number(t, v, "received")
				straight = append(straight, number(t, v, "direct_ms"))
				for _, l := range v.(map[string]any)["latency_ms"].([]any) {
					latencies = append(latencies, l.(float64))
					deeper = append(deeper, l.(float64)+number(t, raw, "hop_ms")*(number(t, v, "depth")-1))
				}
			}
			p50, steps, lost = append(p50, middle(latencies)), append(steps, middle(deeper)), append(lost, 100*(1-received/packets))
			direct = append(direct, middle(straight))
		case "http":
			whole := 0.0
			for _, r := range sample["receivers"].([]any) {
				whole = max(whole, number(t, r, "seconds"))
			}
			last, share = append(last, whole), append(share, number(t, sample, "bound_seconds")/whole)
			download = append(download, whole-number(t, sample, "upload_seconds"))
		case "sfu":
			var used []float64
			list, _ := sample["processes"].([]any)
			for _, p := range list {
				if p.(map[string]any)["role"] == "viewer" {
					used = append(used, 100*number(t, p, "cpu_seconds")/number(t, sample, "seconds"))
				}
			}
			if used != nil {
				viewer = append(viewer, middle(used))
			}
		}
	}
	for _, c := range []struct {
		row    string
		column int
		values []float64
		digits int
	}{
		{"uplink: viewers = 5</td><td>the tree of 2", 3, p50, 1}, {"uplink: viewers = 5</td><td>the tree of 2", 6, steps, 1},
		{"uplink: viewers = 5</td><td>the tree of 2", 7, lost, 2}, {"uplink: viewers = 5</td><td>the tree of 2", 10, direct, 0}, {"files: base point</td><td>HTTP", 5, last, 2},
		{"files: base point</td><td>HTTP", 7, share, 3}, {"files: base point</td><td>HTTP", 9, download, 2},
		{"processors: base point, 2 viewers</td><td>the relay", 7, viewer, 2},
	} {
		want := fmt.Sprintf("%.*f (%.*f to %.*f)", c.digits, middle(c.values), c.digits, slices.Min(c.values), c.digits, slices.Max(c.values))
		if got := cell(t, html.String(), c.row, c.column); got != want {
			t.Errorf("%s, column %d: the page says %q, the samples %q", c.row, c.column, got, want)
		}
	}
}

// cell is one of the first row of a table that begins with a text.
func cell(t *testing.T, page, row string, column int) string {
	t.Helper()
	_, rest, ok := strings.Cut(page, "<tr><td>"+row)
	if !ok {
		t.Fatalf("there is no row %q", row)
	}
	line, _, _ := strings.Cut("<td>"+row+rest, "</tr>")
	cells := regexp.MustCompile("<td[^>]*>([^<]*)</td>").FindAllStringSubmatch(line, -1)
	return cells[column][1]
}

// TestWords: files, processes and the steps of browsers are spoken of, too.
func TestWords(t *testing.T) {
	words := strings.Join(mixed().Words(), "\n")
	for _, want := range []string{
		"With uplinks of 5 Mbit/s and a stream of 1 Mbit/s, the star holds up to 4 viewers and no longer at 5 (5.0 % of the packets are lost); the relay (sfu) and the tree of 2 hold for as many as were tried, up to 5.",
		"The tree of 2 for 5 viewers is 3 steps deep and 18 ms sooner than the relay (median) while viewers forward packets; with 40 ms for each browser that decodes and encodes again, 21 ms later.",
		"The least time in which 2 receivers could have a file, as a share of what it took: the swarm whose peers find out by themselves what they may send 0.67 (1.25 copies sent) and HTTP through the server 0.67 (1.25 copies sent).",
		"Of one processor, with 2 viewers and a process each, the uploader takes 2.5 % by the relay (sfu); the server 5.0 % by the relay (sfu).",
	} {
		if !strings.Contains(words, want) {
			t.Errorf("%q is not said in\n%s", want, words)
		}
	}
	if n := strings.Count(words, "\n") + 1; n != 5 {
		t.Errorf("%d sentences:\n%s", n, words)
	}
}

// TestStated: what was left out, what ended it, why runs are invalid, and the bias of the step are on the page; a comparison of files
// alone shows nothing of streams.
func TestStated(t *testing.T) {
	d := mixed()
	d.Beyond, d.Interrupted, d.Ended = []string{"a with 64 viewers"}, true, "5 runs failed"
	d.Calibration = &Calibration{PacketMicroseconds: 31, HTTPMilliseconds: 1.4, Processors: 2, MostOfThem: 1.5}
	d.Samples[0].Problem = Busy(12.3)
	var b bytes.Buffer
	if err := WriteHTML(&b, d); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"beyond this machine: a with 64 viewers", "(5 runs failed)", "timers were 12.3 ms late", "<b>40 ms a step</b>", "too little for other browsers, larger pictures and more below", "31 µs for a packet to a viewer; 1.4 ms for a megabyte by HTTP",
		"The latest of all valid runs is 3.2 ms", "1 of 24 runs are invalid",
		"Processor time is that of 4.0 seconds a run, no longer", "which is 0.2 % of a processor in such a time",
	} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("the page does not say %q", want)
		}
	}
	files := Document{Samples: d.Samples[13:15]}
	b.Reset()
	if err := WriteHTML(&b, files); err != nil {
		t.Fatal(err)
	}
	for _, bad := range []string{"What it costs", "<h2>Streams", "<script", "Processor time</h2>", "Processor time is that of"} {
		if strings.Contains(b.String(), bad) {
			t.Errorf("a comparison of files speaks of %q", bad)
		}
	}
}

// TestKindsApart: a run belongs to one kind of figures, also when it failed before anything was measured.
func TestKindsApart(t *testing.T) {
	list := []Sample{
		{Run: experiment.Run{Experiment: "a", Topology: experiment.Swarm}, Problem: "it failed"},
		{Run: experiment.Run{Experiment: "b", Topology: experiment.SFU}, Problem: "it failed"},
		{Run: experiment.Run{Experiment: "c", Topology: experiment.SFU, OwnProcesses: true}, Problem: "it failed"},
	}
	streams, files, processes := Figures(list, 0), FileFigures(list), ProcessFigures(list, 0)
	if len(streams) != 1 || len(files) != 1 || len(processes) != 1 || streams[0].Invalid+files[0].Invalid+processes[0].Invalid != 3 {
		t.Errorf("%+v %+v %+v", streams, files, processes)
	}
	if math.IsNaN(files[0].Last.Median) || files[0].Runs != 0 {
		t.Errorf("%+v", files[0])
	}
}

// TestHolds: a star whose viewers the relay takes over does not hold, a tree that is planned so does.
func TestHolds(t *testing.T) {
	for _, c := range []struct {
		f    Figure
		want bool
	}{
		{Figure{Cell: Cell{Topology: experiment.Star, Runs: 1}}, true},
		{Figure{Cell: Cell{Topology: experiment.Star, Runs: 1}, OnServer: 1}, false},
		{Figure{Cell: Cell{Topology: experiment.Tree2, Runs: 1}, OnServer: 1}, true},
		{Figure{Cell: Cell{Topology: experiment.Tree2, Runs: 1}, Unplaced: 1}, false},
		{Figure{Cell: Cell{Topology: experiment.SFU, Invalid: 1}}, false},
	} {
		if got := c.f.Holds(); got != c.want {
			t.Errorf("%+v: %v", c.f, got)
		}
	}
}

// TestCSVKinds: all kinds of runs have the columns of the heading.
func TestCSVKinds(t *testing.T) {
	var b bytes.Buffer
	d := mixed()
	if err := WriteCSV(&b, append(d.Samples, Sample{Problem: "it failed"})); err != nil {
		t.Fatal(err)
	}
	rows, err := csv.NewReader(&b).ReadAll() // which refuses rows of different lengths
	if err != nil || len(rows) != 1+12+3*(5+2+2+4)+1 {
		t.Errorf("%d rows, %v", len(rows), err)
	}
}

// TestUnrepaired: a point at which viewers never ask again is spoken of, alone and beside the same one at which they do.
func TestUnrepaired(t *testing.T) {
	at := func(name string, repair bool, received int, repeated float64) Sample {
		return Sample{
			Run: experiment.Run{Experiment: name, Topology: experiment.Star, Repeat: 1, Point: experiment.Point{
				Viewers: 5, UplinkMbit: 5, BitrateMbit: 1, Repair: repair,
			}},
			Seconds: 2, RepeatedMbit: repeated, Viewers: []Viewer{{ID: "v01", Via: "direct", Depth: 1, Packets: 1000, Received: received, LatencyMS: []float64{40}}},
		}
	}
	never, often := at("no-repair", false, 940, 0), at("uplink", true, 538, 21.4)
	const alone = "Viewers who never ask again for what was lost miss 6.0 % of the packets by the star with 5 viewers and uplinks of 5 Mbit/s"
	for want, samples := range map[string][]Sample{
		alone + ".": {never},
		alone + " (where they ask 46.2 %, while 21.4 Mbit/s of repeats come to the uploader's line).": {often, never},
	} {
		if words := (Document{Samples: samples}).Words(); !slices.Contains(words, want) {
			t.Errorf("%q is not said in %q", want, words)
		}
	}
}

// TestBadViewer: one viewer with a narrow line has figures of its own, on the page and in words, and is in no other.
func TestBadViewer(t *testing.T) {
	at := func(bad float64, narrow Viewer) Sample {
		other := Viewer{ID: "v02", Via: "sfu", Packets: 100, Received: 100, Frames: 2, WholeFrames: 2, LatencyMS: []float64{50, 52}}
		return Sample{
			Run: experiment.Run{Experiment: "network", Factor: "bad_downlink_mbit", Value: bad, Topology: experiment.SFU, Repeat: 1, Point: experiment.Point{
				Viewers: 2, BitrateMbit: 1, BadDownlinkMbit: bad,
			}},
			Seconds: 2, Beside: 2, Viewers: []Viewer{narrow, other},
		}
	}
	narrow := Viewer{ID: "v01", Bad: true, Via: "sfu", JoinMS: 900, Packets: 100, Received: 40, Frames: 2, WholeFrames: 1, GapMS: 700, LatencyMS: []float64{400}}
	usual := Viewer{ID: "v01", Via: "sfu", Packets: 100, Received: 100, Frames: 2, WholeFrames: 2, LatencyMS: []float64{50, 52}}
	d := Document{Samples: []Sample{at(0, usual), at(0.5, narrow)}}
	f := Figures(d.Samples, 0)[1]
	if f.Loss.Median != 0 || f.P50.Median != 51 || f.Gap.Median != 0 || f.Join.Median != 0 || f.Bad.Loss.Median != 60 || f.Bad.P50.Median != 400 || f.OnServer != 2 {
		t.Errorf("%+v", f)
	}
	want := "When one of 2 viewers can get 0.5 Mbit/s of a stream of 1, the others miss 0.0 % with a median of 51 ms by the relay (sfu) (else 0.0 % and 51 ms)."
	if words := d.Words(); !slices.Contains(words, want) {
		t.Errorf("%q is not said in %q", want, words)
	}
	var b bytes.Buffer
	if err := WriteHTML(&b, d); err != nil {
		t.Fatal(err)
	}
	row := "network: downlink of one viewer, Mbit/s = 0.5</td><td>the relay"
	if lost, p50 := cell(t, b.String(), row, 19), cell(t, b.String(), row, 20); lost != "60.0" || p50 != "400.0" {
		t.Errorf("the page says that the bad viewer loses %s with p50 %s", lost, p50)
	}
	if !strings.Contains(b.String(), "Up to 2 others ran beside one") {
		t.Error("the page does not say that runs were made beside each other")
	}
}

// TestCharts: each experiment has its own with its question; what is far apart is on a logarithmic scale.
func TestCharts(t *testing.T) {
	d := mixed()
	d.Experiments = []experiment.Experiment{{Name: "uplink", Question: "Where does it break?"}}
	list := grouped(Charts(Figures(d.Samples, 0)), d.Experiments)
	if len(list) != 1 || list[0].Question != "Where does it break?" || len(list[0].Charts) != 6 {
		t.Fatalf("%+v", list)
	}
	for _, s := range d.Samples {
		if s.Topology == experiment.Star {
			s.Viewers[0].LatencyMS = []float64{900}
		}
	}
	list = grouped(Charts(Figures(d.Samples, 0)), nil)
	c := list[0].Charts[0]
	if c.Title != "Latency, median, ms (logarithmic)" || c.Y[0].Text != "40" || c.Y[0].At != bottom || c.Y[len(c.Y)-1].At < top {
		t.Errorf("%+v", c)
	}
	for _, l := range c.Lines {
		for _, dot := range l.Dots {
			if dot.Y < top || dot.Y > bottom || dot.High > dot.Low {
				t.Errorf("%s is drawn at %+v", l.Topology, dot)
			}
		}
	}
}

// TestLevels: a tree has figures of each of its steps, others have none.
func TestLevels(t *testing.T) {
	d := mixed()
	for _, s := range d.Samples {
		for i := range s.Viewers {
			if s.Viewers[i].Depth > 1 {
				s.Viewers[i].LatencyMS = []float64{30 * float64(s.Viewers[i].Depth)}
			}
		}
	}
	for _, f := range Figures(d.Samples, 0) {
		want := ""
		if f.Topology == experiment.Tree2 {
			want = "42 / 60 / 90"
		}
		if got := levels(f.Levels); got != want {
			t.Errorf("%s: %q; want %q", f.Topology, got, want)
		}
	}
}

// TestComing: what viewers that come and go do is said beside the same point at which nobody does.
func TestComing(t *testing.T) {
	at := func(churn, gap float64, received int) Sample {
		return Sample{
			Run: experiment.Run{Experiment: "churn", Factor: "churn_per_minute", Value: churn, Topology: experiment.Tree2, Repeat: 1, Point: experiment.Point{
				Viewers: 1, ChurnPerMinute: churn,
			}},
			Seconds: 5, Frames: 150, Viewers: []Viewer{
				{ID: "v01", Via: "direct", Depth: 1, Frames: 150, Packets: 1000, Received: received, GapMS: gap, LatencyMS: []float64{40}},
				{ID: "w01", Via: "direct", Depth: 1, Frames: 20, GapMS: 3000, LatencyMS: []float64{40}}, // it came in the middle
			},
		}
	}
	want := "While 60 viewers a minute leave and others come, the longest wait of those who stay for a whole frame is 1240 ms by the tree of 2 (95 where nobody leaves)."
	if words := (Document{Samples: []Sample{at(0, 95, 1000), at(60, 1240, 995)}}).Words(); !slices.Contains(words, want) {
		t.Errorf("%q is not said in %q", want, words)
	}
}
