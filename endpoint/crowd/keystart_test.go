package crowd

import (
	"fmt"
	"testing"

	"github.com/fanfare-relay/fanfare/media"
	"github.com/fanfare-relay/fanfare/media/mediatest"
)

// TestBeginsKey: where a key frame begins, in each codec.
func TestBeginsKey(t *testing.T) {
	for _, c := range []media.Codec{media.CodecVP8, media.CodecVP9, media.CodecH264, media.CodecAV1} {
		s := mediatest.NewSource(mediatest.SourceConfig{Codec: c})
		for i := range 20 {
			key := i%7 == 0
			began := 0
			for j, p := range s.Next(mediatest.Frame{Key: key, Size: 5000}) {
				if !beginsKey(c, p.Payload) {
					continue
				}
				began++
				if !key || j > 1 || j == 1 && c != media.CodecH264 { // behind H.264's parameter sets its first slice
					t.Errorf("%v: packet %d of frame %d (key %v) begins one", c, j, i, key)
				}
			}
			if key && began == 0 {
				t.Errorf("%v: key frame %d was not seen", c, i)
			}
		}
	}
}

// TestBeginsIDR: the payloads of H.264, whole, put together and cut.
func TestBeginsIDR(t *testing.T) {
	for _, tt := range []struct {
		payload []byte
		want    bool
	}{
		{nil, false},
		{[]byte{0x65}, false},
		{[]byte{0x65, 0x88}, true},
		{[]byte{0x65, 0x40}, false}, // a slice that is not the first
		{[]byte{0x67, 1, 2}, true},
		{[]byte{0x61, 1, 2}, false},                           // a slice of another picture
		{[]byte{0x68, 1, 2}, false},                           // a PPS alone
		{[]byte{0x78, 0, 2, 0x67, 1, 0, 1, 0x68}, true},       // STAP-A: SPS, PPS
		{[]byte{0x78, 0, 2, 0x06, 1, 0, 2, 0x65, 0x88}, true}, // SEI, IDR
		{[]byte{0x78, 0, 2, 0x06, 1, 0, 2, 0x61, 1}, false},   // SEI, a slice
		{[]byte{0x78, 0, 0, 0, 0, 0, 0}, false},               // empty ones
		{[]byte{0x78, 0xff, 0xff, 0x06}, false},               // longer than all
		{[]byte{0x78, 0}, false},
		{[]byte{0x7c}, false},             // FU-A without a head
		{[]byte{0x7c, 0x85, 0x88}, true},  // the first part of an IDR's first slice
		{[]byte{0x7c, 0x85, 0x40}, false}, // of another slice
		{[]byte{0x7c, 0x05, 0x88}, false}, // a later part
		{[]byte{0x7c, 0x81, 1}, false},
	} {
		t.Run(fmt.Sprintf("%x", tt.payload), func(t *testing.T) {
			if got := beginsIDR(tt.payload); got != tt.want {
				t.Errorf("%v, want %v", got, tt.want)
			}
		})
	}
}

// TestBeginsSequence: with and without the N bit, and with one element and more.
func TestBeginsSequence(t *testing.T) {
	for _, tt := range []struct {
		payload []byte
		want    bool
	}{
		{[]byte{0x18, 0x32, 1}, true},                // N
		{[]byte{0x10, 0x0a, 1}, true},                // one element, a sequence header
		{[]byte{0x10, 0x32, 1}, false},               // a frame
		{[]byte{0x20, 2, 0x08, 1, 0x30, 1}, true},    // two
		{[]byte{0x20, 2, 0x30, 1, 0x08, 1}, false},   // the header is behind a frame
		{[]byte{0x00, 2, 0x08, 1, 2, 0x30, 1}, true}, // as many as there are
		{[]byte{0x90, 0x08, 1}, false},               // goes on from the packet before
		{[]byte{0x20, 0x80}, false},                  // a length that is cut off
		{[]byte{0x20, 2}, false},
	} {
		t.Run(fmt.Sprintf("%x", tt.payload), func(t *testing.T) {
			if got := beginsSequence(tt.payload); got != tt.want {
				t.Errorf("%v, want %v", got, tt.want)
			}
		})
	}
}

// TestBeginsNothing: what is broken, and sound, begins no key frame.
func TestBeginsNothing(t *testing.T) {
	for _, c := range []media.Codec{media.CodecVP8, media.CodecVP9, media.CodecH264, media.CodecAV1, media.CodecOpus} {
		for _, payload := range [][]byte{nil, {}, {0x90}, {0x80, 0x80}} {
			if beginsKey(c, payload) {
				t.Errorf("%v: %x begins one", c, payload)
			}
		}
	}
}
