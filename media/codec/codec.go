// Package codec reads what an RTP payload says about itself: whether it begins or belongs to a
// key frame, where frames begin and end, which layer it is, and the size of the picture. It also
// renumbers VP8 and VP9 payloads, whose numbering would otherwise show a viewer every change
// of source (Patcher, AppendPatched).
//
// It decodes no picture, keeps no payload, allocates nothing, and never fails: what cannot be
// read stays unknown. Payload formats: VP8 by RFC 7741, VP9 by RFC 9628, H.264 by RFC 6184,
// AV1 by the AOM specification "RTP Payload Format For AV1", Opus by RFC 7587. One file a codec.
package codec

import "github.com/fanfare-relay/fanfare/media"

// unknown is the descriptor of a payload that says nothing.
var unknown = media.Descriptor{
	Layer:     media.Layer{Spatial: -1, Temporal: -1},
	PictureID: -1,
	TL0PicIdx: -1,
}

// Describe reads one RTP payload. marker is the marker bit of its header, which is the end of a
// picture in every video format. Payloads that are empty, broken or of another codec get a
// descriptor with nothing set, and -1 for layers and numbers.
//
// For VP9 a frame is what RFC 9628 calls a layer frame, and FrameStart and FrameEnd are its
// bounds. H.264 does not number its frames, so FrameStart may be set more than once in one
// (on the parameter sets and on the first slice).
func Describe(c media.Codec, payload []byte, marker bool) media.Descriptor {
	if len(payload) == 0 {
		return unknown
	}
	switch c {
	case media.CodecVP8:
		return describeVP8(payload, marker)
	case media.CodecVP9:
		return describeVP9(payload, marker)
	case media.CodecH264:
		return describeH264(payload, marker)
	case media.CodecAV1:
		return describeAV1(payload, marker)
	case media.CodecOpus:
		return describeOpus()
	default:
		return unknown
	}
}
