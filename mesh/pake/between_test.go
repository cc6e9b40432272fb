package pake

import (
	"bytes"
	"errors"
	"testing"
)

// TestServerInTheMiddle: a server that carries the messages of an exchange and knows all but the
// code. Whatever it does, it gets no secrets, the receiver gets none but the uploader's, and the
// uploader counts.
func TestServerInTheMiddle(t *testing.T) {
	const right, wrong = "7-acorn-piano-zebra", "7-acorn-piano-zenith"
	for _, tt := range []struct {
		name string
		// play stands between the two; it returns what the server got.
		play func(t *testing.T, b table) *Handover
	}{
		{"plays the receiver with a guess", func(t *testing.T, b table) *Handover {
			receiver, first, err := NewReceiver(seeded("server"), code(t, wrong), place)
			if err != nil {
				t.Fatal(err)
			}
			got, _, _ := table{receiver: receiver, uploader: b.uploader, first: first}.run(asItIs)
			return got
		}},
		{"plays the uploader with a guess", func(t *testing.T, b table) *Handover {
			own := NewGuard(code(t, wrong), noon)
			u, err := own.Begin(seeded("server"), place, secrets, noon)
			if err != nil {
				t.Fatal(err)
			}
			if got, err, _ := (table{guard: own, receiver: b.receiver, uploader: u, first: b.first}).run(asItIs); got != nil || !errors.Is(err, ErrWrongCode) {
				t.Errorf("the receiver: %v, %v", got, err)
			}
			b.uploader.Abandon()
			return nil
		}},
		{"puts its own share in the place of the uploader's", func(t *testing.T, b table) *Handover {
			b.run(func(step int, m []byte) []byte {
				if step == 2 {
					own := share(scalar{31: 9}, secretScalar("acorn-piano-zenith", "7"), hexN)
					copy(m[headSize:], own[:])
				}
				return m
			})
			return nil
		}},
		{"answers with the confirmation of another exchange", func(t *testing.T, b table) *Handover {
			var old []byte
			lay(t, right, right, place).run(func(step int, m []byte) []byte {
				if step == 2 {
					old = bytes.Clone(m)
				}
				return m
			})
			receiver, first, err := NewReceiver(seeded("another receiver"), code(t, right), place)
			if err != nil {
				t.Fatal(err)
			}
			got, receiverErr, _ := table{receiver: receiver, uploader: b.uploader, first: first}.run(func(step int, m []byte) []byte {
				if step == 2 {
					return old
				}
				return m
			})
			if got != nil || !errors.Is(receiverErr, ErrWrongCode) {
				t.Errorf("the receiver: %v, %v", got, receiverErr)
			}
			return nil
		}},
		{"sends the uploader's confirmation back to it", func(t *testing.T, b table) *Handover {
			m, _, err := b.uploader.Step(b.first)
			if err != nil {
				t.Fatal(err)
			}
			if _, done, _ := b.uploader.Step(message(stepConfirm, m[headSize+pointSize:])); done {
				t.Error("the uploader takes its own confirmation for the receiver's")
			}
			return nil
		}},
		{"keeps everything back", func(t *testing.T, b table) *Handover {
			if _, _, err := b.uploader.Step(b.first); err != nil {
				t.Fatal(err)
			}
			b.uploader.Abandon()
			return nil
		}},
	} {
		b := lay(t, right, right, place)
		if got := tt.play(t, b); got != nil {
			t.Errorf("%s: the server has the secrets", tt.name)
		}
		if b.guard.failed != 1 || b.guard.open != 0 {
			t.Errorf("%s: %d failed, %d open", tt.name, b.guard.failed, b.guard.open)
		}
	}
}
