package main

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"
)

func TestPlans(t *testing.T) {
	for _, c := range []struct {
		name string
		plan plan
		most time.Duration
	}{{"quick", quick, 6 * time.Minute}, {"whole", whole, 25 * time.Minute}} {
		b := &bench{plan: c.plan}
		if d := b.left(b.steps()); d > c.most || d < time.Minute {
			t.Errorf("%s: %v", c.name, d)
		}
		var seen []string
		for _, s := range b.steps() {
			if !slices.Contains(seen, s.part) {
				seen = append(seen, s.part)
			}
		}
		slices.Sort(seen)
		if want := slices.Sorted(slices.Values(parts)); !slices.Equal(seen, want) {
			t.Errorf("%s: the parts are %v, want %v", c.name, seen, want)
		}
		b.only = partMemory
		want := historyFull + takes(c.plan.memoryViewers, false, c.plan.memoryFor)
		if n := c.plan.memoryBaseline; n > 0 {
			want += historyFull + takes(n, false, c.plan.memoryFor)
		}
		if d := b.left(b.steps()); d != want {
			t.Errorf("%s: memory alone takes %v", c.name, d)
		}
	}
}

// Both are measured in turns, so that a slow spell of the machine meets both.
func TestTurns(t *testing.T) {
	b := &bench{plan: plan{ladder: []int{10, 200, 800}, baseline: []int{10, 200}, repeated: map[int]int{200: 2}, floors: []int{200}}, server: []int{0}}
	var names []string
	for _, s := range b.fanoutSteps() {
		names = append(names, s.name)
	}
	want := []string{
		"Fanfare, 10 viewers", "baseline, 10 viewers", "Fanfare, 200 viewers", "the floor, 200 viewers on 1", "baseline, 200 viewers",
		"Fanfare, 200 viewers", "the floor, 200 viewers on 1", "baseline, 200 viewers", "Fanfare, 800 viewers",
	}
	if !slices.Equal(names, want) {
		t.Errorf("%q", names)
	}
}

// Fanfare climbs, and the baseline is there once.
func TestCardSteps(t *testing.T) {
	b := &bench{plan: plan{ladder: []int{10}, card: []int{200, 800}, turns: 1}}
	var names []string
	for _, s := range b.steps() {
		if s.part == partCard {
			names = append(names, s.name)
		}
	}
	if want := []string{"Fanfare, 200 viewers", "baseline, 200 viewers", "Fanfare, 800 viewers"}; !slices.Equal(names, want) {
		t.Errorf("%q", names)
	}
}

// Two cores have twice the viewers of one, in turns.
func TestCoresSteps(t *testing.T) {
	b := &bench{plan: plan{turns: 2, coresViewers: 200}, server: []int{0}, both: []int{0, 1}}
	var names []string
	for _, s := range b.coresSteps() {
		names = append(names, s.name)
	}
	turn := []string{"Fanfare, 200 viewers on 1", "Fanfare, 400 viewers on 2", "the floor, 200 viewers on 1", "the floor, 400 viewers on 2"}
	want := slices.Concat(turn, turn)
	if !slices.Equal(names, want) {
		t.Errorf("%q", names)
	}
}

// What did not hold is not tried with more, but once more with as many: turns are whole.
func TestLadderEnds(t *testing.T) {
	b := &bench{plan: whole}
	r := &results{Lines: []line{measured(baseline, 200, 6, slow)}}
	if err := b.fanoutStep(baseline, 400).run(t.Context(), r); err != nil || len(r.Lines) != 1 {
		t.Errorf("%d lines, %v", len(r.Lines), err)
	}
	if brokeAt(r.Lines, baseline) != 200 {
		t.Error("it did not break")
	}
}

func TestRamp(t *testing.T) {
	if rampOf(10, false) != 25 || rampOf(400, false) != 25 || rampOf(1600, false) != 100 || rampOf(1600, true) != 25 {
		t.Error(rampOf(10, false), rampOf(400, false), rampOf(1600, false), rampOf(1600, true))
	}
}

func TestCommandLine(t *testing.T) {
	for _, c := range []struct {
		config config
		want   string
	}{
		{config{}, "make bench"},
		{config{quick: true}, "make bench BENCH='-quick'"},
		{config{quick: true, only: partJoins}, "make bench BENCH='-quick -only joins'"},
	} {
		if got := commandLine(c.config); got != c.want {
			t.Errorf("%q, want %q", got, c.want)
		}
	}
	for _, only := range []string{"nonsense", "fanout,", "fanout, floor"} {
		if err := run(context.Background(), config{only: only}); !errors.Is(err, errPart) {
			t.Errorf("%q: %v", only, err)
		}
	}
	if !wanted("", partFloor) || !wanted("fanout,floor", partFloor) || wanted("fanout,floor", partJoins) {
		t.Error("a list of parts is misread")
	}
}
