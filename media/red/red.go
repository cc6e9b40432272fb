// Package red makes and reads redundant audio payloads (RFC 2198): each packet carries what the
// ones before it carried, so that a lost one costs nothing and needs no round trip.
//
// It owns the format and the rule for whom it pays. It keeps no packets and no clock.
package red

import (
	"encoding/binary"
	"errors"
	"time"

	"github.com/fanfare-relay/fanfare/media"
)

// Limits of the format (RFC 2198 section 3): 14 bits of timestamp offset, 10 of length.
const (
	MaxOffset = 1<<14 - 1
	MaxLength = 1<<10 - 1
)

// ErrMalformed: the payload is no redundant one, or is cut off.
var ErrMalformed = errors.New("malformed redundant payload")

// Block is the payload of one packet.
type Block struct {
	// Offset is how far its timestamp is before that of the packet that carries it; 0 for its own.
	Offset  uint32
	Type    media.PayloadType
	Payload []byte
}

// Append appends a redundant payload: the blocks from the oldest to the packet's own, which is the
// last one given. A block that the format cannot hold is left out.
//
//	 0                   1                    2                   3
//	 0 1 2 3 4 5 6 7 8 9 0 1 2 3  4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
//	+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//	|1|   block PT  |  timestamp offset         |   block length    |
//	|0|   block PT  | payloads, in the order of the headers ...
func Append(dst []byte, blocks ...Block) []byte {
	own := blocks[len(blocks)-1]
	for _, b := range blocks[:len(blocks)-1] {
		if b.fits() {
			dst = binary.BigEndian.AppendUint32(dst, 1<<31|uint32(b.Type&0x7f)<<24|b.Offset<<10|uint32(len(b.Payload)))
		}
	}
	dst = append(dst, byte(own.Type&0x7f))
	for _, b := range blocks[:len(blocks)-1] {
		if b.fits() {
			dst = append(dst, b.Payload...)
		}
	}
	return append(dst, own.Payload...)
}

func (b Block) fits() bool {
	return b.Offset > 0 && b.Offset <= MaxOffset && len(b.Payload) > 0 && len(b.Payload) <= MaxLength
}

// Parse appends the blocks of a redundant payload, the packet's own last. Their payloads refer to b.
func Parse(dst []Block, b []byte) ([]Block, error) {
	start := len(dst)
	n := 0
	for {
		if n >= len(b) {
			return dst[:start], ErrMalformed
		}
		if b[n]&0x80 == 0 {
			dst = append(dst, Block{Type: media.PayloadType(b[n])})
			n++
			break
		}
		if n+4 > len(b) {
			return dst[:start], ErrMalformed
		}
		h := binary.BigEndian.Uint32(b[n:])
		if int(h&MaxLength) > len(b) {
			return dst[:start], ErrMalformed
		}
		// A slice of the right length stands in for the payload until all headers are read.
		dst = append(dst, Block{Offset: h >> 10 & MaxOffset, Type: media.PayloadType(h >> 24 & 0x7f), Payload: b[:h&MaxLength]})
		n += 4
	}
	for i := start; i < len(dst)-1; i++ {
		size := len(dst[i].Payload)
		if n+size > len(b) {
			return dst[:start], ErrMalformed
		}
		dst[i].Payload = b[n : n+size : n+size]
		n += size
	}
	dst[len(dst)-1].Payload = b[n:]
	return dst, nil
}

const (
	// enough is the share of sound packets lost from which redundancy pays: below, the decoder
	// hides a lost one well; little is that below which it ends again, after quiet.
	enough = 0.01
	little = 0.002
	quiet  = 15 * time.Second
)

// Switch decides whether one viewer gets redundant sound, by the loss in its reports. It costs
// the sound's bitrate once more. The zero value is off.
type Switch struct {
	on   bool
	last time.Time // when loss was last seen
}

// Observe takes the share of packets lost (0 to 1) of a receiver report and returns whether
// redundancy is on from now on.
func (s *Switch) Observe(lost float64, now time.Time) bool {
	switch {
	case lost >= enough:
		s.on, s.last = true, now
	case lost >= little:
		s.last = now
	case s.on && now.Sub(s.last) >= quiet:
		s.on = false
	}
	return s.on
}

// On tells whether redundancy is on.
func (s *Switch) On() bool { return s.on }
