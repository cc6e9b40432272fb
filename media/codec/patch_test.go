package codec_test

import (
	"bytes"
	"testing"

	"github.com/fanfare-relay/fanfare/media"
	"github.com/fanfare-relay/fanfare/media/codec"
	"github.com/fanfare-relay/fanfare/media/mediatest"
)

// viewer forwards packets as an egress does, and keeps what the viewer reads in them.
type viewer struct {
	t     *testing.T
	codec media.Codec
	p     codec.Patcher
	patch media.Patch
	seen  []media.Descriptor // of the first packet of each frame
}

func (v *viewer) switchTo(src *mediatest.Source) {
	packets := src.Next(mediatest.Frame{Key: true, Size: 2500})
	v.patch = v.p.Switch(codec.Describe(v.codec, packets[0].Payload, packets[0].Marker))
	for i, p := range packets {
		v.forward(p.Payload, p.Marker, i == 0)
	}
}

func (v *viewer) forward(payload []byte, marker, first bool) {
	d := codec.Describe(v.codec, payload, marker)
	v.p.Forward(d)
	got := codec.Describe(v.codec, codec.AppendPatched(nil, v.codec, v.patch, payload), marker)
	if got.KeyFrame != d.KeyFrame || got.Layer != d.Layer || got.Width != d.Width {
		v.t.Errorf("the patch changed %+v into %+v", d, got)
	}
	if first {
		v.seen = append(v.seen, got)
	} else if got.PictureID != v.seen[len(v.seen)-1].PictureID {
		v.t.Errorf("packets of one frame have the picture ids %d and %d", v.seen[len(v.seen)-1].PictureID, got.PictureID)
	}
}

// next takes the next frame of the source and forwards it, or leaves it out.
func (v *viewer) next(src *mediatest.Source, f mediatest.Frame, forward bool) {
	for i, p := range src.Next(f) {
		if forward {
			v.forward(p.Payload, p.Marker, i == 0)
		} else {
			v.patch = v.p.Drop(v.codec, codec.Describe(v.codec, p.Payload, p.Marker))
		}
	}
}

func (v *viewer) wantRising(idSteps bool) {
	v.t.Helper()
	for i := 1; i < len(v.seen); i++ {
		a, b := v.seen[i-1], v.seen[i]
		if idSteps && (b.PictureID-a.PictureID)&0x7fff != 1 {
			v.t.Errorf("frame %d: picture id %d after %d", i, b.PictureID, a.PictureID)
		}
		if b.Layer.Temporal == 0 && (b.TL0PicIdx-a.TL0PicIdx)&0xff != 1 {
			v.t.Errorf("frame %d: TL0PICIDX %d after %d", i, b.TL0PicIdx, a.TL0PicIdx)
		}
	}
}

func TestPatcherOverSwitches(t *testing.T) {
	for _, c := range []media.Codec{media.CodecVP8, media.CodecVP9} {
		t.Run(c.String(), func(t *testing.T) {
			v := &viewer{t: t, codec: c}
			starts := []mediatest.SourceConfig{
				{Codec: c, PictureID: 0x7ffd, TL0PicIdx: 250},
				{Codec: c, PictureID: 3, TL0PicIdx: 9},
				{Codec: c, PictureID: 0x4000, TL0PicIdx: 128},
			}
			for _, cfg := range starts {
				src := mediatest.NewSource(cfg)
				v.switchTo(src)
				for range 5 {
					v.next(src, mediatest.Frame{Size: 2500}, true)
				}
			}
			if got := v.seen[0]; got.PictureID != 0x7ffd || got.TL0PicIdx != 250 {
				t.Errorf("the first source was changed: %+v", got)
			}
			v.wantRising(true)
		})
	}
}

// Frames of an upper temporal layer are left out: VP8 ids close up, VP9 ids keep their distance,
// as flexible mode refers to pictures by it.
func TestPatcherOverDrops(t *testing.T) {
	for _, c := range []media.Codec{media.CodecVP8, media.CodecVP9} {
		t.Run(c.String(), func(t *testing.T) {
			v := &viewer{t: t, codec: c}
			src := mediatest.NewSource(mediatest.SourceConfig{Codec: c, PictureID: 0x7ff0})
			v.switchTo(src)
			for i := range 40 {
				v.next(src, mediatest.Frame{Size: 2500, Temporal: uint8(i+1) % 2}, i%2 == 1)
			}
			v.switchTo(src)
			v.wantRising(c == media.CodecVP8)
			if c == media.CodecVP9 && (v.seen[1].PictureID-v.seen[0].PictureID)&0x7fff != 2 {
				t.Errorf("VP9 picture ids %d, %d", v.seen[0].PictureID, v.seen[1].PictureID)
			}
		})
	}
}

