package sfu_test

import (
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fanfare-relay/fanfare/media"
	"github.com/fanfare-relay/fanfare/media/mediatest"
	"github.com/fanfare-relay/fanfare/sfu"
	"github.com/fanfare-relay/fanfare/sfu/sfutest"
)

// A viewer that takes no RTX gets what it lost under the number that it had, with the very bytes
// that it had: the leg counts a packet that is not the same, and keeps it back. The second source
// has other picture numbers, so that payloads are changed on the way from there on.
func TestRepairWithoutRTX(t *testing.T) {
	const frames, share = 300, 0.04
	synctest.Test(t, func(t *testing.T) {
		n := sfutest.NewNetwork(7)
		r := startVirtual(t, n)
		conn := n.Listen(sfutest.Line{})
		v := sfutest.NewViewer(t, r, sfutest.ViewerOptions{Codecs: []media.Codec{media.CodecVP8}, NoRTX: true, Conn: conn})
		v.Connect(t, "s")
		var first uint16
		for i := range 2 {
			pub := sfutest.NewPublisherOn(t, n.Listen(sfutest.Line{}), media.CodecVP8)
			pub.Connect(t, r, "s")
			source := mediatest.NewSource(mediatest.SourceConfig{Codec: media.CodecVP8, Seq: 65000, PictureID: uint16(300 * i)})
			send := func(key bool) { pub.Send(t, media.KindVideo, source.Next(mediatest.Frame{Key: key, Size: 2500})...) }
			before := len(v.Packets(media.KindVideo))
			send(true)
			got := v.WaitCount(t, media.KindVideo, before+1)
			if i == 0 {
				first = got[0].SequenceNumber
			}
			conn.SetLine(sfutest.Line{Loss: share})
			for range frames {
				time.Sleep(2 * time.Millisecond)
				send(false)
			}
			synctest.Wait() // the last frames are there or lost before anybody counts
			conn.SetLine(sfutest.Line{})
			v.Repeat(t, media.KindVideo, "every packet", func() { send(false) }, func(p []sfutest.Packet) bool {
				return missing(p, first) == 0
			})
		}
		synctest.Wait() // for what is under way
		got := v.Packets(media.KindVideo)
		slices.SortStableFunc(got, func(a, b sfutest.Packet) int { return int(int16(a.SequenceNumber - b.SequenceNumber)) })
		checkContinuous(t, got)
		st := r.Stats()
		if float64(conn.Lost()) < frames*share || st.RTXSent == 0 {
			t.Errorf("%d datagrams lost, %d repeats: the link does not do what it should", conn.Lost(), st.RTXSent)
		}
		if n := st.Drops[sfu.DropSeal]; n > 0 {
			t.Errorf("%d repeats were not the packets that went out first", n)
		}
	})
}
