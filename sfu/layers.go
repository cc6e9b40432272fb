package sfu

import (
	"github.com/fanfare-relay/fanfare/media"
	"github.com/fanfare-relay/fanfare/media/ring"
)

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
