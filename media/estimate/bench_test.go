package estimate_test

import (
	"encoding/binary"
	"testing"
	"time"

	"github.com/pion/interceptor"
	"github.com/pion/interceptor/pkg/gcc"
	"github.com/pion/rtcp"
	"github.com/pion/rtp"

	"github.com/fanfare-relay/fanfare/media/estimate"
)

// perFeedback is how many packets one feedback speaks of: a tenth of a second of 2.4 Mbit/s and sound.
const perFeedback = 32

// The cost of a packet, its share of a feedback included.
func BenchmarkPacket(b *testing.B) {
	b.Run("ours", func(b *testing.B) {
		e, now, seq := estimate.New(estimate.Config{}), epoch, uint16(0)
		b.ReportAllocs()
		for i := 0; b.Loop(); i++ {
			now = now.Add(3 * time.Millisecond)
			e.Sent(seq, 1140, now)
			seq++
			if seq%perFeedback == 0 {
				b.StopTimer()
				raw := feedback(seq-perFeedback, perFeedback, uint32(now.Sub(epoch)/(64*time.Millisecond)), 0)
				b.StartTimer()
				e.Feedback(raw, now)
			}
		}
	})
	b.Run("pion gcc", func(b *testing.B) { pionPackets(b) })
}

func pionPackets(b *testing.B) {
	bwe, err := gcc.NewSendSideBWE(gcc.SendSideBWEPacer(gcc.NewNoOpPacer()))
	if err != nil {
		b.Fatal(err)
	}
	defer bwe.Close()
	const id = 5
	w := bwe.AddStream(&interceptor.StreamInfo{SSRC: 1, RTPHeaderExtensions: []interceptor.RTPHeaderExtension{
		{URI: "http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01", ID: id},
	}}, interceptor.RTPWriterFunc(func(*rtp.Header, []byte, interceptor.Attributes) (int, error) { return 0, nil }))
	header, payload, seq := rtp.Header{Version: 2, SSRC: 1}, make([]byte, 1100), uint16(0)
	number := make([]byte, 2)
	if err := header.SetExtension(id, number); err != nil {
		b.Fatal(err)
	}
	start := time.Now()
	b.ReportAllocs()
	for b.Loop() {
		binary.BigEndian.PutUint16(number, seq) // the header holds it
		if _, err := w.Write(&header, payload, nil); err != nil {
			b.Fatal(err)
		}
		seq++
		if seq%perFeedback == 0 {
			b.StopTimer()
			raw := feedback(seq-perFeedback, perFeedback, uint32(time.Since(start)/(64*time.Millisecond)), 0)
			b.StartTimer()
			pkts, err := rtcp.Unmarshal(raw)
			if err != nil {
				b.Fatal(err)
			}
			if err := bwe.WriteRTCP(pkts, nil); err != nil {
				b.Fatal(err)
			}
		}
	}
}

// What one viewer's bookkeeping costs a packet that leaves.
func BenchmarkSent(b *testing.B) {
	e, seq := estimate.New(estimate.Config{}), uint16(0)
	passes := make([]time.Time, 1000) // as the worker reads them: with the monotonic clock
	for i := range passes {
		passes[i] = time.Now().Add(time.Duration(i) * 3 * time.Millisecond)
	}
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		e.Sent(seq, 1140, passes[i%len(passes)])
		seq++
	}
}
