package layer

import (
	"fmt"
	"math/rand/v2"
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

// A step up that does not hold counts once, however many steps lead down from it: the next one needs two seconds, not four.
func TestFailsOnce(t *testing.T) {
	var s Selector
	ladder, start := AppendLadder(nil, three()), time.Unix(1000, 0)
	for _, c := range []struct {
		after    time.Duration // in milliseconds
		target   media.Bitrate
		encoding uint32
	}{{0, 600_000, 2}, {1000, 5_000_000, 3}, {1400, 1_700_000, 3}, {1800, 600_000, 2}, {3799, 5_000_000, 2}, {3800, 5_000_000, 3}} {
		if got := s.Choose(ladder, c.target, media.Wish{}, start.Add(c.after*time.Millisecond)); got.Encoding != c.encoding {
			t.Errorf("after %d ms: %+v, want encoding %d", c.after, got, c.encoding)
		}
	}
}

// The first rung is kept as long as any other, also where the caller counts its encodings from 0.
func TestFirstIsKept(t *testing.T) {
	for id := range uint32(2) {
		list := three()[:1]
		list[0].ID = id
		var s Selector
		ladder, now := AppendLadder(nil, list), time.Unix(1000, 0)
		for _, c := range []struct {
			after    time.Duration
			target   media.Bitrate
			temporal int8
		}{{0, 10_000, 0}, {holdFirst - 1, 5_000_000, 0}, {holdFirst, 5_000_000, 2}} {
			if got := s.Choose(ladder, c.target, media.Wish{}, now.Add(c.after)); got.Layer.Temporal != c.temporal {
				t.Errorf("encoding %d, after %v: %+v", id, c.after, got)
			}
		}
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

// Encodings come and go, and take now more, now less. What is chosen is what the model chooses; it is on the ladder, and
// never more than the line carries where anything less is there that is wanted.
func FuzzSelector(f *testing.F) {
	for _, script := range selectorScripts() {
		f.Add(script)
	}
	f.Fuzz(func(t *testing.T, script []byte) {
		var s Selector
		var m modelSelector
		now := time.Unix(1000, 0)
		for n := 0; len(script) >= 5 && n < 100; n++ {
			list := someOf(script[0])
			ladder := AppendLadder(nil, list)
			if want := modelLadder(list); !slices.Equal(ladder, want) {
				t.Fatalf("the ladder is %s\nwant %s", words(ladder), words(want))
			}
			target := lineOf(script[1], script[4], ladder)
			wish := media.Wish{MaxHeight: int(script[2]) * 8, Hidden: script[2] == 255}
			now = now.Add(pause(script[3]))
			script = script[5:]
			c := s.Choose(ladder, target, wish, now)
			if want := m.choose(ladder, target, wish, now); c != want {
				t.Fatalf("step %d, a line of %d, %+v, of %s:\n%+v\nwant %+v", n, target, wish, words(ladder), c, want)
			}
			if current, ok := s.Current(); !ok || current != c.Rung {
				t.Fatalf("chosen is %+v, and then %+v", c.Rung, current)
			}
			if got, want := s.Bound(ladder, wish), m.bound(ladder, wish); got != want {
				t.Fatalf("step %d is bound by %q, want %q", n, got, want)
			}
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

// selectorScripts are steps of five bytes: the encodings, the line, the wish, the time since the step before, and 0 or which
// border the line is at. Stories come first, then what chance makes of a few that change now and then.
func selectorScripts() (list [][]byte) {
	const all, unmeasured, other = 7, 1 << 6, 1 << 7 // see someOf
	for _, story := range [][][4]byte{
		{{1, 50, 3, 10}, {0, 200, 7, 1}},
		{{7, 40, 45, 100}, {0x3f, 30, 45, 200}},
		{{all, 0, 0, 0}, {all, 25, 0, 50}, {all, 12, 0, 5}, {all, 255, 0, 5}, {all, 255, 0, 44}, {all, 255, 0, 1}},                                                             // down, and up with patience
		{{all, 50, 0, 0}, {all, 250, 0, 50}, {all, 50, 0, 50}, {all, 250, 0, 75}, {all, 250, 0, 30}, {all, 50, 0, 50}, {all, 250, 0, 195}, {all, 250, 0, 10}},                  // up twice in vain
		{{all, 50, 0, 0}, {all, 250, 0, 50}, {all, 140, 0, 20}, {all, 50, 0, 20}, {all, 250, 0, 90}, {all, 250, 0, 30}, {all, 250, 0, 40}},                                     // in vain, in two steps down
		{{all, 50, 0, 0}, {all, 250, 0, 50}, {all, 50, 0, 50}, {all, 250, 0, 100}, {all, 50, 0, 246}, {all, 250, 0, 40}, {all, 250, 0, 20}},                                    // forgotten after 28 seconds
		{{all, 50, 0, 0}, {all, 250, 0, 50}, {all, 50, 0, 50}, {all, 250, 0, 100}, {all, 50, 0, 245}, {all, 250, 0, 50}, {all, 250, 0, 50}},                                    // not yet after 24
		{{all, 0, 22, 0}, {all, 0, 90, 5}, {all, 0, 255, 5}, {all, 0, 45, 5}, {all, 0, 254, 5}, {all, 40, 10, 5}, {all, 8, 10, 5}, {all, 250, 200, 5}},                         // wishes
		{{1, 0, 0, 0}, {2, 0, 0, 5}, {4, 100, 0, 5}, {1, 100, 0, 5}, {6, 0, 0, 5}, {all | 4<<3, 60, 0, 5}, {all | 4<<3, 35, 45, 5}},                                            // encodings come and go
		{{1 | 1<<3 | unmeasured, 80, 0, 0}, {3 | 3<<3 | unmeasured, 80, 0, 1}, {all | 7<<3 | unmeasured, 80, 0, 1}, {all, 80, 0, 1}, {all, 80, 0, 50}},                         // a stream begins
		{{all | other, 1, 0, 0}, {all | other, 250, 0, 1}, {all | other, 250, 0, 48}, {all | other, 250, 0, 1}},                                                                // an encoding of the number 0
		{{all | other, 100, 0, 0}, {all | other, 20, 0, 50}, {all | other, 100, 20, 50}, {4 | other, 250, 23, 60}, {3 | other, 20, 0, 60}, {4 | other | unmeasured, 9, 0, 50}}, // layers come and go
	} {
		var script []byte
		for _, step := range story {
			script = append(append(script, step[:]...), 0)
		}
		list = append(list, script)
	}
	chance := rand.New(rand.NewPCG(1, 2))
	for range 100 {
		var script []byte
		step := [5]byte{all}
		for range 60 {
			switch chance.IntN(8) {
			case 0:
				step[0] = byte(chance.IntN(256))
			case 1:
				step[2] = []byte{0, 0, 0, 20, 23, 45, 46, 90, 91, 255}[chance.IntN(10)]
			}
			step[1], step[4] = byte(chance.IntN(256)), byte(chance.IntN(128))
			step[3] = []byte{0, 1, 10, 50, 50, 51, 100, 200, 240, 241, 246}[chance.IntN(11)]
			script = append(script, step[:]...)
		}
		list = append(list, script)
	}
	return list
}

// lineOf is what a line carries: so many times 12 kbit/s; or it is about as much as a rung needs that is kept, gone down to or
// entered.
func lineOf(b, border byte, ladder []Rung) media.Bitrate {
	if border == 0 {
		return media.Bitrate(b) * 12_000
	}
	percent := []media.Bitrate{110, 100, 87}[border%3]
	return max(0, ladder[int(b)%len(ladder)].Bitrate*100/percent+media.Bitrate(border/3%4)-1)
}

// pause is the time between two steps: up to five seconds in steps of 20 ms, and from 240 on up to a minute.
func pause(b byte) time.Duration {
	if b >= 240 {
		return time.Duration(b-239) * 4 * time.Second
	}
	return time.Duration(b) * 20 * time.Millisecond
}

// someOf are encodings by the bits of a number: three for those that are there, from the fourth on those that take a
// quarter of the usual, then whether none is measured yet, of the cheap ones not even the whole. With the last bit
// they have other numbers, from 0 on, and the largest has spatial layers and takes less at the bottom than the one below.
func someOf(bits byte) []Encoding {
	list := three()
	if bits>>7 != 0 {
		list[2].Rates = [MaxSpatial][MaxTemporal]media.Bitrate{{250_000, 50_000}, {200_000}, {700_000, 300_000, 200_000}}
	}
	keep := list[:0]
	for i, e := range list {
		cheap := bits>>(i+3)&1 != 0
		for s := range e.Rates {
			for t := range e.Rates[s] {
				if cheap {
					e.Rates[s][t] /= 4
				}
			}
		}
		if bits>>6&1 != 0 {
			e.Total = e.upTo(MaxSpatial-1, MaxTemporal-1)
			e.Rates = [MaxSpatial][MaxTemporal]media.Bitrate{}
			if cheap {
				e.Total = 0
			}
		}
		e.ID -= uint32(bits >> 7)
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
