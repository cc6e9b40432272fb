package overlay

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"
)

// FuzzPlanner plays a crowd against the planner: viewers come, go, stall and cannot connect. Nobody is ever
// without a picture or one on its way, nothing is broken before the new way is there, what viewers show has no
// ring, and who stalls is on its way to the server within StallAfter.
func FuzzPlanner(f *testing.F) {
	for seed := range uint64(100) {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, seed uint64) {
		rng := rand.New(rand.NewPCG(seed, 2))
		c := &crowd{t: t, p: NewPlanner(), now: time.Unix(1e9, 0), shows: map[string]Source{}, making: map[string]Source{}, silent: map[string]time.Time{}}
		c.step(Wish{Topology: []Topology{Star, Tree, Auto}[rng.IntN(3)], Fanout: 2 + rng.IntN(2), Bitrate: 1e6, Uplink: 10e6})
		for range 150 {
			c.chance(rng)
			c.check()
		}
		c.quiet()
	})
}

// crowd is the shell of a planner: it does what it is told, and checks.
type crowd struct {
	t      *testing.T
	p      *Planner
	now    time.Time
	shows  map[string]Source
	making map[string]Source
	silent map[string]time.Time
	next   int
}

func (c *crowd) step(in Input) {
	for _, o := range c.p.Step(in, c.now) {
		switch o := o.(type) {
		case Connect:
			if at := c.making[o.Viewer]; at.Via != Nowhere && at != o.From {
				c.t.Fatalf("%s is to connect to %s while %s is not released", o.Viewer, o.From, at)
			}
			if _, here := c.shows[o.From.Viewer]; o.From.Via == Relayed && !here {
				c.t.Fatalf("%s is to connect to %s, who is gone", o.Viewer, o.From)
			}
			c.making[o.Viewer] = o.From
		case Release:
			c.release(o)
		}
	}
}

func (c *crowd) release(o Release) {
	switch o.From {
	case c.shows[o.Viewer]:
		if _, failed := c.p.viewers[o.Viewer]; !failed {
			c.t.Fatalf("%s is released and unknown", o.Viewer)
		}
		c.shows[o.Viewer] = Source{}
	case c.making[o.Viewer]:
		delete(c.making, o.Viewer)
	default:
		c.t.Fatalf("%s is to release %s, which it does not have", o.Viewer, o.From)
	}
}

// ids are those in the crowd, sorted.
func (c *crowd) ids() (list []string) {
	for id := range c.shows {
		list = append(list, id)
	}
	slices.Sort(list)
	return list
}

// chance lets something happen.
func (c *crowd) chance(rng *rand.Rand) {
	ids := c.ids()
	if len(ids) == 0 || len(ids) < 16 && rng.IntN(5) == 0 {
		id := fmt.Sprintf("v%03d", c.next)
		c.next++
		c.shows[id] = Source{}
		c.step(Arrive{madeUpViewer(rng, id)})
		return
	}
	id := ids[rng.IntN(len(ids))]
	switch rng.IntN(12) {
	case 0:
		c.leave(id)
	case 1:
		if at, ok := c.making[id]; ok {
			c.step(Failed{id, at})
		}
	case 2:
		if at := c.shows[id]; at.Via != Nowhere {
			c.step(Failed{id, at})
		}
	case 3:
		if _, already := c.silent[id]; !already && c.shows[id].Via != Nowhere {
			c.silent[id] = c.now
			c.step(Silent{id, c.now})
		}
	case 4:
		delete(c.silent, id)
		c.step(Alive{id})
	case 5:
		c.step(Arrive{madeUpViewer(rng, id)})
	case 6, 7:
		c.pass(time.Duration(rng.IntN(3000)) * time.Millisecond)
	default:
		c.ready(id)
	}
}

func (c *crowd) leave(id string) {
	delete(c.shows, id)
	delete(c.making, id)
	delete(c.silent, id)
	for other, at := range c.shows {
		if at == (Source{Relayed, id}) {
			c.shows[other] = Source{}
		}
	}
	for other, at := range c.making {
		if at == (Source{Relayed, id}) {
			delete(c.making, other)
		}
	}
	c.step(Leave{id})
}

func (c *crowd) ready(id string) {
	at, ok := c.making[id]
	if !ok {
		return
	}
	former := c.shows[id]
	delete(c.making, id)
	delete(c.silent, id)
	// The old way is released by the planner, not before.
	c.shows[id] = at
	for _, o := range c.p.Step(Ready{id, at}, c.now) {
		switch o := o.(type) {
		case Release:
			if o.Viewer == id && o.From == former {
				former = Source{}
				continue
			}
			c.release(o)
		case Connect:
			c.making[o.Viewer] = o.From
		}
	}
	if former.Via != Nowhere {
		c.t.Fatalf("%s shows %s and is not told to release %s", id, at, former)
	}
}

// pass lets time go by.
func (c *crowd) pass(d time.Duration) {
	end := c.now.Add(d)
	for range 10_000 {
		at, ok := c.p.Deadline()
		if !ok || at.After(end) {
			c.now = end
			return
		}
		if at.After(c.now) {
			c.now = at
		}
		c.step(Tick{})
		c.check()
	}
	c.t.Fatal("the planner asks for ticks without end")
}

func (c *crowd) check() {
	c.t.Helper()
	for _, id := range c.ids() {
		if c.shows[id].Via == Nowhere && c.making[id].Via != Server {
			c.t.Fatalf("%s has nothing and %q is on its way", id, c.making[id])
		}
		at, steps := c.shows[id], 0
		for ; at.Via == Relayed; at = c.shows[at.Viewer] {
			if steps++; steps > len(c.shows) {
				c.t.Fatalf("%s is in a ring: %v", id, c.shows)
			}
		}
		since, silent := c.silent[id]
		if silent && c.now.Sub(since) >= StallAfter && c.shows[id].Via != Server && c.making[id].Via != Server {
			if at, ok := c.p.Deadline(); ok && !at.After(c.now) {
				continue // its tick is due
			}
			c.t.Fatalf("%s stalls since %v and is not rescued", id, c.now.Sub(since))
		}
	}
}

// quiet: when everything connects and nothing stalls, the plan comes true.
func (c *crowd) quiet() {
	for _, id := range c.ids() {
		delete(c.silent, id)
		c.step(Alive{id})
	}
	for range 200 {
		for _, id := range c.ids() {
			c.ready(id)
			c.check()
		}
		c.pass(time.Second)
	}
	for _, at := range c.p.Plan().Places {
		if c.shows[at.Viewer] != at.From {
			c.t.Fatalf("%s should get it from %s and shows %s", at.Viewer, at.From, c.shows[at.Viewer])
		}
	}
	if len(c.making) > 0 || len(c.p.Plan().Places) != len(c.shows) {
		c.t.Fatalf("there is no rest: %v", c.making)
	}
}
