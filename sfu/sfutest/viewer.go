package sfutest

import (
	"net"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/pion/rtcp"
	"github.com/pion/rtp"
	"github.com/pion/webrtc/v3"

	"github.com/fanfare-relay/fanfare/media"
)

// Packet is one that a viewer got, with when it came. Repeats look as if they had come on
// the main source (RTX is undone).
type Packet struct {
	rtp.Packet
	At        time.Time
	Repeated  bool
	Recovered bool // by parity
}

// Viewer is a WHEP client.
type Viewer struct {
	*endpoint
	Answer media.Answer
	relay  *Relay
	rtt    time.Duration

	mu      sync.Mutex
	changed chan struct{}
	packets map[media.Kind][]Packet
	ssrc    map[media.Kind]uint32
	reports []*rtcp.SenderReport
	kinds   []media.Kind
	repairs repairs
	asker   *asker // for pictures
}

// ViewerOptions changes what a viewer offers. The zero value is every codec with RTX.
type ViewerOptions struct {
	Codecs []media.Codec
	NoRTX  bool
	// High offers H.264's profile High beside the constrained baseline.
	High bool
	// Conn is the viewer's socket, nil for one on 127.0.0.1.
	Conn net.PacketConn
	// Feedback makes the viewer tell about its line (transport-wide feedback).
	Feedback bool
	// Parity makes the viewer take parity packets, and report what it loses.
	Parity bool
	// RTT is what the viewer takes for the round trip when it asks again.
	RTT time.Duration
}

// Subscribe offers one audio and one video m-line with every codec, and returns when the
// session is up. The stream need not be live.
func Subscribe(t testing.TB, r *Relay, stream string) *Viewer {
	t.Helper()
	v := NewViewer(t, r, ViewerOptions{})
	v.Connect(t, stream)
	return v
}

// NewViewer makes a client that has not asked the relay yet.
func NewViewer(t testing.TB, r *Relay, o ViewerOptions) *Viewer {
	t.Helper()
	if o.Codecs == nil {
		o.Codecs = AllCodecs
	}
	v := &Viewer{
		relay: r, rtt: o.RTT, changed: make(chan struct{}), packets: map[media.Kind][]Packet{}, ssrc: map[media.Kind]uint32{},
	}
	v.endpoint = newEndpoint(t, endpointOptions{conn: o.Conn, types: viewerTypes, codecs: o.Codecs, noRTX: o.NoRTX, high: o.High,
		feedback: o.Feedback, parity: o.Parity, rtcpFrom: v.note})
	for _, kind := range []media.Kind{media.KindAudio, media.KindVideo} {
		for _, c := range o.Codecs {
			if c.Kind() == kind {
				v.addKind(t, kind)
				break
			}
		}
	}
	v.pc.OnTrack(v.onTrack)
	return v
}

func (v *Viewer) addKind(t testing.TB, kind media.Kind) {
	t.Helper()
	_, err := v.pc.AddTransceiverFromKind(webrtc.NewRTPCodecType(kind.String()),
		webrtc.RTPTransceiverInit{Direction: webrtc.RTPTransceiverDirectionRecvonly})
	if err != nil {
		t.Fatalf("add transceiver: %v", err)
	}
	v.kinds = append(v.kinds, kind)
}

// Accept takes the relay's answer, for tests that sent the offer themselves.
func (v *Viewer) Accept(t testing.TB, answer media.Answer) {
	t.Helper()
	v.Answer = answer
	v.accept(t, withoutParity(answer.SDP))
}

// Connect sends the offer to the relay and waits until the session is up.
func (v *Viewer) Connect(t testing.TB, stream string) {
	t.Helper()
	v.ConnectBy(t, stream, func(answer string) string { return answer })
}

