package signalling

import (
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/coder/websocket"

	"github.com/fanfare-relay/fanfare/signalling/msg"
	"github.com/fanfare-relay/fanfare/signalling/store"
	"github.com/fanfare-relay/fanfare/signalling/token"
)

// joinOf makes what receivers of a room show, and its hash.
func joinOf(room string) (password, verifier string) {
	join := sha256.Sum256([]byte("join of " + room))
	hash := sha256.Sum256(join[:])
	return base64.RawURLEncoding.EncodeToString(join[:]), base64.RawURLEncoding.EncodeToString(hash[:])
}

func (r *rig) uploaderHello(name string) msg.Hello {
	h := r.ownerHello(name)
	h.Room.Kind, h.Files = msg.RoomFiles, &msg.FilesTerms{}
	if name != "" {
		_, h.Files.Verifier = joinOf(name)
	}
	return h
}

func receiverHello(name string) msg.Hello {
	h := viewerHello(name)
	h.Room.Kind = msg.RoomFiles
	h.Password, _ = joinOf(name)
	return h
}

func entryHello(number string) msg.Hello {
	h := viewerHello("")
	h.Room.Kind, h.Code = msg.RoomFiles, number
	return h
}

// refused says hello and returns the refusal.
func (r *rig) refused(h msg.Hello) msg.Error {
	r.t.Helper()
	p := r.dial()
	p.say(h)
	e := await[msg.Error](p)
	if code := p.closed(); code != websocket.StatusPolicyViolation && code != websocket.StatusNormalClosure {
		r.t.Errorf("%+v: closed with %v", e, code)
	}
	return e
}

func openFiles(c *Config) { c.OpenFiles = true }

func TestFilesRoom(t *testing.T) {
	r := serve(t)
	up, uw := r.join(r.uploaderHello("holiday"))
	if uw.MediaURL != "" || uw.MediaToken != "" || uw.Stream != nil || uw.Access != nil || uw.Files == nil {
		t.Fatalf("a files room has no stream: %+v", uw)
	}
	if f := uw.Files; f.Owner != uw.Endpoint || f.Members != msg.MaxFilesMembers || f.Relay != "" || f.Entry {
		t.Errorf("the uploader is told %+v", f)
	}
	b, bw := r.join(receiverHello("holiday"))
	if bw.Files.Owner != uw.Endpoint || bw.Files.Expires != uw.Files.Expires {
		t.Errorf("the receiver is told %+v", bw.Files)
	}
	all := await[msg.Members](b)
	if !all.All || len(all.Joined) != 2 || all.Joined[0].Role != msg.RolePublisher || all.Joined[1].Order != 2 ||
		len(all.Neighbours) != 1 || all.Neighbours[0] != uw.Endpoint {
		t.Errorf("the receiver is told %+v", all)
	}
	awaitThat(up, func(m msg.Members) bool { return len(m.Joined) == 1 && m.Joined[0].Endpoint == bw.Endpoint })

	b.say(msg.Send{To: uw.Endpoint, Sealed: "c2VhbGVk"})
	if d := await[msg.Deliver](up); d.From != bw.Endpoint || d.Sealed != "c2VhbGVk" {
		t.Errorf("delivered %+v", d)
	}
	_ = b.conn.Close(websocket.StatusNormalClosure, "")
	awaitThat(up, func(m msg.Members) bool { return len(m.Left) == 1 && m.Left[0] == bw.Endpoint })
	up.say(msg.Send{To: bw.Endpoint, Sealed: "c2VhbGVk"})
	if u := await[msg.Undelivered](up); u.To != bw.Endpoint || u.Code != msg.CodeNotFound {
		t.Errorf("told %+v", u)
	}
}

// TestNearTellsNothingElse: equal behind one address in one room, and different everywhere else.
func TestNearTellsNothingElse(t *testing.T) {
	r := serve(t)
	key := func(room string) roomKey { return roomKey{msg.RoomFiles, room} }
	near := r.srv.near(key("a"), "192.0.2.1")
	if near != r.srv.near(key("a"), "192.0.2.1") || len(near) != 11 {
		t.Errorf("it is %q, then another", near)
	}
	for _, other := range []string{r.srv.near(key("a"), "192.0.2.2"), r.srv.near(key("b"), "192.0.2.1"), r.srv.near(roomKey{msg.RoomStream, "a"}, "192.0.2.1")} {
		if other == near {
			t.Error("two addresses, or two rooms, look the same")
		}
	}
}

