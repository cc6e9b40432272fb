package signalling

import (
	"errors"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/coder/websocket"

	"github.com/fanfare-relay/fanfare/media"
	"github.com/fanfare-relay/fanfare/signalling/msg"
	"github.com/fanfare-relay/fanfare/signalling/store"
	"github.com/fanfare-relay/fanfare/signalling/token"
)

func TestWelcome(t *testing.T) {
	r := serve(t)
	_, owner := r.join(r.ownerHello(""))
	if !msg.ValidName(owner.Room.Name) || len(owner.Room.Name) != 22 {
		t.Errorf("the server made the name %q", owner.Room.Name)
	}
	name := owner.Room.Name
	_, viewer := r.join(viewerHello(name))
	if owner.MediaURL != "/whip/"+name || viewer.MediaURL != "/whep/"+name || owner.Access == nil || viewer.Access != nil {
		t.Errorf("owner %+v\nviewer %+v", owner, viewer)
	}
	if owner.Instance != viewer.Instance || owner.Endpoint == viewer.Endpoint || viewer.PublicURL != "http://live.example.org" ||
		viewer.STUN != "127.0.0.1:3478" || viewer.Stream == nil || viewer.Stream.State != msg.StateIdle {
		t.Errorf("viewer %+v", viewer)
	}
}

func TestHellosThatAreRefused(t *testing.T) {
	r := serve(t, unlimited)
	theirs := token.HashKey("theirs")
	password, err := cheapHash("open sesame")
	if err := errors.Join(err, r.store.AddKey(theirs, store.Key{}), r.store.CreateStream("theirs", store.Stream{Owner: theirs}),
		r.store.CreateStream("locked", store.Stream{Password: password}), r.store.Remove("theirs", "viewer:"+strings.Repeat("v", 22), r.srv.started)); err != nil {
		t.Fatal(err)
	}
	change := func(h msg.Hello, f func(*msg.Hello)) msg.Hello { f(&h); return h }
	for name, tt := range map[string]struct {
		hello msg.Hello
		code  msg.Code
	}{
		"old page":               {change(viewerHello("theirs"), func(h *msg.Hello) { h.Version = 99 }), msg.CodeVersion},
		"unknown stream":         {viewerHello("unknown"), msg.CodeNotFound},
		"no name":                {viewerHello(""), msg.CodeBadMessage},
		"no key":                 {change(r.ownerHello("a"), func(h *msg.Hello) { h.Token = "" }), msg.CodeUnauthorised},
		"wrong key":              {change(r.ownerHello("a"), func(h *msg.Hello) { h.Token = "fanpub_x" }), msg.CodeUnauthorised},
		"another owner's stream": {r.ownerHello("theirs"), msg.CodeForbidden},
		"no password":            {viewerHello("locked"), msg.CodePassword},
		"wrong password":         {change(viewerHello("locked"), func(h *msg.Hello) { h.Password = "x" }), msg.CodePassword},
		"removed":                {change(viewerHello("theirs"), func(h *msg.Hello) { h.Viewer = strings.Repeat("v", 22) }), msg.CodeRemoved},
		"files room that is not": {change(viewerHello("files"), func(h *msg.Hello) { h.Room.Kind = msg.RoomFiles }), msg.CodeNotFound},
	} {
		p := r.dial()
		p.say(tt.hello)
		if e := await[msg.Error](p); e.Code != tt.code || e.Text == "" {
			t.Errorf("%s: %+v, want %s", name, e, tt.code)
		}
		if code := p.closed(); code != websocket.StatusPolicyViolation {
			t.Errorf("%s: closed with %v", name, code)
		}
	}
}

func TestMessagesThatAreNoHello(t *testing.T) {
	r := serve(t, unlimited)
	for name, tt := range map[string]struct {
		kind websocket.MessageType
		text string
		code websocket.StatusCode
	}{
		"nonsense":       {websocket.MessageText, "hello?", websocket.StatusPolicyViolation},
		"another first":  {websocket.MessageText, `{"type":"stop"}`, websocket.StatusPolicyViolation},
		"binary":         {websocket.MessageBinary, `{"type":"stop"}`, websocket.StatusUnsupportedData},
		"over the limit": {websocket.MessageText, strings.Repeat("a", msg.MaxMessage+1), websocket.StatusMessageTooBig},
	} {
		p := r.dial()
		p.write(tt.kind, []byte(tt.text))
		if code := p.closed(); code != tt.code {
			t.Errorf("%s: closed with %v, want %v", name, code, tt.code)
		}
	}
}

