package main

import (
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/fanfare-relay/fanfare/endpoint"
)

// loadReport is what load found. The names of figures of the media are those of getStats.
type loadReport struct {
	Viewers    int     `json:"viewers"`
	Connected  int     `json:"connected"` // with a whole key frame
	Failed     int     `json:"failed"`
	Lost       int     `json:"lost"` // sessions that stood and went away
	FirstError string  `json:"firstError,omitempty"`
	Seconds    float64 `json:"seconds"`

	Joins       *joins `json:"joins,omitempty"`       // of the viewers that stay
	SingleJoins *joins `json:"singleJoins,omitempty"` // one after another

	PacketsReceived              uint64 `json:"packetsReceived"`
	PacketsSteady                uint64 `json:"packetsReceivedSteady"` // after all had joined
	PacketsLost                  int64  `json:"packetsLost"`
	RetransmittedPacketsReceived uint64 `json:"retransmittedPacketsReceived"`
	BytesReceived                uint64 `json:"bytesReceived"`
	NACKCount                    uint64 `json:"nackCount"`
	FramesReceived               uint64 `json:"framesReceived"`
	FewestFrames                 uint64 `json:"fewestFramesOfAViewer"`

	// Delay of the pictures against their sender reports, ms; absent when there were none.
	Delay  *delayReport  `json:"delay,omitempty"`
	Server *serverReport `json:"server,omitempty"`
}

type delayReport struct {
	Median float64 `json:"median"`
	P99    float64 `json:"p99"`
	Count  uint64  `json:"count"`
}

// serverReport is about the server's process. Memory is the resident set in bytes.
type serverReport struct {
	CPUSeconds   float64 `json:"cpuSeconds"`   // while all watched
	CPUPerPacket float64 `json:"cpuPerPacket"` // microseconds
	CPUShare     float64 `json:"cpuShare"`     // of one core
	RSSStart     int64   `json:"rssStart"`     // before the first viewer
	RSSJoined    int64   `json:"rssJoined"`    // when all had joined
	RSSEnd       int64   `json:"rssEnd"`
	RSSPerViewer int64   `json:"rssPerViewer"` // end minus start
}

func (s *serverReport) fill(before, after reading, viewers int, packets uint64) {
	s.CPUSeconds = (after.cpu - before.cpu).Seconds()
	if packets > 0 {
		s.CPUPerPacket = s.CPUSeconds * 1e6 / float64(packets)
	}
	if d := after.at.Sub(before.at); d > 0 {
		s.CPUShare = s.CPUSeconds / d.Seconds()
	}
	s.RSSJoined, s.RSSEnd = before.rss, after.rss
	if viewers > 0 {
		s.RSSPerViewer = (s.RSSEnd - s.RSSStart) / int64(viewers)
	}
}

// fill adds up the viewers' figures.
func (r *loadReport) fill(viewers []*endpoint.Viewer, steady uint64, delays *delayHistogram) {
	var timings []endpoint.Timing
	first := true
	for _, v := range viewers {
		t := v.Timing()
		if t.FirstKeyFrame == 0 {
			continue
		}
		timings = append(timings, t)
		frames := uint64(0)
		for _, s := range v.Stats() {
			r.PacketsReceived += s.PacketsReceived
			r.PacketsLost += max(s.PacketsLost, 0)
			r.RetransmittedPacketsReceived += s.RetransmittedPacketsReceived
			r.BytesReceived += s.BytesReceived
			r.NACKCount += s.NACKCount
			if s.Kind == "video" {
				frames = s.FramesReceived
			}
		}
		r.FramesReceived += frames
		if first || frames < r.FewestFrames {
			r.FewestFrames, first = frames, false
		}
	}
	r.Connected, r.PacketsSteady = len(timings), steady
	j := joinsOf(timings)
	r.Joins, r.Delay = &j, delays.report()
}

// joins are times after the POST in ms.
type joins struct {
	Count         int    `json:"count"`
	Answered      spread `json:"answered"`
	Connected     spread `json:"connected"`
	FirstKeyFrame spread `json:"firstKeyFrame"` // whole
}

type spread struct {
	Median float64 `json:"median"`
	P95    float64 `json:"p95"`
	Max    float64 `json:"max"`
}

