package ext_test

import (
	"fmt"
	"strconv"
	"strings"
	"testing"

	"github.com/fanfare-relay/fanfare/media"
	"github.com/fanfare-relay/fanfare/media/ext"
)

// packed makes bytes of a text of 0 and 1; spaces do not count.
func packed(text string) []byte {
	text = strings.ReplaceAll(text, " ", "")
	text += strings.Repeat("0", (8-len(text)%8)%8)
	out := make([]byte, len(text)/8)
	for i := range out {
		v, err := strconv.ParseUint(text[8*i:8*i+8], 2, 8)
		if err != nil {
			panic(err)
		}
		out[i] = byte(v)
	}
	return out
}

// head is the part that every descriptor has.
func head(start, end bool, template, number int) string {
	flag := map[bool]string{true: "1", false: "0"}
	return flag[start] + flag[end] + fmt.Sprintf("%06b%016b", template, number)
}

// Three temporal layers as browsers send them (L1T3): a key frame, and then layers 0, 2, 1, 2.
// The templates begin at 60, so that they wrap.
const threeTemporal = "10000" + "111100" + "00010" + // structure present; offset 60, three decode targets
	"00 01 01 00 11" + // layers 0, 0, 1, 2, 2
	"101010 101010 001110 000011 000001" + // indications: SSS SSS -RS --R --D
	"0 100110 100010 100000 100000" + // differences
	"01 00 0000 0000 0000 0000 0000" + // one chain (ns(4) of 1, ns(1) takes no bits), five times four bits
	"0" // no resolutions

// layersOf reads a run of descriptors and says what came out of them.
func layersOf(t *testing.T, d *ext.Dependencies, descriptors ...[]byte) string {
	t.Helper()
	var out []string
	for _, raw := range descriptors {
		f, ok := d.Read(raw)
		if !ok {
			out = append(out, "?")
			continue
		}
		mark := ""
		if f.First {
			mark += "("
		}
		mark += fmt.Sprintf("%d:%d.%d^%d", f.Number, f.Layer.Spatial, f.Layer.Temporal, f.SwitchUp)
		if f.Last {
			mark += ")"
		}
		out = append(out, mark)
	}
	return strings.Join(out, " ")
}

func TestDependencies(t *testing.T) {
	structure := packed(head(true, false, 60, 7) + threeTemporal)
	plain := func(template, number int) []byte { return packed(head(true, true, template, number)) }
	for _, c := range []struct {
		name        string
		descriptors [][]byte
		want        string
	}{
		{"the structure comes first", [][]byte{plain(61, 1), structure, packed(head(false, true, 60, 7)), plain(63, 8), plain(62, 9), plain(0, 10), plain(61, 11)},
			"? (7:0.0^2 7:0.0^2) (8:0.2^0) (9:0.1^0) (10:0.2^0) (11:0.0^2)"},
		{"a template that is none", [][]byte{structure, plain(1, 8), plain(59, 9)}, "(7:0.0^2 ? ?"},
		{"its own indications", [][]byte{structure, packed(head(true, true, 61, 8) + "00100" + "111011")}, "(7:0.0^2 (8:0.0^1)"},
		{"other custom parts", [][]byte{structure, packed(head(true, true, 61, 8) + "00011" + "01 0000 00 00000001")}, "(7:0.0^2 (8:0.0^2)"},
		{"active targets stand before", [][]byte{structure, packed(head(true, true, 61, 8) + "01100" + "011" + "101100")}, "(7:0.0^2 (8:0.0^0)"},
		{"cut", [][]byte{structure, structure[:9], plain(61, 8)}, "(7:0.0^2 ? (8:0.0^2)"},
		{"too short", [][]byte{{0x80, 0}, nil}, "? ?"},
		{"another structure", [][]byte{structure, packed(head(true, true, 2, 8) + "10000" + "000010" + "00000" + "11" + "10" + "0" + "0" + "0"), plain(2, 9), plain(61, 10)},
			"(7:0.0^2 (8:0.0^0) (9:0.0^0) ?"},
	} {
		t.Run(c.name, func(t *testing.T) {
			var d ext.Dependencies
			if got := layersOf(t, &d, c.descriptors...); got != c.want {
				t.Errorf("got  %s\nwant %s", got, c.want)
			}
		})
	}
}

// Two spatial layers with two temporal ones each, with chains and sizes: a frame tells what may be
// entered in its own spatial layer.
func TestDependenciesOfSpatialLayers(t *testing.T) {
	text := head(true, true, 0, 0) + "10000" + "000000" + "00011" + "01 10 01 11" +
		"10101111" + "00010011" + "00001010" + "00000001" + "0000" +
		"10" + "0000" + // two chains: ns(5) of 2; ns(2) for each target
		strings.Repeat("0000 0000", 4) +
		"1" + fmt.Sprintf("%016b%016b%016b%016b", 639, 359, 1279, 719)
	var d ext.Dependencies
	got := layersOf(t, &d, packed(text), packed(head(true, true, 1, 1)), packed(head(true, true, 2, 2)), packed(head(true, true, 3, 3)))
	if want := "(0:0.0^1) (1:0.1^0) (2:1.0^1) (3:1.1^0)"; got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	if got := layersOf(t, &ext.Dependencies{}, packed(text)[:len(packed(text))-2]); got != "?" {
		t.Errorf("with half its sizes: %s", got)
	}
}

