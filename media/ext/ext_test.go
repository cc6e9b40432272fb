package ext_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/pion/rtp"

	"github.com/fanfare-relay/fanfare/media/ext"
)

type element struct {
	ID   uint8
	Data string
}

func elements(profile uint16, raw []byte) (out []element) {
	it := ext.Iterate(profile, raw)
	for {
		id, data, ok := it.Next()
		if !ok {
			return out
		}
		out = append(out, element{id, string(data)})
	}
}

func TestIterate(t *testing.T) {
	tests := []struct {
		name    string
		profile uint16
		raw     string
		want    []element
	}{
		{"empty", ext.ProfileOneByte, "", nil},
		{"one byte form", ext.ProfileOneByte, "\x10A\x21BC", []element{{1, "A"}, {2, "BC"}}},
		{"padding between", ext.ProfileOneByte, "\x10A\x00\x00\x20B\x00\x00", []element{{1, "A"}, {2, "B"}}},
		{"id 15 ends", ext.ProfileOneByte, "\x10A\xf0B\x20C", []element{{1, "A"}}},
		{"id 0 with a length ends", ext.ProfileOneByte, "\x10A\x02BCD\x20C", []element{{1, "A"}}},
		{"cut", ext.ProfileOneByte, "\x10A\x22BC", []element{{1, "A"}}},
		{"two byte form", ext.ProfileTwoByte, "\x01\x00\x10\x02BC\x00\xff\x01D", []element{{1, ""}, {16, "BC"}, {255, "D"}}},
		{"two byte form, application bits", 0x1007, "\x01\x01A", []element{{1, "A"}}},
		{"two byte form, cut in the header", ext.ProfileTwoByte, "\x01\x01A\x02", []element{{1, "A"}}},
		{"two byte form, cut in the data", ext.ProfileTwoByte, "\x01\x01A\x02\x05B", []element{{1, "A"}}},
		{"another profile", 0x2000, "\x10A", nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if d := cmp.Diff(tt.want, elements(tt.profile, []byte(tt.raw))); d != "" {
				t.Errorf("elements (-want +got):\n%s", d)
			}
		})
	}
}

func TestFind(t *testing.T) {
	raw := []byte("\x10A\x21BC")
	if got, ok := ext.Find(ext.ProfileOneByte, raw, 2); !ok || string(got) != "BC" {
		t.Errorf("Find(2) = %q, %v", got, ok)
	}
	if got, ok := ext.Find(ext.ProfileOneByte, raw, 3); ok {
		t.Errorf("Find(3) = %q", got)
	}
}

func TestMap(t *testing.T) {
	var m ext.Map
	for id := range uint8(16) {
		if err := m.Set(id+1, id+20); err != nil {
			t.Fatal(err)
		}
	}
	if err := m.Set(17, 1); !errors.Is(err, ext.ErrFull) {
		t.Errorf("a seventeenth entry: %v", err)
	}
	if err := m.Set(0, 1); !errors.Is(err, ext.ErrFull) {
		t.Errorf("the id 0: %v", err)
	}
	if err := m.Set(3, 0); err != nil || m.Get(3) != 0 || m.Get(4) != 23 || m.Get(99) != 0 {
		t.Errorf("after removing 3: %v, %d, %d, %d", err, m.Get(3), m.Get(4), m.Get(99))
	}
}

func mapOf(t testing.TB, pairs ...uint8) *ext.Map {
	m := new(ext.Map)
	for i := 0; i < len(pairs); i += 2 {
		if err := m.Set(pairs[i], pairs[i+1]); err != nil {
			t.Fatal(err)
		}
	}
	return m
}

