package sfu

import (
	"encoding/binary"
	"net"
	"slices"
	"testing"
	"time"

	"github.com/pion/rtp"

	"github.com/fanfare-relay/fanfare/media"
	"github.com/fanfare-relay/fanfare/media/codec"
	"github.com/fanfare-relay/fanfare/media/estimate"
	"github.com/fanfare-relay/fanfare/media/ring"
	"github.com/fanfare-relay/fanfare/sfu/udp"
)

// StandIn takes a relay's one worker's place: nothing else may use it, or the publisher's encodings,
// meanwhile.
type StandIn struct {
	sfu            *SFU
	w              *worker
	sh             *shard
	picture, sound encodingInput

	answers []answers
	raw     []byte // scratch: feedback
}

// encodingInput is what comes in of one encoding, behind what was sent.
type encodingInput struct {
	enc     *encoding
	packets []*ring.Packet
	next    int
}

// NewStandIn goes on with packets of the stream's picture, and of its sound if there are any.
func NewStandIn(t testing.TB, s *SFU, name string, picture []*rtp.Packet, sound ...*rtp.Packet) *StandIn {
	t.Helper()
	s.mu.Lock()
	st := s.streams[name]
	s.mu.Unlock()
	in := &StandIn{sfu: s, w: s.workers[0], sh: (*st.shards.Load())[0]}
	in.picture = newEncodingInput(t, st, media.KindVideo, picture)
	if len(sound) > 0 {
		in.sound = newEncodingInput(t, st, media.KindAudio, sound)
	}
	for _, v := range in.sh.viewers {
		in.answers = append(in.answers, answers{viewer: v, next: v.transportSeq})
	}
	return in
}

func newEncodingInput(t testing.TB, st *stream, kind media.Kind, packets []*rtp.Packet) encodingInput {
	t.Helper()
	list := st.pub.Load().list()
	i := slices.IndexFunc(list, func(e *encoding) bool { return e.kind == kind })
	if i < 0 {
		t.Fatalf("the publisher sends no %v", kind)
	}
	in := encodingInput{enc: list[i]}
	p0, err := in.enc.ring.At(in.enc.ring.Head() - 1)
	if err != nil {
		t.Fatalf("no %v to go on from: %v", kind, err)
	}
	var b ring.Builder
	for i, pkt := range packets {
		raw, err := pkt.Marshal()
		if err != nil {
			t.Fatal(err)
		}
		p, err := b.BuildFrom(raw, time.Now())
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

func (in *encodingInput) take(n int) {
	for range n {
		in.enc.ring.Append(in.packets[in.next])
		in.next++
	}
}

// Uncaptured makes frames of a publisher who does not say when they were captured.
func (in *StandIn) Uncaptured() {
	for _, p := range slices.Concat(in.picture.packets, in.sound.packets) {
		p.Captured = 0
	}
}

// LeaveOut takes the next packets of the picture in, so many, and leaves them out for all viewers, as those of a layer that is
// too much for them.
func (in *StandIn) LeaveOut(picture int) {
	in.picture.take(picture)
	for _, v := range in.sh.viewers {
		t := &v.tracks[0]
		for range picture {
			p, _ := t.enc.ring.At(t.pos)
			t.pos++
			t.rewriter.Drop(t.enc.source, p.ExtSeq, t.patcher.Drop(p.Codec, p.Descriptor))
		}
	}
}

// Forward takes the next packets in, so many of the picture and of the sound, and sends them to all viewers.
func (in *StandIn) Forward(picture, sound int, now time.Time) {
	in.picture.take(picture)
	in.sound.take(sound)
	in.w.drain(in.sh, now)
	in.w.sendAll()
	in.w.count(nil)
}

// Nowhere lets what is sent from now on go nowhere: only the relay's own work is left.
func (in *StandIn) Nowhere() { in.w.batch = udp.Wrap(nowhere{}).NewBatch() }

// Unread lets what is sent from now on go to sockets that nobody reads: the system calls are the same, and
// nobody is woken by them.
func (in *StandIn) Unread(t testing.TB) {
	t.Helper()
	for _, v := range in.sh.viewers {
		conn, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = conn.Close() })
		v.path.Remote = conn.LocalAddr().(*net.UDPAddr).AddrPort()
	}
}

// Again is Forward of packets of the picture that were there before, under numbers of their own, for as long as one likes.
func (in *StandIn) Again(n int, now time.Time) {
	if p := &in.picture; p.next+n > len(p.packets) {
		last := p.packets[len(p.packets)-1].ExtSeq
		copies := make([]ring.Packet, len(p.packets))
		for i, old := range p.packets {
			copies[i] = *old
			copies[i].ExtSeq = last + 1 + uint64(i)
			p.packets[i] = &copies[i]
		}
		p.next = 0
	}
	in.Forward(n, 0, now)
}

// PacketsOut is how many packets have been sent to viewers.
func (in *StandIn) PacketsOut() uint64 { return in.sfu.total.snapshot().PacketsOut }

// answers is what one viewer has said of its line.
type answers struct {
	viewer *viewer
	next   uint16 // the first transport-wide number that it has said nothing of
	number byte   // of the next feedback
}

// Answer lets all viewers that tell about their line say that everything has come since the last time, in even
// steps. It returns of how many the estimate rests on that.
func (in *StandIn) Answer(since, now time.Time) (estimates int) {
	for i := range in.answers {
		a := &in.answers[i]
		v := a.viewer
		if !v.estimates || v.transportSeq == a.next {
			continue
		}
		in.raw = appendAllCame(in.raw[:0], a.next, int(v.transportSeq-a.next), a.number, since, now)
		a.next, a.number = v.transportSeq, a.number+1
		in.w.readRTCP(v, in.raw, now)
		if v.estimator.State().Source == estimate.SourceTransport {
			estimates++
		}
	}
	return estimates
}

// appendAllCame appends transport-wide feedback (draft-holmer-rmcat-transport-wide-cc-extensions-01 section 3.1)
// of so many packets, all of which have come.
func appendAllCame(dst []byte, base uint16, count int, number byte, since, now time.Time) []byte {
	const tick, unit = 64 * time.Millisecond, 250 * time.Microsecond
	from := time.Duration(since.UnixNano()) % (1000 * time.Hour)
	dst = append(dst, 0x8f, 205, 0, 0, 0, 0, 0, 1, 0, 0, 0, 2)
	dst = binary.BigEndian.AppendUint16(dst, base)
	dst = binary.BigEndian.AppendUint16(dst, uint16(count))
	dst = binary.BigEndian.AppendUint32(dst, uint32(from/tick)<<8|uint32(number))
	dst = binary.BigEndian.AppendUint16(dst, 1<<13|uint16(count)) // a run of small deltas
	delta := from % tick
	for range count {
		dst = append(dst, byte(delta/unit))
		delta = now.Sub(since) / time.Duration(count)
	}
	for len(dst)%4 != 0 {
		dst = append(dst, 0)
	}
	binary.BigEndian.PutUint16(dst[2:], uint16(len(dst)/4-1))
	return dst
}

type nowhere struct{ net.PacketConn }

func (nowhere) WriteTo(b []byte, _ net.Addr) (int, error) { return len(b), nil }
func (nowhere) LocalAddr() net.Addr                       { return &net.UDPAddr{} }

// Sources is how many sources of a stream's publisher are open.
func Sources(s *SFU, name string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.streams[name].pub.Load().list())
}
