package ring_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/fanfare-relay/fanfare/media"
	"github.com/fanfare-relay/fanfare/media/ring"
)

var (
	keyStart = media.Descriptor{KeyFrame: true, FrameStart: true}
	keyRest  = media.Descriptor{}
)

func TestRing(t *testing.T) {
	r := ring.New(5) // rounded up to 8
	if r.Cap() != 8 {
		t.Fatalf("Cap = %d", r.Cap())
	}
	if _, err := r.At(0); !errors.Is(err, ring.ErrNotYet) {
		t.Errorf("At(0) of an empty ring: %v", err)
	}
	if _, ok := r.BySeq(0); ok {
		t.Error("BySeq(0) of an empty ring")
	}
	for i := range uint64(20) {
		if !r.Append(video(100+i, uint32(i), media.Descriptor{})) {
			t.Fatalf("packet %d was refused", i)
		}
	}
	if r.Head() != 20 || r.Tail() != 12 {
		t.Errorf("Head = %d, Tail = %d", r.Head(), r.Tail())
	}
	for pos := range uint64(22) {
		p, err := r.At(pos)
		switch {
		case pos < 12 && !errors.Is(err, ring.ErrLapped), pos >= 20 && !errors.Is(err, ring.ErrNotYet):
			t.Errorf("At(%d): %v", pos, err)
		case pos >= 12 && pos < 20 && (err != nil || p.ExtSeq != 100+pos || p.Pos() != pos):
			t.Errorf("At(%d) = %+v, %v", pos, p, err)
		}
	}
	for ext := uint64(98); ext < 122; ext++ {
		p, ok := r.BySeq(ext)
		if there := ext >= 112 && ext < 120; ok != there || (ok && p.ExtSeq != ext) {
			t.Errorf("BySeq(%d) = %+v, %v", ext, p, ok)
		}
	}
}

// Late packets are forwarded in the order in which they came; duplicates are refused.
func TestRingReordering(t *testing.T) {
	r := ring.New(8)
	order := []uint64{10, 12, 11, 12, 10, 13, 25, 14, 17}
	taken := []bool{true, true, true, false, false, true, true, true, false} // 17 has given way to 25
	for i, ext := range order {
		if got := r.Append(video(ext, 0, media.Descriptor{})); got != taken[i] {
			t.Errorf("Append(%d) = %v", ext, got)
		}
	}
	var got []uint64
	for pos := range r.Head() {
		p, err := r.At(pos)
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, p.ExtSeq)
	}
	if want := "[10 12 11 13 25 14]"; fmt.Sprint(got) != want {
		t.Errorf("arrival order %v, want %v", got, want)
	}
}

func TestKeyFrame(t *testing.T) {
	type step struct {
		ext uint64
		ts  uint32
		d   media.Descriptor
	}
	delta := media.Descriptor{FrameStart: true}
	tests := []struct {
		name  string
		steps []step
		want  ring.KeyFrame
		none  bool
	}{
		{name: "none", steps: []step{{1, 1, delta}}, none: true},
		{name: "newest", steps: []step{{1, 1, keyStart}, {2, 2, delta}, {3, 3, keyStart}, {4, 3, keyRest}},
			want: ring.KeyFrame{Pos: 2, First: 2, ExtSeq: 3, Timestamp: 3}},
		{name: "first packet late", steps: []step{{1, 1, delta}, {3, 2, keyRest}, {4, 2, keyRest}, {2, 2, keyStart}},
			want: ring.KeyFrame{Pos: 1, First: 3, ExtSeq: 2, Timestamp: 2}},
		{name: "first packet later than the next frame", steps: []step{{2, 1, keyRest}, {3, 2, delta}, {1, 1, keyStart}},
			want: ring.KeyFrame{Pos: 0, First: 2, ExtSeq: 1, Timestamp: 1}},
		{name: "two starts of one frame", steps: []step{{1, 1, keyStart}, {2, 1, keyStart}},
			want: ring.KeyFrame{Pos: 0, ExtSeq: 1, Timestamp: 1}},
		{name: "two starts, the first one late", steps: []step{{2, 1, keyStart}, {3, 2, delta}, {1, 1, keyStart}},
			want: ring.KeyFrame{Pos: 0, First: 2, ExtSeq: 1, Timestamp: 1}},
		{name: "an older key frame comes late", steps: []step{{5, 5, keyStart}, {4, 4, keyStart}},
			want: ring.KeyFrame{Pos: 0, ExtSeq: 5, Timestamp: 5}},
		{name: "overwritten", steps: []step{{1, 1, keyStart}, {2, 2, delta}, {3, 3, delta}, {4, 4, delta}, {5, 5, delta},
			{6, 6, delta}, {7, 7, delta}, {8, 8, delta}, {9, 9, delta}}, none: true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := ring.New(8)
			for _, s := range tt.steps {
				r.Append(video(s.ext, s.ts, s.d))
			}
			got, ok := r.KeyFrame()
			if ok == tt.none || got != tt.want {
				t.Errorf("KeyFrame = %+v, %v; want %+v", got, ok, tt.want)
			}
		})
	}
}

