package estimate

import "github.com/fanfare-relay/fanfare/media"

// The rate of arrival is taken over half a second (gcc-02 section 5.5: 0.5 to 1 s), in whole buckets, so that
// bursts at the edge do not count double.
const (
	bucketTime  = 50_000 // microseconds
	buckets     = 10
	bucketsNear = 4 // what has just come: 200 ms
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

func (t *throughput) over(n int64) media.Bitrate {
	n = min(n, t.newest-t.first)
	if n < 2 {
		return 0
	}
	var sum int64
	for i := t.newest - n; i < t.newest; i++ {
		sum += int64(*t.bucket(i))
	}
	return media.Bitrate(sum * 8 * 1_000_000 / (n * bucketTime))
}

// rate is the rate of arrival over half a second, 0 when too little is known.
func (t *throughput) rate() media.Bitrate { return t.over(buckets) }

// saturated is the rate of arrival when the line is known to be full: then what has just come
// tells the capacity, also where the line was idle before.
func (t *throughput) saturated() media.Bitrate { return max(t.over(buckets), t.over(bucketsNear)) }
