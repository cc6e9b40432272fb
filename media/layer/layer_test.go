package layer

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/fanfare-relay/fanfare/media"
)

// three are the encodings that a studio publishes: 180p, 360p and 720p with three temporal layers.
func three() []Encoding {
	return []Encoding{
		{ID: 1, Width: 320, Height: 180, Rates: [MaxSpatial][MaxTemporal]media.Bitrate{{80_000, 30_000, 40_000}}},
		{ID: 2, Width: 640, Height: 360, Rates: [MaxSpatial][MaxTemporal]media.Bitrate{{300_000, 100_000, 100_000}}},
		{ID: 3, Width: 1280, Height: 720, Rates: [MaxSpatial][MaxTemporal]media.Bitrate{{1_400_000, 400_000, 600_000}}},
	}
}

func words(ladder []Rung) string {
	var out []string
	for _, r := range ladder {
		out = append(out, fmt.Sprintf("%d/%d.%d@%d=%d", r.Encoding, r.Layer.Spatial, r.Layer.Temporal, r.Height, r.Bitrate/1000))
	}
	return strings.Join(out, " ")
}

func TestAppendLadder(t *testing.T) {
	for _, c := range []struct {
		name string
		list []Encoding
		want string
	}{
		{"three encodings", three(), "1/0.0@180=80 1/0.1@180=110 1/0.2@180=150 2/0.0@360=300 2/0.1@360=400 2/0.2@360=500 3/0.0@720=1400 3/0.1@720=1800 3/0.2@720=2400"},
		{"one without layers", []Encoding{{ID: 7, Height: 480, Rates: [MaxSpatial][MaxTemporal]media.Bitrate{{900_000}}}}, "7/0.0@480=900"},
		{"nothing measured but the whole", []Encoding{{ID: 7, Height: 480, Total: 900_000}}, "7/2.3@480=900"},
		{"nothing measured yet", []Encoding{{ID: 7}}, "7/2.3@0=0"},
		{"spatial layers", []Encoding{{ID: 1, Height: 720, Rates: [MaxSpatial][MaxTemporal]media.Bitrate{{100_000, 50_000}, {300_000, 100_000}, {900_000, 500_000}}}},
			"1/0.0@180=100 1/0.1@180=150 1/1.0@360=400 1/1.1@360=550 1/2.0@720=1300 1/2.1@720=1950"},
		{"a larger one that takes less", []Encoding{
			{ID: 1, Height: 180, Rates: [MaxSpatial][MaxTemporal]media.Bitrate{{100_000, 300_000}}},
			{ID: 2, Height: 360, Rates: [MaxSpatial][MaxTemporal]media.Bitrate{{200_000}}},
		}, "1/0.0@180=100 1/0.1@180=400 2/0.0@360=200"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := words(AppendLadder(nil, c.list)); got != c.want {
				t.Errorf("got  %s\nwant %s", got, c.want)
			}
		})
	}
}

// A viewer's story: what is known of its line, and wished, by second.
func TestSelector(t *testing.T) {
	const kbit, unknown = 1000, 0
	ladder := AppendLadder(nil, three())
	type step struct {
		second float64
		target media.Bitrate
		wish   media.Wish
		want   string // encoding.temporal
		down   bool
	}
	for _, c := range []struct {
		name  string
		steps []step
	}{
		{"nothing is known of the line", []step{{0, unknown, media.Wish{}, "3.2", false}}},
		{"down at once, up with patience and room", []step{
			{0, 5000 * kbit, media.Wish{}, "3.2", false},
			{1, 300 * kbit, media.Wish{}, "2.0", true},
			{1.1, 140 * kbit, media.Wish{}, "1.1", true},
			{1.2, 5000 * kbit, media.Wish{}, "1.1", false},
			{2.2, 160 * kbit, media.Wish{}, "1.1", false},
			{2.3, 5000 * kbit, media.Wish{}, "3.2", false},
		}},
		{"a tenth above the estimate is kept", []step{
			{0, 5000 * kbit, media.Wish{}, "3.2", false},
			{1, 2200 * kbit, media.Wish{}, "3.2", false},
			{2, 2100 * kbit, media.Wish{}, "3.1", true},
			{9, 2700 * kbit, media.Wish{}, "3.1", false},
			{9, 2800 * kbit, media.Wish{}, "3.2", false},
		}},
		{"less than anything takes", []step{{0, 10 * kbit, media.Wish{}, "1.0", false}, {5, 10 * kbit, media.Wish{}, "1.0", false}}},
		{"a step up that does not hold is not tried again soon", []step{
			{0, 600 * kbit, media.Wish{}, "2.2", false},
			{2, 5000 * kbit, media.Wish{}, "3.2", false},
			{4, 600 * kbit, media.Wish{}, "2.2", true},
			{5.5, 5000 * kbit, media.Wish{}, "2.2", false},
			{6.1, 5000 * kbit, media.Wish{}, "3.2", false},
			{7, 600 * kbit, media.Wish{}, "2.2", true},
			{10.9, 5000 * kbit, media.Wish{}, "2.2", false},
			{11.1, 5000 * kbit, media.Wish{}, "3.2", false},
		}},
		{"no more than is shown", []step{
			{0, unknown, media.Wish{MaxHeight: 200}, "2.2", false},
			{0.1, unknown, media.Wish{MaxHeight: 180}, "1.2", false},
			{0.2, unknown, media.Wish{Hidden: true}, "1.0", false},
			{0.3, unknown, media.Wish{}, "3.2", false},
			{1.4, unknown, media.Wish{MaxHeight: 4000}, "3.2", false},
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			var s Selector
			start := time.Unix(1000, 0)
			for _, at := range c.steps {
				got := s.Choose(ladder, at.target, at.wish, start.Add(time.Duration(at.second*float64(time.Second))))
				if word := fmt.Sprintf("%d.%d", got.Encoding, got.Layer.Temporal); word != at.want || got.Down != at.down {
					t.Fatalf("after %v s with %d kbit/s: %s, down %v; want %s, %v", at.second, at.target/kbit, word, got.Down, at.want, at.down)
				}
			}
		})
	}
}

