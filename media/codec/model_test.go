package codec_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/fanfare-relay/fanfare/media"
)

// The model of Describe and AppendPatched, slow and obvious: it turns a payload into a string of
// '0' and '1', and reads every field in the order and by the name of the specification. It shares
// nothing with the package.

// fields reads a string of bits and writes down what it reads.
type fields struct {
	bits  string
	at    int               // the next bit
	cut   bool              // a field was not there, or not whole
	value map[string]uint64 // by name, the last of each
	where map[string]int    // where it begins in bits
}

func fieldsOf(bits string) *fields {
	return &fields{bits: bits, value: map[string]uint64{}, where: map[string]int{}}
}

func bitString(b []byte) string {
	var s strings.Builder
	for _, c := range b {
		s.WriteString(bitsOf(uint32(c), 8))
	}
	return s.String()
}

func (f *fields) rest() string { return f.bits[f.at:] }

// read reads a field of n bits, 0 when it is cut off.
func (f *fields) read(name string, n int) uint64 {
	if f.cut || n > len(f.rest()) {
		f.cut = true
		return 0
	}
	v := uint64(0)
	for _, bit := range f.bits[f.at : f.at+n] {
		v *= 2
		if bit == '1' {
			v++
		}
	}
	f.value[name], f.where[name] = v, f.at
	f.at += n
	return v
}

// flags reads fields of one bit.
func (f *fields) flags(names ...string) {
	for _, name := range names {
		f.read(name, 1)
	}
}

// is tells whether a flag has been read and is 1.
func (f *fields) is(name string) bool { return f.value[name] == 1 }

// ue reads ue(v) of H.264 section 9.1. More than 31 zeros make a number that ue(v) cannot have.
func (f *fields) ue(name string) uint64 {
	zeros := 0
	for f.read(name, 1) == 0 {
		zeros++
		if f.cut || zeros > 31 {
			f.cut = true
			return 0
		}
	}
	power := uint64(1)
	for range zeros {
		power *= 2
	}
	f.value[name] = power - 1 + f.read(name, zeros)
	return f.value[name]
}

// se reads se(v) of H.264 section 9.1.1: 0, 1, -1, 2, -2 and so on.
func (f *fields) se(name string) int64 {
	k := int64(f.ue(name))
	if k%2 == 1 {
		return (k + 1) / 2
	}
	return -k / 2
}

// leb128 reads leb128() of AV1 section 4.10.5.
func (f *fields) leb128(name string) uint64 {
	value, weight := uint64(0), uint64(1)
	for range 8 {
		more := f.read("more", 1)
		value += f.read("leb128_byte", 7) * weight
		weight *= 128
		if more == 0 {
			f.value[name] = value
			return value
		}
	}
	f.cut = true
	return 0
}

// modelDescribe is what Describe is to return.
func modelDescribe(c media.Codec, payload []byte, marker bool) media.Descriptor {
	if len(payload) == 0 {
		return nothing
	}
	switch bits := bitString(payload); c {
	case media.CodecVP8:
		return modelVP8(bits, marker)
	case media.CodecVP9:
		return modelVP9(bits, marker)
	case media.CodecH264:
		return modelH264(bits, marker)
	case media.CodecAV1:
		return modelAV1(bits, marker)
	case media.CodecOpus:
		return described(key, start, end)
	default:
		return nothing
	}
}

// modelPatched is what AppendPatched is to append.
func modelPatched(t testing.TB, c media.Codec, patch media.Patch, payload []byte) []byte {
	f := fieldsOf(bitString(payload))
	switch c {
	case media.CodecVP8:
		f.vp8Descriptor()
	case media.CodecVP9:
		f.vp9Descriptor()
	default:
		return payload
	}
	if f.cut || patch.PictureID == 0 && patch.TL0PicIdx == 0 {
		return payload
	}
	bits := f.bits
	// The last field first, so that the other stays where it is.
	if at, ok := f.where["TL0PICIDX"]; ok {
		tl0 := (f.value["TL0PICIDX"] + uint64(patch.TL0PicIdx)) % 256
		bits = bits[:at] + fmt.Sprintf("%08b", tl0) + bits[at+8:]
	}
	if at, ok := f.where["PictureID"]; ok {
		behind := at + 7
		if f.is("M") {
			behind = at + 15
		}
		id := (f.value["PictureID"] + uint64(patch.PictureID)) % 32768
		bits = bits[:f.where["M"]] + "1" + fmt.Sprintf("%015b", id) + bits[behind:]
	}
	return packed(t, bits)
}

