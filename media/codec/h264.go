package codec

import (
	"encoding/binary"

	"github.com/fanfare-relay/fanfare/media"
)

// Types of NAL unit (ITU-T H.264 table 7-1) and of RTP payload (RFC 6184 section 5.2).
const (
	nalSlice = 1
	nalIDR   = 5
	nalSPS   = 7
	nalAUD   = 9
	nalSTAPA = 24
	nalFUA   = 28
)

// describeH264 calls a packet part of a key frame when it has a slice of an IDR picture or a
// sequence parameter set, with which senders begin their key frames. A frame begins with a
// delimiter, a sequence parameter set or the slice of the first macroblock.
//
//	single NAL unit   |F|NRI|type 1–23| ...
//	STAP-A            |F|NRI|24| then, each time: size 16 bits, NAL unit
//	FU-A              |F|NRI|28| |S|E|R|type 5| fragment
func describeH264(b []byte, marker bool) media.Descriptor {
	d := unknown
	d.FrameEnd = marker
	switch typ := b[0] & 0x1f; {
	case typ == nalSTAPA:
		describeSTAPA(b[1:], &d)
	case typ == nalFUA:
		if len(b) < 2 {
			return unknown
		}
		describeNAL(b[1]&0x1f, b[2:], b[1]&0x80 != 0, &d)
	case typ >= 1 && typ <= 23:
		describeNAL(typ, b[1:], true, &d)
	default:
		return unknown
	}
	return d
}

func describeSTAPA(b []byte, d *media.Descriptor) {
	for len(b) >= 3 {
		n := int(binary.BigEndian.Uint16(b))
		if n == 0 || n > len(b)-2 {
			return
		}
		describeNAL(b[2]&0x1f, b[3:2+n], true, d)
		b = b[2+n:]
	}
}

// describeNAL adds what one NAL unit, or its first fragment (start), or a later fragment says.
// body is what follows the NAL unit header.
func describeNAL(typ byte, body []byte, start bool, d *media.Descriptor) {
	switch typ {
	case nalIDR, nalSlice:
		d.KeyFrame = d.KeyFrame || typ == nalIDR
		// first_mb_in_slice is ue(v): one set bit says 0.
		if start && len(body) > 0 && body[0]&0x80 != 0 {
			d.FrameStart = true
		}
	case nalSPS:
		d.KeyFrame = true
		if start {
			d.FrameStart = true
			d.Width, d.Height = parseSPS(body)
		}
	case nalAUD:
		d.FrameStart = d.FrameStart || start
	}
}

// parseSPS reads the size of the picture from a sequence parameter set (ITU-T H.264 section
// 7.3.2.1.1), 0 and 0 where it cannot be read.
func parseSPS(b []byte) (width, height uint16) {
	r := bits{b: b, escaped: true}
	profile := r.read(8)
	r.skip(16) // constraint flags, level_idc
	r.golomb() // seq_parameter_set_id
	chroma := uint32(1)
	if hasChroma(profile) {
		chroma = skipChroma(&r)
	}
	r.golomb() // log2_max_frame_num_minus4
	skipOrderCount(&r)
	r.golomb() // max_num_ref_frames
	r.skip(1)  // gaps_in_frame_num_value_allowed_flag
	w := (uint64(r.golomb()) + 1) * 16
	mapUnits := uint64(r.golomb()) + 1
	frameOnly := uint64(r.bit()) // frame_mbs_only_flag
	h := (2 - frameOnly) * mapUnits * 16
	if frameOnly == 0 {
		r.skip(1) // mb_adaptive_frame_field_flag
	}
	r.skip(1) // direct_8x8_inference_flag
	cropX, cropY := readCrop(&r, chroma, 2-frameOnly)
	if r.short || cropX >= w || cropY >= h || w-cropX > 0xffff || h-cropY > 0xffff {
		return 0, 0
	}
	return uint16(w - cropX), uint16(h - cropY)
}

// hasChroma tells the profiles whose parameter set has the chroma fields.
func hasChroma(profile uint32) bool {
	switch profile {
	case 100, 110, 122, 244, 44, 83, 86, 118, 128, 138, 139, 134, 135:
		return true
	default:
		return false
	}
}

// skipChroma passes over chroma_format_idc to the scaling lists, and returns chroma_format_idc,
// or 0 when the colour planes are coded apart, as then the crop units are those of no chroma.
func skipChroma(r *bits) (chroma uint32) {
	chroma = r.golomb()
	lists := 8
	if chroma == 3 {
		lists = 12
		if r.flag() { // separate_colour_plane_flag
			chroma = 0
		}
	}
	r.golomb() // bit_depth_luma_minus8
	r.golomb() // bit_depth_chroma_minus8
	r.skip(1)  // qpprime_y_zero_transform_bypass_flag
	if !r.flag() {
		return chroma
	}
	for i := range lists {
		if r.flag() {
			skipScalingList(r, i)
		}
	}
	return chroma
}

// skipScalingList passes over one list: 16 numbers for the first six, 64 for the others.
func skipScalingList(r *bits, index int) {
	size := 16
	if index >= 6 {
		size = 64
	}
	last, next := int32(8), int32(8)
	for i := 0; i < size && !r.short; i++ {
		if next != 0 {
			next = (last + r.signedGolomb()) & 0xff
		}
		if next != 0 {
			last = next
		}
	}
}

// skipOrderCount passes over the fields of pic_order_cnt_type.
func skipOrderCount(r *bits) {
	switch r.golomb() {
	case 0:
		r.golomb() // log2_max_pic_order_cnt_lsb_minus4
	case 1:
		r.skip(1)  // delta_pic_order_always_zero_flag
		r.golomb() // offset_for_non_ref_pic
		r.golomb() // offset_for_top_to_bottom_field
		n := r.golomb()
		for i := uint32(0); i < n && !r.short; i++ {
			r.golomb() // offset_for_ref_frame
		}
	}
}

// readCrop returns the pixels that are cut off, in both directions. fields is 2 for interlaced.
func readCrop(r *bits, chroma uint32, fields uint64) (x, y uint64) {
	if !r.flag() {
		return 0, 0
	}
	unitX, unitY := uint64(1), fields
	if chroma == 1 || chroma == 2 {
		unitX = 2
	}
	if chroma == 1 {
		unitY *= 2
	}
	left, right := uint64(r.golomb()), uint64(r.golomb())
	top, bottom := uint64(r.golomb()), uint64(r.golomb())
	return (left + right) * unitX, (top + bottom) * unitY
}
