package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"io"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// report is that of a server that holds.
func report(us float64) loadReport {
	var r loadReport
	r.Viewers, r.Connected, r.PacketsSteady = 1, 1, 100_000
	r.Server.CPUPerPacket, r.Server.CPUShare, r.Own.CPUShare = us, 0.5, 0.5
	if err := json.Unmarshal([]byte(`{"delay":{"median":1,"p99":5}}`), &r); err != nil {
		panic(err)
	}
	return r
}

func measured(peer string, viewers int, us float64, change ...func(*line)) line {
	l := line{Peer: peer, Viewers: viewers, Cores: 1, Report: report(us)}
	for _, f := range change {
		f(&l)
	}
	return l
}

func disturbed(l *line) { l.Quiet.Others = 0.2 }
func slow(l *line)      { l.Report.Delay.P99 = 80 }
func lossy(l *line)     { l.Report.LostSteady = 200 }
func clientFull(l *line) {
	l.Report.Own.CPUShare, l.Publisher = 0.9, 0.06
}

func TestBreach(t *testing.T) {
	for _, c := range []struct {
		name    string
		l       line
		want    string
		clients bool
	}{
		{"holds", measured(fanfare, 1, 2), "", false},
		{"slow", measured(fanfare, 1, 2, slow), "p99 80 ms", false},
		{"lossy", measured(fanfare, 1, 2, lossy), "0.20 % lost", false},
		{"the clients were full", measured(fanfare, 1, 2, lossy, clientFull), "0.20 % lost", true},
		{"both were full", measured(fanfare, 1, 2, lossy, clientFull, func(l *line) { l.Report.Server.CPUShare = 0.9 }), "0.20 % lost", false},
		{"full clients that hold", measured(fanfare, 1, 2, clientFull), "", false},
		{"some failed", measured(fanfare, 1, 2, func(l *line) { l.Report.Failed, l.Report.Gone = 2, 1 }), "3 viewers failed", false},
		{"no delay", measured(fanfare, 1, 2, func(l *line) { l.Report.Delay = nil }), "the delay is not known", false},
		{"no report", measured(fanfare, 1, 2, func(l *line) { l.Failure = "it broke" }), "it broke", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := c.l.breach(); got != c.want || c.l.clientsLimit() != c.clients {
				t.Errorf("%q, %v", got, c.l.clientsLimit())
			}
		})
	}
}

func TestHeld(t *testing.T) {
	for _, c := range []struct {
		name        string
		lines       []line
		held, broke int
	}{
		{"nothing", nil, 0, 0},
		{"all", []line{measured(fanfare, 100, 2), measured(fanfare, 800, 2)}, 800, 0},
		{"up to", []line{measured(fanfare, 100, 2), measured(fanfare, 800, 2), measured(fanfare, 1200, 2, slow)}, 800, 1200},
		{"not every time", []line{measured(fanfare, 100, 2), measured(fanfare, 200, 2), measured(fanfare, 200, 2, slow)}, 100, 200},
		{"a void line tells nothing", []line{measured(fanfare, 100, 2), measured(fanfare, 200, 2, slow, disturbed), measured(fanfare, 400, 2, disturbed)}, 100, 0},
		{"of the other", []line{measured(baseline, 100, 2, slow)}, 0, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			if held, _ := held(c.lines, fanfare); held != c.held || brokeAt(c.lines, fanfare) != c.broke {
				t.Errorf("held %d, broke at %d", held, brokeAt(c.lines, fanfare))
			}
		})
	}
}

func TestMedianAndRatio(t *testing.T) {
	for _, c := range []struct {
		of   []float64
		want float64
	}{{nil, 0}, {[]float64{3}, 3}, {[]float64{9, 1, 2}, 2}, {[]float64{1, 2, 3, 10}, 2.5}} {
		if got := median(c.of); got != c.want {
			t.Errorf("%v: %v", c.of, got)
		}
	}
	if x, ok := ratio([]float64{2}, []float64{5, 4, 6}); !ok || x != 0.4 {
		t.Errorf("%v, %v", x, ok)
	}
	for _, c := range [][2][]float64{{nil, {1}}, {{1}, nil}, {{1}, {0}}} {
		if _, ok := ratio(c[0], c[1]); ok {
			t.Errorf("%v has a ratio", c)
		}
	}
}

