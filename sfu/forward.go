package sfu

import (
	"encoding/binary"
	"time"

	"github.com/fanfare-relay/fanfare/media"
	"github.com/fanfare-relay/fanfare/media/codec"
	"github.com/fanfare-relay/fanfare/media/ext"
	"github.com/fanfare-relay/fanfare/media/red"
	"github.com/fanfare-relay/fanfare/media/ring"
	"github.com/fanfare-relay/fanfare/media/seq"
)

// forward sends the track what its source has had since the last time.
func (w *worker) forward(v *viewer, t *egress, now time.Time) {
	if t.next != nil && w.start(t, now) {
		t.number, t.missed, t.wanted = v.transportSeq, false, false
		// Sound and picture are in step from a report on: the first ones, and those behind a change
		// of source, follow the first packets at once.
		v.nextReport = now
		w.schedule(v, now)
	}
	if t.catchup.active {
		t.catchup.follow(t.enc.bitrate(), w.round, now)
	}
	w.message = 0
	for t.enc != nil && !t.halted {
		p, err := t.enc.ring.At(t.pos)
		switch err {
		case nil:
			at, ok := t.catchup.admit(p, now)
			if ok && v.spreads && !t.catchup.active && t.kind == media.KindVideo {
				at, ok = takePaced(&v.spread, len(p.Payload), now)
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

// message is the last one to the system that a picture's datagrams make: those of one size, and a shorter one as its end
// (udp.Batch). It is the size of their payloads; 0 when it has its end, or there is none.
type message int

// leaves tells whether a payload of that size, which begins a frame or not, leaves the end of the message to sound. A
// shorter one that goes on with its frame is the message's end itself.
func (m message) leaves(size int, begins bool) bool {
	return m != 0 && (size > int(m) || size < int(m) && begins)
}

// with is the message once the next payload is there, which goes on with it, ends it, or begins another.
func (m message) with(size int) message {
	if size < int(m) {
		return 0
	}
	return message(size)
}

// ride sends a packet of sound before one of a picture where it ends a message of the picture. All that waits behind the
// picture would make messages of its own, but for the first.
func (w *worker) ride(v *viewer, t *egress, p *ring.Packet, now time.Time) {
	size := t.size(p)
	if w.message.leaves(size, p.Descriptor.FrameStart) && w.sendSound(v, int(w.message), now) {
		w.message = 0
	}
	w.message = w.message.with(size)
}

// soundElements are more bytes than the header extensions of sound have above those of a picture.
const soundElements = 32

// sendSound sends the next packet of sound if it is shorter than a picture's with a payload of that size; with the one
// before in it (RED) it may be longer, and is a message then. Sound that begins, or was overtaken, is left to forward.
func (w *worker) sendSound(v *viewer, size int, now time.Time) bool {
	t := &v.tracks[len(v.tracks)-1] // pictures come first (newViewer)
	if t.kind != media.KindAudio || t.enc == nil || t.halted || t.next != nil {
		return false
	}
	p, err := t.enc.ring.At(t.pos)
	if err != nil || len(p.Payload)+soundElements > size {
		return false
	}
	t.pos++
	w.sendRTP(v, t, p, now)
	return true
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
	if reason, unfit := t.unfit(p); unfit {
		t.rewriter.Drop(t.enc.source, p.ExtSeq, t.patcher.Drop(p.Codec, p.Descriptor))
		w.tally.drop(reason)
		return
	}
	if t.kind == media.KindVideo {
		w.ride(v, t, p, now) // before the scratch memory is used
	}
	ts := t.catchup.apply(p.Timestamp)
	place, err := t.rewriter.Next(t.enc.source, p.ExtSeq, ts)
	if err != nil {
		w.tally.drop(DropOldSource)
		return
	}
	t.patcher.Forward(p.Descriptor)
	t.frames.note(t.feed.frames, p)
	pt, payload := t.out.pt, p.Payload
	if t.redundancy.On() && t.out.red != 0 {
		pt, payload = t.out.red, w.withPrevious(t, p)
	}
	ts += place.TimestampOffset
	header := appendHeader(w.header[:0], pt, place.Seq, ts, t.ssrc,
		t.endsPicture(p), p, &t.feed, w.elements(v, t, &t.feed, t.out, p, ts, false, now))
	if place.Patch != (media.Patch{}) {
		w.payload = codec.AppendPatched(w.payload[:0], p.Codec, place.Patch, p.Payload)
		payload = w.payload
	}
	size := len(payload) // padding does not count (RFC 3550 section 6.4.1)
	if padded, ok := t.padded(p); ok {
		header[0] |= 0x20 // P (RFC 3550 section 5.1)
		if place.Patch != (media.Patch{}) {
			w.payload = append(w.payload, padded[len(padded)-1])
			padded = w.payload
		}
		payload = padded
	}
	if !w.sealAndSend(v, header, payload, now) {
		return
	}
	t.sent.Sent(size)
	if !t.catchup.active {
		w.unsent = append(w.unsent, p.Arrival)
	}
	if t.parity != nil {
		w.protect(v, t, header, payload, t.endsPicture(p), now)
	}
}

// padded is a picture's payload with a byte of padding, if one makes it as long as others of its frame. It is for viewers
// to whom repeats go as packets of their own: what is repeated as it was has to be sealed with the same bytes again, and
// padding may have come in between.
func (t *egress) padded(p *ring.Packet) ([]byte, bool) {
	if t.kind != media.KindVideo || t.out.rtx == 0 {
		return nil, false
	}
	return p.Padded()
}

// size is that of the payload that sendRTP will send of a picture, about.
func (t *egress) size(p *ring.Packet) int {
	if padded, ok := t.padded(p); ok {
		return len(padded)
	}
	return len(p.Payload)
}

// unfit tells why a packet of the current source is none for the viewer, whose numbers close up over it.
func (t *egress) unfit(p *ring.Packet) (DropReason, bool) {
	switch {
	case len(p.Payload) == 0:
		return DropPadding, true
	case !t.outOK:
		return DropNoFormat, true
	case !t.passes(p):
		return DropLayer, true
	}
	return 0, false
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
		t.endsPicture(p), p, from, w.elements(v, t, from, f, p, ts, true, now))
	w.payload = binary.BigEndian.AppendUint16(w.payload[:0], place.Seq)
	w.payload = codec.AppendPatched(w.payload, p.Codec, place.Patch, p.Payload)
	return w.sealAndSend(v, header, w.payload, now)
}

// sealAndSend encrypts a packet of which elements was the last to be called for the viewer.
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

// appendHeader writes an RTP header (RFC 3550 section 5.1) with the extensions that the
// viewer takes, the relay's own last. Contributing sources are left out: nothing is mixed here.
func appendHeader(dst []byte, pt media.PayloadType, seqNumber uint16, ts uint32, ssrc media.SSRC,
	marker bool, p *ring.Packet, from *feed, own []ext.Element) []byte {
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
	dst = ext.AppendRewritten(dst, p.ExtensionProfile, p.Extension, &from.extMap, own...)
	if len(dst) > plain {
		dst[start] |= 0x10
		from.frames.apply(dst[plain:])
	}
	return dst
}
