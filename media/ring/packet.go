package ring

import (
	"encoding/binary"
	"errors"
	"sync/atomic"
	"time"

	"github.com/fanfare-relay/fanfare/media"
	"github.com/fanfare-relay/fanfare/media/seq"
)

// ErrBadPacket: the bytes are no RTP packet of version 2 (RFC 3550 appendix A.1).
var ErrBadPacket = errors.New("not an RTP packet")

// Packet is one RTP packet as it came from the publisher, parsed once. It may be filled in
// until it is given to Ring.Append; from then on nobody changes it or the bytes that it
// refers to, but for what Padded tells, and any number of goroutines read it.
type Packet struct {
	// ExtSeq is the sequence number, extended to 64 bits (seq.Extender).
	ExtSeq uint64
	// Arrival is when the datagram was read.
	Arrival time.Time
	// Payload is what follows the header, without padding. It is empty for packets that
	// consist of padding only: those carry nothing, and are to be left out of a viewer's numbers.
	Payload []byte
	// Extension holds the bytes of the header extension, without the four bytes of profile
	// and length; it is nil where there is none. See media/ext.
	Extension []byte
	// ExtensionProfile is the "defined by profile" field of the header extension.
	ExtensionProfile uint16

	SequenceNumber uint16
	Timestamp      uint32
	SSRC           media.SSRC
	PayloadType    media.PayloadType
	Codec          media.Codec
	Marker         bool
	// Captured is when the packet's media was captured, as an NTP timestamp by the clock of the
	// capture system; 0 while nobody has said.
	Captured uint64
	// Descriptor is what media/codec says about Payload.
	Descriptor media.Descriptor

	pos     uint64 // arrival position, set by Append
	padded  []byte // Payload and one byte of padding; nil where there is no room
	shorter uint32 // 1, set atomically: by one byte than a later packet of its frame
}

// Pos returns the arrival position that Append gave the packet.
func (p *Packet) Pos() uint64 { return p.pos }

// Padded returns the payload with one byte of padding behind it (RFC 3550 section 5.1) when the packet is one byte
// shorter than a later one of its frame: encoders cut a frame into parts that differ by a byte. Then both go out as one
// message. It may become so at any time after Append, and stays so.
func (p *Packet) Padded() ([]byte, bool) {
	if atomic.LoadUint32(&p.shorter) == 0 {
		return nil, false
	}
	return p.padded, true
}

// parse reads an RTP packet (RFC 3550 section 5.1). The slices of p refer to raw.
//
//	 0                   1                   2                   3
//	 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
//	+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//	|V=2|P|X|  CC   |M|     PT      |       sequence number         |
//	|                           timestamp                           |
//	|                             SSRC                              |
//	|                        CSRC, CC times                         |
//	|   if X: defined by profile    |       length in words         |
//	|                   header extension, length words              |
func (p *Packet) parse(raw []byte) error {
	if len(raw) < 12 || raw[0]>>6 != 2 {
		return ErrBadPacket
	}
	p.Marker = raw[1]&0x80 != 0
	p.PayloadType = media.PayloadType(raw[1] & 0x7f)
	p.SequenceNumber = binary.BigEndian.Uint16(raw[2:])
	p.Timestamp = binary.BigEndian.Uint32(raw[4:])
	p.SSRC = media.SSRC(binary.BigEndian.Uint32(raw[8:]))
	n := 12 + 4*int(raw[0]&0x0f)
	if raw[0]&0x10 != 0 {
		if len(raw) < n+4 {
			return ErrBadPacket
		}
		p.ExtensionProfile = binary.BigEndian.Uint16(raw[n:])
		end := n + 4 + 4*int(binary.BigEndian.Uint16(raw[n+2:]))
		if len(raw) < end {
			return ErrBadPacket
		}
		p.Extension = raw[n+4 : end : end]
		n = end
	}
	end := len(raw)
	if raw[0]&paddingBit != 0 {
		pad := int(raw[end-1])
		if pad == 0 || end-pad < n {
			return ErrBadPacket
		}
		end -= pad
	}
	if n > end {
		return ErrBadPacket
	}
	p.Payload = raw[n:end:end]
	return nil
}

// MaxPacket is the largest datagram that a Builder takes, in bytes: what the socket takes at all,
// since loopback and some networks carry more than the 1,500 of the internet.
const MaxPacket = 2048

// paddingBit of the first byte of a packet says that its end is padding.
const paddingBit = 0x20

const (
	slabBytes   = 64 << 10
	slabPackets = 64
)

// Builder makes the packets of one encoding. Memory is cut from slabs that the garbage
// collector takes back when the last packet in them is gone: nothing is ever written twice,
// so no reader can see a packet change. The zero value is ready; it is owned by the
// ingest goroutine.
//
//	n, err := track.Read(b.Buffer())
//	p, err := b.Build(n, time.Now())
//	p.Codec, p.Descriptor = c, codec.Describe(c, p.Payload, p.Marker)
//	r.Append(p)
type Builder struct {
	slab    []byte
	packets []Packet
	ext     seq.Extender
}

// Buffer returns MaxPacket bytes to read the next datagram into. They stay the same until
// Build has succeeded.
func (b *Builder) Buffer() []byte {
	if len(b.slab) <= MaxPacket { // with a byte to spare, for padding
		b.slab = make([]byte, slabBytes)
	}
	return b.slab[:MaxPacket:MaxPacket]
}

// Build makes a packet of the first n bytes of Buffer, and extends its sequence number.
// Codec and Descriptor are left to the caller. After an error (ErrBadPacket) the bytes are used again.
func (b *Builder) Build(n int, now time.Time) (*Packet, error) {
	if n < 0 || n > len(b.slab) || n > MaxPacket {
		return nil, ErrBadPacket
	}
	if len(b.packets) == 0 {
		b.packets = make([]Packet, slabPackets)
	}
	p := &b.packets[0]
	if err := p.parse(b.slab[:n:n]); err != nil {
		*p = Packet{}
		return nil, err
	}
	p.Arrival = now
	p.ExtSeq = b.ext.Extend(p.SequenceNumber)
	if n < len(b.slab) && b.slab[0]&paddingBit == 0 {
		b.slab[n] = 1 // how many bytes of padding there are, itself among them
		n++
		p.padded = b.slab[n-1-len(p.Payload) : n : n]
	}
	b.packets, b.slab = b.packets[1:], b.slab[n:]
	return p, nil
}

// BuildFrom copies raw and makes a packet of it, for callers whose bytes come from elsewhere.
func (b *Builder) BuildFrom(raw []byte, now time.Time) (*Packet, error) {
	if len(raw) > MaxPacket {
		return nil, ErrBadPacket
	}
	return b.Build(copy(b.Buffer(), raw), now)
}
