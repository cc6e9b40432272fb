package container

import (
	"bytes"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/pion/rtp"

	"github.com/fanfare-relay/fanfare/media"
)

var clips = map[media.Codec]string{
	media.CodecVP8: "vp8-opus.webm", media.CodecVP9: "vp9-opus.webm", media.CodecAV1: "av1-opus.webm",
	media.CodecH264: "h264-opus.mp4", media.CodecOpus: "av1.ogg",
}

// clipFrames returns real frames, and after them larger ones with seeded noise, so that all ways of cutting are taken.
func clipFrames(t testing.TB, c media.Codec, rnd *rand.Rand) []Frame {
	t.Helper()
	r, err := Open("testdata/" + clips[c])
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	var out []Frame
	for {
		f, err := r.Next()
		if err != nil {
			break
		}
		if f.Track == 0 {
			out = append(out, f)
		}
	}
	if c == media.CodecOpus {
		return out
	}
	for range 20 {
		f := out[0]
		if len(out)%10 != 0 {
			f = out[1+rnd.IntN(9)]
		}
		f.PTS = out[len(out)-1].PTS + 100*time.Millisecond
		f.Data = grow(c, f.Data, rnd)
		out = append(out, f)
	}
	return out
}

// grow makes a frame larger without changing its head.
func grow(c media.Codec, frame []byte, rnd *rand.Rand) []byte {
	noise := make([]byte, rnd.IntN(6*MaxPayload)+1)
	for i := range noise {
		noise[i] = byte(rnd.IntN(254)) + 1 // no start codes, no zero at the end
	}
	switch c {
	case media.CodecAV1:
		u := obuUnit{kind: 5, header: [2]byte{5 << 3}, payload: noise}
		return u.appendTo(append([]byte(nil), frame...))
	case media.CodecH264:
		out := appendNAL(append([]byte(nil), frame...), append([]byte{6}, noise...))
		return appendNAL(out, []byte{0x41, 0x9a, 1})
	default:
		return append(append([]byte(nil), frame...), noise...)
	}
}

func TestPacketsAndBack(t *testing.T) {
	for c := range clips {
		t.Run(c.String(), func(t *testing.T) {
			rnd := rand.New(rand.NewPCG(1, uint64(c)))
			frames := clipFrames(t, c, rnd)
			p := NewPacketiser(c, 65500)
			a := &Assembler{Codec: c, Wait: time.Second}
			now := time.Unix(0, 0)
			var got []Assembled
			for _, f := range frames {
				for _, pkt := range p.Packets(f.Data, Timestamp(c, f.PTS)) {
					if len(pkt.Payload) > MaxPayload {
						t.Fatalf("payload of %d bytes", len(pkt.Payload))
					}
					got = a.Push(got, &pkt, now)
				}
			}
			compare(t, frames, got)
		})
	}
}

func compare(t *testing.T, want []Frame, got []Assembled) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("%d frames, want %d", len(got), len(want))
	}
	for i, f := range want {
		if !bytes.Equal(got[i].Data, f.Data) || got[i].Key != f.Key {
			t.Fatalf("frame %d differs: %d bytes key %v, want %d bytes key %v", i, len(got[i].Data), got[i].Key, len(f.Data), f.Key)
		}
	}
}

// TestReorder: packets that swap places within the window change nothing.
func TestReorder(t *testing.T) {
	for c := range clips {
		rnd := rand.New(rand.NewPCG(2, uint64(c)))
		frames := clipFrames(t, c, rnd)
		packets := allPackets(c, frames)
		for i := 1; i+8 < len(packets); i += 8 { // the first packet stays first: it sets the start
			rnd.Shuffle(8, func(a, b int) { packets[i+a], packets[i+b] = packets[i+b], packets[i+a] })
		}
		a := &Assembler{Codec: c, Wait: time.Second}
		var got []Assembled
		for i := range packets {
			got = a.Push(got, &packets[i], time.Unix(0, int64(i)))
			got = a.Push(got, &packets[i], time.Unix(0, int64(i))) // doubled
		}
		compare(t, frames, got)
	}
}

