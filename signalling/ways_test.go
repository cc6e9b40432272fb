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
