package sfu

import "sync/atomic"

// stream is what a name stands for: at most one publisher, any number of viewers. It is
// made with the first session and forgotten with the last, so viewers may come before the
// publisher and stay when publishers change.
type stream struct {
	name     string
	counters counters

	// pub is the publisher's session, nil while there is none. The workers look at it
	// with every wake.
	pub atomic.Pointer[publisher]
	// shards has one element for each worker that has, or had, viewers of the stream. The
	// slice is replaced, never changed, under SFU.mu.
	shards atomic.Pointer[[]*shard]

	// The rest is guarded by SFU.mu.
	sessions int
	viewers  int
}

// wake tells all workers with viewers of the stream that there is something to read.
func (s *stream) wake() {
	if shards := s.shards.Load(); shards != nil {
		for _, sh := range *shards {
			sh.wake()
		}
	}
}

// shardOf returns the stream's shard on a worker and makes it when there is none. The
// caller holds SFU.mu.
func (s *stream) shardOf(w *worker) *shard {
	var shards []*shard
	if p := s.shards.Load(); p != nil {
		shards = *p
	}
	for _, sh := range shards {
		if sh.worker == w {
			return sh
		}
	}
	sh := &shard{stream: s, worker: w}
	shards = append(shards[:len(shards):len(shards)], sh)
	s.shards.Store(&shards)
	return sh
}

// shard is the part of a stream's viewers that one worker owns.
type shard struct {
	stream *stream
	worker *worker
	queued atomic.Bool // stands in the worker's list of shards to drain

	// Owned by the worker.
	viewers []*viewer
	offers  offers
}

// wake puts the shard on the worker's list, once.
func (sh *shard) wake() {
	if sh.queued.CompareAndSwap(false, true) {
		sh.worker.wakeFor(sh)
	}
}