func allPackets(c media.Codec, frames []Frame) []rtp.Packet {
	var out []rtp.Packet
	p := NewPacketiser(c, 7)
	for _, f := range frames {
		out = append(out, p.Packets(f.Data, Timestamp(c, f.PTS))...)
	}
	return out
}

// TestLoss: what comes out after losses is a part of what went in, whole, and pictures start again at key frames only.
func TestLoss(t *testing.T) {
	for c := range clips {
		for seed := range uint64(20) {
			rnd := rand.New(rand.NewPCG(seed, uint64(c)))
			frames := clipFrames(t, c, rnd)
			a := &Assembler{Codec: c, Wait: 50 * time.Millisecond}
			var got []Assembled
			now := time.Unix(0, 0)
			for _, p := range allPackets(c, frames) {
				now = now.Add(time.Millisecond)
				if rnd.IntN(20) == 0 {
					continue
				}
				got = a.Expire(got, now)
				got = a.Push(got, &p, now)
			}
			got = a.Expire(got, now.Add(time.Second))
			checkLossy(t, c, frames, got)
		}
	}
}

func checkLossy(t *testing.T, c media.Codec, frames []Frame, got []Assembled) {
	t.Helper()
	if len(got) == 0 {
		return
	}
	at, last := map[uint32]int{}, -1
	for i, f := range frames {
		at[Timestamp(c, f.PTS)] = i
	}
	for _, g := range got {
		i, ok := at[g.Timestamp]
		if !ok || !bytes.Equal(frames[i].Data, g.Data) {
			t.Fatalf("%v: a frame came out that never went in", c)
		}
		if i <= last || c.Kind() == media.KindVideo && i != last+1 && !g.Key {
			t.Fatalf("%v: frame %d after %d, key %v", c, i, last, g.Key)
		}
		last = i
	}
}

func TestDeadline(t *testing.T) {
	a := &Assembler{Codec: media.CodecOpus, Wait: 40 * time.Millisecond}
	t0 := time.Unix(100, 0)
	push := func(seq uint16, at time.Time) int {
		return len(a.Push(nil, &rtp.Packet{Header: rtp.Header{SequenceNumber: seq}, Payload: []byte{1}}, at))
	}
	if push(1, t0) != 1 {
		t.Fatal("the first packet did not come out")
	}
	if _, ok := a.Deadline(); ok {
		t.Fatal("a deadline without a gap")
	}
	if push(3, t0) != 0 {
		t.Fatal("a packet overtook a missing one")
	}
	if at, ok := a.Deadline(); !ok || !at.Equal(t0.Add(40*time.Millisecond)) {
		t.Fatal("no deadline for the gap")
	}
	if n := len(a.Expire(nil, t0.Add(39*time.Millisecond))); n != 0 {
		t.Fatal("given up too early")
	}
	if n := len(a.Expire(nil, t0.Add(40*time.Millisecond))); n != 1 {
		t.Fatal("not given up")
	}
	if push(2, t0.Add(time.Second)) != 0 {
		t.Fatal("a late packet came out")
	}
}

// TestLongOutage: a gap that is longer than what is held, after everything before it has come, costs
// the frames in it and nothing else.
func TestLongOutage(t *testing.T) {
	for _, gap := range []uint16{1, assemblerSlots - 1, assemblerSlots, assemblerSlots + 1, 5000, 1<<14 - 2, 1 << 14, 30000} {
		p := NewPacketiser(media.CodecVP8, 65000)
		a := &Assembler{Codec: media.CodecVP8, Wait: time.Second}
		now := time.Unix(0, 0)
		var got []Assembled
		for i := range 3 {
			for _, pkt := range p.Packets([]byte{0x10, 0, 0, 0x9d, 1, 0x2a, 64, 0, 64, 0, 1, 2}, uint32(i)) {
				got = a.Push(got, &pkt, now)
			}
		}
		p.seq += gap
		now = now.Add(5 * time.Second)
		for _, pkt := range p.Packets([]byte{0x10, 0, 0, 0x9d, 1, 0x2a, 64, 0, 64, 0, 1, 2}, 9) {
			got = a.Push(got, &pkt, now)
		}
		got = a.Expire(got, now.Add(2*time.Second))
		if len(got) != 4 || got[3].Timestamp != 9 {
			t.Errorf("gap of %d: %d frames of 4", gap, len(got))
		}
	}
}

