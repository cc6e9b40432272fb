package mediatest

import (
	"time"

	"github.com/fanfare-relay/fanfare/media"
)

type waiting[T any] struct {
	value T
	size  int
	since time.Time
}

// Bottleneck is a line of a certain rate with a queue before it that drops what does not fit, and
// then a Link. It is not safe for concurrent use.
type Bottleneck[T any] struct {
	link    *Link[T]
	rate    media.Bitrate
	limit   int
	burst   int
	queue   []waiting[T]
	bytes   int
	free    time.Time // when the line has sent what came before
	dropped int
}

// NewBottleneck returns an idle line. queue is the number of bytes that may wait.
func NewBottleneck[T any](rate media.Bitrate, queue int, link LinkConfig) *Bottleneck[T] {
	return &Bottleneck[T]{link: NewLink[T](link), rate: rate, limit: queue}
}

// SetRate changes the rate, also for what waits.
func (b *Bottleneck[T]) SetRate(rate media.Bitrate, now time.Time) {
	b.drain(now)
	b.rate = rate
}

// SetBurst lets so many bytes pass at once after a pause, as lines that are shaped by a budget do.
func (b *Bottleneck[T]) SetBurst(bytes int) { b.burst = bytes }

// Send puts v, of so many bytes, into the queue, and tells whether it fitted.
func (b *Bottleneck[T]) Send(v T, size int, now time.Time) bool {
	b.drain(now)
	if b.bytes+size > b.limit {
		b.dropped++
		return false
	}
	b.queue = append(b.queue, waiting[T]{v, size, now})
	b.bytes += size
	return true
}

// drain gives the link what the line has sent by now.
func (b *Bottleneck[T]) drain(now time.Time) {
	for len(b.queue) > 0 {
		w := b.queue[0]
		paid := b.headPaid()
		sent := later(paid, w.since)
		if sent.After(now) {
			return
		}
		b.link.Send(w.value, sent)
		b.free = paid
		b.bytes -= w.size
		b.queue = b.queue[1:]
	}
}

// headPaid is when the line's rate has paid for the first in the queue. It may lie before it came,
// by what a burst saves.
func (b *Bottleneck[T]) headPaid() time.Time {
	w := b.queue[0]
	return later(b.free, w.since.Add(-b.takes(b.burst))).Add(b.takes(w.size))
}

// takes is how long the line is busy with so many bytes.
func (b *Bottleneck[T]) takes(bytes int) time.Duration {
	return time.Duration(int64(bytes) * 8 * int64(time.Second) / int64(b.rate))
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// AppendArrived appends what has arrived by now, in the order of arrival.
func (b *Bottleneck[T]) AppendArrived(dst []T, now time.Time) []T {
	b.drain(now)
	return b.link.AppendArrived(dst, now)
}

// Dropped returns the number of things that found the queue full.
func (b *Bottleneck[T]) Dropped() int { return b.dropped }
