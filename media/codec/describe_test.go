package codec_test

import (
	"bytes"
	"encoding/hex"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/fanfare-relay/fanfare/media"
	"github.com/fanfare-relay/fanfare/media/codec"
	"github.com/fanfare-relay/fanfare/media/mediatest"
)

var nothing = media.Descriptor{Layer: media.Layer{Spatial: -1, Temporal: -1}, PictureID: -1, TL0PicIdx: -1}

// described returns nothing, changed by the functions.
func described(changes ...func(*media.Descriptor)) media.Descriptor {
	d := nothing
	for _, c := range changes {
		c(&d)
	}
	return d
}

func key(d *media.Descriptor)   { d.KeyFrame = true }
func start(d *media.Descriptor) { d.FrameStart = true }
func end(d *media.Descriptor)   { d.FrameEnd = true }

func size(w, h uint16) func(*media.Descriptor) {
	return func(d *media.Descriptor) { d.Width, d.Height = w, h }
}

func layer(spatial, temporal int8) func(*media.Descriptor) {
	return func(d *media.Descriptor) { d.Layer = media.Layer{Spatial: spatial, Temporal: temporal} }
}

func numbers(id, tl0 int32) func(*media.Descriptor) {
	return func(d *media.Descriptor) { d.PictureID, d.TL0PicIdx = id, tl0 }
}

