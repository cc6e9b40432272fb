package sfu

import (
	"errors"
	"io"
	"testing"
	"time"

	"github.com/pion/interceptor"
	"github.com/pion/rtcp"
	"github.com/pion/rtp"
	"github.com/pion/webrtc/v3"

	"github.com/fanfare-relay/fanfare/media"
	"github.com/fanfare-relay/fanfare/media/mediatest"
	"github.com/fanfare-relay/fanfare/media/nack"
	"github.com/fanfare-relay/fanfare/media/report"
	"github.com/fanfare-relay/fanfare/media/ring"
	"github.com/fanfare-relay/fanfare/sfu/lite"
)

const testPT = 96

// testEncoding is a VP8 encoding of a publisher without a connection.
func testEncoding(s *SFU, capacity int) *encoding {
	p := &publisher{sfu: s, stream: &stream{name: "s"}, pokes: make(chan struct{}, 1)}
	p.up()
	e := &encoding{
		pub: p, kind: media.KindVideo, ring: ring.New(capacity), source: 1, reports: time.Now().Add(time.Hour),
		nacks: nack.NewReceiver(nack.ReceiverConfig{}), stats: report.NewReceiver(90000),
	}
	e.formats[testPT] = &format{pt: testPT, codec: media.CodecVP8}
	return e
}

// testEgress is a viewer's track that takes VP8.
func testEgress() egress {
	t := trackOffer{kind: media.KindVideo, formats: []format{{pt: 120, codec: media.CodecVP8}}}
	return newEgress(&t, trackSSRC{main: 1}, ownIDs{})
}

func testSource() *mediatest.Source {
	return mediatest.NewSource(mediatest.SourceConfig{Codec: media.CodecVP8, PayloadType: testPT, Seq: 700})
}

// take gives packets to the encoding as its ingest would.
func take(t *testing.T, e *encoding, now time.Time, packets ...*rtp.Packet) {
	t.Helper()
	for _, pkt := range packets {
		n, err := pkt.MarshalTo(e.builder.Buffer())
		if err != nil {
			t.Fatal(err)
		}
		e.receive(n, nil, now)
	}
}

// A packet of an older key frame that comes twice begins nothing: viewers would be let in at a
// key frame of long ago, and a request for one would count as granted.
func TestOldKeyFramesBeginNothing(t *testing.T) {
	e := testEncoding(quiet(t, nil), 1024)
	source, start := testSource(), time.Unix(1000, 0)
	first := source.Next(mediatest.Frame{Key: true, Size: 800})
	take(t, e, start, first...)
	take(t, e, start, source.Next(mediatest.Frame{Key: true, Size: 900})...)
	key, bytes := e.keyAt.Load(), e.bytes.Load()
	take(t, e, start.Add(time.Hour), first...)
	if e.keyAt.Load() != key || e.bytes.Load() != bytes || e.tally.KeyFrames != 2 || e.tally.drops[DropDuplicate] != 1 {
		t.Errorf("key at %d, was %d; %d bytes, were %d; %+v", e.keyAt.Load(), key, e.bytes.Load(), bytes, e.tally)
	}
}

// A worker that looks when a key frame is in the history and its figures are not yet known starts with
// it: the publisher need not send another one, and may not.
func TestKeyFrameOfThisMoment(t *testing.T) {
	e := testEncoding(quiet(t, nil), 1024)
	now := time.Unix(1000, 0)
	take(t, e, now, testSource().Next(mediatest.Frame{Key: true, Size: 2500})...)
	e.keyAt.Store(0)
	v := testEgress()
	v.choose(e, now)
	if !v.tryStart(now) || e.askedAt.Load() != 0 {
		t.Errorf("not started; a key frame was asked for at %d", e.askedAt.Load())
	}
}

// The first packet of a key frame comes behind the second one, and a worker looks in between: the frame
// is not taken for one of before.
func TestKeyFrameOutOfOrder(t *testing.T) {
	e := testEncoding(quiet(t, nil), 1024)
	now := time.Unix(1000, 0)
	frame := testSource().Next(mediatest.Frame{Key: true, Size: 2500})
	take(t, e, now, frame[1])
	v := testEgress()
	v.choose(e, now)
	if v.tryStart(now) {
		t.Fatal("started without the frame's beginning")
	}
	take(t, e, now, frame[0], frame[2])
	if !v.tryStart(now) || v.pos != 0 {
		t.Errorf("not started, or at position %d", v.pos)
	}
}

