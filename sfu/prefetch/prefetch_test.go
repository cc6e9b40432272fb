package prefetch

import (
	"crypto/aes"
	"crypto/cipher"
	"testing"
	"unsafe"
)

// Ranges cover what they are made of, and fetching them changes nothing.
func TestRanges(t *testing.T) {
	type block [256]byte
	value := new(block)
	for i := range value {
		value[i] = byte(i)
	}
	want := *value
	list := make([]uint64, 3, 24)
	for _, c := range []struct {
		name string
		got  Range
		at   unsafe.Pointer
		size uintptr
	}{
		{"value", Of(value), unsafe.Pointer(value), 256},
		{"head", Head(value, 100), unsafe.Pointer(value), 100},
		{"no more than all", Head(value, 1000), unsafe.Pointer(value), 256},
		{"slice with its room", Slice(list), unsafe.Pointer(&list[0]), 24 * 8},
		{"behind an interface", Behind(any(value)), unsafe.Pointer(value), 256},
	} {
		if c.got.at != c.at || c.got.n*line < c.size || c.got.n > c.size/line+2 {
			t.Errorf("%s: %d lines for %d bytes", c.name, c.got.n, c.size)
		}
		c.got.Fetch()
	}
	if *value != want {
		t.Error("it has changed")
	}
}

func TestNothingToFetch(t *testing.T) {
	for name, r := range map[string]Range{
		"zero":       {},
		"empty":      Of(&struct{}{}),
		"no slice":   Slice[int](nil),
		"no pointer": Behind(7),
		"nil":        Behind((*int)(nil)),
		"nothing":    Behind(nil),
	} {
		if r.n != 0 {
			t.Errorf("%s: %d lines", name, r.n)
		}
		r.Fetch()
	}
}

// The keys of a cipher lie behind the interface.
func TestKeys(t *testing.T) {
	block, err := aes.NewCipher(make([]byte, 16))
	if err != nil {
		t.Fatal(err)
	}
	aead, err := cipher.NewGCM(block)
	if err != nil {
		t.Fatal(err)
	}
	if r := Behind(aead); r.n*line < 11*16 {
		t.Errorf("%d lines do not hold the round keys", r.n)
	}
}

func TestLines(t *testing.T) {
	for _, c := range []struct{ at, size, want uintptr }{{0, 1, 1}, {0, 64, 1}, {0, 65, 2}, {63, 1, 1}, {63, 2, 2}, {32, 64, 2}, {60, 68, 2}, {60, 69, 3}} {
		if got := lines(c.at, c.size); got != c.want {
			t.Errorf("%d bytes at %d: %d lines, want %d", c.size, c.at, got, c.want)
		}
	}
}

// What asking costs: what is there already.
func BenchmarkFetch(b *testing.B) {
	value := new([768]byte)
	r := Of(value)
	for b.Loop() {
		r.Fetch()
	}
}
