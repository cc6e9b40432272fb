package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
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
	Repeats    int      `placeholder:"N" help:"Runs of each point, instead of what the experiments say."`
	HopMS      float64  `name:"hop-ms" default:"0" placeholder:"MS" help:"Delay that a browser adds when it passes a picture on (it decodes and encodes again), in milliseconds, as measured with browsers. The report adds it in a column of its own."`
	HopCPU     float64  `name:"hop-cpu" default:"0" placeholder:"PERCENT" help:"What that decoding and encoding takes of one processor, in percent, with one viewer below. The report adds it once to each who passes on, in a column of its own. The page /compare measures both."`
	From       string   `placeholder:"FILE" help:"Makes the report again from the samples.json of an earlier comparison, and measures nothing; --hop-ms and --hop-cpu may be others then."`
	Beyond     bool     `help:"Also make the runs that are beyond this machine."`

	free func(dir string) (int64, error) // how many bytes there is room for; nil: as the system tells
}

// Help is shown under the flags.
func (*compareCmd) Help() string {
	return `Compares how viewers get a stream: by the relay (sfu), straight from the uploader (star), or passed on by viewers (tree of 2 or 3); and how receivers get a file: from each other (swarm), as so many copies from the uploader, or by HTTP through a server. Real WebRTC stacks, the real relay and the real mesh run in this process over emulated lines, so no network is used. Processor time comes from runs with a process for each role, on loopback.

Before it starts it measures for some seconds what this machine carries, and says which runs are beyond it: those are left out. Topologies of one point are measured in the same seconds where the machine has room for that. A busy machine makes runs invalid: do nothing else meanwhile. Interrupt it and what was measured is kept; should it be killed, samples.json has what was measured until then, and --from makes the report of that.

Examples:
  fanfare compare --quick --out compared
      A minute.
  fanfare compare --out compared
      Everything: less than half an hour on two processors.
  fanfare compare --out compared --repeats 3
      The same in less time, with intervals that are worth less than 95 %.
  fanfare compare --experiment mine.toml --out compared
      Your own; see docs/COMPARISON.md for the keys.
  fanfare compare --from compared/samples.json --hop-ms 31 --out again
      The same report with what browsers add, measured since.`
}

// Run measures and writes the report.
func (c *compareCmd) Run(ctx context.Context, std stdio) error {
	if c.From != "" {
		return c.again(std)
	}
	list, err := c.experiments()
	if err != nil {
		return err
	}
	if err := outFolder(c.Out).prepare(); err != nil {
		return err
	}
	began := time.Now()
	d := comparison.Document{
		Made: began.UTC(), Version: version(), Quick: c.Quick, Experiments: list, Command: c.command(), HopMS: c.HopMS, HopCPU: c.HopCPU,
		Machine: comparison.Machine{System: runtime.GOOS + "/" + runtime.GOARCH, Processor: processor(), CPUs: runtime.GOMAXPROCS(0), Go: runtime.Version()},
	}
	if err := c.measure(ctx, std, &d); err != nil {
		return err
	}
	if len(d.Samples) == 0 {
		return errors.New("interrupted before anything was measured")
	}
	if err := c.finish(std, d); err != nil {
		return err
	}
	_, err = fmt.Fprintf(std.out, "All of it took %v.\n", time.Since(began).Round(time.Second))
	return err
}

// again makes the report of what was measured before.
func (c *compareCmd) again(std stdio) error {
	if c.Quick || len(c.Experiment) > 0 || c.Repeats != 0 || c.Beyond {
		return usageError{"--from measures nothing; it goes with --hop-ms, --hop-cpu and --out alone"}
	}
	if err := c.checkHop(); err != nil {
		return err
	}
	file, err := os.Open(c.From)
	if err != nil {
		return err
	}
	defer file.Close()
	d, err := comparison.ReadJSON(file)
	if err != nil || len(d.Samples) == 0 {
		return fmt.Errorf("%s is not the samples.json of a comparison", c.From)
	}
	if c.HopMS > 0 || c.HopCPU > 0 {
		d.HopMS, d.HopCPU = c.HopMS, c.HopCPU
		d.Command += "; then fanfare compare --from samples.json" + c.hop() + " --out DIR"
	}
	if err := outFolder(c.Out).prepare(); err != nil {
		return err
	}
	return c.finish(std, d)
}

