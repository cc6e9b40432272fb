package codec_test

import (
	"slices"

	"github.com/fanfare-relay/fanfare/media"
)

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
