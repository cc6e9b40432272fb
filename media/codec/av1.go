package codec

import "github.com/fanfare-relay/fanfare/media"

// Types of OBU (AV1 specification, section 6.2.2).
const (
	obuSequenceHeader    = 1
	obuTemporalDelimiter = 2
	obuFrameHeader       = 3
	obuTileGroup         = 4
	obuMetadata          = 5
	obuFrame             = 6
)

// av1Elements goes through the OBU elements of a payload. Its first byte is the aggregation
// header (AV1 RTP section 4.4): W is the number of elements, 0 if every element has a length;
// the last of W has none.
//
//	 0 1 2 3 4 5 6 7
//	+-+-+-+-+-+-+-+-+
//	|Z|Y| W |N|-|-|-|   Z: begins with a continued fragment  Y: the last one goes on
//	+-+-+-+-+-+-+-+-+   N: first packet of a coded video sequence
type av1Elements struct {
	b     []byte
	count int // elements left when W is not 0
	w     bool
}

func (e *av1Elements) next() (obu []byte, ok bool) {
	if len(e.b) == 0 {
		return nil, false
	}
	if e.w {
		e.count--
		if e.count < 0 {
			return nil, false
		}
		if e.count == 0 {
			obu, e.b = e.b, nil
			return obu, true
		}
	}
	n, size := leb128(e.b)
	if size == 0 || n > uint64(len(e.b)-size) {
		e.b = nil
		return nil, false
	}
	end := size + int(n)
	obu, e.b = e.b[size:end], e.b[end:]
	return obu, true
}

// leb128 reads a number of up to eight bytes (AV1 section 4.10.5); size 0 means that it is cut off.
func leb128(b []byte) (v uint64, size int) {
	for i := range min(len(b), 8) {
		v |= uint64(b[i]&0x7f) << (7 * i)
		if b[i]&0x80 == 0 {
			return v, i + 1
		}
	}
	return 0, 0
}

// splitOBU returns the type of an OBU, its layer, and what follows its header (AV1 section 5.3).
func splitOBU(b []byte) (typ byte, l media.Layer, body []byte, ok bool) {
	l = media.Layer{Spatial: -1, Temporal: -1}
	if len(b) == 0 || b[0]&0x80 != 0 { // obu_forbidden_bit
		return 0, l, nil, false
	}
	typ, n := b[0]>>3&0x0f, 1
	if b[0]&0x04 != 0 { // obu_extension_flag
		if len(b) < 2 {
			return 0, l, nil, false
		}
		l = media.Layer{Spatial: int8(b[1] >> 3 & 0x03), Temporal: int8(b[1] >> 5)}
		n = 2
	}
	if b[0]&0x02 != 0 { // obu_has_size_field
		content, size := leb128(b[n:])
		if size == 0 {
			return 0, l, nil, false
		}
		n += size
		if content < uint64(len(b)-n) { // else it is broken, or goes on in the next packet
			b = b[:n+int(content)]
		}
	}
	return typ, l, b[n:], true
}

// describeAV1 calls the packet with the N bit the start of a key frame. Some senders do not set
// it: then a sequence header counts, unless the frame behind it says that it is no key frame. That
// is the first one: a frame of an upper spatial layer may follow, predicted from the lowest, behind the header once more.
func describeAV1(b []byte, marker bool) media.Descriptor {
	d := unknown
	d.FrameEnd = marker
	e := av1Elements{b: b[1:], count: int(b[0] >> 4 & 3), w: b[0]>>4&3 != 0}
	continued, newSequence := b[0]&0x80 != 0, b[0]&0x08 != 0
	frameDecides, decided := false, false
	for first := true; ; first = false {
		obu, ok := e.next()
		if !ok {
			if first {
				return unknown
			}
			break
		}
		if first && continued {
			continue
		}
		typ, layer, body, ok := splitOBU(obu)
		if !ok {
			continue
		}
		if first {
			d.FrameStart = beginsFrame(typ)
		}
		if d.Layer.Temporal < 0 {
			d.Layer = layer
		}
		switch typ {
		case obuSequenceHeader:
			if decided {
				continue
			}
			// After a reduced_still_picture_header every frame is a key frame, and says nothing of it.
			reduced := len(body) > 0 && body[0]&0x08 != 0
			frameDecides, d.KeyFrame = !newSequence && !reduced, true
			d.Width, d.Height = parseSequenceHeader(body)
		case obuFrame, obuFrameHeader:
			// show_existing_frame, and two bits of frame_type, 0 for a key frame (section 5.9.2).
			if !frameDecides || len(body) == 0 {
				continue
			}
			frameDecides, decided = false, true
			if body[0]&0xe0 != 0 {
				d.KeyFrame, d.Width, d.Height = false, 0, 0
			}
		}
	}
	if newSequence && !continued {
		d.KeyFrame, d.FrameStart = true, true
	}
	return d
}

func beginsFrame(typ byte) bool {
	switch typ {
	case obuSequenceHeader, obuTemporalDelimiter, obuFrameHeader, obuMetadata, obuFrame:
		return true
	default:
		return false
	}
}

// parseSequenceHeader reads the largest size of a frame (AV1 section 5.5.1), 0 and 0 where it
// cannot be read.
func parseSequenceHeader(b []byte) (width, height uint16) {
	r := bits{b: b}
	r.skip(4)     // seq_profile, still_picture
	if r.flag() { // reduced_still_picture_header
		r.skip(5) // seq_level_idx
	} else {
		skipOperatingPoints(&r)
	}
	widthBits, heightBits := int(r.read(4))+1, int(r.read(4))+1
	w, h := r.read(widthBits), r.read(heightBits) // minus one
	if r.short || w >= 0xffff || h >= 0xffff {
		return 0, 0
	}
	return uint16(w + 1), uint16(h + 1)
}

// skipOperatingPoints passes over timing and operating points.
func skipOperatingPoints(r *bits) {
	delayBits := 0
	if r.flag() { // timing_info_present_flag
		r.skip(64)    // num_units_in_display_tick, time_scale
		if r.flag() { // equal_picture_interval
			r.golomb() // num_ticks_per_picture_minus_1
		}
		if r.flag() { // decoder_model_info_present_flag
			delayBits = int(r.read(5)) + 1
			r.skip(32 + 5 + 5)
		}
	}
	displayDelay := r.flag() // initial_display_delay_present_flag
	for range r.read(5) + 1 {
		r.skip(12)         // operating_point_idc
		if r.read(5) > 7 { // seq_level_idx
			r.skip(1) // seq_tier
		}
		if delayBits > 0 && r.flag() {
			r.skip(2*delayBits + 1)
		}
		if displayDelay && r.flag() {
			r.skip(4)
		}
	}
}