// finish writes the files and says what is in them.
func (c *compareCmd) finish(std stdio, d comparison.Document) error {
	if err := outFolder(c.Out).write(d); err != nil {
		return err
	}
	for _, text := range d.Words() {
		fmt.Fprintln(std.out, text)
	}
	if d.Interrupted {
		fmt.Fprintf(std.out, "Partial: %d of %d runs were made.\n", len(d.Samples), d.Planned)
	}
	_, err := fmt.Fprintln(std.out, "The report:", filepath.Join(c.Out, "report.html"))
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
	if c.Repeats > 0 {
		text += fmt.Sprintf(" --repeats %d", c.Repeats)
	}
	text += c.hop()
	if c.Beyond {
		text += " --beyond"
	}
	return text + " --out DIR"
}

// hop is the flags of what browsers add.
func (c *compareCmd) hop() (text string) {
	if c.HopMS > 0 {
		text += fmt.Sprintf(" --hop-ms %g", c.HopMS)
	}
	if c.HopCPU > 0 {
		text += fmt.Sprintf(" --hop-cpu %g", c.HopCPU)
	}
	return text
}

func (c *compareCmd) checkHop() error {
	switch {
	case !(c.HopMS >= 0 && c.HopMS <= 10_000):
		return usageError{fmt.Sprintf("--hop-ms is %g; it can be 0 to 10000", c.HopMS)}
	case !(c.HopCPU >= 0 && c.HopCPU <= 1000):
		return usageError{fmt.Sprintf("--hop-cpu is %g; it can be 0 to 1000", c.HopCPU)}
	}
	return nil
}

// experiments reads the files, or those that come with the program.
func (c *compareCmd) experiments() (list []experiment.Experiment, err error) {
	switch {
	case c.Quick && len(c.Experiment) > 0:
		return nil, usageError{"--quick is an experiment of its own; give either it or --experiment"}
	case c.Repeats < 0 || c.Repeats > 100:
		return nil, usageError{fmt.Sprintf("--repeats is %d; it can be 1 to 100", c.Repeats)}
	}
	if err := c.checkHop(); err != nil {
		return nil, err
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
		if c.Repeats > 0 {
			e.Repeats = c.Repeats
		}
		list = append(list, e)
	}
	return list, nil
}

// measure calibrates, plans and carries out the runs.
func (c *compareCmd) measure(ctx context.Context, std stdio, d *comparison.Document) error {
	runner, err := newRunner()
	if err != nil {
		return err
	}
	free := c.free
	if free == nil {
		free = freeSpace
	}
	if err := hasSpace(os.TempDir(), compare.CalibrationSpace(d.Experiments), free); err != nil {
		return err
	}
	st := newStatus(std.err)
	defer st.done()
	plan, err := c.plan(ctx, st, runner, d)
	if err != nil {
		return err
	}
	if err := hasSpace(os.TempDir(), compare.Space(plan), free); err != nil {
		return err
	}
	return carryOut(ctx, st, runner, plan, d, outFolder(c.Out).keep)
}

// newRunner lets roles be processes of this program where their processor time can be told.
func newRunner() (*compare.Runner, error) {
	own := ownMeter()
	if !own.on {
		return compare.NewRunner(nil, nil)
	}
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	processes := &compare.Processes{
		Command: func() *exec.Cmd { return exec.Command(self, roleCommand) },
		CPU: func(pid int) (time.Duration, error) {
			m, err := newMeter(pid)
			if err != nil {
				return 0, err
			}
			r, err := m.read()
			return r.cpu(), err
		},
	}
	return compare.NewRunner(processes, func() (time.Duration, error) {
		r, err := own.read()
		return r.cpu(), err
	})
}

// processor is what the machine's calls itself, "" where it cannot be asked.
func processor() string {
	text, err := os.ReadFile("/proc/cpuinfo")
	if err != nil {
		return ""
	}
	for line := range strings.Lines(string(text)) {
		if name, value, _ := strings.Cut(line, ":"); strings.TrimSpace(name) == "model name" {
			return strings.TrimSpace(value)
		}
	}
	return ""
}