func TestSoundHasNoKeyFrame(t *testing.T) {
	r := ring.New(8)
	r.Append(&ring.Packet{ExtSeq: 1, Codec: media.CodecOpus, Descriptor: keyStart})
	if k, ok := r.KeyFrame(); ok {
		t.Errorf("KeyFrame = %+v", k)
	}
}

// One writer and readers of all kinds, as fast as they can: run with -race. A payload repeats the
// packet's number, so a torn one would show.
func TestRingConcurrently(t *testing.T) {
	const packets = 20000
	r := ring.New(64)
	var wg sync.WaitGroup
	for range 3 {
		wg.Go(func() { readAll(t, r, packets) })
	}
	wg.Go(func() {
		for r.Head() < packets {
			head := r.Head()
			if p, ok := r.BySeq(1<<16 + head - min(head, 5)); ok {
				checkWhole(t, p)
			}
			if k, ok := r.KeyFrame(); ok && (k.ExtSeq-1<<16)%100 != 0 {
				t.Errorf("key frame at %d", k.ExtSeq)
			}
		}
	})
	var b ring.Builder
	for i := range packets {
		raw := b.Buffer()
		copy(raw, []byte{0x80, 0x60, byte(i >> 8), byte(i), 0, 0, byte(i >> 8), byte(i), 0, 0, 0, 1})
		for n := 12; n < 100; n += 4 {
			binary.BigEndian.PutUint32(raw[n:], uint32(i))
		}
		p, err := b.Build(100, now)
		if err != nil {
			t.Fatal(err)
		}
		p.Codec = media.CodecVP8
		if i%100 == 0 {
			p.Descriptor = keyStart
		}
		r.Append(p)
	}
	wg.Wait()
}

func readAll(t *testing.T, r *ring.Ring, packets uint64) {
	for pos := uint64(0); pos < packets; {
		p, err := r.At(pos)
		switch {
		case errors.Is(err, ring.ErrLapped):
			pos = max(r.Tail(), pos+1)
		case err == nil:
			if p.Pos() != pos || p.ExtSeq != 1<<16+pos {
				t.Errorf("At(%d) = packet %d", pos, p.ExtSeq)
			}
			checkWhole(t, p)
			pos++
		}
	}
}

func checkWhole(t *testing.T, p *ring.Packet) {
	if padded, ok := p.Padded(); ok {
		t.Errorf("packet %d of equal ones is padded to %d bytes", p.ExtSeq, len(padded))
	}
	for n := 0; n < len(p.Payload); n += 4 {
		if got := binary.BigEndian.Uint32(p.Payload[n:]); uint64(got) != p.ExtSeq-1<<16 {
			t.Errorf("packet %d holds bytes of %d", p.ExtSeq, got)
			return
		}
	}
}

func TestNothingIsAllocated(t *testing.T) {
	r := ring.New(64)
	packets := make([]ring.Packet, 2000)
	next := uint64(0)
	n := testing.AllocsPerRun(1000, func() {
		p := &packets[next]
		p.ExtSeq, p.Codec = next, media.CodecVP8
		next++
		r.Append(p)
		_, _ = r.At(r.Head() - 1)
		r.BySeq(next)
		r.KeyFrame()
	})
	if n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func BenchmarkAppend(b *testing.B) {
	r := ring.New(1024)
	var bld ring.Builder
	raw := append([]byte{0x80, 0x60, 0, 1, 0, 0, 0, 1, 0, 0, 0, 1}, make([]byte, 1000)...)
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		binary.BigEndian.PutUint16(raw[2:], uint16(i))
		p, err := bld.BuildFrom(raw, now)
		if err != nil {
			b.Fatal(err)
		}
		r.Append(p)
	}
}

func BenchmarkAt(b *testing.B) {
	r := ring.New(1024)
	for i := range uint64(1024) {
		r.Append(video(i, 0, media.Descriptor{}))
	}
	b.RunParallel(func(pb *testing.PB) {
		for pos := uint64(0); pb.Next(); pos++ {
			if _, err := r.At(pos & 1023); err != nil {
				b.Fatal(err)
			}
		}
	})
}

func BenchmarkBySeq(b *testing.B) {
	r := ring.New(1024)
	for i := range uint64(1024) {
		r.Append(video(i, 0, media.Descriptor{}))
	}
	for seq := uint64(0); b.Loop(); seq++ {
		r.BySeq(seq & 1023)
	}
}

