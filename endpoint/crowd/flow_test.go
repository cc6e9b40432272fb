package crowd

import (
	"slices"
	"testing"
	"time"
)

func start() time.Time { return time.Unix(1_700_000_000, 0) }

// TestFlow: what each packet is, and what is expected and lost in the end.
func TestFlow(t *testing.T) {
	for name, r := range map[string]struct {
		numbers         []uint16
		want            []arrival
		expected, lost  uint64
		received, again uint64
	}{
		"in order":        {[]uint16{5, 6, 7}, []arrival{fresh, fresh, fresh}, 3, 0, 3, 0},
		"wraps":           {[]uint16{65534, 65535, 0, 1}, []arrival{fresh, fresh, fresh, fresh}, 4, 0, 4, 0},
		"a gap":           {[]uint16{1, 4}, []arrival{fresh, fresh}, 4, 2, 2, 0},
		"filled":          {[]uint16{65535, 1, 0}, []arrival{fresh, fresh, filled}, 3, 0, 3, 0},
		"twice":           {[]uint16{1, 2, 2, 1}, []arrival{fresh, fresh, duplicate, duplicate}, 2, 0, 2, 2},
		"before all":      {[]uint16{10, 9}, []arrival{fresh, duplicate}, 1, 0, 1, 1},
		"another begin":   {[]uint16{10, 12, 5000, 5001}, []arrival{fresh, fresh, fresh, fresh}, 5, 1, 4, 0},
		"back by a jump":  {[]uint16{10000, 10, 11}, []arrival{fresh, fresh, fresh}, 3, 0, 3, 0},
		"more than bound": {[]uint16{0, 1000}, []arrival{fresh, fresh}, 1001, 999, 2, 0},
	} {
		t.Run(name, func(t *testing.T) {
			var f flow
			var got []arrival
			for _, n := range r.numbers {
				got = append(got, f.add(n, start()))
			}
			lost := f.lostBy(start().Add(settled))
			if !slices.Equal(got, r.want) || f.expected() != r.expected || lost != r.lost || f.received != r.received || f.duplicates != r.again {
				t.Errorf("%v; expected %d, lost %d, received %d, again %d", got, f.expected(), lost, f.received, f.duplicates)
			}
		})
	}
}

// TestFlowAsks: at once, then again and again, and no more behind a second.
func TestFlowAsks(t *testing.T) {
	var f flow
	f.add(65535, start())
	f.add(2, start())
	f.add(1, start()) // only reordered
	times := 0
	for d := time.Duration(0); d < 2*giveUp; d += 5 * time.Millisecond {
		list := f.asks(start().Add(d), nil)
		if len(list) > 0 {
			times++
			if !slices.Equal(list, []uint16{0}) || d != time.Duration(times-1)*askAgain {
				t.Errorf("asks for %v after %v", list, d)
			}
		}
	}
	if times != maxAsks || f.lost != 1 || len(f.missing) != 0 || f.asked != maxAsks {
		t.Errorf("asked %d times, lost %d", times, f.lost)
	}
}

func TestFlowShare(t *testing.T) {
	var f flow
	for _, n := range []uint16{0, 1, 2, 3} {
		f.add(n, start())
	}
	if got := f.share(); got != 0 {
		t.Errorf("none lost: %d", got)
	}
	f.add(7, start()) // 4, 5, 6 are missing
	if got := f.share(); got != 192 {
		t.Errorf("three of four lost: %d of 256", got)
	}
	f.add(4, start())
	if got := f.share(); got != 0 {
		t.Errorf("more came than was to come: %d", got)
	}
}

// TestFlowJitter: equal spacing has none; a packet 10 ms late in a clock of 90 kHz moves it by a sixteenth of that.
func TestFlowJitter(t *testing.T) {
	var f flow
	at := start()
	for i := range uint32(5) {
		f.time(i*3000, at, 90000)
		at = at.Add(time.Second / 30)
	}
	if f.jitter>>4 > 1 {
		t.Errorf("jitter of an even stream: %d", f.jitter>>4)
	}
	f.time(5*3000, at.Add(10*time.Millisecond), 90000)
	if got := f.jitter >> 4; got < 55 || got > 58 {
		t.Errorf("jitter %d, want 900/16", got)
	}
}

// FuzzFlow compares the account with a plain one: a set of numbers.
func FuzzFlow(f *testing.F) {
	f.Add([]byte{1, 1, 2, 0x82, 1, 5, 0x81})
	f.Fuzz(func(t *testing.T, steps []byte) {
		var fl flow
		seen := map[int64]bool{1 << 20: true}
		highest := int64(1 << 20)
		fl.add(uint16(highest), start())
		for _, s := range steps {
			n := highest + int64(int8(s))
			if n < 1<<20 {
				continue
			}
			want := fresh
			switch {
			case seen[n]:
				want = duplicate
			case n < highest:
				want = filled
			}
			if n < highest-maxMissing {
				continue // it may have been given up
			}
			if got := fl.add(uint16(n), start()); got != want {
				t.Fatalf("%d is %d, want %d", n, got, want)
			}
			seen[n] = true
			highest = max(highest, n)
		}
		if got := fl.expected(); got != uint64(highest-1<<20+1) || fl.received != uint64(len(seen)) {
			t.Errorf("expected %d, received %d; want %d, %d", got, fl.received, highest-1<<20+1, len(seen))
		}
		if got := fl.lost + uint64(len(fl.missing)); got != fl.expected()-fl.received {
			t.Errorf("missing %d of %d, received %d", got, fl.expected(), fl.received)
		}
	})
}
