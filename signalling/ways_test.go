package signalling

import (
	"strings"
	"testing"

	"github.com/fanfare-relay/fanfare/signalling/msg"
)

// TestEnvelopesOfAStream: with a stream that has a password, a way leads to a viewer that gave it; its ends speak
// to each other, two viewers do not, and one that is removed hears no more.
func TestEnvelopesOfAStream(t *testing.T) {
	r := serve(t, unlimited)
	owner, ow := r.join(r.ownerHello("a"))
	open := "open sesame"
	owner.say(msg.SetAccess{Password: &open})
	awaitThat(owner, func(m msg.Access) bool { return m.Password })
	r.plane.connect(sessionOf(r.offer(ow.MediaURL, ow.MediaToken).Header.Get("Location")))
	outside := r.dial()
	outside.say(viewerHello("a"))
	if e := await[msg.Error](outside); e.Code != msg.CodePassword {
		t.Fatalf("without the password: %+v", e)
	}
	hello := viewerHello("a")
	hello.Password = open
	hello.Viewer = strings.Repeat("a", msg.ViewerLength)
	one, w1 := r.join(hello)
	hello.Viewer = strings.Repeat("b", msg.ViewerLength)
	two, w2 := r.join(hello)
	for _, p := range []*page{one, two} {
		p.say(msg.Facts{Device: msg.DeviceDesktop})
	}
	owner.say(msg.SetTopology{Topology: msg.TopologyStar})
	serve := awaitThat(owner, func(m msg.Serve) bool { return m.To == w1.Endpoint })
	way := await[msg.Way](one)
	if way.Way != serve.Way || way.Via != msg.ViaDirect || way.From != ow.Endpoint {
		t.Errorf("the ends are told %+v and %+v", serve, way)
	}

	owner.say(msg.Send{To: w1.Endpoint, Sealed: "b2ZmZXI"})
	if d := await[msg.Deliver](one); d.From != ow.Endpoint || d.Sealed != "b2ZmZXI" {
		t.Errorf("%+v", d)
	}
	one.say(msg.Send{To: w2.Endpoint, Sealed: "aGVsbG8"})
	if u := await[msg.Undelivered](one); u.To != w2.Endpoint || u.Code != msg.CodeNotFound {
		t.Errorf("%+v", u)
	}
	owner.say(msg.Remove{Endpoint: w1.Endpoint})
	if e := await[msg.EndWay](owner); e.Way != way.Way {
		t.Errorf("%+v ends", e)
	}
	if e := await[msg.Error](one); e.Code != msg.CodeRemoved {
		t.Errorf("%+v", e)
	}
	one.closed()
	owner.say(msg.Send{To: w1.Endpoint, Sealed: "b2ZmZXI"})
	await[msg.Undelivered](owner)
}

// TestNoPeerWithoutPermission: in a tree, nobody who has not given the password, or whom the owner has removed, is told of a peer or named
// to one; what such a viewer gave or got ends at the other end at once, and it does not come back, also not by what it was given before.
func TestNoPeerWithoutPermission(t *testing.T) {
	r := serve(t, unlimited)
	owner, ow := r.join(r.ownerHello("a"))
	open := "open sesame"
	owner.say(msg.SetAccess{Password: &open})
	awaitThat(owner, func(m msg.Access) bool { return m.Password })
	r.plane.connect(sessionOf(r.offer(ow.MediaURL, ow.MediaToken).Header.Get("Location")))
	owner.say(msg.SetTopology{Topology: msg.TopologyTree})
	hello := func(letter string) msg.Hello {
		h := viewerHello("a")
		h.Password, h.Viewer = open, strings.Repeat(letter, msg.ViewerLength)
		return h
	}
	pages, welcomes := map[string]*page{}, map[string]msg.Welcome{}
	for letter, device := range map[string]msg.Device{"a": msg.DeviceDesktop, "b": msg.DevicePhone, "c": msg.DeviceDesktop} {
		pages[letter], welcomes[letter] = r.join(hello(letter))
		pages[letter].say(msg.Facts{Device: device})
	}
	// Desktops get it from the uploader, and one of them passes it on to the phone.
	for _, letter := range []string{"a", "c"} {
		way := awaitThat(pages[letter], func(m msg.Way) bool { return m.Via == msg.ViaDirect })
		pages[letter].say(msg.WayState{Way: way.Way, State: msg.WayReady})
	}
	down := awaitThat(pages["b"], func(m msg.Way) bool { return m.Via == msg.ViaRelayed })
	relay := "a"
	if down.From == welcomes["c"].Endpoint {
		relay = "c"
	}
	pages["b"].say(msg.WayState{Way: down.Way, State: msg.WayReady})
	awaitThat(pages[relay], func(m msg.Serve) bool { return m.Way == down.Way && m.To == welcomes["b"].Endpoint })
	for _, password := range []string{"", "open barley"} {
		outside, without := r.dial(), hello("o")
		without.Password = password
		outside.say(without)
		outside.say(msg.Facts{Device: msg.DeviceDesktop})
		outside.say(msg.Send{To: welcomes[relay].Endpoint, Sealed: "aGVsbG8"})
		if e := await[msg.Error](outside); e.Code != msg.CodePassword {
			t.Errorf("%+v", e)
		}
		outside.onlyErrors()
	}

	// The phone goes, and then the one that passed on to it: whoever sent to them hears of it.
	removed := map[string]bool{}
	remove := func(letter string, above *page) {
		t.Helper()
		removed[welcomes[letter].Endpoint] = true
		owner.say(msg.Remove{Endpoint: welcomes[letter].Endpoint})
		await[msg.EndWay](above)
		if e := await[msg.Error](pages[letter]); e.Code != msg.CodeRemoved {
			t.Errorf("%+v", e)
		}
		pages[letter].onlyErrors()
		again := hello(letter)
		for _, resume := range []string{"", welcomes[letter].Resume} {
			again.Resume = resume
			back := r.dial()
			back.say(again)
			if e := await[msg.Error](back); e.Code != msg.CodeRemoved {
				t.Errorf("it came back: %+v", e)
			}
			_ = back.conn.CloseNow()
		}
	}
	remove("b", pages[relay])
	remove(relay, owner)
	for {
		m, err := owner.next()
		if err != nil {
			t.Fatal(err)
		}
		if s, ok := m.(msg.Serve); ok && removed[s.To] {
			t.Errorf("the uploader is to serve one who was removed: %+v", s)
		}
		if p, ok := m.(msg.Plan); ok && len(p.Places) == 1 {
			break
		}
	}
}

// onlyErrors reads to the end, before which nothing is told but errors.
func (p *page) onlyErrors() {
	p.t.Helper()
	for {
		m, err := p.next()
		if err != nil {
			return
		}
		if _, ok := m.(msg.Error); !ok {
			p.t.Errorf("it is told %+v", m)
		}
	}
}
