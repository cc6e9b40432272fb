package sfu

import (
	"encoding/binary"
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
	kind    media.Kind
	ssrc    media.SSRC
	rtx     media.SSRC // 0: the viewer takes no RTX
	formats []format
	exts    []extension
	// transport is the viewer's id of the transport-wide sequence number; 0: none is sent.
	transport uint8

	rewriter  seq.Rewriter
	patcher   codec.Patcher
	responder nack.Responder
	sent      report.Sender
	rtxSeq    uint16

	// Output timestamps run with the clock: base at epoch.
	base  uint32
	epoch time.Time

	feed          // what is being sent; enc is nil before the first start
	pos    uint64 // the next position in its ring
	halted bool   // enc waits for its next key frame
	fell   bool   // the current source was taken because the line is too narrow for the old one
	// inPT is the publisher's payload type that out was found for.
	inPT  media.PayloadType
	out   format
	outOK bool

	frames frameCount // of the dependency descriptors that have been sent

	old feed // the source before, for packets that are asked for late

	// limit is the highest layer that the viewer is to get, passing the one that it gets now:
	// it falls at the next frame, and rises where the stream allows.
	limit, passing media.Layer

	redundancy red.Switch // of sound

	next *encoding // goes on from its key frame at or after from; nil: nothing to start
	from uint64
	wait uint64 // packets of next before this position have been counted
}

// feed is a source as one viewer gets it.
type feed struct {
	enc     *encoding
	began   time.Time // when it was started
	extMap  ext.Map
	frames  frameShift
	catchup catchup
}

