// Package mediatest makes RTP packets of every codec and sends things over a lossy link, for
// tests only. The pictures cannot be decoded, but media/codec reads in them what it reads in
// real ones. Time is virtual: the caller says what time it is, and the same seed gives the
// same run.
package mediatest

import (
	"math/rand/v2"
	"slices"
	"time"
)

// LinkConfig says what a link does to the things sent over it. Shares are between 0 and 1.
type LinkConfig struct {
	// Seed chooses the run.
	Seed uint64
	// Loss is the share that is lost, Duplicate the share that arrives twice.
	Loss, Duplicate float64
	// Delay is the time that everything takes. Jitter is added to it, evenly spread from 0 to
	// Jitter, and so lets things overtake each other unless InOrder is set.
	Delay, Jitter time.Duration
	// InOrder holds back what would overtake, as most lines do. Reorder is not held back.
	InOrder bool
	// Reorder is the share that takes ReorderBy longer, beside Jitter.
	Reorder   float64
	ReorderBy time.Duration
}

type flying[T any] struct {
	at    time.Time
	order int
	value T
}

// Link is one direction of a network path. It is not safe for concurrent use.
type Link[T any] struct {
	cfg    LinkConfig
	rng    *rand.Rand
	flying []flying[T] // by arrival
	order  int
	lost   int
	latest time.Time // arrival of what was sent last, for InOrder
}

// NewLink returns an empty link.
func NewLink[T any](cfg LinkConfig) *Link[T] {
	return &Link[T]{cfg: cfg, rng: rand.New(rand.NewPCG(cfg.Seed, 0x6c696e6b))}
}

// Send puts v on the link at now, and tells whether it will arrive.
func (l *Link[T]) Send(v T, now time.Time) bool {
	if l.rng.Float64() < l.cfg.Loss {
		l.lost++
		return false
	}
	l.fly(v, now)
	if l.rng.Float64() < l.cfg.Duplicate {
		l.fly(v, now)
	}
	return true
}

func (l *Link[T]) fly(v T, now time.Time) {
	at := now.Add(l.cfg.Delay)
	if l.cfg.Jitter > 0 {
		at = at.Add(time.Duration(l.rng.Int64N(int64(l.cfg.Jitter))))
	}
	if l.cfg.InOrder {
		if at.Before(l.latest) {
			at = l.latest
		}
		l.latest = at
	}
	if l.rng.Float64() < l.cfg.Reorder {
		at = at.Add(l.cfg.ReorderBy)
	}
	f := flying[T]{at: at, order: l.order, value: v}
	l.order++
	i, _ := slices.BinarySearchFunc(l.flying, f, func(a, b flying[T]) int {
		if c := a.at.Compare(b.at); c != 0 {
			return c
		}
		return a.order - b.order
	})
	l.flying = slices.Insert(l.flying, i, f)
}

// AppendArrived appends what has arrived by now, in the order of arrival.
func (l *Link[T]) AppendArrived(dst []T, now time.Time) []T {
	n := 0
	for n < len(l.flying) && !l.flying[n].at.After(now) {
		dst = append(dst, l.flying[n].value)
		n++
	}
	l.flying = slices.Delete(l.flying, 0, n)
	return dst
}

// Deadline returns when the next thing arrives; ok is false for an empty link.
func (l *Link[T]) Deadline() (at time.Time, ok bool) {
	if len(l.flying) == 0 {
		return time.Time{}, false
	}
	return l.flying[0].at, true
}

// Lost returns the number of things lost so far.
func (l *Link[T]) Lost() int { return l.lost }
