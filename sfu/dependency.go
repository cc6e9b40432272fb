package sfu

import (
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