func TestPricesLeaveOutWhatDoesNotCount(t *testing.T) {
	r := &results{
		Lines: []line{measured(fanfare, 200, 2), measured(baseline, 200, 6), measured(fanfare, 200, 9, disturbed), measured(fanfare, 200, 9, lossy), measured(fanfare, 200, 3, slow), measured(fanfare, 400, 9)},
		Floors: []floorLine{
			{Viewers: 200, Total: 7, Estimated: true}, {Viewers: 200, Total: 1.5}, {Viewers: 200, Total: 9, Lost: 0.5}, {Viewers: 200, Total: 9, Quiet: quiet{Steal: 1}}, {Viewers: 400, Total: 9},
		},
	}
	// What came late was paid for like any other.
	if got := prices(r.Lines, fanfare, 200); !slices.Equal(got, []float64{2, 3}) {
		t.Errorf("Fanfare: %v", got)
	}
	if got := r.floorPrices(200); !slices.Equal(got, []float64{1.5}) {
		t.Errorf("floor: %v", got)
	}
	if got := (&results{Floors: r.Floors[:1]}).floorPrices(200); !slices.Equal(got, []float64{7}) {
		t.Errorf("floor of an assumed batch alone: %v", got)
	}
}

// The baseline's price is that of lines in which it was not overwhelmed, if it ever was not.
func TestBaselinePrices(t *testing.T) {
	lines := []line{measured(baseline, 200, 10), measured(baseline, 200, 17, slow), measured(baseline, 200, 24, lossy), measured(fanfare, 200, 2)}
	if got, holds := baselinePrices(lines, 200); !slices.Equal(got, []float64{10}) || !holds {
		t.Errorf("%v, %v", got, holds)
	}
	if got, holds := baselinePrices(lines[1:], 200); !slices.Equal(got, []float64{17}) || holds {
		t.Errorf("%v, %v", got, holds)
	}
}

func TestBatchOfTheRun(t *testing.T) {
	batch := func(mean float64) func(*line) { return func(l *line) { l.Batch, l.BatchKnown = mean, true } }
	r := &results{Lines: []line{measured(fanfare, 200, 2, batch(2)), measured(fanfare, 200, 2, batch(3)), measured(fanfare, 400, 2)}}
	if mean, known := meanBatchOf(r.Lines, 200); mean != 2.5 || !known {
		t.Errorf("%v, %v", mean, known)
	}
	if mean, known := meanBatchOf(r.Lines, 400); mean != batchUnknown || known {
		t.Errorf("%v, %v", mean, known)
	}
}

func joins(peer string, cpu float64) joinLine {
	l := joinLine{Peer: peer, Rate: 25, CPU: cpu}
	l.Report.Connected = 100
	return l
}

// A quarter of a second of the server over 100 joins.
func TestCostOfAJoin(t *testing.T) {
	l := joins(fanfare, 0.25)
	if got := l.cost(); math.Abs(got-2.5) > 1e-9 {
		t.Errorf("%v ms", got)
	}
	if got := (&joinLine{CPU: 1}).cost(); got != 0 {
		t.Errorf("nobody joined: %v ms", got)
	}
}

// kept is a rate that was kept up.
func kept(rate float64) joinLine {
	l := joins(fanfare, 1)
	l.Rate = rate
	if err := json.Unmarshal([]byte(`{"joins":{"connected":{"p95":90}}}`), &l.Report); err != nil {
		panic(err)
	}
	return l
}

func TestSustained(t *testing.T) {
	with := func(change func(*joinLine)) joinLine {
		l := kept(100)
		change(&l)
		return l
	}
	for _, c := range []struct {
		name string
		l    joinLine
		want bool
	}{
		{"kept up", with(func(*joinLine) {}), true},
		{"told to wait", with(func(l *joinLine) { l.Report.BusyWaits = 1 }), false},
		{"waited", with(func(l *joinLine) { l.Report.Joins.Connected.P95 = 900 }), false},
		{"failed", with(func(l *joinLine) { l.Report.Failed = 1 }), false},
		{"no report", with(func(l *joinLine) { l.Report.Joins, l.Failure = nil, "it broke" }), false},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := c.l.sustained(); got != c.want {
				t.Error(got)
			}
		})
	}
}

// whole is a run in which all was measured.
func wholeRun() *results {
	r := &results{Started: time.Date(2026, 11, 26, 0, 0, 0, 0, time.UTC), Seconds: 900, Command: "make bench", Machine: "- 2 cores\n"}
	for _, n := range []int{200, 400, 1200} {
		r.Lines = append(r.Lines, measured(fanfare, n, 2))
	}
	r.Lines = append(r.Lines, measured(baseline, 200, 6), measured(baseline, 400, 6, lossy))
	r.Card = []line{measured(fanfare, 200, 1.5), measured(baseline, 200, 5, slow), measured(fanfare, 1200, 1)}
	r.Floors = []floorLine{{Viewers: 200, Total: 1.7}, {Viewers: 400, Total: 1.0}}
	r.Cores = []line{measured(fanfare, 400, 2), measured(fanfare, 400, 2.1, func(l *line) { l.Cores = 2 })}
	r.Joins = []joinLine{joins(fanfare, 0.2), joins(baseline, 1)}
	r.Rates = []joinLine{kept(200), kept(300), {Peer: fanfare, Rate: 400}}
	r.Burst = &burst{Crowd: joinLine{Peer: fanfare, Viewers: 800, Rate: 400}, Watching: report(2)}
	r.Memory = []line{measured(fanfare, 400, 2, func(l *line) { l.Report.Server.RSSPerViewer = 50 << 10 })}
	return r
}