// pictureID reads the picture id as VP8 and VP9 have it.
func (f *fields) pictureID() {
	f.flags("M")
	if f.is("M") {
		f.read("PictureID", 15)
	} else {
		f.read("PictureID", 7)
	}
}

// numbers copies the picture id and TL0PICIDX where they have been read.
func (f *fields) numbers(d *media.Descriptor) {
	if v, ok := f.value["PictureID"]; ok {
		d.PictureID = int32(v)
	}
	if v, ok := f.value["TL0PICIDX"]; ok {
		d.TL0PicIdx = int32(v)
	}
}

// vp8Descriptor reads the payload descriptor of RFC 7741 section 4.2.
func (f *fields) vp8Descriptor() {
	f.flags("X", "R", "N", "S", "R")
	f.read("PID", 3)
	if f.is("X") {
		f.flags("I", "L", "T", "K")
		f.read("RSV", 4)
	}
	if f.is("I") {
		f.pictureID()
	}
	if f.is("L") {
		f.read("TL0PICIDX", 8)
	}
	if f.is("T") || f.is("K") {
		f.read("TID", 2)
		f.flags("Y")
		f.read("KEYIDX", 5)
	}
}

func modelVP8(bits string, marker bool) media.Descriptor {
	f := fieldsOf(bits)
	f.vp8Descriptor()
	if f.cut {
		return nothing
	}
	d := nothing
	f.numbers(&d)
	d.FrameStart = f.is("S") && f.value["PID"] == 0
	d.FrameEnd = marker
	if f.is("T") {
		d.Layer.Temporal = int8(f.value["TID"])
		if f.is("Y") {
			d.SwitchUp = int8(f.value["TID"])
		}
	}
	if !d.FrameStart {
		return d
	}
	// The payload header of RFC 7741 section 4.3, which is the frame tag of RFC 6386 section 9.1.
	f.read("Size0", 3)
	f.flags("H")
	f.read("VER", 3)
	f.flags("P")
	if f.cut || f.is("P") {
		return d
	}
	d.KeyFrame = true
	f.read("Size1", 8)
	f.read("Size2", 8)
	f.read("start_code", 24)
	// Two numbers of 16 bits, the low byte first: the upper two bits are the scale.
	for _, name := range []string{"width", "height"} {
		f.read(name+" low", 8)
		f.read(name+" scale", 2)
		f.read(name+" high", 6)
	}
	if f.cut || f.value["start_code"] != 0x9d012a {
		return d
	}
	d.Width = uint16(f.value["width high"]*256 + f.value["width low"])
	d.Height = uint16(f.value["height high"]*256 + f.value["height low"])
	return d
}

// vp9Descriptor reads the payload descriptor of RFC 9628 section 4.2.
func (f *fields) vp9Descriptor() {
	f.flags("I", "P", "L", "F", "B", "E", "V", "Z")
	if f.is("I") {
		f.pictureID()
	}
	if f.is("L") {
		f.read("TID", 3)
		f.flags("U")
		f.read("SID", 3)
		f.flags("D")
		if !f.is("F") {
			f.read("TL0PICIDX", 8)
		}
	}
	if f.is("P") && f.is("F") {
		for range 3 { // no more, whatever the last N says
			f.read("P_DIFF", 7)
			f.flags("N")
			if !f.is("N") {
				break
			}
		}
	}
	if f.is("V") {
		f.scalabilityStructure()
	}
}

// scalabilityStructure reads what RFC 9628 section 4.2.1 describes.
func (f *fields) scalabilityStructure() {
	f.read("N_S", 3)
	f.flags("Y", "G")
	f.read("reserved", 3)
	if f.is("Y") {
		for range f.value["N_S"] + 1 {
			f.read("WIDTH", 16) // the last layer is the highest
			f.read("HEIGHT", 16)
		}
	}
	if f.is("G") {
		for range f.read("N_G", 8) {
			f.read("TID of G", 3)
			f.flags("U of G")
			references := f.read("R", 2)
			f.read("reserved", 2)
			for range references {
				f.read("P_DIFF of G", 8)
			}
		}
	}
}

