package container

import (
	"math/bits"
	"time"

	"github.com/pion/rtp"
	"github.com/pion/rtp/codecs"

	"github.com/fanfare-relay/fanfare/media"
)

// MaxPayload is the largest RTP payload that is made, in bytes: with header, extensions, SRTP tag and
// IPv6 a packet stays below 1,280 bytes, which every path carries.
const MaxPayload = 1160

// Timestamp converts a time to RTP clock units of the codec, rounded to the nearest; it wraps (RFC 3550 section 5.1).
func Timestamp(c media.Codec, at time.Duration) uint32 {
	if at < 0 {
		return -Timestamp(c, -at)
	}
	hi, lo := bits.Mul64(uint64(at), uint64(c.ClockRate()))
	lo, carry := bits.Add64(lo, uint64(time.Second)/2, 0)
	q, _ := bits.Div64(hi+carry, lo, uint64(time.Second))
	return uint32(q)
}

// Packetiser packs the frames of one track into RTP packets. Sequence numbers and picture
// identifiers go on from frame to frame. Payload type and SSRC are left to the sender.
type Packetiser struct {
	codec  media.Codec
	seq    uint16
	vp8    codecs.VP8Payloader
	vp9    vp9Payloader
	av1    codecs.AV1Payloader
	packet []rtp.Packet
}

// NewPacketiser starts at the given sequence number (random for a new source, RFC 3550 section 5.1).
func NewPacketiser(c media.Codec, firstSeq uint16) *Packetiser {
	return &Packetiser{codec: c, seq: firstSeq, vp8: codecs.VP8Payloader{EnablePictureID: true}}
}

// Packets returns the packets of one frame in canonical form. The slice is valid until the next call;
// the payloads are fresh memory, except that an Opus payload is the frame itself.
func (p *Packetiser) Packets(frame []byte, timestamp uint32) []rtp.Packet {
	p.packet = p.packet[:0]
	payloads := p.payloads(frame)
	for i, b := range payloads {
		h := rtp.Header{Version: 2, SequenceNumber: p.seq, Timestamp: timestamp}
		h.Marker = p.codec != media.CodecOpus && i == len(payloads)-1
		p.packet = append(p.packet, rtp.Packet{Header: h, Payload: b})
		p.seq++
	}
	return p.packet
}

func (p *Packetiser) payloads(frame []byte) [][]byte {
	if len(frame) == 0 {
		return nil
	}
	switch p.codec {
	case media.CodecOpus:
		return [][]byte{frame}
	case media.CodecVP8:
		return p.vp8.Payload(MaxPayload, frame)
	case media.CodecVP9:
		return p.vp9.payload(MaxPayload, frame)
	case media.CodecH264:
		return h264Payloads(MaxPayload, SplitNAL(frame))
	case media.CodecAV1:
		return p.av1.Payload(MaxPayload, frame)
	default:
		return nil
	}
}

// vp9Payloader writes the descriptor of RFC 9628 section 4.2 in non-flexible mode without layers:
//
//	|I|P|L|F|B|E|V|Z| M=1, picture id, 15 bit
//
// The library's payloader marks a shown-again picture as a key frame and leaves P unset in flexible mode,
// which makes every picture look like one to relays and browsers.
type vp9Payloader struct{ picture uint16 }

func (v *vp9Payloader) payload(mtu int, frame []byte) [][]byte {
	const header = 3
	first := byte(0x80 | 0x08) // I, B
	if !vp9Key(frame) {
		first |= 0x40 // P
	}
	var out [][]byte
	for len(frame) > 0 {
		n := min(len(frame), mtu-header)
		b := make([]byte, header, header+n)
		b[0], b[1], b[2] = first, 0x80|byte(v.picture>>8), byte(v.picture)
		if n == len(frame) {
			b[0] |= 0x04 // E
		}
		out = append(out, append(b, frame[:n]...))
		frame = frame[n:]
		first &^= 0x08
	}
	v.picture = (v.picture + 1) & 0x7FFF
	return out
}

// h264Payloads packs the NAL units of one access unit for packetization-mode 1 (RFC 6184): neighbours that
// fit go into one STAP-A (section 5.7.1), large units become FU-A (section 5.8). The library's payloader
// keeps only the last of several picture parameter sets, so it is not used.
func h264Payloads(mtu int, units [][]byte) [][]byte {
	const stapA = 24
	var out [][]byte
	for i := 0; i < len(units); {
		n, size, refIDC := 0, 1, byte(0)
		for _, u := range units[i:] {
			if size+2+len(u) > mtu {
				break
			}
			size += 2 + len(u)
			refIDC = max(refIDC, u[0]&0x60)
			n++
		}
		switch {
		case n >= 2:
			b := append(make([]byte, 0, size), refIDC|stapA)
			for _, u := range units[i : i+n] {
				b = append(append(b, byte(len(u)>>8), byte(len(u))), u...)
			}
			out = append(out, b)
			i += n
		case len(units[i]) <= mtu:
			out = append(out, append([]byte(nil), units[i]...))
			i++
		default:
			out = fuA(out, mtu, units[i])
			i++
		}
	}
	return out
}

// fuA cuts one NAL unit: indicator (F, NRI, type 28), header (S, E, R, type), fragment.
func fuA(out [][]byte, mtu int, unit []byte) [][]byte {
	indicator, kind, rest := unit[0]&0xE0|28, unit[0]&31, unit[1:]
	start := byte(0x80)
	for len(rest) > 0 {
		n := min(len(rest), mtu-2)
		end := byte(0)
		if n == len(rest) {
			end = 0x40
		}
		b := append(make([]byte, 0, n+2), indicator, start|end|kind)
		out = append(out, append(b, rest[:n]...))
		rest, start = rest[n:], 0
	}
	return out
}
