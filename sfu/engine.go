package sfu

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"github.com/pion/ice/v2"
	"github.com/pion/interceptor"
	"github.com/pion/interceptor/pkg/twcc"
	"github.com/pion/logging"
	"github.com/pion/webrtc/v3"

	"github.com/fanfare-relay/fanfare/media"
	"github.com/fanfare-relay/fanfare/media/ext"
)

// Timing of a publisher's ICE session. The sum is what it may be silent before it has failed;
// "disconnected" alone ends nothing, a busy machine causes it.
const (
	iceDisconnected = 15 * time.Second
	iceFailed       = 15 * time.Second
	iceKeepAlive    = 2 * time.Second
	receiveMTU      = 2048
	twccInterval    = 100 * time.Millisecond
)

// publisherExtensions are answered to a publisher: those that pion needs to tell encodings
// apart, transport-cc for the sender's bandwidth estimate, and those that are forwarded.
var publisherExtensions = [...]string{
	ext.URIMid, ext.URIRid, ext.URIRepairedRid, ext.URITransportCC, ext.URIAbsSendTime, ext.URIAbsCaptureTime,
	ext.URIPlayoutDelay, ext.URIDependency, ext.URIVideoOrientation, ext.URIAudioLevel,
}

// publisherFeedback is what the relay itself sends for video; transport-cc comes from the interceptor.
var publisherFeedback = []webrtc.RTCPFeedback{
	{Type: webrtc.TypeRTCPFBNACK},
	{Type: webrtc.TypeRTCPFBNACK, Parameter: "pli"},
	{Type: webrtc.TypeRTCPFBCCM, Parameter: "fir"},
	{Type: webrtc.TypeRTCPFBTransportCC},
}

// newPublisherAPI makes pion's API for one offer. Its media engine holds exactly the
// offered formats of our codecs, so every H.264 profile and packetization mode that a
// publisher knows is accepted as it stands.
func newPublisherAPI(o *offer, mux ice.UDPMux, log *slog.Logger, p *publisher) (*webrtc.API, error) {
	engine, err := publisherMedia(o)
	if err != nil {
		return nil, err
	}
	feedback, err := twcc.NewSenderInterceptor(twcc.SendInterval(twccInterval))
	if err != nil {
		return nil, fmt.Errorf("transport-cc: %w", err)
	}
	var registry interceptor.Registry
	registry.Add(feedback)
	registry.Add(&reportReader{publisher: p})

	settings := webrtc.SettingEngine{LoggerFactory: pionLogs{log: log, refused: p.refused}}
	// One peer connection an API: receivers that the relay opens itself (moves.go) shall know the
	// header extensions' ids as that connection has negotiated them, and a copy would not.
	settings.DisableMediaEngineCopy(true)
	settings.SetICEUDPMux(mux)
	settings.SetNetworkTypes([]webrtc.NetworkType{webrtc.NetworkTypeUDP4, webrtc.NetworkTypeUDP6})
	settings.SetIncludeLoopbackCandidate(true)
	settings.SetICEMulticastDNSMode(ice.MulticastDNSModeDisabled)
	settings.SetICETimeouts(iceDisconnected, iceFailed, iceKeepAlive)
	settings.SetReceiveMTU(receiveMTU)
	if err := settings.SetAnsweringDTLSRole(answeringRole(o)); err != nil {
		return nil, fmt.Errorf("role in DTLS: %w", err)
	}
	settings.SetSRTPProtectionProfiles(p.srtp.profiles[:]...)
	settings.SetDTLSConnectContextMaker(p.srtp.context)
	return webrtc.NewAPI(webrtc.WithMediaEngine(engine), webrtc.WithInterceptorRegistry(&registry),
		webrtc.WithSettingEngine(settings)), nil
}

// answeringRole: the relay is the server wherever it may be (RFC 5763 section 5), as towards viewers.
func answeringRole(o *offer) webrtc.DTLSRole {
	if o.passive {
		return webrtc.DTLSRoleClient
	}
	return webrtc.DTLSRoleServer
}

