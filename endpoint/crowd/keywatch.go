package crowd

// keyWatch finds the first key frame that has arrived whole, in whatever order its packets come.
type keyWatch struct {
	frames [8]frameBits
	next   int
}

// frameBits are the packets of one frame, by their distance from the first one seen.
type frameBits struct {
	used       bool
	ts         uint32
	anchor     uint16
	start, end int // indices, start of a key frame alone; -1: not known yet
	seen       [16]uint64
}

// frameMiddle is the index of the first packet that was seen; as many may come before as behind.
const frameMiddle = 512

// add notes a packet of the picture, and whether a key frame begins with it. It tells whether a whole one is there now.
func (k *keyWatch) add(h header, begins bool) bool {
	f := k.frame(h)
	i := int(int16(h.seq-f.anchor)) + frameMiddle
	if i < 0 || i >= 2*frameMiddle {
		return false
	}
	f.seen[i/64] |= 1 << (i % 64)
	if begins && (f.start < 0 || i < f.start) {
		f.start = i
	}
	if h.marker {
		f.end = i
	}
	return f.whole()
}

// frame finds the frame of a packet, or puts it in the place of the oldest.
func (k *keyWatch) frame(h header) *frameBits {
	for i := range k.frames {
		if f := &k.frames[i]; f.used && f.ts == h.ts {
			return f
		}
	}
	f := &k.frames[k.next]
	k.next = (k.next + 1) % len(k.frames)
	*f = frameBits{used: true, ts: h.ts, anchor: h.seq, start: -1, end: -1}
	return f
}

func (f *frameBits) whole() bool {
	if f.start < 0 || f.end < f.start {
		return false
	}
	for i := f.start; i <= f.end; i++ {
		if f.seen[i/64]&(1<<(i%64)) == 0 {
			return false
		}
	}
	return true
}
