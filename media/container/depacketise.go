package container

import (
	"github.com/pion/rtp/codecs"

	"github.com/fanfare-relay/fanfare/media"
)

// startsFrame tells whether a payload can be the first of a frame, as far as it says so itself.
func startsFrame(c media.Codec, b []byte) bool {
	if len(b) == 0 {
		return false
	}
	switch c {
	case media.CodecVP8: // S set and partition 0 (RFC 7741 section 4.2)
		return b[0]&0x17 == 0x10
	case media.CodecVP9: // B (RFC 9628 section 4.2)
		return b[0]&0x08 != 0
	case media.CodecAV1: // not Z (AV1 RTP section 4.4)
		return b[0]&0x80 == 0
	case media.CodecH264:
		return h264Starts(b)
	default:
		return true
	}
}

// h264Starts: RFC 6184 marks no start of an access unit. Parameter sets, delimiters and SEI come before slices,
// and the first slice has first_mb_in_slice = 0, which is a single one bit after the NAL header.
func h264Starts(b []byte) bool {
	kind := b[0] & 31
	switch {
	case kind == 24 && len(b) >= 5: // STAP-A
		b = b[3:]
	case kind == 28 && len(b) >= 3: // FU-A
		if b[1]&0x80 == 0 {
			return false
		}
		b = b[1:]
	}
	switch b[0] & 31 {
	case nalSPS, nalPPS, nalAUD, 6:
		return true
	case 1, nalIDR:
		return len(b) >= 2 && b[1]&0x80 != 0
	default:
		return false
	}
}

// joinPayloads makes a frame in canonical form out of all its payloads in order.
func joinPayloads(c media.Codec, packets []slot) ([]byte, bool) {
	var d interface {
		Unmarshal([]byte) ([]byte, error)
	}
	switch c {
	case media.CodecVP8:
		d = &codecs.VP8Packet{}
	case media.CodecVP9:
		d = &codecs.VP9Packet{}
	case media.CodecH264:
		d = &codecs.H264Packet{}
	case media.CodecAV1:
		d = &codecs.AV1Depacketizer{}
	default:
		return packets[0].payload, true
	}
	size := 0
	for i := range packets {
		size += len(packets[i].payload) + 8
	}
	out := make([]byte, 0, size)
	for i := range packets {
		b, err := d.Unmarshal(packets[i].payload)
		if err != nil {
			return nil, false
		}
		out = append(out, b...)
	}
	switch c {
	case media.CodecH264:
		out = joinNAL(SplitNAL(out), nil)
	case media.CodecAV1:
		units, err := splitOBU(out)
		if err != nil {
			return nil, false
		}
		out = out[:0:0]
		for _, u := range units {
			out = u.appendTo(out)
		}
	}
	return out, len(out) > 0
}