func publisherMedia(o *offer) (*webrtc.MediaEngine, error) {
	engine := &webrtc.MediaEngine{}
	for i := range o.tracks {
		t := &o.tracks[i]
		if !t.live {
			continue
		}
		typ := codecType(t.kind)
		for _, f := range t.formats {
			if err := registerFormat(engine, f, typ); err != nil {
				return nil, fmt.Errorf("register %s: %w", f.codec, err)
			}
		}
		for _, uri := range publisherExtensions {
			err := engine.RegisterHeaderExtension(webrtc.RTPHeaderExtensionCapability{URI: uri}, typ,
				webrtc.RTPTransceiverDirectionRecvonly)
			if err != nil {
				return nil, fmt.Errorf("register %s: %w", uri, err)
			}
		}
	}
	return engine, nil
}

func registerFormat(engine *webrtc.MediaEngine, f format, typ webrtc.RTPCodecType) error {
	capability := webrtc.RTPCodecCapability{
		MimeType: f.codec.MimeType(), ClockRate: f.codec.ClockRate(),
		Channels: uint16(f.channels), SDPFmtpLine: f.fmtp,
	}
	if typ == webrtc.RTPCodecTypeVideo {
		capability.RTCPFeedback = publisherFeedback
	} else {
		capability.RTCPFeedback = []webrtc.RTCPFeedback{{Type: webrtc.TypeRTCPFBNACK}, {Type: webrtc.TypeRTCPFBTransportCC}}
	}
	err := engine.RegisterCodec(webrtc.RTPCodecParameters{
		RTPCodecCapability: capability, PayloadType: webrtc.PayloadType(f.pt)}, typ)
	if err != nil || f.rtx == 0 {
		return err
	}
	return engine.RegisterCodec(webrtc.RTPCodecParameters{
		RTPCodecCapability: webrtc.RTPCodecCapability{
			MimeType: f.codec.Kind().String() + "/rtx", ClockRate: f.codec.ClockRate(),
			SDPFmtpLine: fmt.Sprintf("apt=%d", f.pt)},
		PayloadType: webrtc.PayloadType(f.rtx)}, typ)
}

func codecType(k media.Kind) webrtc.RTPCodecType {
	if k == media.KindAudio {
		return webrtc.RTPCodecTypeAudio
	}
	return webrtc.RTPCodecTypeVideo
}

// pionLogs sends pion's own words to the log at debug level: what matters of them comes
// back as a state change and is logged there once.
//
// Of a datagram that SRTP refuses, pion tells by a line of its log and nothing else: refused, when
// not nil, is called for each.
type pionLogs struct {
	log     *slog.Logger
	refused func()
}

func (p pionLogs) NewLogger(scope string) logging.LeveledLogger {
	l := pionLog{log: p.log.With("scope", scope)}
	if scope == "srtp" && p.refused != nil {
		return srtpLog{pionLog: l, refused: p.refused}
	}
	return l
}

// srtpLog counts what SRTP refuses. It is told once a datagram, as information.
type srtpLog struct {
	pionLog
	refused func()
}

func (p srtpLog) Info(msg string) {
	p.refused()
	p.pionLog.Info(msg)
}

type pionLog struct{ log *slog.Logger }

func (p pionLog) say(format string, args ...any) {
	if !p.log.Enabled(context.Background(), slog.LevelDebug) {
		return
	}
	p.log.Debug("pion: " + strings.TrimSpace(fmt.Sprintf(format, args...)))
}

// Trace and Debug of pion speak of every packet; they are not kept.
func (p pionLog) Trace(string)          {}
func (p pionLog) Tracef(string, ...any) {}
func (p pionLog) Debug(string)          {}
func (p pionLog) Debugf(string, ...any) {}

func (p pionLog) Info(msg string)           { p.say("%s", msg) }
func (p pionLog) Infof(f string, a ...any)  { p.say(f, a...) }
func (p pionLog) Warn(msg string)           { p.say("%s", msg) }
func (p pionLog) Warnf(f string, a ...any)  { p.say(f, a...) }
func (p pionLog) Error(msg string)          { p.say("%s", msg) }
func (p pionLog) Errorf(f string, a ...any) { p.say(f, a...) }
