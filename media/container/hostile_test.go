package container

import (
	"bytes"
	"encoding/binary"
	"runtime"
	"testing"
)

// TestHostileLengths: a file that claims huge lengths and counts gets no more memory than its own size calls for.
func TestHostileLengths(t *testing.T) {
	ebml := []byte("\x1a\x45\xdf\xa3\x84\x42\x82\x81m\x18\x53\x80\x67\x01\xff\xff\xff\xff\xff\xff\xff")
	mp4 := file(t, "h264-opus.mp4")
	fragmented := file(t, "h264-opus-fragmented.mp4")
	// claim overwrites the 32 bits that stand a distance behind a box's name.
	claim := func(b []byte, box string, behind int, v uint32) []byte {
		b = bytes.Clone(b)
		at := bytes.Index(b, []byte(box))
		if at < 0 {
			t.Fatal("no", box)
		}
		binary.BigEndian.PutUint32(b[at+4+behind:], v)
		return b
	}
	for name, b := range map[string][]byte{
		"EBML tracks":       append(bytes.Clone(ebml), "\x16\x54\xae\x6b\x08\xff\xff\xff\xff"...),
		"EBML block":        append(bytes.Clone(ebml), "\x1f\x43\xb6\x75\x01\xff\xff\xff\xff\xff\xff\xff\xa3\x11\xff\xff\xff"...),
		"MP4 moov":          []byte("\x00\x00\x00\x10ftypisom\x00\x00\x00\x00\x7f\xff\xff\xffmoov"),
		"MP4 moov, 64 bit":  []byte("\x00\x00\x00\x10ftypisom\x00\x00\x00\x00\x00\x00\x00\x01moov\x7f\xff\xff\xff\xff\xff\xff\xff"),
		"MP4 sample count":  claim(mp4, "stsz", 8, 0xFFFFFFFF),
		"MP4 sample size":   claim(mp4, "stsz", 4, 0x7FFFFFFF),
		"MP4 run lengths":   claim(mp4, "stts", 4, 0xFFFFFFFF),
		"MP4 chunks":        claim(mp4, "stco", 4, 0xFFFFFFFF),
		"MP4 fragment run":  claim(fragmented, "trun", 4, 0xFFFFFFFF),
		"MP4 fragment size": claim(fragmented, "moof", -8, 0x7FFFFFFF),
		"IVF frame":         append([]byte("DKIF\x00\x00\x20\x00VP80\x40\x00\x40\x00\x19\x00\x00\x00\x01\x00\x00\x00\x01\x00\x00\x00\x00\x00\x00\x00"), "\xff\xff\xff\x7f\x00\x00\x00\x00\x00\x00\x00\x00"...),
	} {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		drain(b)
		runtime.ReadMemStats(&after)
		if got := after.TotalAlloc - before.TotalAlloc; got > 4<<20 {
			t.Errorf("%s: %d bytes of memory for a file of %d", name, got, len(b))
		}
	}
}

// TestHostileRuns: runs of samples without sizes of their own cost no bytes, however many a file has of them.
func TestHostileRuns(t *testing.T) {
	run := make([]byte, 8)
	binary.BigEndian.PutUint32(run[4:], 0xFFFFFFFF)
	for _, size := range []uint32{0, 1} {
		track := &mp4Track{}
		for range 5 {
			track.run(run, 0, 0, trackDefaults{size: size})
		}
		if n := len(track.queue); n > maxRun || size == 0 && n > 0 {
			t.Errorf("samples of %d bytes: %d are held", size, n)
		}
	}
}

// TestHostilePrefix: what a file wants before each frame is small, or not done.
func TestHostilePrefix(t *testing.T) {
	for size, want := range map[int]bool{4: false, maxPrefix: false, maxPrefix + 1: true} {
		settings := append([]byte{0x42, 0x55, 0x40 | byte(size>>8), byte(size)}, make([]byte, size)...)
		body := append([]byte{0x42, 0x54, 0x81, 3}, settings...)
		compression := append([]byte{0x50, 0x34, 0x40 | byte(len(body)>>8), byte(len(body))}, body...)
		encoding := append([]byte{0x62, 0x40, 0x40 | byte(len(compression)>>8), byte(len(compression))}, compression...)
		prefix, sealed := mkvEncodings(encoding)
		if len(prefix) != size || sealed != want {
			t.Errorf("a prefix of %d bytes: %d, sealed %v", size, len(prefix), sealed)
		}
	}
}
