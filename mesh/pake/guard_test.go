package pake

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/fanfare-relay/fanfare/mesh/seal"
)

func begin(t *testing.T, g *Guard, now time.Time) *Uploader {
	t.Helper()
	u, err := g.Begin(seeded("uploader"), place, secrets, now)
	if err != nil {
		t.Fatal(err)
	}
	return u
}

// guess is a receiver with another code: a failure.
func guess(t *testing.T, u *Uploader) {
	t.Helper()
	receiver, first, err := NewReceiver(seeded("receiver"), code(t, "7-acorn-acorn-acorn"), place)
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := (table{uploader: u, receiver: receiver, first: first}).run(asItIs); !errors.Is(err, ErrWrongCode) {
		t.Fatalf("a wrong code: %v", err)
	}
}

func TestCodeBurnsAfterFiveFailures(t *testing.T) {
	g := NewGuard(code(t, "7-acorn-piano-zebra"), noon)
	for range MaxFailures {
		if err := g.Alive(noon); err != nil {
			t.Fatal(err)
		}
		guess(t, begin(t, g, noon))
	}
	if err := g.Alive(noon); !errors.Is(err, ErrSpent) {
		t.Errorf("after five failures: %v", err)
	}
	if _, err := g.Begin(seeded("uploader"), place, secrets, noon); !errors.Is(err, ErrSpent) {
		t.Errorf("a sixth exchange: %v", err)
	}
}

// TestBegunExchangesCount: whoever begins many at once has no more guesses than one after another.
func TestBegunExchangesCount(t *testing.T) {
	g := NewGuard(code(t, "7-acorn-piano-zebra"), noon)
	var open []*Uploader
	for range MaxFailures {
		open = append(open, begin(t, g, noon))
	}
	if _, err := g.Begin(seeded("uploader"), place, secrets, noon); !errors.Is(err, ErrBusy) {
		t.Errorf("a sixth at once: %v", err)
	}
	if err := g.Alive(noon); err != nil {
		t.Errorf("a code that is only busy: %v", err)
	}
	// One is confirmed: there is room for another.
	receiver, first, err := NewReceiver(seeded("receiver"), code(t, "7-acorn-piano-zebra"), place)
	if err != nil {
		t.Fatal(err)
	}
	if got, _, _ := (table{uploader: open[0], receiver: receiver, first: first}).run(asItIs); got == nil {
		t.Fatal("no hand-over")
	}
	open[0].Abandon() // has ended: no failure
	open[0] = begin(t, g, noon)
	for _, u := range open {
		u.Abandon()
		u.Abandon()
	}
	if err := g.Alive(noon); !errors.Is(err, ErrSpent) || g.failed != MaxFailures || g.open != 0 {
		t.Errorf("five abandoned: %v; %d failed, %d open", err, g.failed, g.open)
	}
}

func TestCodeExpires(t *testing.T) {
	g := NewGuard(code(t, "7-acorn-piano-zebra"), noon)
	last := noon.Add(CodeLife - time.Nanosecond)
	if err := g.Alive(last); err != nil {
		t.Error(err)
	}
	begin(t, g, last)
	if _, err := g.Begin(seeded("uploader"), place, secrets, noon.Add(CodeLife)); !errors.Is(err, ErrSpent) {
		t.Errorf("after ten minutes: %v", err)
	}
	if g.Expires() != noon.Add(CodeLife) || g.Code().String() != "7-acorn-piano-zebra" {
		t.Errorf("%v, %v", g.Expires(), g.Code())
	}
}

func TestSuccessesDoNotBurn(t *testing.T) {
	g := NewGuard(code(t, "7-acorn-piano-zebra"), noon)
	for range 3 * MaxFailures {
		receiver, first, err := NewReceiver(seeded("receiver"), code(t, "7-acorn-piano-zebra"), place)
		if err != nil {
			t.Fatal(err)
		}
		if got, _, _ := (table{uploader: begin(t, g, noon), receiver: receiver, first: first}).run(asItIs); got == nil {
			t.Fatal("no hand-over")
		}
	}
}

// TestNothingIsCountedThatDidNotBegin: a fault of one's own must not burn a code.
func TestNothingIsCountedThatDidNotBegin(t *testing.T) {
	g := NewGuard(code(t, "7-acorn-piano-zebra"), noon)
	for range 2 * MaxFailures {
		if _, err := g.Begin(seeded("uploader"), Between{}, secrets, noon); !errors.Is(err, seal.ErrAddress) {
			t.Errorf("no place: %v", err)
		}
		for _, random := range []string{"", strings.Repeat("a", 32), strings.Repeat("a", 40)} { // a scalar and a nonce have 44
			if _, err := g.Begin(strings.NewReader(random), place, secrets, noon); !errors.Is(err, ErrRandom) {
				t.Errorf("%d random bytes: %v", len(random), err)
			}
		}
	}
	begin(t, g, noon)
}
