package mediatest

import "encoding/binary"

// vp8 makes payloads by RFC 7741: with a 15-bit picture id, TL0PICIDX and a temporal layer.
func (s *Source) vp8(f Frame) [][]byte {
	head := []byte{0x11, 0, 0} // P: predicted, shown
	if f.Key {
		head = []byte{0x10, 0, 0, 0x9d, 0x01, 0x2a}
		head = binary.LittleEndian.AppendUint16(head, s.cfg.Width)
		head = binary.LittleEndian.AppendUint16(head, s.cfg.Height)
	}
	var out [][]byte
	for i, part := range chunks(filled(head, f.Size), s.cfg.MTU-6) {
		first := byte(0x80)
		if i == 0 {
			first |= 0x10
		}
		out = append(out, append([]byte{
			first, 0xe0, 0x80 | byte(s.id>>8), byte(s.id), s.tl0, f.Temporal << 6,
		}, part...))
	}
	return out
}

// vp9 makes payloads by RFC 9628: not flexible, profile 0. A key frame begins with the scalability structure, and each
// spatial layer is predicted from the one below.
func (s *Source) vp9(f Frame) (out [][]byte) {
	for sid := range f.Spatial + 1 {
		out = append(out, s.vp9Layer(f, sid)...)
	}
	return out
}

func (s *Source) vp9Layer(f Frame, sid uint8) (out [][]byte) {
	key, below := f.Key && sid == 0, int(f.Spatial-sid)
	parts := chunks(filled(s.vp9Header(key, below), f.Size>>(2*below)), s.cfg.MTU-20)
	layer := f.Temporal<<5 | sid<<1
	if f.SwitchUp {
		layer |= 0x10
	}
	if sid > 0 {
		layer |= 0x01
	}
	for i, part := range parts {
		flags := byte(0xa0) // I, L
		if !f.Key {
			flags |= 0x40
		}
		if i == 0 {
			flags |= 0x08
		}
		if i == len(parts)-1 {
			flags |= 0x04
		}
		if i == 0 && key {
			flags |= 0x02
		}
		p := []byte{flags, 0x80 | byte(s.id>>8), byte(s.id), layer, s.tl0}
		if flags&0x02 != 0 {
			p = append(p, f.Spatial<<5|0x10)
			for below := int(f.Spatial); below >= 0; below-- {
				p = binary.BigEndian.AppendUint16(p, s.cfg.Width>>below)
				p = binary.BigEndian.AppendUint16(p, s.cfg.Height>>below)
			}
		}
		out = append(out, append(p, part...))
	}
	return out
}

// vp9Header is the beginning of the uncompressed header of a picture that is so many times halved.
func (s *Source) vp9Header(key bool, halved int) []byte {
	var w bitWriter
	w.put(2, 2) // frame_marker
	w.put(0, 2) // profile
	w.put(0, 1) // show_existing_frame
	if key {
		w.put(0, 1)
		w.put(2, 2) // show_frame, not error resilient
		w.put(0x498342, 24)
		w.put(1, 3) // BT.601
		w.put(0, 1)
		w.put(uint32(s.cfg.Width>>halved)-1, 16)
		w.put(uint32(s.cfg.Height>>halved)-1, 16)
	} else {
		w.put(1, 1)
		w.put(2, 2)
	}
	return w.b
}

// h264 makes payloads by RFC 6184: the parameter sets as a STAP-A, then the slice, as a single
// NAL unit or in fragments (FU-A).
func (s *Source) h264(f Frame) [][]byte {
	var out [][]byte
	nal := []byte{0x41, 0x9a} // a predicted slice, first_mb_in_slice 0
	if f.Key {
		sps, pps := s.sps(), []byte{0x68, 0xce, 0x3c, 0x80}
		stap := []byte{0x78}
		for _, n := range [][]byte{sps, pps} {
			stap = binary.BigEndian.AppendUint16(stap, uint16(len(n)))
			stap = append(stap, n...)
		}
		out = append(out, stap)
		nal = []byte{0x65, 0x88}
	}
	nal = filled(nal, f.Size)
	if len(nal) <= s.cfg.MTU {
		return append(out, nal)
	}
	parts := chunks(nal[1:], s.cfg.MTU-2)
	for i, part := range parts {
		head := nal[0] & 0x1f
		if i == 0 {
			head |= 0x80
		}
		if i == len(parts)-1 {
			head |= 0x40
		}
		out = append(out, append([]byte{nal[0]&0xe0 | 28, head}, part...))
	}
	return out
}

