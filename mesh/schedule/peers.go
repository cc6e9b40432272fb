package schedule

import (
	"iter"
	"math/bits"
	"math/rand/v2"
	"time"
)

// Peer is a number from 0 to MaxPeers-1 that the caller gives to another peer while it is
// connected; it may be given again after PeerLeft.
type Peer int

// MaxPeers is how many peers one peer can be connected to.
const MaxPeers = 64

// peerSet is a set of peers; its order is that of their numbers.
type peerSet uint64

func (s peerSet) has(p Peer) bool { return s>>p&1 != 0 }
func (s *peerSet) add(p Peer)     { *s |= 1 << p }
func (s *peerSet) remove(p Peer)  { *s &^= 1 << p }
func (s peerSet) len() int        { return bits.OnesCount64(uint64(s)) }

// first is the first peer of a set that is not empty.
func (s peerSet) first() Peer { return Peer(bits.TrailingZeros64(uint64(s))) }

func (s peerSet) all() iter.Seq[Peer] {
	return func(yield func(Peer) bool) {
		for ; s != 0; s &= s - 1 {
			if !yield(s.first()) {
				return
			}
		}
	}
}

// least returns the peer of the set with the smallest score; among equals chance decides.
func (s peerSet) least(r *rand.Rand, score func(Peer) float64) Peer {
	best, lowest, equal := Peer(-1), 0.0, 0
	for p := range s.all() {
		switch v := score(p); {
		case best < 0 || v < lowest:
			best, lowest, equal = p, v, 1
		case v == lowest:
			if equal++; r.IntN(equal) == 0 {
				best = p
			}
		}
	}
	return best
}

// peer is what is known of one peer.
type peer struct {
	lanes     int
	roundTrip time.Duration
	uploads   float64 // bytes/s that it can send, by its own word; 0: unknown

	// What we ask of it.
	asked     int64 // bytes of leaves that were asked for and have not come
	useful    int   // open pieces that it shows
	shows     int   // pieces, of all
	arrivals  meter
	heard     time.Time // of the last leaf, or of the first request after none
	quiet     time.Time // nothing is asked of it before
	withdrawn []withdrawnLeaf

	// What it asks of us.
	queue  []request
	queued int64 // bytes
	full   bool  // its channel takes no more
	handed int   // leaves that the caller is sending
	served int64 // number of its last turn

	// Pieces that we, as the uploader, showed it and nobody else is known to have.
	carrying int
}

// meter measures a rate over the time in which there was something to carry, so that a line
// that idles is not taken for a slow one.
type meter struct {
	rate  float64   // bytes/s; 0: unknown
	since time.Time // zero while idle
	bytes int64
	busy  time.Duration
}

// A rate counts after meterFirst of busy time, and is then averaged over spans of meterSpan.
const (
	meterFirst = 100 * time.Millisecond
	meterSpan  = time.Second
)

func (m *meter) begin(now time.Time) {
	if m.since.IsZero() {
		m.since = now
	}
}

// add counts what was carried until now; more tells whether there is more to carry.
func (m *meter) add(bytes int64, now time.Time, more bool) {
	m.begin(now)
	m.bytes += bytes
	m.busy += max(0, now.Sub(m.since))
	if m.since = (time.Time{}); more {
		m.since = now
	}
	span := meterSpan
	if m.rate == 0 {
		span = meterFirst
	}
	if m.busy < span {
		return
	}
	rate := float64(m.bytes) / (float64(m.busy) / 1e9) // not Seconds, which rounds twice
	if m.rate > 0 {
		rate = (m.rate + rate) / 2
	}
	m.rate, m.bytes, m.busy = rate, 0, 0
}