func TestFilesHellosThatAreRefused(t *testing.T) {
	r := serve(t, unlimited)
	streamKey, theirs := token.NewStreamKey(), token.NewPublishKey()
	err := errors.Join(r.store.AddKey(token.HashKey(streamKey), store.Key{Stream: "s"}), r.store.AddKey(token.HashKey(theirs), store.Key{}),
		r.store.CreateRoom("over", store.Room{Expires: time.Now().Add(-time.Second), Verifier: token.HashKey("x")}, time.Now().Add(-time.Minute)),
		r.store.CreateRoom("unready", store.Room{Expires: time.Now().Add(time.Hour), Owner: token.HashKey(r.key)}, time.Now().Add(-time.Minute)))
	if err != nil {
		t.Fatal(err)
	}
	_, w := r.join(r.uploaderHello("open"))
	change := func(h msg.Hello, f func(*msg.Hello)) msg.Hello { f(&h); return h }
	for name, tt := range map[string]struct {
		hello msg.Hello
		code  msg.Code
	}{
		"no key":                    {change(r.uploaderHello("a"), func(h *msg.Hello) { h.Token = "" }), msg.CodeUnauthorised},
		"wrong key":                 {change(r.uploaderHello("a"), func(h *msg.Hello) { h.Token = token.NewPublishKey() }), msg.CodeUnauthorised},
		"stream key":                {change(r.uploaderHello("a"), func(h *msg.Hello) { h.Token = streamKey }), msg.CodeForbidden},
		"another's room":            {change(r.uploaderHello("open"), func(h *msg.Hello) { h.Token = theirs }), msg.CodeForbidden},
		"a room that is gone":       {change(r.uploaderHello("gone"), func(h *msg.Hello) { h.Files = nil }), msg.CodeNotFound},
		"no such room":              {receiverHello("unknown"), msg.CodeNotFound},
		"a room whose time is over": {receiverHello("over"), msg.CodeNotFound},
		"a room without a verifier": {receiverHello("unready"), msg.CodeNotFound},
		"no name":                   {receiverHello(""), msg.CodeBadMessage},
		"no secret":                 {change(receiverHello("open"), func(h *msg.Hello) { h.Password = "" }), msg.CodePassword},
		"another room's secret":     {change(receiverHello("open"), func(h *msg.Hello) { h.Password, _ = joinOf("x") }), msg.CodePassword},
		"the verifier itself":       {change(receiverHello("open"), func(h *msg.Hello) { _, h.Password = joinOf("open") }), msg.CodePassword},
		"no base64":                 {change(receiverHello("open"), func(h *msg.Hello) { h.Password = "open sesame!" }), msg.CodePassword},
		"the uploader's resume":     {change(receiverHello("open"), func(h *msg.Hello) { h.Password, h.Resume = "", w.Resume }), msg.CodePassword},
		"a number of nobody":        {entryHello("42"), msg.CodeNotFound},
	} {
		if e := r.refused(tt.hello); e.Code != tt.code || e.Text == "" {
			t.Errorf("%s: %+v, want %s", name, e, tt.code)
		}
	}
}

func TestFilesGuessesAreCounted(t *testing.T) {
	r := serve(t)
	r.join(r.uploaderHello("open"))
	h := receiverHello("open")
	h.Password, _ = joinOf("x")
	for range wrongPerMinute - 1 {
		if e := r.refused(h); e.Code != msg.CodePassword {
			t.Fatalf("told %+v", e)
		}
	}
	if e := r.refused(entryHello("42")); e.Code != msg.CodeNotFound {
		t.Errorf("told %+v", e)
	}
	for _, h := range []msg.Hello{h, receiverHello("open"), entryHello("43")} {
		if e := r.refused(h); e.Code != msg.CodeRate || e.RetryAfter == 0 {
			t.Errorf("after %d guesses: %+v", wrongPerMinute, e)
		}
	}
}

