package codec_test

import (
	"github.com/fanfare-relay/fanfare/media"
)

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
