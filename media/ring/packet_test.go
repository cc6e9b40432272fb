package ring_test

import (
	"bytes"
	"errors"
	"testing"
	"time"

	"github.com/pion/rtp"

	"github.com/fanfare-relay/fanfare/media"
	"github.com/fanfare-relay/fanfare/media/ring"
)

var now = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

func TestBuild(t *testing.T) {
	const fixed = "\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0a" // seq, timestamp, ssrc
	tests := []struct {
		name    string
		raw     string
		payload string
		ext     string
		profile uint16
		bad     bool
	}{
		{name: "plain", raw: "\x80\x60" + fixed + "abc", payload: "abc"},
		{name: "no payload", raw: "\x80\x60" + fixed},
		{name: "sources", raw: "\x82\x60" + fixed + "11112222abc", payload: "abc"},
		{name: "extension", raw: "\x90\x60" + fixed + "\xbe\xde\x00\x01\x10A\x00\x00abc",
			payload: "abc", ext: "\x10A\x00\x00", profile: 0xbede},
		{name: "empty extension", raw: "\x90\x60" + fixed + "\xbe\xde\x00\x00abc", payload: "abc", profile: 0xbede},
		{name: "padding", raw: "\xa0\x60" + fixed + "abc\x00\x00\x03", payload: "abc"},
		{name: "padding only", raw: "\xa0\x60" + fixed + "\x00\x02"},
		{name: "too short", raw: "\x80\x60" + fixed[:9], bad: true},
		{name: "version", raw: "\x40\x60" + fixed, bad: true},
		{name: "sources cut", raw: "\x82\x60" + fixed + "1111222", bad: true},
		{name: "extension header cut", raw: "\x90\x60" + fixed + "\xbe\xde\x00", bad: true},
		{name: "extension cut", raw: "\x90\x60" + fixed + "\xbe\xde\x00\x02abcdefg", bad: true},
		{name: "padding of nothing", raw: "\xa0\x60" + fixed + "abc\x00", bad: true},
		{name: "padding over the header", raw: "\xa0\x60" + fixed + "abc\x05", bad: true},
		{name: "too long", raw: "\x80\x60" + fixed + string(make([]byte, ring.MaxPacket)), bad: true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var b ring.Builder
			p, err := b.BuildFrom([]byte(tt.raw), now)
			if tt.bad {
				if !errors.Is(err, ring.ErrBadPacket) {
					t.Errorf("error %v", err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if string(p.Payload) != tt.payload || string(p.Extension) != tt.ext || p.ExtensionProfile != tt.profile {
				t.Errorf("payload %q, extension %q of %#x", p.Payload, p.Extension, p.ExtensionProfile)
			}
			if p.ExtSeq != 1<<16+0x0102 || p.Timestamp != 0x03040506 || p.SSRC != 0x0708090a ||
				p.PayloadType != 96 || p.Marker || !p.Arrival.Equal(now) {
				t.Errorf("header %+v", p)
			}
		})
	}
}

// What was built stays as it is, whatever is built after it.
func TestBuilderWritesNothingTwice(t *testing.T) {
	var b ring.Builder
	var built []*ring.Packet
	for i := range 500 {
		raw := append([]byte{0x80, 0xe0, byte(i >> 8), byte(i), 0, 0, 0, byte(i), 0, 0, 0, 1}, bytes.Repeat([]byte{byte(i)}, 1000)...)
		if i%7 == 0 { // rejected packets leave their bytes to the next
			copy(b.Buffer(), bytes.Repeat([]byte{0xff}, ring.MaxPacket))
			if _, err := b.Build(ring.MaxPacket, now); err == nil {
				t.Fatal("built a packet of version 3")
			}
		}
		p, err := b.BuildFrom(raw, now)
		if err != nil {
			t.Fatal(err)
		}
		built = append(built, p)
	}
	for i, p := range built {
		if p.SequenceNumber != uint16(i) || !bytes.Equal(p.Payload, bytes.Repeat([]byte{byte(i)}, 1000)) || !p.Marker {
			t.Fatalf("packet %d was changed", i)
		}
		if cap(p.Payload) != len(p.Payload) {
			t.Fatalf("packet %d: appending to its payload would write into the next", i)
		}
	}
}

// What pion reads of a packet, we read.
func FuzzBuild(f *testing.F) {
	f.Add([]byte("\x90\xe0\x00\x01\x00\x00\x00\x02\x00\x00\x00\x03\xbe\xde\x00\x01\x10A\x00\x00abc"))
	f.Add([]byte("\xa1\x60\x00\x01\x00\x00\x00\x02\x00\x00\x00\x031111abc\x00\x02"))
	f.Fuzz(func(t *testing.T, raw []byte) {
		var b ring.Builder
		p, err := b.BuildFrom(raw, now)
		var want rtp.Packet
		if wantErr := want.Unmarshal(raw); wantErr != nil || want.Version != 2 || len(raw) > ring.MaxPacket {
			return // pion looks into the extensions and takes other versions
		}
		if err != nil {
			t.Fatalf("refused (%v), and pion reads %+v", err, want.Header)
		}
		if uint16(p.SequenceNumber) != want.SequenceNumber || p.Timestamp != want.Timestamp ||
			uint32(p.SSRC) != want.SSRC || uint8(p.PayloadType) != want.PayloadType || p.Marker != want.Marker {
			t.Fatalf("header %+v, want %+v", p, want.Header)
		}
		if !bytes.Equal(p.Payload, want.Payload) {
			t.Fatalf("payload %x, want %x", p.Payload, want.Payload)
		}
	})
}

// A slab and a block of packets are made for some fifty packets at a time; nothing else is.
func TestBuildAllocatesBySlabOnly(t *testing.T) {
	var b ring.Builder
	raw := append([]byte{0x80, 0x60, 0, 1, 0, 0, 0, 1, 0, 0, 0, 1}, make([]byte, 1000)...)
	n := testing.AllocsPerRun(1000, func() {
		if _, err := b.BuildFrom(raw, now); err != nil {
			t.Fatal(err)
		}
	})
	if n >= 1 { // AllocsPerRun rounds down: 0.03 shows as 0
		t.Errorf("%v allocations a packet", n)
	}
}

func BenchmarkBuild(b *testing.B) {
	var bld ring.Builder
	raw := append([]byte{0x80, 0x60, 0, 1, 0, 0, 0, 1, 0, 0, 0, 1}, make([]byte, 1000)...)
	b.SetBytes(int64(len(raw)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := bld.BuildFrom(raw, now); err != nil {
			b.Fatal(err)
		}
	}
}

// video returns a packet with a number and a timestamp, and what the descriptor is to say.
func video(ext uint64, ts uint32, d media.Descriptor) *ring.Packet {
	return &ring.Packet{ExtSeq: ext, Timestamp: ts, Codec: media.CodecVP8, Descriptor: d}
}
