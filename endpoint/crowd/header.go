package crowd

import "encoding/binary"

// header is what an RTP packet says in clear (RFC 3550 section 5.1).
type header struct {
	pt     uint8
	marker bool
	seq    uint16
	ts     uint32
	ssrc   uint32
	size   int // bytes up to the payload
	// wide is the transport-wide sequence number, where there is one.
	wide    uint16
	hasWide bool
}

// parseHeader reads the header of an RTP packet. wideID is the id of the transport-wide sequence number, 0 for none.
// It fails when b ends before the header does.
func parseHeader(b []byte, wideID uint8) (h header, ok bool) {
	if len(b) < 12 || b[0]>>6 != 2 {
		return h, false
	}
	h = header{
		pt: b[1] & 0x7f, marker: b[1]&0x80 != 0, seq: binary.BigEndian.Uint16(b[2:]),
		ts: binary.BigEndian.Uint32(b[4:]), ssrc: binary.BigEndian.Uint32(b[8:]), size: 12 + 4*int(b[0]&0x0f),
	}
	if b[0]&0x10 == 0 {
		return h, len(b) >= h.size
	}
	if len(b) < h.size+4 {
		return h, false
	}
	profile, words := binary.BigEndian.Uint16(b[h.size:]), int(binary.BigEndian.Uint16(b[h.size+2:]))
	begin := h.size + 4
	h.size = begin + 4*words
	if len(b) < h.size {
		return h, false
	}
	if wideID != 0 {
		h.wide, h.hasWide = findWide(profile, b[begin:h.size], wideID)
	}
	return h, true
}

// findWide looks for an element of two bytes among header extensions (RFC 8285 sections 4.2 and 4.3).
func findWide(profile uint16, b []byte, id uint8) (uint16, bool) {
	oneByte := profile == 0xBEDE
	if !oneByte && profile>>4 != 0x100 {
		return 0, false
	}
	for len(b) > 0 {
		if b[0] == 0 { // padding
			b = b[1:]
			continue
		}
		var found uint8
		var size, head int
		if oneByte {
			found, size, head = b[0]>>4, int(b[0]&0x0f)+1, 1
			if found == 15 {
				return 0, false
			}
		} else {
			if len(b) < 2 {
				return 0, false
			}
			found, size, head = b[0], int(b[1]), 2
		}
		if len(b) < head+size {
			return 0, false
		}
		if found == id && size >= 2 {
			return binary.BigEndian.Uint16(b[head:]), true
		}
		b = b[head+size:]
	}
	return 0, false
}

// class is what a datagram is, by its first bytes (RFC 7983, RFC 5761 section 4).
type class uint8

const (
	classOther class = iota
	classSTUN
	classDTLS
	classRTP
	classRTCP
)

func classify(b []byte) class {
	switch {
	case len(b) < 2:
		return classOther
	case b[0] < 4:
		return classSTUN
	case b[0] >= 20 && b[0] < 64:
		return classDTLS
	case b[0]>>6 != 2:
		return classOther
	case b[1] >= 192 && b[1] < 224:
		return classRTCP
	default:
		return classRTP
	}
}
