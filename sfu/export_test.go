package sfu

import (
	"math"
	"testing"
	"time"

	"github.com/pion/rtp"

	"github.com/fanfare-relay/fanfare/media"
	"github.com/fanfare-relay/fanfare/media/codec"
	"github.com/fanfare-relay/fanfare/media/ring"
)

// ForwardAllocs measures the allocations of forwarding one packet to the viewers of a
// stream, from the wake to the system call. Nothing else may use the relay's one worker
// or the publisher's video encoding meanwhile. The packets go on from what was sent.
func ForwardAllocs(t *testing.T, s *SFU, name string, packets []*rtp.Packet) float64 {
	t.Helper()
	s.mu.Lock()
	st := s.streams[name]
	s.mu.Unlock()
	w, sh := s.workers[0], (*st.shards.Load())[0]
	list := st.pub.Load().list()
	enc := list[0]
	p0, err := enc.ring.At(enc.ring.Head() - 1)
	if err != nil || enc.kind != media.KindVideo {
		t.Fatalf("no video to go on from: %v", err)
	}
	now := time.Now()
	built := make([]*ring.Packet, len(packets))
	for i, pkt := range packets {
		raw, err := pkt.Marshal()
		if err != nil {
			t.Fatal(err)
		}
		p, err := enc.builder.BuildFrom(raw, now)
		if err != nil {
			t.Fatal(err)
		}
		p.PayloadType, p.Codec = p0.PayloadType, p0.Codec
		p.Descriptor = codec.Describe(p.Codec, p.Payload, p.Marker)
		p.ExtSeq = p0.ExtSeq + 1 + uint64(i)
		p.Captured = uint64(i+1) << 32 // never what a viewer reckons: each frame tells
		built[i] = p
	}
	next, before := 0, s.total.snapshot().PacketsOut
	// The whole process is counted, and the viewers live in it: when the scheduler lets them run in
	// the middle, their packets are counted too. So the least of several runs counts.
	const runs = 10
	each := len(packets) / runs
	allocs := math.Inf(1)
	for range runs {
		allocs = min(allocs, testing.AllocsPerRun(each-1, func() {
			enc.ring.Append(built[next])
			next++
			w.drain(sh, now)
			w.sendAll()
			w.count(nil)
		}))
	}
	if sent := s.total.snapshot().PacketsOut - before; sent < uint64(len(packets)) {
		t.Fatalf("%d packets went out for %d that came in", sent, len(packets))
	}
	return allocs
}
