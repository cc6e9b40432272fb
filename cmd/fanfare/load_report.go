package main

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/fanfare-relay/fanfare/endpoint"
)

// loadReport is what load found. The names of figures of the media are those of getStats.
type loadReport struct {
	Client     string  `json:"client"` // pion or light
	Viewers    int     `json:"viewers"`
	Connected  int     `json:"connected"` // with a whole key frame
	Failed     int     `json:"failed"`
	Lost       int     `json:"lost"` // sessions that stood and went away
	FirstError string  `json:"firstError,omitempty"`
	Seconds    float64 `json:"seconds"`
	// Interrupted and AllGone mark a partial measurement: a person ended it, or no viewer had a session any more.
	Interrupted bool `json:"interrupted,omitempty"`
	AllGone     bool `json:"allGone,omitempty"`

	Joins       *joins `json:"joins,omitempty"`       // of the viewers that stay
	SingleJoins *joins `json:"singleJoins,omitempty"` // one after another

	PacketsReceived              uint64 `json:"packetsReceived"`
	PacketsSteady                uint64 `json:"packetsReceivedSteady"` // after all had joined
	PacketsLostSteady            uint64 `json:"packetsLostSteady"`
	PacketsLost                  int64  `json:"packetsLost"`
	RetransmittedPacketsReceived uint64 `json:"retransmittedPacketsReceived"`
	BytesReceived                uint64 `json:"bytesReceived"`
	NACKCount                    uint64 `json:"nackCount"`
	PLICount                     uint64 `json:"pliCount"`
	FramesReceived               uint64 `json:"framesReceived"`
	FewestFrames                 uint64 `json:"fewestFramesOfAViewer"`

	// BusyWaits is how often a busy server (503, 429) was left alone as it asked.
	BusyWaits uint64 `json:"busyWaits"`

	// Delay, ms, while all watched; absent when the stream does not tell. Of the pion client: of the pictures against their
	// sender reports. Of the light one: of each packet of the viewers that decrypt, from its sending to its arrival.
	Delay  *delayReport  `json:"delay,omitempty"`
	Server *serverReport `json:"server,omitempty"`
	Own    ownReport     `json:"own"`
}

// ownReport is about this process, the client.
type ownReport struct {
	CPUShare float64 `json:"cpuShare"` // of one core, while all watched
	// The rest is of the light client: datagrams a call, those that it was too slow for, and what decryption found.
	PacketsPerRead  float64 `json:"packetsPerRead,omitempty"`
	Overflowed      uint64  `json:"overflowed"`
	PacketsVerified uint64  `json:"packetsVerified,omitempty"`
	PacketsForged   uint64  `json:"packetsForged"`
}

func (o *ownReport) fill(before, after reading) {
	if d := after.at.Sub(before.at); d > 0 {
		o.CPUShare = (after.cpu() - before.cpu()).Seconds() / d.Seconds()
	}
}

// serverReport is about the server's process. Memory is the resident set in bytes.
type serverReport struct {
	CPUJoining   float64 `json:"cpuSecondsJoining"` // from before the first viewer to the measurement
	CPUSeconds   float64 `json:"cpuSeconds"`        // while all watched
	CPUPerPacket float64 `json:"cpuPerPacket"`      // microseconds
	CPUUser      float64 `json:"cpuUserPerPacket"`
	CPUSystem    float64 `json:"cpuSystemPerPacket"`
	CPUShare     float64 `json:"cpuShare"`  // of one core
	RSSStart     int64   `json:"rssStart"`  // before the first viewer
	RSSJoined    int64   `json:"rssJoined"` // when all had joined
	RSSEnd       int64   `json:"rssEnd"`
	RSSPerViewer int64   `json:"rssPerViewer"` // end minus start
}

// fill takes the readings before the first viewer, and before and after the measurement.
func (s *serverReport) fill(start, before, after reading, viewers int, packets uint64) {
	s.CPUJoining = (before.cpu() - start.cpu()).Seconds()
	s.CPUSeconds = (after.cpu() - before.cpu()).Seconds()
	if packets > 0 {
		s.CPUPerPacket = s.CPUSeconds * 1e6 / float64(packets)
		s.CPUUser = (after.user - before.user).Seconds() * 1e6 / float64(packets)
		s.CPUSystem = (after.system - before.system).Seconds() * 1e6 / float64(packets)
	}
	if d := after.at.Sub(before.at); d > 0 {
		s.CPUShare = s.CPUSeconds / d.Seconds()
	}
	s.RSSJoined, s.RSSEnd = before.rss, after.rss
	if viewers > 0 {
		s.RSSPerViewer = (s.RSSEnd - s.RSSStart) / int64(viewers)
	}
}