func TestFigures(t *testing.T) {
	var got []string
	for _, f := range wholeRun().figures() {
		met := "met"
		if !f.met {
			met = "missed"
		}
		got = append(got, f.value+" "+met)
	}
	want := []string{
		"0.33 met", "0.33 met", "1.18 met", "2.00 missed", "0.30; the baseline did not hold met",
		"1200, the most that was tried; sealing and sending alone would fill this core at about 3115 met", "1200, the most that was tried met", "1.90 met", "300 met", "0.20 met",
		"0 of 800; told to wait 0 times  met", "0.000 % met", "50 KiB with 400 viewers after 0 s met",
	}
	if !slices.Equal(got, want) {
		t.Errorf("got  %q\nwant %q", got, want)
	}
	for _, f := range (&results{}).figures() {
		if f.value != unknown || f.met && f.limit != "" {
			t.Errorf("nothing was measured: %+v", f)
		}
	}
}

func TestMissed(t *testing.T) {
	r := wholeRun()
	if got, want := r.missed(), []string{"server CPU a packet at 400 viewers, to the floor's"}; !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
	if got := (&results{NoCard: "it needs root"}).missed(); got != nil {
		t.Errorf("what was not measured was missed: %q", got)
	}
}

// What two cores do not bring in time is no work that they do; one core that does not hold is no measure for them. The floor's figure is
// beside it, and changes nothing.
func TestCoresFigure(t *testing.T) {
	two := func(us float64, change ...func(*line)) line {
		return measured(fanfare, 400, us, append(change, func(l *line) { l.Cores = 2 })...)
	}
	floor := func(one, two float64) []floorLine {
		return []floorLine{{Cores: 1, Total: one}, {Cores: 2, Total: two}, {Cores: 2, Total: 100 * two, Lost: 0.5}}
	}
	for _, c := range []struct {
		name  string
		lines []line
		floor []floorLine
		value string
		met   bool
	}{
		{"as cheap", []line{measured(fanfare, 200, 2), two(2)}, nil, "2.00", true},
		{"dearer", []line{measured(fanfare, 200, 2), two(2.5)}, nil, "1.60", false},
		{"dearer, as the floor is", []line{measured(fanfare, 200, 2), two(2.5)}, floor(1, 1.25), "1.60; to the floor: 1.60", false},
		{"as cheap, the floor better", []line{measured(fanfare, 200, 2), two(2)}, floor(1, 0.9), "2.00; to the floor: 2.22", true},
		{"half of the floor", []line{measured(fanfare, 200, 2), two(2.5)}, floor(1, 1.25)[:1], "1.60", false},
		{"late on two", []line{measured(fanfare, 200, 2), two(2), two(2, slow), two(2)}, floor(1, 2), "2.00; to the floor: 1.00; on two: p99 80 ms", false},
		{"late on one", []line{measured(fanfare, 200, 4, slow), measured(fanfare, 200, 2), two(2)}, nil, "2.00", true},
		{"void", []line{measured(fanfare, 200, 2), two(2, slow, disturbed)}, floor(1, 1), unknown, false},
	} {
		if f := (&results{Cores: c.lines, CoreFloors: c.floor}).coresFigure(); f.value != c.value || f.met != c.met {
			t.Errorf("%s: %+v", c.name, f)
		}
	}
}

func TestTogether(t *testing.T) {
	got := together([]floorLine{
		{Viewers: 200, MeanBatch: 2, MeanBytes: 1000, User: 1, System: 2, Total: 3, Lost: 0.5}, {Viewers: 200, MeanBatch: 3, MeanBytes: 900, User: 3, System: 2, Total: 5},
	})
	if want := (floorLine{Viewers: 400, Cores: 2, MeanBatch: 2.5, MeanBytes: 950, User: 2, System: 2, Total: 4, Lost: 0.25}); got != want {
		t.Errorf("%+v", got)
	}
}

// Who watched and went away has lost no packet of those that are counted.
func TestBurstWithoutWatchers(t *testing.T) {
	for name, change := range map[string]func(*loadReport){
		"nobody":      func(l *loadReport) { *l = loadReport{Viewers: 100} },
		"one fewer":   func(l *loadReport) { l.Viewers = 2 },
		"one is gone": func(l *loadReport) { l.Gone = 1 },
	} {
		r := wholeRun()
		change(&r.Burst.Watching)
		if f := r.burstFigures()[1]; f.met {
			t.Errorf("%s: %+v", name, f)
		}
	}
}

