package estimate

import "github.com/fanfare-relay/fanfare/media"

// The rate of arrival is taken over half a second (gcc-02 section 5.5: 0.5 to 1 s), in whole buckets, so that
// bursts at the edge do not count double.
const (
	bucketTime  = 50_000 // microseconds
	buckets     = 10
	bucketsNear = 6      // what has come of late: 300 ms
	measurable  = 12_000 // bytes: ten large packets, so that one more or less is a tenth
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

// most returns the highest rate over n whole buckets within the last span of them, and the bytes
// that it was measured by.
func (t *throughput) most(n, span int64) (rate media.Bitrate, bytes int64) {
	known := min(span, t.newest-t.first)
	if n < 2 || known < n {
		return 0, 0
	}
	var sum int64
	for i := t.newest - known; i < t.newest; i++ {
		sum += int64(*t.bucket(i))
		if i >= t.newest-known+n {
			sum -= int64(*t.bucket(i - n))
		}
		if i >= t.newest-known+n-1 {
			bytes = max(bytes, sum)
		}
	}
	return media.Bitrate(bytes * 8 * 1_000_000 / (n * bucketTime)), bytes
}

// rate is the rate of arrival over half a second, 0 when too little is known.
func (t *throughput) rate() media.Bitrate {
	n := min(buckets, t.newest-t.first)
	rate, _ := t.most(n, n)
	return rate
}

// full is the rate of arrival when the line is known to be full. A burst fills it for a shorter time
// than half a second, so what counts is the densest stretch of late that holds enough packets to
// measure by.
func (t *throughput) full() media.Bitrate {
	for n := int64(2); n < buckets; n++ {
		if rate, bytes := t.most(n, max(n, bucketsNear)); bytes >= measurable {
			return rate
		}
	}
	return t.rate()
}