func TestRenumber(t *testing.T) {
	b := []byte{0x80, 0xff, 0xfe, 7}
	ext.Renumber(b, 3)
	if b[1] != 0 || b[2] != 1 || b[3] != 7 {
		t.Errorf("%x", b)
	}
	ext.Renumber(b[:2], 3) // nothing to change, nothing to fear
}

// obvious reads descriptors by the letter of the specification, out of a text of 0 and 1.
type obvious struct {
	text     string
	short    bool
	ok       bool
	offset   int
	dts      int
	spatial  []int
	temporal []int
	dtis     [][]int
}

func (o *obvious) f(n int) (v int) {
	for range n {
		v *= 2
		if o.text == "" {
			o.short = true
			continue
		}
		v += int(o.text[0] - '0')
		o.text = o.text[1:]
	}
	return v
}

func (o *obvious) ns(n int) int {
	w := len(strconv.FormatInt(int64(n), 2))
	m := 1<<w - n
	v := o.f(w - 1)
	if v < m {
		return v
	}
	return v*2 - m + o.f(1)
}

// structure returns false for one that cannot be used.
func (o *obvious) structure() bool {
	*o = obvious{text: o.text, short: o.short}
	o.offset, o.dts = o.f(6), 0
	o.dts = o.f(5) + 1
	s, t := 0, 0
	for next := 0; next != 3; {
		if len(o.spatial) == 64 {
			return false
		}
		o.spatial, o.temporal = append(o.spatial, s), append(o.temporal, t)
		switch next = o.f(2); next {
		case 1:
			t++
		case 2:
			s, t = s+1, 0
		}
	}
	for range o.spatial {
		var list []int
		for range o.dts {
			list = append(list, o.f(2))
		}
		o.dtis = append(o.dtis, list)
	}
	for range o.spatial {
		for o.f(1) == 1 {
			o.f(4)
		}
	}
	if chains := o.ns(o.dts + 1); chains > 0 {
		for range o.dts {
			o.ns(chains)
		}
		for range len(o.spatial) * chains {
			o.f(4)
		}
	}
	if o.f(1) == 1 {
		for range s + 1 {
			o.f(32)
		}
	}
	o.ok = !o.short
	return o.ok
}

func (o obvious) read(raw []byte) (ext.FrameInfo, obvious, bool) {
	old := o
	o.text, o.short = "", false
	for _, b := range raw {
		o.text += fmt.Sprintf("%08b", b)
	}
	var f ext.FrameInfo
	f.First, f.Last = o.f(1) == 1, o.f(1) == 1
	id := o.f(6)
	f.Number = uint16(o.f(16))
	if o.short {
		return f, old, false
	}
	custom := 0
	if len(raw) > 3 {
		structure, active := o.f(1), o.f(1)
		custom = o.f(1)
		o.f(2)
		if structure == 1 && !o.structure() {
			return f, old, false
		}
		if active == 1 {
			o.f(o.dts)
		}
	}
	template := (id + 64 - o.offset) % 64
	if !o.ok || template >= len(o.spatial) {
		return f, o, false
	}
	dtis := o.dtis[template]
	if custom == 1 {
		dtis = nil
		for range o.dts {
			dtis = append(dtis, o.f(2))
		}
	}
	s, t := o.spatial[template], o.temporal[template]
	f.Layer = media.Layer{Spatial: int8(s), Temporal: int8(t)}
	if t == 0 {
		f.SwitchUp = int8(o.up(s, dtis))
	}
	return f, o, !o.short
}

func (o obvious) up(s int, dtis []int) (up int) {
	for dt, indication := range dtis {
		ds, dtemporal := 0, 0
		for i := range o.spatial {
			if o.dtis[i][dt] != 0 {
				ds, dtemporal = max(ds, o.spatial[i]), max(dtemporal, o.temporal[i])
			}
		}
		if indication == 2 && ds == s {
			up = max(up, dtemporal)
		}
	}
	return up
}

// Two descriptors in a row, so that what is kept of the first is seen in the second.
func FuzzDependencies(f *testing.F) {
	f.Add(packed(head(true, false, 60, 7)+threeTemporal), packed(head(true, true, 61, 8)+"00100"+"111011"))
	f.Add(packed(head(true, false, 60, 7)+threeTemporal), packed(head(true, true, 61, 8)+"01100"+"011"+"101100"))
	f.Add([]byte{0x80, 0, 1, 0x80, 0, 0, 0}, []byte{0x80, 0, 2})
	f.Fuzz(func(t *testing.T, first, second []byte) {
		if len(first)+len(second) > 1000 {
			return
		}
		var d ext.Dependencies
		var o obvious
		for _, raw := range [][]byte{first, second} {
			got, ok := d.Read(raw)
			var want ext.FrameInfo
			var wantOK bool
			want, o, wantOK = o.read(raw)
			if ok != wantOK || ok && got != want {
				t.Fatalf("%x: %+v %v, want %+v %v", raw, got, ok, want, wantOK)
			}
		}
	})
}

func TestDependenciesAllocateNothing(t *testing.T) {
	var d ext.Dependencies
	structure, plain := packed(head(true, false, 60, 7)+threeTemporal), packed(head(true, true, 61, 8))
	if n := testing.AllocsPerRun(100, func() {
		d.Read(structure)
		d.Read(plain)
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}
