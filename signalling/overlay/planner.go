package overlay

import (
	"cmp"
	"maps"
	"slices"
	"time"

	"github.com/fanfare-relay/fanfare/media"
)

// Times of the planner.
const (
	// StallAfter is how long a viewer may be without a new picture before it is given one by the server: with
	// the time that a session with the server takes, the picture is back within two seconds. A shorter one would
	// take the pauses of busy browsers for stalls.
	StallAfter = time.Second
	// settle is how long the planner waits after something happened before it plans anew: who comes gets the
	// picture from the server at once, and many come together.
	settle = time.Second
	// giveUp is when a connection that has brought no picture counts as impossible.
	giveUp = 20 * time.Second
	// rest is how long a viewer that stalled passes nothing on, and a way that stalled is not taken again.
	rest = 30 * time.Second
)

// Input is a fact that the shell tells the planner. The set is closed.
type Input interface{ input() }

type (
	// Arrive: a viewer came, or something about it changed.
	Arrive struct{ Viewer Viewer }
	// Leave: a viewer is gone, and with it all its connections.
	Leave struct{ Viewer string }
	// Wish: the uploader chose a topology, or its line, stream or server changed.
	Wish struct {
		Topology        Topology
		Fanout          int
		Bitrate, Uplink media.Bitrate
		ServerRoom      int
	}
	// Ready: a viewer shows a picture that came from a source.
	Ready struct {
		Viewer string
		From   Source
	}
	// Failed: a viewer cannot get the picture from a source.
	Failed struct {
		Viewer string
		From   Source
	}
	// Silent: a viewer has seen nothing new since some time, although the uploader sends; Alive: it does again.
	Silent struct {
		Viewer string
		Since  time.Time
	}
	Alive struct{ Viewer string }
	// Tick: the Deadline has come.
	Tick struct{}
)

func (Arrive) input() {}
func (Leave) input()  {}
func (Wish) input()   {}
func (Ready) input()  {}
func (Failed) input() {}
func (Silent) input() {}
func (Alive) input()  {}
func (Tick) input()   {}

// Output is what the shell is to do. The set is closed.
type Output interface{ output() }

type (
	// Connect: let the viewer get the picture from here too, and tell Ready when it shows it.
	Connect struct {
		Viewer string
		From   Source
	}
	// Release: end this way; the viewer does not need it any more.
	Release struct {
		Viewer string
		From   Source
	}
	// Explain: there is a new plan; its words are for the uploader.
	Explain struct{ Plan Plan }
)

func (Connect) output() {}
func (Release) output() {}
func (Explain) output() {}

// Planner carries out plans: make before break. It is a value; use NewPlanner.
type Planner struct {
	facts   Facts
	viewers map[string]*state
	resting map[string]time.Time // until when
	plan    Plan
	due     time.Time // of the next plan; zero: none is needed
}

// state is a viewer as the planner sees it.
type state struct {
	Viewer
	shows  Source // where its picture comes from
	making Source // what is being made; Nowhere: nothing
	since  time.Time
	silent time.Time // zero: it sees new pictures
	// blamed: its silence was acted upon.
	blamed bool
	// stalled is the source that it was rescued from last, and until when that is not tried again.
	stalled Source
	until   time.Time
}

// NewPlanner makes a planner without viewers; everything goes by the server.
func NewPlanner() *Planner {
	return &Planner{
		facts: Facts{Wish: SFU}, viewers: map[string]*state{}, resting: map[string]time.Time{},
		plan: Plan{Topology: SFU},
	}
}

// Plan is the newest plan.
func (p *Planner) Plan() Plan { return p.plan }

// Deadline is when the next Tick is due.
func (p *Planner) Deadline() (at time.Time, ok bool) {
	sooner := func(t time.Time) {
		if !ok || t.Before(at) {
			at, ok = t, true
		}
	}
	if !p.due.IsZero() {
		sooner(p.due)
	}
	for _, v := range p.viewers {
		if v.making.Via != Nowhere {
			sooner(v.since.Add(giveUp))
		}
		if !v.silent.IsZero() && !v.blamed {
			sooner(v.silent.Add(StallAfter))
		}
		if !v.until.IsZero() {
			sooner(v.until)
		}
	}
	for _, until := range p.resting {
		sooner(until)
	}
	return at, ok
}

