package container

import (
	"fmt"

	"github.com/pion/rtp/codecs/av1/obu"
)

// OBU types (AV1 specification section 6.2.2).
const (
	obuSequence    = 1
	obuDelimiter   = 2
	obuFrameHeader = 3
	obuFrame       = 6
	obuTileList    = 8
	obuPadding     = 15
)

// obuUnit is one open bitstream unit: header bits without the size flag, and the payload.
type obuUnit struct {
	kind    byte
	header  [2]byte
	extends bool
	payload []byte
}

// splitOBU cuts a temporal unit (low-overhead format, AV1 section 5.2). Units that RTP does
// not carry are left out. The last unit may lack a size.
func splitOBU(b []byte) ([]obuUnit, error) {
	var units []obuUnit
	for len(b) > 0 {
		var u obuUnit
		u.header[0] = b[0] &^ 2
		u.kind, u.extends = b[0]>>3&15, b[0]&4 != 0
		hasSize := b[0]&2 != 0
		b = b[1:]
		if u.extends {
			if len(b) == 0 {
				return nil, fmt.Errorf("%w: an OBU header is cut off", ErrDamaged)
			}
			u.header[1], b = b[0], b[1:]
		}
		size := len(b)
		if hasSize {
			n, used, err := obu.ReadLeb128(b)
			if err != nil || n > uint(len(b))-used {
				return nil, fmt.Errorf("%w: the size of an OBU", ErrDamaged)
			}
			size, b = int(n), b[used:]
		}
		u.payload, b = b[:size], b[size:]
		switch u.kind {
		case obuDelimiter, obuTileList, obuPadding:
		default:
			units = append(units, u)
		}
	}
	return units, nil
}

// appendTo writes the unit with a size field of least length.
func (u obuUnit) appendTo(dst []byte) []byte {
	dst = append(dst, u.header[0]|2)
	if u.extends {
		dst = append(dst, u.header[1])
	}
	n := len(u.payload)
	for n >= 0x80 {
		dst = append(dst, byte(n)|0x80)
		n >>= 7
	}
	return append(append(dst, byte(n)), u.payload...)
}

// av1StartsWithKey tells whether the first frame header says KEY_FRAME and shown (AV1 section 5.9.2).
func av1StartsWithKey(units []obuUnit) bool {
	reduced := false
	for _, u := range units {
		switch u.kind {
		case obuSequence:
			reduced = len(u.payload) > 0 && u.payload[0]>>3&1 == 1
		case obuFrame, obuFrameHeader:
			if reduced {
				return true
			}
			// show_existing_frame (1) = 0, frame_type (2) = KEY_FRAME, show_frame (1)
			return len(u.payload) > 0 && u.payload[0]>>4 == 1
		}
	}
	return false
}

// av1Size reads the largest frame size of a sequence header (AV1 section 5.5.1).
func av1Size(b []byte) (profile byte, width, height int) {
	r := &bitReader{b: b}
	profile = byte(r.bits(3))
	r.bit() // still_picture
	if r.bit() == 1 {
		r.bits(5)
	} else {
		av1Operating(r)
	}
	wb, hb := int(r.bits(4))+1, int(r.bits(4))+1
	w, h := int(r.bits(wb))+1, int(r.bits(hb))+1
	if r.over {
		return profile, 0, 0
	}
	return profile, w, h
}

// av1Operating reads past timing and operating points.
func av1Operating(r *bitReader) {
	model, delayBits := false, 0
	if r.bit() == 1 { // timing_info_present_flag
		r.bits(32)
		r.bits(32)
		if r.bit() == 1 {
			r.ue()
		}
		if model = r.bit() == 1; model {
			delayBits = int(r.bits(5)) + 1
			r.bits(32)
			r.bits(5)
			r.bits(5)
		}
	}
	delay := r.bit() == 1
	count := int(r.bits(5)) + 1
	for range count {
		r.bits(12)
		if r.bits(5) > 7 {
			r.bit()
		}
		if model && r.bit() == 1 {
			r.bits(delayBits)
			r.bits(delayBits)
			r.bit()
		}
		if delay && r.bit() == 1 {
			r.bits(4)
		}
	}
}
