package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"time"

	"github.com/fanfare-relay/fanfare/compare/report"
	"github.com/fanfare-relay/fanfare/compare/stats"
)

// figures is docs/comparison.json: what a comparison found, without the samples.
type figures struct {
	Run       run                    `json:"run"`
	Streams   []report.Figure        `json:"streams"`
	Processes []report.ProcessFigure `json:"processes"`
	Files     []report.FileFigure    `json:"files"`
}

// run is how, when and where it was measured, and how well that went.
type run struct {
	Began   time.Time      `json:"began"`
	Ended   time.Time      `json:"ended"`
	Command string         `json:"command"`
	Program string         `json:"program"` // its commit, or what it says of itself
	Machine report.Machine `json:"machine"`
	// HopMS and HopCPU are what a browser is said to add at each step (report.Document).
	HopMS  float64 `json:"hop_ms"`
	HopCPU float64 `json:"hop_cpu"`
	// Planned runs, of which Made were made; Invalid ones are in no figure.
	Planned int       `json:"planned"`
	Made    int       `json:"made"`
	Invalid []invalid `json:"invalid"`
	// Late is how late timers were in the valid runs: the median and the greatest of their 99th percentiles, in milliseconds.
	Late    float64 `json:"late_ms"`
	Latest  float64 `json:"latest_ms"`
	Besides int     `json:"besides"`     // how many runs had others beside them
	Beside  int     `json:"beside_most"` // and how many at most
}

// invalid is a run that does not count.
type invalid struct {
	report.Cell
	Repeat  int    `json:"repeat"`
	Problem string `json:"problem"`
}

// figuresOf computes them; commit, if any, stands for what the program says of itself.
func figuresOf(d report.Document, commit string) figures {
	return figures{
		Run: runOf(d, commit), Streams: report.Figures(d.Samples, d.HopMS), Processes: report.ProcessFigures(d.Samples, d.HopCPU),
		Files: report.FileFigures(d.Samples),
	}
}

func runOf(d report.Document, commit string) run {
	r := run{
		Began: d.Made, Ended: d.Made, Command: d.Command, Program: "program: " + d.Version, Machine: d.Machine, HopMS: d.HopMS, HopCPU: d.HopCPU,
		Planned: d.Planned, Made: len(d.Samples), Invalid: []invalid{},
	}
	if commit != "" {
		r.Program = "commit " + commit
	}
	var late []float64
	for _, s := range d.Samples {
		if end := s.Started.Add(time.Duration(s.Seconds * float64(time.Second))); end.After(r.Ended) {
			r.Ended = end
		}
		if s.Beside > 0 {
			r.Besides, r.Beside = r.Besides+1, max(r.Beside, s.Beside)
		}
		if s.Problem != "" {
			r.Invalid = append(r.Invalid, invalid{report.Cell{Experiment: s.Experiment, Factor: s.Factor, Value: s.Value, Topology: s.Topology, Point: s.Point}, s.Repeat, s.Problem})
			continue
		}
		late = append(late, s.LatenessMS)
	}
	if len(late) > 0 {
		r.Late, r.Latest = stats.Quantile(late, 0.5), stats.Quantile(late, 1)
	}
	return r
}

func readFigures(file string) (f figures, err error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return f, err
	}
	if err := json.Unmarshal(text, &f); err != nil {
		return f, fmt.Errorf("%s: %w", file, err)
	}
	return f, nil
}

func (f figures) write(file string) error {
	text, err := f.text()
	if err != nil {
		return err
	}
	return os.WriteFile(file, text, 0o644)
}

// firstKey is how each figure begins (report.Cell).
const firstKey = `{"experiment":`

// text has a line for each figure, so that a difference between two versions is one that can be read.
func (f figures) text() ([]byte, error) {
	text, err := json.Marshal(f)
	if err != nil {
		return nil, err
	}
	return append(bytes.ReplaceAll(text, []byte(firstKey), []byte("\n"+firstKey)), '\n'), nil
}