func TestOrigin(t *testing.T) {
	r := serve(t)
	for origin, ok := range map[string]bool{
		"": true, r.url: true, "http://live.example.org": true, "https://evil.example": false, "null": false,
	} {
		conn, res, err := websocket.Dial(t.Context(), r.url+"/ws", &websocket.DialOptions{
			HTTPClient: r.client, HTTPHeader: http.Header{"Origin": {origin}},
		})
		if (err == nil) != ok {
			t.Errorf("origin %q: %v", origin, err)
		}
		if !ok && res.StatusCode != http.StatusForbidden {
			t.Errorf("origin %q: %d", origin, res.StatusCode)
		}
		if conn != nil {
			_ = conn.CloseNow()
		}
	}
}

func TestLifeOfAStream(t *testing.T) {
	r := serve(t)
	owner, ow := r.join(r.ownerHello("a"))
	viewer, vw := r.join(viewerHello("a"))

	published := r.offer(ow.MediaURL, ow.MediaToken).Header.Get("Location")
	watched := r.offer(vw.MediaURL, vw.MediaToken).Header.Get("Location")
	r.plane.connect(sessionOf(published))
	viewer.awaitState(msg.StateLive)
	r.plane.connect(sessionOf(watched))
	if v := await[msg.Viewers](viewer); v.Count != 1 {
		t.Errorf("%d viewers", v.Count)
	}
	awaitThat(owner, func(m msg.Roster) bool { return len(m.Peers) == 2 && m.Peers[1].Watching })

	owner.say(msg.SetState{State: msg.StatePaused, Title: "Holiday"})
	if s := awaitThat(viewer, func(m msg.State) bool { return m.State == msg.StatePaused }); s.Title != "Holiday" {
		t.Errorf("title %q", s.Title)
	}
	r.plane.tell(media.Event{Kind: media.EventMedia, Session: sessionOf(published), Stream: "a", Role: media.RolePublisher,
		Track: media.TrackInfo{Kind: media.KindVideo, Codec: media.CodecVP8, Width: 640, Height: 360}})
	awaitThat(viewer, func(m msg.State) bool { return m.Video == "VP8" && m.Width == 640 })

	owner.say(msg.Stop{})
	viewer.awaitState(msg.StateEnded)
	if n := r.plane.count(); n != 0 {
		t.Errorf("%d sessions after the end", n)
	}
	if rec, _, _ := r.store.Stream("a"); rec.Live || rec.LastLive.IsZero() || rec.Title != "Holiday" {
		t.Errorf("record %+v", rec)
	}
}

func TestReloadOfTheStudio(t *testing.T) {
	r := serve(t)
	owner, ow := r.join(r.ownerHello("a"))
	viewer, _ := r.join(viewerHello("a"))
	r.plane.connect(sessionOf(r.offer(ow.MediaURL, ow.MediaToken).Header.Get("Location")))
	viewer.awaitState(msg.StateLive)

	// Browsers close with "going away" when a page is left.
	_ = owner.conn.Close(websocket.StatusGoingAway, "")
	viewer.awaitState(msg.StateAway)

	again := r.ownerHello("a")
	again.Resume = ow.Resume
	_, ow2 := r.join(again)
	if ow2.Endpoint != ow.Endpoint {
		t.Errorf("endpoint %s became %s", ow.Endpoint, ow2.Endpoint)
	}
	r.plane.connect(sessionOf(r.offer(ow2.MediaURL, ow2.MediaToken).Header.Get("Location")))
	viewer.awaitState(msg.StateLive)
}

