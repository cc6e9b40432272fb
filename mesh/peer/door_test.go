package peer

import (
	"testing"
	"time"

	"github.com/fanfare-relay/fanfare/mesh/seal"
	"github.com/fanfare-relay/fanfare/mesh/wire"
)

// TestDoor plays scripts of who asks with what, and what the answer is.
func TestDoor(t *testing.T) {
	now := time.Unix(1_800_000_000, 0)
	ann, bob, cat := seal.PublicKey{1}, seal.PublicKey{2}, seal.PublicKey{3}
	type step struct {
		who      seal.PublicKey
		password string
		after    time.Duration
		act      func(*door) // before the question
		want     verdict
	}
	decide := func(who seal.PublicKey, yes bool) func(*door) {
		return func(d *door) { d.decide(who, yes, counter(40)) }
	}
	takes := func(who seal.PublicKey) func(*door) { return func(d *door) { d.takes(who) } }
	tests := []struct {
		name  string
		rule  Rule
		steps []step
	}{
		{name: "everyone, and the same again", steps: []step{
			{who: ann, want: verdict{serial: 1}}, {who: bob, want: verdict{serial: 2}}, {who: ann, want: verdict{serial: 1}},
		}},
		{name: "the first two who receive", rule: Rule{Max: 2}, steps: []step{
			{who: ann, want: verdict{serial: 1}}, {who: bob, want: verdict{serial: 2}},
			{who: cat, act: takes(ann), want: verdict{serial: 3}},
			{who: cat, act: takes(bob), want: verdict{refused: seal.ReasonFull}}, {who: ann, want: verdict{serial: 1}},
		}},
		{name: "the place of one who left with nothing", rule: Rule{Max: 1}, steps: []step{
			{who: ann, want: verdict{serial: 1}}, {who: bob, want: verdict{serial: 2}},
			{who: bob, act: takes(ann), want: verdict{refused: seal.ReasonFull}},
			{who: bob, act: func(d *door) { d.free(ann); d.free(ann) }, want: verdict{serial: 2}},
			{who: ann, act: takes(bob), want: verdict{refused: seal.ReasonFull}},
			{who: ann, act: func(d *door) { d.remove(bob) }, want: verdict{serial: 1}},
		}},
		{name: "no place left when the person says yes", rule: Rule{Approve: true, Max: 1}, steps: []step{
			{who: ann, want: verdict{wait: true}}, {who: bob, want: verdict{wait: true}},
			{who: ann, act: decide(ann, true), want: verdict{serial: 41}},
			{who: bob, act: func(d *door) { takes(ann)(d); decide(bob, true)(d) }, want: verdict{refused: seal.ReasonFull}},
			{who: bob, act: func(d *door) { d.free(ann) }, want: verdict{wait: true}},
		}},
		{name: "by approval", rule: Rule{Approve: true}, steps: []step{
			{who: ann, want: verdict{wait: true}}, {who: bob, want: verdict{wait: true}},
			{who: ann, act: decide(ann, true), want: verdict{serial: 41}},
			{who: bob, act: decide(bob, false), want: verdict{refused: seal.ReasonDenied}},
		}},
		{name: "a decision about nobody", rule: Rule{Approve: true}, steps: []step{
			{who: ann, act: decide(bob, true), want: verdict{wait: true}},
		}},
		{name: "by password", rule: Rule{Password: "sesame"}, steps: []step{
			{who: ann, want: verdict{refused: seal.ReasonPassword}},
			{who: ann, password: "sesame", want: verdict{serial: 1}},
		}},
		{name: "five wrong passwords", rule: Rule{Password: "sesame"}, steps: []step{
			{who: ann, password: "1", want: verdict{refused: seal.ReasonPassword}},
			{who: ann, password: "2", want: verdict{refused: seal.ReasonPassword}},
			{who: ann, password: "3", want: verdict{refused: seal.ReasonPassword}},
			{who: ann, password: "4", want: verdict{refused: seal.ReasonPassword}},
			{who: ann, password: "5", want: verdict{refused: seal.ReasonPassword}},
			{who: ann, password: "sesame", want: verdict{refused: seal.ReasonPassword}},
			{who: bob, password: "sesame", want: verdict{serial: 1}},
		}},
		{name: "removed for good", steps: []step{
			{who: ann, want: verdict{serial: 1}},
			{who: ann, act: func(d *door) { d.remove(ann) }, want: verdict{refused: seal.ReasonRemoved}},
		}},
		{name: "too late", steps: []step{
			{who: ann, want: verdict{serial: 1}},
			{who: ann, after: time.Hour, want: verdict{refused: seal.ReasonExpired}},
		}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			d, draw := newDoor(test.rule, now.Add(time.Hour)), counter(0)
			for i, s := range test.steps {
				if s.act != nil {
					s.act(d)
				}
				if got := d.ask(s.who, "name", s.password, draw, now.Add(s.after)); got != s.want {
					t.Fatalf("step %d: %+v, want %+v", i, got, s.want)
				}
			}
		})
	}
}

