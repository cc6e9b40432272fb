package codec

import "github.com/fanfare-relay/fanfare/media"

// pictureMask is the modulus of picture ids: 15 bits.
const pictureMask = 0x7fff

// Patcher decides how VP8 and VP9 numbers are shifted for one viewer's track, so that picture
// ids and TL0PICIDX rise by one over a change of source, and VP8 picture ids close up over frames
// that are left out. (Receivers wait for missing VP8 picture ids when frames use temporal
// layers. VP9 ids stay as they are within a source: flexible mode refers to them by difference.)
// It counts in 15 bits; a source that has only 7 looks as if it went back at every wrap, as it
// does without a relay.
//
// The shift itself (media.Patch) is kept with the sequence number, in seq.Rewriter, so that a
// packet that is sent again is shifted as the first time. The zero value is ready.
type Patcher struct {
	patch   media.Patch
	high    uint16 // highest input picture id of this source
	lastID  uint16 // output numbers of the newest frame
	lastTL0 uint8
	id, tl0 bool // numbers have been seen at all, in any source
	fresh   bool // nothing of this source has been noted yet
}

// Switch begins another source, or the same one after a pause, with the frame of d, and returns
// the patch for seq.Start. For other codecs it returns the zero patch.
func (p *Patcher) Switch(d media.Descriptor) media.Patch {
	p.patch, p.fresh = media.Patch{}, true
	if d.PictureID >= 0 && p.id {
		p.patch.PictureID = (p.lastID + 1 - uint16(d.PictureID)) & pictureMask
	}
	if d.TL0PicIdx >= 0 && p.tl0 {
		p.patch.TL0PicIdx = p.lastTL0 + 1 - uint8(d.TL0PicIdx)
	}
	return p.patch
}

// Forward notes that a packet goes to the viewer.
func (p *Patcher) Forward(d media.Descriptor) {
	if d.PictureID < 0 || !p.advance(d) {
		return
	}
	p.id, p.lastID = true, (uint16(d.PictureID)+p.patch.PictureID)&pictureMask
	if d.TL0PicIdx >= 0 {
		p.tl0, p.lastTL0 = true, uint8(d.TL0PicIdx)+p.patch.TL0PicIdx
	}
}

// Drop notes that a packet of codec c is left out, and returns the patch for the packets after it,
// for seq.Rewriter.Drop. A frame is to be left out as a whole.
func (p *Patcher) Drop(c media.Codec, d media.Descriptor) media.Patch {
	if d.PictureID >= 0 && p.advance(d) && c == media.CodecVP8 {
		p.patch.PictureID = (p.patch.PictureID - 1) & pictureMask
	}
	return p.patch
}

// advance tells whether the packet is the first of a frame that is newer than all before.
func (p *Patcher) advance(d media.Descriptor) bool {
	id := uint16(d.PictureID)
	ahead := (id - p.high) & pictureMask
	if !p.fresh && (ahead == 0 || ahead > pictureMask/2) {
		return false
	}
	p.fresh, p.high = false, id
	return true
}

// AppendPatched appends the payload, shifted by the patch. It grows the payload by one byte at
// most: a shifted picture id is always written with 15 bits, so that receivers see one
// numbering whatever the sources have. Payloads without numbers are appended unchanged.
func AppendPatched(dst []byte, c media.Codec, patch media.Patch, payload []byte) []byte {
	if patch == (media.Patch{}) {
		return append(dst, payload...)
	}
	var m numbering
	switch c {
	case media.CodecVP8:
		h, ok := parseVP8(payload)
		if !ok {
			return append(dst, payload...)
		}
		m = h.picture
	case media.CodecVP9:
		h, ok := parseVP9(payload)
		if !ok {
			return append(dst, payload...)
		}
		m = h.picture
	default:
		return append(dst, payload...)
	}
	return m.appendShifted(dst, patch, payload)
}

func (m *numbering) appendShifted(dst []byte, patch media.Patch, payload []byte) []byte {
	start, tl0At := len(dst), m.tl0At
	if m.idAt == 0 {
		dst = append(dst, payload...)
	} else {
		rest := m.idAt + 1
		if m.wide {
			rest++
		} else if tl0At > 0 {
			tl0At++
		}
		id := (uint16(m.id) + patch.PictureID) & pictureMask
		dst = append(dst, payload[:m.idAt]...)
		dst = append(dst, 0x80|byte(id>>8), byte(id))
		dst = append(dst, payload[rest:]...)
	}
	if tl0At > 0 {
		dst[start+tl0At] += patch.TL0PicIdx
	}
	return dst
}
