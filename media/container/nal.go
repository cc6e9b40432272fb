package container

import "bytes"

// NAL unit types (ITU-T H.264 table 7-1).
const (
	nalIDR    = 5
	nalSPS    = 7
	nalPPS    = 8
	nalAUD    = 9
	nalFiller = 12
)

func nalType(u []byte) byte {
	if len(u) == 0 {
		return 0
	}
	return u[0] & 31
}

// SplitNAL cuts an Annex B byte stream (H.264 annex B) into NAL units without start codes.
// They share b's memory.
func SplitNAL(b []byte) [][]byte {
	var units [][]byte
	code := []byte{0, 0, 1}
	at := bytes.Index(b, code)
	if at < 0 {
		return nil
	}
	for b = b[at+3:]; ; {
		next := bytes.Index(b, code)
		u := b
		if next >= 0 {
			u = b[:next]
		}
		// Zeros before a start code belong to it: no NAL unit ends with a zero byte.
		if u = bytes.TrimRight(u, "\x00"); len(u) > 0 {
			units = append(units, u)
		}
		if next < 0 {
			return units
		}
		b = b[next+3:]
	}
}

// joinNAL makes the canonical byte stream of one access unit; sets are put before the first slice of
// an IDR picture that brings no SPS of its own.
func joinNAL(units, sets [][]byte) []byte {
	size, hasSPS := 0, false
	for _, u := range units {
		size += len(u) + 4
		hasSPS = hasSPS || nalType(u) == nalSPS
	}
	for _, u := range sets {
		size += len(u) + 4
	}
	out := make([]byte, 0, size)
	for _, u := range units {
		switch nalType(u) {
		case 0, nalAUD, nalFiller:
			continue
		case nalIDR:
			if !hasSPS {
				hasSPS = true
				for _, s := range sets {
					out = appendNAL(out, s)
				}
			}
		}
		out = appendNAL(out, bytes.TrimRight(u, "\x00"))
	}
	return out
}

func appendNAL(dst, unit []byte) []byte {
	return append(append(dst, 0, 0, 0, 1), unit...)
}

// bitReader reads big-endian bits. Past the end it gives zeros and sets over.
type bitReader struct {
	b    []byte
	pos  int
	over bool
}

func (r *bitReader) bit() uint32 {
	if r.pos>>3 >= len(r.b) {
		r.over = true
		return 0
	}
	v := r.b[r.pos>>3] >> (7 - r.pos&7) & 1
	r.pos++
	return uint32(v)
}

func (r *bitReader) bits(n int) uint32 {
	var v uint32
	for range n {
		v = v<<1 | r.bit()
	}
	return v
}

// ue reads an unsigned Exp-Golomb code (H.264 section 9.1).
func (r *bitReader) ue() uint32 {
	zeros := 0
	for r.bit() == 0 {
		if zeros++; zeros > 31 || r.over {
			r.over = true
			return 0
		}
	}
	return 1<<zeros - 1 + r.bits(zeros)
}

// se reads a signed Exp-Golomb code (H.264 section 9.1.1).
func (r *bitReader) se() int32 {
	v := r.ue()
	if v&1 == 1 {
		return int32(v/2) + 1
	}
	return -int32(v / 2)
}

// spsInfo is what a sequence parameter set tells (H.264 section 7.3.2.1.1).
type spsInfo struct {
	profile       [3]byte // profile_idc, constraint flags, level_idc
	width, height int
}

// parseSPS reads a NAL unit of type 7; ok is false when it is not one or makes no sense.
func parseSPS(unit []byte) (s spsInfo, ok bool) {
	if nalType(unit) != nalSPS || len(unit) < 5 {
		return s, false
	}
	copy(s.profile[:], unit[1:4])
	r := &bitReader{b: unescapeNAL(unit[4:])}
	r.ue() // seq_parameter_set_id
	chroma := uint32(1)
	switch s.profile[0] {
	case 100, 110, 122, 244, 44, 83, 86, 118, 128, 138, 139, 134, 135:
		chroma = spsHigh(r)
	}
	r.ue()          // log2_max_frame_num_minus4
	switch r.ue() { // pic_order_cnt_type
	case 0:
		r.ue()
	case 1:
		skipPOC1(r)
	}
	r.ue()  // max_num_ref_frames
	r.bit() // gaps_in_frame_num_value_allowed_flag
	w, h := (int(r.ue())+1)*16, (int(r.ue())+1)*16
	frameOnly := int(r.bit())
	if frameOnly == 0 {
		r.bit()
	}
	h *= 2 - frameOnly
	r.bit() // direct_8x8_inference_flag
	if r.bit() == 1 {
		cx, cy := 1, 2-frameOnly
		if chroma == 1 || chroma == 2 {
			cx = 2
		}
		if chroma == 1 {
			cy *= 2
		}
		w -= cx * (int(r.ue()) + int(r.ue()))
		h -= cy * (int(r.ue()) + int(r.ue()))
	}
	s.width, s.height = w, h
	return s, !r.over && w > 0 && h > 0 && w <= 16384 && h <= 16384
}

// spsHigh reads the fields of the high profiles and returns chroma_format_idc.
func spsHigh(r *bitReader) uint32 {
	chroma := r.ue()
	if chroma == 3 {
		r.bit()
	}
	r.ue()
	r.ue()
	r.bit()
	if r.bit() == 0 {
		return chroma
	}
	lists := 8
	if chroma == 3 {
		lists = 12
	}
	for i := range lists {
		if r.bit() == 0 {
			continue
		}
		size := 16
		if i >= 6 {
			size = 64
		}
		last, next := int32(8), int32(8)
		for j := 0; j < size && !r.over; j++ {
			if next != 0 {
				next = (last + r.se() + 256) % 256
			}
			if next != 0 {
				last = next
			}
		}
	}
	return chroma
}

// skipPOC1 reads past the fields of pic_order_cnt_type 1.
func skipPOC1(r *bitReader) {
	r.bit()
	r.se()
	r.se()
	n := r.ue()
	for i := uint32(0); i < n && i < 256 && !r.over; i++ {
		r.se()
	}
}

// unescapeNAL removes emulation prevention bytes (H.264 section 7.4.1).
func unescapeNAL(b []byte) []byte {
	out := make([]byte, 0, len(b))
	zeros := 0
	for _, c := range b {
		if zeros >= 2 && c == 3 {
			zeros = 0
			continue
		}
		if c == 0 {
			zeros++
		} else {
			zeros = 0
		}
		out = append(out, c)
	}
	return out
}