func unhex(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(strings.ReplaceAll(s, " ", ""))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// The coded bytes are the heads of frames that libvpx, x264 and libaom made of a picture of 322
// by 182 or 184 pixels; the payload headers are written by hand from the RFCs.
func TestDescribe(t *testing.T) {
	const (
		vp8Key  = "3059009d012a4201b60000070885858885"
		vp9RGB  = "a2498342e014100b5606"
		vp9C444 = "a2498342000282016ac0"
		vp9Deep = "92498342000a0805bb03"
		spsBase = "6742c00bda05467889b011000003000100000300140f142aa0"
		spsHigh = "67640015acd941533c45e022000003000200000300283e28532c"
		sps444  = "67f4000c919b282a33c7c5e02200000300020000030028 1e28532c"
		seqAV1  = "08 0000 0004 3d06 d4da f900 40"
	)
	tests := []struct {
		name    string
		codec   media.Codec
		payload string
		marker  bool
		want    media.Descriptor
	}{
		{"empty", media.CodecVP8, "", true, nothing},
		{"no codec", media.CodecUnknown, "90", true, nothing},

		{"vp8 key, short descriptor", media.CodecVP8, "10" + vp8Key, false, described(key, start, size(322, 182))},
		{"vp8 key, 7-bit picture id", media.CodecVP8, "90 80 11" + vp8Key, false,
			described(key, start, size(322, 182), numbers(17, -1))},
		{"vp8 key, everything", media.CodecVP8, "90 f0 9234 56 8b" + vp8Key, true,
			described(key, start, end, size(322, 182), numbers(0x1234, 0x56), layer(-1, 2))},
		{"vp8 key index alone says no layer", media.CodecVP8, "90 10 8b" + vp8Key, false,
			described(key, start, size(322, 182))},
		{"vp8 later packet of a key frame", media.CodecVP8, "80 80 11 00", true, described(end, numbers(17, -1))},
		{"vp8 start of another partition", media.CodecVP8, "11" + vp8Key, false, nothing},
		{"vp8 delta", media.CodecVP8, "10 31", true, described(start, end)},
		{"vp8 key without a size", media.CodecVP8, "10 30", false, described(key, start)},
		{"vp8 key with another start code", media.CodecVP8, "10 305900 9d012b 4201 b600", false, described(key, start)},
		{"vp8 cut after X", media.CodecVP8, "90", true, nothing},
		{"vp8 cut in the picture id", media.CodecVP8, "90 80 92", true, nothing},
		{"vp8 cut before tl0", media.CodecVP8, "90 c0 11", true, nothing},
		{"vp8 cut before the layer", media.CodecVP8, "90 20", true, nothing},

		{"vp9 key, profile 0", media.CodecVP9, "88 11 824983420014100b70", false,
			described(key, start, size(322, 184), numbers(17, -1))},
		{"vp9 key, profile 1", media.CodecVP9, "08" + vp9C444, false, described(key, start, size(322, 182))},
		{"vp9 key, profile 1, rgb", media.CodecVP9, "08" + vp9RGB, false, described(key, start, size(322, 182))},
		{"vp9 key, profile 2", media.CodecVP9, "08" + vp9Deep, false, described(key, start, size(322, 184))},
		{"vp9 key, picture sizes of two layers", media.CodecVP9,
			"aa 9234 00 56 38 00a1005b 014200b6 01 04 02" + "824983420014100b70", false,
			described(key, start, size(322, 182), numbers(0x1234, 0x56), layer(0, 0))},
		{"vp9 upper layer of a key picture", media.CodecVP9, "ac 9234 03 56 86", true,
			described(start, end, numbers(0x1234, 0x56), layer(1, 0))},
		{"vp9 flexible, two references", media.CodecVP9, "f8 11 20 03 04 86", false,
			described(start, numbers(17, -1), layer(0, 1))},
		{"vp9 intra-only frame is no key frame", media.CodecVP9, "88 11 86 00", false,
			described(start, numbers(17, -1))},
		{"vp9 later packet of a key frame", media.CodecVP9, "84 11 00", false, described(key, end, numbers(17, -1))},
		{"vp9 cut in the structure", media.CodecVP9, "0a 18 0142", false, nothing},
		{"vp9 cut in the picture group", media.CodecVP9, "0a 08 02 04 00", false, nothing},
		{"vp9 cut in the references", media.CodecVP9, "50 03", false, nothing},

		{"h264 parameter set", media.CodecH264, spsBase, false, described(key, start, size(322, 182))},
		{"h264 parameter set, interlaced, high", media.CodecH264, spsHigh, false,
			described(key, start, size(322, 184))},
		{"h264 parameter set, chroma 4:4:4", media.CodecH264, sps444, false, described(key, start, size(322, 182))},
		{"h264 picture parameters", media.CodecH264, "68ce0fc8", false, nothing},
		{"h264 delimiter", media.CodecH264, "0910", false, described(start)},
		{"h264 idr", media.CodecH264, "6588", true, described(key, start, end)},
		{"h264 second slice of an idr", media.CodecH264, "6540", true, described(key, end)},
		{"h264 slice", media.CodecH264, "419a", true, described(start, end)},
		{"h264 stap-a", media.CodecH264, "78 0004 68ce0fc8 0002 6588", false, described(key, start)},
		{"h264 stap-a, cut", media.CodecH264, "78 0004 68ce0fc8 0005 6588", false, nothing},
		{"h264 fu-a, first", media.CodecH264, "7c 85 88", false, described(key, start)},
		{"h264 fu-a, last", media.CodecH264, "7c 45 88", true, described(key, end)},
		{"h264 fu-a, cut", media.CodecH264, "7c", true, nothing},
		{"h264 parameter set, cut", media.CodecH264, "6742c00b", false, described(key, start)},
		{"h264 unknown type", media.CodecH264, "7e00", true, nothing},

		{"av1 key", media.CodecAV1, "28 0c" + seqAV1 + " 3010", false, described(key, start, size(322, 182))},
		{"av1 key without the N bit", media.CodecAV1, "20 0c" + seqAV1 + " 3010", false,
			described(key, start, size(322, 182))},
		{"av1 sequence header before a delta frame", media.CodecAV1, "20 0c" + seqAV1 + " 3030", false,
			described(start)},
		{"av1 key of rav1e", media.CodecAV1, "28 0f 08000000fa1e836e210a88101010a0 3010", false,
			described(key, start, size(322, 184))},
		{"av1 key with timing and a decoder model", media.CodecAV1,
			"28 1f 08040000000400000029780000000a530000035f915f90bc3d06dcdaf90040 3010", false,
			described(key, start, size(322, 184))},
		{"av1 every element with a length", media.CodecAV1, "08 02 1200 0c" + seqAV1 + " 02 3010", false,
			described(key, start, size(322, 182))},
		{"av1 sequence header with its size", media.CodecAV1, "18 0a0b" + seqAV1[2:], true,
			described(key, start, end, size(322, 182))},
		{"av1 sequence header that is smaller than its element", media.CodecAV1, "18 0a02" + seqAV1[2:], false,
			described(key, start)},
		{"av1 sequence header, and a frame of size 0", media.CodecAV1, "20 0c" + seqAV1 + " 3200 30", false,
			described(key, start, size(322, 182))},
		{"av1 key without the N bit, and an upper layer", media.CodecAV1, "30 0c" + seqAV1 + " 02 3010 3030", false,
			described(key, start, size(322, 182))},
		{"av1 key without the N bit, and an upper layer with a header of its own", media.CodecAV1, "00 0c" + seqAV1 + " 02 3010 0c" + seqAV1 + " 02 3030", false,
			described(key, start, size(322, 182))},
		{"av1 delta frame between sequence headers", media.CodecAV1, "00 0c" + seqAV1 + " 02 3030 0c" + seqAV1, false,
			described(start)},
		{"av1 reduced still picture", media.CodecAV1, "20 06 08 1821e7f660 30c0", false,
			described(key, start, size(320, 180))},
		{"av1 delta, layer", media.CodecAV1, "10 34 48 30", true, described(start, end, layer(1, 2))},
		{"av1 continued", media.CodecAV1, "90 1234", true, described(end)},
		{"av1 tile group", media.CodecAV1, "10 2000", false, nothing},
		{"av1 cut element", media.CodecAV1, "00 7f 30", true, nothing},
		{"av1 nothing behind the header", media.CodecAV1, "10", true, nothing},

		{"opus", media.CodecOpus, "fc00", true, described(key, start, end)},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := codec.Describe(tt.codec, unhex(t, tt.payload), tt.marker)
			if d := cmp.Diff(tt.want, got); d != "" {
				t.Errorf("Describe (-want +got):\n%s", d)
			}
			if d := cmp.Diff(tt.want, modelDescribe(tt.codec, unhex(t, tt.payload), tt.marker)); d != "" {
				t.Errorf("the model (-want +got):\n%s", d)
			}
		})
	}
}