func TestHeldFigure(t *testing.T) {
	for _, c := range []struct {
		name string
		last line
		want string
		met  bool
	}{
		{"the server's limit", measured(fanfare, 1200, 2, slow), "800; at 1200: p99 80 ms (the server's core 50 % busy, the clients' 50 %)", false},
		{"the clients' limit", measured(fanfare, 1200, 2, lossy, clientFull), "800; at 1200 the clients were the limit: their core 96 % busy, the server's 50 %", true},
		{"by what is no process's", measured(fanfare, 1200, 2, lossy, func(l *line) { l.ClientCore = 0.97 }), "800; at 1200 the clients were the limit: their core 97 % busy, the server's 50 %", true},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := &results{Card: []line{measured(fanfare, 800, 2), c.last}}
			if f := r.heldFigure(); f.value != c.want || f.met != c.met {
				t.Errorf("%+v", f)
			}
		})
	}
	// Who holds them with the receiving half holds them without it.
	r := &results{Lines: []line{measured(fanfare, 1200, 2)}, Card: []line{measured(fanfare, 800, 2), measured(fanfare, 1200, 2, slow)}}
	if f := r.heldFigure(); !f.met || !strings.HasPrefix(f.value, "800; at 1200: p99 80 ms") || !strings.HasSuffix(f.value, "; 1200 with the receiving half") {
		t.Errorf("%+v", f)
	}
	r.Lines = []line{measured(fanfare, 1000, 2), measured(fanfare, 1200, 2, disturbed)}
	if f := r.heldFigure(); f.met {
		t.Errorf("%+v", f)
	}
	if f := (&results{NoCard: "it needs root"}).heldFigure(); f.value != "not measured: it needs root" || f.met {
		t.Errorf("%+v", f)
	}
	if text := (&results{NoCard: "it needs root"}).markdown(); !strings.Contains(text, "not measured: it needs root | ≥ 1200") {
		t.Errorf("a promise is called missed that was not tried:\n%s", text)
	}
}

func TestMarkdown(t *testing.T) {
	r := wholeRun()
	r.Lines = append(r.Lines, measured(fanfare, 1600, 3, disturbed))
	text := r.markdown()
	for _, want := range []string{
		"Measured on 26 November 2026, 00:00 UTC, in 15m0s.", "    make bench\n", "### Promised", "### Fan-out", "### Fan-out over a card", "### The floor", "### Joins", "### Memory",
		"| server CPU a packet at 400 viewers, to the floor's | 2.00 | **missed:** ≤ 1.30 |",
		"| Fanfare | 200 | 2.00 | 0.00 + 0.00 | 50 % | 50 % | 1.0 / 5.0 ms | 0.000 % | – | – |  |",
		"does not hold: 0.20 % lost", "**void:** other processes used 20 % of a core",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("the section lacks %q", want)
		}
	}
	if t.Failed() {
		t.Log(text)
	}
	if text := (&results{Only: partJoins}).markdown(); strings.Contains(text, "≤ 64 KiB") {
		t.Error("a promise of what was not to be measured")
	}
	if text := (&results{}).markdown(); strings.Contains(text, "### Fan-out") {
		t.Error("a table of nothing")
	}
}

func TestSave(t *testing.T) {
	file := filepath.Join(t.TempDir(), "new", "x.json")
	if err := wholeRun().save(file); err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var back results
	if err := json.Unmarshal(b, &back); err != nil || len(back.Lines) != 5 || back.Burst == nil {
		t.Errorf("%v: %s", err, b)
	}
}

func TestReadHome(t *testing.T) {
	for _, said := range []string{"\nFanfare is running.\n\n  Publish   http://127.0.0.1:4/studio\n  Home      http://127.0.0.1:4/\n", "  Home      http://127.0.0.1:4/\nmore"} {
		if got, err := readHome(bufio.NewReader(strings.NewReader(said))); err != nil || got != "http://127.0.0.1:4" {
			t.Errorf("%q, %v", got, err)
		}
	}
	if _, err := readHome(bufio.NewReader(strings.NewReader("no\n"))); !errors.Is(err, io.EOF) {
		t.Errorf("an address was found in a text without one: %v", err)
	}
}

func TestTail(t *testing.T) {
	var said tail
	for range 3 {
		_, _ = said.Write([]byte(strings.Repeat("x", tailSize) + "\n"))
	}
	_, _ = said.Write([]byte("first\r\nfanfare: it broke\n\n"))
	if got := said.last(); got != "fanfare: it broke" || len(said.text) > tailSize {
		t.Errorf("%q, %d bytes", got, len(said.text))
	}
	if got := (&tail{}).last(); got != "" {
		t.Errorf("nothing was said: %q", got)
	}
}
