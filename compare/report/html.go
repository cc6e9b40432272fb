package report

import (
	_ "embed"
	"fmt"
	"html/template"
	"io"
	"strings"

	"github.com/fanfare-relay/fanfare/compare/experiment"
	"github.com/fanfare-relay/fanfare/compare/stats"
)

//go:embed report.html
var page string

// processStep is in what steps Linux tells the processor time of a process, s.
const processStep = 0.01

// view is what the page shows.
type view struct {
	Document
	Figures   []Figure
	Files     []FileFigure
	Processes []ProcessFigure
	Words     []string
	Charts    []ChartGroup
	Invalid   []Sample
	Bad       bool    // there are runs with a bad viewer
	Beside    int     // most other runs in the same seconds
	Latest    float64 // timers of valid runs, ms
	MaxLate   float64
	Window    float64 // for which processor time was taken, s: the shortest of valid runs
	Shares    map[string]float64
}

// WriteHTML writes report.html: one page with its charts, styles and figures in it, which loads nothing.
func WriteHTML(w io.Writer, d Document) error {
	t, err := template.New("report").Funcs(template.FuncMap{
		"name": Name, "interval": interval, "levels": levels, "one": func(v float64) string { return fmt.Sprintf("%.1f", v) }, "point": point,
		"step": func(window float64) string { return fmt.Sprintf("%.1f", 100*processStep/window) },
		"run":  func(r experiment.Run) string { return point(spot{factor: r.Factor, point: r.Point}) },
	}).Parse(page)
	if err != nil {
		return err
	}
	v := view{
		Document: d, Figures: Figures(d.Samples, d.HopMS), Files: FileFigures(d.Samples), Processes: ProcessFigures(d.Samples, d.HopCPU), Words: d.Words(),
		MaxLate: MaxLateness, Shares: map[string]float64{"channel": 100 * experiment.Swarm.Share(), "stream": 100 * experiment.HTTP.Share()},
	}
	v.Charts = grouped(append(Charts(v.Figures), FileCharts(v.Files)...), d.Experiments)
	for _, s := range d.Samples {
		v.Bad, v.Beside = v.Bad || s.Point.BadDownlinkMbit > 0, max(v.Beside, s.Beside)
		if s.Problem != "" {
			v.Invalid = append(v.Invalid, s)
		} else {
			v.Latest = max(v.Latest, s.LatenessMS)
			if s.OwnProcesses && (v.Window == 0 || s.Seconds < v.Window) {
				v.Window = s.Seconds
			}
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

// levels are the medians of a tree's steps.
func levels(list []stats.Interval) string {
	texts := make([]string, len(list))
	for i, one := range list {
		if texts[i] = "–"; one.N > 0 {
			texts[i] = fmt.Sprintf("%.0f", one.Median)
		}
	}
	return strings.Join(texts, " / ")
}

func point(at spot) string {
	if at.factor == "" {
		return "base point"
	}
	name, _, _ := strings.Cut(factorName(at.factor), " (")
	return fmt.Sprintf("%s = %g", name, at.point.Value(at.factor))
}

func factorName(factor string) string {
	return map[string]string{
		"viewers": "viewers", "round_trip_ms": "round trip, ms", "loss_percent": "loss, %", "loss_burst": "packets lost in a row",
		"uplink_mbit": "uplink, Mbit/s", "downlink_mbit": "downlink, Mbit/s",
		"bad_downlink_mbit": "downlink of one viewer, Mbit/s (0: like the others')", "bitrate_mbit": "stream, Mbit/s",
		"churn_per_minute": "viewers that change a minute", "file_mib": "file, MiB",
	}[factor]
}
