package report

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/fanfare-relay/fanfare/compare/experiment"
	"github.com/fanfare-relay/fanfare/compare/stats"
)

// Figure is what all valid runs of one topology at one point of one experiment say. Each interval is over runs, of a figure of
// each run.
type Figure struct {
	Experiment string              `json:"experiment"`
	Factor     string              `json:"factor"`
	Value      float64             `json:"value"`
	Topology   experiment.Topology `json:"topology"`
	Point      experiment.Point    `json:"point"`
	Runs       int                 `json:"runs"`
	Invalid    int                 `json:"invalid"`
	// P50, P95 and P99 are of the latency of all frames of all viewers, in milliseconds.
	P50 stats.Interval `json:"p50"`
	P95 stats.Interval `json:"p95"`
	P99 stats.Interval `json:"p99"`
	// Loss is the share of packets that never came, Broken that of frames, in percent.
	Loss   stats.Interval `json:"loss"`
	Broken stats.Interval `json:"broken"`
	// Join is the median of viewers' joins, Gap the longest time of any viewer without a whole frame, in milliseconds.
	Join stats.Interval `json:"join"`
	Gap  stats.Interval `json:"gap"`
	// Uploader, Server and PassedOn are what lines carried, in Mbit/s.
	Uploader stats.Interval `json:"uploader"`
	Server   stats.Interval `json:"server"`
	PassedOn stats.Interval `json:"passed_on"`
	// Depth is the greatest of all runs, OnServer how many viewers the server served at the end, at most.
	Depth    int `json:"depth"`
	OnServer int `json:"on_server"`
}

// LossLimit is the share of lost packets, in percent, above which a topology does not hold.
const LossLimit = 1

// Holds tells whether what came is good enough.
func (f Figure) Holds() bool { return f.Runs > 0 && f.Loss.Median <= LossLimit }

type key struct {
	experiment, factor string
	value              float64
	topology           experiment.Topology
}

// Figures computes them, in the order in which the experiments and their factors came, by value and topology.
func Figures(samples []Sample) []Figure {
	groups, order := map[key][]Sample{}, []key{}
	for _, s := range samples {
		k := key{s.Experiment, s.Factor, s.Value, s.Topology}
		if groups[k] == nil {
			order = append(order, k)
		}
		groups[k] = append(groups[k], s)
	}
	place := map[[2]string]int{}
	for _, k := range order {
		if _, ok := place[[2]string{k.experiment, k.factor}]; !ok {
			place[[2]string{k.experiment, k.factor}] = len(place)
		}
	}
	slices.SortStableFunc(order, func(a, b key) int {
		return cmp.Or(cmp.Compare(place[[2]string{a.experiment, a.factor}], place[[2]string{b.experiment, b.factor}]),
			cmp.Compare(a.value, b.value), cmp.Compare(a.topology, b.topology))
	})
	list := []Figure{}
	for _, k := range order {
		list = append(list, figure(groups[k]))
	}
	return list
}

func figure(samples []Sample) Figure {
	first := samples[0]
	f := Figure{Experiment: first.Experiment, Factor: first.Factor, Value: first.Value, Topology: first.Topology, Point: first.Point}
	columns := map[*stats.Interval][]float64{}
	for _, s := range samples {
		if s.Problem != "" {
			f.Invalid++
			continue
		}
		f.Runs++
		var latencies, joins []float64
		var packets, received, frames, whole, onServer int
		gap := 0.0
		for _, v := range s.Viewers {
			latencies = append(latencies, v.LatencyMS...)
			joins = append(joins, v.JoinMS)
			packets, received, frames, whole = packets+v.Packets, received+v.Received, frames+v.Frames, whole+v.WholeFrames
			gap = max(gap, v.GapMS)
			f.Depth = max(f.Depth, v.Depth)
			if v.Via == "sfu" {
				onServer++
			}
		}
		f.OnServer = max(f.OnServer, onServer)
		add := func(i *stats.Interval, v float64) { columns[i] = append(columns[i], v) }
		if len(latencies) > 0 {
			add(&f.P50, stats.Quantile(latencies, 0.5))
			add(&f.P95, stats.Quantile(latencies, 0.95))
			add(&f.P99, stats.Quantile(latencies, 0.99))
		}
		add(&f.Loss, missing(received, packets))
		add(&f.Broken, missing(whole, frames))
		add(&f.Join, stats.Quantile(append(joins, 0)[:max(len(joins), 1)], 0.5))
		add(&f.Gap, gap)
		add(&f.Uploader, s.UploaderMbit)
		add(&f.Server, s.ServerMbit)
		add(&f.PassedOn, s.PassedOnMbit)
	}
	for i, values := range columns {
		*i = stats.Median(values)
	}
	return f
}

