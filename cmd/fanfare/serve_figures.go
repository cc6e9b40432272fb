package main

import (
	"cmp"
	"context"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/fanfare-relay/fanfare/sfu"
)

// relayFigures shows the data plane's counts at /metrics.
type relayFigures struct{ relay *sfu.SFU }

// relayFigure is one count and where it is found.
type relayFigure struct {
	desc  *prometheus.Desc
	kind  prometheus.ValueType
	value func(sfu.Stats) float64
}

func counter(name, help string, value func(sfu.Stats) uint64) relayFigure {
	return relayFigure{
		prometheus.NewDesc("fanfare_"+name, help, nil, nil), prometheus.CounterValue,
		func(s sfu.Stats) float64 { return float64(value(s)) },
	}
}

func gauge(name, help string, value func(sfu.Stats) int) relayFigure {
	return relayFigure{
		prometheus.NewDesc("fanfare_"+name, help, nil, nil), prometheus.GaugeValue,
		func(s sfu.Stats) float64 { return float64(value(s)) },
	}
}

var (
	relayCounts = []relayFigure{
		counter("rtp_packets_received_total", "RTP packets of publishers.", func(s sfu.Stats) uint64 { return s.PacketsIn }),
		counter("rtp_bytes_received_total", "Payload bytes of publishers.", func(s sfu.Stats) uint64 { return s.BytesIn }),
		counter("rtp_packets_sent_total", "RTP packets to viewers, repeats included.", func(s sfu.Stats) uint64 { return s.PacketsOut }),
		counter("rtp_bytes_sent_total", "Bytes of datagrams to viewers.", func(s sfu.Stats) uint64 { return s.BytesOut }),
		counter("nack_sent_total", "Packets that publishers were asked for again.", func(s sfu.Stats) uint64 { return s.NACKsSent }),
		counter("nack_received_total", "Packets that viewers asked for again.", func(s sfu.Stats) uint64 { return s.NACKsReceived }),
		counter("rtx_received_total", "Repeats that came from publishers.", func(s sfu.Stats) uint64 { return s.RTXReceived }),
		counter("rtx_sent_total", "Repeats that viewers got.", func(s sfu.Stats) uint64 { return s.RTXSent }),
		counter("pli_received_total", "Key frames that viewers asked for.", func(s sfu.Stats) uint64 { return s.PLIsReceived }),
		counter("pli_sent_total", "Key frames that publishers were asked for.", func(s sfu.Stats) uint64 { return s.PLIsSent }),
		counter("keyframes_total", "Key frames that publishers sent.", func(s sfu.Stats) uint64 { return s.KeyFrames }),
		counter("redundant_sent_total", "Packets of sound that carried the one before once more.", func(s sfu.Stats) uint64 { return s.Redundant }),
		counter("parity_sent_total", "Parity packets that viewers got.", func(s sfu.Stats) uint64 { return s.Parity }),
		counter("probes_sent_total", "Repeats that nobody asked for, to measure lines.", func(s sfu.Stats) uint64 { return s.Probes }),
		counter("rtcp_ignored_total", "RTCP packets of viewers that mean nothing here.", func(s sfu.Stats) uint64 { return s.RTCPIgnored }),
		counter("dtls_handshakes_total", "DTLS handshakes of viewers that succeeded.", func(s sfu.Stats) uint64 { return s.HandshakesDone }),
		counter("dtls_failures_total", "DTLS handshakes of viewers that failed.", func(s sfu.Stats) uint64 { return s.HandshakesFailed }),
		counter("stun_answers_total", "Answers to plain STUN questions.", func(s sfu.Stats) uint64 { return s.BindingAnswers }),
		counter("send_datagrams_total", "Datagrams that workers sent to viewers.", func(s sfu.Stats) uint64 { return s.Sending.Sent }),
		counter("send_calls_total", "System calls that sent them.", func(s sfu.Stats) uint64 { return s.Sending.Calls }),
		counter("send_messages_total", "Messages in which they went out, of one datagram or several (UDP_SEGMENT).", func(s sfu.Stats) uint64 { return s.Sending.Messages }),
		counter("send_segmented_total", "Messages that held several datagrams (UDP_SEGMENT).", func(s sfu.Stats) uint64 { return s.Sending.Segmented }),
		gauge("publishers_connected", "Publishers whose media session is connected.", func(s sfu.Stats) int { return s.Publishers }),
		gauge("viewers_connected", "Viewers whose media session is connected.", func(s sfu.Stats) int { return s.Viewers }),
		gauge("sessions_unfinished", "Sessions that were answered and have not connected.", func(s sfu.Stats) int { return s.Unfinished }),
		gauge("streams", "Streams with a session.", func(s sfu.Stats) int { return len(s.Streams) }),
	}
	dropsFigure    = prometheus.NewDesc("fanfare_packets_dropped_total", "Packets that were not forwarded, by reason.", []string{"reason"}, nil)
	legDropsFigure = prometheus.NewDesc("fanfare_datagrams_dropped_total", "Datagrams that a viewer's leg threw away, by reason.", []string{"reason"}, nil)
	delayFigure    = prometheus.NewDesc("fanfare_forward_delay_seconds", "Time of a packet from its arrival until it is given to the system for a viewer.", nil, nil)
	linesFigure    = prometheus.NewDesc("fanfare_viewers_by_line", "Viewers by what their line is taken to carry, in bit/s, each counted once, of those that tell about it.", []string{"up_to"}, nil)
	heightsFigure  = prometheus.NewDesc("fanfare_viewers_by_height", "Viewers by the height of the picture that they are sent, 0 for none.", []string{"height"}, nil)
	boundsFigure   = prometheus.NewDesc("fanfare_viewers_by_bound", "Viewers by what keeps their picture from being better.", []string{"bound"}, nil)
	parityFigure   = prometheus.NewDesc("fanfare_viewers_with_parity", "Viewers whose picture is protected by parity packets.", nil, nil)
	refusedFigure  = prometheus.NewDesc("fanfare_nack_refused_total", "Packets that a viewer asked for again and did not get, by reason.", []string{"reason"}, nil)
)

