package main

import (
	"math"
	"strings"
	"testing"
)

const metricsPage = `# HELP fanfare_viewers_connected Viewers.
# TYPE fanfare_viewers_connected gauge
fanfare_viewers_connected 200
fanfare_drops_total{reason="a } b"} 3
fanfare_drops_total{reason="c"} 4 1700000000000
fanfare_forward_delay_seconds_bucket{le="0.001"} 90
fanfare_forward_delay_seconds_bucket{le="+Inf"} 100
fanfare_send_messages_total 2.5e+06
not a sample
broken{x="y"
go_info NaN`

func TestParseMetrics(t *testing.T) {
	m, err := parseMetrics(strings.NewReader(metricsPage))
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]float64{"fanfare_viewers_connected": 200, "fanfare_drops_total": 7, "fanfare_send_messages_total": 2.5e6, "fanfare_forward_delay_seconds_bucket": 190} {
		if m[name] != want {
			t.Errorf("%s: %v, want %v", name, m[name], want)
		}
	}
}

func FuzzParseMetrics(f *testing.F) {
	f.Add(metricsPage)
	f.Fuzz(func(t *testing.T, text string) {
		if m, err := parseMetrics(strings.NewReader(text)); err == nil && len(m) > strings.Count(text, "\n")+1 {
			t.Errorf("%d names in %d lines", len(m), strings.Count(text, "\n")+1)
		}
	})
}

// The batch is that of the time when all were there.
func TestMeanBatch(t *testing.T) {
	at := func(viewers, sum, count float64) metrics {
		return metrics{"fanfare_viewers_connected": viewers, "fanfare_send_datagrams_total": sum, "fanfare_send_messages_total": count, "go_memstats_mallocs_total": sum / 2}
	}
	for _, c := range []struct {
		name  string
		looks []metrics
		want  float64
		known bool
	}{
		{"joining and leaving are left out", []metrics{at(10, 100, 100), at(200, 1000, 600), at(200, 3500, 1600), at(50, 4000, 2000)}, 2.5, true},
		{"one look", []metrics{at(200, 1000, 600)}, batchUnknown, false},
		{"a server that does not tell", []metrics{{}, {}}, batchUnknown, false},
		{"none", nil, batchUnknown, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got, known := meanBatch(c.looks); math.Abs(got-c.want) > 1e-9 || known != c.known {
				t.Errorf("%v, %v", got, known)
			}
		})
	}
	if got := allocations([]metrics{at(10, 0, 0), at(200, 1000, 600), at(200, 3500, 1600)}); got != 0.5 {
		t.Errorf("%v allocations", got)
	}
	if got := allocations(nil); got != 0 {
		t.Errorf("%v allocations of nothing", got)
	}
}
