package sfutest

import (
	"context"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/pion/ice/v2"
	"github.com/pion/interceptor"
	"github.com/pion/interceptor/pkg/nack"
	"github.com/pion/interceptor/pkg/report"
	"github.com/pion/logging"
	"github.com/pion/rtcp"
	"github.com/pion/rtp"
	"github.com/pion/webrtc/v3"

	"github.com/fanfare-relay/fanfare/media"
	"github.com/fanfare-relay/fanfare/media/ext"
)

// PayloadTypes of publishers; those of viewers differ on purpose.
var publisherTypes = map[media.Codec]webrtc.PayloadType{
	media.CodecVP8: 96, media.CodecVP9: 98, media.CodecH264: 102, media.CodecAV1: 45, media.CodecOpus: 111,
}

// viewerTypes are the payload types that a Viewer offers.
var viewerTypes = map[media.Codec]webrtc.PayloadType{
	media.CodecVP8: 120, media.CodecVP9: 122, media.CodecH264: 124, media.CodecAV1: 126, media.CodecOpus: 109,
}

// highTypes are the payload types of H.264's profile High, of publishers and of viewers that offer it.
var highTypes = map[webrtc.PayloadType]webrtc.PayloadType{102: 104, 124: 114}

// HighType is the payload type that a Viewer offers for H.264's profile High.
func HighType() uint8 { return uint8(highTypes[viewerTypes[media.CodecH264]]) }

// AllCodecs are those that the relay forwards.
var AllCodecs = []media.Codec{media.CodecVP8, media.CodecVP9, media.CodecH264, media.CodecAV1, media.CodecOpus}

// ViewerType returns the payload type that a Viewer offers for a codec.
func ViewerType(c media.Codec) uint8 { return uint8(viewerTypes[c]) }

// endpoint is a peer connection on a socket of its own.
type endpoint struct {
	api       *webrtc.API
	pc        *webrtc.PeerConnection
	link      *Link
	connected chan struct{}
	once      sync.Once
}

// endpointOptions say what an endpoint offers.
type endpointOptions struct {
	conn     net.PacketConn // nil for a socket on 127.0.0.1
	types    map[media.Codec]webrtc.PayloadType
	codecs   []media.Codec
	noRTX    bool
	high     bool // H.264's profile High as well
	feedback bool // transport-wide, about its line
	parity   bool // takes parity packets, and reports what it loses
	rtcpFrom func([]rtcp.Packet)
	shift    *atomic.Uint32 // added to the sources of what is sent; nil for none
}

// newEndpoint makes a peer connection.
func newEndpoint(t testing.TB, o endpointOptions) *endpoint {
	t.Helper()
	conn := o.conn
	if conn == nil {
		conn = Listen(t, "127.0.0.1")
	}
	link := &Link{PacketConn: conn}
	quiet := logging.NewDefaultLoggerFactory()
	quiet.DefaultLogLevel = logging.LogLevelDisabled
	mux := ice.NewUDPMuxDefault(ice.UDPMuxParams{UDPConn: link, Logger: quiet.NewLogger("ice")})

	settings := webrtc.SettingEngine{LoggerFactory: quiet}
	settings.SetICEUDPMux(mux)
	settings.SetICEMulticastDNSMode(ice.MulticastDNSModeDisabled)
	settings.SetIncludeLoopbackCandidate(true)
	settings.SetSRTPReplayProtectionWindow(1024) // as browsers have it: repeats come late
	settings.SetICETimeouts(25*time.Second, 60*time.Second, 2*time.Second)
	engine, registry := mediaEngine(t, o), interceptors(t, o)
	if o.feedback {
		if err := webrtc.ConfigureTWCCSender(engine, registry); err != nil {
			t.Fatalf("transport-wide feedback: %v", err)
		}
	}
	if o.shift != nil {
		registry.Add(&shifter{by: o.shift})
	}
	if o.parity {
		offerParity(t, engine)
	}
	api := webrtc.NewAPI(webrtc.WithSettingEngine(settings), webrtc.WithMediaEngine(engine),
		webrtc.WithInterceptorRegistry(registry))
	pc, err := api.NewPeerConnection(webrtc.Configuration{})
	if err != nil {
		t.Fatalf("new peer connection: %v", err)
	}
	e := &endpoint{api: api, pc: pc, link: link, connected: make(chan struct{})}
	pc.OnConnectionStateChange(func(s webrtc.PeerConnectionState) {
		if s == webrtc.PeerConnectionStateConnected {
			e.once.Do(func() { close(e.connected) })
		}
	})
	t.Cleanup(func() {
		if err := pc.GracefulClose(); err != nil {
			t.Errorf("close endpoint: %v", err)
		}
		_ = mux.Close()
		_ = conn.Close()
	})
	return e
}