// Describe implements prometheus.Collector.
func (relayFigures) Describe(out chan<- *prometheus.Desc) {
	for _, f := range relayCounts {
		out <- f.desc
	}
	out <- dropsFigure
	out <- legDropsFigure
	out <- refusedFigure
	out <- delayFigure
	out <- linesFigure
	out <- heightsFigure
	out <- boundsFigure
	out <- parityFigure
}

// Collect implements prometheus.Collector.
func (f relayFigures) Collect(out chan<- prometheus.Metric) {
	stats := f.relay.Stats()
	for _, figure := range relayCounts {
		out <- prometheus.MustNewConstMetric(figure.desc, figure.kind, figure.value(stats))
	}
	out <- delays(stats.Sending)
	byReason(out, dropsFigure, stats.Drops)
	byReason(out, legDropsFigure, stats.LegDrops)
	byReason(out, refusedFigure, stats.NACKsRefused)
	ctx, cancel := context.WithTimeout(context.Background(), audienceWithin)
	defer cancel()
	tellAudience(out, f.relay.Audience(ctx))
}

// audienceWithin is how long workers may take to answer about their viewers. They answer between two
// passes, so one that does not is at its end.
const audienceWithin = time.Second

func tellAudience(out chan<- prometheus.Metric, a sfu.Audience) {
	gauge := func(desc *prometheus.Desc, n int, labels ...string) {
		out <- prometheus.MustNewConstMetric(desc, prometheus.GaugeValue, float64(n), labels...)
	}
	for height, n := range a.Heights {
		gauge(heightsFigure, n, strconv.Itoa(height))
	}
	for bound, n := range a.Bounds {
		gauge(boundsFigure, n, cmp.Or(string(bound), "none"))
	}
	gauge(parityFigure, a.Parity)
	for i, n := range a.Lines {
		upTo := "more"
		if i < sfu.LineBuckets-1 {
			upTo = strconv.FormatInt(int64(sfu.LineBound(i)), 10)
		}
		gauge(linesFigure, n, upTo)
	}
}

// delays makes a histogram of the buckets, each of which Prometheus wants to hold all below it.
func delays(s sfu.Sending) prometheus.Metric {
	buckets := map[float64]uint64{}
	var all uint64
	for i, n := range s.Delays {
		all += n
		if i < sfu.DelayBuckets-1 {
			buckets[sfu.DelayBound(i).Seconds()] = all
		}
	}
	return prometheus.MustNewConstHistogram(delayFigure, all, float64(s.DelaySum)/1e9, buckets)
}

// reason is a typed cause that has a name.
type reason interface {
	comparable
	String() string
}

func byReason[R reason](out chan<- prometheus.Metric, desc *prometheus.Desc, counts map[R]uint64) {
	for r, n := range counts {
		out <- prometheus.MustNewConstMetric(desc, prometheus.CounterValue, float64(n), r.String())
	}
}