func modelVP9(bits string, marker bool) media.Descriptor {
	f := fieldsOf(bits)
	f.vp9Descriptor()
	if f.cut {
		return nothing
	}
	d := nothing
	f.numbers(&d)
	d.FrameStart = f.is("B")
	d.FrameEnd = f.is("E") || marker
	if f.is("L") {
		d.Layer = media.Layer{Spatial: int8(f.value["SID"]), Temporal: int8(f.value["TID"])}
	}
	if f.is("U") {
		d.SwitchUp = 7 // the highest that three bits can say
	}
	// No other picture is needed, and no other layer of this one.
	d.KeyFrame = !f.is("P") && f.value["SID"] == 0
	if !d.KeyFrame {
		return d
	}
	d.Width, d.Height = uint16(f.value["WIDTH"]), uint16(f.value["HEIGHT"])
	if f.is("B") { // the frame itself begins behind the descriptor
		isKey, width, height := f.vp9Frame()
		if !isKey {
			d.KeyFrame, d.Width, d.Height = false, 0, 0
		} else if d.Width == 0 {
			d.Width, d.Height = width, height
		}
	}
	return d
}

// vp9Frame reads uncompressed_header() of the VP9 specification, section 6.2. A header that is
// broken or cut off contradicts nobody: it counts as one of a key frame without a size.
func (f *fields) vp9Frame() (isKey bool, width, height uint16) {
	if f.read("frame_marker", 2) != 2 {
		return true, 0, 0
	}
	f.flags("profile_low_bit", "profile_high_bit")
	profile := f.value["profile_high_bit"]*2 + f.value["profile_low_bit"]
	if profile == 3 {
		f.flags("reserved_zero")
	}
	f.flags("show_existing_frame")
	if f.is("show_existing_frame") {
		return false, 0, 0
	}
	f.flags("frame_type", "show_frame", "error_resilient_mode")
	if f.cut {
		return true, 0, 0
	}
	if f.is("frame_type") { // NON_KEY_FRAME
		return false, 0, 0
	}
	if f.read("frame_sync_code", 24) != 0x498342 {
		return true, 0, 0
	}
	// color_config()
	if profile >= 2 {
		f.flags("ten_or_twelve_bit")
	}
	if f.read("color_space", 3) != 7 { // CS_RGB
		f.flags("color_range")
		if profile == 1 || profile == 3 {
			f.flags("subsampling_x", "subsampling_y", "reserved_zero")
		}
	} else if profile == 1 || profile == 3 {
		f.flags("reserved_zero")
	}
	// frame_size()
	w, h := f.read("frame_width_minus_1", 16)+1, f.read("frame_height_minus_1", 16)+1
	if f.cut || w > 65535 || h > 65535 {
		return true, 0, 0
	}
	return true, uint16(w), uint16(h)
}

// modelH264 reads the payload structures of RFC 6184 that WebRTC has: single NAL unit (section
// 5.6), STAP-A (5.7.1) and FU-A (5.8).
func modelH264(bits string, marker bool) media.Descriptor {
	f, d := fieldsOf(bits), nothing
	d.FrameEnd = marker
	f.nalHeader()
	switch typ := f.value["Type"]; {
	case typ >= 1 && typ <= 23:
		modelNAL(typ, f.rest(), true, &d)
	case typ == 24:
		for {
			size := int(f.read("NAL unit size", 16)) * 8
			if f.cut || size == 0 || size > len(f.rest()) {
				break
			}
			unit := fieldsOf(f.rest()[:size])
			unit.nalHeader()
			modelNAL(unit.value["Type"], unit.rest(), true, &d)
			f.at += size
		}
	case typ == 28:
		f.flags("S", "E", "R")
		f.read("Type", 5)
		if f.cut {
			return nothing
		}
		modelNAL(f.value["Type"], f.rest(), f.is("S"), &d)
	default:
		return nothing
	}
	return d
}