// sps makes a sequence parameter set of the constrained baseline profile, or of High.
func (s *Source) sps() []byte {
	w := bitWriter{}
	profile, constraints := uint32(66), uint32(0xe0)
	if s.cfg.High {
		profile, constraints = 100, 0
	}
	w.put(profile, 8)
	w.put(constraints, 8)
	w.put(31, 8)
	w.golomb(0) // seq_parameter_set_id
	if s.cfg.High {
		w.golomb(1) // chroma_format_idc
		w.golomb(0) // bit_depth_luma_minus8
		w.golomb(0) // bit_depth_chroma_minus8
		w.put(0, 2) // qpprime_y_zero_transform_bypass_flag, seq_scaling_matrix_present_flag
	}
	w.golomb(0) // log2_max_frame_num_minus4
	w.golomb(2) // pic_order_cnt_type
	w.golomb(1) // max_num_ref_frames
	w.put(0, 1)
	mbWidth, mbHeight := (uint32(s.cfg.Width)+15)/16, (uint32(s.cfg.Height)+15)/16
	w.golomb(mbWidth - 1)
	w.golomb(mbHeight - 1)
	w.put(3, 2) // frame_mbs_only_flag, direct_8x8_inference_flag
	w.put(1, 1) // frame_cropping_flag
	w.golomb(0)
	w.golomb((mbWidth*16 - uint32(s.cfg.Width)) / 2)
	w.golomb(0)
	w.golomb((mbHeight*16 - uint32(s.cfg.Height)) / 2)
	w.put(0, 1) // vui_parameters_present_flag
	w.put(1, 1) // rbsp_stop_one_bit
	return append([]byte{0x67}, escape(w.b)...)
}

// escape puts the emulation prevention bytes in (ITU-T H.264 section 7.4.1).
func escape(b []byte) []byte {
	var out []byte
	zeros := 0
	for _, c := range b {
		if zeros >= 2 && c <= 3 {
			out, zeros = append(out, 3), 0
		}
		out = append(out, c)
		if c == 0 {
			zeros++
		} else {
			zeros = 0
		}
	}
	return out
}

// av1 makes payloads by the AV1 RTP specification: a key frame begins with a sequence header, and
// a frame is one OBU, in as many fragments as it needs.
func (s *Source) av1(f Frame) [][]byte {
	frame := []byte{6 << 3, 0x30} // OBU_FRAME; an inter frame that is shown
	if f.Key {
		frame[1] = 0x10
	}
	parts := chunks(filled(frame, f.Size), s.cfg.MTU-40)
	var out [][]byte
	for i, part := range parts {
		head := byte(1 << 4) // W: one element
		if i > 0 {
			head |= 0x80
		}
		if i < len(parts)-1 {
			head |= 0x40
		}
		var p []byte
		if i == 0 && f.Key {
			seq := s.sequenceHeader()
			p = append([]byte{head&^0x30 | 2<<4 | 0x08, byte(len(seq))}, seq...)
		} else {
			p = []byte{head}
		}
		out = append(out, append(p, part...))
	}
	return out
}

// sequenceHeader makes an AV1 sequence header OBU of the main profile, with one operating point.
func (s *Source) sequenceHeader() []byte {
	w := bitWriter{}
	w.put(1<<3, 8) // OBU_SEQUENCE_HEADER, no extension, no size
	w.put(0, 3)    // seq_profile
	w.put(0, 4)    // still_picture, reduced header, timing info, initial display delay
	w.put(0, 5)    // operating_points_cnt_minus_1
	w.put(0, 12)   // operating_point_idc
	w.put(8, 5)    // seq_level_idx
	w.put(0, 1)    // seq_tier
	w.put(15, 4)
	w.put(15, 4)
	w.put(uint32(s.cfg.Width)-1, 16)
	w.put(uint32(s.cfg.Height)-1, 16)
	w.put(0, 32) // the tools
	return w.b
}