// Listen opens a UDP socket on an address of this machine.
func Listen(t testing.TB, host string) net.PacketConn {
	t.Helper()
	conn, err := net.ListenPacket("udp", net.JoinHostPort(host, "0"))
	if err != nil {
		t.Fatalf("listen: %v", err)
	}
	return conn
}

func mediaEngine(t testing.TB, o endpointOptions) *webrtc.MediaEngine {
	t.Helper()
	engine := &webrtc.MediaEngine{}
	for _, c := range o.codecs {
		list := parameters(Capability(c), o.types[c], o.noRTX)
		if c == media.CodecH264 && o.high {
			list = append(list, parameters(HighCapability(), highTypes[o.types[c]], o.noRTX)...)
		}
		for _, p := range list {
			if err := engine.RegisterCodec(p, kindOf(c)); err != nil {
				t.Fatalf("register %s: %v", c, err)
			}
		}
	}
	for _, uri := range []string{ext.URIMid, ext.URIRid, ext.URIRepairedRid, ext.URIAbsCaptureTime, ext.URIPlayoutDelay, ext.URIVideoOrientation} {
		err := engine.RegisterHeaderExtension(webrtc.RTPHeaderExtensionCapability{URI: uri}, webrtc.RTPCodecTypeVideo)
		if err != nil {
			t.Fatalf("register %s: %v", uri, err)
		}
	}
	for _, uri := range []string{ext.URIMid, ext.URIAbsCaptureTime, ext.URIAudioLevel} {
		err := engine.RegisterHeaderExtension(webrtc.RTPHeaderExtensionCapability{URI: uri}, webrtc.RTPCodecTypeAudio)
		if err != nil {
			t.Fatalf("register %s: %v", uri, err)
		}
	}
	return engine
}

func parameters(c webrtc.RTPCodecCapability, pt webrtc.PayloadType, noRTX bool) []webrtc.RTPCodecParameters {
	list := []webrtc.RTPCodecParameters{{RTPCodecCapability: c, PayloadType: pt}}
	if strings.HasPrefix(c.MimeType, "video/") && !noRTX {
		list = append(list, webrtc.RTPCodecParameters{
			RTPCodecCapability: webrtc.RTPCodecCapability{
				MimeType: "video/rtx", ClockRate: c.ClockRate, SDPFmtpLine: "apt=" + itoa(pt)},
			PayloadType: pt + 1,
		})
	}
	return list
}

// Capability describes a codec as the endpoints offer it.
func Capability(c media.Codec) webrtc.RTPCodecCapability {
	capability := webrtc.RTPCodecCapability{MimeType: c.MimeType(), ClockRate: c.ClockRate()}
	switch c {
	case media.CodecOpus:
		capability.Channels = 2
		capability.SDPFmtpLine = "minptime=10;useinbandfec=1"
		return capability
	case media.CodecH264:
		capability.SDPFmtpLine = "level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42e01f"
	case media.CodecVP9:
		capability.SDPFmtpLine = "profile-id=0"
	}
	capability.RTCPFeedback = []webrtc.RTCPFeedback{
		{Type: webrtc.TypeRTCPFBNACK}, {Type: webrtc.TypeRTCPFBNACK, Parameter: "pli"}, {Type: webrtc.TypeRTCPFBCCM, Parameter: "fir"}}
	return capability
}

// HighCapability describes H.264's profile High.
func HighCapability() webrtc.RTPCodecCapability {
	capability := Capability(media.CodecH264)
	capability.SDPFmtpLine = "level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=640c1f"
	return capability
}

