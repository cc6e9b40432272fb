package lite_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/pion/ice/v2"
	"github.com/pion/rtcp"
	"github.com/pion/webrtc/v3"

	"github.com/fanfare-relay/fanfare/media"
	"github.com/fanfare-relay/fanfare/sfu/lite"
	"github.com/fanfare-relay/fanfare/sfu/udp"
)

const limit = 30 * time.Second // only a test that hangs reaches it

// shell is the smallest server round one leg: a socket, a reader, and one goroutine that
// owns the leg, sends a packet every 20 ms and prints nothing.
type shell struct {
	t      *testing.T
	conn   *udp.Conn
	hs     *lite.Handshaker
	leg    *lite.Leg
	local  lite.Credentials
	peer   []lite.Fingerprint
	in     chan lite.Datagram
	result chan lite.Result
	stop   chan media.CloseReason
	done   chan struct{}
	events chan lite.Event
	plis   chan struct{}
	alerts chan struct{} // DTLS alerts of the client
	loses  atomic.Bool   // our next last flight gets lost
}

func newShell(t *testing.T, listen string) *shell {
	t.Helper()
	conn, err := udp.Listen(listen)
	if err != nil {
		t.Fatal(err)
	}
	s := &shell{
		t: t, conn: conn, local: lite.NewCredentials(),
		in: make(chan lite.Datagram, 100), result: make(chan lite.Result, 1),
		stop: make(chan media.CloseReason, 1), done: make(chan struct{}),
		events: make(chan lite.Event, 1000), plis: make(chan struct{}, 1000), alerts: make(chan struct{}, 1000),
	}
	s.hs, err = lite.NewHandshaker(lite.HandshakerConfig{Send: s.send, InFlight: 2})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func (s *shell) send(b []byte, p lite.Path) {
	if b[0] == 20 && s.loses.CompareAndSwap(true, false) {
		return
	}
	_, _ = s.conn.WriteMsg(b, p)
}

// answer takes an offer and returns the answer, with the media at the given address.
func (s *shell) answer(offer string, at netip.AddrPort) string {
	attr := func(name string) string {
		_, rest, _ := strings.Cut(offer, "a="+name+":")
		value, _, _ := strings.Cut(rest, "\r\n")
		return value
	}
	f, err := lite.ParseFingerprint(attr("fingerprint"))
	if err != nil {
		s.t.Fatal(err)
	}
	s.peer = []lite.Fingerprint{f}
	s.leg = lite.New(lite.Config{
		Local: s.local, Remote: lite.Credentials{Ufrag: attr("ice-ufrag"), Pwd: attr("ice-pwd")},
	}, time.Now())
	go s.read()
	go s.run()
	lines := []string{
		"v=0", "o=- 1 1 IN IP4 127.0.0.1", "s=-", "t=0 0", "a=group:BUNDLE 0", "a=ice-lite",
		"m=video 9 UDP/TLS/RTP/SAVPF 96", "c=IN IP4 0.0.0.0", "a=mid:0", "a=sendonly", "a=rtcp-mux",
		"a=ice-ufrag:" + s.local.Ufrag, "a=ice-pwd:" + s.local.Pwd,
		"a=fingerprint:" + s.hs.Fingerprint().String(), "a=setup:passive",
		"a=rtpmap:96 VP8/90000", "a=msid:stream track", "a=ssrc:1234 cname:c",
		fmt.Sprintf("a=candidate:1 1 udp 2130706431 %s %d typ host", at.Addr(), at.Port()),
		"a=end-of-candidates", "",
	}
	return strings.Join(lines, "\r\n")
}

func (s *shell) read() {
	b := make([]byte, 1500)
	for {
		n, p, err := s.conn.ReadMsg(b)
		if err != nil {
			close(s.in)
			return
		}
		s.in <- lite.Datagram{Data: bytes.Clone(b[:n]), Path: p}
	}
}

// run owns the leg.
func (s *shell) run() {
	defer close(s.done)
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	var out lite.Out
	var current *lite.Handshake
	for seq := uint16(1); ; {
		out.Reset()
		select {
		case d, ok := <-s.in:
			if !ok {
				return
			}
			if d.Data[0] == 21 {
				s.alerts <- struct{}{}
			}
			s.leg.Receive(d.Data, d.Path, time.Now(), &out)
		case r := <-s.result:
			current = nil
			s.leg.Finish(r, time.Now(), &out)
		case reason := <-s.stop:
			s.leg.Close(reason, &out)
		case <-tick.C:
			s.leg.Advance(time.Now(), &out)
			seq = s.media(seq)
		}
		for _, d := range out.Handshake {
			if current == nil {
				current, _ = s.hs.Begin(s.peer, func(r lite.Result) { s.result <- r })
			}
			current.Feed(d.Data, d.Path)
		}
		for _, d := range out.Send {
			s.send(d.Data, d.Path)
		}
		for _, r := range out.RTCP {
			s.report(r)
		}
		for _, e := range out.Events {
			s.events <- e
		}
	}
}

// media sends one RTP packet once there are keys.
func (s *shell) media(seq uint16) uint16 {
	path, ok := s.leg.Path()
	if !ok {
		return seq
	}
	header := make([]byte, 12)
	header[0], header[1] = 0x80, 96
	binary.BigEndian.PutUint16(header[2:], seq)
	binary.BigEndian.PutUint32(header[8:], 1234)
	b, err := s.leg.SealRTP(nil, header, fmt.Appendf(nil, "packet %d", seq))
	if err != nil {
		s.t.Error(err)
	}
	s.send(b, path)
	return seq + 1
}

func (s *shell) report(b []byte) {
	packets, err := rtcp.Unmarshal(b)
	if err != nil {
		s.t.Error(err)
	}
	for _, p := range packets {
		if _, ok := p.(*rtcp.PictureLossIndication); ok {
			s.plis <- struct{}{}
		}
	}
}

// wait returns the next event of a kind.
func (s *shell) wait(kind lite.EventKind) lite.Event {
	s.t.Helper()
	timeout := time.After(limit)
	for {
		select {
		case e := <-s.events:
			if e.Kind == kind {
				return e
			}
		case <-timeout:
			s.t.Fatalf("no event %d", kind)
		}
	}
}

func (s *shell) close() {
	_ = s.hs.Close()
	_ = s.conn.Close()
	<-s.done
}

// client is a real pion/webrtc peer that receives.
type client struct {
	pc   *webrtc.PeerConnection
	seen chan uint16 // sequence numbers that arrived whole
}

func join(t *testing.T, s *shell, at netip.AddrPort) *client {
	t.Helper()
	var engine webrtc.SettingEngine
	engine.SetIncludeLoopbackCandidate(true)
	engine.SetNetworkTypes([]webrtc.NetworkType{webrtc.NetworkTypeUDP4})
	engine.SetICEMulticastDNSMode(ice.MulticastDNSModeDisabled)
	engine.SetIPFilter(net.IP.IsLoopback)
	engine.SetICETimeouts(limit, limit, 200*time.Millisecond)
	codecs := &webrtc.MediaEngine{}
	if err := codecs.RegisterDefaultCodecs(); err != nil {
		t.Fatal(err)
	}
	pc, err := webrtc.NewAPI(webrtc.WithSettingEngine(engine), webrtc.WithMediaEngine(codecs)).NewPeerConnection(webrtc.Configuration{})
	if err != nil {
		t.Fatal(err)
	}
	c := &client{pc: pc, seen: make(chan uint16, 10000)}
	pc.OnTrack(func(track *webrtc.TrackRemote, _ *webrtc.RTPReceiver) {
		for {
			p, _, err := track.ReadRTP()
			if err != nil {
				return
			}
			if string(p.Payload) != fmt.Sprintf("packet %d", p.SequenceNumber) {
				t.Errorf("packet %d holds %q", p.SequenceNumber, p.Payload)
			}
			c.seen <- p.SequenceNumber
		}
	})
	recvOnly := webrtc.RTPTransceiverInit{Direction: webrtc.RTPTransceiverDirectionRecvonly}
	if _, err := pc.AddTransceiverFromKind(webrtc.RTPCodecTypeVideo, recvOnly); err != nil {
		t.Fatal(err)
	}
	offer, err := pc.CreateOffer(nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := pc.SetLocalDescription(offer); err != nil {
		t.Fatal(err)
	}
	answer := webrtc.SessionDescription{Type: webrtc.SDPTypeAnswer, SDP: s.answer(offer.SDP, at)}
	if err := pc.SetRemoteDescription(answer); err != nil {
		t.Fatal(err)
	}
	return c
}

// receives waits for n more packets.
func (c *client) receives(t *testing.T, n int) {
	t.Helper()
	timeout := time.After(limit)
	for range n {
		select {
		case <-c.seen:
		case <-timeout:
			t.Fatal("no media")
		}
	}
}

// reports sends a PLI and, if wanted, waits until the server has it.
func (c *client) reports(t *testing.T, s *shell, arrives bool) {
	t.Helper()
	if err := c.pc.WriteRTCP([]rtcp.Packet{&rtcp.PictureLossIndication{SenderSSRC: 1, MediaSSRC: 1234}}); err != nil && !errors.Is(err, io.ErrClosedPipe) {
		t.Fatal(err)
	}
	if !arrives {
		return
	}
	select {
	case <-s.plis:
	case <-time.After(limit):
		t.Fatal("the report did not arrive")
	}
}

// TestRealClient connects a real client, loses our last flight, gives it a new port on
// the way, and lets it go by close_notify.
func TestRealClient(t *testing.T) {
	s := newShell(t, "0.0.0.0:0")
	defer s.close()
	nat := newRelay(t, s.conn.Port())
	defer nat.close()
	s.loses.Store(true)
	at := nat.inside.LocalAddr().(*net.UDPAddr).AddrPort()
	c := join(t, s, at)
	s.wait(lite.EventConnected)
	c.receives(t, 5)
	c.reports(t, s, true)
	if s.loses.Load() {
		t.Error("no flight was lost")
	}

	nat.rebind(t)
	c.reports(t, s, false) // from a port that the server has not seen
	moved := s.wait(lite.EventPath)
	if moved.Path.Remote.Port() != uint16(nat.out.LocalAddr().(*net.UDPAddr).Port) {
		t.Errorf("media moved to %v", moved.Path)
	}
	for len(c.seen) > 0 {
		<-c.seen
	}
	c.receives(t, 5)
	c.reports(t, s, true)

	if err := c.pc.Close(); err != nil {
		t.Fatal(err)
	}
	if e := s.wait(lite.EventClosed); e.Close != media.CloseByClient {
		t.Errorf("closed for %v", e.Close)
	}
}

// TestServerCloses: the kept close_notify reaches a real client, also at the second address
// of the machine and by a dual-stack socket. (pion gathers no ::1; IPv6 is tested without
// it.)
func TestServerCloses(t *testing.T) {
	rows := []struct{ listen, at string }{{"127.0.0.1:0", "127.0.0.1"}, {":0", "127.0.0.1"}}
	if runtime.GOOS == "linux" {
		rows = append(rows, struct{ listen, at string }{"0.0.0.0:0", "127.0.0.2"})
	}
	for _, r := range rows {
		t.Run(r.listen+" at "+r.at, func(t *testing.T) { serverCloses(t, r.listen, netip.MustParseAddr(r.at)) })
	}
}

func serverCloses(t *testing.T, listen string, at netip.Addr) {
	s := newShell(t, listen)
	defer s.close()
	c := join(t, s, netip.AddrPortFrom(at, s.conn.Port()))
	defer func() { _ = c.pc.Close() }()
	c.receives(t, 1)
	s.stop <- media.CloseEnded
	if e := s.wait(lite.EventClosed); e.Close != media.CloseEnded {
		t.Errorf("closed for %v", e.Close)
	}
	select {
	case <-s.alerts: // RFC 5246 section 7.2.1: it answers with its own
	case <-time.After(limit):
		t.Fatal("the client did not notice")
	}
}
