package sfu_test

import (
	"slices"
	"testing"
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
	t.Parallel()
	const frames, share = 300, 0.04
	r := sfutest.Start(t, nil)
	v := sfutest.NewViewer(t, r, sfutest.ViewerOptions{Codecs: []media.Codec{media.CodecVP8}, NoRTX: true})
	v.Connect(t, "s")
	var first uint16
	for i := range 2 {
		pub := sfutest.Publish(t, r, "s", media.CodecVP8)
		source := mediatest.NewSource(mediatest.SourceConfig{Codec: media.CodecVP8, Seq: 65000, PictureID: uint16(300 * i)})
		send := func(key bool) { pub.Send(t, media.KindVideo, source.Next(mediatest.Frame{Key: key, Size: 2500})...) }
		before := len(v.Packets(media.KindVideo))
		send(true)
		got := v.WaitCount(t, media.KindVideo, before+1)
		if i == 0 {
			first = got[0].SequenceNumber
		}
		v.Link().Lose(share, uint64(i))
		pace := time.NewTicker(2 * time.Millisecond)
		for range frames {
			<-pace.C
			send(false)
		}
		pace.Stop()
		v.Link().Lose(0, 0)
		v.Repeat(t, media.KindVideo, "every packet", func() { send(false) }, func(p []sfutest.Packet) bool {
			return missing(p, first) == 0
		})
	}
	got := v.Packets(media.KindVideo)
	slices.SortStableFunc(got, func(a, b sfutest.Packet) int { return int(int16(a.SequenceNumber - b.SequenceNumber)) })
	checkContinuous(t, got)
	st := r.Stats()
	if v.Link().Lost() < frames*share || st.RTXSent == 0 {
		t.Errorf("%d datagrams lost, %d repeats: the link does not do what it should", v.Link().Lost(), st.RTXSent)
	}
	if n := st.Drops[sfu.DropSeal]; n > 0 {
		t.Errorf("%d repeats were not the packets that went out first", n)
	}
}
