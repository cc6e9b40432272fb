package sfu

import (
	"encoding/binary"
	"slices"
	"testing"
	"time"

	"github.com/pion/rtp"

	"github.com/fanfare-relay/fanfare/media"
	"github.com/fanfare-relay/fanfare/media/ext"
	"github.com/fanfare-relay/fanfare/media/mediatest"
	"github.com/fanfare-relay/fanfare/media/ring"
)

const testDependencyID = 12

// twoTemporal is the structure of two temporal layers: a key frame and frames of layer 0 are
// template 0, those of layer 1 template 1.
//
//	10000 structure present, 000000 offset 0, 00001 two decode targets, 01 11 layers 0 and 1,
//	10 10 00 01 indications SS -D, 0 0 no differences, 0 no chains (ns(3)), 0 no sizes
var twoTemporal = []byte{0b10000000, 0b00000001, 0b01111010, 0b00010000}

// described is what the relay makes of the packets of an encoding with dependency descriptors.
func described(t *testing.T, codec media.Codec, descriptors ...[]byte) []media.Descriptor {
	t.Helper()
	e := testEncoding(quiet(t, nil), 64)
	e.formats[testPT] = &format{pt: testPT, codec: codec}
	e.dependency = newDependency([]extension{{id: testDependencyID, uri: ext.URIDependency}}, media.KindVideo)
	source := mediatest.NewSource(mediatest.SourceConfig{Codec: codec, PayloadType: testPT})
	var packets []*rtp.Packet
	for i := 0; len(packets) < len(descriptors); i++ {
		packets = append(packets, source.Next(mediatest.Frame{Key: i == 0, Size: 2000})...)
	}
	var out []media.Descriptor
	for i, raw := range descriptors {
		pkt := packets[i]
		pkt.Extension, pkt.ExtensionProfile = true, ext.ProfileTwoByte
		if err := pkt.SetExtension(testDependencyID, raw); err != nil {
			t.Fatal(err)
		}
		take(t, e, time.Unix(1000, 0), pkt)
		p, err := e.ring.At(e.ring.Head() - 1)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, p.Descriptor)
	}
	return out
}

// The layers of H.264 and AV1 are told by the extension, in every packet of a frame: a viewer can
// be spared a whole layer, and not the half of it.
func TestDependencyDescriptors(t *testing.T) {
	structure := append([]byte{0x80, 0, 1}, twoTemporal...)
	for _, codec := range []media.Codec{media.CodecH264, media.CodecAV1} {
		t.Run(codec.String(), func(t *testing.T) {
			got := described(t, codec, structure, []byte{0x40, 0, 1}, []byte{0x81, 0, 2}, []byte{0x41, 0, 2})
			if !got[0].KeyFrame {
				t.Error("a key frame is none any more")
			}
			for i, want := range []struct {
				start, end bool
				temporal   int8
				up         int8
			}{{true, false, 0, 1}, {false, true, 0, 1}, {true, false, 1, 0}, {false, true, 1, 0}} {
				d := got[i]
				if d.FrameStart != want.start || d.FrameEnd != want.end || d.Layer != (media.Layer{Temporal: want.temporal}) || d.SwitchUp != want.up {
					t.Errorf("packet %d: %+v", i, d)
				}
			}
		})
	}
	// What cannot be read leaves what the payload says.
	if d := described(t, media.CodecH264, []byte{0x80, 0, 1})[0]; !d.FrameStart || d.Layer.Temporal != -1 {
		t.Errorf("without its structure: %+v", d)
	}
	if d := described(t, media.CodecVP8, structure)[0]; d.SwitchUp != 0 {
		t.Errorf("VP8 tells of itself: %+v", d)
	}
}

// Over changes of source the frames of a viewer are numbered on, repeats as the first time, and
// what has been left out leaves its gap.
func TestFramesAreNumberedOn(t *testing.T) {
	const theirs = 30
	packet := func(number uint16) *ring.Packet {
		return &ring.Packet{ExtensionProfile: ext.ProfileTwoByte, Extension: []byte{testDependencyID, 3, 0x80, byte(number >> 8), byte(number)}}
	}
	enc := func() *encoding {
		return &encoding{dependency: newDependency([]extension{{id: testDependencyID, uri: ext.URIDependency}}, media.KindVideo)}
	}
	m := extensionMap([]extension{{id: testDependencyID, uri: ext.URIDependency}}, []extension{{id: theirs, uri: ext.URIDependency}}, media.KindVideo, ownIDs{})
	out := func(s frameShift, p *ring.Packet) uint16 {
		f := feed{extMap: m, frames: s}
		h := appendHeader(nil, 96, 1, 2, 3, false, p, &f, nil)
		raw, ok := ext.Find(binary.BigEndian.Uint16(h[12:]), h[16:], theirs)
		if !ok || len(raw) != 3 {
			t.Fatalf("the viewer's header is %x", h)
		}
		return binary.BigEndian.Uint16(raw[1:])
	}
	var c frameCount
	var got []uint16
	send := func(s frameShift, numbers ...uint16) {
		for _, n := range numbers {
			p := packet(n)
			c.note(s, p)
			got = append(got, out(s, p))
		}
	}
	first := c.shiftFor(enc(), packet(65534), &m)
	send(first, 65534, 65535, 1, 0)
	second := c.shiftFor(enc(), packet(500), &m)
	send(second, 500, 501)
	send(first, 1) // a repeat of before
	third := c.shiftFor(enc(), packet(9), &m)
	send(third, 9)
	if want := []uint16{65534, 65535, 1, 0, 2, 3, 1, 4}; !slices.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
	if s := c.shiftFor(enc(), packet(5), &ext.Map{}); s.to != 0 {
		t.Errorf("a viewer without the extension: %+v", s)
	}
}
