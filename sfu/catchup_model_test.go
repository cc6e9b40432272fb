package sfu

import (
	"math/big"
	"testing"
	"time"
)

// modelWarp is the warp by its definition, in exact numbers, counted from the key frame on. A group that reaches length
// units up to the live edge begins to be shown there, at length, and runs at a quarter of its speed. Live pictures run at
// full speed, so that they are met four thirds of the length behind the key frame.
//
// The code rounds in two places, and says so: of a length up to two units are left out, so that it is three equal
// parts (upTo), and a timestamp is a whole number. Therefore length here is either the true one, and what is shown
// may be less by under three units; or it is the rounded one, and what is shown is the whole number below.
type modelWarp struct {
	key    *big.Rat // where the key frame is shown: at the edge of the moment when the viewer was let in
	length *big.Rat // where the rest begins
}

// newModelWarp is without a length where nothing is compressed: the edge lies before the key frame, or
// further behind it than the ten seconds after which nobody is let in.
func newModelWarp(length, clockRate int64) modelWarp {
	if length < 0 || length > 10*clockRate {
		length = 0
	}
	return modelWarp{key: big.NewRat(length, 1), length: big.NewRat(length, 1)}
}

// rounded leaves out what is no whole third.
func (m modelWarp) rounded() modelWarp { return modelWarp{thirds(m.key), thirds(m.length)} }

// later begins the group so much later, but for the key frame. Without a group there is nothing to begin.
func (m modelWarp) later(by int64) modelWarp {
	if m.length.Sign() == 0 {
		return m
	}
	return modelWarp{m.key, new(big.Rat).Add(m.length, big.NewRat(by, 1))}
}

// shown is where a picture so far behind the key frame is shown, and how long after the beginning it is sent, in
// units; not compressed when the live pictures have been met.
func (m modelWarp) shown(d int64) (at, after *big.Rat, compressed bool) {
	live := big.NewRat(d, 1)
	after = big.NewRat(d, 4)
	at = new(big.Rat).Add(m.length, after)
	switch {
	case at.Cmp(live) <= 0:
		return live, nil, false
	case d == 0:
		return m.key, after, true
	default:
		return at, after, true
	}
}

func thirds(x *big.Rat) *big.Rat {
	n := wholeBelow(x)
	return big.NewRat(n-n%3, 1)
}

// wholeBelow is the whole part of a number that is not negative.
func wholeBelow(x *big.Rat) int64 { return new(big.Int).Quo(x.Num(), x.Denom()).Int64() }

// checkWarp compares a warp with the model, for the picture so far behind the key frame. exact is the model without
// rounding, from which it may be off by fewer units than most.
func checkWarp(t *testing.T, w warp, exact, rounded modelWarp, most, d int64, clockRate uint32) {
	t.Helper()
	ts := w.key + uint32(d)
	shown := int64(w.apply(ts) - w.key)
	at, after, compressed := rounded.shown(d)
	if want := wholeBelow(at); shown != want {
		t.Fatalf("of %+v, %d behind the key frame is shown at %d, want %d", w, d, shown, want)
	}
	at, _, _ = exact.shown(d)
	off := new(big.Rat).Sub(at, big.NewRat(shown, 1))
	if off.Sign() < 0 || off.Cmp(big.NewRat(most, 1)) >= 0 {
		t.Fatalf("of %+v, %d behind the key frame is shown at %d, which is %s before the true time", w, d, shown, off.FloatString(2))
	}
	got, ok := w.covers(ts, clockRate)
	if ok != compressed {
		t.Fatalf("of %+v, %d behind the key frame is compressed: %v", w, d, ok)
	}
	if ok {
		// The nanoseconds of whole units.
		want := big.NewRat(wholeBelow(after)*int64(time.Second), int64(clockRate))
		if int64(got) != wholeBelow(want) {
			t.Fatalf("of %+v, %d behind the key frame is sent after %v, want %s ns", w, d, got, want.FloatString(1))
		}
		if waits := big.NewRat(d, 1).Cmp(rounded.length) < 0; w.waits(ts) != waits {
			t.Fatalf("of %+v, %d behind the key frame was there at the beginning: %v", w, d, !waits)
		}
	}
}
