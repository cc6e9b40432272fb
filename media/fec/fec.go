// Package fec makes parity packets (FlexFEC): from one of them and the others of its group a receiver
// makes a lost packet anew, without asking for it. It owns the format, the grouping, and the rule for
// whom it pays.
//
// The format is that of draft-ietf-payload-flexible-fec-scheme-03, which browsers call flexfec-03; the
// final RFC 8627 has another header. Of its forms the one with a mask is written (R = 0, F = 0), for one
// source. The package keeps no packets, no clock and no sequence numbers.
package fec

import (
	"crypto/subtle"
	"encoding/binary"
	"time"

	"github.com/fanfare-relay/fanfare/media"
)

const (
	rtpHeader = 12
	// Bits of the mask in a header of 20 and of 24 bytes (section 4.2.2.1 of the draft). A longer one
	// exists and is of no use here: a group that long would come too late.
	maskShort, maskMiddle = 15, 46
)

// Overhead is the most that a parity packet's payload is longer than the longest packet of its group is
// behind the fixed header.
const Overhead = 24

// group is the packets of one parity packet that is in the making.
type group struct {
	count  int
	began  time.Time
	base   uint16  // the lowest sequence number
	mask   uint64  // bit n: base+n is in the group; n < maskMiddle
	head   [8]byte // parity of the first eight bytes of the headers, with the length instead of the number
	body   []byte  // parity of what follows the fixed header, as long as the longest
	latest uint32  // timestamp of the newest packet
}

// Encoder groups the packets of one track and makes a parity packet of each group. Neighbours go to
// different groups, so that a burst of losses as long as there are groups takes one of each. Use
// NewEncoder.
type Encoder struct {
	ssrc   media.SSRC
	groups []group
	at     int
}

// NewEncoder makes an encoder for the packets of a source, with so many groups side by side.
func NewEncoder(ssrc media.SSRC, groups int) *Encoder {
	return &Encoder{ssrc: ssrc, groups: make([]group, max(groups, 1))}
}

// Plan says when a group is large enough.
type Plan struct {
	// Size is the number of packets to one parity packet; 0: none is made.
	Size int
	// Patience is how old a smaller group may get before its parity packet is made, at the end of a
	// frame. More costs less, and repairs later.
	Patience time.Duration
}

// Add takes a packet as the receiver will see it: its header with contributing sources and extension,
// and all that follows. What changes between the encoder and the receiver, or is set to zero before
// decoding as the transport-wide sequence number is, must be zero in it. Packets that are older than
// their group are not protected, nor are those that reach further than a group may span.
func (e *Encoder) Add(header, payload []byte, now time.Time) {
	if len(header) < rtpHeader {
		return
	}
	g := &e.groups[e.at]
	if g.add(header, payload, now) {
		e.at = (e.at + 1) % len(e.groups)
	}
}

// add takes a packet if the group reaches that far.
func (g *group) add(header, payload []byte, now time.Time) bool {
	number := binary.BigEndian.Uint16(header[2:])
	if g.count == 0 {
		g.began, g.base, g.mask, g.head, g.body = now, number, 0, [8]byte{}, g.body[:0]
	}
	n := number - g.base
	if n >= maskMiddle || g.mask>>n&1 != 0 {
		return false
	}
	g.mask |= 1 << n
	g.count++
	g.latest = binary.BigEndian.Uint32(header[4:])
	length := len(header) - rtpHeader + len(payload)
	g.head[0] ^= header[0]
	g.head[1] ^= header[1]
	g.head[2] ^= byte(length >> 8)
	g.head[3] ^= byte(length)
	for i := 4; i < 8; i++ {
		g.head[i] ^= header[i]
	}
	g.body = append(g.body, make([]byte, max(length-len(g.body), 0))...)
	rest := header[rtpHeader:]
	subtle.XORBytes(g.body, g.body[:len(rest)], rest)
	subtle.XORBytes(g.body[len(rest):], g.body[len(rest):length], payload)
	return true
}

// Due returns a group whose parity packet is to be made now, or -1. end is set when the packet that
// was added last ends a frame.
func (e *Encoder) Due(p Plan, end bool, now time.Time) int {
	for i := range e.groups {
		g := &e.groups[i]
		if g.count >= p.Size || end && g.count > 0 && now.Sub(g.began) >= p.Patience {
			return i
		}
	}
	return -1
}

// Append appends the payload of a group's parity packet and begins the group anew. timestamp is that
// of its newest packet, which the parity packet shall have.
//
//	 0                   1                   2                   3
//	 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
//	+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//	|R|F|P|X|  CC   |M| PT recovery |        length recovery        |
//	|                          TS recovery                          |
//	|   SSRCCount   |                    reserved                   |
//	|                             SSRC_i                            |
//	|           SN base_i           |k|          Mask [0-14]        |
//	|k|                   Mask [15-45] (where the first k is 0)     |
//	|          parity of what follows the fixed RTP header ...
func (e *Encoder) Append(dst []byte, i int) (payload []byte, timestamp uint32) {
	g := &e.groups[i]
	dst = append(dst, g.head[0]&0x3f, g.head[1]) // R and F instead of the version, which all have
	dst = append(dst, g.head[2:]...)
	dst = append(dst, 1, 0, 0, 0)
	dst = binary.BigEndian.AppendUint32(dst, uint32(e.ssrc))
	dst = binary.BigEndian.AppendUint16(dst, g.base)
	dst = appendMask(dst, g.mask)
	dst = append(dst, g.body...)
	g.count = 0
	return dst, g.latest
}

// appendMask writes a mask whose lowest bit is the first packet: in the draft it is the leftmost.
func appendMask(dst []byte, mask uint64) []byte {
	const last = 1 // the k bit of the last part
	first := uint16(reversed(mask, 0, maskShort))
	if mask>>maskShort == 0 {
		return binary.BigEndian.AppendUint16(dst, last<<15|first)
	}
	dst = binary.BigEndian.AppendUint16(dst, first)
	return binary.BigEndian.AppendUint32(dst, last<<31|uint32(reversed(mask, maskShort, maskMiddle)))
}

// reversed returns the bits from one to another, the first as the highest.
func reversed(mask uint64, from, to int) (out uint64) {
	for i := from; i < to; i++ {
		out = out<<1 | mask>>i&1
	}
	return out
}