// Who joins a source that pauses gets its picture from the history, however long ago that was.
func TestJoinDuringAPause(t *testing.T) {
	e := testEncoding(quiet(t, nil), 1024)
	source, start := testSource(), time.Unix(1000, 0)
	for i := range 10 {
		take(t, e, start.Add(time.Duration(i)*time.Second/30), source.Next(mediatest.Frame{Key: i == 0, Size: 800})...)
	}
	now := start.Add(10 * time.Minute)
	v := testEgress()
	v.choose(e, now)
	if !v.tryStart(now) || e.askedAt.Load() != 0 {
		t.Fatalf("not started; a key frame was asked for at %d", e.askedAt.Load())
	}
	if !v.began.Equal(now) || v.pos != 0 {
		t.Errorf("began at %v, position %d", v.began, v.pos)
	}
	// A group that is too long is not for joining, with or without a pause.
	take(t, e, start.Add(catchupLongest+time.Second), source.Next(mediatest.Frame{Size: 800})...)
	late := testEgress()
	late.choose(e, now)
	if late.tryStart(now) || e.askedAt.Load() == 0 {
		t.Error("started in the middle of a long group")
	}
}

// A worker that was so far behind that the key frame it waited for has come and gone asks again.
func TestKeyFrameMissedByTheWorker(t *testing.T) {
	s := quiet(t, nil)
	e, w := testEncoding(s, 8), newWorker(s)
	source, now := testSource(), time.Unix(1000, 0)
	take(t, e, now, source.Next(mediatest.Frame{Size: 500})...)
	v := testEgress()
	v.choose(e, now)
	asked := e.askedAt.Load()
	if asked == 0 {
		t.Fatal("no key frame was asked for")
	}
	now = now.Add(time.Second)
	take(t, e, now, source.Next(mediatest.Frame{Key: true, Size: 500})...)
	for range 8 {
		take(t, e, now, source.Next(mediatest.Frame{Size: 500})...)
	}
	w.start(&v, now.Add(time.Second))
	if e.askedAt.Load() <= asked || v.enc != nil {
		t.Errorf("asked at %d, before at %d; source %v", e.askedAt.Load(), asked, v.enc)
	}
	if n := w.tally.drops[DropWaitKeyFrame]; n != 9 {
		t.Errorf("%d packets counted of 9", n)
	}
}

// Every packet that a viewer misses is counted once, up to the one that it goes on at.
func TestLappedCounts(t *testing.T) {
	s := quiet(t, nil)
	e, w := testEncoding(s, 8), newWorker(s)
	source, now := testSource(), time.Unix(1000, 0)
	take(t, e, now, source.Next(mediatest.Frame{Key: true, Size: 500})...)
	v := testEgress()
	v.choose(e, now)
	w.start(&v, now)
	for range 9 {
		take(t, e, now, source.Next(mediatest.Frame{Size: 500})...)
	}
	take(t, e, now, source.Next(mediatest.Frame{Key: true, Size: 500})...)
	w.lapped(&v, now)
	if v.halted || v.pos != 10 || w.tally.drops[DropLapped] != 10 {
		t.Errorf("at position %d, halted %v, %d counted of 10", v.pos, v.halted, w.tally.drops[DropLapped])
	}
}

// script is a track that gives packets and errors in order, and io.EOF behind them.
type script []any

func (s *script) SetReadDeadline(time.Time) error { return nil }

func (s *script) Read(b []byte) (int, interceptor.Attributes, error) {
	if len(*s) == 0 {
		return 0, nil, io.EOF
	}
	step := (*s)[0]
	*s = (*s)[1:]
	if err, ok := step.(error); ok {
		return 0, nil, err
	}
	pkt := step.(*rtp.Packet)
	if pkt.MarshalSize() > len(b) {
		return 0, nil, io.ErrShortBuffer
	}
	n, err := pkt.MarshalTo(b)
	return n, nil, err
}

