package codec_test

import (
	"strings"
	"testing"

	"github.com/pion/rtp"

	"github.com/fanfare-relay/fanfare/media"
	"github.com/fanfare-relay/fanfare/media/mediatest"
)

// builtPackets are packets as a sender's, with every layer that mediatest can make.
func builtPackets(c media.Codec) (packets []*rtp.Packet) {
	for _, high := range []bool{false, true} {
		src := mediatest.NewSource(mediatest.SourceConfig{
			Codec: c, Width: 1278, Height: 718, PictureID: 0x7ffe, TL0PicIdx: 254, High: high,
		})
		for _, f := range []mediatest.Frame{
			{Key: true, Size: 1500},
			{Size: 1500, Temporal: 2, SwitchUp: true},
			{Size: 100, Temporal: 1, Spatial: 2},
			{Key: true, Size: 100, Spatial: 2},
		} {
			packets = append(packets, src.Next(f)...)
		}
	}
	return packets
}

// handMade are payloads for the branches of the formats that senders seldom take.
func handMade(t testing.TB, c media.Codec) (payloads [][]byte) {
	for _, s := range map[media.Codec][]string{
		media.CodecVP8: vp8Payloads, media.CodecVP9: vp9Payloads, media.CodecH264: h264Payloads,
		media.CodecAV1: av1Payloads, media.CodecOpus: {"fc00", "00"},
	}[c] {
		payloads = append(payloads, unhex(t, s))
	}
	for _, headers := range []struct {
		codec media.Codec
		head  string // hexadecimal
		bits  []string
	}{
		{media.CodecVP9, "0c", vp9FrameHeaders()},
		{media.CodecH264, "67", parameterSets()},
		{media.CodecH264, "7c87", parameterSets()},
		{media.CodecAV1, "1008", sequenceHeaders()},
	} {
		for _, s := range headers.bits {
			if headers.codec == c {
				payloads = append(payloads, append(unhex(t, headers.head), packed(t, s)...))
			}
		}
	}
	return payloads
}

const vp8Head = "305900 9d012a 4201 b600 0708"

var vp8Payloads = []string{
	"10" + vp8Head,
	"70" + vp8Head,                    // N, and the reserved bits
	"11" + vp8Head,                    // another partition
	"14" + vp8Head,                    // another partition
	"10 31",                           // predicted
	"00 30",                           // not the start
	"90 00" + vp8Head,                 // no extension field
	"90 0f" + vp8Head,                 // reserved bits
	"90 80 11" + vp8Head,              // 7-bit picture id
	"90 80 9234" + vp8Head,            // 15-bit picture id
	"90 40 fe" + vp8Head,              // TL0PICIDX
	"90 20 eb" + vp8Head,              // T, with Y
	"90 20 4b" + vp8Head,              // T, without
	"90 10 eb" + vp8Head,              // K alone: TID and Y are to be ignored
	"90 f0 ffff ff 6b" + vp8Head,      // everything
	"80 f0 11 fe 8b 1000",             // a later packet
	"10 305900 9d012b 4201 b600",      // another start code
	"10 305900 9d012a 42c1 b680",      // scaled
	"10 305900 9d012a ffff ffff",      // the largest
	"10 305900 9d012a 00c0 b600",      // no width
	"10 f05900 9d012a 4201 b600 0000", // Size0, H, VER
}

