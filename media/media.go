// Package media holds the words that every other package shares: codecs, kinds,
// identifiers, one packet as the relay sees it, and the values that cross the
// border between signalling and the data plane (border.go).
//
// It owns no state and does no IO. Names follow RFC 7656 (taxonomy), RFC 7667
// (topologies) and RFC 8851 (rid).
package media

import "strings"

// SSRC is an RTP synchronisation source (RFC 3550 section 3).
type SSRC uint32

// Bitrate is a rate in bits per second.
type Bitrate int64

// PayloadType is the seven-bit RTP payload type (RFC 3550 section 5.1).
type PayloadType uint8

// MID names an m-line (RFC 9143); RID names a simulcast encoding (RFC 8851).
type (
	MID string
	RID string
)

// Kind tells sound from picture.
type Kind uint8

// The two kinds of track.
const (
	KindUnknown Kind = iota
	KindAudio
	KindVideo
)

// String returns "audio", "video" or "unknown", as SDP media names do.
func (k Kind) String() string {
	switch k {
	case KindAudio:
		return "audio"
	case KindVideo:
		return "video"
	default:
		return "unknown"
	}
}

// Codec is one of the formats that Fanfare forwards without transcoding.
type Codec uint8

// The codecs that are forwarded.
const (
	CodecUnknown Codec = iota
	CodecVP8
	CodecVP9
	CodecH264
	CodecAV1
	CodecOpus
)

var codecNames = [...]string{"unknown", "VP8", "VP9", "H264", "AV1", "opus"}

// String returns the encoding name of rtpmap (RFC 8866 section 6.6).
func (c Codec) String() string {
	if int(c) < len(codecNames) {
		return codecNames[c]
	}
	return codecNames[0]
}

// Kind tells whether the codec carries sound or picture.
func (c Codec) Kind() Kind {
	switch c {
	case CodecOpus:
		return KindAudio
	case CodecVP8, CodecVP9, CodecH264, CodecAV1:
		return KindVideo
	default:
		return KindUnknown
	}
}

// MimeType returns the media type, for example "video/VP8".
func (c Codec) MimeType() string { return c.Kind().String() + "/" + c.String() }

// ClockRate returns the RTP clock rate in Hz: 48,000 for Opus (RFC 7587), 90,000 for video.
func (c Codec) ClockRate() uint32 {
	if c == CodecOpus {
		return 48000
	}
	return 90000
}

// ParseCodec finds a codec by its rtpmap encoding name ("VP8") or its media type
// ("video/VP8"), in any case. It returns CodecUnknown for all others.
func ParseCodec(name string) Codec {
	if i := strings.IndexByte(name, '/'); i >= 0 {
		name = name[i+1:]
	}
	for c := CodecVP8; c <= CodecOpus; c++ {
		if strings.EqualFold(name, codecNames[c]) {
			return c
		}
	}
	return CodecUnknown
}

// Layer is a step inside one encoding: -1 means that the payload does not say.
type Layer struct{ Spatial, Temporal int8 }

// Descriptor is what one payload says about itself, made once for each packet by media/codec.
type Descriptor struct {
	// KeyFrame is set on every packet of a frame that can be decoded without others,
	// as far as the packet itself tells; it is always set on the first packet of one.
	KeyFrame bool
	// FrameStart and FrameEnd mark the first and the last packet of a frame.
	FrameStart, FrameEnd bool
	// Layer is the spatial and temporal layer of the packet.
	Layer Layer
	// SwitchUp is the highest temporal layer that may be entered with this frame by somebody who
	// has had none of it before; layers below need no permission. 0 where the payload does not say.
	SwitchUp int8
	// Width and Height in pixels where a key frame tells them, else 0.
	Width, Height uint16
	// PictureID and TL0PicIdx are the VP8 and VP9 numbering, -1 where absent
	// (RFC 7741 section 4.2, RFC 9628 section 4.2).
	PictureID, TL0PicIdx int32
}
