package container

import (
	"encoding/binary"
	"math"
	"time"

	"github.com/fanfare-relay/fanfare/media"
)

func (m *matroska) blockGroup(body []byte) {
	var block []byte
	ticks := uint64(0)
	eachElement(body, func(id uint32, b []byte) {
		switch id {
		case idBlock:
			block = b
		case idBlockDuration:
			ticks = ebmlUint(b)
		}
	})
	if block != nil {
		m.block(block, m.ticks(ticks))
	}
}

// ticks converts to time; what does not fit becomes 0.
func (m *matroska) ticks(n uint64) time.Duration {
	if n > math.MaxInt64/m.scale {
		return 0
	}
	return time.Duration(n * m.scale)
}

// block cuts a SimpleBlock or Block into frames (RFC 9559 section 10):
//
//	track number (vint) | timestamp, 16 bit signed | flags: key, 3 reserved, invisible, 2 lacing, discardable | frames
//
// A block that breaks the rules is left out.
func (m *matroska) block(b []byte, duration time.Duration) {
	number, n := vint(b)
	if n == 0 || number < 0 || len(b) < n+3 {
		return
	}
	i, ok := m.wanted[uint64(number)]
	if !ok {
		return
	}
	rel := int64(int16(binary.BigEndian.Uint16(b[n:])))
	at := int64(m.cluster) + rel
	if at < 0 || m.cluster > math.MaxInt64/2 {
		at = 0
	}
	t := &m.entries[i]
	frames := delace(b[n+2]>>1&3, b[n+3:])
	each := t.each
	if duration > 0 && len(frames) > 0 {
		each = duration / time.Duration(len(frames))
	}
	pts := m.ticks(uint64(at))
	for _, data := range frames {
		if len(t.prefix) > 0 {
			data = append(append(make([]byte, 0, len(t.prefix)+len(data)), t.prefix...), data...)
		}
		d := each
		if d == 0 && t.codec == media.CodecOpus {
			d = OpusDuration(data)
		}
		m.queue = append(m.queue, rawFrame{track: i, pts: pts, duration: d, data: data})
		pts += d
	}
}

// delace splits the frames of a block by its lacing (RFC 9559 section 10.3): 0 none, 1 Xiph, 2 fixed, 3 EBML.
// It returns nil when the lace does not add up.
func delace(kind byte, b []byte) [][]byte {
	if kind == 0 {
		return [][]byte{b}
	}
	if len(b) == 0 {
		return nil
	}
	count := int(b[0]) + 1
	b = b[1:]
	switch kind {
	case 1:
		return laceXiph(count, b)
	case 2:
		if len(b)%count != 0 {
			return nil
		}
		sizes := make([]int, count-1)
		for i := range sizes {
			sizes[i] = len(b) / count
		}
		return cutSizes(b, sizes)
	default:
		return laceEBML(count, b)
	}
}

func laceXiph(count int, b []byte) [][]byte {
	sizes := make([]int, count-1)
	for i := range sizes {
		for {
			if len(b) == 0 {
				return nil
			}
			c := b[0]
			b = b[1:]
			sizes[i] += int(c)
			if c != 255 {
				break
			}
		}
	}
	return cutSizes(b, sizes)
}

// laceEBML: the first size is a vint, the others are signed differences, stored with a bias of 2^(7n-1)-1.
func laceEBML(count int, b []byte) [][]byte {
	sizes := make([]int, count-1)
	last := int64(0)
	for i := range sizes {
		v, n := vint(b)
		if n == 0 || v < 0 {
			return nil
		}
		b = b[n:]
		if i > 0 {
			v += last - (1<<(7*n-1) - 1)
		}
		if v < 0 || v > maxFrame {
			return nil
		}
		sizes[i], last = int(v), v
	}
	return cutSizes(b, sizes)
}

// cutSizes cuts b into pieces of these sizes and a last one that takes the rest.
func cutSizes(b []byte, sizes []int) [][]byte {
	out := make([][]byte, 0, len(sizes)+1)
	for _, n := range sizes {
		if n > len(b) {
			return nil
		}
		out = append(out, b[:n])
		b = b[n:]
	}
	return append(out, b)
}