func TestNewerConnectionOfTheSameEndpoint(t *testing.T) {
	r := serve(t)
	old, w := r.join(r.ownerHello("a"))
	h := r.ownerHello("a")
	h.Resume = w.Resume
	fresh, w2 := r.join(h)
	if w2.Endpoint != w.Endpoint {
		t.Fatal("another endpoint")
	}
	if code := old.closed(); code != websocket.StatusNormalClosure {
		t.Errorf("the old connection closed with %v", code)
	}
	// The old one's end does not take the endpoint away.
	fresh.say(msg.SetState{State: msg.StateLive, Title: "still here"})
	awaitThat(fresh, func(m msg.State) bool { return m.Title == "still here" })
	// A foreign or changed resume is no way to another's endpoint.
	stranger := viewerHello("a")
	stranger.Resume = w.Resume
	if _, sw := r.join(stranger); sw.Endpoint == w.Endpoint {
		t.Error("a viewer took the owner's identifier")
	}
}

// The owner hears what a viewer gets, and what the server does.
func TestLinesInTheRoster(t *testing.T) {
	r := serve(t)
	owner, _ := r.join(r.ownerHello("a"))
	_, vw := r.join(viewerHello("a"))
	r.plane.connect(sessionOf(r.offer(vw.MediaURL, vw.MediaToken).Header.Get("Location")))
	awaitThat(owner, func(m msg.Roster) bool { return len(m.Peers) == 2 && m.Peers[1].Watching })
	r.srv.measure(roomKey{msg.RoomStream, "a"})
	awaitThat(owner, func(m msg.ServerFigures) bool {
		return m.In == 300 && m.Out == 290 && slices.Equal(m.Dropped, []msg.Dropped{{Reason: "layer", Packets: 10}}) && slices.Equal(m.Delays, []int{290})
	})
	awaitThat(owner, func(m msg.Roster) bool {
		p := m.Peers[1]
		return p.Line == 1_200_000 && p.Height == 540 && p.Bound == "line"
	})
}

func TestReplacedPublisher(t *testing.T) {
	r := serve(t)
	first, _ := r.join(r.ownerHello("a"))
	r.join(r.ownerHello("a"))
	await[msg.Replaced](first)
	first.closed()
}

func TestRemovedViewerStaysAway(t *testing.T) {
	r := serve(t)
	owner, _ := r.join(r.ownerHello("a"))
	h := viewerHello("a")
	h.Viewer = strings.Repeat("v", msg.ViewerLength)
	viewer, vw := r.join(h)
	watched := r.offer(vw.MediaURL, vw.MediaToken)
	r.plane.connect(sessionOf(watched.Header.Get("Location")))
	awaitThat(owner, func(m msg.Roster) bool { return len(m.Peers) == 2 && m.Peers[1].Watching })

	owner.say(msg.Remove{Endpoint: vw.Endpoint})
	if e := await[msg.Error](viewer); e.Code != msg.CodeRemoved {
		t.Errorf("told %+v", e)
	}
	viewer.closed()
	if n := r.plane.count(); n != 0 {
		t.Errorf("%d sessions left", n)
	}
	p := r.dial()
	p.say(h)
	if e := await[msg.Error](p); e.Code != msg.CodeRemoved {
		t.Errorf("back by page: %+v", e)
	}
	if res := r.offer(vw.MediaURL, vw.MediaToken); res.StatusCode != http.StatusForbidden {
		t.Errorf("back by its token: %s", describe(res))
	}
	if res := r.offer("/whep/a", ""); res.StatusCode != http.StatusCreated {
		t.Errorf("others are kept out too: %s", describe(res))
	}
}

func TestOwnerChangesAccessAndLink(t *testing.T) {
	r := serve(t)
	owner, _ := r.join(r.ownerHello("a"))
	viewer, _ := r.join(viewerHello("a"))
	published := r.publish("a")
	viewer.awaitState(msg.StateLive)

	yes := true
	owner.say(msg.SetAccess{Embed: &yes})
	if a := await[msg.Access](owner); !a.Embed || a.Password {
		t.Errorf("access %+v", a)
	}
	res := r.ask(http.MethodGet, "/w/a", nil)
	if csp := res.Header.Get("Content-Security-Policy"); !strings.Contains(csp, "frame-ancestors *") {
		t.Errorf("the page may not be embedded: %s", csp)
	}

	owner.say(msg.ChangeLink{})
	moved := await[msg.Moved](owner)
	if !msg.ValidName(moved.Name) || moved.URL != "http://live.example.org/w/"+moved.Name {
		t.Errorf("moved %+v", moved)
	}
	if g := await[msg.Goodbye](viewer); g.Code != msg.CodeNotFound {
		t.Errorf("viewers are told %+v", g)
	}
	if res := r.ask(http.MethodDelete, published, nil, "Authorization", "Bearer "+r.key); res.StatusCode != http.StatusGone {
		t.Errorf("the old session lives: %s", describe(res))
	}
	if res := r.offer("/whep/a", ""); res.StatusCode != http.StatusNotFound {
		t.Errorf("the old link lives: %s", describe(res))
	}
	if res := r.offer("/whep/"+moved.Name, ""); res.StatusCode != http.StatusCreated {
		t.Errorf("the new link: %s", describe(res))
	}
}

