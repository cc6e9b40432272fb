package codec

import "github.com/fanfare-relay/fanfare/media"

// describeOpus: every Opus packet is a whole frame that a decoder may begin with (RFC 7587
// section 4.2). The marker bit tells talk spurts and says nothing about frames.
func describeOpus() media.Descriptor {
	d := unknown
	d.KeyFrame, d.FrameStart, d.FrameEnd = true, true, true
	return d
}
