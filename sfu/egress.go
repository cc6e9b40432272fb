package sfu

import (
	"time"

	"github.com/fanfare-relay/fanfare/media"
	"github.com/fanfare-relay/fanfare/media/codec"
	"github.com/fanfare-relay/fanfare/media/ext"
	"github.com/fanfare-relay/fanfare/media/nack"
	"github.com/fanfare-relay/fanfare/media/red"
	"github.com/fanfare-relay/fanfare/media/report"
	"github.com/fanfare-relay/fanfare/media/ring"
	"github.com/fanfare-relay/fanfare/media/seq"
)

// egress is one track of one viewer: what it is sent, from where, and under which numbers.
// The payload stays in the ring; only numbers, ids and a few bytes are the viewer's own.
// It belongs to the viewer's worker.
type egress struct {
	hotEgress

	rtx     media.SSRC // 0: the viewer takes no RTX
	formats []format
	exts    []extension

	responder nack.Responder
	rtxSeq    uint16

	// Output timestamps run with the clock: base at epoch.
	base  uint32
	epoch time.Time

	// letInAgain is set when the viewer has been let in to a group a second time.
	letInAgain bool
	// number is the transport-wide one of the first packet since the start. missed: the viewer has not got that.
	// wanted: it has asked for a key frame since.
	number         uint16
	missed, wanted bool
	fell           bool // the current source was taken because the line is too narrow for the old one

	old feed // the source before, for packets that are asked for late

	from uint64 // next goes on from its key frame at or after this position
	wait uint64 // packets of next before this position have been counted
}

// hotEgress is what each packet looks at, side by side: with many viewers it lies in cold memory, and is fetched
// while the viewer before is served.
type hotEgress struct {
	kind media.Kind
	// inPT is the publisher's payload type that out was found for.
	inPT   media.PayloadType
	outOK  bool
	halted bool // enc waits for its next key frame
	// limit is the highest layer that the viewer is to get, passing the one that it gets now:
	// it falls at the next frame, and rises where the stream allows.
	limit, passing media.Layer
	own            ownIDs
	patcher        codec.Patcher
	frames         frameCount // of the dependency descriptors that have been sent
	ssrc           media.SSRC
	sent           report.Sender
	parity         *parity   // nil: the viewer takes none
	next           *encoding // what is to be sent as soon as it can be entered; nil: nothing to start
	pos            uint64    // the next position in the ring of enc
	rewriter       seq.Rewriter
	out            format
	captured       report.Captured
	redundancy     red.Switch // of sound
	feed                      // what is being sent; enc is nil before the first start
}

// feed is a source as one viewer gets it.
type feed struct {
	enc     *encoding
	extMap  ext.Map
	frames  frameShift
	catchup catchup
	began   time.Time // when it was started
}

// newEgress makes a viewer's track. Numbers begin at random (RFC 3550 section 5.1).
func newEgress(t *trackOffer, ssrc trackSSRC, own ownIDs) egress {
	seed := randomUint64()
	return egress{
		hotEgress: hotEgress{
			kind: t.kind, ssrc: ssrc.main, own: own, parity: newParity(t, ssrc),
			rewriter: seq.NewRewriter(uint16(seed)&0x7fff, 0),
		},
		rtx: ssrc.rtx, formats: t.formats, exts: t.exts,
		responder: nack.NewResponder(nack.ResponderConfig{}),
		rtxSeq:    uint16(seed>>16) & 0x7fff,
		base:      uint32(seed >> 32),
	}
}

// choose makes best the source, as soon as it can be started. Until then the viewer keeps
// what it has.
func (t *egress) choose(best *encoding, now time.Time) {
	switch {
	case best == nil || best == t.next:
		return
	case best == t.enc && !t.halted:
		t.next = nil
		return
	}
	t.next, t.from, t.wait = best, best.ring.Head(), best.ring.Head()
	// The group is as old as it is long: a source that pauses has its picture at the end of it.
	// The key frame is looked up last, so that the figures are never those of a newer one; they may be
	// those of an older one, when it has come this moment.
	began := best.keyAt.Load()
	length, bytes := best.group()
	if k, ok := best.ring.KeyFrame(); ok && (t.joinable(length, bytes) || best.newer(k.Pos, began)) {
		t.from = k.Pos
		return
	}
	best.requestKey(now)
}

// joinable tells whether the viewer is to start in the middle of a group. One that has a picture
// is better off with a key frame than with a long burst, which its line may not carry.
func (t *egress) joinable(length time.Duration, bytes uint64) bool {
	switch {
	case t.fell:
		return length <= fallLongest
	case t.enc != nil:
		return length <= switchLongest && bytes <= switchBytes
	}
	return joinable(length, bytes)
}

