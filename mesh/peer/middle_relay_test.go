package peer

import (
	"bytes"
	"testing"
)

// TestServerInTheMiddleOfItsRelay: what the server repeats, keeps back, swaps, alters or adds of what it relays ends
// the connection; another brings the rest. It learns nothing, and nobody is held guilty.
func TestServerInTheMiddleOfItsRelay(t *testing.T) {
	t.Parallel()
	for name, trick := range map[string]func(a, b []byte) [][]byte{
		"repeats":    func(a, b []byte) [][]byte { return [][]byte{a, a, b} },
		"keeps back": func(_, b []byte) [][]byte { return [][]byte{b} },
		"swaps":      func(a, b []byte) [][]byte { return [][]byte{b, a} },
		"alters": func(a, b []byte) [][]byte {
			a[len(a)/2] ^= 1
			return [][]byte{a, b}
		},
		"adds": func(a, b []byte) [][]byte { return [][]byte{bytes.Repeat([]byte("!"), len(a)), a, b} },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m := newMiddle(t, nil)
			m.evil.become(func(e *evilServer) { e.relays = once(trick) })
			ann := m.fetch("ann", m.sender.link, func(c *Config) { c.Transport.RelayOnly, c.Fetch.Seed = true, true })
			m.finishes(ann)
			m.evil.become(func(e *evilServer) {
				if e.sides <= 2 { // those of the first connection
					t.Errorf("after the trick it goes on: %d sides have come to the relay", e.sides)
				}
			})
			m.check(ann)
		})
	}
}

// once plays a trick with the first two messages with content that come after each other.
func once(trick func(a, b []byte) [][]byte) func([]byte) [][]byte {
	const content = 10_000 // a frame that is longer holds bytes of a file
	var first []byte
	played := false
	return func(sealed []byte) [][]byte {
		switch {
		case played || first == nil && len(sealed) < content:
			return [][]byte{sealed}
		case first == nil:
			first = sealed
			return nil
		}
		played = true
		return trick(first, sealed)
	}
}
