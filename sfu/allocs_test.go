//go:build !race

package sfu_test

import (
	"testing"

	"github.com/pion/rtp"

	"github.com/fanfare-relay/fanfare/media"
	"github.com/fanfare-relay/fanfare/media/mediatest"
	"github.com/fanfare-relay/fanfare/sfu"
	"github.com/fanfare-relay/fanfare/sfu/sfutest"
)

// Forwarding a packet allocates nothing, from the wake of a worker to the socket. (The race
// detector allocates by itself, so this test runs without it only.)
func TestForwardAllocatesNothing(t *testing.T) {
	hold := make(chan struct{})
	connected := 0
	r := sfutest.Start(t, func(c *sfu.Config) {
		c.Workers = 1
		note := c.OnEvent
		c.OnEvent = func(e media.Event) {
			note(e)
			if e.Kind != media.EventConnected || e.Role != media.RoleSubscriber {
				return
			}
			if connected++; connected == 2 {
				<-hold // stops the worker while the test stands in for it
			}
		}
	})
	defer close(hold)
	pub := sfutest.Publish(t, r, "s", media.CodecVP8)
	first := sfutest.Subscribe(t, r, "s")
	source := mediatest.NewSource(mediatest.SourceConfig{Codec: media.CodecVP8})
	packets := source.Next(mediatest.Frame{Key: true, Size: 2000})
	pub.Send(t, media.KindVideo, packets...)
	first.WaitCount(t, media.KindVideo, len(packets))
	sfutest.Subscribe(t, r, "s")

	var more []*rtp.Packet
	for range 100 {
		more = append(more, source.Next(mediatest.Frame{Size: 2000})...)
	}
	if allocs := sfu.ForwardAllocs(t, r.SFU, "s", more); allocs > 0 {
		t.Errorf("%.2f allocations a packet", allocs)
	}
}
