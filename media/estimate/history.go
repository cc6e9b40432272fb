package estimate

// historySize is the number of packets that feedback can speak of: three seconds at the 320 packets
// a second of 2.4 Mbit/s and sound. It divides 65,536.
const historySize = 1024

// Sizes share sixteen bits with two facts: bit 13 is set when the packet was told lost, bits 14 and
// 15 name the probe cluster that it belongs to, 0 for none.
const (
	sizeMask    = 1<<13 - 1
	lostFlag    = 1 << 13
	clusterFrom = 14
)

// slots is 6 KiB, one size class of the allocator. What is known of a packet lies in one place: with
// many viewers each look is one at cold memory.
type slots [historySize]Slot

// Slot is what is kept of one packet. at is in microseconds, wrapping after 71 minutes, in two halves, so that no
// byte is lost to alignment; size is 0 where there is nothing.
type Slot struct{ atHigh, atLow, size uint16 }

func (s *Slot) at() uint32 { return uint32(s.atHigh)<<16 | uint32(s.atLow) }

// history knows the packets sent of late, by their numbers.
type history struct {
	slots  *slots
	newest uint16
	last   int64 // when newest left
}

// forget is the age after which nothing is said of a packet any more; far below the wrap of Slot.at.
const forget = 60_000_000

func (h *history) add(seq uint16, size int, at int64, cluster uint8) {
	switch {
	case h.slots == nil:
		h.slots, h.newest = new(slots), seq-1
	case at-h.last > forget:
		*h.slots, h.newest = slots{}, seq-1
	}
	gap := seq - h.newest
	if gap == 0 || gap >= 1<<15 {
		return // not a new number
	}
	for skipped := min(gap-1, historySize); skipped > 0; skipped-- {
		h.slots[(seq-skipped)%historySize].size = 0
	}
	h.slots[seq%historySize] = Slot{
		atHigh: uint16(at >> 16), atLow: uint16(at),
		size: uint16(min(max(size, 1), sizeMask)) | uint16(cluster)<<clusterFrom,
	}
	h.newest, h.last = seq, at
}

// next is where the packets after the newest will be noted, n at most and none before the first.
func (h *history) next(n int) []Slot {
	if h.slots == nil {
		return nil
	}
	from := int(h.newest+1) % historySize
	to := min(from+n, historySize)
	return h.slots[from:to:to]
}

// packet is what is known of one that was sent.
type packet struct {
	sent    int64
	size    int
	cluster uint8
	lost    bool // it was told lost before
}

func (h *history) find(seq uint16, now int64) (p packet, ok bool) {
	if h.slots == nil || h.newest-seq >= historySize || now-h.last > forget {
		return p, false
	}
	s := h.slots[seq%historySize]
	bits := s.size
	if bits == 0 {
		return p, false
	}
	return packet{
		sent:    now - int64(uint32(now)-s.at()),
		size:    int(bits & sizeMask),
		cluster: uint8(bits >> clusterFrom),
		lost:    bits&lostFlag != 0,
	}, true
}

func (h *history) markLost(seq uint16) { h.slots[seq%historySize].size |= lostFlag }
func (h *history) remove(seq uint16)   { h.slots[seq%historySize].size = 0 }
