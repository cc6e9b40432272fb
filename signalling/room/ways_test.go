package room

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/fanfare-relay/fanfare/media"
	"github.com/fanfare-relay/fanfare/signalling/msg"
)

// TestOnlyViewersThatMayPassOn: a phone, a hidden tab, a metered line and a refusal are never asked to serve.
func TestOnlyViewersThatMayPassOn(t *testing.T) {
	for name, facts := range map[string]msg.Facts{
		"phone":   {Device: msg.DevicePhone},
		"tablet":  {Device: msg.DeviceTablet},
		"unknown": {},
		"hidden":  {Device: msg.DeviceDesktop, Hidden: true},
		"metered": {Device: msg.DeviceDesktop, Metered: true},
		"refuses": {Device: msg.DeviceDesktop, Refuses: true},
	} {
		r, now := treeOf(6, func(int) msg.Facts { return facts })
		out := runTo(r, now, 20*time.Second)
		for _, o := range out {
			if send, ok := o.(Send); ok && send.To != "owner" {
				if _, asked := send.Message.(msg.Serve); asked {
					t.Errorf("%s: %s is asked to pass it on", name, send.To)
				}
			}
		}
	}
}

// TestCrowdIsBounded: of a crowd only so many are planned for, and nobody else hears of ways.
func TestCrowdIsBounded(t *testing.T) {
	r, now := treeOf(msg.MaxPlanned+50, func(int) msg.Facts { return msg.Facts{Device: msg.DeviceDesktop} })
	runTo(r, now, 3*time.Second)
	if len(r.ways.known) != msg.MaxPlanned {
		t.Errorf("%d viewers are planned for", len(r.ways.known))
	}
}

// treeOf makes a room with a live owner who wants a tree, and viewers.
func treeOf(viewers int, facts func(int) msg.Facts) (*Room, time.Time) {
	now := time.UnixMilli(0)
	r := New(Config{State: msg.StateIdle}, now)
	r.Step(Join{Endpoint: "owner", Role: msg.RolePublisher}, now)
	r.Step(Open{Session: "s", Role: media.RolePublisher, Endpoint: "owner"}, now)
	r.Step(Happen{media.Event{Kind: media.EventConnected, Session: "s"}}, now)
	for i := range viewers {
		id := fmt.Sprintf("v%03d", i)
		r.Step(Join{Endpoint: id, Role: msg.RoleSubscriber, Viewer: id}, now)
		r.Step(Receive{Endpoint: id, Message: facts(i)}, now)
	}
	r.Step(Receive{Endpoint: "owner", Message: msg.SetTopology{Topology: msg.TopologyTree}}, now)
	return r, now
}

// runTo ticks the room at its deadlines, and says ready to every way that is told.
func runTo(r *Room, now time.Time, d time.Duration) (all []Output) {
	end := now.Add(d)
	for {
		at, ok := r.Deadline()
		if !ok || at.After(end) {
			return all
		}
		pending := append([]Output(nil), r.Step(Tick{}, at)...)
		for len(pending) > 0 {
			o := pending[0]
			pending = pending[1:]
			all = append(all, o)
			if send, ok := o.(Send); ok {
				if way, ok := send.Message.(msg.Way); ok {
					ready := Receive{Endpoint: send.To, Message: msg.WayState{Way: way.Way, State: msg.WayReady}}
					pending = append(pending, r.Step(ready, at)...)
				}
			}
		}
	}
}

// FuzzWays: whatever endpoints say, ways have two members of the room as ends, envelopes pass along ways only, a
// viewer has at most two ways, and the room never asks for a tick in the past.
func FuzzWays(f *testing.F) {
	f.Add([]byte{0, 1, 17, 33, 49, 2, 18, 34, 50, 3, 4, 12, 12, 5, 21, 37, 53, 13, 6, 22, 7, 12})
	f.Add([]byte("the quick brown fox jumps over the lazy dog"))
	f.Fuzz(func(t *testing.T, facts []byte) {
		now := time.UnixMilli(0)
		r := New(Config{State: msg.StateIdle}, now)
		for _, fact := range facts {
			now = now.Add(time.Duration(fact) * 10 * time.Millisecond)
			in := waysInputOf(fact, r.ways.last)
			for _, o := range r.Step(in, now) {
				if c, ok := o.(Carry); ok && !r.joined(c.From, c.To) {
					t.Fatalf("%s and %s are the ends of no way", c.From, c.To)
				}
			}
			checkWays(t, r, in)
			if at, ok := r.Deadline(); ok && !at.After(now) {
				t.Fatalf("after %T at %v the room asks for %v", in, now, at)
			}
		}
	})
}

func checkWays(t *testing.T, r *Room, in Input) {
	t.Helper()
	each := map[string]int{}
	for _, w := range r.ways.open {
		each[w.viewer]++
		_, viewer := r.members[w.viewer]
		if !viewer || w.viewer == w.source || w.viewer == r.owner {
			t.Fatalf("after %T: way %+v", in, w)
		}
	}
	for viewer, n := range each {
		if n > 2 {
			t.Fatalf("after %T: %s has %d ways", in, viewer, n)
		}
	}
	if r.ways.planner == nil && len(r.ways.open) > 0 {
		t.Fatalf("after %T: ways without a plan", in)
	}
}

// waysInputOf makes a fact of a byte: the low bits choose what, the high ones who.
func waysInputOf(b byte, last int) Input {
	n := int(b >> 4 & 7)
	who := fmt.Sprint("e", n)
	say := func(m msg.ClientMessage) Input { return Receive{Endpoint: who, Message: m} }
	state := func(s msg.WayStatus) Input { return say(msg.WayState{Way: max(last-n/2, 1), State: s, For: 700}) }
	switch b & 15 {
	case 0:
		return Join{Endpoint: "e0", Role: msg.RolePublisher}
	case 1:
		return Join{Endpoint: fmt.Sprint("e", n+1), Role: msg.RoleSubscriber, Viewer: who}
	case 2:
		return Receive{Endpoint: fmt.Sprint("e", n+1), Message: msg.Facts{Device: msg.DeviceDesktop, Refuses: n == 5}}
	case 3:
		return Open{Session: media.SessionID(who), Role: media.RolePublisher, Endpoint: "e0"}
	case 4:
		return Happen{media.Event{Kind: media.EventConnected, Session: media.SessionID(who)}}
	case 5:
		topology := []msg.Topology{msg.TopologyTree, msg.TopologyStar, msg.TopologySFU, msg.TopologyAuto}[n&3]
		return Receive{Endpoint: "e0", Message: msg.SetTopology{Topology: topology}}
	case 6:
		return Leave{Endpoint: who, Page: n&1 == 0}
	case 7:
		return Receive{Endpoint: "e0", Message: msg.Remove{Endpoint: who}}
	case 8:
		return say(msg.Send{To: fmt.Sprint("e", n/2), Sealed: strings.Repeat("x", 4)})
	case 9:
		return state(msg.WayFailed)
	case 10:
		return state(msg.WaySilent)
	case 11:
		return state(msg.WayAlive)
	case 12, 13:
		return state(msg.WayReady)
	case 14:
		return Happen{media.Event{Kind: media.EventDisconnected, Session: media.SessionID(who), Reason: media.CloseTimeout}}
	default:
		return Tick{}
	}
}
