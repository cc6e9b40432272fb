package room

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/fanfare-relay/fanfare/signalling/msg"
)

// TestFigures: what viewers see is told to the owner who asks, by the few who were asked, once a second, and by nobody else.
func TestFigures(t *testing.T) {
	now := time.UnixMilli(0)
	r := New(Config{State: msg.StateIdle}, now)
	// step tells what of figures comes out, in the order of sending.
	step := func(in Input) string {
		var said []string
		for _, o := range r.Step(in, now) {
			send, ok := o.(Send)
			if !ok {
				continue
			}
			switch m := send.Message.(type) {
			case msg.FiguresWanted:
				said = append(said, fmt.Sprint(send.To, " ", m.Wanted))
			case msg.ViewerFigures:
				said = append(said, fmt.Sprint(send.To, " hears ", m.Endpoint, " ", m.Figures.Pictures))
			case msg.Error:
				said = append(said, fmt.Sprint(send.To, " ", m.Code))
			}
		}
		return strings.Join(said, ", ")
	}
	say := func(who string, m msg.ClientMessage) Input { return Receive{Endpoint: who, Message: m} }
	told := func(who string, pictures int) Input {
		return say(who, msg.Figures{Route: msg.RouteSFU, Pictures: pictures})
	}
	join := func(who string) Input { return Join{Endpoint: who, Role: msg.RoleSubscriber} }
	ask := func(wanted bool) Input { return say("up", msg.AskFigures{Wanted: wanted}) }
	for i, c := range []struct {
		in    Input
		after time.Duration
		want  string
	}{
		{Join{Endpoint: "up", Role: msg.RolePublisher}, 0, ""},
		{join("a"), 0, ""},
		{told("a", 1), 0, ""}, // nobody has asked
		{say("a", msg.AskFigures{Wanted: true}), 0, "a forbidden"},
		{ask(true), 0, "a true"},
		{ask(true), 0, ""},
		{join("b"), 0, "b true"},
		{told("a", 2), 0, "up hears a 2"},
		{told("a", 3), 100 * time.Millisecond, ""}, // too soon
		{told("b", 4), 0, "up hears b 4"},
		{told("a", 5), time.Second, "up hears a 5"},
		{told("up", 6), time.Second, ""},
		{join("b"), 0, "b true"}, // on a new connection
		{Leave{Endpoint: "b"}, 0, ""},
		{told("b", 7), time.Second, ""},
		{ask(false), 0, "a false"},
		{told("a", 8), time.Second, ""},
		{ask(true), 0, "a true"},
		{Leave{Endpoint: "up"}, 0, "a false"}, // who comes next has not asked
		{Join{Endpoint: "up", Role: msg.RolePublisher}, 0, ""},
		{told("a", 9), time.Second, ""},
	} {
		now = now.Add(c.after)
		if got := step(c.in); got != c.want {
			t.Errorf("step %d: %q, not %q", i, got, c.want)
		}
	}
}

// TestFiguresOfFew: only so many are asked, and another one when one of them has gone.
func TestFiguresOfFew(t *testing.T) {
	now := time.UnixMilli(0)
	r := New(Config{State: msg.StateIdle}, now)
	var asked []string
	step := func(in Input) {
		for _, o := range r.Step(in, now) {
			if send, ok := o.(Send); ok && send.Message == (msg.FiguresWanted{Wanted: true}) {
				asked = append(asked, send.To)
			}
		}
	}
	step(Join{Endpoint: "up", Role: msg.RolePublisher})
	step(Receive{Endpoint: "up", Message: msg.AskFigures{Wanted: true}})
	for i := range msg.MaxReporters + 1 {
		step(Join{Endpoint: fmt.Sprint("v", i), Role: msg.RoleSubscriber})
	}
	if last := fmt.Sprint("v", msg.MaxReporters); len(asked) != msg.MaxReporters || slices.Contains(asked, last) {
		t.Errorf("asked were %v", asked)
	}
	step(Leave{Endpoint: "v0", Page: true})
	if last := fmt.Sprint("v", msg.MaxReporters); len(asked) != msg.MaxReporters+1 || !slices.Contains(asked, last) {
		t.Errorf("asked were %v after one had gone", asked)
	}
}