func (f *fields) nalHeader() {
	f.flags("F")
	f.read("NRI", 2)
	f.read("Type", 5)
}

// modelNAL adds what a NAL unit says, or a fragment of one; first is false for what does not have its beginning.
func modelNAL(typ uint64, body string, first bool, d *media.Descriptor) {
	switch typ {
	case 1, 5: // coded slice, of another picture and of an IDR picture
		if typ == 5 {
			d.KeyFrame = true
		}
		slice := fieldsOf(rbsp(body))
		slice.ue("first_mb_in_slice")
		if first && !slice.cut && slice.value["first_mb_in_slice"] == 0 {
			d.FrameStart = true
		}
	case 7: // sequence parameter set
		d.KeyFrame = true
		if first {
			d.FrameStart = true
			d.Width, d.Height = modelSPS(rbsp(body))
		}
	case 9: // access unit delimiter
		if first {
			d.FrameStart = true
		}
	}
}

// rbsp takes the emulation prevention bytes out (H.264 section 7.3.1).
func rbsp(bits string) string {
	const zeros, three = "0000000000000000", "00000011"
	var out strings.Builder
	for len(bits) >= 8 {
		if strings.HasPrefix(bits, zeros+three) {
			out.WriteString(zeros)
			bits = bits[24:]
			continue
		}
		out.WriteString(bits[:8])
		bits = bits[8:]
	}
	return out.String()
}

// modelSPS reads seq_parameter_set_data() of H.264 section 7.3.2.1.1. Numbers beyond the range of
// their semantics are taken as they are.
func modelSPS(bits string) (width, height uint16) {
	f := fieldsOf(bits)
	f.read("profile_idc", 8)
	f.flags("constraint_set0_flag", "constraint_set1_flag", "constraint_set2_flag")
	f.flags("constraint_set3_flag", "constraint_set4_flag", "constraint_set5_flag")
	f.read("reserved_zero_2bits", 2)
	f.read("level_idc", 8)
	f.ue("seq_parameter_set_id")
	f.value["chroma_format_idc"] = 1 // where it is not present
	withChroma := []uint64{100, 110, 122, 244, 44, 83, 86, 118, 128, 138, 139, 134, 135}
	if slices.Contains(withChroma, f.value["profile_idc"]) {
		f.chromaFormat()
	}
	f.ue("log2_max_frame_num_minus4")
	f.pictureOrderCount()
	f.ue("max_num_ref_frames")
	f.flags("gaps_in_frame_num_value_allowed_flag")
	f.ue("pic_width_in_mbs_minus1")
	f.ue("pic_height_in_map_units_minus1")
	f.flags("frame_mbs_only_flag")
	if !f.is("frame_mbs_only_flag") {
		f.flags("mb_adaptive_frame_field_flag")
	}
	f.flags("direct_8x8_inference_flag", "frame_cropping_flag")
	if f.is("frame_cropping_flag") {
		f.ue("frame_crop_left_offset")
		f.ue("frame_crop_right_offset")
		f.ue("frame_crop_top_offset")
		f.ue("frame_crop_bottom_offset")
	}
	if f.cut {
		return 0, 0
	}
	return f.croppedSize()
}

// chromaFormat reads the fields that only some profiles have.
func (f *fields) chromaFormat() {
	lists := 8
	if f.ue("chroma_format_idc") == 3 {
		lists = 12
		f.flags("separate_colour_plane_flag")
	}
	f.ue("bit_depth_luma_minus8")
	f.ue("bit_depth_chroma_minus8")
	f.flags("qpprime_y_zero_transform_bypass_flag", "seq_scaling_matrix_present_flag")
	if !f.is("seq_scaling_matrix_present_flag") {
		return
	}
	for i := range lists {
		f.flags("seq_scaling_list_present_flag")
		if f.cut {
			return
		}
		if f.is("seq_scaling_list_present_flag") && i < 6 {
			f.scalingList(16)
		} else if f.is("seq_scaling_list_present_flag") {
			f.scalingList(64)
		}
	}
}

