package crowd

import (
	"testing"

	"github.com/pion/rtp"
)

// packet makes an RTP packet with a transport-wide number.
func packet(t testing.TB, twoByte bool) []byte {
	t.Helper()
	p := rtp.Packet{Header: rtp.Header{
		Version: 2, Marker: true, PayloadType: 96, SequenceNumber: 65535, Timestamp: 1 << 31, SSRC: 7, CSRC: []uint32{1, 2},
		Extension: true, ExtensionProfile: 0xBEDE,
	}, Payload: []byte{1, 2, 3}}
	id := uint8(3)
	if twoByte {
		p.ExtensionProfile, id = 0x1000, 17
	}
	for _, e := range []struct {
		id    uint8
		value []byte
	}{{2, []byte{9, 9, 9}}, {id, []byte{0xAB, 0xCD}}} {
		if err := p.SetExtension(e.id, e.value); err != nil {
			t.Fatal(err)
		}
	}
	b, err := p.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestParseHeader(t *testing.T) {
	for name, r := range map[string]struct {
		twoByte bool
		id      uint8
		wide    bool
	}{
		"one byte": {false, 3, true}, "two bytes": {true, 17, true}, "not negotiated": {false, 0, false}, "not there": {false, 5, false},
	} {
		b := packet(t, r.twoByte)
		h, ok := parseHeader(b, r.id)
		want := header{pt: 96, marker: true, seq: 65535, ts: 1 << 31, ssrc: 7, size: len(b) - 3, hasWide: r.wide}
		if r.wide {
			want.wide = 0xABCD
		}
		if !ok || h != want {
			t.Errorf("%s: %+v, want %+v", name, h, want)
		}
		for n := range len(b) - 3 {
			if _, ok := parseHeader(b[:n], r.id); ok {
				t.Errorf("%s: a header was read from its first %d bytes", name, n)
			}
		}
	}
}

func TestClassify(t *testing.T) {
	for _, r := range []struct {
		b    []byte
		want class
	}{
		{nil, classOther}, {[]byte{0x80}, classOther}, {[]byte{0, 1}, classSTUN}, {[]byte{3, 1}, classSTUN}, {[]byte{4, 1}, classOther},
		{[]byte{20, 1}, classDTLS}, {[]byte{63, 1}, classDTLS}, {[]byte{64, 1}, classOther},
		{[]byte{0x80, 96}, classRTP}, {[]byte{0x90, 0xE0}, classRTP}, {[]byte{0x80, 200}, classRTCP}, {[]byte{0x8F, 223}, classRTCP}, {[]byte{0xC0, 96}, classOther},
	} {
		if got := classify(r.b); got != r.want {
			t.Errorf("%v: %d, want %d", r.b, got, r.want)
		}
	}
}

// FuzzHeader: what pion reads as a packet reads the same here.
func FuzzHeader(f *testing.F) {
	f.Add(packet(f, false), uint8(3))
	f.Add(packet(f, true), uint8(17))
	f.Add([]byte{0x90, 96, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0xBE, 0xDE, 0, 1, 0xF0, 0, 0, 0}, uint8(1))
	f.Fuzz(func(t *testing.T, b []byte, id uint8) {
		h, ok := parseHeader(b, id)
		var model rtp.Header
		n, err := model.Unmarshal(b)
		if err != nil || len(b) < 2 || b[0]>>6 != 2 {
			if ok && h.size > len(b) {
				t.Errorf("a header of %d bytes in %d", h.size, len(b))
			}
			return
		}
		want := header{pt: model.PayloadType, marker: model.Marker, seq: model.SequenceNumber, ts: model.Timestamp, ssrc: model.SSRC,
			size: n, wide: h.wide, hasWide: h.hasWide}
		if !ok || h != want {
			t.Errorf("%v %+v, pion reads %+v", ok, h, want)
		}
	})
}