var vp9Payloads = []string{
	"88 11 824983420014100b70",
	"88 9234 824983420014100b70",
	"8a 9234 18 0142 00b6 824983420014100b70",                             // one layer
	"0a 78 0001 0002 0003 0004 0005 0006 0007 0008 00 824983420014100b70", // four, no pictures
	"aa 9234 00 56 38 00a1005b 014200b6 01 04 02 824983420014100b70",
	"0a 08 03 00 10 0c 010203 82",         // a picture group alone: with no, U, and three references
	"0a 00 824983420014100b70",            // an empty structure
	"0a 10 0000 0064 824983420014100b70",  // no width in the structure
	"02 10 0000 0064 82",                  // the same, not the start
	"4a 10 0142 00b6 86",                  // a structure on a predicted picture
	"0a 17 0142 00b6 86",                  // a structure, then an intra-only frame; reserved bits
	"a8 11 20 fe 86",                      // not flexible
	"a0 11 fe fe 86", "ae 11 f1 ff 10 86", // all of TID, SID, U
	"b8 11 20 86",                         // flexible, no references
	"f8 11 34 02 86", "f8 11 30 03 04 86", // one reference, two
	"f8 11 20 03 05 06 86", "d0 11 03 05 07 86", // three, and one that promises a fourth
	"d8 9fff 02 86",                                         // no layers
	"e4 11 22 ff 00",                                        // the end
	"85 11 00",                                              // Z
	"ac 9234 03 56 86",                                      // upper layer of a key picture
	"08 42", "08 88", "08 86", "08 b4", "08 b2", "08 b2 00", // broken, existing, intra-only, those of profile 3
	"08 82 498343 0014100b70", // another sync code
}

// vp9FrameHeaders are uncompressed headers of every profile, with and without RGB.
func vp9FrameHeaders() (headers []string) {
	const keyFrame, sync = "0 0 1 0", "01001001 10000011 01000010"
	for _, size := range []string{bitsOf(321, 16) + bitsOf(181, 16), bitsOf(0xffff, 16) + bitsOf(181, 16),
		bitsOf(321, 16) + bitsOf(0xffff, 16), bitsOf(0, 16) + bitsOf(0xfffe, 16)} {
		headers = append(headers,
			"10 00"+keyFrame+sync+"001 0"+size,
			"10 00"+keyFrame+sync+"111"+size,
			"10 10"+keyFrame+sync+"001 0 010"+size,
			"10 10"+keyFrame+sync+"111 0"+size,
			"10 01"+keyFrame+sync+"1 001 0"+size,
			"10 01"+keyFrame+sync+"0 111"+size,
			"10 11 0"+keyFrame+sync+"1 101 1 100"+size,
			"10 11 0"+keyFrame+sync+"0 111 0"+size,
		)
	}
	return headers
}

var h264Payloads = []string{
	"6742c00bda05467889b011000003000100000300140f142aa0",
	"67640015acd941533c45e022000003000200000300283e28532c",
	"67f4000c919b282a33c7c5e02200000300020000030028 1e28532c",
	"67 420000 03 1f da05467889b0", "67 640000 030000 0300",
	"68ce0fc8", "0910", "0605", "6588", "6540", "6500 0003 0180", "65", "41", "419a", "4142", "c19a",
	"02 80", "0f 42", "77 00", // a data partition, a subset parameter set, type 23
	"00 00", "79 000000 80", "7d 85 0000 88", "7e 00", "7f", // types that are not read
	"78 0004 68ce0fc8 0002 6588", "78 0004 68ce0fc8 0005 6588", "78 0000 0002 6588", "78 0002 6588 00",
	"78 0002 0910 0018 6742c00bda05467889b0110000030001000003 00140f14 0002 6588",
	"78 0001 67 0001 65", "78 0003 7c8588 0001 09 0002 419a", // a fragment in an aggregation counts for nothing
	"78 0014 67640015acd941533c45e022000003000200 0003 67 6400", // two parameter sets: the last counts
	"7c 85 88", "7c 05 88", "7c 45 88", "7c c5 88", "7c a5 40", "7c 81 9a", "7c 01 9a", "7c 89 10", "7c 09 10",
	"7c 87 42c00bda05467889b011000003", "7c 47 42c00bda05467889b011000003", "7c 98 0002 6588", "7c 86", "5c 41 80",
}

