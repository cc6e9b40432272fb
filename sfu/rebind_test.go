package sfu_test

import (
	"testing"

	"github.com/fanfare-relay/fanfare/media"
	"github.com/fanfare-relay/fanfare/media/mediatest"
	"github.com/fanfare-relay/fanfare/sfu"
	"github.com/fanfare-relay/fanfare/sfu/sfutest"
)

// A viewer whose NAT gives it a new port, and who sends no check from there, is found by its
// reports: the relay probes the new address, and the media follows.
func TestReportsFromANewPort(t *testing.T) {
	t.Parallel()
	r := sfutest.Start(t, nil)
	pub := sfutest.Publish(t, r, "s", media.CodecVP8)
	v := sfutest.Subscribe(t, r, "s")
	source := mediatest.NewSource(mediatest.SourceConfig{Codec: media.CodecVP8})
	send := func(key bool) {
		pub.Send(t, media.KindVideo, source.Next(mediatest.Frame{Key: key, Size: 500})...)
	}
	send(true)
	v.WaitCount(t, media.KindVideo, 1)
	v.AskForKey(t) // the relay learns under which SSRC the viewer reports
	r.WaitStats(t, "a report", func(s sfu.Stats) bool { return s.PLIsReceived > 0 })

	v.Link().Rebind(t)
	before := len(v.Packets(media.KindVideo))
	v.Repeat(t, media.KindVideo, "packets at the new port", func() {
		v.AskForKey(t)
		send(false)
	}, func(p []sfutest.Packet) bool { return len(p) > before+10 })
	if n := r.Stats().Viewers; n != 1 {
		t.Errorf("%d viewers, want the one that moved", n)
	}
}
