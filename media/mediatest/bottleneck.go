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
		w, end := b.queue[0], b.headSent()
		if end.After(now) {
			return
		}
		b.link.Send(w.value, end)
		b.free = end
		b.bytes -= w.size
		b.queue = b.queue[1:]
	}
}

// headSent is when the line will have sent the first in the queue.
func (b *Bottleneck[T]) headSent() time.Time {
	start := b.queue[0].since
	if b.free.After(start) {
		start = b.free
	}
	return start.Add(time.Duration(int64(b.queue[0].size) * 8 * int64(time.Second) / int64(b.rate)))
}

// AppendArrived appends what has arrived by now, in the order of arrival.
func (b *Bottleneck[T]) AppendArrived(dst []T, now time.Time) []T {
	b.drain(now)
	return b.link.AppendArrived(dst, now)
}

// Dropped returns the number of things that found the queue full.
func (b *Bottleneck[T]) Dropped() int { return b.dropped }
