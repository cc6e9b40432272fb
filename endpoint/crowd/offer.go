package crowd

import (
	"fmt"
	"net/netip"
	"strings"

	"github.com/fanfare-relay/fanfare/media"
)

// credentials are those of ICE (RFC 8839 section 5.4).
type credentials struct{ ufrag, pwd string }

// format is one payload type of the offer. Video has RTX under the next number.
type format struct {
	pt    uint8
	codec media.Codec
	fmtp  string
}

// formats are what is offered, in order of preference, as browsers do.
func formats() []format {
	h264 := "level-asymmetry-allowed=1;packetization-mode=1;profile-level-id="
	return []format{
		{111, media.CodecOpus, "minptime=10;useinbandfec=1;stereo=1"},
		{96, media.CodecVP8, ""},
		{98, media.CodecVP9, "profile-id=0"}, {100, media.CodecVP9, "profile-id=2"},
		{102, media.CodecH264, h264 + "42e01f"}, {104, media.CodecH264, h264 + "4d001f"}, {106, media.CodecH264, h264 + "640034"},
		{108, media.CodecAV1, ""},
	}
}

// payloads tells for each payload type what it carries. The answer keeps the offer's numbers (RFC 3264 section 6.1).
type payloads [128]struct {
	codec media.Codec
	rtx   bool
}

func newPayloads() *payloads {
	var p payloads
	for _, f := range formats() {
		p[f.pt].codec = f.codec
		if f.codec.Kind() == media.KindVideo {
			p[f.pt+1].codec, p[f.pt+1].rtx = f.codec, true
		}
	}
	return &p
}

// Header extensions of the offer.
const (
	uriWide         = "http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01"
	uriAbsSendTime  = "http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time"
	uriMid          = "urn:ietf:params:rtp-hdrext:sdes:mid"
	wideID, sendID  = 3, 2
	midID           = 4
	candidateWeight = 2130706431 // a host candidate of the first component (RFC 8445 section 5.1.2.1)
)

// offerText writes the offer of one viewer: sound and picture, bundled on one candidate (RFC 9429).
func offerText(session uint64, ice credentials, fingerprint string, at netip.AddrPort) string {
	var b strings.Builder
	fmt.Fprintf(&b, "v=0\r\no=- %d 2 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\na=group:BUNDLE 0 1\r\na=msid-semantic: WMS\r\n", session>>1)
	for mid, kind := range []media.Kind{media.KindAudio, media.KindVideo} {
		var numbers, lines strings.Builder
		for _, f := range formats() {
			if f.codec.Kind() == kind {
				f.write(&numbers, &lines)
			}
		}
		fmt.Fprintf(&b, "m=%s 9 UDP/TLS/RTP/SAVPF%s\r\nc=IN IP4 0.0.0.0\r\na=rtcp:9 IN IP4 0.0.0.0\r\n", kind, numbers.String())
		fmt.Fprintf(&b, "a=candidate:1 1 udp %d %s %d typ host\r\na=end-of-candidates\r\n", candidateWeight, at.Addr(), at.Port())
		fmt.Fprintf(&b, "a=ice-ufrag:%s\r\na=ice-pwd:%s\r\na=fingerprint:sha-256 %s\r\na=setup:actpass\r\na=mid:%d\r\n",
			ice.ufrag, ice.pwd, fingerprint, mid)
		fmt.Fprintf(&b, "a=extmap:%d %s\r\na=extmap:%d %s\r\na=extmap:%d %s\r\n", sendID, uriAbsSendTime, wideID, uriWide, midID, uriMid)
		b.WriteString("a=recvonly\r\na=rtcp-mux\r\na=rtcp-rsize\r\n")
		b.WriteString(lines.String())
	}
	return b.String()
}

func (f format) write(numbers, lines *strings.Builder) {
	fmt.Fprintf(numbers, " %d", f.pt)
	fmt.Fprintf(lines, "a=rtpmap:%d %s/%d", f.pt, f.codec, f.codec.ClockRate())
	if f.codec.Kind() == media.KindAudio {
		lines.WriteString("/2") // always, RFC 7587 section 7
	}
	fmt.Fprintf(lines, "\r\na=rtcp-fb:%d transport-cc\r\n", f.pt)
	if f.fmtp != "" {
		fmt.Fprintf(lines, "a=fmtp:%d %s\r\n", f.pt, f.fmtp)
	}
	if f.codec.Kind() == media.KindAudio {
		return
	}
	for _, fb := range []string{"ccm fir", "nack", "nack pli"} {
		fmt.Fprintf(lines, "a=rtcp-fb:%d %s\r\n", f.pt, fb)
	}
	fmt.Fprintf(numbers, " %d", f.pt+1)
	fmt.Fprintf(lines, "a=rtpmap:%d rtx/90000\r\na=fmtp:%d apt=%d\r\n", f.pt+1, f.pt+1, f.pt)
}
