// Package endpoint publishes files and views streams over real WebRTC: WHIP (RFC 9725) and WHEP
// (draft-ietf-wish-whep-03) on pion/webrtc. It serves the commands publish, watch and load, and tests.
//
// It owns the HTTP client of the two protocols, the peer connections, the pace at which files are sent,
// and what a receiver must do: reports, NACK and PLI. It never transcodes, writes no file, reads no flags,
// and knows nothing of the relay: any WHIP or WHEP server will do.
//
// What decides (timeline, inbound, retry, addresses) are values that are given the time; Publisher and
// Viewer are the shells round them.
package endpoint

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"errors"
	"fmt"
	"time"

	"github.com/pion/dtls/v2"
	"github.com/pion/ice/v2"
	"github.com/pion/interceptor"
	"github.com/pion/webrtc/v3"

	"github.com/fanfare-relay/fanfare/media"
)

// Errors that the callers tell apart. All come wrapped with words for people.
var (
	// ErrUnauthorised: no key or password, or a wrong one (401, 403).
	ErrUnauthorised = errors.New("the server does not let us in")
	// ErrNotFound: there is nothing at this address (404).
	ErrNotFound = errors.New("there is nothing at this address")
	// ErrUnreachable: no connection to the server.
	ErrUnreachable = errors.New("the server cannot be reached")
	// ErrRefused: the server will not serve this offer; trying again does not help.
	ErrRefused = errors.New("the server refuses the stream")
	// ErrBusy: the server asks to come back later (429, 503).
	ErrBusy = errors.New("the server is busy")
	// ErrNoMedia: HTTP works, but the media connection does not come up.
	ErrNoMedia = errors.New("the media connection does not come up; a network between may block UDP")
	// ErrLost: the media connection was there and is gone.
	ErrLost = errors.New("the connection was lost")
	// ErrEnded: the session was ended for good by the other side: replaced, stopped or removed.
	ErrEnded = errors.New("the session was ended by the server")
)

// Timeouts of a session.
const (
	// connectTimeout is from the answer to media flowing. Servers give up after 10 to 15 s.
	connectTimeout = 15 * time.Second
	// patience is the silence after which a connection counts as lost. A busy machine causes a few seconds, so
	// nothing is done when ICE says disconnected, only when it says failed.
	patience = 8 * time.Second
	// silence is how long a publisher waits for feedback, which comes once a second, before it asks the server by HTTP
	// whether the session is still there. Shorter means more questions to a server that is only busy.
	silence      = 3 * time.Second
	iceKeepalive = time.Second
)

// newConfiguration makes what several peer connections can share: one certificate, because making one
// costs more than a handshake.
func newConfiguration() (webrtc.Configuration, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return webrtc.Configuration{}, fmt.Errorf("making a certificate: %w", err)
	}
	cert, err := webrtc.GenerateCertificate(key)
	if err != nil {
		return webrtc.Configuration{}, fmt.Errorf("making a certificate: %w", err)
	}
	return webrtc.Configuration{Certificates: []webrtc.Certificate{*cert}}, nil
}

// newAPI makes the pion API: no interceptors but those given, no mDNS, loopback included, and AES-GCM first
// because it costs least.
func newAPI(m *webrtc.MediaEngine, r *interceptor.Registry, patience time.Duration) *webrtc.API {
	var s webrtc.SettingEngine
	s.SetICEMulticastDNSMode(ice.MulticastDNSModeDisabled)
	s.SetIncludeLoopbackCandidate(true)
	s.SetICETimeouts(patience/2, patience/2, min(iceKeepalive, patience/4))
	s.SetNetworkTypes([]webrtc.NetworkType{webrtc.NetworkTypeUDP4, webrtc.NetworkTypeUDP6})
	s.SetSRTPProtectionProfiles(dtls.SRTP_AEAD_AES_128_GCM, dtls.SRTP_AES128_CM_HMAC_SHA1_80)
	return webrtc.NewAPI(webrtc.WithMediaEngine(m), webrtc.WithSettingEngine(s), webrtc.WithInterceptorRegistry(r))
}

// codecParameters are the formats of one codec, under the payload types that the offers of this package use.
func codecParameters(c media.Codec, fmtp string, pt webrtc.PayloadType) webrtc.RTPCodecParameters {
	p := webrtc.RTPCodecParameters{
		RTPCodecCapability: webrtc.RTPCodecCapability{MimeType: c.MimeType(), ClockRate: c.ClockRate(), SDPFmtpLine: fmtp},
		PayloadType:        pt,
	}
	if c.Kind() == media.KindAudio {
		p.Channels = 2 // always, RFC 7587 section 7
		return p
	}
	p.RTCPFeedback = []webrtc.RTCPFeedback{{Type: "nack"}, {Type: "nack", Parameter: "pli"}, {Type: "ccm", Parameter: "fir"}}
	return p
}

func rtpKind(k media.Kind) webrtc.RTPCodecType {
	if k == media.KindAudio {
		return webrtc.RTPCodecTypeAudio
	}
	return webrtc.RTPCodecTypeVideo
}
