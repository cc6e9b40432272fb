package crowd

import (
	"github.com/pion/rtp/codecs"
	"github.com/pion/rtp/codecs/av1/obu"

	"github.com/fanfare-relay/fanfare/media"
)

// beginsKey tells whether a payload is the first of a key frame, or, in H.264, has its parameter sets or its first slice. It is not the
// relay's own reading (media/codec), so that a fault of that one is seen.
func beginsKey(c media.Codec, payload []byte) bool {
	switch c {
	case media.CodecVP8:
		var p codecs.VP8Packet
		frame, err := p.Unmarshal(payload)
		return err == nil && p.S == 1 && p.PID == 0 && len(frame) > 0 && frame[0]&1 == 0 // RFC 7741 section 4.3
	case media.CodecVP9:
		var p codecs.VP9Packet
		_, err := p.Unmarshal(payload)
		return err == nil && p.B && !p.P && p.SID == 0
	case media.CodecH264:
		return beginsIDR(payload)
	case media.CodecAV1:
		return beginsSequence(payload)
	default:
		return false
	}
}

// beginsSequence tells whether a payload begins a coded video sequence of AV1. Where the sender does not say so, a sequence header that comes
// first does (RTP Payload Format For AV1, section 4.4).
func beginsSequence(payload []byte) bool {
	const newSequence, continued, one = 0x08, 0x80, 1
	if len(payload) == 0 {
		return false
	}
	head, first := payload[0], payload[1:]
	if head&newSequence != 0 {
		return true
	}
	if head>>4&3 != one { // a length comes before the first element, unless it is the only one
		_, n, err := obu.ReadLeb128(first)
		if err != nil {
			return false
		}
		first = first[n:]
	}
	header, err := obu.ParseOBUHeader(first)
	return err == nil && head&continued == 0 && header.Type == obu.OBUSequenceHeader
}

// Types of H.264's NAL units and payloads (RFC 6184 sections 5.2 and 5.7).
const (
	nalIDR, nalSPS   = 5, 7
	nalSTAPA, nalFUA = 24, 28
	fuStart          = 0x80
)

func beginsIDR(payload []byte) bool {
	if len(payload) == 0 {
		return false
	}
	switch kind := payload[0] & 0x1f; kind {
	case nalSTAPA:
		for rest := payload[1:]; len(rest) > 2; {
			size := int(rest[0])<<8 | int(rest[1])
			unit := rest[2:min(2+size, len(rest))]
			if len(unit) > 0 && begins(unit[0]&0x1f, unit[1:]) {
				return true
			}
			rest = rest[2+len(unit):]
		}
		return false
	case nalFUA:
		return len(payload) > 1 && payload[1]&fuStart != 0 && begins(payload[1]&0x1f, payload[2:])
	default:
		return begins(kind, payload[1:])
	}
}

// begins tells whether a NAL unit is a parameter set or an IDR's first slice: the number of its first macroblock, 0, is one bit
// (H.264, section 7.3.3).
func begins(kind byte, body []byte) bool {
	return kind == nalSPS || kind == nalIDR && len(body) > 0 && body[0]&0x80 != 0
}