// TestDoorGuessing: with fifty wrong passwords over all keys, only the person lets in.
func TestDoorGuessing(t *testing.T) {
	now := time.Unix(1_800_000_000, 0)
	d, draw := newDoor(Rule{Password: "sesame"}, now.Add(time.Hour)), counter(0)
	for i := range wrongOfAll {
		d.ask(seal.PublicKey{byte(i), 1}, "", "guess", draw, now)
	}
	if got := d.ask(seal.PublicKey{0, 2}, "", "sesame", draw, now); !got.wait {
		t.Errorf("%+v", got)
	}
}

// TestDoorAfterRestart: guests of an earlier run, who come with its tokens, count.
func TestDoorAfterRestart(t *testing.T) {
	now := time.Unix(1_800_000_000, 0)
	ann, bob := seal.PublicKey{1}, seal.PublicKey{2}
	d, draw := newDoor(Rule{Max: 1}, now.Add(time.Hour)), counter(6)
	d.returned(ann, 7, "a")
	d.returned(ann, 7, "a")
	d.takes(ann)
	if got := d.ask(bob, "", "", draw, now); got.refused != seal.ReasonFull {
		t.Errorf("bob: %+v", got)
	}
	if got := d.ask(ann, "", "", draw, now); got.serial != 7 {
		t.Errorf("ann: %+v", got)
	}
	if serial := d.remove(ann); serial != 7 {
		t.Errorf("%d is revoked", serial)
	}
}

// TestDoorOfEarlierRun: who was let in by an earlier run has no place by that. It is put back when none is left, whether it
// comes after that or before, begins to receive or only looks.
func TestDoorOfEarlierRun(t *testing.T) {
	now := time.Unix(1_800_000_000, 0)
	ann, bob, cat := seal.PublicKey{1}, seal.PublicKey{2}, seal.PublicKey{3}
	d, draw := newDoor(Rule{Max: 1}, now.Add(time.Hour)), counter(0)
	if out := d.returned(cat, 9, "c"); len(out) != 0 {
		t.Errorf("while there is a place %d are put back", len(out))
	}
	d.ask(bob, "", "", draw, now)
	if out := d.takes(bob); len(out) != 1 || out[0] != cat {
		t.Errorf("bob takes the place, and put back are %d", len(out))
	}
	for _, comes := range []func() []seal.PublicKey{
		func() []seal.PublicKey { return d.returned(ann, 7, "a") },
		func() []seal.PublicKey { return d.takes(ann) }, // what it said was under way
		func() []seal.PublicKey { return d.returned(ann, 7, "a") },
	} {
		if out := comes(); len(out) != 1 || out[0] != ann || d.guests[ann].took {
			t.Errorf("ann comes, and put back are %d; she has a place: %v", len(out), d.guests[ann].took)
		}
	}
	if got := d.ask(ann, "", "", draw, now); got.refused != seal.ReasonFull {
		t.Errorf("ann, who asks again: %+v", got)
	}
	d.free(bob)
	if got := d.ask(ann, "", "", draw, now); got.serial != 7 {
		t.Errorf("ann, when there is a place: %+v", got)
	}
	d.rule.Password = "sesame"
	dan := seal.PublicKey{4}
	d.ask(dan, "", "guess", draw, now)
	d.returned(dan, 5, "d")
	if serial := d.remove(dan); serial != 5 {
		t.Errorf("of one that asked before it came by its token %d is revoked", serial)
	}
}

// TestPlaceOfOneWhoSaysNothing: a place is free again by a link that said what its peer has, and that is nothing.
func TestPlaceOfOneWhoSaysNothing(t *testing.T) {
	now := time.Unix(1_800_000_000, 0)
	s := holding(0, make([]neighbour, 5)) // links of one peer, one after the other
	s.cfg.Tell = func(Event) {}
	s.door = newDoor(Rule{Max: 1}, now.Add(time.Hour))
	s.door.ask(s.slots[0].peer, "ann", "", counter(0), now)
	for i, c := range []struct {
		name  string
		says  *wire.Stat
		taken bool
	}{
		{"with something", &wire.Stat{Held: 3}, true},
		{"without a word", nil, true},
		{"with nothing", &wire.Stat{}, false},
		{"with everything, of which no piece is one", &wire.Stat{State: wire.Complete}, true},
		{"without a word, again", nil, true},
	} {
		l := s.slots[i]
		if c.says != nil {
			s.fares(l, *c.says, now)
		}
		if s.forget(l); s.door.full() != c.taken {
			t.Errorf("one that leaves %s: its place is taken: %v", c.name, !c.taken)
		}
	}
}