// ConnectBy is Connect with an answer that is changed on the way.
func (v *Viewer) ConnectBy(t testing.TB, stream string, change func(answer string) string) {
	t.Helper()
	r := v.relay
	answer, err := r.Subscribe(within(t), stream, v.Offer(t))
	if err != nil {
		t.Fatalf("subscribe: %v", err)
	}
	answer.SDP = change(answer.SDP)
	v.Accept(t, answer)
	v.waitConnected(t)
	v.readParity(t)
	r.WaitEvent(t, "viewer connected", func(e media.Event) bool {
		return e.Kind == media.EventConnected && e.Session == answer.Session
	})
}

// State is that of the peer connection.
func (v *Viewer) State() webrtc.PeerConnectionState { return v.pc.ConnectionState() }

// ExtensionID returns the id that the answer gives to a header extension on the m-line of a kind, 0
// when there is none.
func (v *Viewer) ExtensionID(kind media.Kind, uri string) uint8 {
	_, section, _ := strings.Cut(v.Answer.SDP, "m="+kind.String())
	section, _, _ = strings.Cut(section, "\r\nm=")
	for line := range strings.Lines(section) {
		value, ok := strings.CutPrefix(strings.TrimSpace(line), "a=extmap:")
		if id, name, _ := strings.Cut(value, " "); ok && name == uri {
			n, _ := strconv.ParseUint(id, 10, 8)
			return uint8(n)
		}
	}
	return 0
}

// Link is the viewer's socket.
func (v *Viewer) Link() *Link { return v.link }

func (v *Viewer) onTrack(track *webrtc.TrackRemote, _ *webrtc.RTPReceiver) {
	kind := media.KindVideo
	if track.Kind() == webrtc.RTPCodecTypeAudio {
		kind = media.KindAudio
	}
	v.mu.Lock()
	v.ssrc[kind] = uint32(track.SSRC())
	v.mu.Unlock()
	ask := newAsker(uint32(track.SSRC()), max(v.rtt, askEvery), v.pc.WriteRTCP)
	ended := make(chan struct{})
	defer close(ended)
	if kind == media.KindVideo {
		v.mu.Lock()
		v.asker = ask
		v.mu.Unlock()
		go ask.run(ended)
	}
	buf := make([]byte, 2048)
	for {
		n, attrs, err := track.Read(buf)
		if err != nil {
			return
		}
		v.take(kind, buf[:n], attrs.Get(webrtc.AttributeRtxSsrc) != nil)
	}
}

// take notes a packet, and those of a picture that parity makes of it.
func (v *Viewer) take(kind media.Kind, raw []byte, repeated bool) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.add(kind, raw, Packet{Repeated: repeated})
	if kind == media.KindVideo && !repeated { // as browsers, which do not protect what came by RTX
		v.recovered(v.repairs.media(raw))
	}
	v.wake()
}

// recovered notes packets that parity has brought back. The caller holds mu.
func (v *Viewer) recovered(packets [][]byte) {
	for _, raw := range packets {
		v.add(media.KindVideo, raw, Packet{Recovered: true})
	}
}

func (v *Viewer) add(kind media.Kind, raw []byte, p Packet) {
	if err := p.Unmarshal(append([]byte(nil), raw...)); err != nil {
		return
	}
	p.At = time.Now()
	if kind == media.KindVideo {
		v.asker.note(p.SequenceNumber, p.At)
	}
	v.packets[kind] = append(v.packets[kind], p)
}

// note keeps the relay's sender reports.
func (v *Viewer) note(pkts []rtcp.Packet) {
	v.mu.Lock()
	defer v.mu.Unlock()
	for _, p := range pkts {
		if sr, ok := p.(*rtcp.SenderReport); ok {
			v.reports = append(v.reports, sr)
		}
	}
	v.wake()
}

func (v *Viewer) wake() {
	close(v.changed)
	v.changed = make(chan struct{})
}

// Packets returns what came of a kind so far, in the order of arrival.
func (v *Viewer) Packets(kind media.Kind) []Packet {
	v.mu.Lock()
	defer v.mu.Unlock()
	return append([]Packet(nil), v.packets[kind]...)
}

