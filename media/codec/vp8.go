package codec

import (
	"encoding/binary"

	"github.com/fanfare-relay/fanfare/media"
)

// vp8Header is where things stand in a VP8 payload descriptor (RFC 7741 section 4.2).
//
//	  0 1 2 3 4 5 6 7
//	 +-+-+-+-+-+-+-+-+
//	 |X|R|N|S|R| PID |
//	 +-+-+-+-+-+-+-+-+
//	X: |I|L|T|K| RSV   |
//	 +-+-+-+-+-+-+-+-+
//	I: |M| PictureID   |  and 8 bits more if M
//	L: |   TL0PICIDX   |
//	T/K: |TID|Y| KEYIDX  |
type vp8Header struct {
	picture numbering
	tid     int8
	sync    bool // Y: predicted from the base layer alone
	start   bool // S, and the first partition
	size    int  // bytes of the descriptor
}

// numbering is where the numbers of a frame stand in a payload, common to VP8 and VP9. Offsets
// are 0 where a number is absent.
type numbering struct {
	id, tl0     int32 // values, or -1
	idAt, tl0At int
	wide        bool // the picture id has 15 bits
}

// readPictureID reads the picture id at n and returns the offset behind it; ok is false when
// it is cut off.
func (m *numbering) readPictureID(b []byte, n int) (next int, ok bool) {
	if n >= len(b) {
		return n, false
	}
	m.idAt, m.wide = n, b[n]&0x80 != 0
	if !m.wide {
		m.id = int32(b[n])
		return n + 1, true
	}
	if n+1 >= len(b) {
		return n, false
	}
	m.id = int32(b[n]&0x7f)<<8 | int32(b[n+1])
	return n + 2, true
}

func parseVP8(b []byte) (h vp8Header, ok bool) {
	h = vp8Header{picture: numbering{id: -1, tl0: -1}, tid: -1, size: 1}
	if len(b) == 0 {
		return h, false
	}
	h.start = b[0]&0x10 != 0 && b[0]&0x07 == 0
	if b[0]&0x80 == 0 {
		return h, true
	}
	if len(b) < 2 {
		return h, false
	}
	flags := b[1]
	h.size = 2
	if flags&0x80 != 0 {
		if h.size, ok = h.picture.readPictureID(b, h.size); !ok {
			return h, false
		}
	}
	if flags&0x40 != 0 {
		if h.size >= len(b) {
			return h, false
		}
		h.picture.tl0, h.picture.tl0At = int32(b[h.size]), h.size
		h.size++
	}
	if flags&0x30 != 0 {
		if h.size >= len(b) {
			return h, false
		}
		if flags&0x20 != 0 {
			h.tid, h.sync = int8(b[h.size]>>6), b[h.size]&0x20 != 0
		}
		h.size++
	}
	return h, true
}

// describeVP8 finds a key frame by its first packet: only that has the frame header (RFC 6386
// section 9.1), whose lowest bit is 0 for key frames, with a start code and the size behind it.
func describeVP8(b []byte, marker bool) media.Descriptor {
	h, ok := parseVP8(b)
	if !ok {
		return unknown
	}
	d := unknown
	d.FrameStart, d.FrameEnd = h.start, marker
	d.Layer.Temporal = h.tid
	if h.sync {
		d.SwitchUp = h.tid
	}
	d.PictureID, d.TL0PicIdx = h.picture.id, h.picture.tl0
	frame := b[h.size:]
	if !h.start || len(frame) == 0 || frame[0]&1 != 0 {
		return d
	}
	d.KeyFrame = true
	if len(frame) >= 10 && frame[3] == 0x9d && frame[4] == 0x01 && frame[5] == 0x2a {
		d.Width = binary.LittleEndian.Uint16(frame[6:]) & 0x3fff
		d.Height = binary.LittleEndian.Uint16(frame[8:]) & 0x3fff
	}
	return d
}
