package sfu_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/fanfare-relay/fanfare/media"
	"github.com/fanfare-relay/fanfare/media/mediatest"
	"github.com/fanfare-relay/fanfare/sfu/sfutest"
)

// At 2 % loss between relay and viewer, both ways and with repeats among the lost, 99 of
// 100 lost packets come again within 300 ms.
func TestRepairByRTX(t *testing.T) {
	const frames, share, soon = 1000, 0.02, 300 * time.Millisecond
	synctest.Test(t, func(t *testing.T) {
		n := sfutest.NewNetwork(42)
		r := startVirtual(t, n)
		pub := sfutest.NewPublisherOn(t, n.Listen(sfutest.Line{}), media.CodecVP8)
		pub.Connect(t, r, "s")
		conn := n.Listen(sfutest.Line{})
		v := sfutest.NewViewer(t, r, sfutest.ViewerOptions{Conn: conn})
		v.Connect(t, "s")
		source := mediatest.NewSource(mediatest.SourceConfig{Codec: media.CodecVP8, Seq: 60000})
		sent := 0
		send := func(key bool) {
			packets := source.Next(mediatest.Frame{Key: key, Size: 2500})
			sent += len(packets)
			pub.Send(t, media.KindVideo, packets...)
		}
		send(true)
		first := v.WaitCount(t, media.KindVideo, sent)[0].SequenceNumber
		conn.SetLine(sfutest.Line{Loss: share})
		for range frames {
			time.Sleep(10 * time.Millisecond)
			send(false)
		}
		conn.SetLine(sfutest.Line{})
		// pion hands repeats over only between packets of the main source.
		v.Repeat(t, media.KindVideo, "every packet", func() { send(false) }, func(p []sfutest.Packet) bool {
			return missing(p, first) == 0
		})
		lost, repaired := repairs(v.Packets(media.KindVideo), soon)
		t.Logf("%d datagrams lost, %d packets of them missing at first, %d back within %v", conn.Lost(), lost, repaired, soon)
		if lost < sent/200 {
			t.Fatalf("%d of %d packets were lost: the link does not do what it should", lost, sent)
		}
		if float64(repaired) < 0.99*float64(lost) {
			t.Errorf("%d of %d lost packets came back within %v", repaired, lost, soon)
		}
		if st := r.Stats(); st.RTXSent < uint64(lost) {
			t.Errorf("%d repeats for %d lost packets", st.RTXSent, lost)
		}
	})
}

// missing counts the holes between the first packet and the newest one.
func missing(p []sfutest.Packet, first uint16) int {
	seen := map[uint16]bool{}
	var newest uint16
	for i := range p {
		d := p[i].SequenceNumber - first
		seen[d] = true
		newest = max(newest, d)
	}
	return int(newest) + 1 - len(seen)
}

// repairs counts the packets that came as repeats, and those of them that came soon after
// the next packet had shown that they were missing.
func repairs(p []sfutest.Packet, soon time.Duration) (lost, repaired int) {
	shown := map[uint16]time.Time{} // by number: when a later packet came
	var newest uint16
	for i := range p {
		if i > 0 && !p[i].Repeated {
			for s := newest + 1; s != p[i].SequenceNumber; s++ {
				shown[s] = p[i].At
			}
		}
		if !p[i].Repeated {
			newest = p[i].SequenceNumber
			continue
		}
		if at, ok := shown[p[i].SequenceNumber]; ok {
			delete(shown, p[i].SequenceNumber)
			lost++
			if p[i].At.Sub(at) <= soon {
				repaired++
			}
		}
	}
	return lost, repaired
}
