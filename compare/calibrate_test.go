package compare

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/fanfare-relay/fanfare/compare/experiment"
	"github.com/fanfare-relay/fanfare/compare/report"
)

func parse(t *testing.T, text string) experiment.Experiment {
	t.Helper()
	e, err := experiment.Parse([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// TestPlan: what the machine cannot carry is named once and left out; without a calibration nothing is.
func TestPlan(t *testing.T) {
	list := []experiment.Experiment{
		parse(t, "name = \"a\"\nrepeats = 2\ntopologies = [\"sfu\", \"star\"]\n[vary]\nviewers = [1, 64]\n"),
		parse(t, "name = \"b\"\nrepeats = 1\ntopologies = [\"swarm\", \"copies\", \"http\"]\n[base]\nviewers = 20\nuplink_mbit = 20\ndownlink_mbit = 20\n"),
	}
	c := report.Calibration{PacketMicroseconds: 250, MegabyteMilliseconds: 40, HTTPMilliseconds: 70, Processors: 2, MostOfThem: 1.5}
	runs, beyond := Plan(list, &c)
	want := "a with 64 viewers by the relay (sfu), which would take 1.9 of 2 processors; " +
		"a with 64 viewers by the star, which would take 1.9 of 2 processors; " +
		"b with 20 viewers by the swarm, which would take 1.5 of 2 processors; " +
		"b with 20 viewers by HTTP through the server, which would take 1.8 of 2 processors"
	if got := strings.Join(beyond, "; "); got != want || len(runs) != 5 {
		t.Errorf("%d runs, beyond: %s", len(runs), got)
	}
	if all, none := Plan(list, nil); len(all) != 11 || none != nil {
		t.Errorf("%d runs, beyond: %v", len(all), none)
	}
}

// TestCalibrate: it measures what the experiments need, and ends when it is told to.
func TestCalibrate(t *testing.T) {
	t.Parallel()
	used := time.Duration(0)
	r, err := NewRunner(nil, func() (time.Duration, error) { used += time.Second; return used, nil })
	if err != nil {
		t.Fatal(err)
	}
	list := []experiment.Experiment{
		parse(t, "name = \"a\""), parse(t, "name = \"b\"\ntopologies = [\"swarm\", \"http\"]"),
	}
	c, err := r.Calibrate(t.Context(), list)
	if err != nil {
		t.Fatal(err)
	}
	if c.PacketMicroseconds <= 0 || c.MegabyteMilliseconds <= 0 || c.HTTPMilliseconds <= 0 || c.Processors < 1 {
		t.Errorf("%+v", c)
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := r.Calibrate(ended, list); err == nil {
		t.Error("calibrated after the end")
	}
	unknown, err := NewRunner(nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := unknown.Calibrate(t.Context(), list); !errors.Is(err, ErrUntold) {
		t.Error(err)
	}
	if got := unknown.Together(t.Context(), []Planned{{Run: experiment.Run{OwnProcesses: true}}}); !errors.Is(got[0].Err, ErrUntold) {
		t.Error(got[0].Err)
	}
}
