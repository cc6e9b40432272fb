package peer

import (
	"errors"
	"io"
	"path/filepath"
	"testing"

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
