package peer

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"

	"github.com/coder/websocket"
	"github.com/google/go-cmp/cmp"
)

// TestRelay: one receiver has no direct path to anybody, and gets everything through the server.
func TestRelay(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	from := random(t, filepath.Join(t.TempDir(), "file"), 1<<20)
	sender := r.share(nil, from)
	await[Opened](sender)
	direct := r.seed("direct", sender)
	hidden := r.fetch("hidden", sender.link, func(c *Config) { c.Transport.RelayOnly = true; c.Fetch.Seed = true })
	await[Finished](hidden)
	for _, p := range hidden.Status().Peers {
		if !p.Relayed {
			t.Errorf("a direct connection of one that hides: %+v", p)
		}
	}
	for _, p := range direct.Status().Peers {
		if p.Uploader && p.Relayed {
			t.Errorf("a relayed connection where there is a direct path: %+v", p)
		}
	}
	hidden.stop()
	<-hidden.ended
	if diff := cmp.Diff(sums(t, filepath.Dir(from)), sums(t, hidden.out)); diff != "" {
		t.Errorf("other files:\n%s", diff)
	}
}

// What the other side has said last is heard, also when its connection has ended since: a goodbye tells why.
func TestRelayIsReadToItsEnd(t *testing.T) {
	for range 100 { // chance would have it in half of them
		r := &relay{ended: make(chan struct{}), gone: make(chan struct{})}
		p := &relayPort{relay: r, queue: make(chan []byte, 2)}
		p.queue <- []byte("one")
		p.queue <- []byte("goodbye")
		close(r.ended)
		b := make([]byte, 10)
		for _, want := range []string{"one", "goodbye"} {
			if n, err := p.Read(b); err != nil || string(b[:n]) != want {
				t.Fatalf("read %q, %v; want %q", b[:n], err, want)
			}
		}
		if _, err := p.Read(b); !errors.Is(err, io.EOF) {
			t.Fatalf("at the end: %v", err)
		}
	}
}

// A link that ends closes its relay in good order: the server hands on what was said last before it ends the other side.
func TestRelayEndsInGoodOrder(t *testing.T) {
	t.Parallel()
	heard, ended := make(chan []byte, 10), make(chan error, 1)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		socket, err := websocket.Accept(w, req, nil)
		for err == nil {
			var message []byte
			if _, message, err = socket.Read(req.Context()); err == nil {
				heard <- message
			}
		}
		ended <- err
	}))
	defer server.Close()
	socket, _, err := websocket.Dial(t.Context(), "ws"+strings.TrimPrefix(server.URL, "http"), nil)
	if err != nil {
		t.Fatal(err)
	}
	ctx, drop := context.WithCancel(t.Context())
	pair, _ := goldenPair(t)
	r, err := newRelay(ctx, socket, &attempt{pair: pair})
	if err != nil {
		t.Fatal(err)
	}
	go r.read()
	control, _ := r.channels()
	if _, err := control.Write([]byte("goodbye")); err != nil {
		t.Fatal(err)
	}
	drop()
	<-r.ended
	r.close()
	if err := <-ended; len(heard) != 1 || websocket.CloseStatus(err) != websocket.StatusNormalClosure {
		t.Errorf("the server hears %d messages, and then %v", len(heard), err)
	}
}
