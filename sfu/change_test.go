package sfu_test

import (
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
