package estimate

import "github.com/fanfare-relay/fanfare/media"

// The rate of arrival is taken over half a second (gcc-02 section 5.5: 0.5 to 1 s), in whole buckets, so that
// bursts at the edge do not count double.
const (
	bucketTime      = 50_000 // microseconds
	buckets         = 10
	bucketsNear     = 6      // what has come of late: 300 ms
	bucketsCollapse = 4      // what has come just now: 200 ms
	measurable      = 12_000 // bytes: ten large packets, so that one more or less is a tenth
)

// throughput measures the rate at which packets arrive, by the receiver's clock.
type throughput struct {
	bytes  [buckets + 1]uint32 // the last one is still being filled
	newest int64               // the number of the bucket being filled
	first  int64               // where the measurement began
	begun  bool
}

func (t *throughput) add(arrival int64, size int) {
	n := arrival / bucketTime
	if !t.begun || n-t.newest > buckets || t.newest-n > 2*buckets { // a pause is no slow line
		*t = throughput{begun: true, newest: n, first: n}
	}
	for t.newest < n {
		t.newest++
		*t.bucket(t.newest) = 0
	}
	if t.newest-n <= buckets {
		*t.bucket(n) += uint32(size)
	}
}

func (t *throughput) bucket(n int64) *uint32 {
	return &t.bytes[(n%(buckets+1)+buckets+1)%(buckets+1)]
}

// most returns the highest rate over n buckets in a row among those from first on, and the bytes
// that it was measured by; nothing when there are fewer. end is the bucket after the last that counts.
func (t *throughput) most(n, first, end int64) (rate media.Bitrate, bytes int64) {
	if n < 1 || end-first < n {
		return 0, 0
	}
	var sum int64
	for i := first; i < end; i++ {
		sum += int64(*t.bucket(i))
		if i >= first+n {
			sum -= int64(*t.bucket(i - n))
		}
		if i >= first+n-1 {
			bytes = max(bytes, sum)
		}
	}
	return media.Bitrate(bytes * 8 * 1_000_000 / (n * bucketTime)), bytes
}

// rate is the rate of arrival over half a second, 0 when too little is known.
func (t *throughput) rate() media.Bitrate {
	n := min(buckets, t.newest-t.first)
	if n < 2 {
		return 0
	}
	rate, _ := t.most(n, t.newest-n, t.newest)
	return rate
}

// near is the rate of arrival over the last 200 ms, 0 when too little is known.
func (t *throughput) near() media.Bitrate {
	rate, _ := t.most(bucketsCollapse, max(t.newest-bucketsCollapse, t.first), t.newest)
	return rate
}

// full is the rate of arrival when the line is known to be full, 0 when too little is known. A burst
// fills it for a shorter time than half a second, so what counts is the densest stretch of late
// that holds enough packets to measure by. The bucket still being filled counts: after a silence
// of the line all that waited is in it.
func (t *throughput) full() media.Bitrate {
	for n := int64(2); n < buckets; n++ {
		first := max(t.newest+1-max(n, bucketsNear), t.first)
		if rate, bytes := t.most(n, first, t.newest+1); bytes >= measurable {
			return rate
		}
	}
	return t.rate()
}