// TestOpenFiles: without a key an uploader is known by its resume token, or by a secret of its own.
func TestOpenFiles(t *testing.T) {
	r := serve(t, openFiles)
	h := r.uploaderHello("mine")
	h.Token = ""
	_, w := r.join(h)
	if e := r.refused(h); e.Code != msg.CodeForbidden {
		t.Errorf("somebody else opened it again: %+v", e)
	}
	h.Resume = w.Resume
	if _, again := r.join(h); again.Endpoint != w.Endpoint || again.Files.Owner != w.Endpoint {
		t.Errorf("the uploader came back as %+v", again)
	}
	h = r.uploaderHello("secret")
	h.Token = strings.Repeat("s", minOwnSecret)
	r.join(h)
	if _, again := r.join(h); again.Files.Owner != again.Endpoint {
		t.Errorf("with the same secret: %+v", again.Files)
	}
	h.Token = "short"
	if e := r.refused(h); e.Code != msg.CodeUnauthorised {
		t.Errorf("a short secret: %+v", e)
	}
	for i := range openedPerMinute - 2 {
		h := r.uploaderHello(fmt.Sprint("room", i))
		h.Token = ""
		r.join(h)
	}
	h = r.uploaderHello("one-more")
	h.Token = ""
	if e := r.refused(h); e.Code != msg.CodeRate {
		t.Errorf("after %d rooms: %+v", openedPerMinute, e)
	}
	r.join(r.uploaderHello("with-a-key"))
}

// TestUploaderComesBackByItsToken: and by that alone, until its key is revoked.
func TestUploaderComesBackByItsToken(t *testing.T) {
	r := serve(t)
	up, w := r.join(r.uploaderHello("a"))
	h := msg.Hello{Version: msg.Version, Room: w.Room, Role: msg.RolePublisher, Resume: w.Resume}
	_, again := r.join(h)
	if again.Endpoint != w.Endpoint || again.Files.Owner != w.Endpoint {
		t.Errorf("came back as %+v", again)
	}
	up.closed()
	if err := r.store.RevokeKey(token.HashKey(r.key)); err != nil {
		t.Fatal(err)
	}
	if e := r.refused(h); e.Code != msg.CodeUnauthorised {
		t.Errorf("with a revoked key: %+v", e)
	}
}

// TestServerMakesTheRoomsName: the verifier depends on the name, so that it comes later.
func TestServerMakesTheRoomsName(t *testing.T) {
	r := serve(t)
	up, w := r.join(r.uploaderHello(""))
	if len(w.Room.Name) != 22 {
		t.Fatalf("named %q", w.Room.Name)
	}
	if e := r.refused(receiverHello(w.Room.Name)); e.Code != msg.CodeNotFound {
		t.Errorf("before there is a verifier: %+v", e)
	}
	_, verifier := joinOf(w.Room.Name)
	up.say(msg.SetFiles{Terms: msg.FilesTerms{Verifier: verifier, Members: 3, Life: 600}})
	if f := await[msg.Files](up); f.Members != 3 || f.Expires >= w.Files.Expires {
		t.Errorf("changed to %+v", f)
	}
	r.join(receiverHello(w.Room.Name))
}

// TestNewVerifierClosesTheOldLink: also to those who were in by the old one.
func TestNewVerifierClosesTheOldLink(t *testing.T) {
	r := serve(t)
	r.join(r.uploaderHello("a"))
	b, bw := r.join(receiverHello("a"))
	h := r.uploaderHello("a")
	_, h.Files.Verifier = joinOf("new")
	r.join(h)
	_ = b.conn.Close(websocket.StatusNormalClosure, "")
	again := receiverHello("a")
	again.Resume = bw.Resume
	if e := r.refused(again); e.Code != msg.CodePassword {
		t.Errorf("by the old link: %+v", e)
	}
	again.Password, _ = joinOf("new")
	if _, w := r.join(again); w.Endpoint != bw.Endpoint {
		t.Errorf("endpoint %s became %s", bw.Endpoint, w.Endpoint)
	}
}

// TestNeighboursSurviveARestart: the hint depends on nothing that a restart changes.
func TestNeighboursSurviveARestart(t *testing.T) {
	r := serve(t)
	again := newServer(t, r.store)
	seed := func(r *rig, name string) uint64 { return r.srv.filesConfig(name, time.Now()).Seed }
	if seed(r, "a") != seed(again, "a") || seed(r, "a") == seed(r, "b") {
		t.Error("another seed after a restart, or one for two rooms")
	}
}

