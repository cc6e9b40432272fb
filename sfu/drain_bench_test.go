package sfu_test

import (
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/pion/rtp"

	"github.com/fanfare-relay/fanfare/media"
	"github.com/fanfare-relay/fanfare/media/mediatest"
	"github.com/fanfare-relay/fanfare/sfu"
	"github.com/fanfare-relay/fanfare/sfu/sfutest"
)

// BenchmarkDrain is a pass of a worker over its viewers with three packets of picture each, without the system calls. One
// viewer is always warm; of hundreds each is found in cold memory.
//
//	go test ./sfu -run xxx -bench Drain -cpu 1
func BenchmarkDrain(b *testing.B) {
	for _, viewers := range []int{1, 50, 400} {
		b.Run(fmt.Sprintf("viewers=%d", viewers), func(b *testing.B) {
			benchmarkDrain(b, viewers)
		})
	}
}

// startHeld runs a relay whose one worker stops when so many viewers have connected, for a StandIn to take its
// place. It is held from when the channel is closed, until release.
func startHeld(tb testing.TB, viewers int64) (r *sfutest.Relay, held <-chan struct{}, release func()) {
	tb.Helper()
	stopped, hold := make(chan struct{}), make(chan struct{})
	var connected atomic.Int64
	r = sfutest.Start(tb, func(c *sfu.Config) {
		c.Workers = 1
		note := c.OnEvent
		c.OnEvent = func(e media.Event) {
			note(e)
			if e.Kind == media.EventConnected && e.Role == media.RoleSubscriber && connected.Add(1) == viewers {
				close(stopped)
				<-hold
			}
		}
	})
	return r, stopped, func() { close(hold) }
}

func benchmarkDrain(b *testing.B, viewers int) {
	const each = 3
	r, held, release := startHeld(b, int64(viewers))
	defer release()
	pub := sfutest.Publish(b, r, "s", media.CodecVP8)
	source := mediatest.NewSource(mediatest.SourceConfig{Codec: media.CodecVP8})
	pub.Send(b, media.KindVideo, source.Next(mediatest.Frame{Key: true, Size: 2000})...)
	r.WaitStats(b, "a key frame", func(s sfu.Stats) bool { return s.PacketsIn >= 2 })
	for range viewers {
		v := sfutest.NewViewer(b, r, sfutest.ViewerOptions{Feedback: true})
		v.Connect(b, "s")
	}
	<-held
	var packets []*rtp.Packet
	for range 100 {
		packets = append(packets, source.Next(mediatest.Frame{Size: 3200})...)
	}
	in := sfu.NewStandIn(b, r.SFU, "s", packets)
	in.Nowhere()
	passes := 0
	for b.Loop() {
		in.Again(each, time.Now())
		passes++
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(passes*viewers*each), "ns/packet")
}