// parameterSets are sequence parameter sets, from the profile on.
func parameterSets() []string {
	const (
		frameNum = "00101"                       // log2_max_frame_num_minus4
		order0   = "1 00110"                     // pic_order_cnt_type
		order1   = "010 1 00100 1 011 010 00111" // two offsets
		order2   = "011"
		order3   = "00100"                               // not defined
		refs     = "010 1"                               // max_num_ref_frames, gaps
		size     = "000010100 0001100"                   // 20 by 12
		large    = "00000000000 100000000000"            // 4,096 macroblocks wide
		frames   = "1 1"                                 // frame_mbs_only_flag, direct_8x8
		pairs    = "0 1 0"                               // with mb_adaptive_frame_field_flag
		crop     = "1 010 011 00100 00101"               // by 1, 2, 3, 4
		flat     = "1 1111111111111111"                  // a list of sixteen deltas of 0
		stops    = "1 0000 1000 1"                       // delta -8: the rest repeats
		wraps    = "1 0000 1001 1 1111111 11111111"      // delta -9: from 8 to 255
		high     = "1 0000000 11110000 1111111 11111111" // delta 120: from 8 to 128
		endless  = "00000000000000000000000000000000"    // 32 zeros
		largest  = "0000000000000000000000000000000" + "1" + "1111111111111111111111111111111"
	)
	head := func(profile uint32) string { return bitsOf(profile, 8) + bitsOf(0x55, 8) + bitsOf(31, 8) + "011" }
	lists := flat + stops + wraps + high + "0 0"
	sets := []string{
		head(66) + frameNum + order0 + refs + size + frames + "0",
		head(66) + frameNum + order1 + refs + size + pairs + crop,
		head(77) + frameNum + order2 + refs + size + frames + crop,
		head(88) + frameNum + order3 + refs + size + pairs + "0",
		head(66) + frameNum + order2 + refs + large + "0001100" + frames + "0",
		head(66) + frameNum + order2 + refs + "0001100" + large + frames + "0",
		head(66) + frameNum + order2 + refs + "0001100" + large + frames + "1 1 1 1 00100",
		head(66) + frameNum + order2 + refs + "1 1" + frames + "1 00101 00101 1 1", // nothing is left
		head(66) + frameNum + order2 + refs + "1 1" + frames + "1 1 1 00101 00101", // nothing is left
		head(66) + frameNum + order2 + refs + "1 1" + frames + "1 00100 00101 00101 00100",
		head(66) + endless + "1" + strings.Repeat("1", 90),
		head(66) + largest + order2 + refs + size + frames + "0",
		head(66) + frameNum + "010 0 1 1" + largest + strings.Repeat("1", 40), // more offsets than bits
		head(66) + frameNum + order2 + refs + largest + size + frames + "0",
		head(100) + "00101 1 1 0 0" + frameNum + order2 + refs + size + frames + crop, // chroma_format_idc 4
		head(100) + "010 1 1 0 1" + lists + "1" + strings.Repeat("010 011", 32) + "0" +
			frameNum + order2 + refs + size + frames + crop,
		head(100) + "010 1 1 0 1 0 0 0 0 0 0 1" + strings.Repeat("1", 64) + "0" +
			frameNum + order2 + refs + size + frames + crop,
		head(244) + "00100 0 1 1 0 1" + strings.Repeat("0", 11) + stops + frameNum + order2 + refs + size + frames + crop,
		head(244) + "00100 1 1 1 0 0" + frameNum + order2 + refs + size + pairs + crop,
	}
	for _, profile := range []uint32{100, 110, 122, 244, 44, 83, 86, 118, 128, 138, 139, 134, 135, 99} {
		for _, chroma := range []string{"1", "010", "011", "00100 0"} { // 4:0:0, 4:2:0, 4:2:2, 4:4:4
			sets = append(sets, head(profile)+chroma+"011 010 1 0"+frameNum+order2+refs+size+pairs+crop)
		}
	}
	return sets
}

const (
	av1Seq     = "08 0000 0004 3d06 d4da f900 40"
	av1Sized   = "0a0b 0000 0004 3d06 d4da f900 40"
	av1Reduced = "08 1821 e7f6 60" // a reduced header
)

