package codec_test

import (
	"slices"
	"strings"

	"github.com/fanfare-relay/fanfare/media"
)

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