// TestDoorCounts: those who receive and were not removed, and of them those who have everything.
func TestDoorCounts(t *testing.T) {
	now := time.Unix(1_800_000_000, 0)
	d, draw := newDoor(Rule{}, now.Add(time.Hour)), counter(0)
	for i := range 5 {
		who := seal.PublicKey{byte(i)}
		d.ask(who, "", "", draw, now)
		if i < 4 { // the last one only looks
			d.takes(who)
		}
		d.guests[who].complete = i < 4 && i%2 == 0
	}
	d.remove(seal.PublicKey{0})
	if in, complete := d.counts(); in != 3 || complete != 1 {
		t.Errorf("%d in, %d complete", in, complete)
	}
}

// TestDoorBounds: a thousand are remembered, of whom 64 wait; who only hears of a password is not.
func TestDoorBounds(t *testing.T) {
	now := time.Unix(1_800_000_000, 0)
	key := func(n int) seal.PublicKey { return seal.PublicKey{byte(n), byte(n >> 8), 1} }
	d, draw := newDoor(Rule{Approve: true, Password: "sesame"}, now.Add(time.Hour)), counter(0)
	for n := range 2 * maxGuests {
		d.ask(key(n), "", "", draw, now)
	}
	if len(d.guests) != 0 {
		t.Errorf("%d who did not know of the password are remembered", len(d.guests))
	}
	for n := range maxWaiting + 1 {
		if got := d.ask(key(n), "", "sesame", draw, now); got.wait != (n < maxWaiting) {
			t.Fatalf("%d: %+v", n, got)
		}
	}
	d.rule = Rule{}
	for n := maxWaiting; n <= maxGuests; n++ {
		if got := d.ask(key(n), "", "", draw, now); (got.serial != 0) != (n < maxGuests) {
			t.Fatalf("%d: %+v", n, got)
		}
	}
	if got := d.ask(key(maxGuests-1), "", "", draw, now); got.serial == 0 || len(d.guests) != maxGuests {
		t.Errorf("%+v of %d", got, len(d.guests))
	}
}

// TestDoorForgetsGuessers: whoever guesses passwords under keys without end locks nobody out. Of those who wait, were let
// in, denied or removed none is forgotten.
func TestDoorForgetsGuessers(t *testing.T) {
	now := time.Unix(1_800_000_000, 0)
	key := func(n int) seal.PublicKey { return seal.PublicKey{byte(n), byte(n >> 8), 1} }
	in, waits, denied, removed := seal.PublicKey{1, 2, 3}, seal.PublicKey{2, 2, 3}, seal.PublicKey{3, 2, 3}, seal.PublicKey{4, 2, 3}
	d, draw := newDoor(Rule{Password: "sesame"}, now.Add(time.Hour)), counter(0)
	d.ask(in, "", "sesame", draw, now)
	d.outside(Removed{Key: removed})
	d.rule.Approve = true
	for _, who := range []seal.PublicKey{waits, denied} {
		d.ask(who, "", "sesame", draw, now)
	}
	d.decide(denied, false, draw)
	d.rule.Approve = false
	for n := range 2 * maxGuests {
		for range 1 + n%wrongOfOne { // some are refused for good
			if got := d.ask(key(n), "", "guess", draw, now); got.refused != seal.ReasonPassword {
				t.Fatalf("guess of %d: %+v", n, got)
			}
		}
	}
	if got := d.ask(seal.PublicKey{5, 2, 3}, "", "sesame", draw, now); !got.wait || len(d.guests) != maxGuests {
		t.Errorf("one who knows it: %+v, of %d", got, len(d.guests))
	}
	for who, want := range map[seal.PublicKey]verdict{
		in: {serial: 1}, waits: {wait: true}, denied: {refused: seal.ReasonDenied}, removed: {refused: seal.ReasonRemoved},
	} {
		if got := d.ask(who, "", "", draw, now); got != want {
			t.Errorf("%d is forgotten: %+v", who[0], got)
		}
	}
}

func counter(n uint32) func() uint32 {
	return func() uint32 { n++; return n }
}