func TestPingAndBadMessages(t *testing.T) {
	r := serve(t)
	p, _ := r.join(r.ownerHello("a"))
	p.say(msg.Ping{Sent: 12.5})
	if pong := await[msg.Pong](p); pong.Sent != 12.5 || pong.Server < 1e12 {
		t.Errorf("pong %+v", pong)
	}
	for _, text := range []string{"{", `{"type":"nonsense"}`, `{"type":"ping","more":1}`, `{"type":"set-state","state":"ended"}`} {
		p.write(websocket.MessageText, []byte(text))
		if e := await[msg.Error](p); e.Code != msg.CodeBadMessage {
			t.Errorf("%s: %+v", text, e)
		}
	}
}

func TestFloodOfMessages(t *testing.T) {
	r := serve(t)
	p, _ := r.join(r.ownerHello("a"))
	go func() {
		for p.conn.Write(t.Context(), websocket.MessageText, []byte(`{"type":"set-state","state":"live"}`)) == nil {
		}
	}()
	if e := await[msg.Error](p); e.Code != msg.CodeRate {
		t.Errorf("told %+v", e)
	}
	if code := p.closed(); code != websocket.StatusPolicyViolation {
		t.Errorf("closed with %v", code)
	}
}

func TestGoodbye(t *testing.T) {
	r := serve(t)
	p, _ := r.join(r.ownerHello("a"))
	q, _ := r.join(viewerHello("a"))
	ended := make(chan error, 1)
	go func() { ended <- r.srv.Close(t.Context()) }()
	for _, page := range []*page{p, q} {
		if g := await[msg.Goodbye](page); g.Code != msg.CodeShutdown || g.RetryAfter == 0 {
			t.Errorf("told %+v", g)
		}
		if code := page.closed(); code != websocket.StatusGoingAway {
			t.Errorf("closed with %v", code)
		}
	}
	if err := <-ended; err != nil {
		t.Error(err)
	}
	if res := r.ask(http.MethodGet, "/readyz", nil); res.StatusCode != http.StatusServiceUnavailable {
		t.Errorf("ready while closing: %d", res.StatusCode)
	}
	if _, _, err := websocket.Dial(t.Context(), r.url+"/ws", &websocket.DialOptions{HTTPClient: r.client}); err == nil {
		t.Error("a page came in while closing")
	}
}

// A crash leaves "live" in the store: the stream is then "back in a moment".
func TestStreamOfACrashedServer(t *testing.T) {
	r := serve(t)
	if err := r.store.CreateStream("a", store.Stream{Live: true, LastLive: r.srv.started}); err != nil {
		t.Fatal(err)
	}
	if _, w := r.join(viewerHello("a")); w.Stream.State != msg.StateAway {
		t.Errorf("state %s", w.Stream.State)
	}
}

// A store that fails ends nothing; the owner is told.
func TestOwnerLearnsOfAFullDisk(t *testing.T) {
	r := serve(t)
	owner, _ := r.join(r.ownerHello("a"))
	viewer, _ := r.join(viewerHello("a"))
	if err := r.store.Close(); err != nil {
		t.Fatal(err)
	}
	owner.say(msg.SetState{State: msg.StateLive, Title: "Holiday"})
	if n := await[msg.Notice](owner); n.Code != "storage" || n.Text == "" {
		t.Errorf("told %+v", n)
	}
	awaitThat(viewer, func(m msg.State) bool { return m.Title == "Holiday" })
	owner.say(msg.ChangeLink{})
	if e := await[msg.Error](owner); e.Code != msg.CodeInternal {
		t.Errorf("told %+v", e)
	}
}
