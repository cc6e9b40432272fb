package report

import (
	_ "embed"
	"fmt"
	"html/template"
	"io"
	"maps"
	"slices"

	"github.com/fanfare-relay/fanfare/compare/experiment"
	"github.com/fanfare-relay/fanfare/compare/stats"
)

//go:embed report.html
var page string

// view is what the page shows.
type view struct {
	Document
	Figures   []Figure
	Files     []FileFigure
	Processes []ProcessFigure
	Words     []string
	Charts    []Chart
	Invalid   []Sample
	Latest    float64 // timers of valid runs, ms
	MaxLate   float64
	Shares    map[string]float64
}

// WriteHTML writes report.html: one page with its charts, styles and figures in it, which loads nothing.
func WriteHTML(w io.Writer, d Document) error {
	t, err := template.New("report").Funcs(template.FuncMap{
		"name": Name, "interval": interval, "one": func(v float64) string { return fmt.Sprintf("%.1f", v) }, "point": point,
		"run": func(r experiment.Run) string { return point(spot{factor: r.Factor, point: r.Point}) },
	}).Parse(page)
	if err != nil {
		return err
	}
	v := view{
		Document: d, Figures: Figures(d.Samples, d.HopMS), Files: FileFigures(d.Samples), Processes: ProcessFigures(d.Samples, d.HopCPU), Words: d.Words(),
		MaxLate: MaxLateness, Shares: map[string]float64{"channel": 100 * experiment.Swarm.Share(), "stream": 100 * experiment.HTTP.Share()},
	}
	v.Charts = append(Charts(v.Figures), FileCharts(v.Files)...)
	for _, s := range d.Samples {
		if s.Problem != "" {
			v.Invalid = append(v.Invalid, s)
		} else {
			v.Latest = max(v.Latest, s.LatenessMS)
		}
	}
	return t.Execute(w, v)
}

// interval is "median (low to high)".
func interval(i stats.Interval, digits int) string {
	if i.N == 0 {
		return "–"
	}
	if i.N == 1 {
		return fmt.Sprintf("%.*f", digits, i.Median)
	}
	return fmt.Sprintf("%.*f (%.*f to %.*f)", digits, i.Median, digits, i.Low, digits, i.High)
}

func point(at spot) string {
	if at.factor == "" {
		return "base point"
	}
	return fmt.Sprintf("%s = %g", factorName(at.factor), at.point.Value(at.factor))
}

func factorName(factor string) string {
	return map[string]string{
		"viewers": "viewers", "round_trip_ms": "round trip, ms", "loss_percent": "loss, %", "loss_burst": "packets lost in a row",
		"uplink_mbit": "uplink, Mbit/s", "downlink_mbit": "downlink, Mbit/s", "bitrate_mbit": "stream, Mbit/s",
		"churn_per_minute": "viewers that change a minute", "file_mib": "file, MiB",
	}[factor]
}

// Chart is a drawing: one quantity over one factor, a line for each topology. All coordinates are those of its SVG.
type Chart struct {
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
}

// Charts draws every factor of streams that has more than one value.
func Charts(figures []Figure) []Chart {
	return charts(figures, []quantity[Figure]{
		{"Latency, median, ms", func(f Figure) stats.Interval { return f.P50 }},
		{"Latency, 95th percentile, ms", func(f Figure) stats.Interval { return f.P95 }},
		{"Packets lost, %", func(f Figure) stats.Interval { return f.Loss }},
		{"Uploader's line, Mbit/s", func(f Figure) stats.Interval { return f.Uploader }},
		{"Server's line, Mbit/s", func(f Figure) stats.Interval { return f.Server }},
	})
}

// FileCharts is Charts' twin.
func FileCharts(figures []FileFigure) []Chart {
	return charts(figures, []quantity[FileFigure]{
		{"Last receiver, s", func(f FileFigure) stats.Interval { return f.Last }},
		{"Bound ÷ time of the last receiver", func(f FileFigure) stats.Interval { return f.Share }},
		{"Copies that the uploader sends", func(f FileFigure) stats.Interval { return f.Copies }},
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
				list = append(list, chart(marks, name+": "+q.title, factorName(factor)))
			}
		}
	}
	return list
}

func chart(marks []mark, title, below string) Chart {
	c := Chart{Title: title, Below: below}
	found, most := map[float64]bool{}, 0.0
	for _, m := range marks {
		found[m.value] = true
		most = max(most, m.interval.High)
	}
	values := slices.Sorted(maps.Keys(found))
	most = ceiling(most)
	x := func(v float64) float64 { // evenly, because factors double rather than grow
		return left + (right-left)*(float64(slices.Index(values, v))+0.5)/float64(len(values))
	}
	y := func(v float64) float64 { return bottom - (bottom-top)*v/most }
	for _, v := range values {
		c.X = append(c.X, Tick{x(v), fmt.Sprintf("%g", v)})
	}
	for i := range 5 {
		v := most * float64(i) / 4
		c.Y = append(c.Y, Tick{y(v), fmt.Sprintf("%.3g", v)})
	}
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
