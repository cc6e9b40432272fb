package sfu_test

import (
	"flag"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fanfare-relay/fanfare/media"
	"github.com/fanfare-relay/fanfare/media/mediatest"
	"github.com/fanfare-relay/fanfare/sfu"
	"github.com/fanfare-relay/fanfare/sfu/sfutest"
)

var allTrials = flag.Bool("trials", false, "print what parity brings for every round trip and loss")

// repairTrial is a viewer on a line with loss both ways, repeats and parity among the lost.
type repairTrial struct {
	rtt      time.Duration
	loss     float64
	parity   bool
	feedback bool // the viewer tells about its line
	frames   int  // that count, at 30 a second; before them go those by which the relay learns the line
	warm     int
	size     int // of a frame in bytes; 0: 9,000, which is 2.2 Mbit/s
}

// repairResult is what came of it.
type repairResult struct {
	whole, frames int // frames that were whole within 200 ms of the first sending of their last packet
	media, parity int // bytes of payload
	repeats       uint64
	parityPackets int
	lost          int
}

func (r repairResult) share() float64 { return float64(r.whole) / float64(r.frames) }

func (r repairResult) String() string {
	return fmt.Sprintf("%.2f %% of %d frames whole in time; %d datagrams lost, %d repeats, %d parity packets (%.1f %% of the bytes)",
		100*r.share(), r.frames, r.lost, r.repeats, r.parityPackets, 100*float64(r.parity)/float64(r.media))
}

func (c repairTrial) run(t *testing.T) (out repairResult) {
	t.Helper()
	const soon = 200 * time.Millisecond
	line := sfutest.Line{Delay: c.rtt / 2}
	n := sfutest.NewNetwork(7)
	r := sfutest.Start(t, func(cfg *sfu.Config) {
		_ = cfg.Conn.Close()
		cfg.Conn, cfg.Workers, cfg.Parity = n.Listen(sfutest.Line{}), 1, c.parity
	})
	pub := sfutest.NewPublisherOn(t, n.Listen(sfutest.Line{}), media.CodecVP8)
	pub.Connect(t, r, "s")
	conn := n.Listen(line)
	v := sfutest.NewViewer(t, r, sfutest.ViewerOptions{Conn: conn, RTT: c.rtt, Parity: c.warm > 0, Feedback: c.feedback})
	v.Connect(t, "s")
	source := mediatest.NewSource(mediatest.SourceConfig{Codec: media.CodecVP8})
	pub.Send(t, media.KindVideo, source.Next(mediatest.Frame{Key: true, Size: 2500})...)
	first := v.WaitCount(t, media.KindVideo, 1)[0].Timestamp
	line.Loss = c.loss
	conn.SetLine(line)
	size := max(c.size, 1)
	if c.size == 0 {
		size = 9000
	}
	packets, sentAt := map[uint32]int{}, map[uint32]time.Time{}
	for i := range c.warm + c.frames {
		time.Sleep(time.Second / 30)
		list := source.Next(mediatest.Frame{Size: size})
		pub.Send(t, media.KindVideo, list...)
		for _, p := range list {
			out.media += len(p.Payload)
		}
		if ts := first + uint32(i+1)*3000; i >= c.warm {
			packets[ts], sentAt[ts] = len(list), time.Now()
		}
	}
	for range 30 { // what shows that the last ones are missing, and carries repeats
		time.Sleep(time.Second / 30)
		pub.Send(t, media.KindVideo, source.Next(mediatest.Frame{Size: 100})...)
	}
	seen, got := map[uint16]bool{}, map[uint32]int{}
	for _, p := range v.Packets(media.KindVideo) {
		if seen[p.SequenceNumber] {
			continue
		}
		seen[p.SequenceNumber] = true
		if got[p.Timestamp]++; got[p.Timestamp] == packets[p.Timestamp] && p.At.Sub(sentAt[p.Timestamp]) <= soon {
			out.whole++
		}
	}
	out.frames, out.lost, out.repeats = c.frames, conn.Lost(), r.Stats().RTXSent
	out.parityPackets, out.parity = v.Parity()
	t.Log(out)
	return out
}

// Where a repeat comes too late parity makes frames whole in time; where it does not, there is none.
func TestParity(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		rtt     time.Duration
		loss    float64
		least   float64    // share of frames with parity
		without [2]float64 // at least and at most
		none    bool
	}{
		{60 * time.Millisecond, 0.05, 0.95, [2]float64{0.95, 1}, true},
		{200 * time.Millisecond, 0.05, 0.85, [2]float64{0.50, 0.75}, false},
	} {
		t.Run(fmt.Sprintf("%v, %.0f %%", c.rtt, 100*c.loss), func(t *testing.T) {
			t.Parallel()
			var got [2]repairResult
			for i, parity := range []bool{false, true} {
				synctest.Test(t, func(t *testing.T) {
					got[i] = repairTrial{rtt: c.rtt, loss: c.loss, parity: parity, frames: 300, warm: 120}.run(t)
				})
			}
			if got[0].share() < c.without[0] || got[0].share() > c.without[1] || got[1].share() < c.least {
				t.Errorf("%.1f %% without parity and %.1f %% with", 100*got[0].share(), 100*got[1].share())
			}
			if got[0].parityPackets != 0 || (got[1].parityPackets == 0) != c.none {
				t.Errorf("%d parity packets without, %d with", got[0].parityPackets, got[1].parityPackets)
			}
		})
	}
}

// The tables of docs/adr: go test ./sfu -run TestParityTrials -v -args -trials
func TestParityTrials(t *testing.T) {
	rtts, losses, frames := []time.Duration{150 * time.Millisecond}, []float64{0.01}, 60
	if *allTrials {
		rtts = []time.Duration{50 * time.Millisecond, 100 * time.Millisecond, 150 * time.Millisecond, 200 * time.Millisecond, 300 * time.Millisecond}
		losses, frames = []float64{0.01, 0.05, 0.10}, 1000
	}
	for _, feedback := range []bool{false, true} {
		var table strings.Builder
		for _, size := range []int{9000, 2500} {
			for _, rtt := range rtts {
				for _, loss := range losses {
					c := repairTrial{rtt: rtt, loss: loss, feedback: feedback, frames: frames, warm: 150, size: size}
					fmt.Fprintf(&table, "| %d | %v | %.0f %% |%s\n", size, rtt, 100*loss, c.both(t))
				}
			}
		}
		t.Logf("feedback %v; frame bytes, round trip, loss, without, with parity:\n%s", feedback, table.String())
	}
}

// both is a row of a table: without parity, and with it.
func (c repairTrial) both(t *testing.T) (row string) {
	t.Helper()
	for _, c.parity = range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			got := c.run(t)
			row += fmt.Sprintf(" %.1f %% (%d repeats, parity %.1f %%) |", 100*got.share(), got.repeats, 100*float64(got.parity)/float64(got.media))
		})
	}
	return row
}
