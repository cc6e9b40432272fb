package sfu

import (
	"context"
	"io"
	"log/slog"
	"net"
	"net/netip"
	"testing"
	"time"

	"github.com/fanfare-relay/fanfare/media"
	"github.com/fanfare-relay/fanfare/sfu/lite"
	"github.com/fanfare-relay/fanfare/sfu/udp"
)

func TestGoodbye(t *testing.T) {
	alert := time.Unix(1000, 0)
	for _, c := range []struct {
		name           string
		alerted, heard time.Time
		at             time.Time
		ok             bool
	}{
		{name: "nothing was said", heard: alert},
		{"silence since", alert, alert, alert.Add(goodbyeSilence), true},
		{"what was under way", alert, alert.Add(goodbyeTrail), alert.Add(goodbyeTrail + goodbyeSilence), true},
		{name: "still there: a forged alert", alerted: alert, heard: alert.Add(goodbyeTrail + 1)},
	} {
		if at, ok := goodbye(c.alerted, c.heard); ok != c.ok || !at.Equal(c.at) {
			t.Errorf("%s: %v, %v", c.name, at, ok)
		}
	}
}

// quiet is a relay that reads no socket, for looking at its insides.
func quiet(t *testing.T, onEvent func(media.Event)) *SFU {
	t.Helper()
	return quietWith(t, Config{OnEvent: onEvent})
}

// quietWith is one with a configuration, but for socket and log.
func quietWith(t *testing.T, cfg Config) *SFU {
	t.Helper()
	conn, err := net.ListenPacket("udp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	cfg.Conn, cfg.Logger = conn, slog.New(slog.NewTextHandler(io.Discard, nil))
	s, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Shutdown)
	return s
}

// Each worker gets as many viewers of a stream as the others.
func TestWorkersShareViewers(t *testing.T) {
	s := quietWith(t, Config{Workers: 2})
	for range 10 {
		if _, err := s.Subscribe(t.Context(), "s", whep()); err != nil {
			t.Fatal(err)
		}
	}
	shared := map[*worker]int{}
	s.mu.Lock()
	for _, sess := range s.sessions {
		shared[sess.viewer.shard.worker]++
	}
	s.mu.Unlock()
	if shared[s.workers[0]] != 5 || shared[s.workers[1]] != 5 {
		t.Errorf("%d and %d viewers", shared[s.workers[0]], shared[s.workers[1]])
	}
}

// The first packet may be read before pion tells that the connection is up; events keep their order.
func TestMediaIsToldBehindConnected(t *testing.T) {
	var kinds []media.EventKind
	s := quiet(t, func(e media.Event) { kinds = append(kinds, e.Kind) })
	a, err := s.Publish(context.Background(), "s", whip(), media.PublishOptions{})
	if err != nil {
		t.Fatal(err)
	}
	s.mu.Lock()
	p := s.sessions[a.Session].publisher
	s.mu.Unlock()
	p.tellMedia(media.TrackInfo{Kind: media.KindVideo, Codec: media.CodecVP8}, time.Now())
	p.up()
	s.Shutdown()
	p.up() // too late
	want := []media.EventKind{media.EventConnected, media.EventMedia, media.EventDisconnected}
	if len(kinds) != 3 || kinds[0] != want[0] || kinds[1] != want[1] || kinds[2] != want[2] {
		t.Errorf("told %v, want %v", kinds, want)
	}
}

// Whatever the order of a restart and a viewer's end, no ufrag is left behind.
func TestNoUfragIsLeft(t *testing.T) {
	r, v := newRoutes(), &viewer{}
	for _, u := range []string{"first", "second", "third"} {
		r.addUfrag(u, route{viewer: v})
	}
	r.removeUfrag("first")
	if len(v.ufrags) != 2 {
		t.Errorf("the viewer still holds %q", v.ufrags)
	}
	r.forget(v)
	r.addUfrag("late", route{viewer: v})
	if len(r.ufrags) != 0 || len(v.ufrags) != 0 {
		t.Errorf("left: %v, %q", r.ufrags, v.ufrags)
	}
}

func TestPublishersAddresses(t *testing.T) {
	conn, err := udp.Listen("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	c := newMuxConn(conn)
	local := netip.MustParseAddr("127.0.0.1")
	path := func(port uint16) udp.Path {
		return udp.Path{Remote: netip.AddrPortFrom(local, port), Local: local}
	}
	one, other := &publisher{}, &publisher{}
	c.remember(path(1), one)
	if c.known(path(1).Remote) {
		t.Error("known before pion has answered")
	}
	if _, err := c.WriteTo([]byte{0}, net.UDPAddrFromAddrPort(path(1).Remote)); err != nil {
		t.Fatal(err)
	}
	c.remember(path(1), other) // a forged check
	if p := c.peer(path(1).Remote); !p.known || p.owner != one || p.local != local {
		t.Errorf("the address is %+v", p)
	}
	for port := range uint16(maxPeers + 10) {
		c.remember(path(100+port), other) // checks from everywhere
	}
	if len(c.peers) > maxPeers || !c.known(path(1).Remote) {
		t.Errorf("%d addresses; the live one is known: %v", len(c.peers), c.known(path(1).Remote))
	}
	c.forget(one)
	if c.known(path(1).Remote) {
		t.Error("known after its publisher has gone")
	}
	c.forget(other)
	if len(c.peers) != 0 {
		t.Errorf("%d addresses are left", len(c.peers))
	}
}

// An alert is a hint only when it is encrypted: anybody may send the other kind during a handshake.
func TestHear(t *testing.T) {
	now := time.Unix(1000, 0)
	for _, c := range []struct {
		name string
		b    []byte
		want bool
	}{
		{"a sealed alert", append([]byte{21, 0xfe, 0xfd, 0, 1, 0, 0, 0, 0, 0, 1, 0, 26}, make([]byte, 26)...), true},
		{"a plain alert", []byte{21, 0xfe, 0xfd, 0, 0, 0, 0, 0, 0, 0, 1, 0, 2, 1, 0}, false},
		{"a handshake", append([]byte{22, 0xfe, 0xfd, 0, 1, 0, 0, 0, 0, 0, 1, 0, 26}, make([]byte, 26)...), false},
		{"cut short", []byte{21, 0xfe, 0xfd, 0, 1, 0, 0, 0, 0, 0, 1, 0, 26}, false},
		{"media", make([]byte, 40), false},
	} {
		p := &publisher{pokes: make(chan struct{}, 1), srtp: newSRTPChoice(true)}
		p.hear(c.b, now)
		if got := p.alerted.Load() != 0; got != c.want || p.heard.Load() != now.UnixNano() || lite.IsSealedAlert(c.b) != c.want {
			t.Errorf("%s: %v", c.name, got)
		}
	}
}

func TestPublicAddress(t *testing.T) {
	for in, want := range map[string]string{
		"192.0.2.1:0": "192.0.2.1:8080", "192.0.2.1:9": "192.0.2.1:9", "[2001:db8::1]:0": "[2001:db8::1]:8080",
		"[::ffff:192.0.2.1]:9": "192.0.2.1:9",
	} {
		if got := publicAddress(netip.MustParseAddrPort(in), 8080); got.String() != want {
			t.Errorf("%s: %s, want %s", in, got, want)
		}
	}
	if got := publicAddress(netip.AddrPort{}, 8080); got.IsValid() {
		t.Errorf("none: %v", got)
	}
}
