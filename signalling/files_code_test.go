package signalling

import (
	"testing"

	"github.com/fanfare-relay/fanfare/signalling/msg"
)

func TestShortCode(t *testing.T) {
	r := serve(t)
	up, uw := r.join(r.uploaderHello("a"))
	up.say(msg.OpenCode{})
	code := await[msg.ShortCode](up)
	if !msg.ValidNumber(code.Number) || len(code.Number) != 1 {
		t.Fatalf("number %q", code.Number)
	}
	guest, gw := r.join(entryHello(code.Number))
	if gw.Room.Name != "a" || gw.Files == nil || !gw.Files.Entry || gw.Files.Owner != uw.Endpoint || gw.Resume != "" || gw.Files.Relay != "" {
		t.Errorf("the guest is told %+v %+v", gw, gw.Files)
	}
	guest.say(msg.Send{To: uw.Endpoint, Sealed: "AQEC"})
	if d := await[msg.Deliver](up); d.From != gw.Endpoint {
		t.Errorf("delivered %+v", d)
	}
	up.say(msg.Send{To: gw.Endpoint, Sealed: "AQEC"})
	m, err := guest.next() // nothing comes before it: a guest is told of no member
	if d, ok := m.(msg.Deliver); !ok || d.From != uw.Endpoint {
		t.Errorf("the guest hears %+v %v", m, err)
	}
	up.say(msg.CodeFailed{Endpoint: gw.Endpoint})
	if e := await[msg.Error](guest); e.Code != msg.CodePassword {
		t.Errorf("told %+v", e)
	}
	guest.closed()
	if c := awaitThat(up, func(c msg.ShortCode) bool { return c.Failures > 0 }); c.Failures != 1 {
		t.Errorf("told %+v", c)
	}
	up.say(msg.EndCode{})
	if e := await[msg.CodeEnded](up); e.Number != code.Number || e.Reason != msg.CodeEndAsked {
		t.Errorf("told %+v", e)
	}
	if e := r.refused(entryHello(code.Number)); e.Code != msg.CodeNotFound {
		t.Errorf("by a number that has ended: %+v", e)
	}
}

// TestShortCodesOfTwoRooms: each number leads to its own room, and the end of a room frees it.
func TestShortCodesOfTwoRooms(t *testing.T) {
	r := serve(t)
	numbers := map[string]string{}
	var last *page
	for _, name := range []string{"a", "b"} {
		up, _ := r.join(r.uploaderHello(name))
		up.say(msg.OpenCode{})
		numbers[name] = await[msg.ShortCode](up).Number
		last = up
	}
	for name, number := range numbers {
		if _, w := r.join(entryHello(number)); w.Room.Name != name {
			t.Errorf("%s leads to %s, want %s", number, w.Room.Name, name)
		}
	}
	last.say(msg.Stop{})
	await[msg.Goodbye](last)
	last.closed()
	if e := r.refused(entryHello(numbers["b"])); e.Code != msg.CodeNotFound {
		t.Errorf("told %+v", e)
	}
}
