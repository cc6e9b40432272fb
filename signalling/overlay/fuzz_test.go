package overlay

import (
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/fanfare-relay/fanfare/media"
)

// madeUp returns facts by chance.
func madeUp(rng *rand.Rand, n int) Facts {
	f := Facts{
		Wish: []Topology{SFU, Star, Tree, Tree, Tree, Auto}[rng.IntN(6)], Fanout: rng.IntN(5), Bitrate: 1e6,
		Uplink: []media.Bitrate{0, 1e6, 3e6, 5e6, 20e6, 100e6}[rng.IntN(6)], ServerRoom: rng.IntN(5) * 3,
	}
	for i := range n {
		f.Viewers = append(f.Viewers, madeUpViewer(rng, fmt.Sprintf("v%02d", i)))
	}
	for range rng.IntN(n + 1) {
		pair := Pair{Uploader, f.Viewers[rng.IntN(n)].ID}
		if rng.IntN(2) == 0 {
			pair.A = f.Viewers[rng.IntN(n)].ID
		}
		f.Barred = append(f.Barred, pair)
	}
	for _, v := range f.Viewers {
		if rng.IntN(8) == 0 {
			f.Resting = append(f.Resting, v.ID)
		}
	}
	return f
}

func madeUpViewer(rng *rand.Rand, id string) Viewer {
	return Viewer{
		ID: id, RTT: time.Duration(rng.IntN(200)) * time.Millisecond,
		Uplink: []media.Bitrate{0, 1e6, 2e6, 3e6, 10e6}[rng.IntN(5)],
		Device: []Device{Desktop, Desktop, Desktop, Phone, Tablet, Unknown}[rng.IntN(6)],
		Hidden: rng.IntN(8) == 0, Metered: rng.IntN(8) == 0, Refuses: rng.IntN(8) == 0,
	}
}

// sources are what a plan gives each viewer.
func sources(p Plan) map[string]Source {
	m := map[string]Source{}
	for _, at := range p.Places {
		m[at.Viewer] = at.From
	}
	return m
}

// wrong tells what is wrong with a plan, "" for nothing.
func wrong(f Facts, p Plan) string {
	places, children := map[string]Place{}, map[string]int{}
	for _, at := range p.Places {
		places[at.Viewer] = at
		children[at.From.end()]++
	}
	if len(p.Places) != len(f.Viewers) || len(places) != len(f.Viewers) {
		return "not everybody has one place"
	}
	if !slices.IsSortedFunc(p.Places, func(a, b Place) int { return compareText(a.Viewer, b.Viewer) }) {
		return "not sorted"
	}
	if f.Wish != Auto && p.Topology != f.Wish || p.Topology == Auto || p.Why == "" {
		return "the wrong topology, or no reason"
	}
	for _, v := range f.Viewers {
		at := places[v.ID]
		if n := children[v.ID]; n > 0 && (v.Device != Desktop || v.Hidden || v.Metered || v.Refuses || slices.Contains(f.Resting, v.ID)) {
			return v.ID + " must not pass on"
		} else if n > f.fanout() || v.Uplink > 0 && float64(n)*1e6 > float64(v.Uplink)*Share {
			return v.ID + " passes on to too many"
		}
		want := 0
		switch at.From.Via {
		case Direct:
			want = 1
		case Relayed:
			if want = places[at.From.Viewer].Depth + 1; want == 1 {
				return v.ID + " is below one that is served by the server"
			}
		case Nowhere:
			return v.ID + " gets nothing"
		}
		if at.Depth != want || want > MaxDepth || want > 0 && p.Topology == SFU || want > 1 && p.Topology == Star {
			return v.ID + " is at a wrong depth"
		}
		if want > 0 && !f.reaches(at.From.end(), v.ID) {
			return v.ID + " cannot be reached"
		}
	}
	if f.Uplink >= 2e6 && float64(p.Copies)*1e6 > float64(f.Uplink) || p.Topology == Tree && children[Uploader] > f.fanout() {
		return "the uploader sends too many"
	}
	return ""
}

func compareText(a, b string) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}

