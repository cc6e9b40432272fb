package sfu_test

import (
	"flag"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fanfare-relay/fanfare/media"
	"github.com/fanfare-relay/fanfare/media/codec"
	"github.com/fanfare-relay/fanfare/media/mediatest"
	"github.com/fanfare-relay/fanfare/media/seq"
	"github.com/fanfare-relay/fanfare/sfu"
	"github.com/fanfare-relay/fanfare/sfu/sfutest"
)

// The squeezed viewer is beside so many others; `make prove` has 19.
var squeezeOthers = flag.Int("squeeze-others", 4, "other viewers in TestSqueezedViewer")

// startVirtual runs a relay in a network in memory; the test runs in virtual time.
func startVirtual(t *testing.T, n *sfutest.Network) *sfutest.Relay {
	return sfutest.Start(t, func(c *sfu.Config) {
		_ = c.Conn.Close()
		c.Conn, c.Workers = n.Listen(sfutest.Line{}), 1
	})
}

// At 50 ms round trip and random loss both ways, repeats among the lost, frames are whole within
// 200 ms of the first sending of their last packet. So they are where the viewer tells about its line, which is
// taken for narrower than the stream by a tenth of loss: there is no lower quality, and what is sent must not be
// held up for it.
func TestFramesUnderLoss(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		loss     float64
		feedback bool
		want     float64 // share of frames
	}{{0.01, false, 0.995}, {0.05, false, 0.98}, {0.10, false, 0.93}, {0.10, true, 0.93}} {
		t.Run(fmt.Sprintf("%.0f %%, feedback %v", 100*c.loss, c.feedback), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				got := repairTrial{rtt: 50 * time.Millisecond, loss: c.loss, feedback: c.feedback, frames: 1000}.run(t)
				share := got.share()
				if share < c.want {
					t.Errorf("%.2f %% of the frames were whole in time, %.1f %% must be", 100*share, 100*c.want)
				}
			})
		})
	}
}

// ladder is a simulcast publisher: three encodings of 30 frames a second, with key frames when
// they are asked for.
type ladder struct {
	pub     *sfutest.Publisher
	sources map[string]*mediatest.Source
	frame   int
}

var ladderRates = []struct {
	rid           string
	bytes         int // a frame
	width, height uint16
}{{"l", 625, 320, 180}, {"m", 2083, 640, 360}, {"h", 10_000, 1280, 720}} // 150, 500 and 2,400 kbit/s

func publishLadder(t *testing.T, n *sfutest.Network, r *sfutest.Relay) *ladder {
	t.Helper()
	l := &ladder{sources: map[string]*mediatest.Source{}}
	l.pub = sfutest.PublishSimulcastOn(t, n.Listen(sfutest.Line{}), r, "s", media.CodecVP8, "l", "m", "h")
	for i, e := range ladderRates {
		l.sources[e.rid] = mediatest.NewSource(mediatest.SourceConfig{
			Codec: media.CodecVP8, SSRC: media.SSRC(100 + i), Width: e.width, Height: e.height})
	}
	return l
}

// send sends the next frame of each encoding, and lets its time pass.
func (l *ladder) send(t *testing.T) {
	t.Helper()
	for _, e := range ladderRates {
		key := l.pub.KeyWantedOf(media.KindVideo, e.rid) || l.frame == 0
		size := e.bytes
		if key {
			size *= 4
		}
		l.pub.SendEncoding(t, media.KindVideo, e.rid, l.sources[e.rid].Next(mediatest.Frame{Key: key, Size: size})...)
	}
	l.frame++
	time.Sleep(time.Second / 30)
}

