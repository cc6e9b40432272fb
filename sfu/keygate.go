package sfu

import "time"

// keyInterval is the least time between two requests for a key frame of one encoding,
// however many viewers ask. A key frame costs the uploader ten times a normal frame.
const keyInterval = time.Second

// keyGate merges the requests for key frames of one encoding. It is a value, owned by the
// publisher's loop.
type keyGate struct{ last time.Time }

// due tells whether a key frame is to be asked for now. asked is when one was last wanted,
// arrived when the last one began to arrive (zero: never). While none comes it asks again
// every keyInterval.
func (g *keyGate) due(asked, arrived, now time.Time) bool {
	at, wanted := g.deadline(asked, arrived)
	if !wanted || at.After(now) {
		return false
	}
	g.last = now
	return true
}

// deadline returns when due has something to do; ok is false while nothing is wanted.
func (g *keyGate) deadline(asked, arrived time.Time) (at time.Time, ok bool) {
	if asked.IsZero() || arrived.After(asked) {
		return time.Time{}, false
	}
	if g.last.IsZero() {
		return asked, true
	}
	return g.last.Add(keyInterval), true
}
