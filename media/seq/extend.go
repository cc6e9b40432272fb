// Package seq does the arithmetic of RTP numbers: it extends sequence numbers and
// timestamps to 64 bits (RFC 3550 section 5.1 and appendix A.1), and it renumbers the
// packets that one viewer gets (Rewriter), so that packets left out and changes of
// source leave no trace in the numbers.
//
// It owns no packet, no clock and no lock. Every value belongs to one goroutine.
package seq

// base keeps the first extended number one whole cycle above zero, so that packets
// which were sent before the first one seen, and come after it, do not underflow.
const base = 1 << 16

// Newer tells whether a comes after b, modulo 2^16. It is false for equal numbers.
func Newer(a, b uint16) bool { return int16(a-b) > 0 }

// Extender turns 16-bit sequence numbers into 64-bit ones that do not wrap. It follows
// the nearest number: a jump of less than 2^15 forwards moves it on, one backwards is a
// late packet. The zero value is ready.
type Extender struct {
	highest uint64
	started bool
}

// Extend returns the extended number. The first one is 2^16 + s.
func (e *Extender) Extend(s uint16) uint64 {
	if !e.started {
		e.started, e.highest = true, base+uint64(s)
		return e.highest
	}
	// The difference is taken as signed, so late packets come out below highest. A stream that
	// starts with 2^16 packets' worth of late ones would underflow; the cycle below zero stands for them.
	ext := e.highest + uint64(int64(int16(s-uint16(e.highest))))
	if int64(ext-e.highest) > 0 {
		e.highest = ext
	}
	return ext
}

// Highest returns the highest extended number so far; ok is false before the first.
func (e *Extender) Highest() (ext uint64, ok bool) { return e.highest, e.started }

// TimestampExtender turns 32-bit RTP timestamps into 64-bit ones that do not wrap, in
// clock units of the track. The zero value is ready.
type TimestampExtender struct {
	highest uint64
	started bool
}

// Extend returns the extended timestamp. The first one is 2^32 + ts.
func (e *TimestampExtender) Extend(ts uint32) uint64 {
	if !e.started {
		e.started, e.highest = true, 1<<32+uint64(ts)
		return e.highest
	}
	ext := e.highest + uint64(int64(int32(ts-uint32(e.highest))))
	if int64(ext-e.highest) > 0 {
		e.highest = ext
	}
	return ext
}