func joinsOf(timings []endpoint.Timing) joins {
	pick := func(of func(endpoint.Timing) time.Duration) spread {
		var list []time.Duration
		for _, t := range timings {
			list = append(list, of(t))
		}
		return spreadOf(list)
	}
	return joins{
		Count:         len(timings),
		Answered:      pick(func(t endpoint.Timing) time.Duration { return t.Answered }),
		Connected:     pick(func(t endpoint.Timing) time.Duration { return t.Connected }),
		FirstKeyFrame: pick(func(t endpoint.Timing) time.Duration { return t.FirstKeyFrame }),
	}
}

func spreadOf(list []time.Duration) spread {
	if len(list) == 0 {
		return spread{}
	}
	slices.Sort(list)
	return spread{quantile(list, 0.5), quantile(list, 0.95), ms(list[len(list)-1])}
}

// quantile is the smallest value that at least the share q of all do not exceed; of a sorted list.
func quantile(list []time.Duration, q float64) float64 {
	i := int(q*float64(len(list))+0.999999) - 1
	return ms(list[min(max(i, 0), len(list)-1)])
}

func ms(d time.Duration) float64 {
	return float64(d.Round(10*time.Microsecond)) / float64(time.Millisecond)
}

// text is the report for people.
func (r *loadReport) text() string {
	var b strings.Builder
	if r.Viewers > 0 {
		fmt.Fprintf(&b, "Viewers         %d joined, %d had a picture, %d failed, %d went away\n", r.Viewers, r.Connected, r.Failed, r.Lost)
		r.Joins.text(&b, "Joins, all at once")
		fmt.Fprintf(&b, "Received        %d packets (%s) in all, %d while all watched (%.0f s)\n", r.PacketsReceived, size(r.BytesReceived), r.PacketsSteady, r.Seconds)
		fmt.Fprintf(&b, "Lost            %d packets (%.3f %%) after repair; %d asked for again, %d came again\n", r.PacketsLost,
			100*float64(r.PacketsLost)/max(1, float64(r.PacketsReceived)+float64(r.PacketsLost)), r.NACKCount, r.RetransmittedPacketsReceived)
		fmt.Fprintf(&b, "Pictures        %d in all, fewest of a viewer %d\n", r.FramesReceived, r.FewestFrames)
		if r.Delay != nil {
			fmt.Fprintf(&b, "Delay           median %.1f ms, p99 %.1f ms against sender reports (same clock assumed)\n", r.Delay.Median, r.Delay.P99)
		} else {
			b.WriteString("Delay           not measurable: the server sends no sender reports\n")
		}
	} else if r.Failed > 0 {
		fmt.Fprintf(&b, "Failed          %d joins\n", r.Failed)
	}
	if r.FirstError != "" {
		fmt.Fprintf(&b, "First error     %s\n", oneLine(r.FirstError))
	}
	if r.SingleJoins != nil {
		r.SingleJoins.text(&b, "Joins, one by one")
	}
	if s := r.Server; s != nil {
		s.text(&b)
	}
	return b.String()
}

func (j *joins) text(b *strings.Builder, title string) {
	fmt.Fprintf(b, "%s (%d), ms after the POST:\n", title, j.Count)
	for _, row := range []struct {
		name string
		s    spread
	}{{"answer", j.Answered}, {"connected", j.Connected}, {"first whole key frame", j.FirstKeyFrame}} {
		fmt.Fprintf(b, "  %-22s median %7.1f   p95 %7.1f   max %7.1f\n", row.name, row.s.Median, row.s.P95, row.s.Max)
	}
}

func (s *serverReport) text(b *strings.Builder) {
	const mib = 1 << 20
	if s.RSSEnd == 0 {
		fmt.Fprintf(b, "Server memory   %.1f MiB at the start\n", float64(s.RSSStart)/mib)
		return
	}
	fmt.Fprintf(b, "Server time     %.2f s (%.1f %% of a core), %.2f us a packet\n", s.CPUSeconds, 100*s.CPUShare, s.CPUPerPacket)
	fmt.Fprintf(b, "Server memory   %.1f MiB at the start, %.1f when all had joined, %.1f at the end: %.3f MiB a viewer\n",
		float64(s.RSSStart)/mib, float64(s.RSSJoined)/mib, float64(s.RSSEnd)/mib, float64(s.RSSPerViewer)/mib)
}

// delayHistogram counts delays in steps of a tenth of a millisecond, up to two seconds. Safe for concurrent use.
type delayHistogram struct {
	buckets [20_000]atomic.Uint64
	total   atomic.Uint64
}

const delayStep = 100 * time.Microsecond

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
	return &delayReport{Median: h.quantile(n, 0.5), P99: h.quantile(n, 0.99), Count: n}
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
