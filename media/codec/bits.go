package codec

// bits reads a header bit by bit, most significant first. Reading past the end gives zeros and
// sets short; the caller checks that once, at the end.
type bits struct {
	b     []byte
	pos   int // in bits
	short bool
	// escaped is set for H.264, where a 3 after two zero bytes is no data (ITU-T H.264 section
	// 7.4.1).
	escaped bool
}

func (r *bits) bit() uint32 {
	i := r.pos >> 3
	if r.escaped && r.pos&7 == 0 && i >= 2 && i < len(r.b) && r.b[i] == 3 && r.b[i-1] == 0 && r.b[i-2] == 0 {
		r.pos += 8
		i++
	}
	if i >= len(r.b) {
		r.short = true
		return 0
	}
	v := uint32(r.b[i]>>(7-r.pos&7)) & 1
	r.pos++
	return v
}

func (r *bits) flag() bool { return r.bit() == 1 }

// read returns the next n bits, n up to 32.
func (r *bits) read(n int) uint32 {
	var v uint32
	for range n {
		v = v<<1 | r.bit()
	}
	return v
}

func (r *bits) skip(n int) {
	for range n {
		r.bit()
	}
}

// golomb reads an unsigned Exp-Golomb number: ue(v) of H.264 section 9.1, which is uvlc() of AV1.
func (r *bits) golomb() uint32 {
	zeros := 0
	for !r.flag() {
		if zeros++; zeros > 31 || r.short {
			r.short = true
			return 0
		}
	}
	return 1<<zeros - 1 + r.read(zeros)
}

// signedGolomb reads se(v) of H.264 section 9.1.1.
func (r *bits) signedGolomb() int32 {
	v := r.golomb()
	if v&1 != 0 {
		return int32(v/2) + 1
	}
	return -int32(v / 2)
}
