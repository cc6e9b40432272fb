package sfu

import (
	"math"
	"net"
	"testing"
	"time"

	"github.com/pion/rtp"

	"github.com/fanfare-relay/fanfare/media"
	"github.com/fanfare-relay/fanfare/media/codec"
	"github.com/fanfare-relay/fanfare/media/ring"
	"github.com/fanfare-relay/fanfare/sfu/udp"
)

// StandIn takes a relay's one worker's place: nothing else may use it, or the publisher's video encoding,
// meanwhile.
type StandIn struct {
	sfu *SFU
	w   *worker
	sh  *shard
	enc *encoding

	packets []*ring.Packet
	next    int
}

// NewStandIn goes on with packets of the stream's video, behind what was sent.
func NewStandIn(t testing.TB, s *SFU, name string, packets []*rtp.Packet) *StandIn {
	t.Helper()
	s.mu.Lock()
	st := s.streams[name]
	s.mu.Unlock()
	in := &StandIn{sfu: s, w: s.workers[0], sh: (*st.shards.Load())[0], enc: st.pub.Load().list()[0]}
	p0, err := in.enc.ring.At(in.enc.ring.Head() - 1)
	if err != nil || in.enc.kind != media.KindVideo {
		t.Fatalf("no video to go on from: %v", err)
	}
	for i, pkt := range packets {
		raw, err := pkt.Marshal()
		if err != nil {
			t.Fatal(err)
		}
		p, err := in.enc.builder.BuildFrom(raw, time.Now())
		if err != nil {
			t.Fatal(err)
		}
		p.PayloadType, p.Codec = p0.PayloadType, p0.Codec
		p.Descriptor = codec.Describe(p.Codec, p.Payload, p.Marker)
		p.ExtSeq = p0.ExtSeq + 1 + uint64(i)
		p.Captured = uint64(i+1) << 32 // never what a viewer reckons: each frame tells
		in.packets = append(in.packets, p)
	}
	return in
}

// Forward takes the next n packets in and sends them to all viewers.
func (in *StandIn) Forward(n int, now time.Time) {
	for range n {
		in.enc.ring.Append(in.packets[in.next])
		in.next++
	}
	in.w.drain(in.sh, now)
	in.w.sendAll()
	in.w.count(nil)
}

// Nowhere lets what is sent from now on go nowhere: only the relay's own work is left.
func (in *StandIn) Nowhere() { in.w.batch = udp.Wrap(nowhere{}).NewBatch() }

// Again is Forward of packets that were there before, under numbers of their own, for as long as one likes.
func (in *StandIn) Again(n int, now time.Time) {
	if in.next+n > len(in.packets) {
		last := in.packets[len(in.packets)-1].ExtSeq
		copies := make([]ring.Packet, len(in.packets))
		for i, p := range in.packets {
			copies[i] = *p
			copies[i].ExtSeq = last + 1 + uint64(i)
			in.packets[i] = &copies[i]
		}
		in.next = 0
	}
	in.Forward(n, now)
}

type nowhere struct{ net.PacketConn }

func (nowhere) WriteTo(b []byte, _ net.Addr) (int, error) { return len(b), nil }
func (nowhere) LocalAddr() net.Addr                       { return &net.UDPAddr{} }

// ForwardAllocs measures the allocations of forwarding one packet to the viewers of a
// stream, from the wake to the system call. The packets go on from what was sent.
func ForwardAllocs(t *testing.T, s *SFU, name string, packets []*rtp.Packet) float64 {
	t.Helper()
	in := NewStandIn(t, s, name, packets)
	before, now := s.total.snapshot().PacketsOut, time.Now()
	// The whole process is counted, and the viewers live in it: when the scheduler lets them run in
	// the middle, their packets are counted too. So the least of several runs counts.
	const runs = 10
	each := len(packets) / runs
	allocs := math.Inf(1)
	for range runs {
		allocs = min(allocs, testing.AllocsPerRun(each-1, func() { in.Forward(1, now) }))
	}
	if sent := s.total.snapshot().PacketsOut - before; sent < uint64(len(packets)) {
		t.Fatalf("%d packets went out for %d that came in", sent, len(packets))
	}
	return allocs
}

// Sources is how many sources of a stream's publisher are open.
func Sources(s *SFU, name string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.streams[name].pub.Load().list())
}
