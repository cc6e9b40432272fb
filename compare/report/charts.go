package report

import (
	"fmt"
	"maps"
	"math"
	"slices"

	"github.com/fanfare-relay/fanfare/compare/experiment"
	"github.com/fanfare-relay/fanfare/compare/stats"
)

// ChartGroup is all charts of one experiment, with what it asks.
type ChartGroup struct {
	Name, Question string
	Charts         []Chart
}

// Chart is a drawing: one quantity over one factor, a line for each topology. All coordinates are those of its SVG.
type Chart struct {
	Experiment   string
	Title, Below string
	X, Y         []Tick
	Lines        []Line
}

// Tick is a mark at an axis.
type Tick struct {
	At   float64
	Text string
}

// Line is a topology's; Points is what a polyline takes.
type Line struct {
	Topology experiment.Topology
	Points   string
	Dots     []Dot
}

// Dot is a median with its interval.
type Dot struct {
	X, Y, Low, High float64
	Text            string
}

// Frame of a chart, in its units.
const (
	left, right, top, bottom = 52.0, 428.0, 10.0, 190.0
)

// quantity is what a chart shows of a kind of figures.
type quantity[F any] struct {
	title string
	of    func(F) stats.Interval
	// wide: what is broken is far from what is not, so the scale is logarithmic where they are in one chart.
	wide bool
}

// Charts draws every factor of streams that has more than one value.
func Charts(figures []Figure) []Chart {
	return charts(figures, []quantity[Figure]{
		{"Latency, median, ms", func(f Figure) stats.Interval { return f.P50 }, true},
		{"Latency, 95th percentile, ms", func(f Figure) stats.Interval { return f.P95 }, true},
		{"Packets lost, %", func(f Figure) stats.Interval { return f.Loss }, false},
		{"Longest time without a whole frame, ms", func(f Figure) stats.Interval { return f.Gap }, true},
		{"Uploader's line, Mbit/s", func(f Figure) stats.Interval { return f.Uploader }, false},
		{"Server's line, Mbit/s", func(f Figure) stats.Interval { return f.Server }, false},
	})
}

// FileCharts is Charts' twin.
func FileCharts(figures []FileFigure) []Chart {
	return charts(figures, []quantity[FileFigure]{
		{"Last receiver, s", func(f FileFigure) stats.Interval { return f.Last }, false},
		{"Bound ÷ time of the last receiver", func(f FileFigure) stats.Interval { return f.Share }, false},
		{"Copies that the uploader sends", func(f FileFigure) stats.Interval { return f.Copies }, false},
	})
}

func charts[F interface{ spot() spot }](figures []F, quantities []quantity[F]) (list []Chart) {
	for _, name := range experimentsOf(figures) {
		for _, factor := range experiment.Factors() {
			group, values := along(figures, name, factor)
			if len(group) == 0 {
				continue
			}
			for _, q := range quantities {
				marks := make([]mark, len(group))
				for i, f := range group {
					marks[i] = mark{f.spot().topology, values[i], q.of(f)}
				}
				c := chart(marks, q.title, factorName(factor), q.wide)
				c.Experiment = name
				list = append(list, c)
			}
		}
	}
	return list
}

func chart(marks []mark, title, below string, wide bool) Chart {
	c := Chart{Title: title, Below: below}
	found, least, most := map[float64]bool{}, math.Inf(1), 0.0
	for _, m := range marks {
		found[m.value] = true
		if m.interval.N > 0 {
			least, most = min(least, m.interval.Low), max(most, m.interval.High)
		}
	}
	values := slices.Sorted(maps.Keys(found))
	x := func(v float64) float64 { // evenly, because factors double rather than grow
		return left + (right-left)*(float64(slices.Index(values, v))+0.5)/float64(len(values))
	}
	for _, v := range values {
		c.X = append(c.X, Tick{x(v), fmt.Sprintf("%g", v)})
	}
	y, ticks := linear(most)
	if wide && least > 0 && most > farApart*least {
		c.Title += " (logarithmic)"
		y, ticks = logarithmic(least, most)
	}
	c.Y = ticks
	slices.SortStableFunc(marks, func(a, b mark) int { return slices.Index(values, a.value) - slices.Index(values, b.value) })
	for _, t := range append(experiment.Media(), experiment.Files()...) {
		l := Line{Topology: t}
		for _, m := range marks {
			if m.topology != t || m.interval.N == 0 {
				continue
			}
			i := m.interval
			d := Dot{x(m.value), y(i.Median), y(i.Low), y(i.High), fmt.Sprintf("%s, %s = %g: %s", Name(t), below, m.value, interval(i, 2))}
			l.Points += fmt.Sprintf("%.1f,%.1f ", d.X, d.Y)
			l.Dots = append(l.Dots, d)
		}
		if len(l.Dots) > 0 {
			c.Lines = append(c.Lines, l)
		}
	}
	return c
}

// ceiling is the next of 1, 2, 4 and 8 times a power of ten.
func ceiling(v float64) float64 {
	step := 0.01
	for {
		for _, m := range []float64{1, 2, 4, 8} {
			if step*m >= v {
				return step * m
			}
		}
		step *= 10
	}
}

// farApart is how many times the least the most must be before a scale is logarithmic.
const farApart = 6

// linear is a scale from 0 to beyond the most; to 1 where all is 0.
func linear(most float64) (y func(float64) float64, ticks []Tick) {
	if most = ceiling(most); most < 0.1 {
		most = 1
	}
	y = func(v float64) float64 { return bottom - (bottom-top)*v/most }
	for i := range 5 {
		v := most * float64(i) / 4
		ticks = append(ticks, Tick{y(v), fmt.Sprintf("%.3g", v)})
	}
	return y, ticks
}

// logarithmic is a scale by doublings from below the least, which is above 0, to beyond the most.
func logarithmic(least, most float64) (y func(float64) float64, ticks []Tick) {
	low := math.Pow(10, math.Floor(math.Log10(least)))
	for 2*low <= least {
		low *= 2
	}
	doublings := max(math.Ceil(math.Log2(most/low)), 1)
	y = func(v float64) float64 { return bottom - (bottom-top)*math.Log2(max(v, low)/low)/doublings }
	for i := 0.0; i <= doublings; i += math.Ceil(doublings / 6) {
		v := low * math.Exp2(i)
		ticks = append(ticks, Tick{y(v), fmt.Sprintf("%g", v)})
	}
	return y, ticks
}

// grouped are the charts by experiment, in the order in which they came.
func grouped(list []Chart, experiments []experiment.Experiment) (groups []ChartGroup) {
	for _, c := range list {
		if len(groups) == 0 || groups[len(groups)-1].Name != c.Experiment {
			g := ChartGroup{Name: c.Experiment}
			for _, e := range experiments {
				if e.Name == c.Experiment {
					g.Question = e.Question
				}
			}
			groups = append(groups, g)
		}
		last := &groups[len(groups)-1]
		last.Charts = append(last.Charts, c)
	}
	return groups
}
