package estimate

import (
	"encoding/binary"
	"errors"
)

// ErrNotFeedback: the bytes are no transport-wide feedback, or a malformed one.
var ErrNotFeedback = errors.New("no transport-wide feedback")

const (
	headerSize  = 20 // RTCP header, two SSRCs, base number, count, reference time and feedback count
	tick        = 250
	ticksPerRef = 64_000 / tick
)

// IsFeedback tells whether one RTCP packet, the first of b, is transport-wide feedback: payload type 205, format 15.
func IsFeedback(b []byte) bool {
	return len(b) >= headerSize && b[0]>>6 == 2 && b[0]&0x1f == 15 && b[1] == 205
}

// Status is what a feedback says of one packet.
type Status struct {
	Seq      uint16
	Received bool
	// Arrival is when it was received, in microseconds of the receiver's clock since the
	// feedback's reference time. It may be negative.
	Arrival int64
}

// Statuses reads a feedback status by status, without memory of its own. Use ParseFeedback.
type Statuses struct {
	// Base is the first number spoken of, Count how many are.
	Base, Count uint16
	// Reference is the receiver's clock in units of 64 ms, 24 bits, wrapping.
	Reference uint32

	chunks, deltas []byte
	chunk          uint16 // being read, its next symbol in the top bits when it is a vector
	left           uint16 // symbols left in it
	done           uint16
	ticks          int64
}

// ParseFeedback reads one RTCP packet, the first of b, as transport-wide feedback
// (draft-holmer-rmcat-transport-wide-cc-extensions-01 section 3.1). Lengths are checked as a whole,
// so Next cannot fail. The error is ErrNotFeedback.
func ParseFeedback(b []byte) (Statuses, error) {
	if !IsFeedback(b) {
		return Statuses{}, ErrNotFeedback
	}
	total := 4 * (int(binary.BigEndian.Uint16(b[2:])) + 1)
	if total < headerSize || total > len(b) {
		return Statuses{}, ErrNotFeedback
	}
	s := Statuses{
		Base:      binary.BigEndian.Uint16(b[12:]),
		Count:     binary.BigEndian.Uint16(b[14:]),
		Reference: binary.BigEndian.Uint32(b[16:]) >> 8,
	}
	body := b[headerSize:total]
	chunks, deltas, ok := measure(body, int(s.Count))
	if !ok || chunks+deltas > len(body) {
		return Statuses{}, ErrNotFeedback
	}
	s.chunks, s.deltas = body[:chunks], body[chunks:chunks+deltas]
	return s, nil
}

// measure returns how many bytes the chunks of count statuses take, and how many their deltas.
func measure(body []byte, count int) (chunks, deltas int, ok bool) {
	for count > 0 {
		if chunks+2 > len(body) {
			return 0, 0, false
		}
		chunk := binary.BigEndian.Uint16(body[chunks:])
		chunks += 2
		n := min(count, symbolsIn(chunk))
		count -= n
		if chunk>>15 == 0 {
			deltas += n * deltaSize(chunk>>13&3)
			continue
		}
		for range n {
			var symbol uint16
			symbol, chunk = nextSymbol(chunk)
			deltas += deltaSize(symbol)
		}
	}
	return chunks, deltas, true
}

// symbolsIn returns the number of statuses that a chunk holds.
func symbolsIn(chunk uint16) int {
	switch chunk >> 14 {
	case 2:
		return 14
	case 3:
		return 7
	default:
		return int(chunk & 0x1fff)
	}
}

// nextSymbol takes the next symbol out of a vector chunk; the chunk keeps its two type bits.
func nextSymbol(chunk uint16) (symbol, rest uint16) {
	head, list := chunk&0xc000, chunk&0x3fff
	if head == 0x8000 {
		return list >> 13, head | list<<1&0x3fff
	}
	return list >> 12, head | list<<2&0x3fff
}

// deltaSize returns the bytes of a received packet's delta: symbol 1 is a small one, 2 a large one;
// 0 is a lost packet and 3 is reserved, without a delta.
func deltaSize(symbol uint16) int {
	if symbol == 3 {
		return 0
	}
	return int(symbol)
}

// Next returns the next status; ok is false at the end. Packets of the reserved symbol are passed
// over: nothing can be said of them.
func (s *Statuses) Next() (st Status, ok bool) {
	for s.done < s.Count {
		for s.left == 0 {
			s.chunk = binary.BigEndian.Uint16(s.chunks)
			s.chunks = s.chunks[2:]
			s.left = uint16(symbolsIn(s.chunk))
		}
		symbol := s.chunk >> 13 & 3
		if s.chunk>>15 != 0 {
			symbol, s.chunk = nextSymbol(s.chunk)
		}
		st = Status{Seq: s.Base + s.done}
		s.left--
		s.done++
		switch symbol {
		case 0:
			return st, true
		case 1:
			s.ticks += int64(s.deltas[0])
		case 2:
			s.ticks += int64(int16(binary.BigEndian.Uint16(s.deltas)))
		default:
			continue
		}
		s.deltas = s.deltas[deltaSize(symbol):]
		st.Received, st.Arrival = true, s.ticks*tick
		return st, true
	}
	return Status{}, false
}