var videoCodecs = []media.Codec{media.CodecVP8, media.CodecVP9, media.CodecH264, media.CodecAV1}

// The builders of mediatest and the readers of this package agree.
func TestDescribeBuiltFrames(t *testing.T) {
	for _, c := range videoCodecs {
		t.Run(c.String(), func(t *testing.T) {
			src := mediatest.NewSource(mediatest.SourceConfig{Codec: c, Width: 1278, Height: 718})
			for frame := range 4 {
				isKey := frame%2 == 0
				packets := src.Next(mediatest.Frame{Key: isKey, Size: 4000})
				if len(packets) < 4 {
					t.Fatalf("frame %d has %d packets", frame, len(packets))
				}
				for i, p := range packets {
					d := codec.Describe(c, p.Payload, p.Marker)
					if i == 0 && (d.KeyFrame != isKey || !d.FrameStart) {
						t.Errorf("frame %d begins with %+v", frame, d)
					}
					if i == 0 && isKey && (d.Width != 1278 || d.Height != 718) {
						t.Errorf("frame %d: %d by %d", frame, d.Width, d.Height)
					}
					if d.KeyFrame && !isKey {
						t.Errorf("frame %d packet %d claims to be of a key frame", frame, i)
					}
					if d.FrameEnd != (i == len(packets)-1) {
						t.Errorf("frame %d packet %d: end %v", frame, i, d.FrameEnd)
					}
				}
			}
		})
	}
}

func TestDescribeAllocatesNothing(t *testing.T) {
	for _, c := range videoCodecs {
		p := mediatest.NewSource(mediatest.SourceConfig{Codec: c}).Next(mediatest.Frame{Key: true, Size: 900})[0]
		var d media.Descriptor
		if n := testing.AllocsPerRun(100, func() { d = codec.Describe(c, p.Payload, p.Marker) }); n != 0 {
			t.Errorf("%v: %v allocations", c, n)
		}
		if !d.KeyFrame {
			t.Errorf("%v: no key frame", c)
		}
	}
}

// fuzzDescribe compares Describe with the model.
func fuzzDescribe(f *testing.F, c media.Codec) {
	for _, p := range builtPackets(c) {
		f.Add(p.Payload, p.Marker)
	}
	for i, b := range handMade(f, c) {
		for n := range b {
			f.Add(b[:n], n%2 == 0)
		}
		f.Add(b, i%2 == 0)
	}
	f.Fuzz(func(t *testing.T, b []byte, marker bool) {
		before := bytes.Clone(b)
		d := codec.Describe(c, b, marker)
		if !bytes.Equal(b, before) {
			t.Fatal("the payload was changed")
		}
		if d.PictureID < -1 || d.PictureID > 0x7fff || d.TL0PicIdx < -1 || d.TL0PicIdx > 0xff ||
			d.Layer.Spatial < -1 || d.Layer.Spatial > 7 || d.Layer.Temporal < -1 || d.Layer.Temporal > 7 {
			t.Fatalf("out of range: %+v", d)
		}
		if (d.Width == 0) != (d.Height == 0) && c != media.CodecVP8 && c != media.CodecVP9 {
			t.Fatalf("half a size: %+v", d)
		}
		if d.Width != 0 && !d.KeyFrame {
			t.Fatalf("a size without a key frame: %+v", d)
		}
		if diff := cmp.Diff(modelDescribe(c, b, marker), d); diff != "" {
			t.Fatalf("%x, marker %v (-model +Describe):\n%s", b, marker, diff)
		}
	})
}

func FuzzDescribeVP8(f *testing.F)  { fuzzDescribe(f, media.CodecVP8) }
func FuzzDescribeVP9(f *testing.F)  { fuzzDescribe(f, media.CodecVP9) }
func FuzzDescribeH264(f *testing.F) { fuzzDescribe(f, media.CodecH264) }
func FuzzDescribeAV1(f *testing.F)  { fuzzDescribe(f, media.CodecAV1) }
func FuzzDescribeOpus(f *testing.F) { fuzzDescribe(f, media.CodecOpus) }

func BenchmarkDescribe(b *testing.B) {
	for _, c := range videoCodecs {
		b.Run(c.String(), func(b *testing.B) {
			p := mediatest.NewSource(mediatest.SourceConfig{Codec: c}).Next(mediatest.Frame{Key: true, Size: 900})[0]
			b.ReportAllocs()
			for b.Loop() {
				codec.Describe(c, p.Payload, p.Marker)
			}
		})
	}
}