// A packet that pion's readers choke on costs that packet, not the track; one of the largest size
// is one like any other.
func TestIngestGoesOn(t *testing.T) {
	odd := errors.New("odd packet")
	source := mediatest.NewSource(mediatest.SourceConfig{Codec: media.CodecVP8, PayloadType: testPT, MTU: 1900})
	packets := source.Next(mediatest.Frame{Key: true, Size: 3500})
	track := script{odd, packets[0], odd, packets[1]}
	e := testEncoding(quiet(t, nil), 16)
	e.run(&track)
	if head := e.ring.Head(); head != 2 {
		t.Errorf("%d packets of 2", head)
	}
	if n := e.pub.stream.counters.drops[DropBadPacket].Load(); n != 2 {
		t.Errorf("%d bad packets counted of 2", n)
	}
	broken := script{}
	for range 2 * maxFailures {
		broken = append(broken, odd)
	}
	testEncoding(e.pub.sfu, 16).run(&broken)
	if len(broken) != maxFailures-1 {
		t.Errorf("%d errors were left when the track was given up", len(broken))
	}
}

// However much one NACK asks for, the work for it is bounded.
func TestNACKsAreBounded(t *testing.T) {
	w, v := newWorker(quiet(t, nil)), testEgress()
	w.repeat(&viewer{}, &v, make([]rtcp.NackPair, 500), time.Unix(1000, 0))
	if n := w.tally.NACKsReceived; n != maxPairs || w.tally.refused[nack.TooLate] != maxPairs {
		t.Errorf("%d looked at, %d refused; the bound is %d", n, w.tally.refused[nack.TooLate], maxPairs)
	}
}

// A receiver report tells what was lost on the way, repaired or not, and counts cycles from 0.
func TestReceptionReport(t *testing.T) {
	e := testEncoding(quiet(t, nil), 64)
	source, now := testSource(), time.Unix(1000, 0)
	var packets []*rtp.Packet
	for i := range 8 {
		packets = append(packets, source.Next(mediatest.Frame{Key: i == 0, Size: 500})...)
	}
	take(t, e, now, append(packets[:3:3], packets[4:]...)...)
	n, err := packets[3].MarshalTo(e.builder.Buffer())
	if err != nil {
		t.Fatal(err)
	}
	e.receive(n, interceptor.Attributes{webrtc.AttributeRtxSsrc: uint32(1)}, now.Add(time.Second))
	r, ok := e.stats.Report(5, now)
	if !ok || r.TotalLost != 1 || r.FractionLost != 32 || r.LastSequenceNumber != 707 || r.SSRC != 5 {
		t.Errorf("%+v", r)
	}
	if e.ring.Head() != 8 || e.tally.RTXReceived != 1 {
		t.Errorf("%d packets, %d repeats", e.ring.Head(), e.tally.RTXReceived)
	}
}

// A track that begins, or changes its source, is reported at once: until then sound and picture
// are not in step.
func TestReportFollowsTheStart(t *testing.T) {
	s := quiet(t, nil)
	e, w := testEncoding(s, 64), newWorker(s)
	source, now := testSource(), time.Unix(1000, 0)
	take(t, e, now, source.Next(mediatest.Frame{Key: true, Size: 500})...)
	v := &viewer{hotViewer: hotViewer{leg: lite.New(lite.Config{}, now), connected: true}, nextReport: now.Add(time.Second)}
	track := testEgress()
	track.choose(e, now)
	w.forward(v, &track, now)
	if !v.nextReport.Equal(now) || len(w.deadlines) != 1 || w.deadlines[0].due.After(now.Add(reportInterval/2)) {
		t.Errorf("the next report is at %v, the viewer due at %+v", v.nextReport, w.deadlines)
	}
	later := now.Add(time.Second)
	v.nextReport = later
	take(t, e, now, source.Next(mediatest.Frame{Size: 500})...)
	w.forward(v, &track, now)
	if !v.nextReport.Equal(later) {
		t.Error("a report for every packet")
	}
}