// missing is the share that did not come, in percent.
func missing(came, expected int) float64 {
	if expected == 0 {
		return 0
	}
	return 100 * float64(expected-came) / float64(expected)
}

// Words says in sentences where topologies break and which is sooner, for each experiment that varies the number of viewers.
func Words(figures []Figure) (list []string) {
	groups, names := map[string][]Figure{}, []string{}
	for _, f := range figures {
		if f.Factor != "viewers" || f.Runs == 0 {
			continue
		}
		if groups[f.Experiment] == nil {
			names = append(names, f.Experiment)
		}
		groups[f.Experiment] = append(groups[f.Experiment], f)
	}
	for _, name := range names {
		for _, t := range []experiment.Topology{experiment.SFU, experiment.Star, experiment.Tree2, experiment.Tree3} {
			if text := words(groups[name], t); text != "" {
				list = append(list, text)
			}
		}
		if text := against(groups[name]); text != "" {
			list = append(list, text)
		}
	}
	return list
}

// words says how far one topology goes.
func words(figures []Figure, t experiment.Topology) string {
	good, bad, tried := 0.0, Figure{}, false
	for _, f := range figures {
		if f.Topology != t {
			continue
		}
		tried = true
		if !f.Holds() {
			bad = f
			break
		}
		good = f.Value
	}
	if !tried {
		return ""
	}
	at := fmt.Sprintf("With uplinks of %g Mbit/s and a stream of %g Mbit/s", figures[0].Point.UplinkMbit, figures[0].Point.BitrateMbit)
	switch {
	case bad.Runs == 0:
		return fmt.Sprintf("%s, %s holds for every number of viewers that was tried, up to %g.", at, Name(t), good)
	case good == 0:
		return fmt.Sprintf("%s, %s does not hold for %g: %.1f %% of the packets are lost.", at, Name(t), bad.Value, bad.Loss.Median)
	}
	return fmt.Sprintf("%s, %s holds up to %g viewers and no longer at %g: %.1f %% of the packets are lost there.", at, Name(t), good, bad.Value, bad.Loss.Median)
}

// against compares the star with the relay where both hold.
func against(figures []Figure) string {
	last, sooner := Figure{}, 0.0
	for _, f := range figures {
		for _, g := range figures {
			if f.Topology == experiment.Star && g.Topology == experiment.SFU && f.Value == g.Value && f.Holds() && g.Holds() && f.Value >= last.Value {
				last, sooner = f, g.P50.Median-f.P50.Median
			}
		}
	}
	if last.Runs == 0 {
		return ""
	}
	if sooner <= 0 {
		return fmt.Sprintf("With %g viewers the star is %.0f ms later than the relay (median).", last.Value, -sooner)
	}
	return fmt.Sprintf("With %g viewers the star is %.0f ms sooner than the relay (median), at %.1f Mbit/s of the uploader's line.", last.Value, sooner, last.Uploader.Median)
}

// Name is a topology in words.
func Name(t experiment.Topology) string {
	switch t {
	case experiment.SFU:
		return "the relay (sfu)"
	case experiment.Star:
		return "the star"
	}
	return "the tree of " + strings.TrimPrefix(string(t), "tree")
}
