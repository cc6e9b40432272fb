// Package sfutest runs a relay on loopback with publishers and viewers made of
// pion/webrtc, for tests of sfu and of what stands on it. They speak to it as others do,
// by SDP text and UDP.
//
// It is for tests only. Everything is closed by the test's cleanup, in the right order.
package sfutest

import (
	"io"
	"log/slog"
	"net"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/fanfare-relay/fanfare/media"
	"github.com/fanfare-relay/fanfare/sfu"
)

// Patience is how long a test waits for something that must happen. It bounds the time of
// a test that fails, nothing else.
const Patience = 20 * time.Second

// Relay is a running SFU.
type Relay struct {
	*sfu.SFU
	// Port is that of its socket, on 127.0.0.1 unless the configuration was changed.
	Port uint16

	mu      sync.Mutex
	changed chan struct{}
	events  []media.Event
}

// Start runs a relay on 127.0.0.1 until the test ends. change, when not nil, may change its
// configuration.
func Start(t testing.TB, change func(*sfu.Config)) *Relay {
	t.Helper()
	conn, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatalf("listen: %v", err)
	}
	r := &Relay{changed: make(chan struct{})}
	cfg := sfu.Config{Conn: conn, OnEvent: r.note, Logger: slog.New(slog.NewTextHandler(io.Discard, nil))}
	if change != nil {
		change(&cfg)
	}
	r.Port = cfg.Conn.LocalAddr().(*net.UDPAddr).AddrPort().Port()
	if r.SFU, err = sfu.New(cfg); err != nil {
		t.Fatalf("new relay: %v", err)
	}
	served := make(chan error, 1)
	go func() { served <- r.Serve() }()
	t.Cleanup(func() {
		r.Shutdown()
		if err := <-served; err != nil {
			t.Errorf("serve: %v", err)
		}
	})
	return r
}

// PortText is Port in digits.
func (r *Relay) PortText() string { return strconv.Itoa(int(r.Port)) }

func (r *Relay) note(e media.Event) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.events = append(r.events, e)
	close(r.changed)
	r.changed = make(chan struct{})
}

// Events returns what has been told so far.
func (r *Relay) Events() []media.Event {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]media.Event(nil), r.events...)
}

// WaitEvent waits for an event that fits, among those told already and those to come.
func (r *Relay) WaitEvent(t testing.TB, what string, fits func(media.Event) bool) media.Event {
	t.Helper()
	deadline := time.After(Patience)
	for {
		r.mu.Lock()
		changed := r.changed
		for _, e := range r.events {
			if fits(e) {
				r.mu.Unlock()
				return e
			}
		}
		r.mu.Unlock()
		select {
		case <-changed:
		case <-deadline:
			t.Fatalf("no event: %s; told: %+v", what, r.Events())
		}
	}
}

// WaitStats waits until the figures fit.
func (r *Relay) WaitStats(t testing.TB, what string, fits func(sfu.Stats) bool) sfu.Stats {
	t.Helper()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	deadline := time.After(Patience)
	for {
		st := r.Stats()
		if fits(st) {
			return st
		}
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatalf("the figures never showed: %s; now: %+v", what, st)
		}
	}
}