// Reports returns the sender reports that came so far.
func (v *Viewer) Reports() []*rtcp.SenderReport {
	v.mu.Lock()
	defer v.mu.Unlock()
	return append([]*rtcp.SenderReport(nil), v.reports...)
}

// SSRC is that of the track, 0 before its first packet.
func (v *Viewer) SSRC(kind media.Kind) uint32 {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.ssrc[kind]
}

// Wait waits until the packets of a kind fit.
func (v *Viewer) Wait(t testing.TB, kind media.Kind, what string, fits func([]Packet) bool) []Packet {
	t.Helper()
	deadline := time.After(Patience)
	for {
		v.mu.Lock()
		changed := v.changed
		v.mu.Unlock()
		list := v.Packets(kind)
		if fits(list) {
			return list
		}
		select {
		case <-changed:
		case <-deadline:
			t.Fatalf("never came: %s; %d packets of %s; the relay: %+v", what, len(list), kind, v.relay.Stats())
		}
	}
}

// Repeat does something again and again, 200 times a second, until the packets of
// a kind fit.
func (v *Viewer) Repeat(t testing.TB, kind media.Kind, what string, do func(), fits func([]Packet) bool) {
	t.Helper()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	deadline := time.After(Patience)
	for !fits(v.Packets(kind)) {
		do()
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatalf("never came: %s; the relay: %+v", what, v.relay.Stats())
		}
	}
}

// WaitCount waits until at least n packets of a kind have come.
func (v *Viewer) WaitCount(t testing.TB, kind media.Kind, n int) []Packet {
	t.Helper()
	return v.Wait(t, kind, strconv.Itoa(n)+" packets", func(p []Packet) bool { return len(p) >= n })
}

// AskForKey sends a PLI for the video track.
func (v *Viewer) AskForKey(t testing.TB) {
	t.Helper()
	if err := v.pc.WriteRTCP([]rtcp.Packet{&rtcp.PictureLossIndication{MediaSSRC: v.SSRC(media.KindVideo)}}); err != nil {
		t.Fatalf("send PLI: %v", err)
	}
}

// Ask sends a NACK for packets of the video track.
func (v *Viewer) Ask(t testing.TB, pairs ...rtcp.NackPair) {
	t.Helper()
	if err := v.pc.WriteRTCP([]rtcp.Packet{&rtcp.TransportLayerNack{MediaSSRC: v.SSRC(media.KindVideo), Nacks: pairs}}); err != nil {
		t.Fatalf("send NACK: %v", err)
	}
}

// Report sends an RTCP packet as it is, well sealed.
func (v *Viewer) Report(t testing.TB, raw []byte) {
	t.Helper()
	packet := rtcp.RawPacket(raw)
	if err := v.pc.WriteRTCP([]rtcp.Packet{&packet}); err != nil {
		t.Fatalf("send RTCP: %v", err)
	}
}

// RestartFragment begins an ICE restart and returns what is to be sent by PATCH.
func (v *Viewer) RestartFragment(t testing.TB) string {
	t.Helper()
	offer, err := v.pc.CreateOffer(&webrtc.OfferOptions{ICERestart: true})
	if err != nil {
		t.Fatalf("create offer: %v", err)
	}
	if err := v.pc.SetLocalDescription(offer); err != nil {
		t.Fatalf("set offer: %v", err)
	}
	return fragmentOf(offer.SDP)
}

// Restart takes the relay's fragment, by putting it into the answer of before.
func (v *Viewer) Restart(t testing.TB, fragment string) {
	t.Helper()
	fresh := map[string]string{}
	for line := range strings.Lines(fragment) {
		for _, key := range []string{"a=ice-ufrag:", "a=ice-pwd:"} {
			if strings.HasPrefix(line, key) {
				fresh[key] = line
			}
		}
	}
	var b strings.Builder
	for line := range strings.Lines(v.Answer.SDP) {
		for key, replacement := range fresh {
			if strings.HasPrefix(line, key) {
				line = replacement
			}
		}
		b.WriteString(line)
	}
	v.accept(t, b.String())
}
