package estimate_test

import (
	"encoding/binary"
	"testing"

	"github.com/pion/rtcp"

	"github.com/fanfare-relay/fanfare/media/estimate"
)

// statusesOf is the slow model: what pion's structures say, packet by packet.
func statusesOf(fb *rtcp.TransportLayerCC) (out []estimate.Status) {
	seq, left, deltas, at := fb.BaseSequenceNumber, int(fb.PacketStatusCount), fb.RecvDeltas, int64(0)
	for _, chunk := range fb.PacketChunks {
		var symbols []uint16
		switch c := chunk.(type) {
		case *rtcp.RunLengthChunk:
			for range c.RunLength {
				symbols = append(symbols, c.PacketStatusSymbol)
			}
		case *rtcp.StatusVectorChunk:
			symbols = c.SymbolList
		}
		for _, symbol := range symbols[:min(left, len(symbols))] {
			switch symbol {
			case rtcp.TypeTCCPacketNotReceived:
				out = append(out, estimate.Status{Seq: seq})
			case rtcp.TypeTCCPacketReceivedSmallDelta, rtcp.TypeTCCPacketReceivedLargeDelta:
				at += deltas[0].Delta
				deltas = deltas[1:]
				out = append(out, estimate.Status{Seq: seq, Received: true, Arrival: at})
			}
			seq++
			left--
		}
	}
	return out
}

// sample is a feedback on count packets, by runs and vectors of both kinds.
func sample() []byte {
	b := []byte{0x8f, 205, 0, 0, 0, 0, 0, 1, 0, 0, 0, 2, 0xff, 0xfa, 0, 30, 0, 0x12, 0x34, 7}
	for _, chunk := range []uint16{
		0x2003,                          // three small deltas
		0x0002,                          // two lost
		0x8000 | 0b11_1111_1101_1111,    // fourteen, one of them lost
		0xc000 | 0b01_10_00_01_11_01_01, // a large delta, a lost one and a reserved one
		0x2009,                          // longer than what is left
	} {
		b = binary.BigEndian.AppendUint16(b, chunk)
	}
	for i := range 3 + 13 {
		b = append(b, byte(i))
	}
	b = append(b, 4, 0xff, 0xf0, 4, 4, 4) // in the middle, back by 4 ms
	b = append(b, 1, 2, 3, 4)
	for len(b)%4 != 0 {
		b = append(b, 0)
	}
	binary.BigEndian.PutUint16(b[2:], uint16(len(b)/4-1))
	return b
}

func FuzzParseFeedback(f *testing.F) {
	f.Add(sample())
	f.Add(sample()[:20])
	f.Add([]byte{0x8f, 205, 0, 5, 0, 0, 0, 1, 0, 0, 0, 2, 0, 1, 0xff, 0xff, 0, 0, 1, 0, 0x1f, 0xff, 0x1f, 0xff})
	f.Fuzz(func(t *testing.T, b []byte) {
		s, err := estimate.ParseFeedback(b)
		var got []estimate.Status
		for st, ok := s.Next(); ok; st, ok = s.Next() {
			got = append(got, st)
		}
		var fb rtcp.TransportLayerCC
		if fb.Unmarshal(b) != nil {
			if err == nil && !readable(b) {
				t.Fatalf("only we read %x", b)
			}
			return
		}
		if err != nil {
			t.Fatalf("only pion reads %x", b)
		}
		if s.Base != fb.BaseSequenceNumber || s.Count != fb.PacketStatusCount || s.Reference != fb.ReferenceTime {
			t.Errorf("header %d, %d, %d", s.Base, s.Count, s.Reference)
		}
		want := statusesOf(&fb)
		if len(got) != len(want) {
			t.Fatalf("%d statuses, want %d", len(got), len(want))
		}
		for i := range got {
			if got[i] != want[i] {
				t.Fatalf("status %d: %+v, want %+v", i, got[i], want[i])
			}
		}
	})
}

// readable tells whether pion reads b with a word of padding behind: it wants a byte behind the
// last chunk, which a feedback on lost packets alone need not have.
func readable(b []byte) bool {
	total := 4 * (int(binary.BigEndian.Uint16(b[2:])) + 1)
	padded := append(append([]byte{}, b[:total]...), 0, 0, 0, 0)
	binary.BigEndian.PutUint16(padded[2:], uint16(len(padded)/4-1))
	var fb rtcp.TransportLayerCC
	return fb.Unmarshal(padded) == nil
}

func TestParseFeedback(t *testing.T) {
	s, err := estimate.ParseFeedback(sample())
	if err != nil {
		t.Fatal(err)
	}
	received, lost := 0, 0
	for st, ok := s.Next(); ok; st, ok = s.Next() {
		if st.Received {
			received++
		} else {
			lost++
		}
	}
	if received != 25 || lost != 4 {
		t.Errorf("%d received, %d lost", received, lost)
	}
	for n := range len(sample()) {
		if _, err := estimate.ParseFeedback(sample()[:n]); err == nil {
			t.Errorf("%d bytes of it are read", n)
		}
	}
}

func BenchmarkParseFeedback(b *testing.B) {
	raw := sample()
	b.Run("ours", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			s, _ := estimate.ParseFeedback(raw)
			for _, ok := s.Next(); ok; _, ok = s.Next() {
			}
		}
	})
	b.Run("pion", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			var fb rtcp.TransportLayerCC
			if err := fb.Unmarshal(raw); err != nil {
				b.Fatal(err)
			}
		}
	})
}
