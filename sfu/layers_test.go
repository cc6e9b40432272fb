package sfu

import (
	"strings"
	"testing"

	"github.com/fanfare-relay/fanfare/media"
	"github.com/fanfare-relay/fanfare/media/ring"
)

// layered are pictures in two spatial and two temporal layers, two packets a layer, as VP9 and the dependency
// descriptor tell them. A picture is written as its temporal layer, "k" for a key picture of layer 0, "u" for one of
// layer 1 with which that may be entered.
func layered(pictures string) (packets []ring.Packet) {
	for i, kind := range pictures {
		for spatial := range int8(2) {
			for _, first := range []bool{true, false} {
				d := media.Descriptor{Layer: media.Layer{Spatial: spatial}, FrameStart: first, FrameEnd: !first,
					KeyFrame: kind == 'k' && spatial == 0}
				if kind == '1' || kind == 'u' {
					d.Layer.Temporal = 1
				}
				if kind == 'u' {
					d.SwitchUp = 1
				}
				packets = append(packets, ring.Packet{Timestamp: uint32(i), Marker: spatial == 1 && !first, Descriptor: d})
			}
		}
	}
	return packets
}

// Of each picture a viewer gets the layers up to one, and the marker on the last packet of those. The limit moves
// between any two packets; the layers do with the beginning of a picture.
func TestLayers(t *testing.T) {
	low, high := media.Layer{}, media.Layer{Spatial: 1, Temporal: 1}
	at := func(spatial, temporal int8) media.Layer { return media.Layer{Spatial: spatial, Temporal: temporal} }
	for _, c := range []struct {
		name        string
		from, limit media.Layer
		moved       int // the packet before which the limit becomes that
		pictures    string
		want        string // "." a packet that is left out, "x" one that is sent, "m" with the marker
	}{
		{"everything", high, high, 0, "k1", "xxxm xxxm"},
		{"more than there is", at(2, 3), at(2, 3), 0, "k1", "xxxm xxxm"},
		{"the lower spatial layer", at(0, 1), at(0, 1), 0, "k1", "xm.. xm.."},
		{"the lower temporal layer", at(1, 0), at(1, 0), 0, "k10", "xxxm .... xxxm"},
		{"the lowest of both", low, low, 0, "k10", "xm.. .... xm.."},
		{"falls at once", high, low, 4, "k010", "xxxm xm.. .... xm.."},
		{"falls in the lower layer", high, low, 5, "k00", "xxxm xxxm xm.."},
		{"falls between the layers", high, low, 6, "k00", "xxxm xxxm xm.."},
		{"falls before the last packet", high, low, 7, "k00", "xxxm xxxm xm.."},
		{"falls between the layers of an upper picture", high, at(1, 0), 6, "k110", "xxxm xxxm .... xxxm"},
		{"a larger picture waits for a key frame", at(0, 1), high, 4, "k01u0k0", "xm.. xm.. xm.. xm.. xm.. xxxm xxxm"},
		{"a larger picture waits for the next key frame", at(0, 1), high, 1, "k0k", "xm.. xm.. xxxm"},
		{"more motion begins where the stream says so", at(1, 0), high, 4, "k010u1", "xxxm xxxm .... xxxm xxxm xxxm"},
		{"more motion begins with a key frame", at(1, 0), high, 4, "k1k1", "xxxm .... xxxm xxxm"},
		{"more motion does not begin between the layers", at(1, 0), high, 6, "kuu", "xxxm .... xxxm"},
		{"both", low, high, 4, "k1u0k1", "xm.. .... xm.. xm.. xxxm xxxm"},
	} {
		t.Run(c.name, func(t *testing.T) {
			v := egress{}
			v.limit, v.passing = c.from, c.from
			var got strings.Builder
			for i, p := range layered(c.pictures) {
				if i == c.moved {
					v.limit = c.limit
				}
				if i > 0 && i%4 == 0 {
					got.WriteByte(' ')
				}
				switch {
				case !v.passes(&p):
					got.WriteByte('.')
				case v.endsPicture(&p):
					got.WriteByte('m')
				default:
					got.WriteByte('x')
				}
			}
			if got.String() != c.want {
				t.Errorf("got  %s\nwant %s", &got, c.want)
			}
		})
	}
}

// A stream that tells no layers passes whole, whatever the limit.
func TestNoLayers(t *testing.T) {
	v := egress{}
	v.limit, v.passing = media.Layer{}, media.Layer{Spatial: 2, Temporal: 3}
	for i, p := range []ring.Packet{
		{Descriptor: media.Descriptor{FrameStart: true}}, {}, {Marker: true, Descriptor: media.Descriptor{FrameEnd: true}},
	} {
		p.Descriptor.Layer = media.Layer{Spatial: -1, Temporal: -1}
		if !v.passes(&p) || v.endsPicture(&p) != p.Marker {
			t.Errorf("packet %d is left out, or has another marker", i)
		}
	}
}
