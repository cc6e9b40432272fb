package experiment

import (
	"errors"
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
	if p := runs[4]; p.Factor != "loss_percent" || p.Value != 1.5 || p.Point.LossPercent != 1.5 || p.Point.Viewers != 8 {
		t.Errorf("%+v", p)
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
