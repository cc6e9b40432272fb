package main

import (
	"bufio"
	"io"
	"strconv"
	"strings"
)

// metrics are the samples of a page in the Prometheus text format, summed over their labels.
type metrics map[string]float64

// parseMetrics reads it. Lines that are no samples are passed over: other figures may come and go.
func parseMetrics(r io.Reader) (metrics, error) {
	m := metrics{}
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		line := strings.TrimSpace(lines.Text())
		if line == "" || line[0] == '#' {
			continue
		}
		name, rest := line, ""
		if i := strings.IndexAny(line, "{ "); i > 0 {
			name, rest = line[:i], line[i:]
		}
		if strings.HasPrefix(rest, "{") {
			i := strings.LastIndexByte(rest, '}')
			if i < 0 {
				continue
			}
			rest = rest[i+1:]
		}
		f := strings.Fields(rest)
		if len(f) == 0 {
			continue
		}
		if v, err := strconv.ParseFloat(f[0], 64); err == nil {
			m[name] += v
		}
	}
	return m, lines.Err()
}

// batchPrefix begins the names of the histogram of datagrams a message.
const batchPrefix = "fanfare_sfu_batch"

// batches returns how many packets went out in how many messages so far.
func (m metrics) batches() (packets, messages float64) {
	for name, v := range m {
		if !strings.HasPrefix(name, batchPrefix) {
			continue
		}
		switch {
		case strings.HasSuffix(name, "_sum"):
			packets += v
		case strings.HasSuffix(name, "_count"):
			messages += v
		}
	}
	return packets, messages
}

// batchUnknown is the mean batch of the first design, where a server does not tell.
const batchUnknown = 2.2

// meanBatch is packets a message between the first and the last look at which all viewers were there. known is false when the
// server does not tell.
func meanBatch(looks []metrics) (mean float64, known bool) {
	most := 0.0
	for _, m := range looks {
		most = max(most, m["fanfare_viewers_connected"])
	}
	var first, last metrics
	for _, m := range looks {
		if m["fanfare_viewers_connected"] < most {
			continue
		}
		if first == nil {
			first = m
		}
		last = m
	}
	p0, n0 := first.batches()
	p1, n1 := last.batches()
	if n1 <= n0 {
		return batchUnknown, false
	}
	return (p1 - p0) / (n1 - n0), true
}
