package codec

import (
	"encoding/binary"

	"github.com/fanfare-relay/fanfare/media"
)

// vp9Header is what a VP9 payload descriptor says (RFC 9628 section 4.2).
//
//	  0 1 2 3 4 5 6 7
//	 +-+-+-+-+-+-+-+-+
//	 |I|P|L|F|B|E|V|Z|
//	 +-+-+-+-+-+-+-+-+
//	I:   |M| PICTURE ID  |  and 8 bits more if M
//	L:   | TID |U| SID |D|
//	L, not F: | TL0PICIDX   |
//	P and F: | P_DIFF    |N|  up to three times
//	V:   | N_S |Y|G|-----|  then sizes if Y, and the picture group if G
type vp9Header struct {
	picture       numbering
	tid, sid      int8
	up            bool // U: no later picture of a higher temporal layer looks back behind this one
	inter         bool // P: predicted from other pictures
	begin, end    bool // B, E: of the layer frame
	width, height uint16
	size          int
}

func parseVP9(b []byte) (h vp9Header, ok bool) {
	h = vp9Header{picture: numbering{id: -1, tl0: -1}, tid: -1, sid: -1, size: 1}
	if len(b) == 0 {
		return h, false
	}
	flags := b[0]
	h.inter, h.begin, h.end = flags&0x40 != 0, flags&0x08 != 0, flags&0x04 != 0
	if flags&0x80 != 0 {
		if h.size, ok = h.picture.readPictureID(b, h.size); !ok {
			return h, false
		}
	}
	flexible := flags&0x10 != 0
	if flags&0x20 != 0 && !h.readLayer(b, flexible) {
		return h, false
	}
	if flexible && h.inter && !h.skipReferences(b) {
		return h, false
	}
	if flags&0x02 != 0 && !h.readStructure(b) {
		return h, false
	}
	return h, true
}

func (h *vp9Header) readLayer(b []byte, flexible bool) bool {
	if h.size >= len(b) {
		return false
	}
	h.tid, h.sid, h.up = int8(b[h.size]>>5), int8(b[h.size]>>1&0x07), b[h.size]&0x10 != 0
	h.size++
	if flexible {
		return true
	}
	if h.size >= len(b) {
		return false
	}
	h.picture.tl0, h.picture.tl0At = int32(b[h.size]), h.size
	h.size++
	return true
}

// skipReferences passes over the list of P_DIFF; the lowest bit says that another follows.
func (h *vp9Header) skipReferences(b []byte) bool {
	for range 3 {
		if h.size >= len(b) {
			return false
		}
		more := b[h.size]&1 != 0
		h.size++
		if !more {
			return true
		}
	}
	return true
}

// readStructure reads the scalability structure (RFC 9628 section 4.2.1). The size is that of the
// highest spatial layer.
func (h *vp9Header) readStructure(b []byte) bool {
	if h.size >= len(b) {
		return false
	}
	flags := b[h.size]
	h.size++
	if flags&0x10 != 0 {
		layers := int(flags>>5) + 1
		if len(b)-h.size < 4*layers {
			return false
		}
		h.size += 4 * layers
		h.width = binary.BigEndian.Uint16(b[h.size-4:])
		h.height = binary.BigEndian.Uint16(b[h.size-2:])
	}
	if flags&0x08 == 0 {
		return true
	}
	if h.size >= len(b) {
		return false
	}
	pictures := int(b[h.size])
	h.size++
	for range pictures {
		if h.size >= len(b) {
			return false
		}
		h.size += 1 + int(b[h.size]>>2&0x03)
	}
	return h.size <= len(b)
}

// describeVP9 calls a packet part of a key frame when its picture is not predicted from others
// and it is of the lowest spatial layer. That holds for intra-only frames too, so where the
// packet has the frame's own header, that decides.
func describeVP9(b []byte, marker bool) media.Descriptor {
	h, ok := parseVP9(b)
	if !ok {
		return unknown
	}
	d := unknown
	d.FrameStart, d.FrameEnd = h.begin, h.end || marker
	d.Layer = media.Layer{Spatial: h.sid, Temporal: h.tid}
	if h.up {
		d.SwitchUp = 7 // any; a temporal id has three bits
	}
	d.PictureID, d.TL0PicIdx = h.picture.id, h.picture.tl0
	d.KeyFrame = !h.inter && h.sid <= 0
	if !d.KeyFrame {
		return d
	}
	d.Width, d.Height = h.width, h.height
	if h.begin {
		f := parseVP9Frame(b[h.size:])
		if f.known && !f.key {
			d.KeyFrame, d.Width, d.Height = false, 0, 0
		} else if d.Width == 0 {
			d.Width, d.Height = f.width, f.height
		}
	}
	return d
}

type vp9Frame struct {
	known, key    bool
	width, height uint16
}

// parseVP9Frame reads the uncompressed header up to the frame size (VP9 bitstream
// specification, section 6.2).
func parseVP9Frame(b []byte) (f vp9Frame) {
	r := bits{b: b}
	if r.read(2) != 2 { // frame_marker
		return f
	}
	profile := r.bit() | r.bit()<<1
	if profile == 3 {
		r.skip(1)
	}
	if r.flag() { // show_existing_frame
		return vp9Frame{known: !r.short}
	}
	key := r.bit() == 0
	r.skip(2) // show_frame, error_resilient_mode
	if r.short || !key {
		return vp9Frame{known: !r.short}
	}
	if r.read(24) != 0x498342 { // frame_sync_code
		return f
	}
	if profile >= 2 {
		r.skip(1) // ten_or_twelve_bit
	}
	if r.read(3) != 7 { // color_space, 7 is RGB
		r.skip(1) // color_range
		if profile&1 != 0 {
			r.skip(3) // subsampling_x, subsampling_y, reserved_zero
		}
	} else if profile&1 != 0 {
		r.skip(1) // reserved_zero
	}
	w, h := r.read(16), r.read(16) // minus one
	if r.short || w == 0xffff || h == 0xffff {
		return vp9Frame{known: true, key: true}
	}
	return vp9Frame{known: true, key: true, width: uint16(w + 1), height: uint16(h + 1)}
}
