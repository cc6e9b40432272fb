package sfu

import "time"

const (
	// keyInterval is the least time between two requests for a key frame of one encoding,
	// however many viewers ask. A key frame costs the uploader ten times a normal frame.
	keyInterval = time.Second
	// A viewer who joins is served from the history when the group since the newest key
	// frame is no longer than keyFresh and no larger than keyBytes. The group arrives in one
	// burst: larger ones would overflow the queue of a home line (400 KiB are 0.3 s at
	// 10 Mbit/s), and longer ones would have the viewer start behind and catch up visibly.
	// Raising them saves key frames and costs the viewer a smooth start.
	keyFresh = time.Second
	keyBytes = 400 << 10
)

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

// joinable tells whether a viewer may start at a key frame with a group of the given length, from
// its beginning to the newest packet, and the given bytes.
func joinable(length time.Duration, bytes uint64) bool {
	return length <= keyFresh && bytes <= keyBytes
}