// TestManyParameterSets: every parameter set of an access unit arrives.
func TestManyParameterSets(t *testing.T) {
	frame := joinNAL([][]byte{{0x67, 1, 2}, {0x68, 1}, {0x68, 2}, {0x65, 0x88, 3}}, nil)
	p := NewPacketiser(media.CodecH264, 0)
	a := &Assembler{Codec: media.CodecH264}
	var got []Assembled
	for _, pkt := range p.Packets(frame, 0) {
		got = a.Push(got, &pkt, time.Unix(0, 0))
	}
	if len(got) != 1 || !bytes.Equal(got[0].Data, frame) {
		t.Fatalf("%v, want %x", got, frame)
	}
}

func TestTimestamp(t *testing.T) {
	for _, tt := range []struct {
		codec media.Codec
		at    time.Duration
		want  uint32
	}{
		{media.CodecVP8, 0, 0},
		{media.CodecVP8, time.Second, 90000},
		{media.CodecVP8, time.Second / 30, 3000},
		{media.CodecOpus, 20 * time.Millisecond, 960},
		{media.CodecVP8, 100 * time.Hour, 32400000000 & 0xFFFFFFFF},
		{media.CodecOpus, -20 * time.Millisecond, 1<<32 - 960},
	} {
		if got := Timestamp(tt.codec, tt.at); got != tt.want {
			t.Errorf("%v at %v: %d, want %d", tt.codec, tt.at, got, tt.want)
		}
	}
}

// FuzzAssembler feeds packets made of arbitrary bytes: two bytes of step and flags, one of length, payload.
func FuzzAssembler(f *testing.F) {
	for c := range clips {
		rnd := rand.New(rand.NewPCG(3, uint64(c)))
		var in []byte
		for _, p := range allPackets(c, clipFrames(f, c, rnd)[:3]) {
			b := p.Payload[:min(len(p.Payload), 255)]
			in = append(append(in, 1, 3, byte(len(b))), b...)
		}
		f.Add(uint8(c), in)
	}
	f.Fuzz(func(t *testing.T, codec uint8, b []byte) {
		c := media.Codec(codec%5 + 1)
		a := &Assembler{Codec: c, Wait: time.Millisecond}
		var h rtp.Header
		now := time.Unix(0, 0)
		var got []Assembled
		for len(b) >= 3 {
			step := int16(int8(b[0]))
			if b[1]&4 != 0 {
				step *= 256 // outages, other sources
			}
			h.SequenceNumber += uint16(step)
			h.Marker = b[1]&1 != 0
			if b[1]&2 != 0 {
				h.Timestamp++
			}
			now = now.Add(time.Duration(b[1]) * 10 * time.Microsecond)
			n := min(int(b[2]), len(b)-3)
			got = a.Push(got[:0], &rtp.Packet{Header: h, Payload: b[3 : 3+n]}, now)
			got = a.Expire(got, now)
			b = b[3+n:]
		}
		for _, g := range got {
			Inspect(c, g.Data)
		}
	})
}

// FuzzPackets: any frame that survives packing and joining comes out in canonical form: packing it again gives the same.
func FuzzPackets(f *testing.F) {
	for c := range clips {
		rnd := rand.New(rand.NewPCG(4, uint64(c)))
		for _, fr := range clipFrames(f, c, rnd) {
			f.Add(uint8(c), fr.Data)
		}
	}
	f.Fuzz(func(t *testing.T, codec uint8, frame []byte) {
		c := media.Codec(codec%5 + 1)
		once := throughPackets(c, frame)
		if once == nil {
			return
		}
		if twice := throughPackets(c, once); !bytes.Equal(once, twice) {
			t.Fatalf("%v: %x then %x", c, once, twice)
		}
	})
}

func throughPackets(c media.Codec, frame []byte) []byte {
	p := NewPacketiser(c, 1)
	a := &Assembler{Codec: c}
	var got []Assembled
	for _, pkt := range p.Packets(frame, 1) {
		got = a.Push(got, &pkt, time.Unix(0, 0))
	}
	if len(got) != 1 {
		return nil
	}
	return got[0].Data
}