// uneven are encodings of a sender with too little room for all: the largest gets what is left, which is less
// than the middle one takes.
func uneven() []Encoding {
	list := three()
	list[2].Rates = [MaxSpatial][MaxTemporal]media.Bitrate{{350_000}}
	return list
}

// A picture that takes more than a larger one is passed over, and is there for who asks for its size.
func TestSmallerForMore(t *testing.T) {
	ladder, now := AppendLadder(nil, uneven()), time.Unix(1000, 0)
	for _, c := range []struct {
		name   string
		target media.Bitrate
		wish   media.Wish
		want   string
		next   media.Bitrate
	}{
		{"whatever fits", 0, media.Wish{}, "3.0", 0},
		{"a line that carries only the larger one", 450_000, media.Wish{}, "3.0", 0},
		{"a line that carries neither", 200_000, media.Wish{}, "1.2", 300_000},
		{"the smaller one by hand", 0, media.Wish{MaxHeight: 360}, "2.2", 0},
		{"the smaller one by hand, without its layers", 450_000, media.Wish{MaxHeight: 360}, "2.0", 400_000},
		{"the smallest", 0, media.Wish{MaxHeight: 180}, "1.2", 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			var s Selector
			got := s.Choose(ladder, c.target, c.wish, now)
			if word := fmt.Sprintf("%d.%d", got.Encoding, got.Layer.Temporal); word != c.want || got.Next != c.next*100/enterPercent {
				t.Errorf("%s, next %d; want %s, %d", word, got.Next, c.want, c.next*100/enterPercent)
			}
		})
	}
}

// What takes least need not be the lowest.
func TestCheapestIsLarger(t *testing.T) {
	list := three()[:2]
	list[1].Rates = [MaxSpatial][MaxTemporal]media.Bitrate{{60_000}}
	ladder, now := AppendLadder(nil, list), time.Unix(1000, 0)
	var s Selector
	if c := s.Choose(ladder, 0, media.Wish{MaxHeight: 180}, now); c.Encoding != 1 {
		t.Errorf("asked for the smallest: %+v", c)
	}
	if c := s.Choose(ladder, 65_000, media.Wish{}, now.Add(time.Millisecond)); c.Encoding != 2 {
		t.Errorf("a line that carries the larger one alone: %+v", c)
	}
	if c := s.Choose(ladder, 0, media.Wish{Hidden: true}, now.Add(2*time.Millisecond)); c.Encoding != 2 {
		t.Errorf("nobody looks: %+v", c)
	}
}

// A stream's first second is not measured: all of its layers pass, and go on to.
func TestLayersAreMeasuredLater(t *testing.T) {
	list := three()[2:]
	var s Selector
	now := time.Unix(1000, 0)
	fresh := AppendLadder(nil, []Encoding{{ID: 3, Width: 1280, Height: 720, Total: 2_400_000}})
	if c := s.Choose(fresh, 5_000_000, media.Wish{}, now); c.Layer.Temporal < 2 {
		t.Errorf("not all of its layers: %+v", c)
	}
	if c := s.Choose(AppendLadder(nil, list), 5_000_000, media.Wish{}, now.Add(time.Millisecond)); c.Layer.Temporal != 2 || c.Down {
		t.Errorf("when they are measured: %+v", c)
	}
	// Its upper layers vanish.
	list[0].Rates[0][2], list[0].Rates[0][1] = 0, 0
	if c := s.Choose(AppendLadder(nil, list), 5_000_000, media.Wish{}, now.Add(2*time.Millisecond)); c.Encoding != 3 || c.Layer.Temporal != 0 {
		t.Errorf("when they are gone: %+v", c)
	}
}