// fill takes the viewers' figures, from the beginning of the measurement and from its end.
func (r *loadReport) fill(before, after tally, timings []endpoint.Timing, delays *delayHistogram) {
	r.Client, r.Connected, r.Lost, r.BusyWaits = after.client, len(timings), after.gone, after.waits
	r.PacketsReceived, r.PacketsLost, r.RetransmittedPacketsReceived = after.received, int64(after.lost), after.repeats
	r.BytesReceived, r.NACKCount, r.PLICount = after.bytes, after.asked, after.plis
	r.FramesReceived, r.FewestFrames = after.frames, after.fewest
	r.PacketsSteady = after.received - before.received
	r.PacketsLostSteady = after.lost - min(before.lost, after.lost)
	if n := after.reads - before.reads; n > 0 {
		r.Own.PacketsPerRead = float64(after.taken-before.taken) / float64(n)
	}
	r.Own.Overflowed, r.Own.PacketsVerified, r.Own.PacketsForged = after.overflowed, after.verified, after.forged
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
	b.WriteString(partial(r.Interrupted, r.AllGone, "viewer"))
	if r.Viewers > 0 {
		fmt.Fprintf(&b, "Viewers         %d joined, %d had a picture, %d failed, %d went away\n", r.Viewers, r.Connected, r.Failed, r.Lost)
		r.Joins.text(&b, "Joins, all at once")
		fmt.Fprintf(&b, "Received        %d packets (%s) in all, %d while all watched (%.0f s)\n", r.PacketsReceived, size(r.BytesReceived), r.PacketsSteady, r.Seconds)
		fmt.Fprintf(&b, "Lost            %d packets (%.3f %%) after repair; %d asked for again, %d came again\n", r.PacketsLost,
			100*float64(r.PacketsLost)/max(1, float64(r.PacketsReceived)+float64(r.PacketsLost)), r.NACKCount, r.RetransmittedPacketsReceived)
		fmt.Fprintf(&b, "Pictures        %d in all, fewest of a viewer %d\n", r.FramesReceived, r.FewestFrames)
		fmt.Fprintf(&b, "While watching  %d packets lost (%.3f %%)\n", r.PacketsLostSteady,
			100*float64(r.PacketsLostSteady)/max(1, float64(r.PacketsSteady+r.PacketsLostSteady)))
		r.delayText(&b)
		r.ownText(&b)
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

// partial says why a measurement is shorter than it was to be; "" when it is not.
func partial(interrupted, gone bool, who string) string {
	switch {
	case interrupted:
		return "PARTIAL         it was interrupted; what was measured until then follows\n"
	case gone:
		return "PARTIAL         no " + who + " has a session any more (has the server gone?); what was measured until then follows\n"
	}
	return ""
}

func (r *loadReport) delayText(b *strings.Builder) {
	switch {
	case r.Delay != nil && r.Client == clientLight:
		fmt.Fprintf(b, "Delay           median %.2f ms, p99 %.2f ms, p99.9 %.2f ms from sending to arrival (same clock assumed)\n",
			r.Delay.Median, r.Delay.P99, r.Delay.P999)
	case r.Delay != nil:
		fmt.Fprintf(b, "Delay           median %.1f ms, p99 %.1f ms against sender reports (same clock assumed)\n", r.Delay.Median, r.Delay.P99)
	case r.Client == clientLight:
		b.WriteString("Delay           not measurable: the packets do not carry the time; those of fanfare load whip do\n")
	default:
		b.WriteString("Delay           not measurable: the server sends no sender reports\n")
	}
}

func (r *loadReport) ownText(b *strings.Builder) {
	if r.Own.CPUShare > 0 {
		fmt.Fprintf(b, "This client     %.1f %% of a core", 100*r.Own.CPUShare)
	}
	if r.Client == clientLight {
		fmt.Fprintf(b, ", %.1f packets a read, %d packets lost by it, %d checked, %d forged; told to wait %d times", r.Own.PacketsPerRead,
			r.Own.Overflowed, r.Own.PacketsVerified, r.Own.PacketsForged, r.BusyWaits)
	}
	b.WriteString("\n")
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
	fmt.Fprintf(b, "Server time     %.2f s (%.1f %% of a core), %.2f us a packet (user %.2f, system %.2f)\n",
		s.CPUSeconds, 100*s.CPUShare, s.CPUPerPacket, s.CPUUser, s.CPUSystem)
	fmt.Fprintf(b, "Server memory   %.1f MiB at the start, %.1f when all had joined, %.1f at the end: %.3f MiB a viewer\n",
		float64(s.RSSStart)/mib, float64(s.RSSJoined)/mib, float64(s.RSSEnd)/mib, float64(s.RSSPerViewer)/mib)
}
