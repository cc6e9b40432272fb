package report

import (
	_ "embed"
	"fmt"
	"html/template"
	"io"
	"slices"

	"github.com/fanfare-relay/fanfare/compare/experiment"
	"github.com/fanfare-relay/fanfare/compare/stats"
)

//go:embed report.html
var page string

// view is what the page shows.
type view struct {
	Document
	Figures []Figure
	Words   []string
	Charts  []Chart
	Invalid int
}

// WriteHTML writes report.html: one page with its charts, styles and figures in it, which loads nothing.
func WriteHTML(w io.Writer, d Document) error {
	t, err := template.New("report").Funcs(template.FuncMap{
		"name": Name, "interval": interval, "one": func(v float64) string { return fmt.Sprintf("%.1f", v) }, "point": point,
	}).Parse(page)
	if err != nil {
		return err
	}
	figures := Figures(d.Samples)
	v := view{Document: d, Figures: figures, Words: Words(figures), Charts: Charts(figures)}
	for _, f := range figures {
		v.Invalid += f.Invalid
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

func point(f Figure) string {
	if f.Factor == "" {
		return "base point"
	}
	return fmt.Sprintf("%s = %g", factorName(f.Factor), f.Value)
}

func factorName(factor string) string {
	names := map[string]string{
		"viewers": "viewers", "round_trip_ms": "round trip, ms", "loss_percent": "loss, %", "loss_burst": "packets lost in a row",
		"uplink_mbit": "uplink, Mbit/s", "bitrate_mbit": "stream, Mbit/s", "churn_per_minute": "viewers that change a minute",
	}
	return names[factor]
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

// Charts draws every factor that has more than one value.
func Charts(figures []Figure) (list []Chart) {
	quantities := []struct {
		title string
		of    func(Figure) stats.Interval
	}{
		{"Latency, median, ms", func(f Figure) stats.Interval { return f.P50 }},
		{"Latency, 95th percentile, ms", func(f Figure) stats.Interval { return f.P95 }},
		{"Packets lost, %", func(f Figure) stats.Interval { return f.Loss }},
		{"Uploader's line, Mbit/s", func(f Figure) stats.Interval { return f.Uploader }},
		{"Server's line, Mbit/s", func(f Figure) stats.Interval { return f.Server }},
	}
	for len(figures) > 0 {
		first := figures[0]
		n := slices.IndexFunc(figures, func(f Figure) bool { return f.Experiment != first.Experiment || f.Factor != first.Factor })
		if n < 0 {
			n = len(figures)
		}
		if first.Factor != "" {
			for _, q := range quantities {
				list = append(list, chart(figures[:n], first.Experiment+": "+q.title, q.of))
			}
		}
		figures = figures[n:]
	}
	return list
}

func chart(figures []Figure, title string, of func(Figure) stats.Interval) Chart {
	c := Chart{Title: title, Below: factorName(figures[0].Factor)}
	var values []float64
	most := 0.0
	for _, f := range figures {
		if !slices.Contains(values, f.Value) {
			values = append(values, f.Value)
		}
		most = max(most, of(f).High)
	}
	slices.Sort(values)
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
	for _, t := range []experiment.Topology{experiment.SFU, experiment.Star, experiment.Tree2, experiment.Tree3} {
		l := Line{Topology: t}
		for _, f := range figures {
			i := of(f)
			if f.Topology != t || i.N == 0 {
				continue
			}
			d := Dot{x(f.Value), y(i.Median), y(i.Low), y(i.High), fmt.Sprintf("%s, %s: %s", Name(t), point(f), interval(i, 2))}
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
