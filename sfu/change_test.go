package sfu_test

import (
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fanfare-relay/fanfare/media"
	"github.com/fanfare-relay/fanfare/media/mediatest"
	"github.com/fanfare-relay/fanfare/sfu"
	"github.com/fanfare-relay/fanfare/sfu/sfutest"
)

// startChanging runs a relay with a publisher who can change its codec, and a viewer.
func startChanging(t *testing.T, n *sfutest.Network, codecs ...media.Codec) (*sfutest.Relay, *sfutest.Publisher, *sfutest.Viewer) {
	t.Helper()
	r := startVirtual(t, n)
	pub := sfutest.NewChangingPublisher(t, n.Listen(sfutest.Line{}), codecs...)
	pub.Connect(t, r, "s")
	v := sfutest.NewViewer(t, r, sfutest.ViewerOptions{Conn: n.Listen(sfutest.Line{})})
	v.Connect(t, "s")
	return r, pub, v
}

// stream sends frames in so many temporal layers, the first of which is a key frame, and answers how
// many packets they were.
func stream(t *testing.T, pub *sfutest.Publisher, source *mediatest.Source, frames, layers int) (packets int) {
	t.Helper()
	for i := range frames {
		list := source.Next(mediatest.Frame{Key: i == 0, Size: 2500, Temporal: uint8(i % layers)})
		pub.Send(t, media.KindVideo, list...)
		packets += len(list)
		time.Sleep(time.Second / 30)
		synctest.Wait()
	}
	return packets
}

// A publisher changes its resolution, then its codec and payload type, and back, in the middle of
// its one track. The viewer has every packet under numbers without a gap.
func TestPublisherChanges(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, pub, v := startChanging(t, sfutest.NewNetwork(5), media.CodecVP8, media.CodecH264)
		sent, number, ts := 0, uint16(65500), uint32(1<<32-90_000) // both wrap on the way
		for _, step := range []struct {
			codec media.Codec
			width uint16
		}{{media.CodecVP8, 640}, {media.CodecVP8, 1280}, {media.CodecH264, 1280}, {media.CodecVP8, 320}} {
			pub.UseCodec(t, step.codec)
			n := stream(t, pub, mediatest.NewSource(mediatest.SourceConfig{
				Codec: step.codec, Seq: number, Timestamp: ts, Width: step.width, Height: step.width * 9 / 16}), 30, 1)
			sent, number, ts = sent+n, number+uint16(n), ts+30*3000
		}
		got := v.Packets(media.KindVideo)
		if len(got) != sent {
			t.Errorf("%d of %d packets came", len(got), sent)
		}
		for i := 1; i < len(got); i++ {
			if got[i].SequenceNumber != got[i-1].SequenceNumber+1 || int32(got[i].Timestamp-got[i-1].Timestamp) < 0 {
				t.Fatalf("packet %d is %d at %d after %d at %d", i, got[i].SequenceNumber, got[i].Timestamp, got[i-1].SequenceNumber, got[i-1].Timestamp)
			}
		}
		if got[len(got)-1].PayloadType != sfutest.ViewerType(media.CodecVP8) {
			t.Errorf("the last packet has payload type %d", got[len(got)-1].PayloadType)
		}
		if n := r.Stats().Drops[sfu.DropNoFormat]; n != 0 {
			t.Errorf("%d packets had no format", n)
		}
	})
}

// A publisher changes the profile of its H.264, and so the payload type, in the middle, and goes back. Who plays both
// gets all of it, each under their own type for it; who plays the first one only gets that, and both without a gap.
func TestPublisherChangesProfile(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := sfutest.NewNetwork(5)
		r := startVirtual(t, n)
		pub := sfutest.NewChangingPublisher(t, n.Listen(sfutest.Line{}), media.CodecH264)
		pub.Connect(t, r, "s")
		view := func(high bool) *sfutest.Viewer {
			v := sfutest.NewViewer(t, r, sfutest.ViewerOptions{Conn: n.Listen(sfutest.Line{}), High: high})
			v.Connect(t, "s")
			return v
		}
		both, first := view(true), view(false)
		baseline, high := sfutest.ViewerType(media.CodecH264), sfutest.HighType()
		var wantBoth, wantFirst []uint8
		number, ts := uint16(65500), uint32(1<<32-45_000)
		for i, pt := range []uint8{baseline, high, baseline} {
			if pt == high {
				pub.UseHigh(t)
			} else {
				pub.UseCodec(t, media.CodecH264)
			}
			packets := stream(t, pub, mediatest.NewSource(mediatest.SourceConfig{
				Codec: media.CodecH264, High: pt == high, Seq: number, Timestamp: ts, Width: uint16(640 + 64*i), Height: 360}), 30, 1)
			number, ts = number+uint16(packets), ts+30*3000
			wantBoth = append(wantBoth, slices.Repeat([]uint8{pt}, packets)...)
			if pt == baseline {
				wantFirst = append(wantFirst, slices.Repeat([]uint8{pt}, packets)...)
			}
		}
		for name, c := range map[string]struct {
			v    *sfutest.Viewer
			want []uint8
		}{"both profiles": {both, wantBoth}, "the first profile": {first, wantFirst}} {
			packets := c.v.Packets(media.KindVideo)
			checkContinuous(t, packets)
			var got []uint8
			for _, p := range packets {
				got = append(got, p.PayloadType)
			}
			if !slices.Equal(got, c.want) {
				t.Errorf("who plays %s got the types %v, not %v", name, slices.Compact(got), slices.Compact(slices.Clone(c.want)))
			}
		}
		if got, want := r.Stats().Drops[sfu.DropNoFormat], uint64(len(wantBoth)-len(wantFirst)); got != want {
			t.Errorf("%d packets were left out for want of a format, not %d", got, want)
		}
	})
}

// Numbers and timestamps wrap around while another publisher takes over and the viewer loses the
// upper temporal layer: still no gap.
func TestWrapWhileSourceAndLayerChange(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := sfutest.NewNetwork(6)
		r, first, v := startChanging(t, n, media.CodecVP8)
		// The first one wraps in its last frames, the second in its first.
		sent := stream(t, first, mediatest.NewSource(mediatest.SourceConfig{Codec: media.CodecVP8,
			Seq: 65535 - 3*115, Timestamp: 1<<32 - 115*3000, PictureID: 1<<15 - 115, TL0PicIdx: 200}), 120, 2)
		before := r.Stats().Drops[sfu.DropLayer]
		if err := r.Wish(v.Answer.Session, media.Wish{Hidden: true}); err != nil {
			t.Fatal(err)
		}
		second := sfutest.NewChangingPublisher(t, n.Listen(sfutest.Line{}), media.CodecVP8)
		second.Connect(t, r, "s")
		sent += stream(t, second, mediatest.NewSource(mediatest.SourceConfig{Codec: media.CodecVP8,
			Seq: 65530, Timestamp: 1<<32 - 3*3000, PictureID: 1<<15 - 2, TL0PicIdx: 254}), 60, 2)

		got := v.Packets(media.KindVideo)
		checkContinuous(t, got)
		dropped := r.Stats().Drops[sfu.DropLayer]
		if dropped == before || len(got)+int(dropped) != sent {
			t.Errorf("%d packets came and %d of an upper layer did not, of %d", len(got), dropped, sent)
		}
	})
}
