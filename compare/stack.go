package compare

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/pion/dtls/v2"
	"github.com/pion/ice/v2"
	"github.com/pion/interceptor"
	"github.com/pion/interceptor/pkg/nack"
	"github.com/pion/logging"
	"github.com/pion/rtcp"
	"github.com/pion/webrtc/v3"

	"github.com/fanfare-relay/fanfare/compare/emulate"
)

// connection is a peer connection with a socket of its own on some machine.
type connection struct {
	*webrtc.PeerConnection
	mux  ice.UDPMux
	conn *emulate.Conn
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

// connect makes a connection from a machine. Repeats that are asked for are sent by pion's responder.
func (s *stage) connect(host *emulate.Host) (*connection, error) {
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
	registry.Add(responder)
	quiet := logging.NewDefaultLoggerFactory()
	quiet.DefaultLogLevel = logging.LogLevelDisabled
	conn := host.Listen()
	mux := ice.NewUDPMuxDefault(ice.UDPMuxParams{UDPConn: conn, Logger: quiet.NewLogger("ice")})
	settings := webrtc.SettingEngine{LoggerFactory: quiet}
	settings.SetICEUDPMux(mux)
	settings.SetICEMulticastDNSMode(ice.MulticastDNSModeDisabled)
	settings.SetIncludeLoopbackCandidate(true)
	settings.SetSRTPReplayProtectionWindow(1024) // repeats come late
	settings.SetSRTPProtectionProfiles(dtls.SRTP_AEAD_AES_128_GCM)
	settings.SetICETimeouts(10*time.Second, 20*time.Second, 2*time.Second)
	api := webrtc.NewAPI(webrtc.WithMediaEngine(engine), webrtc.WithSettingEngine(settings), webrtc.WithInterceptorRegistry(registry))
	pc, err := api.NewPeerConnection(s.identity)
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