// tryStart begins to send next if its key frame is there.
func (t *egress) tryStart(now time.Time) bool {
	at, first, ok := t.entry()
	if !ok {
		return false
	}
	p, err := t.next.ring.At(at)
	if err != nil {
		return false
	}
	if first == nil {
		first = p
	}
	next := feed{enc: t.next, began: now, extMap: t.extMap, frames: t.feed.frames}
	if t.next != t.enc {
		t.old = t.feed
		own := t.own
		if t.next.pub.playout == nil {
			own.playout = 0
		}
		next.extMap = extensionMap(t.next.exts, t.exts, t.kind, own)
		next.frames = t.frames.shiftFor(t.next, first, &next.extMap)
	}
	edge, ahead := first, uint32(0)
	if t.kind == media.KindVideo {
		edge, ahead = next.catchUp(first, now)
	}
	t.feed, t.pos, t.next, t.halted = next, at, nil, false
	t.passing = t.limit
	t.findFormat(first.PayloadType)
	t.rewriter.Switch(seq.Start{
		Source: t.enc.source, Seq: first.ExtSeq, Timestamp: t.catchup.apply(first.Timestamp),
		Out: t.outputTime(edge, now) + ahead, Patch: t.patcher.Switch(first.Descriptor),
	})
	return true
}

// catchUp begins with a key frame of the past, and returns the newest packet, and how far the live edge is
// ahead of its timestamp by now.
func (f *feed) catchUp(first *ring.Packet, now time.Time) (newest *ring.Packet, ahead uint32) {
	newest, err := f.enc.ring.At(f.enc.ring.Head() - 1)
	if err != nil {
		newest = first
	}
	rate := f.enc.clockRate()
	edge := newest.Timestamp
	if edge != first.Timestamp { // else there is nothing behind the key frame to catch up with
		edge = liveEdge(newest, rate, now)
	}
	f.catchup = newCatchup(first.Timestamp, edge, rate, f.enc.bitrate(), now)
	if f.catchup.span == 0 {
		return first, 0
	}
	return newest, f.catchup.edge - newest.Timestamp
}

// entry finds where next can be entered: sound at its newest packet, picture at the
// newest key frame that is not before from. first is the frame's first packet.
func (t *egress) entry() (at uint64, first *ring.Packet, ok bool) {
	r := t.next.ring
	if t.kind == media.KindAudio {
		head := r.Head()
		return head - 1, nil, head > 0
	}
	k, ok := r.KeyFrame()
	if !ok {
		return 0, nil, false
	}
	// Others of its packets may have come before the first one, and before from.
	first, ok = r.BySeq(k.ExtSeq)
	return k.Pos, first, ok && k.First >= t.from
}

// outputTime returns the timestamp under which the viewer sees the packet: the time of its
// capture on this machine's clock, which runs on over changes of source.
func (t *egress) outputTime(p *ring.Packet, now time.Time) uint32 {
	rate := t.enc.clockRate()
	if t.epoch.IsZero() {
		t.epoch = now
	}
	at := p.Arrival
	if m := t.enc.mapping.Load(); m != nil {
		at = m.Time(p.Timestamp)
	}
	ms := at.Sub(t.epoch).Milliseconds()
	out := t.base + uint32(ms*int64(rate)/1000)
	if _, last, ok := t.rewriter.Highest(); ok && int32(out-last) <= 0 {
		return t.rewriter.TimestampAfter(time.Millisecond, rate)
	}
	return out
}

// findFormat caches the viewer's format for a payload type of the current source.
func (t *egress) findFormat(pt media.PayloadType) {
	t.inPT = pt
	t.out, t.outOK = t.match(t.enc, pt)
}

func (t *egress) match(enc *encoding, pt media.PayloadType) (format, bool) {
	source := enc.formats[pt&0x7f]
	if source == nil {
		return format{}, false
	}
	return matchFormat(*source, t.formats)
}

// formatFor returns the viewer's format for a packet of a source, current or old.
func (t *egress) formatFor(enc *encoding, pt media.PayloadType) (format, bool) {
	if enc == t.enc && pt == t.inPT {
		return t.out, t.outOK
	}
	return t.match(enc, pt)
}

// feedOf finds a source, current or old.
func (t *egress) feedOf(s seq.Source) *feed {
	for _, f := range [...]*feed{&t.feed, &t.old} {
		if f.enc != nil && f.enc.source == s {
			return f
		}
	}
	return nil
}

// clock is the mapping of what is being sent; nil before anything was.
func (t *egress) clock() *report.Mapping {
	if t.enc == nil {
		return nil
	}
	if _, _, ok := t.rewriter.Highest(); !ok {
		return nil
	}
	return t.enc.mapping.Load()
}