// TestFilesRoomSurvivesARestart: with resume under the same endpoints, and the receiver first.
func TestFilesRoomSurvivesARestart(t *testing.T) {
	t.Parallel()
	st := openStore(t, t.TempDir())
	defer func() {
		if err := st.Close(); err != nil {
			t.Error(err)
		}
	}()
	var hellos []msg.Hello
	var endpoints []string
	for run := range 2 {
		r := newServer(t, st, openFiles)
		ts := httptest.NewServer(r.srv.Handler())
		r.url, r.client = ts.URL, ts.Client()
		if run == 0 {
			up := r.uploaderHello("kept")
			up.Token = ""
			hellos = []msg.Hello{up, receiverHello("kept")}
		}
		var pages []*page
		for i, h := range hellos {
			p, w := r.join(h)
			pages = append(pages, p)
			if run == 0 {
				hellos[i].Resume = w.Resume
				endpoints = append(endpoints, w.Endpoint)
			} else if w.Endpoint != endpoints[1-i] {
				t.Errorf("endpoint %s became %s", endpoints[1-i], w.Endpoint)
			}
		}
		hellos[0], hellos[1] = hellos[1], hellos[0]
		for _, p := range pages {
			_ = p.conn.CloseNow() // the server need not wait for the answer to its goodbye
		}
		if err := r.srv.Close(t.Context()); err != nil {
			t.Error(err)
		}
		ts.Close()
	}
}

func TestFilesRoomEnds(t *testing.T) {
	bubble(t, func(t *testing.T, r *rig, _ *pipes) {
		h := r.uploaderHello("short")
		h.Files.Life = msg.MinFilesLife
		up, _ := r.join(h)
		b, _ := r.join(receiverHello("short"))
		begin := time.Now()
		var both sync.WaitGroup // who does not read is dropped
		for _, p := range []*page{up, b} {
			both.Go(func() {
				for {
					m, err := p.next()
					if g, ok := m.(msg.Goodbye); ok && g.Code == msg.CodeExpired && g.Text != "" {
						p.closed()
						return
					}
					if err != nil {
						t.Errorf("not told: %v", err)
						return
					}
				}
			})
		}
		both.Wait()
		if took := time.Since(begin); took != msg.MinFilesLife*time.Second {
			t.Errorf("ended after %v", took)
		}
		synctest.Wait()
		if r.srv.hub.inUse(roomKey{msg.RoomFiles, "short"}) {
			t.Error("the room is still in use")
		}
		// The name is free, and the record is gone before that.
		if err := r.store.CreateRoom("short", store.Room{}, time.Now().Add(-time.Hour)); err != nil {
			t.Error(err)
		}
	})
}

func TestUploaderRulesTheRoom(t *testing.T) {
	r := serve(t)
	up, _ := r.join(r.uploaderHello("a"))
	h := receiverHello("a")
	h.Viewer = strings.Repeat("v", msg.ViewerLength)
	b, bw := r.join(h)
	c, _ := r.join(receiverHello("a"))
	c.say(msg.Stop{})
	if e := await[msg.Error](c); e.Code != msg.CodeForbidden {
		t.Errorf("a receiver is told %+v", e)
	}
	up.say(msg.Remove{Endpoint: bw.Endpoint})
	if e := await[msg.Error](b); e.Code != msg.CodeRemoved {
		t.Errorf("told %+v", e)
	}
	b.closed()
	if e := r.refused(h); e.Code != msg.CodeRemoved {
		t.Errorf("back: %+v", e)
	}
	newer, _ := r.join(r.uploaderHello("a"))
	await[msg.Replaced](up)
	up.closed()
	newer.say(msg.Stop{})
	for _, p := range []*page{newer, c} {
		if g := await[msg.Goodbye](p); g.Code != msg.CodeClosed {
			t.Errorf("told %+v", g)
		}
		p.closed()
	}
	if e := r.refused(receiverHello("a")); e.Code != msg.CodeNotFound {
		t.Errorf("after the end: %+v", e)
	}
}

func TestFilesRoomIsFull(t *testing.T) {
	r := serve(t)
	h := r.uploaderHello("a")
	h.Files.Members = 2
	r.join(h)
	r.join(receiverHello("a"))
	if e := r.refused(receiverHello("a")); e.Code != msg.CodeFull {
		t.Errorf("told %+v", e)
	}
}
