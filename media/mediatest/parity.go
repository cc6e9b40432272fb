package mediatest

import (
	"encoding/binary"
	"slices"
)

// Parity recovers lost packets of one source as a receiver does, by the letter of
// draft-ietf-payload-flexible-fec-scheme-03, section 6.3, and in the plainest way. It keeps everything.
type Parity struct {
	SSRC    uint32            // of the source that is protected
	packets map[uint16][]byte // whole packets that came or were recovered
	repairs [][]byte          // payloads of parity packets that may still be of use
}

// Media takes a packet of the source, with the extensions at zero that were so for the encoder. It
// returns what can be recovered now.
func (p *Parity) Media(packet []byte) [][]byte {
	p.keep(packet)
	return p.recover()
}

// Repair takes the payload of a parity packet and returns what can be recovered now.
func (p *Parity) Repair(payload []byte) [][]byte {
	p.repairs = append(p.repairs, slices.Clone(payload))
	return p.recover()
}

func (p *Parity) keep(packet []byte) {
	if p.packets == nil {
		p.packets = map[uint16][]byte{}
	}
	p.packets[binary.BigEndian.Uint16(packet[2:])] = slices.Clone(packet)
}

// recover goes through the parity packets until none of them helps any more.
func (p *Parity) recover() (out [][]byte) {
	for again := true; again; {
		again = false
		p.repairs = slices.DeleteFunc(p.repairs, func(payload []byte) bool {
			numbers, body, ok := protected(payload, p.SSRC)
			lost := slices.DeleteFunc(slices.Clone(numbers), func(n uint16) bool { return p.packets[n] != nil })
			if !ok || len(lost) == 0 {
				return true
			}
			if len(lost) > 1 {
				return false
			}
			packet := p.reconstruct(payload, body, numbers, lost[0])
			if packet != nil {
				p.keep(packet)
				out, again = append(out, packet), true
			}
			return true
		})
	}
	return out
}

// protected reads the header: the sequence numbers of the group, and the repair of what follows the
// fixed header.
func protected(payload []byte, ssrc uint32) (numbers []uint16, body []byte, ok bool) {
	if len(payload) < 20 || payload[0]&0xc0 != 0 || payload[8] != 1 || binary.BigEndian.Uint32(payload[12:]) != ssrc {
		return nil, nil, false
	}
	base, rest := binary.BigEndian.Uint16(payload[16:]), payload[18:]
	first := uint16(0)
	for _, size := range []int{2, 4, 8} {
		if len(rest) < size {
			return nil, nil, false
		}
		last := rest[0]&0x80 != 0
		for bit := 1; bit < 8*size; bit++ {
			if rest[bit/8]&(0x80>>(bit%8)) != 0 {
				numbers = append(numbers, base+first)
			}
			first++
		}
		rest = rest[size:]
		if last {
			return numbers, rest, true
		}
	}
	return nil, nil, false
}

// reconstruct is section 6.3.2: the exclusive or of the repair and of all packets that came.
func (p *Parity) reconstruct(payload, body []byte, numbers []uint16, lost uint16) []byte {
	head, rest := slices.Clone(payload[:8]), slices.Clone(body)
	for _, n := range numbers {
		packet := p.packets[n]
		if n == lost {
			continue
		}
		bits := slices.Clone(packet[:8])
		binary.BigEndian.PutUint16(bits[2:], uint16(len(packet)-12))
		for i := range bits {
			head[i] ^= bits[i]
		}
		for i, b := range packet[12:] {
			if i < len(rest) {
				rest[i] ^= b
			}
		}
	}
	length := int(binary.BigEndian.Uint16(head[2:]))
	if length > len(rest) {
		return nil
	}
	packet := append([]byte{head[0]&0x3f | 0x80, head[1]}, 0, 0)
	binary.BigEndian.PutUint16(packet[2:], lost)
	packet = append(packet, head[4:8]...)
	packet = binary.BigEndian.AppendUint32(packet, p.SSRC)
	return append(packet, rest[:length]...)
}
