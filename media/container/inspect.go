package container

import (
	"encoding/hex"
	"strconv"
	"time"

	"github.com/pion/rtp/codecs/vp9"

	"github.com/fanfare-relay/fanfare/media"
)

// Info is what a key frame says about the stream.
type Info struct {
	Width, Height int    // pixels, 0 when not told
	Profile       string // as in Track.Profile
}

// Inspect reads a whole key frame in canonical form. Other frames give a zero Info.
func Inspect(c media.Codec, frame []byte) Info {
	switch c {
	case media.CodecVP8:
		// RFC 6386 section 9.1: 3 bytes of tag, start code, 14 bits of width and height each.
		if IsKey(c, frame) && len(frame) >= 10 {
			return Info{
				Width:  int(frame[6]) | int(frame[7]&0x3F)<<8,
				Height: int(frame[8]) | int(frame[9]&0x3F)<<8,
			}
		}
	case media.CodecVP9:
		var h vp9.Header
		if h.Unmarshal(frame) == nil && h.FrameSize != nil {
			return Info{Width: int(h.Width()), Height: int(h.Height()), Profile: strconv.Itoa(int(h.Profile))}
		}
	case media.CodecH264:
		for _, u := range SplitNAL(frame) {
			if s, ok := parseSPS(u); ok {
				return Info{Width: s.width, Height: s.height, Profile: hex.EncodeToString(s.profile[:])}
			}
		}
	case media.CodecAV1:
		units, _ := splitOBU(frame)
		for _, u := range units {
			if u.kind == obuSequence {
				profile, w, h := av1Size(u.payload)
				return Info{Width: w, Height: h, Profile: strconv.Itoa(int(profile))}
			}
		}
	}
	return Info{}
}

// IsKey tells whether a whole frame in canonical form can be decoded without others.
func IsKey(c media.Codec, frame []byte) bool {
	if len(frame) == 0 {
		return false
	}
	switch c {
	case media.CodecOpus:
		return true
	case media.CodecVP8:
		return frame[0]&1 == 0
	case media.CodecVP9:
		return vp9Key(frame)
	case media.CodecH264:
		for _, u := range SplitNAL(frame) {
			if nalType(u) == nalIDR {
				return true
			}
		}
	case media.CodecAV1:
		units, err := splitOBU(frame)
		if err != nil {
			return false
		}
		for _, u := range units {
			if u.kind == obuSequence {
				return av1StartsWithKey(units)
			}
		}
	}
	return false
}

// vp9Key reads the uncompressed header (VP9 specification section 6.2):
// frame_marker (2) | profile (2) | reserved (1, profile 3 only) | show_existing_frame (1) | frame_type (1).
func vp9Key(b []byte) bool {
	r := &bitReader{b: b}
	if r.bits(2) != 2 {
		return false
	}
	if r.bits(2) == 3 {
		r.bit()
	}
	return r.bits(2) == 0 && !r.over
}

// OpusDuration returns how long a packet sounds, from its first bytes (RFC 6716 section 3.1), 0 when
// it is no packet.
func OpusDuration(p []byte) time.Duration {
	if len(p) == 0 {
		return 0
	}
	config := p[0] >> 3
	var each time.Duration
	switch {
	case config < 12: // SILK: 10, 20, 40, 60 ms
		each = [...]time.Duration{10, 20, 40, 60}[config&3] * time.Millisecond
	case config < 16: // hybrid: 10, 20 ms
		each = [...]time.Duration{10, 20}[config&1] * time.Millisecond
	default: // CELT: 2.5, 5, 10, 20 ms
		each = 2500 * time.Microsecond << (config & 3)
	}
	switch p[0] & 3 {
	case 0:
		return each
	case 1, 2:
		return 2 * each
	default:
		if len(p) < 2 {
			return 0
		}
		return time.Duration(p[1]&63) * each
	}
}
