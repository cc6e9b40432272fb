package sfutest

import (
	"net"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/pion/rtcp"
	"github.com/pion/rtp"
	"github.com/pion/webrtc/v3"

	"github.com/fanfare-relay/fanfare/media"
	"github.com/fanfare-relay/fanfare/media/ext"
)

// Publisher is a WHIP client.
type Publisher struct {
	*endpoint
	// Options go with the offer.
	Options media.PublishOptions
	Answer  media.Answer
	// PLIs counts the key frames that it was asked for.
	PLIs atomic.Int64

	tracks  map[media.Kind][]*outTrack
	senders map[media.Kind]*webrtc.RTPSender
	keys    chan struct{}

	shift atomic.Uint32 // of sources

	mu     sync.Mutex
	wanted map[uint32]bool        // sources of which a key frame was asked for, and not yet told
	asked  map[uint32][]time.Time // when one was asked for
}

type outTrack struct {
	local *webrtc.TrackLocalStaticRTP
	rid   string
}

// Publish offers one track for each codec, connects, and returns when media may flow.
func Publish(t testing.TB, r *Relay, stream string, codecs ...media.Codec) *Publisher {
	t.Helper()
	p := NewPublisher(t, codecs...)
	p.Connect(t, r, stream)
	return p
}

// NewPublisher makes a client that has not asked the relay yet.
func NewPublisher(t testing.TB, codecs ...media.Codec) *Publisher {
	t.Helper()
	return NewPublisherOn(t, nil, codecs...)
}

// NewPublisherOn is NewPublisher with a socket of the caller's.
func NewPublisherOn(t testing.TB, conn net.PacketConn, codecs ...media.Codec) *Publisher {
	t.Helper()
	p := bare(t, conn, codecs...)
	for _, c := range codecs {
		p.addTrack(t, c, "")
	}
	return p
}

// NewChangingPublisher makes a publisher that offers several codecs for one track, of H.264 both profiles. It sends the
// first until UseCodec.
func NewChangingPublisher(t testing.TB, conn net.PacketConn, codecs ...media.Codec) *Publisher {
	t.Helper()
	p := newBare(t, endpointOptions{conn: conn, codecs: codecs, high: true})
	p.addTrack(t, codecs[0], "")
	return p
}

// UseCodec changes the codec of the first track of its kind, and so the payload type. The source
// stays the same.
func (p *Publisher) UseCodec(t testing.TB, c media.Codec) {
	t.Helper()
	p.use(t, c.Kind(), Capability(c))
}

// UseHigh is UseCodec for H.264's profile High.
func (p *Publisher) UseHigh(t testing.TB) {
	t.Helper()
	p.use(t, media.KindVideo, HighCapability())
}

func (p *Publisher) use(t testing.TB, kind media.Kind, c webrtc.RTPCodecCapability) {
	t.Helper()
	track, err := webrtc.NewTrackLocalStaticRTP(c, kind.String(), "source")
	if err != nil {
		t.Fatalf("new track: %v", err)
	}
	if err := p.senders[kind].ReplaceTrack(track); err != nil {
		t.Fatalf("use %s %s: %v", c.MimeType, c.SDPFmtpLine, err)
	}
	p.tracks[kind][0].local = track
}

func bare(t testing.TB, conn net.PacketConn, codecs ...media.Codec) *Publisher {
	t.Helper()
	return newBare(t, endpointOptions{conn: conn, codecs: codecs})
}

// newBare makes a publisher without tracks.
func newBare(t testing.TB, o endpointOptions) *Publisher {
	t.Helper()
	p := &Publisher{
		tracks: map[media.Kind][]*outTrack{}, senders: map[media.Kind]*webrtc.RTPSender{},
		keys: make(chan struct{}, 1), wanted: map[uint32]bool{}, asked: map[uint32][]time.Time{},
	}
	o.types, o.noRTX, o.rtcpFrom, o.shift = publisherTypes, true, p.count, &p.shift
	p.endpoint = newEndpoint(t, o)
	return p
}

