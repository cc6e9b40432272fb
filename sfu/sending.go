package sfu

import (
	"math/bits"
	"sync/atomic"
	"time"

	"github.com/fanfare-relay/fanfare/sfu/udp"
)

// DelayBuckets is the number of buckets of Sending.Delays. Bucket i counts packets that took less
// than DelayBound(i) and no less than the bound before; the last one counts all others.
const DelayBuckets = 20

// DelayBound is the upper bound of a bucket: 2 µs, 4 µs, 8 µs and so on to 1 s.
func DelayBound(i int) time.Duration { return time.Microsecond << (i + 1) }

// delayBucket finds a delay's bucket.
func delayBucket(d time.Duration) int {
	us := max(d.Microseconds(), 0)
	return min(max(bits.Len64(uint64(us))-1, 0), DelayBuckets-1)
}

// Sending counts what workers send: in how many system calls, and how long packets of the live
// edge took through the relay.
type Sending struct {
	udp.BatchStats
	// Delays are packets by the time from their arrival until they were given to the system for a viewer.
	Delays [DelayBuckets]uint64
	// DelaySum is the sum of those times in nanoseconds.
	DelaySum uint64
}

// observe counts a packet that arrived at the given time and goes out now.
func (s *Sending) observe(arrival, now time.Time) {
	d := now.Sub(arrival)
	s.Delays[delayBucket(d)]++
	s.DelaySum += uint64(max(d, 0))
}

// sendingTotal is Sending for many goroutines.
type sendingTotal struct {
	sent, refused, calls, messages, segmented atomic.Uint64
	delays                                    [DelayBuckets]atomic.Uint64
	delaySum                                  atomic.Uint64
}

// add takes a worker's counts and empties them.
func (t *sendingTotal) add(s *Sending) {
	addTo(&t.sent, s.Sent)
	addTo(&t.refused, s.Refused)
	addTo(&t.calls, s.Calls)
	addTo(&t.messages, s.Messages)
	addTo(&t.segmented, s.Segmented)
	for i, n := range s.Delays {
		addTo(&t.delays[i], n)
	}
	addTo(&t.delaySum, s.DelaySum)
	*s = Sending{}
}

func (t *sendingTotal) snapshot() Sending {
	s := Sending{BatchStats: udp.BatchStats{
		Sent: t.sent.Load(), Refused: t.refused.Load(), Calls: t.calls.Load(),
		Messages: t.messages.Load(), Segmented: t.segmented.Load(),
	}, DelaySum: t.delaySum.Load()}
	for i := range s.Delays {
		s.Delays[i] = t.delays[i].Load()
	}
	return s
}
