package sfu

import (
	"encoding/binary"
	"time"

	"github.com/fanfare-relay/fanfare/media"
	"github.com/fanfare-relay/fanfare/media/ext"
	"github.com/fanfare-relay/fanfare/media/report"
	"github.com/fanfare-relay/fanfare/media/ring"
)

// The header extensions that the relay fills in itself: the transport-wide sequence number, the time of
// capture, and the delay of playout that whoever owns the stream or runs the relay wants. All others go from publisher to
// viewer as they are (formats.go).

// ownIDs are a viewer's ids of the extensions that the relay fills in; 0: it gets none.
type ownIDs struct {
	transport uint8 // the transport-wide sequence number
	capture   uint8
	playout   uint8
}

// ownElements are the viewer's ids on one m-line. The delay of playout is filled in for pictures, and only of
// publishers for whom the relay has one to say.
func (t *trackOffer) ownElements() ownIDs {
	own := ownIDs{transport: t.transportID()}
	for _, e := range t.exts {
		switch {
		case e.uri == ext.URIAbsCaptureTime:
			own.capture = uint8(e.id)
		case e.uri == ext.URIPlayoutDelay && t.kind == media.KindVideo:
			own.playout = uint8(e.id)
		}
	}
	return own
}

// elements are the relay's own extensions of the viewer's next packet, which shows ts. A format of which
// packets are repeated as they were gets only what does not change with time. again is set for repeats
// that are packets of their own: they say when they were captured, since the receiver missed it.
func (w *worker) elements(v *viewer, t *egress, from *feed, f format, p *ring.Packet, ts uint32, again bool, now time.Time) []ext.Element {
	w.own = w.own[:0]
	v.numbered = t.own.transport != 0 && f.numbered()
	if v.numbered {
		binary.BigEndian.PutUint16(w.number16[:], v.transportSeq)
		w.own = append(w.own, ext.Element{ID: t.own.transport, Data: w.number16[:]})
	}
	if t.own.capture != 0 && p.Captured != 0 && f.changes() && t.tellsCapture(from, p, ts, again, now) {
		w.captured = from.enc.captureTime(p).Append(w.captured[:0])
		w.own = append(w.own, ext.Element{ID: t.own.capture, Data: w.captured})
	}
	if t.own.playout != 0 && p.Descriptor.KeyFrame && p.Descriptor.FrameStart && from.enc.pub.playout != nil {
		// As browsers do: a receiver takes the delay from a frame's first packet and keeps it, everybody
		// begins with a key frame, and one that is lost comes again.
		w.own = append(w.own, ext.Element{ID: t.own.playout, Data: from.enc.pub.playout})
	}
	return w.own
}

// playoutOf is the extension for the first delay that there is.
func playoutOf(delays ...*media.PlayoutDelay) []byte {
	for _, d := range delays {
		if d != nil {
			b := ext.PlayoutDelay(*d)
			return b[:]
		}
	}
	return nil
}

// tellsCapture: a picture says it with its first packet, if at all.
func (t *egress) tellsCapture(from *feed, p *ring.Packet, ts uint32, again bool, now time.Time) bool {
	if t.kind == media.KindVideo && !p.Descriptor.FrameStart {
		return false
	}
	return again || t.captured.Due(report.NTP(p.Captured), ts, from.enc.clockRate(), now)
}

// captureClock reads the times of capture of one encoding; it belongs to its ingest.
type captureClock struct {
	id   uint8 // the publisher's, 0 when it was not negotiated
	last report.Capture
}

func newCaptureClock(exts []extension) captureClock {
	for _, e := range exts {
		if e.uri == ext.URIAbsCaptureTime && e.id <= 255 {
			return captureClock{id: uint8(e.id)}
		}
	}
	return captureClock{}
}

// readCapture notes when the packet's media was captured: by its own word, or by that of one before it.
func (e *encoding) readCapture(p *ring.Packet) {
	c := &e.capture
	if c.id == 0 {
		return
	}
	if raw, ok := ext.Find(p.ExtensionProfile, p.Extension, c.id); ok {
		if told, ok := ext.ParseCaptureTime(raw); ok {
			c.last = report.NewCapture(report.NTP(told.NTP), p.Timestamp, e.clockRate())
			e.captureOffset.Store(told.Offset)
		}
	}
	p.Captured = uint64(c.last.At(p.Timestamp))
}

// captureTime is what a viewer is told. The publisher says
//
//	capture system's clock = publisher's clock + offset
//
// and is the capture system itself where it says no offset (abs-capture-time: a source without
// contributing ones is). To the viewer the sender is the relay, whose clock is that of its sender reports:
//
//	capture system's clock = relay's clock + (publisher's clock - relay's clock) + offset
//
// The offset is left out until the publisher's first sender report tells how its clock lies.
func (e *encoding) captureTime(p *ring.Packet) ext.CaptureTime {
	c := ext.CaptureTime{NTP: p.Captured}
	if d := e.pub.clockOffset.Load(); d != nil {
		c.Offset, c.Known = report.Fixed(*d)+e.captureOffset.Load(), true
	}
	return c
}
