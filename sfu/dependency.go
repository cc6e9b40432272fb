package sfu

import (
	"encoding/binary"

	"github.com/fanfare-relay/fanfare/media"
	"github.com/fanfare-relay/fanfare/media/ext"
	"github.com/fanfare-relay/fanfare/media/ring"
)

// dependency reads the dependency descriptors of one encoding; it belongs to its ingest.
type dependency struct {
	id     uint8             // the publisher's, 0 when it was not negotiated
	reader *ext.Dependencies // nil before the first descriptor
}

func newDependency(exts []extension, kind media.Kind) dependency {
	for _, e := range exts {
		if e.uri == ext.URIDependency && kind == media.KindVideo && e.id <= 255 {
			return dependency{id: uint8(e.id)}
		}
	}
	return dependency{}
}

// readDependency completes the packet's descriptor where the payload does not tell layers, or not in
// every packet: H.264 and AV1. VP8 and VP9 tell them themselves.
func (e *encoding) readDependency(p *ring.Packet) {
	if e.dependency.id == 0 || p.Codec != media.CodecAV1 && p.Codec != media.CodecH264 {
		return
	}
	raw, ok := ext.Find(p.ExtensionProfile, p.Extension, e.dependency.id)
	if !ok {
		return
	}
	if e.dependency.reader == nil {
		e.dependency.reader = new(ext.Dependencies)
	}
	f, ok := e.dependency.reader.Read(raw)
	if !ok {
		return
	}
	d := &p.Descriptor
	d.FrameStart, d.FrameEnd = f.First, f.Last
	d.Layer, d.SwitchUp = f.Layer, f.SwitchUp
}

// frameShift renumbers the frames of one source for one viewer, whose frame numbers run on over
// changes of source. It stays the same for as long as the source is being sent.
type frameShift struct {
	from, to uint8 // ids of the dependency descriptor, 0 when the viewer does not get it
	add      uint16
}

// frameCount is the number of the newest frame that a viewer has been sent.
type frameCount struct {
	any  bool
	last uint16
}

// shiftFor lets the source go on behind what has been sent, with first.
func (c *frameCount) shiftFor(e *encoding, first *ring.Packet, m *ext.Map) frameShift {
	s := frameShift{from: e.dependency.id}
	if s.from != 0 {
		s.to = m.Get(s.from)
	}
	if number, ok := s.number(first); ok && c.any {
		s.add = c.last + 1 - number
	}
	return s
}

// note takes a packet that goes to the viewer.
func (c *frameCount) note(s frameShift, p *ring.Packet) {
	number, ok := s.number(p)
	if !ok {
		return
	}
	if out := number + s.add; !c.any || int16(out-c.last) > 0 {
		c.any, c.last = true, out
	}
}

// number is the frame number of the publisher's packet; not ok when this viewer gets none.
func (s frameShift) number(p *ring.Packet) (uint16, bool) {
	if s.to == 0 {
		return 0, false
	}
	raw, ok := ext.Find(p.ExtensionProfile, p.Extension, s.from)
	if !ok || len(raw) < 3 {
		return 0, false
	}
	return binary.BigEndian.Uint16(raw[1:]), true
}

// apply renumbers the frame in a block of extensions, which begins with profile and length.
func (s frameShift) apply(block []byte) {
	if s.to == 0 || s.add == 0 {
		return
	}
	if raw, ok := ext.Find(binary.BigEndian.Uint16(block), block[4:], s.to); ok {
		ext.Renumber(raw, s.add)
	}
}