// scalingList reads scaling_list() of section 7.3.2.1.1.1.
func (f *fields) scalingList(size int) {
	lastScale, nextScale := int64(8), int64(8)
	for range size {
		if nextScale != 0 {
			deltaScale := f.se("delta_scale")
			nextScale = (lastScale + deltaScale) % 256
			if nextScale < 0 {
				nextScale += 256
			}
		}
		if nextScale != 0 {
			lastScale = nextScale
		}
	}
}

func (f *fields) pictureOrderCount() {
	switch f.ue("pic_order_cnt_type") {
	case 0:
		f.ue("log2_max_pic_order_cnt_lsb_minus4")
	case 1:
		f.flags("delta_pic_order_always_zero_flag")
		f.se("offset_for_non_ref_pic")
		f.se("offset_for_top_to_bottom_field")
		for range f.ue("num_ref_frames_in_pic_order_cnt_cycle") {
			f.se("offset_for_ref_frame")
			if f.cut {
				return
			}
		}
	}
}

// croppedSize computes by the formulas (7-13) to (7-22) of section 7.4.2.1.1, and table 6-1.
func (f *fields) croppedSize() (width, height uint16) {
	chromaArrayType := f.value["chroma_format_idc"]
	if f.is("separate_colour_plane_flag") {
		chromaArrayType = 0
	}
	cropUnitX, cropUnitY := uint64(1), uint64(1)
	switch chromaArrayType {
	case 1: // 4:2:0
		cropUnitX, cropUnitY = 2, 2
	case 2: // 4:2:2
		cropUnitX, cropUnitY = 2, 1
	}
	mapUnit := uint64(16)
	if !f.is("frame_mbs_only_flag") {
		cropUnitY *= 2
		mapUnit = 32
	}
	w := (f.value["pic_width_in_mbs_minus1"] + 1) * 16
	h := (f.value["pic_height_in_map_units_minus1"] + 1) * mapUnit
	cropX := (f.value["frame_crop_left_offset"] + f.value["frame_crop_right_offset"]) * cropUnitX
	cropY := (f.value["frame_crop_top_offset"] + f.value["frame_crop_bottom_offset"]) * cropUnitY
	if cropX >= w || cropY >= h { // nothing would be left
		return 0, 0
	}
	if w-cropX > 65535 || h-cropY > 65535 {
		return 0, 0
	}
	return uint16(w - cropX), uint16(h - cropY)
}

// av1Elements splits a payload by section 4.4 of the AV1 RTP specification, up to the first
// element that is not whole.
func (f *fields) av1Elements() (elements []string) {
	f.flags("Z", "Y")
	f.read("W", 2)
	f.flags("N")
	f.read("reserved", 3)
	for len(f.rest()) > 0 {
		if f.value["W"] > 0 && len(elements) == int(f.value["W"])-1 { // the last has no length
			return append(elements, f.rest())
		}
		size := f.leb128("OBU element length")
		if f.cut || size > uint64(len(f.rest())/8) {
			return elements
		}
		elements = append(elements, f.rest()[:size*8])
		f.at += int(size) * 8
	}
	return elements
}

// obu reads open_bitstream_unit() of AV1 section 5.3 up to what is in it, which may be cut off.
func (f *fields) obu() (payload string, ok bool) {
	f.flags("obu_forbidden_bit")
	f.read("obu_type", 4)
	f.flags("obu_extension_flag", "obu_has_size_field", "obu_reserved_1bit")
	if f.is("obu_extension_flag") {
		f.read("temporal_id", 3)
		f.read("spatial_id", 2)
		f.read("extension_header_reserved_3bits", 3)
	}
	payload = f.rest()
	if f.is("obu_has_size_field") {
		size := f.leb128("obu_size")
		payload = f.rest()
		if size < uint64(len(payload)/8) {
			payload = payload[:size*8]
		}
	}
	return payload, !f.cut && !f.is("obu_forbidden_bit")
}

