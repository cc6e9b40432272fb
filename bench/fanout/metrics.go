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

// whileAll returns the first and the last look at which all viewers were there: what happened meanwhile is not joining or leaving.
func whileAll(looks []metrics) (first, last metrics) {
	most := 0.0
	for _, m := range looks {
		most = max(most, m["fanfare_viewers_connected"])
	}
	for _, m := range looks {
		if m["fanfare_viewers_connected"] < most {
			continue
		}
		if first == nil {
			first = m
		}
		last = m
	}
	return first, last
}

// batchUnknown is the mean batch of the first design, where a server does not tell.
const batchUnknown = 2.2

// meanBatch is packets a message. known is false when the server does not tell.
func meanBatch(looks []metrics) (mean float64, known bool) {
	first, last := whileAll(looks)
	messages := last["fanfare_send_messages_total"] - first["fanfare_send_messages_total"]
	if messages <= 0 {
		return batchUnknown, false
	}
	return (last["fanfare_send_datagrams_total"] - first["fanfare_send_datagrams_total"]) / messages, true
}

// allocations is how many the server made for each packet that it sent, those for these looks included.
func allocations(looks []metrics) float64 {
	first, last := whileAll(looks)
	packets := last["fanfare_send_datagrams_total"] - first["fanfare_send_datagrams_total"]
	if packets <= 0 {
		return 0
	}
	return (last["go_memstats_mallocs_total"] - first["go_memstats_mallocs_total"]) / packets
}
