//go:build !race

package sfu_test

import (
	"slices"
	"testing"
	"time"

	"github.com/pion/rtp"

	"github.com/fanfare-relay/fanfare/media"
	"github.com/fanfare-relay/fanfare/media/mediatest"
	"github.com/fanfare-relay/fanfare/sfu"
	"github.com/fanfare-relay/fanfare/sfu/sfutest"
)

// Forwarding allocates nothing, from the wake of a worker to the socket: neither picture nor sound, neither for
// viewers who tell about their line, whose feedback is read meanwhile, nor for others. (The race detector
// allocates by itself, so this test runs without it only.)
func TestForwardAllocatesNothing(t *testing.T) {
	const runs, passes, picture, sound = 10, 100, 2, 1 // packets a pass
	offers := []sfutest.ViewerOptions{{}, {Feedback: true}, {Feedback: true, NoRTX: true}}
	r, held, release := startHeld(t, int64(len(offers)))
	defer release()
	pub := sfutest.Publish(t, r, "s", media.CodecVP8, media.CodecOpus)
	video := mediatest.NewSource(mediatest.SourceConfig{Codec: media.CodecVP8})
	audio := mediatest.NewSource(mediatest.SourceConfig{Codec: media.CodecOpus})
	pub.Send(t, media.KindVideo, video.Next(mediatest.Frame{Key: true, Size: 2000})...)
	pub.Send(t, media.KindAudio, audio.Next(mediatest.Frame{Size: 80})...)
	r.WaitStats(t, "picture and sound", func(s sfu.Stats) bool { return s.PacketsIn == picture+sound })
	for _, o := range offers {
		sfutest.NewViewer(t, r, o).Connect(t, "s")
	}
	<-held

	var pictures, sounds []*rtp.Packet
	for range 2 * runs * passes { // the first half of each warms up
		pictures = append(pictures, video.Next(mediatest.Frame{Size: 2000})...)
		sounds = append(sounds, audio.Next(mediatest.Frame{Size: 80})...)
	}
	in := sfu.NewStandIn(t, r.SFU, "s", pictures, sounds...)
	in.Unread(t)
	before, now, said, estimates := in.PacketsOut(), time.Now(), time.Now(), 0
	many := func() {
		for i := range passes {
			now = now.Add(20 * time.Millisecond)
			in.Forward(picture, sound, now)
			if i%5 == 4 {
				estimates += in.Answer(said, now)
				said = now
			}
		}
	}
	// A run counts to the last allocation, and those of the whole process: something may happen in some of them
	// that has nothing to do with it.
	var allocs []float64
	for range runs {
		allocs = append(allocs, testing.AllocsPerRun(1, many))
	}
	const packets = passes * (picture + sound)
	t.Logf("figure: %v allocations while %d packets come in and go out to %d viewers, the least of %d times; the most %v",
		slices.Min(allocs), packets, len(offers), runs, slices.Max(allocs))
	if slices.Min(allocs) > 0 {
		t.Errorf("allocations of each run: %v", allocs)
	}
	if sent, want := in.PacketsOut()-before, uint64(2*runs*packets*len(offers)); sent < want {
		t.Errorf("%d packets went out, not %d", sent, want)
	}
	if want := 2 * runs * passes / 5 * 2; estimates != want {
		t.Errorf("%d estimates were made of feedback, not %d", estimates, want)
	}
}
