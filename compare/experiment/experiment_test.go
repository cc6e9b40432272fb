package experiment

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
)

func TestParse(t *testing.T) {
	e, err := Parse([]byte("name = \"x\"\nrepeats = 2\ntopologies = [\"sfu\", \"star\"]\n[base]\nuplink_mbit = 5\n[vary]\nviewers = [1, 4]\nloss_percent = [1.5]\n"))
	if err != nil {
		t.Fatal(err)
	}
	runs := e.Runs()
	if len(runs) != 3*2*2 {
		t.Fatalf("%d runs", len(runs))
	}
	first, turned := runs[0], runs[6]
	if first.Topology != SFU || turned.Topology != Star || first.Seed == turned.Seed || runs[1].Seed != first.Seed {
		t.Errorf("no turns: %+v, then %+v", first, turned)
	}
	if first.Point.Viewers != 1 || first.Point.UplinkMbit != 5 || first.Point.RoundTripMS != 50 {
		t.Errorf("not round the base point: %+v", first)
	}
	if !first.Point.Repair || first.OwnProcesses {
		t.Errorf("not the usual: %+v", first)
	}
	if p := runs[4]; p.Factor != "loss_percent" || p.Value != 1.5 || p.Point.LossPercent != 1.5 || p.Point.Viewers != 8 {
		t.Errorf("%+v", p)
	}
}

// TestBasePoint: all factors share it, so it is measured once.
func TestBasePoint(t *testing.T) {
	e, err := Parse([]byte("name = \"x\"\nrepeats = 1\ntopologies = [\"sfu\"]\n[vary]\nviewers = [8]\nround_trip_ms = [20, 50]\nloss_percent = [0, 1]\n"))
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, r := range e.Runs() {
		got = append(got, fmt.Sprintf("%s=%g at %g ms, %g %%", r.Factor, r.Value, r.Point.Value("round_trip_ms"), r.Point.Value("loss_percent")))
	}
	want := []string{"=0 at 50 ms, 0 %", "round_trip_ms=20 at 20 ms, 0 %", "loss_percent=1 at 50 ms, 1 %"}
	if !slices.Equal(got, want) {
		t.Errorf("%q", got)
	}
}

// TestFactors: every key that can vary is known by its name, and lies in the point.
func TestFactors(t *testing.T) {
	for i, factor := range Factors() {
		text := fmt.Sprintf("name = \"x\"\nrepeats = 1\ntopologies = [\"sfu\"]\n[vary]\n%s = [%d]\n", factor, i+2)
		e, err := Parse([]byte(text))
		if err != nil {
			t.Fatal(err)
		}
		if r := e.Runs()[0]; r.Factor != factor || r.Value != float64(i+2) || r.Point.Value(factor) != float64(i+2) {
			t.Errorf("%s: %+v", factor, r)
		}
	}
	if v := (Point{}).Value("speed"); v != 0 {
		t.Errorf("a factor that does not exist is %g", v)
	}
}

// TestBound is arithmetic: a megabyte over a megabyte a second, less what headers take.
func TestBound(t *testing.T) {
	p := Point{Viewers: 4, UplinkMbit: 8.388608, FileMiB: 1}
	channel, stream := Swarm.Share(), HTTP.Share()
	for _, c := range []struct {
		name           string
		change         func(*Point)
		way            Topology
		bound, expects float64
	}{
		{"uplink", func(*Point) {}, Swarm, 1 / channel, 1.2 / channel},
		{"copies", func(*Point) {}, Copies, 1 / channel, 4 / channel},
		{"http", func(*Point) {}, HTTP, 1 / stream, 1 / stream},
		{"downlink", func(p *Point) { p.DownlinkMbit = 4.194304 }, Copies, 2 / channel, 8 / channel},
		{"told", func(p *Point) { p.ToldPercent = 50 }, Swarm, 2, 2.4},
		{"both legs", func(p *Point) { p.DownlinkMbit = 16.777216 }, HTTP, 1 / stream, 1.5 / stream},
	} {
		at := p
		c.change(&at)
		if b, x := at.Bound(c.way).Seconds(), at.Expected(c.way).Seconds(); math.Abs(b-c.bound) > 1e-6 || math.Abs(x-c.expects) > 1e-6 {
			t.Errorf("%s: bound %.4f, expected %.4f; want %.4f, %.4f", c.name, b, x, c.bound, c.expects)
		}
	}
}

func TestComplaints(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{"name = \"x\"\nviewer = 3", `line 2: there is no key "viewer"`},
		{"name = \"x\"\n[base]\nround_trip = 3", `there is no key "base.round_trip"`},
		{"name = \"x\"\n[base]\nviewers = 0", "viewers is 0; it can be 1 to 64"},
		{"name = \"x\"\n[vary]\nviewers = [1, 65]", "viewers is 65"},
		{"name = \"x\"\n[vary]\nloss_percent = [-1]", "loss_percent is -1"},
		{"name = \"x\"\n[base]\nuplink_mbit = nan", "uplink_mbit is NaN"},
		{"name = \"x\"\n[base]\nbitrate_mbit = inf", "bitrate_mbit is +Inf"},
		{"name = \"x\"\nrepeats = 0", "repeats is 0"},
		{"name = \"x\"\nseconds = \"5\"", "line 2"},
		{"name = \"x\"\ntopologies = [\"ring\"]", `topologies has "ring"`},
		{"name = \"x\"\ntopologies = [\"sfu\", \"sfu\"]", "once at most"},
		{"name = \"x\"\ntopologies = []", "topologies is empty"},
		{"name = \"../x\"", "name is"},
		{"name = \"x\"\ntopologies = [\"sfu\", \"swarm\"]", "of streams [sfu star tree2 tree3] or of files [swarm copies http]"},
		{"name = \"x\"\ntopologies = [\"swarm\"]\n[vary]\nloss_percent = [1]", "files are sent without loss_percent"},
		{"name = \"x\"\ntopologies = [\"http\"]\n[base]\nfile_mib = 2000", "file_mib is 2000; it can be 0.01 to 1024"},
		{"name = \"x\"\ntopologies = [\"http\"]\nprocesses = true", "processes is for streams"},
		{"name = \"x\"\nprocesses = true\n[vary]\nround_trip_ms = [1, 2]", "only viewers and bitrate_mbit can vary"},
		{"name = \"x\"\n[base]\ndownlink_mbit = -1", "downlink_mbit is -1"},
		{"name = \"x\"\n[base]\nrepair = 1", "line 3"},
		{"", "name is"},
		{"name = ", "line 1"},
	} {
		_, err := Parse([]byte(c.text))
		if !errors.Is(err, ErrBad) || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%q: %v; want %q", c.text, err, c.want)
		}
	}
}

// FuzzParse: no text makes it panic, and what it takes can be run.
func FuzzParse(f *testing.F) {
	f.Add([]byte("name = \"x\"\n[vary]\nviewers = [1, 2]\n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		e, err := Parse(text)
		if err != nil {
			return
		}
		if runs := e.points(); len(runs) == 0 || e.check() != nil {
			t.Fatalf("%q is taken and cannot be run", text)
		}
	})
}
