// Package ext reads and writes RTP header extensions (RFC 8285): it goes through the
// elements of a packet, and makes the block that one viewer gets, with the ids that this
// viewer chose.
//
// It never keeps bytes, allocates nothing, and does not know what the elements mean, except
// for the helpers of a few that the relay itself fills in.
package ext

import "errors"

// URIs of the header extensions that Fanfare knows.
const (
	URIMid              = "urn:ietf:params:rtp-hdrext:sdes:mid"                                                     // RFC 9143
	URIRid              = "urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id"                                           // RFC 8852
	URIRepairedRid      = "urn:ietf:params:rtp-hdrext:sdes:repaired-rtp-stream-id"                                  // RFC 8852
	URIAbsSendTime      = "http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time"                              // 24 bit, 6.18 seconds
	URITransportCC      = "http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01"               // 16 bit counter
	URIAbsCaptureTime   = "http://www.webrtc.org/experiments/rtp-hdrext/abs-capture-time"                           // NTP, 64 or 128 bit
	URIPlayoutDelay     = "http://www.webrtc.org/experiments/rtp-hdrext/playout-delay"                              // 12 + 12 bit, 10 ms
	URIVideoOrientation = "urn:3gpp:video-orientation"                                                              // 3GPP TS 26.114
	URIAudioLevel       = "urn:ietf:params:rtp-hdrext:ssrc-audio-level"                                             // RFC 6464
	URIDependency       = "https://aomediacodec.github.io/av1-rtp-spec/#dependency-descriptor-rtp-header-extension" // AV1 RTP appendix A
	URITimeOffset       = "urn:ietf:params:rtp-hdrext:toffset"                                                      // RFC 5450
	URIVideoLayers      = "http://www.webrtc.org/experiments/rtp-hdrext/video-layers-allocation00"                  //
	URIVideoContent     = "http://www.webrtc.org/experiments/rtp-hdrext/video-content-type"                         //
	URIVideoTiming      = "http://www.webrtc.org/experiments/rtp-hdrext/video-timing"                               //
	URIColorSpace       = "http://www.webrtc.org/experiments/rtp-hdrext/color-space"                                //
)

// Known returns the package's own copy of a URI, so that a part of an offer need not be kept for it. It is
// false for the URIs of extensions that Fanfare does not know.
func Known(uri string) (string, bool) {
	for _, known := range [...]string{
		URIMid, URIRid, URIRepairedRid, URIAbsSendTime, URITransportCC, URIAbsCaptureTime, URIPlayoutDelay, URIVideoOrientation,
		URIAudioLevel, URIDependency, URITimeOffset, URIVideoLayers, URIVideoContent, URIVideoTiming, URIColorSpace,
	} {
		if uri == known {
			return known, true
		}
	}
	return "", false
}

// Profiles of the extension block (RFC 8285 sections 4.2 and 4.3).
const (
	ProfileOneByte = 0xbede
	ProfileTwoByte = 0x1000 // the low four bits are for the application
)

// ErrFull: the Map holds as many ids as it can, or the id cannot be used.
var ErrFull = errors.New("the extension id does not fit into the map")
