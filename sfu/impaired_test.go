package sfu_test

import (
	"flag"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fanfare-relay/fanfare/media"
	"github.com/fanfare-relay/fanfare/media/codec"
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
		settled := l.run(t, 4*time.Second) // from here on everybody has the best encoding
		squeezed := l.run(t, 4*time.Second)
		conn.SetLine(narrow)
		freed := l.run(t, 6*time.Second)
		conn.SetLine(wide)
		end := l.run(t, 8*time.Second)
		time.Sleep(time.Second) // the last frame is on its way to some and has come to others
		synctest.Wait()
		frames := decoded(viewers[0].Packets(media.KindVideo))
		low, back := firstAfter(t, frames, squeezed, 320).Sub(squeezed), firstAfter(t, frames, freed, 1280).Sub(freed)
		freeze := longestGap(frames, squeezed, end)
		t.Logf("low after %v, longest freeze %v; back after %v", low, freeze, back)
		if low > 3*time.Second || freeze > time.Second || back > 15*time.Second {
			t.Error("at most 3 s, 1 s and 15 s are allowed")
		}
		checkUnchanged(t, l, viewers[1:], settled, squeezed, freed, end)
	})
}

// checkUnchanged compares what viewers got with what was sent of the best encoding: every packet has come to all
// of them, while one is squeezed nearly as fast as before, and their pictures went on.
func checkUnchanged(t *testing.T, l *ladder, others []*sfutest.Viewer, settled, squeezed, freed, end time.Time) {
	t.Helper()
	const later = 50 // ms
	var slowest [2]float64
	packets := 0
	for i, v := range others {
		whole := l.arrived(v, "h", settled, end)
		before, during := l.arrived(v, "h", settled, squeezed), l.arrived(v, "h", squeezed, freed)
		if packets += whole.packets; whole.lost > 0 || whole.packets == 0 {
			t.Errorf("viewer %d has not got %d of %d packets", i+1, whole.lost, whole.packets)
		}
		if during.p99 > before.p99+later {
			t.Errorf("viewer %d: 99 %% of the packets came within %.1f ms, and while another was squeezed within %.1f ms", i+1, before.p99, during.p99)
		}
		if gap := longestGap(decoded(v.Packets(media.KindVideo)), settled, end); gap > 100*time.Millisecond {
			t.Errorf("viewer %d had a gap of %v", i+1, gap)
		}
		slowest = [2]float64{max(slowest[0], before.p99), max(slowest[1], during.p99)}
	}
	t.Logf("%d others: all of %d packets came; 99 %% within %.1f ms before the squeeze and %.1f ms during it, for the slowest of them",
		len(others), packets, slowest[0], slowest[1])
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