// PublishSimulcast is Publish with one video track in several encodings, the best last.
func PublishSimulcast(t testing.TB, r *Relay, stream string, codec media.Codec, rids ...string) *Publisher {
	t.Helper()
	return PublishSimulcastOn(t, nil, r, stream, codec, rids...)
}

// PublishSimulcastOn is PublishSimulcast with a socket of the caller's.
func PublishSimulcastOn(t testing.TB, conn net.PacketConn, r *Relay, stream string, codec media.Codec, rids ...string) *Publisher {
	t.Helper()
	p := bare(t, conn, codec)
	for _, rid := range rids {
		p.addTrack(t, codec, rid)
	}
	p.Connect(t, r, stream)
	return p
}

func (p *Publisher) addTrack(t testing.TB, c media.Codec, rid string) {
	t.Helper()
	var options []func(*webrtc.TrackLocalStaticRTP)
	if rid != "" {
		options = append(options, webrtc.WithRTPStreamID(rid))
	}
	track, err := webrtc.NewTrackLocalStaticRTP(Capability(c), c.Kind().String(), "source", options...)
	if err != nil {
		t.Fatalf("new track: %v", err)
	}
	kind := c.Kind()
	p.tracks[kind] = append(p.tracks[kind], &outTrack{local: track, rid: rid})
	if sender := p.senders[kind]; sender != nil {
		if err := sender.AddEncoding(track); err != nil {
			t.Fatalf("add encoding %s: %v", rid, err)
		}
		return
	}
	tr, err := p.pc.AddTransceiverFromTrack(track, webrtc.RTPTransceiverInit{Direction: webrtc.RTPTransceiverDirectionSendonly})
	if err != nil {
		t.Fatalf("add track: %v", err)
	}
	p.senders[kind] = tr.Sender()
}

// Connect sends the offer to the relay and waits until the session is up.
func (p *Publisher) Connect(t testing.TB, r *Relay, stream string) {
	t.Helper()
	p.ConnectBy(t, r, stream, func(answer string) string { return answer })
}

// ConnectBy is Connect with an answer that is changed on the way.
func (p *Publisher) ConnectBy(t testing.TB, r *Relay, stream string, change func(answer string) string) {
	t.Helper()
	p.connect(t, r, stream, p.Offer(t), change)
}

// ConnectAs is Connect with an offer that is changed on the way.
func (p *Publisher) ConnectAs(t testing.TB, r *Relay, stream string, change func(offer string) string) {
	t.Helper()
	p.connect(t, r, stream, change(p.Offer(t)), func(answer string) string { return answer })
}

func (p *Publisher) connect(t testing.TB, r *Relay, stream, offer string, change func(answer string) string) {
	t.Helper()
	answer, err := r.Publish(within(t), stream, offer, p.Options)
	if err != nil {
		t.Fatalf("publish: %v", err)
	}
	p.Answer = answer
	p.accept(t, change(answer.SDP))
	p.waitConnected(t)
	r.WaitEvent(t, "publisher connected", func(e media.Event) bool {
		return e.Kind == media.EventConnected && e.Session == answer.Session
	})
}

// count takes the relay's RTCP.
func (p *Publisher) count(pkts []rtcp.Packet) {
	for _, pkt := range pkts {
		if pli, ok := pkt.(*rtcp.PictureLossIndication); ok {
			p.PLIs.Add(1)
			p.mu.Lock()
			p.wanted[pli.MediaSSRC] = true
			p.asked[pli.MediaSSRC] = append(p.asked[pli.MediaSSRC], time.Now())
			p.mu.Unlock()
			select {
			case p.keys <- struct{}{}:
			default:
			}
		}
	}
}

// KeyWanted gets a value when a key frame has been asked for; requests that nobody takes
// are merged.
func (p *Publisher) KeyWanted() <-chan struct{} { return p.keys }