func modelAV1(bits string, marker bool) media.Descriptor {
	f := fieldsOf(bits)
	elements := f.av1Elements()
	if len(elements) == 0 {
		return nothing
	}
	d := nothing
	d.FrameEnd = marker
	frameDecides := false // the next frame tells whether the sequence header began a key frame
	decided := false      // it has: a sequence header behind it is repeated
	for i, element := range elements {
		obu := fieldsOf(element)
		payload, ok := obu.obu()
		if i == 0 && f.is("Z") || !ok { // Z: it has no header here
			continue
		}
		typ := obu.value["obu_type"]
		if i == 0 { // sequence header, temporal delimiter, frame header, metadata, frame
			d.FrameStart = slices.Contains([]uint64{1, 2, 3, 5, 6}, typ)
		}
		if obu.is("obu_extension_flag") && d.Layer == nothing.Layer {
			d.Layer = media.Layer{Spatial: int8(obu.value["spatial_id"]), Temporal: int8(obu.value["temporal_id"])}
		}
		body := fieldsOf(payload)
		switch typ {
		case 1:
			if decided {
				continue
			}
			d.KeyFrame = true
			d.Width, d.Height = body.sequenceHeader()
			// With the reduced header every frame is a key frame, and does not say so.
			frameDecides = !f.is("N") && !body.is("reduced_still_picture_header")
		case 3, 6: // uncompressed_header() of section 5.9.2
			body.flags("show_existing_frame")
			body.read("frame_type", 2)
			if !frameDecides || body.cut {
				continue
			}
			frameDecides, decided = false, true
			if body.is("show_existing_frame") || body.value["frame_type"] != 0 { // KEY_FRAME
				d.KeyFrame, d.Width, d.Height = false, 0, 0
			}
		}
	}
	if f.is("N") && !f.is("Z") {
		d.KeyFrame, d.FrameStart = true, true
	}
	return d
}

// sequenceHeader reads sequence_header_obu() of AV1 section 5.5.1.
func (f *fields) sequenceHeader() (width, height uint16) {
	f.read("seq_profile", 3)
	f.flags("still_picture", "reduced_still_picture_header")
	if f.is("reduced_still_picture_header") {
		f.read("seq_level_idx", 5)
	} else {
		f.timingInfo()
		f.flags("initial_display_delay_present_flag")
		for range f.read("operating_points_cnt_minus_1", 5) + 1 {
			f.operatingPoint()
		}
	}
	widthBits := int(f.read("frame_width_bits_minus_1", 4)) + 1
	heightBits := int(f.read("frame_height_bits_minus_1", 4)) + 1
	w := f.read("max_frame_width_minus_1", widthBits) + 1
	h := f.read("max_frame_height_minus_1", heightBits) + 1
	if f.cut || w > 65535 || h > 65535 {
		return 0, 0
	}
	return uint16(w), uint16(h)
}

// timingInfo reads timing_info() and decoder_model_info(), sections 5.5.3 and 5.5.4.
func (f *fields) timingInfo() {
	f.flags("timing_info_present_flag")
	if !f.is("timing_info_present_flag") {
		return
	}
	f.read("num_units_in_display_tick", 32)
	f.read("time_scale", 32)
	f.flags("equal_picture_interval")
	if f.is("equal_picture_interval") {
		// uvlc() is ue(v) but for 32 zeros and more, which section 6.4.3 rules out here.
		f.ue("num_ticks_per_picture_minus_1")
	}
	f.flags("decoder_model_info_present_flag")
	if f.is("decoder_model_info_present_flag") {
		f.read("buffer_delay_length_minus_1", 5)
		f.read("num_units_in_decoding_tick", 32)
		f.read("buffer_removal_time_length_minus_1", 5)
		f.read("frame_presentation_time_length_minus_1", 5)
	}
}

func (f *fields) operatingPoint() {
	f.read("operating_point_idc", 12)
	if f.read("seq_level_idx", 5) > 7 {
		f.flags("seq_tier")
	}
	if f.is("decoder_model_info_present_flag") {
		f.flags("decoder_model_present_for_this_op")
		if f.is("decoder_model_present_for_this_op") { // operating_parameters_info()
			n := int(f.value["buffer_delay_length_minus_1"]) + 1
			f.read("decoder_buffer_delay", n)
			f.read("encoder_buffer_delay", n)
			f.flags("low_delay_mode_flag")
		}
	}
	if f.is("initial_display_delay_present_flag") {
		f.flags("initial_display_delay_present_for_this_op")
		if f.is("initial_display_delay_present_for_this_op") {
			f.read("initial_display_delay_minus_1", 4)
		}
	}
}
