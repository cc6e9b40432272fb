package report

import (
	"github.com/fanfare-relay/fanfare/compare/experiment"
	"github.com/fanfare-relay/fanfare/compare/stats"
)

// Cell is where a figure stands: one topology at one point of one experiment; and of how many runs it is, beside how many that did
// not count.
type Cell struct {
	Experiment string              `json:"experiment"`
	Factor     string              `json:"factor"`
	Value      float64             `json:"value"`
	Topology   experiment.Topology `json:"topology"`
	Point      experiment.Point    `json:"point"`
	Runs       int                 `json:"runs"`
	Invalid    int                 `json:"invalid"`
}

func cellOf(s Sample) Cell {
	return Cell{Experiment: s.Experiment, Factor: s.Factor, Value: s.Value, Topology: s.Topology, Point: s.Point}
}

func (c Cell) spot() spot { return spot{c.Experiment, c.Factor, c.Topology, c.Point} }

// Words names the cell for people.
func (c Cell) Words() string { return c.Experiment + ": " + point(c.spot()) }

// Figure is what all valid runs of one topology at one point of one experiment say. Each interval is over runs, of a figure of
// each run.
type Figure struct {
	Cell
	// All that follows is of all viewers but a bad one (experiment.Point.BadDownlinkMbit), which is told of by Bad alone.

	// P50, P95 and P99 are of the latency of all frames of all viewers, in milliseconds.
	P50 stats.Interval `json:"p50"`
	P95 stats.Interval `json:"p95"`
	P99 stats.Interval `json:"p99"`
	// Levels are P50 of the viewers at each depth of a tree alone, from the first step on; nil where there is one step or none.
	Levels []stats.Interval `json:"levels,omitempty"`
	// Steps is P50 with the delay that browsers would add at each step of a tree beyond the first (Document.HopMS).
	Steps stats.Interval `json:"steps"`
	// Loss is the share of packets that never came, Broken that of frames, in percent.
	Loss   stats.Interval `json:"loss"`
	Broken stats.Interval `json:"broken"`
	// Join is the median of viewers' joins, which are by the server, Direct that of those who then got it straight or passed on. Gap is
	// the longest time without a whole frame of any viewer that was there all the time. In milliseconds.
	Join   stats.Interval `json:"join"`
	Direct stats.Interval `json:"direct"`
	Gap    stats.Interval `json:"gap"`
	// Uploader, Server and PassedOn are what lines carried, in Mbit/s.
	Uploader stats.Interval `json:"uploader"`
	Server   stats.Interval `json:"server"`
	PassedOn stats.Interval `json:"passed_on"`
	// Repeated is what the uploader sent again, in Mbit/s: before its line, which may carry less.
	Repeated stats.Interval `json:"repeated"`
	// Depth is the greatest of all runs, OnServer how many viewers the server served at the end, at most, and Unplaced how many were not
	// served from where the plan wanted it.
	Depth    int `json:"depth"`
	OnServer int `json:"on_server"`
	Unplaced int `json:"unplaced"`
	// Bad is what came to the bad viewer; zero where there is none.
	Bad BadFigure `json:"bad,omitzero"`
}

// BadFigure is of the viewer whose line is narrower than those of the others: the median latency in milliseconds, and the share of its
// packets that never came, in percent.
type BadFigure struct {
	P50  stats.Interval `json:"p50"`
	Loss stats.Interval `json:"loss"`
}

// LossLimit is the share of lost packets, in percent, above which a topology does not hold.
const LossLimit = 1

// Holds tells whether what came is good enough, and the way that of all: a star does not hold whose viewers the relay has to take over.
// In a tree that is as planned, when lines have no room for more.
func (f Figure) Holds() bool {
	alone := f.Topology != experiment.Star || f.OnServer == 0
	return f.Runs > 0 && f.Loss.Median <= LossLimit && f.Unplaced == 0 && alone
}

// Figures computes those of streams in order, with the delay of a browser's step in milliseconds.
func Figures(samples []Sample, hopMS float64) []Figure {
	list := []Figure{}
	for _, group := range groups(samples, func(s Sample) bool { return !s.Topology.OfFiles() && !s.OwnProcesses }) {
		list = append(list, figure(group, hopMS))
	}
	return list
}

func figure(samples []Sample, hopMS float64) Figure {
	f := Figure{Cell: cellOf(samples[0])}
	c := columns{}
	if deep := depth(samples); deep > 1 {
		f.Levels = make([]stats.Interval, deep)
	}
	for _, s := range samples {
		if s.Problem != "" {
			f.Invalid++
			continue
		}
		f.Runs++
		f.Unplaced = max(f.Unplaced, s.Unplaced)
		for i := range f.Levels {
			c.quantile(&f.Levels[i], atDepth(s, i+1), 0.5)
		}
		f.addViewers(c, s, hopMS)
		c.add(&f.Uploader, s.UploaderMbit)
		c.add(&f.Server, s.ServerMbit)
		c.add(&f.PassedOn, s.PassedOnMbit)
		c.add(&f.Repeated, s.RepeatedMbit)
	}
	c.fill()
	return f
}

// addViewers takes in what came to the viewers of a run; that of a bad one stands by itself.
func (f *Figure) addViewers(c columns, s Sample, hopMS float64) {
	var latencies, steps, joins, direct []float64
	var packets, received, frames, whole, onServer int
	gap := 0.0
	for _, v := range s.Viewers {
		f.Depth = max(f.Depth, v.Depth)
		if v.Via == "sfu" {
			onServer++
		}
		if v.Bad {
			c.add(&f.Bad.Loss, missing(v.Received, v.Packets))
			c.quantile(&f.Bad.P50, v.LatencyMS, 0.5)
			continue
		}
		latencies = append(latencies, v.LatencyMS...)
		for _, l := range v.LatencyMS {
			steps = append(steps, l+hopMS*float64(max(v.Depth-1, 0)))
		}
		if v.JoinMS > 0 { // else it never had a picture
			joins = append(joins, v.JoinMS)
		}
		if v.DirectMS > 0 {
			direct = append(direct, v.DirectMS)
		}
		packets, received, frames, whole = packets+v.Packets, received+v.Received, frames+v.Frames, whole+v.WholeFrames
		if v.Frames == s.Frames { // it was there when each was made
			gap = max(gap, v.GapMS)
		}
	}
	f.OnServer = max(f.OnServer, onServer)
	c.quantile(&f.P50, latencies, 0.5)
	c.quantile(&f.P95, latencies, 0.95)
	c.quantile(&f.P99, latencies, 0.99)
	c.quantile(&f.Steps, steps, 0.5)
	c.quantile(&f.Join, joins, 0.5)
	c.quantile(&f.Direct, direct, 0.5)
	c.add(&f.Loss, missing(received, packets))
	c.add(&f.Broken, missing(whole, frames))
	c.add(&f.Gap, gap)
}

// depth is that of the deepest viewer of all valid runs.
func depth(samples []Sample) (n int) {
	for _, s := range samples {
		for _, v := range s.Viewers {
			if s.Problem == "" {
				n = max(n, v.Depth)
			}
		}
	}
	return n
}

// atDepth are the latencies of all viewers at one depth, but of a bad one.
func atDepth(s Sample, depth int) (latencies []float64) {
	for _, v := range s.Viewers {
		if v.Depth == depth && !v.Bad {
			latencies = append(latencies, v.LatencyMS...)
		}
	}
	return latencies
}

// missing is the share that did not come, in percent.
func missing(came, expected int) float64 {
	if expected == 0 {
		return 0
	}
	return 100 * float64(expected-came) / float64(expected)
}