// One viewer of several is squeezed to 300 kbit/s: it gets the low encoding, without a long
// freeze, and the best again when the line is back. The others notice nothing.
func TestSqueezedViewer(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		n := sfutest.NewNetwork(11)
		r := startVirtual(t, n)
		l := publishLadder(t, n, r)
		wide := sfutest.Line{Delay: 20 * time.Millisecond, Rate: 10_000_000, Queue: 200_000}
		narrow := sfutest.Line{Delay: 20 * time.Millisecond, Rate: 300_000, Queue: 15_000}
		conn := n.Listen(wide)
		var viewers []*sfutest.Viewer
		for i := range *squeezeOthers + 1 {
			o := sfutest.ViewerOptions{Conn: conn, Feedback: true, RTT: 50 * time.Millisecond}
			if i > 0 {
				o.Conn = n.Listen(wide)
			}
			v := sfutest.NewViewer(t, r, o)
			v.Connect(t, "s")
			viewers = append(viewers, v)
		}
		run := func(d time.Duration) time.Time {
			for end := time.Now().Add(d); time.Now().Before(end); {
				l.send(t)
			}
			return time.Now()
		}
		squeezed := run(8 * time.Second)
		conn.SetLine(narrow)
		freed := run(6 * time.Second)
		conn.SetLine(wide)
		end := run(8 * time.Second)
		time.Sleep(time.Second) // the last frame is on its way to some and has come to others
		synctest.Wait()
		frames := decoded(viewers[0].Packets(media.KindVideo))
		low, back := firstAfter(t, frames, squeezed, 320).Sub(squeezed), firstAfter(t, frames, freed, 1280).Sub(freed)
		freeze := longestGap(frames, squeezed, end)
		t.Logf("low after %v, longest freeze %v; back after %v", low, freeze, back)
		if low > 3*time.Second || freeze > time.Second || back > 15*time.Second {
			t.Error("at most 3 s, 1 s and 15 s are allowed")
		}
		for i, v := range viewers[1:] {
			frames := decoded(v.Packets(media.KindVideo))
			if gap := longestGap(frames, squeezed, end); gap > 100*time.Millisecond || frames[len(frames)-1].width != 1280 {
				t.Errorf("viewer %d had a gap of %v", i+1, gap)
			}
			if seen, all := len(frames), len(decoded(viewers[1].Packets(media.KindVideo))); seen != all {
				t.Errorf("viewer %d has seen %d frames, the first of those that were not squeezed %d", i+1, seen, all)
			}
		}
	})
}

// frame is one that a decoder has shown.
type frame struct {
	at    time.Time
	width uint16
}

// decoded shows frames as a decoder does: each when all of it and all before has come, and after
// a hole that is never filled from the next key frame on.
func decoded(packets []sfutest.Packet) (out []frame) {
	byNumber := map[uint64]sfutest.Packet{}
	var ext seq.Extender
	var first, newest uint64
	for i, p := range packets {
		n := ext.Extend(p.SequenceNumber)
		if _, twice := byNumber[n]; !twice {
			byNumber[n] = p
		}
		if i == 0 {
			first = n
		}
		newest = max(newest, n)
	}
	var at time.Time
	var width uint16
	broken := false
	for n := first; n <= newest; n++ {
		p, ok := byNumber[n]
		if !ok {
			broken = true
			continue
		}
		d := codec.Describe(media.CodecVP8, p.Payload, p.Marker)
		if d.KeyFrame && d.FrameStart {
			broken, width = false, d.Width
		}
		if p.At.After(at) {
			at = p.At
		}
		if p.Marker && !broken {
			out = append(out, frame{at, width})
		}
	}
	return out
}

// firstAfter is when the first frame of a width was shown.
func firstAfter(t *testing.T, frames []frame, from time.Time, width uint16) time.Time {
	t.Helper()
	for _, f := range frames {
		if f.at.After(from) && f.width == width {
			return f.at
		}
	}
	t.Fatalf("no frame %d pixels wide", width)
	return time.Time{}
}

func longestGap(frames []frame, from, to time.Time) (longest time.Duration) {
	last := from
	for _, f := range frames {
		if f.at.Before(from) || f.at.After(to) {
			continue
		}
		longest = max(longest, f.at.Sub(last))
		last = f.at
	}
	return longest
}
