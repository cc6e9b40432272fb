package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"github.com/fanfare-relay/fanfare/compare"
	"github.com/fanfare-relay/fanfare/compare/experiment"
	"github.com/fanfare-relay/fanfare/compare/experiments"
	comparison "github.com/fanfare-relay/fanfare/compare/report"
)

type compareCmd struct {
	Quick      bool     `help:"A short comparison of a minute: where the uploader alone breaks."`
	Experiment []string `placeholder:"FILE" help:"Experiment files (TOML) instead of those that come with the program. May be given several times."`
	Out        string   `required:"" placeholder:"DIR" help:"Folder for report.html, samples.csv and samples.json. It is made when it is not there."`
}

// Help is shown under the flags.
func (*compareCmd) Help() string {
	return `Compares how viewers get a stream: by the relay (sfu), straight from the uploader (star), or passed on by viewers (tree of 2 or 3). Real WebRTC stacks and the real relay run in this process over emulated lines, so no network is used. Interrupt it and what was measured is kept.

A busy machine makes runs invalid: do nothing else meanwhile.

Examples:
  fanfare compare --quick --out compared
      A minute.
  fanfare compare --out compared
      Everything: half an hour.
  fanfare compare --experiment mine.toml --out compared
      Your own; see docs/COMPARISON.md for the keys.`
}

// Run measures and writes the report.
func (c *compareCmd) Run(ctx context.Context, std stdio) error {
	list, err := c.experiments()
	if err != nil {
		return err
	}
	if err := os.MkdirAll(c.Out, 0o755); err != nil {
		return err
	}
	d := comparison.Document{
		Made: time.Now().UTC(), Version: version(), Quick: c.Quick, Experiments: list, Command: c.command(),
		Machine: comparison.Machine{System: runtime.GOOS + "/" + runtime.GOARCH, CPUs: runtime.GOMAXPROCS(0), Go: runtime.Version()},
	}
	if err := c.measure(ctx, std, &d); err != nil {
		return err
	}
	if len(d.Samples) == 0 {
		return errors.New("interrupted before anything was measured")
	}
	if err := c.write(d); err != nil {
		return err
	}
	for _, text := range comparison.Words(comparison.Figures(d.Samples)) {
		fmt.Fprintln(std.out, text)
	}
	_, err = fmt.Fprintln(std.out, "The report:", filepath.Join(c.Out, "report.html"))
	return err
}

// command is what repeats the comparison.
func (c *compareCmd) command() string {
	text := "fanfare compare"
	if c.Quick {
		text += " --quick"
	}
	for _, file := range c.Experiment {
		text += " --experiment " + filepath.Base(file)
	}
	return text + " --out DIR"
}

// experiments reads the files, or those that come with the program.
func (c *compareCmd) experiments() (list []experiment.Experiment, err error) {
	if c.Quick && len(c.Experiment) > 0 {
		return nil, usageError{"--quick is an experiment of its own; give either it or --experiment"}
	}
	texts := map[string][]byte{}
	names := c.Experiment
	for _, file := range c.Experiment {
		if texts[file], err = os.ReadFile(file); err != nil {
			return nil, err
		}
	}
	if len(names) == 0 {
		if names, texts, err = experiments.All(c.Quick); err != nil {
			return nil, err
		}
	}
	for _, name := range names {
		e, err := experiment.Parse(texts[name])
		if err != nil {
			return nil, usageError{fmt.Sprintf("%s: %v", name, err)}
		}
		list = append(list, e)
	}
	return list, nil
}

// measure carries out the runs, with a line of progress.
func (c *compareCmd) measure(ctx context.Context, std stdio, d *comparison.Document) error {
	m, err := compare.New()
	if err != nil {
		return err
	}
	total := time.Duration(0)
	for _, e := range d.Experiments {
		d.Planned += len(e.Runs())
		total += e.Takes()
	}
	begin, what := time.Now(), ""
	st := newStatus(std.err)
	defer st.done()
	failed := 0
	for _, e := range d.Experiments {
		for _, run := range e.Runs() {
			what = fmt.Sprintf("%s, %s, %d viewers", e.Name, run.Topology, run.Point.Viewers)
			if done := len(d.Samples) + failed; done > 0 {
				total = time.Since(begin) / time.Duration(done) * time.Duration(d.Planned)
			}
			st.show(fmt.Sprintf("%d of %d: %s; about %v left", len(d.Samples)+1, d.Planned, what, max(total-time.Since(begin), 0).Round(time.Second)))
			sample, err := m.Measure(ctx, run, e.Settle, e.Seconds)
			if err == nil {
				d.Samples = append(d.Samples, sample)
			}
			if ctx.Err() != nil {
				d.Interrupted = true
				return nil
			}
			if err != nil {
				return fmt.Errorf("%s: %w", what, err)
			}
		}
	}
	return nil
}

// write writes the three files.
func (c *compareCmd) write(d comparison.Document) error {
	files := map[string]func(io.Writer) error{
		"samples.json": func(w io.Writer) error { return comparison.WriteJSON(w, d) },
		"samples.csv":  func(w io.Writer) error { return comparison.WriteCSV(w, d.Samples) },
		"report.html":  func(w io.Writer) error { return comparison.WriteHTML(w, d) },
	}
	for name, write := range files {
		var b strings.Builder
		if err := write(&b); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		if err := os.WriteFile(filepath.Join(c.Out, name), []byte(b.String()), 0o644); err != nil {
			return err
		}
	}
	return nil
}
