package compare

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"github.com/pion/dtls/v2"
	"github.com/pion/ice/v2"
	"github.com/pion/interceptor"
	"github.com/pion/interceptor/pkg/nack"
	"github.com/pion/logging"
	"github.com/pion/rtcp"
	"github.com/pion/rtp"
	"github.com/pion/webrtc/v3"

	"github.com/fanfare-relay/fanfare/compare/emulate"
	"github.com/fanfare-relay/fanfare/media/seq"
)

// connection is a peer connection with a socket of its own on some machine.
type connection struct {
	*webrtc.PeerConnection
	mux  ice.UDPMux
	conn net.PacketConn
	also *connection // the other end, when that closes with this one
}

// errStack is wrapped by what goes wrong between stacks.
var errStack = errors.New("a connection did not come up")

func vp8() webrtc.RTPCodecParameters {
	return webrtc.RTPCodecParameters{
		RTPCodecCapability: webrtc.RTPCodecCapability{
			MimeType: webrtc.MimeTypeVP8, ClockRate: 90000,
			RTCPFeedback: []webrtc.RTCPFeedback{{Type: "nack"}, {Type: "nack", Parameter: "pli"}, {Type: "ccm", Parameter: "fir"}},
		},
		PayloadType: 96,
	}
}

// connect makes a connection from an emulated machine; repeated counts the bytes that it sends again, nil for nobody who wants to know.
func (s *stage) connect(host *emulate.Host, repeated *atomic.Uint64) (*connection, error) {
	return connect(host.Listen(), s.identity, repeated)
}

// connect makes a connection on a socket, which it takes over. Repeats that are asked for are sent by pion's responder.
func connect(conn net.PacketConn, identity webrtc.Configuration, repeated *atomic.Uint64) (*connection, error) {
	engine, registry := &webrtc.MediaEngine{}, &interceptor.Registry{}
	rtx := webrtc.RTPCodecParameters{
		RTPCodecCapability: webrtc.RTPCodecCapability{MimeType: "video/rtx", ClockRate: 90000, SDPFmtpLine: "apt=96"}, PayloadType: 97,
	}
	for _, p := range []webrtc.RTPCodecParameters{vp8(), rtx} {
		if err := engine.RegisterCodec(p, webrtc.RTPCodecTypeVideo); err != nil {
			return nil, err
		}
	}
	responder, err := nack.NewResponderInterceptor()
	if err != nil {
		return nil, err
	}
	if repeated != nil {
		registry.Add(repeats{bytes: repeated}) // before the responder, to see what that sends
	}
	registry.Add(responder)
	quiet := logging.NewDefaultLoggerFactory()
	quiet.DefaultLogLevel = logging.LogLevelDisabled
	mux := ice.NewUDPMuxDefault(ice.UDPMuxParams{UDPConn: conn, Logger: quiet.NewLogger("ice")})
	settings := webrtc.SettingEngine{LoggerFactory: quiet}
	settings.SetICEUDPMux(mux)
	settings.SetICEMulticastDNSMode(ice.MulticastDNSModeDisabled)
	settings.SetIncludeLoopbackCandidate(true)
	settings.SetSRTPReplayProtectionWindow(1024) // repeats come late
	settings.SetSRTPProtectionProfiles(dtls.SRTP_AEAD_AES_128_GCM)
	settings.SetICETimeouts(10*time.Second, 20*time.Second, 2*time.Second)
	api := webrtc.NewAPI(webrtc.WithMediaEngine(engine), webrtc.WithSettingEngine(settings), webrtc.WithInterceptorRegistry(registry))
	pc, err := api.NewPeerConnection(identity)
	if err != nil {
		return nil, errors.Join(err, mux.Close(), conn.Close())
	}
	return &connection{PeerConnection: pc, mux: mux, conn: conn}, nil
}

