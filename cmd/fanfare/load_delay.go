package main

import (
	"sync/atomic"
	"time"
)

type delayReport struct {
	Median float64 `json:"median"`
	P99    float64 `json:"p99"`
	P999   float64 `json:"p999"`
	Count  uint64  `json:"count"`
}

// delayHistogram counts delays in steps of a fiftieth of a millisecond, up to two seconds. Safe for concurrent use.
type delayHistogram struct {
	buckets [100_000]atomic.Uint64
	total   atomic.Uint64
}

const delayStep = 20 * time.Microsecond

func (h *delayHistogram) add(d time.Duration) {
	i := min(max(int(d/delayStep), 0), len(h.buckets)-1)
	h.buckets[i].Add(1)
	h.total.Add(1)
}

func (h *delayHistogram) reset() {
	for i := range h.buckets {
		h.buckets[i].Store(0)
	}
	h.total.Store(0)
}

func (h *delayHistogram) report() *delayReport {
	n := h.total.Load()
	if n == 0 {
		return nil
	}
	return &delayReport{Median: h.quantile(n, 0.5), P99: h.quantile(n, 0.99), P999: h.quantile(n, 0.999), Count: n}
}

func (h *delayHistogram) quantile(n uint64, q float64) float64 {
	sum, want := uint64(0), uint64(q*float64(n))
	for i := range h.buckets {
		if sum += h.buckets[i].Load(); sum > want {
			return ms(time.Duration(i) * delayStep)
		}
	}
	return ms(time.Duration(len(h.buckets)) * delayStep)
}