// Step takes a fact and tells what to do, in this order.
func (p *Planner) Step(in Input, now time.Time) (out []Output) {
	switch in := in.(type) {
	case Arrive:
		out = p.arrive(in.Viewer, now)
	case Leave:
		out = p.leave(in.Viewer, now)
	case Wish:
		if in.Topology != p.facts.Wish {
			p.facts.Barred = nil // a person chose anew: what did not come up then may do so now
		}
		p.facts.Wish, p.facts.Fanout = in.Topology, in.Fanout
		p.facts.Bitrate, p.facts.Uplink, p.facts.ServerRoom = in.Bitrate, in.Uplink, in.ServerRoom
		p.due = now // a person waits
	case Ready:
		out = p.ready(in, now)
	case Failed:
		out = p.failed(in, now)
	case Silent:
		if v := p.viewers[in.Viewer]; v != nil && v.silent.IsZero() {
			v.silent = in.Since
		}
	case Alive:
		if v := p.viewers[in.Viewer]; v != nil && !v.silent.IsZero() {
			v.silent, v.blamed = time.Time{}, false
			p.later(now)
		}
	}
	return append(out, p.expire(now)...)
}

// sorted are the viewers in an order that does not depend on chance.
func (p *Planner) sorted() []*state {
	list := slices.Collect(maps.Values(p.viewers))
	slices.SortFunc(list, func(a, b *state) int { return cmp.Compare(a.ID, b.ID) })
	return list
}

// later plans anew soon.
func (p *Planner) later(now time.Time) {
	if at := now.Add(settle); p.due.IsZero() || at.Before(p.due) {
		p.due = at
	}
}

// arrive gives a new viewer the picture from the server, which is soonest; where it belongs is planned then.
func (p *Planner) arrive(v Viewer, now time.Time) []Output {
	p.later(now)
	if known := p.viewers[v.ID]; known != nil {
		known.Viewer = v
		return nil
	}
	p.viewers[v.ID] = &state{Viewer: v}
	return p.connect(p.viewers[v.ID], Source{Via: Server}, now)
}

func (p *Planner) connect(v *state, from Source, now time.Time) []Output {
	v.making, v.since = from, now
	return []Output{Connect{v.ID, from}}
}

// leave lets those who got the picture from a viewer have it from the server at once.
func (p *Planner) leave(id string, now time.Time) (out []Output) {
	if p.viewers[id] == nil {
		return nil
	}
	delete(p.viewers, id)
	delete(p.resting, id)
	p.facts.Barred = slices.DeleteFunc(p.facts.Barred, func(b Pair) bool { return b.A == id || b.B == id })
	gone := Source{Relayed, id}
	for _, v := range p.sorted() {
		if v.making == gone {
			v.making = Source{}
		}
		if v.shows == gone {
			v.shows = Source{}
		}
		out = append(out, p.toServer(v, now)...)
	}
	p.later(now)
	return out
}

// toServer sees to it that a viewer without a picture, or with one that stands still, is on its way to the
// server, and nowhere else.
func (p *Planner) toServer(v *state, now time.Time) (out []Output) {
	well := v.shows.Via == Server || v.shows.Via != Nowhere && !v.blamed
	if well || v.making.Via == Server {
		return nil
	}
	if v.making.Via != Nowhere {
		out = append(out, Release{v.ID, v.making})
	}
	return append(out, p.connect(v, Source{Via: Server}, now)...)
}

// ready ends the old way once the new one shows a picture.
func (p *Planner) ready(in Ready, now time.Time) (out []Output) {
	v := p.viewers[in.Viewer]
	if v == nil || v.making != in.From || in.From.Via == Nowhere {
		return nil
	}
	if v.shows.Via != Nowhere {
		out = append(out, Release{v.ID, v.shows})
	}
	v.shows, v.making, v.silent, v.blamed = in.From, Source{}, time.Time{}, false
	return append(out, p.proceed(now)...)
}

// failed notes a pair that cannot connect. The server is tried again.
func (p *Planner) failed(in Failed, now time.Time) (out []Output) {
	v := p.viewers[in.Viewer]
	if v == nil || in.From.Via == Nowhere || v.making != in.From && v.shows != in.From {
		return nil
	}
	if pair := (Pair{in.From.end(), v.ID}); in.From.Via != Server && p.facts.reaches(pair.A, pair.B) {
		p.facts.Barred = append(p.facts.Barred, pair)
	}
	out = append(out, Release{v.ID, in.From})
	if v.making == in.From {
		v.making = Source{}
	} else {
		v.shows = Source{}
	}
	p.later(now)
	return append(out, p.toServer(v, now)...)
}