// close ends the connection and its goroutines.
func (c *connection) close() {
	_ = c.GracefulClose() // it may have ended already
	_ = c.mux.Close()
	_ = c.conn.Close()
	if c.also != nil {
		c.also.close()
	}
}

// offer makes an offer with all candidates.
func (c *connection) offer(ctx context.Context) (string, error) {
	o, err := c.CreateOffer(nil)
	if err != nil {
		return "", err
	}
	return c.describe(ctx, o)
}

// describe sets a local description and waits for its candidates, of which there is one.
func (c *connection) describe(ctx context.Context, d webrtc.SessionDescription) (string, error) {
	gathered := webrtc.GatheringCompletePromise(c.PeerConnection)
	if err := c.SetLocalDescription(d); err != nil {
		return "", err
	}
	select {
	case <-gathered:
		return c.LocalDescription().SDP, nil
	case <-ctx.Done():
		return "", ctx.Err()
	}
}

func (c *connection) take(kind webrtc.SDPType, sdp string) error {
	if err := c.SetRemoteDescription(webrtc.SessionDescription{Type: kind, SDP: sdp}); err != nil {
		return fmt.Errorf("%w: %w", errStack, err)
	}
	return nil
}

// sends adds the track that a connection sends, and calls onKey when the other side asks for a key frame.
func (c *connection) sends(track *webrtc.TrackLocalStaticRTP, onKey func()) error {
	tr, err := c.AddTransceiverFromTrack(track, webrtc.RTPTransceiverInit{Direction: webrtc.RTPTransceiverDirectionSendonly})
	if err != nil {
		return err
	}
	go func() { // ends with the connection
		for {
			pkts, _, err := tr.Sender().ReadRTCP()
			if err != nil {
				return
			}
			for _, p := range pkts {
				if _, ok := p.(*rtcp.PictureLossIndication); ok {
					onKey()
				}
			}
		}
	}()
	return nil
}

// pair connects a sender with a receiver by offer and answer. Signalling takes no time.
func pair(ctx context.Context, from, to *connection) error {
	offer, err := from.offer(ctx)
	if err != nil {
		return err
	}
	if err := to.take(webrtc.SDPTypeOffer, offer); err != nil {
		return err
	}
	a, err := to.CreateAnswer(nil)
	if err != nil {
		return err
	}
	answer, err := to.describe(ctx, a)
	if err != nil {
		return err
	}
	return from.take(webrtc.SDPTypeAnswer, answer)
}

func newTrack(name string) (*webrtc.TrackLocalStaticRTP, error) {
	return webrtc.NewTrackLocalStaticRTP(vp8().RTPCodecCapability, "video", name)
}

// repeats counts the bytes of what a connection sends again.
type repeats struct {
	interceptor.NoOp
	bytes *atomic.Uint64
}

// sealed is what SRTP adds to a packet (AES-GCM), with the headers below it, bytes.
const sealed = 16 + header

// NewInterceptor implements interceptor.Factory.
func (r repeats) NewInterceptor(string) (interceptor.Interceptor, error) { return &r, nil }

// BindLocalStream implements interceptor.Interceptor: a number that is not new, or a source that is not the stream's own, is a repeat.
func (r *repeats) BindLocalStream(info *interceptor.StreamInfo, next interceptor.RTPWriter) interceptor.RTPWriter {
	var mu sync.Mutex
	var numbers seq.Extender
	begun, newest := false, uint64(0)
	return interceptor.RTPWriterFunc(func(h *rtp.Header, payload []byte, a interceptor.Attributes) (int, error) {
		mu.Lock()
		again := h.SSRC != info.SSRC
		if !again {
			n := numbers.Extend(h.SequenceNumber)
			again = begun && n <= newest
			begun, newest = true, max(newest, n)
		}
		mu.Unlock()
		if again {
			r.bytes.Add(uint64(h.MarshalSize() + len(payload) + sealed))
		}
		return next.Write(h, payload, a)
	})
}
