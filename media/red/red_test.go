package red_test

import (
	"bytes"
	"encoding/hex"
	"testing"
	"time"

	"github.com/fanfare-relay/fanfare/media"
	"github.com/fanfare-relay/fanfare/media/red"
)

func TestAppend(t *testing.T) {
	own := red.Block{Type: 111, Payload: []byte("now")}
	old := red.Block{Offset: 960, Type: 111, Payload: []byte("before")}
	for _, c := range []struct {
		name   string
		blocks []red.Block
		want   string
	}{
		{"alone", []red.Block{own}, "6f" + hex.EncodeToString([]byte("now"))},
		{"one more", []red.Block{old, own}, "ef0f0006" + "6f" + hex.EncodeToString([]byte("beforenow"))},
		{"too old", []red.Block{{Offset: 1 << 14, Type: 111, Payload: []byte("x")}, own}, "6f" + hex.EncodeToString([]byte("now"))},
		{"too large", []red.Block{{Offset: 960, Type: 111, Payload: make([]byte, 1024)}, own}, "6f" + hex.EncodeToString([]byte("now"))},
		{"empty", []red.Block{{Offset: 960, Type: 111}, own}, "6f" + hex.EncodeToString([]byte("now"))},
	} {
		if got := hex.EncodeToString(red.Append(nil, c.blocks...)); got != c.want {
			t.Errorf("%s: %s, want %s", c.name, got, c.want)
		}
	}
}

func TestParseErrors(t *testing.T) {
	for _, bad := range []string{"", "ef", "ef0f00", "ef0f0006", "ef0f00066f", "ef0f00066f616263"} {
		b, _ := hex.DecodeString(bad)
		if blocks, err := red.Parse(nil, b); err == nil || len(blocks) > 0 {
			t.Errorf("%q: %v", bad, blocks)
		}
	}
}

// What was appended is read again.
func FuzzRoundTrip(f *testing.F) {
	f.Add([]byte("one"), []byte("two"), uint16(960), uint16(960))
	f.Fuzz(func(t *testing.T, a, b []byte, offsetA, offsetB uint16) {
		blocks := []red.Block{{uint32(offsetA), 100, a}, {uint32(offsetB), 101, b}, {0, 111, []byte("own")}}
		got, err := red.Parse(nil, red.Append(nil, blocks...))
		if err != nil {
			t.Fatal(err)
		}
		var want []red.Block
		for _, b := range blocks {
			fits := b.Offset > 0 && b.Offset <= red.MaxOffset && len(b.Payload) > 0 && len(b.Payload) <= red.MaxLength
			if fits || b.Type == 111 {
				want = append(want, b)
			}
		}
		if len(got) != len(want) {
			t.Fatalf("%d blocks, want %d", len(got), len(want))
		}
		for i := range got {
			if got[i].Offset != want[i].Offset || got[i].Type != want[i].Type || !bytes.Equal(got[i].Payload, want[i].Payload) {
				t.Fatalf("block %d: %+v, want %+v", i, got[i], want[i])
			}
		}
	})
}

// No bytes make the reader fail in another way, or give more than came.
func FuzzParse(f *testing.F) {
	f.Add([]byte{0xef, 0x0f, 0, 1, 0x6f, 1, 2})
	f.Fuzz(func(t *testing.T, b []byte) {
		blocks, err := red.Parse(nil, b)
		if err != nil {
			return
		}
		size := 0
		for _, x := range blocks {
			size += len(x.Payload)
		}
		if want := len(b) - 4*(len(blocks)-1) - 1; size != want {
			t.Fatalf("%d bytes of payload in %d", size, want)
		}
	})
}

func TestSwitch(t *testing.T) {
	var s red.Switch
	start := time.Unix(1000, 0)
	for _, c := range []struct {
		second int
		lost   float64
		want   bool
	}{{0, 0, false}, {1, 0.005, false}, {2, 0.02, true}, {3, 0, true}, {10, 0.005, true}, {24, 0, true}, {26, 0, false}, {27, 0.01, true}} {
		if got := s.Observe(c.lost, start.Add(time.Duration(c.second)*time.Second)); got != c.want || s.On() != c.want {
			t.Errorf("after %d s with %v lost: %v", c.second, c.lost, got)
		}
	}
}

func TestAppendAllocatesNothing(t *testing.T) {
	dst, payload := make([]byte, 0, 1000), make([]byte, 100)
	if n := testing.AllocsPerRun(100, func() {
		red.Append(dst, red.Block{Offset: 960, Type: media.PayloadType(111), Payload: payload}, red.Block{Type: 111, Payload: payload})
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}