// KeyWantedOf tells whether a key frame of an encoding was asked for since the last call.
func (p *Publisher) KeyWantedOf(kind media.Kind, rid string) bool {
	ssrc := p.source(kind, rid)
	p.mu.Lock()
	defer p.mu.Unlock()
	asked := p.wanted[ssrc]
	delete(p.wanted, ssrc)
	return asked
}

// KeysAsked is when key frames of an encoding were asked for.
func (p *Publisher) KeysAsked(kind media.Kind, rid string) []time.Time {
	ssrc := p.source(kind, rid)
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.asked[ssrc])
}

// source is that of an encoding, 0 when there is none.
func (p *Publisher) source(kind media.Kind, rid string) uint32 {
	for _, e := range p.senders[kind].GetParameters().Encodings {
		if e.RID == rid {
			return uint32(e.SSRC)
		}
	}
	return 0
}

// Send sends packets on the track of a kind. Payload type and SSRC are filled in.
func (p *Publisher) Send(t testing.TB, kind media.Kind, packets ...*rtp.Packet) {
	t.Helper()
	p.SendEncoding(t, kind, "", packets...)
}

// SendEncoding sends packets of one encoding, with mid and rid as simulcast wants them.
func (p *Publisher) SendEncoding(t testing.TB, kind media.Kind, rid string, packets ...*rtp.Packet) {
	t.Helper()
	for _, track := range p.tracks[kind] {
		if track.rid != rid {
			continue
		}
		for _, pkt := range packets {
			if rid != "" {
				p.label(t, kind, rid, pkt)
			}
			if err := track.local.WriteRTP(pkt); err != nil {
				t.Fatalf("send: %v", err)
			}
		}
	}
}

// Report sends a sender report of the track of a kind: its clock and its timestamp at one moment.
func (p *Publisher) Report(t testing.TB, kind media.Kind, ntp uint64, timestamp uint32) {
	t.Helper()
	for _, e := range p.senders[kind].GetParameters().Encodings {
		sr := &rtcp.SenderReport{SSRC: uint32(e.SSRC), NTPTime: ntp, RTPTime: timestamp}
		if err := p.pc.WriteRTCP([]rtcp.Packet{sr}); err != nil {
			t.Fatalf("send report: %v", err)
		}
	}
}

// Move sends everything under other sources from now on. Packets of a track without rids must say
// whose they are (Label).
func (p *Publisher) Move(by uint32) { p.shift.Add(by) }

// Label makes packets say which m-line they are of.
func (p *Publisher) Label(t testing.TB, kind media.Kind, packets ...*rtp.Packet) {
	t.Helper()
	for _, pkt := range packets {
		if err := pkt.SetExtension(p.ExtensionID(kind, ext.URIMid), []byte(p.mid(kind))); err != nil {
			t.Fatalf("extension: %v", err)
		}
	}
}

func (p *Publisher) mid(kind media.Kind) (mid string) {
	for _, tr := range p.pc.GetTransceivers() {
		if tr.Sender() == p.senders[kind] {
			mid = tr.Mid()
		}
	}
	return mid
}

func (p *Publisher) label(t testing.TB, kind media.Kind, rid string, pkt *rtp.Packet) {
	t.Helper()
	for uri, value := range map[string]string{ext.URIMid: p.mid(kind), ext.URIRid: rid} {
		if err := pkt.SetExtension(p.ExtensionID(kind, uri), []byte(value)); err != nil {
			t.Fatalf("extension: %v", err)
		}
	}
}

// ExtensionID returns the negotiated id of a header extension, 0 when there is none.
func (p *Publisher) ExtensionID(kind media.Kind, uri string) uint8 {
	for _, e := range p.senders[kind].GetParameters().HeaderExtensions {
		if e.URI == uri {
			return uint8(e.ID)
		}
	}
	return 0
}