// Packets that come late or twice move nothing.
func TestPatcherIgnoresLatePackets(t *testing.T) {
	at := func(id int32) media.Descriptor { return media.Descriptor{PictureID: id, TL0PicIdx: id & 0xff} }
	var p codec.Patcher
	p.Switch(at(100))
	for _, id := range []int32{100, 101, 103, 102, 103, 101} {
		p.Forward(at(id))
	}
	if got := p.Drop(media.CodecVP8, at(102)); got != (media.Patch{}) {
		t.Errorf("dropping a late packet gave %+v", got)
	}
	first, again := p.Drop(media.CodecVP8, at(104)), p.Drop(media.CodecVP8, at(104))
	if first.PictureID != 0x7fff || again != first {
		t.Errorf("dropping two packets of one frame gave %+v, %+v", first, again)
	}
	if got := p.Switch(at(7)); got.PictureID != 103+1-7 || got.TL0PicIdx != 103+1-7 {
		t.Errorf("Switch = %+v", got)
	}
}

func TestAppendPatched(t *testing.T) {
	patch := media.Patch{PictureID: 200, TL0PicIdx: 3}
	tests := []struct {
		name     string
		codec    media.Codec
		in, want string
	}{
		{"vp8, 7 bits become 15", media.CodecVP8, "90 f0 11 fe 40 1000", "90 f0 80d9 01 40 1000"},
		{"vp8, 15 bits wrap", media.CodecVP8, "90 f0 ffff fe 40 1000", "90 f0 80c7 01 40 1000"},
		{"vp8, no tl0", media.CodecVP8, "90 80 11 1000", "90 80 80d9 1000"},
		{"vp8, tl0 alone", media.CodecVP8, "90 40 fe 1000", "90 40 01 1000"},
		{"vp8, no numbers", media.CodecVP8, "10 1000", "10 1000"},
		{"vp8, cut", media.CodecVP8, "90 80 91", "90 80 91"},
		{"vp9, 7 bits", media.CodecVP9, "a8 11 20 fe 86", "a8 80d9 20 01 86"},
		{"vp9, flexible", media.CodecVP9, "f8 9111 20 02 86", "f8 91d9 20 02 86"},
		{"h264", media.CodecH264, "41 9a 00", "41 9a 00"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := codec.AppendPatched([]byte("head"), tt.codec, patch, unhex(t, tt.in))
			if want := append([]byte("head"), unhex(t, tt.want)...); !bytes.Equal(got, want) {
				t.Errorf("got %x, want %x", got[4:], want[4:])
			}
			if got, want := modelPatched(t, tt.codec, patch, unhex(t, tt.in)), unhex(t, tt.want); !bytes.Equal(got, want) {
				t.Errorf("the model has %x, want %x", got, want)
			}
		})
	}
}

func TestAppendPatchedAllocatesNothing(t *testing.T) {
	dst := make([]byte, 0, 1500)
	p := mediatest.NewSource(mediatest.SourceConfig{Codec: media.CodecVP8}).Next(mediatest.Frame{Key: true, Size: 900})[0]
	patch := media.Patch{PictureID: 5}
	if n := testing.AllocsPerRun(100, func() { codec.AppendPatched(dst, media.CodecVP8, patch, p.Payload) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

// A patch shifts the numbers, and leaves everything else that the payload says: by the model, and by
// what Describe reads before and after.
func FuzzAppendPatched(f *testing.F) {
	for _, c := range []media.Codec{media.CodecVP8, media.CodecVP9} {
		var payloads [][]byte
		for _, p := range builtPackets(c) {
			payloads = append(payloads, p.Payload)
		}
		for _, b := range append(payloads, handMade(f, c)...) {
			f.Add(b, c == media.CodecVP9, uint16(0x7ffe), uint8(255))
			f.Add(b, c == media.CodecVP9, uint16(200), uint8(0))
			f.Add(b, c == media.CodecVP9, uint16(0), uint8(3))
			f.Add(b, c == media.CodecVP9, uint16(0), uint8(0))
			for n := range min(len(b), 12) {
				f.Add(b[:n], c == media.CodecVP9, uint16(0xfff3), uint8(2))
			}
		}
	}
	f.Fuzz(func(t *testing.T, payload []byte, vp9 bool, id uint16, tl0 uint8) {
		c := media.CodecVP8
		if vp9 {
			c = media.CodecVP9
		}
		patch, before := media.Patch{PictureID: id, TL0PicIdx: tl0}, bytes.Clone(payload)
		out := codec.AppendPatched([]byte("head"), c, patch, payload)
		if !bytes.Equal(payload, before) {
			t.Fatal("the payload was changed")
		}
		out, ok := bytes.CutPrefix(out, []byte("head"))
		if want := modelPatched(t, c, patch, payload); !ok || !bytes.Equal(out, want) {
			t.Fatalf("%x with %+v: got %x, want %x", payload, patch, out, want)
		}
		if d := len(out) - len(payload); d != 0 && d != 1 {
			t.Fatalf("grew by %d", d)
		}
		want, got := codec.Describe(c, payload, true), codec.Describe(c, out, true)
		if want.PictureID >= 0 {
			want.PictureID = (want.PictureID + int32(id)) & 0x7fff
		}
		if want.TL0PicIdx >= 0 {
			want.TL0PicIdx = (want.TL0PicIdx + int32(tl0)) & 0xff
		}
		if got != want {
			t.Fatalf("got %+v, want %+v", got, want)
		}
	})
}
