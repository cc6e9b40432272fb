package seq_test

import (
	"testing"

	"github.com/fanfare-relay/fanfare/media/seq"
)

func TestExtender(t *testing.T) {
	const base = 1 << 16
	tests := []struct {
		name string
		in   []uint16
		want []uint64
	}{
		{"in order", []uint16{5, 6, 7}, []uint64{base + 5, base + 6, base + 7}},
		{"late before the first", []uint16{5, 4, 0, 65535}, []uint64{base + 5, base + 4, base, base - 1}},
		{"wrap", []uint16{65534, 65535, 0, 1}, []uint64{base + 65534, base + 65535, base + 65536, base + 65537}},
		{"late over the wrap", []uint16{65534, 1, 65535, 0}, []uint64{base + 65534, base + 65537, base + 65535, base + 65536}},
		{"far ahead", []uint16{0, 32767}, []uint64{base, base + 32767}},
		{"half a cycle is behind", []uint16{0, 32768}, []uint64{base, base - 32768}},
		{"twice", []uint16{9, 9}, []uint64{base + 9, base + 9}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var e seq.Extender
			if _, ok := e.Highest(); ok {
				t.Error("a highest number before the first")
			}
			var highest uint64
			for i, s := range tt.in {
				if got := e.Extend(s); got != tt.want[i] {
					t.Errorf("Extend(%d) = %d, want %d", s, got, tt.want[i])
				}
				highest = max(highest, tt.want[i])
			}
			if got, ok := e.Highest(); !ok || got != highest {
				t.Errorf("Highest = %d, %v, want %d", got, ok, highest)
			}
		})
	}
}

// Whatever comes, the low bits are those of the input and the number is the nearest such.
func FuzzExtender(f *testing.F) {
	f.Add([]byte{0, 0, 0xff, 0xff, 0x7f, 0xff, 0x80, 0})
	f.Fuzz(func(t *testing.T, b []byte) {
		var e seq.Extender
		for ; len(b) >= 2; b = b[2:] {
			s := uint16(b[0])<<8 | uint16(b[1])
			before, started := e.Highest()
			got := e.Extend(s)
			if uint16(got) != s {
				t.Fatalf("Extend(%d) = %d", s, got)
			}
			if d := int64(got - before); started && (d < -1<<15 || d >= 1<<15) {
				t.Fatalf("Extend(%d) = %d is %d from %d", s, got, d, before)
			}
			if after, _ := e.Highest(); after != max(before, got) {
				t.Fatalf("Highest = %d after %d and %d", after, before, got)
			}
		}
	})
}

func TestTimestampExtender(t *testing.T) {
	var e seq.TimestampExtender
	const base = 1 << 32
	for _, tt := range []struct {
		in   uint32
		want uint64
	}{
		{0xfffffff0, base + 0xfffffff0},
		{0x10, base + 0x100000010},
		{0xfffffff8, base + 0xfffffff8},
		{0x20, base + 0x100000020},
	} {
		if got := e.Extend(tt.in); got != tt.want {
			t.Errorf("Extend(%#x) = %#x, want %#x", tt.in, got, tt.want)
		}
	}
}

func TestNewer(t *testing.T) {
	for _, tt := range []struct {
		a, b uint16
		want bool
	}{{1, 0, true}, {0, 1, false}, {0, 65535, true}, {65535, 0, false}, {5, 5, false}} {
		if got := seq.Newer(tt.a, tt.b); got != tt.want {
			t.Errorf("Newer(%d, %d) = %v", tt.a, tt.b, got)
		}
	}
}
