package sfu_test

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fanfare-relay/fanfare/media"
	"github.com/fanfare-relay/fanfare/media/mediatest"
	"github.com/fanfare-relay/fanfare/sfu"
	"github.com/fanfare-relay/fanfare/sfu/sfutest"
)

// startVirtual runs a relay in a network in memory; the test runs in virtual time.
func startVirtual(t *testing.T, n *sfutest.Network) *sfutest.Relay {
	return sfutest.Start(t, func(c *sfu.Config) {
		_ = c.Conn.Close()
		c.Conn, c.Workers = n.Listen(sfutest.Line{}), 1
	})
}

// At 50 ms round trip and random loss both ways, repeats among the lost, frames are whole within
// 200 ms of the first sending of their last packet.
func TestFramesUnderLoss(t *testing.T) {
	for _, c := range []struct {
		loss float64
		want float64 // share of frames
	}{{0.01, 0.995}, {0.05, 0.98}, {0.10, 0.93}} {
		t.Run(fmt.Sprintf("%.0f %%", 100*c.loss), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				whole, frames := framesUnderLoss(t, c.loss)
				share := float64(whole) / float64(frames)
				t.Logf("%d of %d frames whole in time: %.2f %%", whole, frames, 100*share)
				if share < c.want {
					t.Errorf("%.2f %% of the frames were whole in time, %.1f %% must be", 100*share, 100*c.want)
				}
			})
		})
	}
}

func framesUnderLoss(t *testing.T, loss float64) (whole, frames int) {
	const soon = 200 * time.Millisecond
	line := sfutest.Line{Delay: 25 * time.Millisecond}
	frames = 1000
	n := sfutest.NewNetwork(7)
	r := startVirtual(t, n)
	pub := sfutest.NewPublisherOn(t, n.Listen(sfutest.Line{}), media.CodecVP8)
	pub.Connect(t, r, "s")
	conn := n.Listen(line)
	v := sfutest.NewViewer(t, r, sfutest.ViewerOptions{Conn: conn, RTT: 50 * time.Millisecond})
	v.Connect(t, "s")
	source := mediatest.NewSource(mediatest.SourceConfig{Codec: media.CodecVP8})
	pub.Send(t, media.KindVideo, source.Next(mediatest.Frame{Key: true, Size: 2500})...)
	first := v.WaitCount(t, media.KindVideo, 1)[0].Timestamp
	line.Loss = loss
	conn.SetLine(line)
	sizes, sentAt := map[uint32]int{}, map[uint32]time.Time{}
	for i := range frames {
		time.Sleep(time.Second / 30)
		packets := source.Next(mediatest.Frame{Size: 9000}) // 2.2 Mbit/s
		pub.Send(t, media.KindVideo, packets...)
		ts := first + uint32(i+1)*3000
		sizes[ts], sentAt[ts] = len(packets), time.Now()
	}
	for range 30 { // what shows that the last ones are missing, and carries repeats
		time.Sleep(time.Second / 30)
		pub.Send(t, media.KindVideo, source.Next(mediatest.Frame{Size: 100})...)
	}
	seen, got := map[uint16]bool{}, map[uint32]int{}
	for _, p := range v.Packets(media.KindVideo) {
		if seen[p.SequenceNumber] || sizes[p.Timestamp] == 0 {
			continue
		}
		seen[p.SequenceNumber] = true
		if got[p.Timestamp]++; got[p.Timestamp] == sizes[p.Timestamp] && p.At.Sub(sentAt[p.Timestamp]) <= soon {
			whole++
		}
	}
	t.Logf("%d datagrams lost; %d repeats", conn.Lost(), r.Stats().RTXSent)
	return whole, frames
}
