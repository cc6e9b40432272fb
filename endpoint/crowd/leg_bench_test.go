package crowd

import (
	"encoding/binary"
	"testing"

	"github.com/fanfare-relay/fanfare/media/mediatest"
)

// watching is a leg that has its picture, and a further packet.
func watching(b *testing.B, verify bool) (*exchange, []byte) {
	b.Helper()
	x, s := newExchange(&testing.T{}, verify), video()
	for _, p := range s.Next(mediatest.Frame{Key: true, Size: 3000}) {
		x.give(p)
	}
	raw, err := s.Next(mediatest.Frame{Size: 1000})[0].Marshal()
	if err != nil {
		b.Fatal(err)
	}
	return x, raw
}

// BenchmarkClear is what a packet costs a viewer who reads it in clear.
func BenchmarkClear(b *testing.B) {
	x, raw := watching(b, false)
	seq := binary.BigEndian.Uint16(raw[2:])
	var out []datagram
	b.ReportAllocs()
	for b.Loop() {
		binary.BigEndian.PutUint16(raw[2:], seq)
		seq++
		x.leg.receive(raw, len(raw), x.now, x.now, &out)
	}
}

// BenchmarkVerified is the same for one of the sample, with the encryption of a packet to decrypt.
func BenchmarkVerified(b *testing.B) {
	x, raw := watching(b, true)
	seq := binary.BigEndian.Uint16(raw[2:])
	var out []datagram
	var sealed []byte
	b.ReportAllocs()
	for b.Loop() {
		binary.BigEndian.PutUint16(raw[2:], seq)
		seq++
		sealed, _ = x.tx.EncryptRTP(sealed[:0], raw, nil)
		x.leg.receive(sealed, len(sealed), x.now, x.now, &out)
	}
	if x.leg.count.forged != 0 {
		b.Error("a packet did not decrypt")
	}
}

// BenchmarkIdle is what a sweep costs a viewer who has nothing to say.
func BenchmarkIdle(b *testing.B) {
	x, _ := watching(b, false)
	x.said(0)
	var out []datagram
	now := x.now
	b.ReportAllocs()
	for b.Loop() {
		x.leg.tick(now, &out)
	}
}
