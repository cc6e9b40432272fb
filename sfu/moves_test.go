package sfu_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/pion/rtp"

	"github.com/fanfare-relay/fanfare/media"
	"github.com/fanfare-relay/fanfare/media/mediatest"
	"github.com/fanfare-relay/fanfare/sfu"
	"github.com/fanfare-relay/fanfare/sfu/sfutest"
)

// A publisher changes the sources of its tracks in the middle, and in the end goes back to the first
// ones. Viewers go on from the next key frame, and hear on, under the numbers that they had. It has
// tracks alone, whose packets name the m-line, or encodings by rid.
func TestSourcesChange(t *testing.T) {
	for name, rids := range map[string][]string{"tracks": nil, "encodings": {"l", "h"}} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				n := sfutest.NewNetwork(5)
				r := startVirtual(t, n)
				var pub *sfutest.Publisher
				if rids != nil {
					pub = sfutest.PublishSimulcastOn(t, n.Listen(sfutest.Line{}), r, "s", media.CodecVP8, rids...)
				} else {
					pub = sfutest.NewPublisherOn(t, n.Listen(sfutest.Line{}), media.CodecVP8, media.CodecOpus)
					pub.Connect(t, r, "s")
				}
				v := sfutest.NewViewer(t, r, sfutest.ViewerOptions{Conn: n.Listen(sfutest.Line{})})
				v.Connect(t, "s")
				var widths []uint16
				var at uint32
				for step, source := range []uint32{0, 1, 2, 0} {
					pub.Move(1000*source - 1000*at)
					at = source
					widths = append(widths, uint16(320*(step+1)))
					sendMoved(t, pub, rids, step)
				}
				frames := decoded(v.Packets(media.KindVideo))
				for _, width := range widths {
					firstAfter(t, frames, time.Time{}, width)
				}
				if got := frames[len(frames)-1]; got.width != widths[len(widths)-1] || time.Since(got.at) > 100*time.Millisecond {
					t.Errorf("the last frame is %d wide and came %v before the end", got.width, time.Since(got.at))
				}
				checkContinuous(t, v.Packets(media.KindVideo))
				if rids == nil {
					checkContinuous(t, v.Packets(media.KindAudio))
					if n := len(v.Packets(media.KindAudio)); n < 3*100 {
						t.Errorf("%d packets of sound", n)
					}
				}
			})
		})
	}
}

// sendMoved sends three seconds with a key frame every half a second.
func sendMoved(t *testing.T, pub *sfutest.Publisher, rids []string, step int) {
	t.Helper()
	width := uint16(320 * (step + 1))
	names := rids
	if rids == nil {
		names = []string{""}
	}
	sources := map[string]*mediatest.Source{}
	for i, rid := range names {
		size := width >> (len(names) - 1 - i) // the last one is the largest
		sources[rid] = mediatest.NewSource(mediatest.SourceConfig{
			Codec: media.CodecVP8, Seq: uint16(7000 * step), Width: size, Height: size / 2, PictureID: uint16(500 * step)})
	}
	sound := mediatest.NewSource(mediatest.SourceConfig{Codec: media.CodecOpus, Seq: uint16(900 * step), Interval: time.Second / 30})
	label := func(kind media.Kind, list []*rtp.Packet) []*rtp.Packet {
		if rids == nil {
			pub.Label(t, kind, list...)
		}
		return list
	}
	for i := range 120 {
		for _, rid := range names {
			pub.SendEncoding(t, media.KindVideo, rid, label(media.KindVideo, sources[rid].Next(mediatest.Frame{Key: i%15 == 0, Size: 2500}))...)
		}
		if rids == nil {
			pub.Send(t, media.KindAudio, label(media.KindAudio, sound.Next(mediatest.Frame{Size: 80}))...)
		}
		time.Sleep(time.Second / 30)
		synctest.Wait()
	}
}

// A publisher may change its source as often as it likes, but not ever faster: what comes too soon is counted and goes
// nowhere. Sources that were replaced are closed.
func TestManySources(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := sfutest.NewNetwork(5)
		r := startVirtual(t, n)
		pub := sfutest.NewPublisherOn(t, n.Listen(sfutest.Line{}), media.CodecVP8)
		pub.Connect(t, r, "s")
		source := mediatest.NewSource(mediatest.SourceConfig{Codec: media.CodecVP8})
		send := func() uint64 {
			before := r.Stats().PacketsIn
			for range 8 {
				list := source.Next(mediatest.Frame{Key: true, Size: 500})
				pub.Label(t, media.KindVideo, list...)
				pub.Send(t, media.KindVideo, list...)
				time.Sleep(time.Second / 30)
				synctest.Wait()
			}
			return r.Stats().PacketsIn - before
		}
		const burst = 8 // in a row, behind the first source
		for i := range burst + 4 {
			if got := send(); (got > 0) != (i <= burst) {
				t.Errorf("of source %d came %d packets", i, got)
			}
			pub.Move(1)
		}
		if got := r.Stats().Drops[sfu.DropUnknownSource]; got < 20 {
			t.Errorf("%d packets were counted as of no source", got)
		}
		for i := range 12 {
			time.Sleep(6 * time.Second)
			if got := send(); got == 0 {
				t.Errorf("of slow source %d came nothing", i)
			}
			pub.Move(1)
		}
		if got := sfu.Sources(r.SFU, "s"); got > 3 {
			t.Errorf("%d sources are open", got)
		}
	})
}
