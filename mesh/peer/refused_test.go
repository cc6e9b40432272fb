package peer

import (
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/fanfare-relay/fanfare/mesh/seal"
	"github.com/fanfare-relay/fanfare/mesh/wire"
)

// TestRefusedByAnotherToken: whom the person removed or denied is not served by a token of which others were not told, be it of an earlier
// run, or one for which the list had no room. It hears why and nothing else, and its token goes on the list.
func TestRefusedByAnotherToken(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	sender := r.share(func(c *Config) { c.Share.Rule.Approve = true }, small(t))
	await[Opened](sender)
	s := sender.swarm
	asks := func(who byte) seal.PublicKey {
		dh := seal.PublicKey{who}
		if v := s.door.ask(dh, "eve", "", drawSerial, time.Now()); !v.wait {
			t.Errorf("%d, who asks: %+v", who, v)
		}
		s.door.guests[dh].endpoint = "nobody"
		return dh
	}
	isOut := func(what string, frames []wire.Frame, serials ...uint32) {
		t.Helper()
		if n := len(frames); n != 1 || frames[0] != wire.Frame(wire.Bye{Reason: wire.NotAdmitted}) {
			t.Errorf("%s: it hears %d frames: %+v", what, n, frames)
		}
		s.call(func() {
			for _, serial := range serials {
				if !s.revoked.Has(serial) {
					t.Errorf("%s: %d is not among %d", what, serial, s.revoked.Serials)
				}
			}
		})
	}

	s.call(func() {
		dh := asks(1)
		s.decide(dh, true)
		if _, err := s.remove(dh); err != nil {
			t.Error(err)
		}
	})
	isOut("removed, by a token of an earlier run", sender.puppetBy(1, 11).last(), 11)

	s.call(func() { s.decide(asks(2), false) })
	isOut("denied, by a token of an earlier run", sender.puppetBy(2, 12).last(), 12)

	s.call(func() { asks(3) })
	here := sender.puppetBy(3, 13)
	s.call(func() { s.decide(seal.PublicKey{3}, false) })
	frames := here.last()
	isOut("denied while it is here by one", frames[len(frames)-1:], 13)

	s.call(func() { s.decide(asks(4), true) })
	here = sender.puppetBy(4, 14)
	var removed Removed
	var err error
	s.call(func() { removed, err = s.remove(seal.PublicKey{4}) })
	if err != nil || !slices.Equal(removed.Earlier, []uint32{14}) {
		t.Errorf("%v; with %d, also %d are revoked", err, removed.Serial, removed.Earlier)
	}
	frames = here.last()
	isOut("removed, with two tokens", frames[len(frames)-1:], removed.Serial, 14)

	here = sender.puppetBy(5, 15)
	s.call(func() {
		for i := uint32(0); len(s.revoked.Serials) < seal.MaxRevoked; i++ {
			s.revoked.Serials = append(s.revoked.Serials, 1<<31+i)
		}
		if _, err := s.remove(seal.PublicKey{5}); !errors.Is(err, ErrManyRemoved) {
			t.Errorf("the list is full: %v", err)
		}
	})
	here.last()
	isOut("removed, and others cannot be told", sender.puppetBy(5, 15).last())
}

// TestDoorOfTwoTokens: who asks and comes by a token of an earlier run as well keeps that one, and what it took by it is free when it is denied.
func TestDoorOfTwoTokens(t *testing.T) {
	now := time.Unix(1_800_000_000, 0)
	ann, bob := seal.PublicKey{1}, seal.PublicKey{2}
	d, draw := newDoor(Rule{Approve: true, Max: 2}, now.Add(time.Hour)), counter(40)
	for i, who := range []seal.PublicKey{ann, bob} {
		d.ask(who, "", "", draw, now)
		d.returned(who, uint32(7+i), "")
		d.takes(who)
	}
	d.rule.Max = 3
	if v, _ := d.decide(ann, true, draw); v.serial != 7 {
		t.Errorf("ann, who is let in: %+v", v)
	}
	if d.decide(bob, false, draw); d.inside != 1 {
		t.Errorf("%d places are taken", d.inside)
	}
	if out := d.takes(bob); len(out) != 1 || out[0] != bob {
		t.Errorf("bob, who was denied, begins to receive: put back are %d", len(out))
	}
	d.returned(ann, 9, "")
	d.returned(ann, 9, "")
	if got := d.guests[ann].tokens(); len(got) != 2 || d.remove(ann) != 7 {
		t.Errorf("ann's tokens are %d", got)
	}
}