func TestNext(t *testing.T) {
	ladder := AppendLadder(nil, three())
	var s Selector
	now := time.Unix(1000, 0)
	if c := s.Choose(ladder, 600_000, media.Wish{}, now); c.Next < 1_400_000 || c.Next > 1_700_000 {
		t.Errorf("the next rung wants %d", c.Next)
	}
	if c := s.Choose(ladder, 600_000, media.Wish{MaxHeight: 360}, now); c.Next != 0 {
		t.Errorf("a rung that nobody wants: %d", c.Next)
	}
}

func TestBound(t *testing.T) {
	ladder := AppendLadder(nil, three())
	for _, c := range []struct {
		name   string
		target media.Bitrate
		wish   media.Wish
		want   media.Bound
	}{
		{"the best there is", 0, media.Wish{}, media.BoundSource},
		{"a thin line", 600_000, media.Wish{}, media.BoundLine},
		{"a small window", 0, media.Wish{MaxHeight: 360}, media.BoundWish},
		{"a small window and a line that is thinner", 200_000, media.Wish{MaxHeight: 360}, media.BoundLine},
		{"a window as large as the picture", 0, media.Wish{MaxHeight: 720}, media.BoundSource},
		{"nobody looks", 0, media.Wish{Hidden: true}, media.BoundWish},
		{"nobody looks, on a thin line", 10_000, media.Wish{Hidden: true}, media.BoundWish},
	} {
		t.Run(c.name, func(t *testing.T) {
			var s Selector
			s.Choose(ladder, c.target, c.wish, time.Unix(1000, 0))
			if got := s.Bound(ladder, c.wish); got != c.want {
				t.Errorf("%q, want %q", got, c.want)
			}
		})
	}
}

// Encodings come and go, and take now more, now less. What is chosen is on the ladder, and never more than
// the line carries where anything less is there that is wanted.
func FuzzSelector(f *testing.F) {
	f.Add([]byte{1, 50, 3, 10, 0, 200, 7, 1})
	f.Add([]byte{7, 40, 45, 100, 0x3f, 30, 45, 200})
	f.Fuzz(func(t *testing.T, script []byte) {
		var s Selector
		now := time.Unix(1000, 0)
		for len(script) >= 4 {
			ladder := AppendLadder(nil, someOf(script[0]))
			target := media.Bitrate(script[1]) * 12_000
			wish := media.Wish{MaxHeight: int(script[2]) * 8, Hidden: script[2] == 255}
			now = now.Add(time.Duration(script[3]) * 20 * time.Millisecond)
			script = script[4:]
			c := s.Choose(ladder, target, wish, now)
			at := slices.Index(ladder, c.Rung)
			if at < 0 {
				t.Fatalf("%+v is not on the ladder", c)
			}
			least := cheapest(ladder[:highestWanted(ladder, wish)+1])
			if target > 0 && at != least && c.Bitrate*100 > target*keepPercent {
				t.Fatalf("%d chosen for a line of %d", c.Bitrate, target)
			}
		}
	})
}

// someOf are encodings by the bits of a number: three for those that are there, and from the fourth on those
// that take a quarter of the usual.
func someOf(bits byte) []Encoding {
	list := three()
	keep := list[:0]
	for i, e := range list {
		if bits>>(i+3)&1 != 0 {
			for t := range e.Rates[0] {
				e.Rates[0][t] /= 4
			}
		}
		if bits>>i&1 != 0 {
			keep = append(keep, e)
		}
	}
	if len(keep) == 0 {
		keep = three()[1:2]
	}
	return keep
}

// A stream has just begun, and its pictures come one after the other, not measured yet: who was there first goes on to
// the best of them at once, without the patience that a measured line asks for.
func TestJustBegun(t *testing.T) {
	now := time.Unix(1000, 0)
	unmeasured := []Encoding{{ID: 1, Width: 320, Height: 180}, {ID: 2, Width: 640, Height: 360}, {ID: 3, Width: 1280, Height: 720}}
	var s Selector
	for n := 1; n <= 3; n++ {
		now = now.Add(time.Millisecond)
		if got := s.Choose(AppendLadder(nil, unmeasured[:n]), 1_000_000, media.Wish{}, now); got.Encoding != uint32(n) {
			t.Errorf("of %d pictures it gets %d", n, got.Encoding)
		}
	}
	if got := s.Choose(AppendLadder(nil, three()), 1_000_000, media.Wish{}, now.Add(time.Second)); got.Encoding != 2 || !got.Down {
		t.Errorf("measured, 2.4 Mbit/s are too much for 1: it gets %d", got.Encoding)
	}
}