// A key frame that has been overwritten is told from one that has not come.
func TestKeyFrameLost(t *testing.T) {
	r := ring.New(8)
	lost := func(from uint64, want bool) {
		t.Helper()
		if got := r.KeyFrameLost(from); got != want {
			t.Errorf("KeyFrameLost(%d) at head %d = %v", from, r.Head(), got)
		}
	}
	lost(0, false)
	r.Append(video(100, 1, keyRest))
	r.Append(video(101, 2, keyStart))
	lost(0, false) // it is there
	for i := range uint64(8) {
		r.Append(video(102+i, uint32(3+i), keyRest))
	}
	lost(0, true)
	lost(1, true)
	lost(2, false) // it came before that
	if r.Takes(109) || r.Takes(101) || !r.Takes(110) {
		t.Errorf("takes 109: %v, 101: %v, 110: %v", r.Takes(109), r.Takes(101), r.Takes(110))
	}
}

// A key frame's first packet comes behind others of the frame, and is what counts, for who waits and for who is told
// that it waits for nothing.
func TestKeyFrameLostOutOfOrder(t *testing.T) {
	r := ring.New(8)
	r.Append(video(102, 2, keyRest))
	r.Append(video(101, 2, keyStart))
	if k, ok := r.KeyFrame(); !ok || k.Pos != 0 || k.First != 1 {
		t.Fatalf("%+v, %v", k, ok)
	}
	for i := range uint64(8) {
		r.Append(video(103+i, uint32(3+i), keyRest))
	}
	if _, ok := r.KeyFrame(); ok || !r.KeyFrameLost(1) || r.KeyFrameLost(2) {
		t.Errorf("there: %v; lost for who waits from its beginning: %v, from behind it: %v", ok, r.KeyFrameLost(1), r.KeyFrameLost(2))
	}
}

// Numbers jump: the key frame is found by position and not by number, and nobody can enter it.
func TestKeyFrameOverwrittenByNumber(t *testing.T) {
	r := ring.New(8)
	r.Append(video(100, 1, keyStart))
	r.Append(video(108, 2, keyRest))
	if _, ok := r.KeyFrame(); ok || !r.KeyFrameLost(0) {
		t.Errorf("there: %v, lost: %v", ok, r.KeyFrameLost(0))
	}
}

// Chromium cuts a frame into parts that differ by one byte at most, the longer ones last.
func TestPadded(t *testing.T) {
	const from = 0x0102 // the first number
	tests := []struct {
		name   string
		frames [][]int // sizes of their payloads, in the order of arrival
		padded string  // one letter for each packet: p is padded
	}{
		{"parts of two sizes", [][]int{{100, 100, 101, 101}}, "pp--"},
		{"parts of one size", [][]int{{100, 100}}, "--"},
		{"the last is shorter", [][]int{{101, 101, 100}}, "---"},
		{"two bytes", [][]int{{100, 102}}, "--"},
		{"another frame", [][]int{{100, 100}, {101, 101}}, "----"},
		{"three sizes", [][]int{{100, 101, 102}}, "pp-"},
		{"a gap between", [][]int{{100, 90, 100, 101}}, "--p-"},
		{"frames one after another", [][]int{{50, 51}, {70, 70, 71}, {51}}, "p-pp--"},
		{"nothing", [][]int{{0, 1}}, "p-"},
		{"the largest", [][]int{{ring.MaxPacket - 13, ring.MaxPacket - 12}}, "p-"},
		{"more than are kept", [][]int{append(slices.Repeat([]int{100}, 20), 101)}, strings.Repeat("-", 6) + strings.Repeat("p", 14) + "-"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var b ring.Builder
			r := ring.New(16)
			var all []*ring.Packet
			for f, sizes := range tt.frames {
				for _, size := range sizes {
					n := from + len(all)
					raw := append([]byte{0x80, 0x60, byte(n >> 8), byte(n), 0, 0, 0, byte(f), 0, 0, 0, 1}, bytes.Repeat([]byte{0xab}, size)...)
					p, err := b.BuildFrom(raw, now)
					if err != nil {
						t.Fatal(err)
					}
					if _, ok := p.Padded(); ok {
						t.Errorf("packet %d is padded before it is there", len(all))
					}
					r.Append(p)
					all = append(all, p)
				}
			}
			for i, p := range all {
				padded, ok := p.Padded()
				if ok != (tt.padded[i] == 'p') {
					t.Errorf("packet %d of %d bytes: padded %v", i, len(p.Payload), ok)
				}
				if ok && !bytes.Equal(padded, append(bytes.Clone(p.Payload), 1)) {
					t.Errorf("packet %d: %x of %x", i, padded, p.Payload)
				}
			}
		})
	}
}

// What the publisher has padded itself is left alone.
func TestPaddedByThePublisher(t *testing.T) {
	var b ring.Builder
	r := ring.New(16)
	var first *ring.Packet
	for i, raw := range []string{
		"\xa0\x60\x01\x02\x00\x00\x00\x01\x00\x00\x00\x01abc\x00\x00\x03", "\x80\x60\x01\x03\x00\x00\x00\x01\x00\x00\x00\x01abcd",
	} {
		p, err := b.BuildFrom([]byte(raw), now)
		if err != nil {
			t.Fatal(err)
		}
		r.Append(p)
		if i == 0 {
			first = p
		}
	}
	if padded, ok := first.Padded(); ok {
		t.Errorf("padded to %x", padded)
	}
}
