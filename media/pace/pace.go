// Package pace spreads bursts: it tells whether so many bytes may leave now, and if not, when.
//
// It owns a budget that fills at a rate and holds at most a burst. It never queues and never waits:
// the caller keeps what may not leave yet.
package pace

import (
	"time"

	"github.com/fanfare-relay/fanfare/media"
)

// Bucket is a budget of bytes. Use NewBucket. It is a value for one goroutine.
type Bucket struct {
	rate  media.Bitrate
	burst int64 // in bits times nanoseconds a second, as level is: exact at any rate
	level int64
	last  time.Time // when level was true; zero before the first
}

// unit is one bit in the units of level.
const unit = int64(time.Second)

// maxBurst keeps level far from the end of its range: a gigabit.
const maxBurst = 125_000_000

// NewBucket returns a full bucket that fills at rate and holds burst bytes. A rate below 1 bit/s is
// 1; a burst is between 1 byte and 125 MB.
func NewBucket(rate media.Bitrate, burst int) Bucket {
	b := Bucket{rate: clampRate(rate), burst: int64(min(max(burst, 1), maxBurst)) * 8 * unit}
	b.level = b.burst
	return b
}

func clampRate(rate media.Bitrate) media.Bitrate { return min(max(rate, 1), 1_000_000_000) }

// SetRate changes the rate from now on; what was saved stays. Rates are between 1 bit/s and 1 Gbit/s.
func (b *Bucket) SetRate(rate media.Bitrate, now time.Time) {
	b.fill(now)
	b.rate = clampRate(rate)
}

// SetBurst changes how many bytes may be saved up, from the last question on. Whoever asks seldom needs more than
// whoever asks often: what comes in beyond it from one question to the next is lost.
func (b *Bucket) SetBurst(burst int, now time.Time) {
	b.burst = int64(min(max(burst, 1), maxBurst)) * 8 * unit
	b.level = min(b.level, b.burst)
	b.fill(now)
}

// Take takes n bytes if they may leave now. More than a burst may leave when the bucket is full, and
// is paid for afterwards, so that a large packet never waits for ever.
func (b *Bucket) Take(n int, now time.Time) bool {
	b.fill(now)
	cost := cost(n)
	if b.level < min(cost, b.burst) {
		return false
	}
	b.level -= cost
	return true
}

// Deadline returns when n bytes may leave, if nothing else does before: the moment of the last call
// with a time, or later.
func (b *Bucket) Deadline(n int) time.Time {
	missing := min(cost(n), b.burst) - b.level
	if missing <= 0 {
		return b.last
	}
	rate := int64(b.rate)
	return b.last.Add(time.Duration((missing + rate - 1) / rate))
}

func cost(n int) int64 { return int64(min(max(n, 0), maxBurst)) * 8 * unit }

// fill adds what has come in since the last call. A clock that goes back adds nothing.
func (b *Bucket) fill(now time.Time) {
	if b.last.IsZero() {
		b.last = now
	}
	elapsed := now.Sub(b.last)
	if elapsed <= 0 {
		return
	}
	b.last = now
	if full := (b.burst - b.level) / int64(b.rate); int64(elapsed) > full {
		b.level = b.burst
		return
	}
	b.level += int64(elapsed) * int64(b.rate)
}