// newEgress makes a viewer's track. Numbers begin at random (RFC 3550 section 5.1).
func newEgress(t *trackOffer, ssrc trackSSRC) egress {
	seed := randomUint64()
	return egress{
		kind: t.kind, ssrc: ssrc.main, rtx: ssrc.rtx, formats: t.formats, exts: t.exts, transport: t.transportID(),
		rewriter:  seq.NewRewriter(uint16(seed)&0x7fff, 0),
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
	// The key frame is looked up last, so that the figures are never those of a newer one.
	length, bytes := best.group()
	if k, ok := best.ring.KeyFrame(); ok && t.joinable(length, bytes) {
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
		next.extMap = extensionMap(t.next.exts, t.exts, t.kind)
		next.frames = t.frames.shiftFor(t.next, first, &next.extMap)
	}
	edge := first
	if t.kind == media.KindVideo {
		edge = next.catchUp(first)
	}
	t.feed, t.pos, t.next, t.halted = next, at, nil, false
	t.passing = t.limit
	t.findFormat(first.PayloadType)
	t.rewriter.Switch(seq.Start{
		Source: t.enc.source, Seq: first.ExtSeq, Timestamp: t.catchup.apply(first.Timestamp),
		Out: t.outputTime(edge, now), Patch: t.patcher.Switch(first.Descriptor),
	})
	return true
}

// catchUp begins with a key frame of the past, and returns the packet at the live edge.
func (f *feed) catchUp(first *ring.Packet) (edge *ring.Packet) {
	edge, err := f.enc.ring.At(f.enc.ring.Head() - 1)
	if err != nil {
		edge = first
	}
	f.catchup = newCatchup(first.Timestamp, edge.Timestamp, f.enc.clockRate(), f.enc.bitrate())
	if f.catchup.span == 0 {
		return first
	}
	return edge
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
	if !ok || k.Pos < t.from {
		return 0, nil, false
	}
	first, ok = r.BySeq(k.ExtSeq)
	return k.Pos, first, ok
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

// forward sends the track what its source has had since the last time.
func (w *worker) forward(v *viewer, t *egress, now time.Time) {
	if t.next != nil && w.start(t, now) {
		// Sound and picture are in step from a report on: the first ones, and those behind a change
		// of source, follow the first packets at once.
		v.nextReport = now
		w.schedule(v, now)
	}
	for t.enc != nil && !t.halted {
		p, err := t.enc.ring.At(t.pos)
		switch err {
		case nil:
			at, ok := t.catchup.admit(p, now)
			if ok && v.spreads && !t.catchup.active && t.kind == media.KindVideo && !v.spread.Take(len(p.Payload), now) {
				at, ok = v.spread.Deadline(len(p.Payload)), false
			}
			if !ok {
				w.pause(v, at, now)
				return
			}
			t.pos++
			w.sendRTP(v, t, p, now)
		case ring.ErrLapped:
			w.lapped(t, now)
		default:
			t.catchup.active = false
			return
		}
	}
}

// start begins with the next source if it can, and counts what a viewer without a picture has
// not been sent. It tells whether it has begun.
func (w *worker) start(t *egress, now time.Time) (begun bool) {
	source, until := t.next, t.next.ring.Head()
	waits := t.enc == nil || t.halted // else it still gets its old source
	switch {
	case t.tryStart(now):
		until, begun = t.pos, true
	case source.ring.KeyFrameLost(t.from):
		source.requestKey(now) // this worker was too far behind to see the one that came
	}
	if waits && until > t.wait {
		w.tally.drops[DropWaitKeyFrame] += until - t.wait
		w.tally.dirty = true
		t.wait = until
	}
	return begun
}

// lapped is called when the writer has overtaken the track: what it missed is lost, and it
// goes on at the newest key frame, or waits for one.
func (w *worker) lapped(t *egress, now time.Time) {
	missed := t.pos
	t.halted, t.next, t.from = true, t.enc, t.pos
	if t.tryStart(now) {
		t.wait = t.pos
	} else {
		t.wait = t.enc.ring.Head()
		t.enc.requestKey(now)
	}
	w.tally.drops[DropLapped] += t.wait - missed
	w.tally.dirty = true
}

// sendRTP renumbers, encrypts and sends one packet.
func (w *worker) sendRTP(v *viewer, t *egress, p *ring.Packet, now time.Time) {
	if p.PayloadType != t.inPT {
		t.findFormat(p.PayloadType)
	}
	if len(p.Payload) == 0 || !t.outOK {
		reason := DropPadding
		if len(p.Payload) > 0 {
			reason = DropNoFormat
		}
		t.rewriter.Drop(t.enc.source, p.ExtSeq, t.patcher.Drop(p.Codec, p.Descriptor))
		w.tally.drop(reason)
		return
	}
	if !t.passes(p) {
		t.rewriter.Drop(t.enc.source, p.ExtSeq, t.patcher.Drop(p.Codec, p.Descriptor))
		w.tally.drop(DropLayer)
		return
	}
	ts := t.catchup.apply(p.Timestamp)
	place, err := t.rewriter.Next(t.enc.source, p.ExtSeq, ts)
	if err != nil {
		w.tally.drop(DropOldSource)
		return
	}
	t.patcher.Forward(p.Descriptor)
	t.frames.note(t.feed.frames, p)
	payload := p.Payload
	pt := t.out.pt
	if t.redundancy.On() && t.out.red != 0 {
		pt, payload = t.out.red, w.withPrevious(t, p)
	}
	header := appendHeader(w.header[:0], pt, place.Seq, ts+place.TimestampOffset, t.ssrc,
		t.endsPicture(p), p, &t.feed, w.number(v, t, t.out))
	if place.Patch != (media.Patch{}) {
		w.payload = codec.AppendPatched(w.payload[:0], p.Codec, place.Patch, p.Payload)
		payload = w.payload
	}
	if !w.sealAndSend(v, header, payload, now) {
		return
	}
	t.sent.Sent(len(payload))
	if !t.catchup.active {
		w.sending.observe(p.Arrival, now)
	}
}

// withPrevious is a packet's payload behind that of the packet before it.
func (w *worker) withPrevious(t *egress, p *ring.Packet) []byte {
	own := red.Block{Type: t.out.pt, Payload: p.Payload}
	before, ok := t.enc.ring.BySeq(p.ExtSeq - 1)
	if !ok || before.PayloadType != p.PayloadType {
		w.payload = red.Append(w.payload[:0], own)
		return w.payload
	}
	old := red.Block{Type: t.out.pt, Payload: before.Payload, Offset: p.Timestamp - before.Timestamp}
	w.payload = red.Append(w.payload[:0], old, own)
	w.tally.Redundant++
	return w.payload
}

// sendRTX sends a packet again (RFC 4588 section 4): on the RTX source, with the number
// that it had before its payload.
func (w *worker) sendRTX(v *viewer, t *egress, from *feed, p *ring.Packet, f format, place seq.Place, now time.Time) bool {
	t.rtxSeq++
	ts := from.catchup.apply(p.Timestamp) + place.TimestampOffset
	header := appendHeader(w.header[:0], f.rtx, t.rtxSeq, ts, t.rtx,
		t.endsPicture(p), p, from, w.number(v, t, f))
	w.payload = binary.BigEndian.AppendUint16(w.payload[:0], place.Seq)
	w.payload = codec.AppendPatched(w.payload, p.Codec, place.Patch, p.Payload)
	return w.sealAndSend(v, header, w.payload, now)
}

// sealAndSend encrypts a packet of which number was the last to be called for the viewer.
func (w *worker) sealAndSend(v *viewer, header, payload []byte, now time.Time) bool {
	packet, err := v.leg.SealRTP(w.batch.Room(), header, payload)
	if err != nil {
		w.tally.drop(DropSeal)
		return false
	}
	if v.numbered {
		v.estimator.Sent(v.transportSeq, len(packet), now)
		v.transportSeq++
	}
	w.sendSealed(v, packet)
	return true
}

func (w *worker) sendSealed(v *viewer, packet []byte) {
	w.batch.Add(packet, v.path)
	w.tally.PacketsOut++
	w.tally.BytesOut += uint64(len(packet))
	w.tally.dirty = true
}

// number is the transport-wide sequence number of the viewer's next packet, if it has one.
func (w *worker) number(v *viewer, t *egress, f format) ext.Element {
	v.numbered = t.transport != 0 && f.numbered()
	if !v.numbered {
		return ext.Element{}
	}
	binary.BigEndian.PutUint16(w.number16[:], v.transportSeq)
	return ext.Element{ID: t.transport, Data: w.number16[:]}
}

// passes tells whether the packet's layer is for this viewer, and moves to the wanted layer where
// that is possible.
func (t *egress) passes(p *ring.Packet) bool {
	d := &p.Descriptor
	if t.passing != t.limit && d.FrameStart {
		t.passing.Temporal = nextTemporal(t.passing.Temporal, t.limit.Temporal, d)
		if t.limit.Spatial < t.passing.Spatial || d.KeyFrame {
			t.passing.Spatial = t.limit.Spatial
		}
	}
	return d.Layer.Temporal <= t.passing.Temporal && d.Layer.Spatial <= t.passing.Spatial
}

// nextTemporal falls to the limit at once, and rises with a frame that says so.
func nextTemporal(passing, limit int8, d *media.Descriptor) int8 {
	if limit <= passing || d.KeyFrame {
		return limit
	}
	return max(passing, min(d.SwitchUp, limit))
}

// endsPicture tells whether the packet is the last that the viewer gets of its picture, when
// layers above are left out (RFC 9628 section 4.1: the marker bit).
func (t *egress) endsPicture(p *ring.Packet) bool {
	d := &p.Descriptor
	return p.Marker || d.FrameEnd && d.Layer.Spatial >= 0 && d.Layer.Spatial == t.passing.Spatial
}

// appendHeader writes an RTP header (RFC 3550 section 5.1) with the extensions that the
// viewer takes. Contributing sources are left out: nothing is mixed here.
func appendHeader(dst []byte, pt media.PayloadType, seqNumber uint16, ts uint32, ssrc media.SSRC,
	marker bool, p *ring.Packet, from *feed, own ext.Element) []byte {
	second := byte(pt)
	if marker {
		second |= 0x80
	}
	start := len(dst)
	dst = append(dst, 0x80, second)
	dst = binary.BigEndian.AppendUint16(dst, seqNumber)
	dst = binary.BigEndian.AppendUint32(dst, ts)
	dst = binary.BigEndian.AppendUint32(dst, uint32(ssrc))
	plain := len(dst)
	dst = ext.AppendRewritten(dst, p.ExtensionProfile, p.Extension, &from.extMap, own)
	if len(dst) > plain {
		dst[start] |= 0x10
		from.frames.apply(dst[plain:])
	}
	return dst
}
