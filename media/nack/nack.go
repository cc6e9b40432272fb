// Package nack decides about retransmission (RFC 4585 section 6.2.1, RFC 4588): Receiver
// says which packets of a publisher to ask for and when, Responder says which packets that a
// viewer asks for are sent again.
//
// Both are values that are given the time; they own no timer, no packet and no socket. Each
// belongs to one goroutine.
package nack

import "github.com/pion/rtcp"

// AppendPairs packs extended sequence numbers, in rising order, into the pairs of a generic
// NACK (RFC 4585 section 6.2.1): one packet id and a bit mask of the sixteen that follow.
func AppendPairs(dst []rtcp.NackPair, seqs []uint64) []rtcp.NackPair {
	for i := 0; i < len(seqs); {
		first := seqs[i]
		pair := rtcp.NackPair{PacketID: uint16(first)}
		for i++; i < len(seqs) && seqs[i]-first <= 16; i++ {
			if d := seqs[i] - first; d > 0 {
				pair.LostPackets |= 1 << (d - 1)
			}
		}
		dst = append(dst, pair)
	}
	return dst
}

// AppendSeqs unpacks pairs into sequence numbers, in their order.
func AppendSeqs(dst []uint16, pairs []rtcp.NackPair) []uint16 {
	for _, p := range pairs {
		dst = append(dst, p.PacketID)
		for i, mask := uint16(1), p.LostPackets; mask != 0; i, mask = i+1, mask>>1 {
			if mask&1 != 0 {
				dst = append(dst, p.PacketID+i)
			}
		}
	}
	return dst
}