// FuzzBuild: every plan keeps the rules, whatever the facts and whatever was before; the order of the facts says
// nothing; a plan that is built again stays as it is.
func FuzzBuild(f *testing.F) {
	for seed := range uint64(50) {
		f.Add(seed, uint8(seed))
	}
	f.Fuzz(func(t *testing.T, seed uint64, size uint8) {
		rng := rand.New(rand.NewPCG(seed, 1))
		n := 1 + int(size)%40
		facts := madeUp(rng, n)
		plan := Build(facts, nil, "")
		if text := wrong(facts, plan); text != "" {
			t.Fatalf("%s\n%+v\n%+v", text, facts, plan)
		}
		mixed := facts
		mixed.Viewers = slices.Clone(facts.Viewers)
		rng.Shuffle(n, func(i, j int) { mixed.Viewers[i], mixed.Viewers[j] = mixed.Viewers[j], mixed.Viewers[i] })
		if other := Build(mixed, nil, ""); !reflect.DeepEqual(plan, other) {
			t.Fatalf("the order of the viewers matters:\n%+v\n%+v", plan, other)
		}
		if again := Build(facts, sources(plan), plan.Topology); again.Topology == plan.Topology && !reflect.DeepEqual(plan.Places, again.Places) {
			t.Fatalf("a plan does not stay:\n%+v\n%+v", plan, again)
		}
		nonsense := map[string]Source{}
		for _, v := range facts.Viewers {
			nonsense[v.ID] = Source{Relayed, facts.Viewers[rng.IntN(n)].ID}
		}
		if text := wrong(facts, Build(facts, nonsense, "")); text != "" {
			t.Fatalf("from nonsense: %s\n%+v", text, facts)
		}
		leaves(t, rng, facts, plan)
	})
}

// leaves checks that few change when one leaves: those who got the picture through it, one for whom there is a
// place now, and who makes room for one that can pass on.
func leaves(t *testing.T, rng *rand.Rand, facts Facts, plan Plan) {
	t.Helper()
	gone := facts.Viewers[rng.IntN(len(facts.Viewers))].ID
	rest := facts
	rest.Wish = plan.Topology
	rest.Viewers = slices.DeleteFunc(slices.Clone(facts.Viewers), func(v Viewer) bool { return v.ID == gone })
	was := sources(plan)
	delete(was, gone)
	after := Build(rest, was, plan.Topology)
	if text := wrong(rest, after); text != "" {
		t.Fatalf("%s left: %s", gone, text)
	}
	below, gained, moved := 0, 0, 0
	for _, v := range rest.Viewers {
		before, now := plan.Of(v.ID), after.Of(v.ID)
		switch {
		case through(plan, v.ID, gone):
			below++
		case before.Via == Server && now.Via != Server:
			gained++
		case before != now:
			moved++
		}
	}
	if moved > below+gained {
		t.Fatalf("%s left, %d were below it, %d got a place, and %d others had to move\n%+v\n%+v", gone, below, gained, moved, plan, after)
	}
	if moved+gained+below < len(Changes(was, after)) {
		t.Fatalf("more changes than viewers that moved")
	}
}

// through tells whether a viewer gets the picture by way of another one.
func through(p Plan, viewer, other string) bool {
	for at := p.Of(viewer); at.Via == Relayed; at = p.Of(at.Viewer) {
		if at.Viewer == other {
			return true
		}
	}
	return false
}

// TestEqualsStay: where all can pass on, nobody moves but those who lost their source.
func TestEqualsStay(t *testing.T) {
	for n := 2; n <= 14; n++ {
		f := Facts{Wish: Tree, Fanout: 2, Bitrate: 1e6, Uplink: 10e6}
		for i := range n {
			f.Viewers = append(f.Viewers, Viewer{ID: fmt.Sprintf("v%02d", i), Device: Desktop, Uplink: 10e6})
		}
		plan := Build(f, nil, "")
		for i := range n {
			gone := f.Viewers[i].ID
			rest := f
			rest.Viewers = slices.Delete(slices.Clone(f.Viewers), i, i+1)
			was := sources(plan)
			delete(was, gone)
			for _, c := range Changes(was, Build(rest, was, Tree)) {
				if !through(plan, c.Viewer, gone) && plan.Of(c.Viewer).Via != Server {
					t.Errorf("%d viewers, %s left: %s moved from %s to %s", n, gone, c.Viewer, c.From, c.To)
				}
			}
		}
	}
}