var av1Payloads = []string{
	"28 0c" + av1Seq + " 3010", "20 0c" + av1Seq + " 3010", "20 0c" + av1Seq + " 3030", "20 0c" + av1Seq + " 1880",
	"28 0c" + av1Seq + " 3030",                  // N, whatever the frame says
	"28 0f 08000000fa1e836e210a88101010a0 3010", // of rav1e
	"a0 01 55 3010", "a8 0c" + av1Seq + " 3010", // continued
	"b0 02 5555 0c" + av1Seq + " 3030", "b8 02 5555 0c" + av1Seq + " 3030",
	"30 0c" + av1Seq + " 02 3010 3030", // a key frame and an upper layer
	"30 0c" + av1Seq + " 02 3030 3010", // the other way round
	"30 0c" + av1Seq + " 01 30 3030",   // a frame that is cut off, and another
	"20 06" + av1Reduced + " 30ff",     // a reduced header, and its frame
	"18" + av1Sized, "18 0a 8b00" + av1Sized[4:], "18 0a 02" + av1Sized[4:], "18 0a 7f" + av1Sized[4:],
	"10 32 01 10", "20 0d" + av1Sized + " 32 00 30", // sizes of frames
	"18 0e 48 0b" + av1Sized[4:], "10 3e 48 02 30 00", // extension and size
	"10 34 48 30", "10 34 ff 30", "10 34", "10 36 48", // extensions
	"20 03 34 28 30 34 50 30", "20 02 30 30 34 50 30", // two layers; one without and one with
	"08 02 1200 0c" + av1Seq + " 02 3010", "10 1200", "10 14 20", // temporal delimiters
	"10 2000", "10 2a 01 02", "10 3800", "10 7800", "10 4000", "10 2801", "10 18 10", // other types
	"10 b010", "20 01 b0 3010", "20 00 3010", // the forbidden bit, an empty element
	"00 8100 30", "00 ff 30", "00 7f 30", "10", "00", "20 01 30", "20 02 3010", "30 02 3010 7f 30", // lengths
	"00 8080808080808000 30", "00 808080808080808000 30", "10 32 8080808080808000 10", "10 32 808080808080808000 10",
	"07 02 3010", "50 3010", "d0 10", "f0 01 55 01 30 20", // reserved bits, Y
}

// sequenceHeaders are AV1 sequence headers.
func sequenceHeaders() []string {
	const (
		plain   = "000 0 0"
		size    = "1000 0111 100111111 10110011" // 9 and 8 bits: 320 by 180
		point   = "000100000001 00100"
		tier    = "000100000011 01000 1"
		endless = "00000000000000000000000000000000 1"
	)
	timing := bitsOf(1, 32) + bitsOf(30, 32)
	model := bitsOf(3, 5) + bitsOf(1, 32) + bitsOf(9, 5) + bitsOf(19, 5)
	return []string{
		"000 1 1 00000" + size,
		"010 1 0 0 0 00000" + point + size,
		plain + "0 0 00010" + point + tier + point + size,
		plain + "0 1 00001" + point + "1 0111" + tier + "0" + size,
		plain + "1" + timing + "0 0 0 00000" + point + size,
		plain + "1" + timing + "1 00110 0 0 00000" + tier + size,
		plain + "1" + timing + "1" + endless + strings.Repeat("1", 200),
		plain + "1" + timing + "0 1" + model + "0 00001" + point + "0" + tier + "1 0001 0010 1" + size,
		plain + "1" + timing + "1 1 1" + model + "1 00001" + point + "1 0001 0010 1 1 0111" + tier + "0 0" + size,
		plain + "0 0 11111" + strings.Repeat(tier, 32) + size,
		plain + "0 0 00000" + point + "0000 0000 1 0",
		plain + "0 0 00000" + point + "1111 1111" + bitsOf(0xffff, 16) + bitsOf(0, 16),
		plain + "0 0 00000" + point + "1111 1111" + bitsOf(0, 16) + bitsOf(0xffff, 16),
		plain + "0 0 00000" + point + "1111 1111" + bitsOf(0xfffe, 16) + bitsOf(0xfffe, 16),
	}
}
