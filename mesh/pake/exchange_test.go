package pake

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/fanfare-relay/fanfare/mesh/seal"
)

var (
	noon    = time.Unix(1_790_000_000, 0)
	place   = Between{Room: "q1fWtdUkFzvGxmW8mVQnDg", Receiver: "0h8kGq1Yy3bWm5t2nXc7Lw", Uploader: "5vTn0aQe2rUj8kYp1dZx6g"}
	secrets = Handover{Secret: seal.Secret{1, 2, 3}, Key: seal.KeyHash{4, 5, 6}}
)

// seeded is a source of bytes that are the same in every run.
func seeded(seed string) *rand.ChaCha8 {
	var s [32]byte
	copy(s[:], seed)
	return rand.NewChaCha8(s)
}

func code(t testing.TB, text string) Code {
	t.Helper()
	c, err := ParseCode(text)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// table is an exchange about to begin.
type table struct {
	guard    *Guard
	receiver *Receiver
	uploader *Uploader
	first    []byte
}

func lay(t testing.TB, shown, typed string, there Between) table {
	t.Helper()
	guard := NewGuard(code(t, shown), noon)
	receiver, first, err := NewReceiver(seeded("receiver"), code(t, typed), there)
	if err != nil {
		t.Fatal(err)
	}
	uploader, err := guard.Begin(seeded("uploader"), place, secrets, noon)
	if err != nil {
		t.Fatal(err)
	}
	return table{guard, receiver, uploader, first}
}

// run carries messages to and fro, each changed on its way (steps 1 to 4), until one side has an
// error or the receiver has the secrets.
func (b table) run(change func(step int, m []byte) []byte) (got *Handover, receiverErr, uploaderErr error) {
	m := b.first
	for step := 1; m != nil; step++ {
		m = change(step, bytes.Clone(m))
		if step%2 == 1 {
			if m, _, uploaderErr = b.uploader.Step(m); uploaderErr != nil {
				_, got, receiverErr = b.receiver.Step(m)
				return got, receiverErr, uploaderErr
			}
		} else if m, got, receiverErr = b.receiver.Step(m); receiverErr != nil || got != nil {
			if m != nil {
				_, _, uploaderErr = b.uploader.Step(m)
			}
			return got, receiverErr, uploaderErr
		}
	}
	return got, receiverErr, uploaderErr
}

func asItIs(_ int, m []byte) []byte { return m }

func TestExchange(t *testing.T) {
	b := lay(t, "7-acorn-piano-zebra", "7 Acorn piano zebra", place)
	got, receiverErr, uploaderErr := b.run(asItIs)
	if got == nil || *got != secrets || receiverErr != nil || uploaderErr != nil {
		t.Fatalf("%v, %v, %v", got, receiverErr, uploaderErr)
	}
	if text := fmt.Sprint(*got, got); text != "(secrets) (secrets)" {
		t.Errorf("the secrets print as %q", text)
	}
	if b.guard.failed != 0 || b.guard.open != 0 {
		t.Errorf("%d failed, %d open", b.guard.failed, b.guard.open)
	}
	for _, m := range [][]byte{b.first, nil, Refusal(ErrBusy), make([]byte, handoverSize), append([]byte{1, stepDone}, make([]byte, handoverSize-2)...)} {
		if reply, done, err := b.uploader.Step(m); reply != nil || done || !errors.Is(err, ErrProtocol) {
			t.Errorf("the uploader after the end: %x, %v, %v", reply, done, err)
		}
		if reply, got, err := b.receiver.Step(m); reply != nil || got != nil || !errors.Is(err, ErrProtocol) {
			t.Errorf("the receiver after the end: %x, %v, %v", reply, got, err)
		}
	}
	if b.guard.failed != 0 || b.guard.open != 0 {
		t.Errorf("after the end: %d failed, %d open", b.guard.failed, b.guard.open)
	}
}

// TestExchangeThatMustFail: another code, or a server that tells the two sides different places.
func TestExchangeThatMustFail(t *testing.T) {
	for _, tt := range []struct {
		name, typed string
		there       Between
	}{
		{"another word", "7-acorn-piano-zenith", place},
		{"words in another order", "7-piano-acorn-zebra", place},
		{"another number", "8-acorn-piano-zebra", place},
		{"another room", "7-acorn-piano-zebra", Between{"another", place.Receiver, place.Uploader}},
		{"another receiver", "7-acorn-piano-zebra", Between{place.Room, "another", place.Uploader}},
		{"another uploader", "7-acorn-piano-zebra", Between{place.Room, place.Receiver, "another"}},
	} {
		b := lay(t, "7-acorn-piano-zebra", tt.typed, tt.there)
		got, receiverErr, uploaderErr := b.run(asItIs)
		if got != nil || !errors.Is(receiverErr, ErrWrongCode) || !errors.Is(uploaderErr, ErrWrongCode) {
			t.Errorf("%s: %v, %v, %v", tt.name, got, receiverErr, uploaderErr)
		}
		if b.guard.failed != 1 || b.guard.open != 0 {
			t.Errorf("%s: %d failed, %d open", tt.name, b.guard.failed, b.guard.open)
		}
	}
}

// TestExchangeTampered: every byte of every message changed, and every message cut.
func TestExchangeTampered(t *testing.T) {
	b := lay(t, "7-acorn-piano-zebra", "7-acorn-piano-zebra", place)
	var lengths [5]int
	b.run(func(step int, m []byte) []byte {
		lengths[step] = len(m)
		return m
	})
	for step := 1; step <= 4; step++ {
		for at := range lengths[step] {
			for _, change := range []func([]byte) []byte{
				func(m []byte) []byte { m[at] ^= 1 << (at % 8); return m },
				func(m []byte) []byte { return m[:at] },
			} {
				b := lay(t, "7-acorn-piano-zebra", "7-acorn-piano-zebra", place)
				got, receiverErr, _ := b.run(func(now int, m []byte) []byte {
					if now == step {
						return change(m)
					}
					return m
				})
				if got != nil || receiverErr == nil {
					t.Errorf("step %d, byte %d: %v, %v", step, at, got, receiverErr)
				}
				if step < 4 && b.guard.failed+b.guard.open == 0 {
					t.Errorf("step %d, byte %d: not counted", step, at)
				}
			}
		}
	}
}

// TestPointsThatAreRefused: the identity in its forms, points off the curve, and the mask itself,
// whose K would be the identity.
func TestPointsThatAreRefused(t *testing.T) {
	c := code(t, "7-acorn-piano-zebra")
	w := secretScalar(c.password(), c.salt())
	off := share(scalar{31: 9}, w, hexM)
	off[64] ^= 1
	for name, point := range map[string][]byte{
		"zeros": make([]byte, pointSize), "the identity": append([]byte{4}, make([]byte, 64)...), "off the curve": off[:],
		"over the field": append([]byte{4}, bytes.Repeat([]byte{0xff}, 64)...),
		"the mask":       times(constant(hexM), w).Bytes(),
	} {
		b := lay(t, "7-acorn-piano-zebra", "7-acorn-piano-zebra", place)
		if reply, _, err := b.uploader.Step(message(stepShareA, point)); !errors.Is(err, ErrProtocol) || !bytes.Equal(reply, Refusal(ErrProtocol)) {
			t.Errorf("%s to the uploader: %x, %v", name, reply, err)
		}
		if name == "the mask" {
			point = times(constant(hexN), w).Bytes()
		}
		if _, got, err := b.receiver.Step(message(stepShareB, point, make([]byte, confirmSize))); got != nil || !errors.Is(err, ErrProtocol) {
			t.Errorf("%s to the receiver: %v, %v", name, got, err)
		}
	}
}

func TestMessagesOutOfOrder(t *testing.T) {
	b := lay(t, "7-acorn-piano-zebra", "7-acorn-piano-zebra", place)
	var seen [][]byte
	b.run(func(_ int, m []byte) []byte {
		seen = append(seen, bytes.Clone(m))
		return m
	})
	for i, m := range seen {
		b := lay(t, "7-acorn-piano-zebra", "7-acorn-piano-zebra", place)
		if _, _, err := b.uploader.Step(m); (err == nil) != (i == 0) {
			t.Errorf("message %d first to the uploader: %v", i+1, err)
		}
		if _, got, err := b.receiver.Step(m); got != nil || (err == nil) != (i == 1) {
			t.Errorf("message %d first to the receiver: %v, %v", i+1, got, err)
		}
	}
	// One's own message, come back.
	b = lay(t, "7-acorn-piano-zebra", "7-acorn-piano-zebra", place)
	if _, got, err := b.receiver.Step(b.first); got != nil || !errors.Is(err, ErrProtocol) {
		t.Errorf("%v, %v", got, err)
	}
}

func TestRefusals(t *testing.T) {
	for _, want := range []error{ErrWrongCode, ErrSpent, ErrBusy, ErrProtocol} {
		b := lay(t, "7-acorn-piano-zebra", "7-acorn-piano-zebra", place)
		if reply, _, err := b.receiver.Step(Refusal(want)); reply != nil || !errors.Is(err, want) {
			t.Errorf("to the receiver: %x, %v, want %v", reply, err, want)
		}
		if reply, _, err := b.uploader.Step(Refusal(want)); reply != nil || !errors.Is(err, want) || b.guard.failed != 1 {
			t.Errorf("to the uploader: %x, %v, want %v; %d failed", reply, err, want, b.guard.failed)
		}
	}
}

func TestPlacesAreChecked(t *testing.T) {
	for _, there := range []Between{{}, {"a", "b", ""}, {"a", "b\x00c", "d"}, {"a b", "c", "d"}} {
		if _, _, err := NewReceiver(seeded(""), code(t, "7-acorn-piano-zebra"), there); !errors.Is(err, seal.ErrAddress) {
			t.Errorf("%q: %v", there, err)
		}
	}
	if _, _, err := NewReceiver(bytes.NewReader(make([]byte, 1024)), code(t, "7-acorn-piano-zebra"), place); !errors.Is(err, ErrRandom) {
		t.Errorf("random bytes of zeros: %v", err)
	}
}

func FuzzExchange(f *testing.F) {
	b := lay(f, "7-acorn-piano-zebra", "7-acorn-piano-zebra", place)
	b.run(func(_ int, m []byte) []byte {
		f.Add(bytes.Clone(m))
		return m
	})
	f.Add(Refusal(ErrBusy))
	f.Fuzz(func(t *testing.T, m []byte) {
		b := lay(t, "7-acorn-piano-zebra", "7-acorn-piano-zebra", place)
		if _, done, _ := b.uploader.Step(m); done {
			t.Error("the uploader hands over after one message")
		}
		if _, got, _ := b.receiver.Step(m); got != nil {
			t.Error("the receiver has secrets after one message")
		}
	})
}