// interceptors answer requests for lost packets, report what is lost where that is wanted, and read all
// RTCP. (Viewers ask by themselves: see asker.)
func interceptors(t testing.TB, o endpointOptions) *interceptor.Registry {
	t.Helper()
	answer, err := nack.NewResponderInterceptor()
	if err != nil {
		t.Fatalf("nack responder: %v", err)
	}
	registry := &interceptor.Registry{}
	registry.Add(answer)
	if o.parity {
		reports, err := report.NewReceiverInterceptor()
		if err != nil {
			t.Fatalf("receiver reports: %v", err)
		}
		registry.Add(reports)
	}
	registry.Add(&rtcpReader{from: o.rtcpFrom}) // last, so that what it reads has gone through the others
	return registry
}

// rtcpReader reads every source's RTCP until it is closed.
type rtcpReader struct {
	interceptor.NoOp
	from func([]rtcp.Packet)
}

func (r *rtcpReader) NewInterceptor(string) (interceptor.Interceptor, error) { return r, nil }

func (r *rtcpReader) BindRTCPReader(reader interceptor.RTCPReader) interceptor.RTCPReader {
	go func() {
		buf := make([]byte, 2048)
		for {
			n, _, err := reader.Read(buf, nil)
			if err != nil {
				return
			}
			if pkts, err := rtcp.Unmarshal(buf[:n]); err == nil {
				r.from(pkts)
			}
		}
	}()
	return reader
}

// shifter sends packets under another source than pion believes.
type shifter struct {
	interceptor.NoOp
	by *atomic.Uint32
}

func (s *shifter) NewInterceptor(string) (interceptor.Interceptor, error) { return s, nil }

func (s *shifter) BindLocalStream(_ *interceptor.StreamInfo, writer interceptor.RTPWriter) interceptor.RTPWriter {
	return interceptor.RTPWriterFunc(func(h *rtp.Header, payload []byte, attrs interceptor.Attributes) (int, error) {
		moved := *h
		moved.SSRC += s.by.Load()
		return writer.Write(&moved, payload, attrs)
	})
}

// Leave closes the connection from the endpoint's side.
func (e *endpoint) Leave(t testing.TB) {
	t.Helper()
	if err := e.pc.GracefulClose(); err != nil {
		t.Fatalf("leave: %v", err)
	}
}

func (e *endpoint) waitConnected(t testing.TB) {
	t.Helper()
	select {
	case <-e.connected:
	case <-time.After(Patience):
		t.Fatalf("the endpoint never connected; it is %v", e.pc.ConnectionState())
	}
}

// Offer makes the endpoint's offer, with all candidates in it.
func (e *endpoint) Offer(t testing.TB) string {
	t.Helper()
	offer, err := e.pc.CreateOffer(nil)
	if err != nil {
		t.Fatalf("create offer: %v", err)
	}
	gathered := webrtc.GatheringCompletePromise(e.pc)
	if err := e.pc.SetLocalDescription(offer); err != nil {
		t.Fatalf("set offer: %v", err)
	}
	select {
	case <-gathered:
	case <-time.After(Patience):
		t.Fatal("gathering never ended")
	}
	return e.pc.LocalDescription().SDP
}

// TrickleFragment is what a client would send by PATCH for the candidates of its offer.
func (e *endpoint) TrickleFragment() string { return fragmentOf(e.pc.LocalDescription().SDP) }

// fragmentOf keeps the lines of a description that belong into a trickle-ice-sdpfrag.
func fragmentOf(sdp string) string {
	var b strings.Builder
	for line := range strings.Lines(sdp) {
		for _, key := range []string{"m=", "a=mid:", "a=ice-ufrag:", "a=ice-pwd:", "a=candidate:"} {
			if strings.HasPrefix(line, key) {
				b.WriteString(line)
			}
		}
	}
	return b.String()
}

func (e *endpoint) accept(t testing.TB, answer string) {
	t.Helper()
	err := e.pc.SetRemoteDescription(webrtc.SessionDescription{Type: webrtc.SDPTypeAnswer, SDP: answer})
	if err != nil {
		t.Fatalf("set answer: %v\n%s", err, answer)
	}
}

func kindOf(c media.Codec) webrtc.RTPCodecType {
	if c.Kind() == media.KindAudio {
		return webrtc.RTPCodecTypeAudio
	}
	return webrtc.RTPCodecTypeVideo
}

// within bounds a call to the relay.
func within(t testing.TB) context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), Patience)
	t.Cleanup(cancel)
	return ctx
}
