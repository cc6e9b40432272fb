package codec_test

import (
	"strings"
	"testing"

	"github.com/fanfare-relay/fanfare/media"
	"github.com/fanfare-relay/fanfare/media/codec"
)

// packed turns a string of bits into bytes; spaces are for the reader.
func packed(t testing.TB, s string) []byte {
	t.Helper()
	s = strings.ReplaceAll(s, " ", "")
	out := make([]byte, (len(s)+7)/8)
	for i, c := range s {
		if c == '1' {
			out[i/8] |= 0x80 >> (i % 8)
		}
	}
	return out
}

func bitsOf(v uint32, n int) string {
	var b strings.Builder
	for i := n - 1; i >= 0; i-- {
		b.WriteByte('0' + byte(v>>i&1))
	}
	return b.String()
}

// Parameter sets with the fields that encoders on the machine at hand do not write.
func TestParameterSets(t *testing.T) {
	const (
		// chroma_format_idc 1, bit depths 8, no bypass.
		chroma420 = "010 1 1 0"
		// seq_parameter_set_id 0.
		id = "1"
		// log2_max_frame_num_minus4 0.
		frameNum = "1"
		order2   = "011"                           // pic_order_cnt_type 2
		order1   = "010 1 1 1 00100 010 011 00100" // type 1: three offsets
		// one reference, no gaps, 20 by 12 macroblocks, whole frames, direct_8x8.
		size = "010 0 000010100 0001100 1 1"
		// the same as field pairs: 6 map units.
		fields = "010 0 000010100 00110 0 1 1"
	)
	head := func(profile uint32) string { return bitsOf(profile, 8) + bitsOf(0, 8) + bitsOf(31, 8) + id }
	flat := "1" + strings.Repeat("1", 16) // a list of sixteen deltas of 0
	stops := "1" + "0000 1000 1"          /* delta -8: the rest repeats */
	tests := []struct {
		name          string
		bits          string
		width, height uint16
	}{
		{"order type 1", head(66) + frameNum + order1 + size + "0", 320, 192},
		{"scaling lists", head(100) + chroma420 + "1" + flat + stops + "0 0 0 0 0 0" + frameNum + order2 + size + "0", 320, 192},
		{"chroma 4:4:4 in planes", head(244) + "00100 1 1 1 0 1 000000000000" + frameNum + order2 + size +
			"1 1 010 1 010", 319, 191}, // cropped by one, in units of one
		{"chroma 4:2:0 cropped", head(66) + frameNum + order2 + size + "1 010 010 1 010", 316, 190},
		{"fields cropped", head(66) + frameNum + order2 + fields + "1 1 1 1 010", 320, 188},
		{"cropped away", head(66) + frameNum + order2 + size + "1 1" + strings.Repeat("0", 9) + "1111111111" + "1 1", 0, 0},
		{"a number that never ends", head(66) + strings.Repeat("0", 80), 0, 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			d := codec.Describe(media.CodecH264, append([]byte{0x67}, packed(t, tt.bits)...), false)
			if !d.KeyFrame || d.Width != tt.width || d.Height != tt.height {
				t.Errorf("%d by %d, want %d by %d", d.Width, d.Height, tt.width, tt.height)
			}
		})
	}
}

func TestSequenceHeaders(t *testing.T) {
	const (
		profile = "000 0 0"                      // profile 0, no still picture, no reduced header
		size    = "1000 0111 100111111 10110011" // 9 and 8 bits: 320 by 180
	)
	timing := bitsOf(1, 32) + bitsOf(30, 32)
	tests := []struct {
		name string
		bits string
	}{
		{"reduced", "000 1 1 00000" + size},
		{"equal intervals", profile + "1" + timing + "1 1 0" + "0" + "00000" + bitsOf(0, 12) + "00100" + size},
		{"decoder model, display delay, two points", profile +
			"1" + timing + "0 1 00011" + bitsOf(1, 32) + "00000 00000" + "1" + "00001" +
			bitsOf(0x103, 12) + "01000 1" + "1 0001 0010 1" + "1 0111" +
			bitsOf(0x101, 12) + "00111" + "0" + "0" + size},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			payload := append([]byte{0x18, 0x08}, packed(t, tt.bits)...)
			if d := codec.Describe(media.CodecAV1, payload, false); d.Width != 320 || d.Height != 180 {
				t.Errorf("%d by %d", d.Width, d.Height)
			}
		})
	}
}
