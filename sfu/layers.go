package sfu

import (
	"github.com/fanfare-relay/fanfare/media"
	"github.com/fanfare-relay/fanfare/media/ring"
)

// passes tells whether the packet's layer is for this viewer, and moves to the wanted layer where
// that is possible: never in the middle of a picture, whose lower layers have been sent without the marker by then, or
// left out.
func (t *egress) passes(p *ring.Packet) bool {
	d := &p.Descriptor
	if t.passing != t.limit && d.FrameStart && d.Layer.Spatial <= 0 {
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

// waitsForLayer tells whether the viewer is to have a larger picture of the encoding that it gets, and no key frame
// with which that begins has come yet.
func (t *egress) waitsForLayer() bool {
	if t.enc == nil || !t.outOK || t.next != nil || t.halted || t.limit.Spatial <= t.passing.Spatial {
		return false
	}
	if r := t.enc.rates.Load(); r == nil || !r.carry(t.limit.Spatial) {
		return false // its layers are not known
	}
	k, ok := t.enc.ring.KeyFrame()
	return ok && k.Pos < t.pos
}

// endsPicture tells whether the packet is the last that the viewer gets of its picture, when
// layers above are left out (RFC 9628 section 4.1: the marker bit).
func (t *egress) endsPicture(p *ring.Packet) bool {
	d := &p.Descriptor
	return p.Marker || d.FrameEnd && d.Layer.Spatial >= 0 && d.Layer.Spatial == t.passing.Spatial
}