// plan finds out what the machine carries, and says what is beyond it, before anything is measured.
func (c *compareCmd) plan(ctx context.Context, st *status, runner *compare.Runner, d *comparison.Document) ([]compare.Planned, error) {
	st.show("Looking what this machine carries")
	var err error
	d.Calibration, err = runner.Calibrate(ctx, d.Experiments)
	switch {
	case errors.Is(err, compare.ErrUntold):
		st.say("Whether this machine carries all of it is not known: " + err.Error() + ".")
	case ctx.Err() != nil:
		return nil, errors.New("interrupted before anything was measured")
	case err != nil:
		return nil, fmt.Errorf("looking what this machine carries: %w", err)
	}
	plan, beyond := compare.Plan(d.Experiments, d.Calibration)
	for _, text := range beyond {
		st.say("Beyond this machine: " + text + ".")
	}
	switch {
	case c.Beyond && len(beyond) > 0:
		st.say("They are made all the same; expect them to be invalid.")
		plan, _ = compare.Plan(d.Experiments, nil)
	case len(plan) == 0:
		return nil, errors.New("nothing is left that this machine carries; --beyond makes the runs all the same")
	case len(beyond) > 0:
		st.say("They are left out; --beyond makes them all the same.")
		d.Beyond = beyond
	}
	d.Planned = len(plan)
	return plan, nil
}

// mostFaults is how many runs may fail one after another.
const mostFaults = 5

// carryOut makes the runs, those of a batch at the same time, with a line of progress. A run that fails is kept as an invalid one; when
// several do in a row, the rest is given up, and what there is is kept: after each batch by keep, which fails without harm.
func carryOut(
	ctx context.Context, st *status, runner *compare.Runner, plan []compare.Planned, d *comparison.Document, keep func(comparison.Document) error,
) error {
	batches := compare.SideBySide(plan, d.Calibration)
	left := time.Duration(0)
	for _, b := range batches {
		left += lasts(b)
	}
	begun, faults, unkept := 0, 0, false
	for _, b := range batches {
		st.show(fmt.Sprintf("%s of %d: %s, %s, %d viewers; about %v left", numbers(begun, len(b)), len(plan), b[0].Run.Experiment, ways(b),
			b[0].Run.Point.Viewers, left.Round(time.Second)))
		left -= lasts(b)
		begun += len(b)
		for _, o := range runner.Together(ctx, b) {
			switch {
			case o.Err == nil:
				d.Samples, faults = append(d.Samples, o.Sample), 0
			case ctx.Err() == nil:
				o.Sample.Problem = "it failed: " + oneLine(o.Err.Error())
				d.Samples = append(d.Samples, o.Sample)
				faults++
			}
			if faults == mostFaults {
				d.Interrupted, d.Ended = true, fmt.Sprintf("%d runs failed one after another: %s", faults, oneLine(o.Err.Error()))
			}
		}
		if d.Interrupted = d.Interrupted || ctx.Err() != nil; d.Interrupted {
			if d.Ended != "" {
				st.say("Given up: " + d.Ended + ".")
			}
			return nil
		}
		if err := keep(*d); err != nil && !unkept {
			unkept = true
			st.say("What was measured so far cannot be kept on the disk: " + oneLine(err.Error()) + ". It goes on, and tries again.")
		}
	}
	return nil
}

// lasts is about how long a batch takes.
func lasts(batch []compare.Planned) (d time.Duration) {
	for _, p := range batch {
		d = max(d, p.Takes)
	}
	return d
}

// numbers are those of the next n runs.
func numbers(begun, n int) string {
	if n == 1 {
		return strconv.Itoa(begun + 1)
	}
	return fmt.Sprintf("%d to %d", begun+1, begun+n)
}

// ways are the topologies of a batch.
func ways(batch []compare.Planned) string {
	names := make([]string, len(batch))
	for i, p := range batch {
		names[i] = string(p.Run.Topology)
	}
	return strings.Join(names, " + ")
}

// roleCommand is what compare starts for each role that has a process of its own.
const roleCommand = "compare-role"

type compareRoleCmd struct{}

// Run serves one role until compare is done with it. A person's interrupt reaches it too; compare ends it.
func (compareRoleCmd) Run(std stdio) error { return compare.ServeRole(std.in, std.out) }