// expire does what the time asks for.
func (p *Planner) expire(now time.Time) (out []Output) {
	for id, until := range p.resting {
		if !now.Before(until) {
			delete(p.resting, id)
			p.later(now)
		}
	}
	for _, v := range p.sorted() {
		if !v.until.IsZero() && !now.Before(v.until) {
			v.stalled, v.until = Source{}, time.Time{}
			p.later(now)
		}
		if !v.silent.IsZero() && !v.blamed && !now.Before(v.silent.Add(StallAfter)) {
			out = append(out, p.rescue(v, now)...)
		}
	}
	for _, v := range p.sorted() {
		if v.making.Via != Nowhere && !now.Before(v.since.Add(giveUp)) {
			out = append(out, p.failed(Failed{v.ID, v.making}, now)...)
		}
	}
	if !p.due.IsZero() && !now.Before(p.due) {
		out = append(out, p.replan(now)...)
	}
	return out
}

// rescue gives a viewer that sees nothing new the picture from the server. The viewer that should have passed
// it on rests, unless it sees nothing new itself: then the fault lies further up.
func (p *Planner) rescue(v *state, now time.Time) []Output {
	v.blamed = true
	if v.shows.Via == Server || v.making.Via == Server {
		return nil // there is nothing better
	}
	if from := p.viewers[v.shows.Viewer]; v.shows.Via == Relayed && from != nil && from.silent.IsZero() {
		p.resting[from.ID] = now.Add(rest)
	}
	v.stalled, v.until = v.shows, now.Add(rest)
	p.later(now)
	return p.toServer(v, now)
}

// replan builds a plan from what is known now and begins with it.
func (p *Planner) replan(now time.Time) (out []Output) {
	p.due = time.Time{}
	f, was := p.known()
	before := p.plan
	p.plan = Build(f, was, before.Topology)
	if p.plan.Why != before.Why || p.plan.Topology != before.Topology || !slices.Equal(p.plan.Places, before.Places) {
		out = append(out, Explain{p.plan})
	}
	for _, v := range p.sorted() { // what is no longer wanted
		if v.making.Via == Direct || v.making.Via == Relayed {
			if v.making != p.plan.Of(v.ID) {
				out = append(out, Release{v.ID, v.making})
				v.making = Source{}
			}
		}
	}
	return append(out, p.proceed(now)...)
}

// known are the facts for a plan, and what each viewer has or is about to have.
func (p *Planner) known() (f Facts, was map[string]Source) {
	f, was = p.facts, map[string]Source{}
	f.Barred = slices.Clone(f.Barred)
	f.Resting = slices.Sorted(maps.Keys(p.resting))
	for _, v := range p.sorted() {
		f.Viewers = append(f.Viewers, v.Viewer)
		if was[v.ID] = v.shows; v.making.Via != Nowhere {
			was[v.ID] = v.making
		}
		if v.stalled.Via != Nowhere {
			f.Barred = append(f.Barred, Pair{v.stalled.end(), v.ID})
		}
		if v.blamed { // it has nothing to pass on
			f.Resting = append(f.Resting, v.ID)
		}
	}
	return f, was
}

// proceed begins those changes before which nothing else must change.
func (p *Planner) proceed(now time.Time) (out []Output) {
	was := map[string]Source{}
	for id, v := range p.viewers {
		was[id] = v.shows
	}
	for _, c := range Changes(was, p.plan) {
		if v := p.viewers[c.Viewer]; v != nil && v.making.Via == Nowhere && c.After == "" && p.good(v, c.To) {
			out = append(out, p.connect(v, c.To, now)...)
		}
	}
	return out
}

// good tells whether a way that was planned is one still: something may have happened since.
func (p *Planner) good(v *state, from Source) bool {
	if from.Via == Relayed {
		if above := p.viewers[from.Viewer]; above == nil || !above.silent.IsZero() {
			return false
		}
	}
	return from.Via == Server || from != v.stalled && p.facts.reaches(from.end(), v.ID)
}