func TestAppendRewritten(t *testing.T) {
	long := string(bytes.Repeat([]byte("x"), 17))
	tests := []struct {
		name    string
		profile uint16
		raw     string
		m       *ext.Map
		add     []ext.Element
		want    string
	}{
		{"nothing there", 0, "", mapOf(t, 1, 2), nil, ""},
		{"nothing remains", ext.ProfileOneByte, "\x10A", mapOf(t), nil, ""},
		{"an id changes, another is left out", ext.ProfileOneByte, "\x10A\x21BC", mapOf(t, 2, 9), nil,
			"\xbe\xde\x00\x01\x91BC\x00"},
		{"whole words", ext.ProfileOneByte, "\x12ABC", mapOf(t, 1, 1), nil, "\xbe\xde\x00\x01\x12ABC"},
		{"two byte form becomes one byte form", ext.ProfileTwoByte, "\x20\x01A", mapOf(t, 32, 3), nil,
			"\xbe\xde\x00\x01\x30A\x00\x00"},
		{"a large id needs the two byte form", ext.ProfileOneByte, "\x10A", mapOf(t, 1, 15), nil,
			"\x10\x00\x00\x01\x0f\x01A\x00"},
		{"long data needs it", ext.ProfileTwoByte, "\x01\x11" + long, mapOf(t, 1, 2), nil,
			"\x10\x00\x00\x05\x02\x11" + long + "\x00"},
		{"empty data needs it", ext.ProfileTwoByte, "\x01\x00", mapOf(t, 1, 2), nil, "\x10\x00\x00\x01\x02\x00\x00\x00"},
		{"one is added", 0, "", mapOf(t), []ext.Element{{ID: 4, Data: []byte("0")}}, "\xbe\xde\x00\x01\x400\x00\x00"},
		{"one is replaced", ext.ProfileOneByte, "\x10A\x20B", mapOf(t, 1, 4, 2, 5),
			[]ext.Element{{ID: 4, Data: []byte("0")}, {ID: 0, Data: []byte("-")}}, "\xbe\xde\x00\x01\x50B\x400"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := ext.AppendRewritten([]byte("head!"), tt.profile, []byte(tt.raw), tt.m, tt.add...)
			if want := "head!" + tt.want; string(got) != want {
				t.Errorf("got %q, want %q", got, want)
			}
		})
	}
}

func TestNothingIsAllocated(t *testing.T) {
	raw := []byte("\x10A\x21BC\x32DEF")
	m := mapOf(t, 1, 2, 2, 3, 3, 4)
	dst := make([]byte, 0, 100)
	mid := []byte("0")
	n := testing.AllocsPerRun(100, func() {
		ext.AppendRewritten(dst, ext.ProfileOneByte, raw, m, ext.Element{ID: 9, Data: mid})
		ext.Find(ext.ProfileOneByte, raw, 3)
	})
	if n != 0 {
		t.Errorf("%v allocations", n)
	}
}

// What is written has the elements that the map lets through, in their order, as pion reads them.
func FuzzAppendRewritten(f *testing.F) {
	f.Add(uint16(ext.ProfileOneByte), []byte("\x10A\x21BC\x00"), uint8(1), uint8(7), uint8(2), uint8(200))
	f.Add(uint16(ext.ProfileTwoByte), []byte("\x01\x00\x20\x01A\x00"), uint8(1), uint8(7), uint8(32), uint8(3))
	f.Fuzz(func(t *testing.T, profile uint16, raw []byte, from1, to1, from2, to2 uint8) {
		if from1 == 0 || from2 == 0 || len(raw) > 1000 {
			return
		}
		m := mapOf(t, from1, to1, from2, to2)
		var want []element
		for _, e := range elements(profile, raw) {
			if to := m.Get(e.ID); to != 0 {
				want = append(want, element{to, e.Data})
			}
		}
		block := ext.AppendRewritten(nil, profile, raw, m)
		if len(want) == 0 {
			if len(block) != 0 {
				t.Fatalf("wrote %x for nothing", block)
			}
			return
		}
		if len(block) != 4+4*int(binary.BigEndian.Uint16(block[2:])) {
			t.Fatalf("length field of %x", block)
		}
		got := elements(binary.BigEndian.Uint16(block), block[4:])
		if d := cmp.Diff(want, got); d != "" {
			t.Fatalf("(-want +got):\n%s", d)
		}
		packet := append([]byte{0x90, 96, 0, 1, 0, 0, 0, 1, 0, 0, 0, 1}, block...)
		var h rtp.Header
		if n, err := h.Unmarshal(packet); err != nil || n != len(packet) || len(h.GetExtensionIDs()) != len(want) {
			t.Fatalf("pion reads %d of %d bytes, %d extensions, %v", n, len(packet), len(h.GetExtensionIDs()), err)
		}
	})
}
