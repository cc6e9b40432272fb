package compare

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"time"

	"github.com/fanfare-relay/fanfare/compare/experiment"
	"github.com/fanfare-relay/fanfare/compare/files"
	"github.com/fanfare-relay/fanfare/compare/report"
)

// Runner carries out the runs of any experiment.
type Runner struct {
	streams   *Measurer
	processes *Processes
	cpu       func() (time.Duration, error)
}

// ErrUntold: this system does not tell processor time.
var ErrUntold = errors.New("this system does not tell how much processor time is used")

// NewRunner makes a Runner. cpu tells the processor time of this process, and processes are for runs that have theirs told apart;
// both may be nil where the system does not tell.
func NewRunner(processes *Processes, cpu func() (time.Duration, error)) (*Runner, error) {
	m, err := New()
	return &Runner{m, processes, cpu}, err
}

// measure carries out one run, as Measurer.Measure, Processes.Measure and files.Measure do; placed is called as moments has it.
func (r *Runner) measure(ctx context.Context, p Planned, placed func(context.Context)) (report.Sample, error) {
	switch {
	case p.Run.Topology.OfFiles():
		return files.Measure(ctx, p.Run)
	case !p.Run.OwnProcesses:
		sample, _, err := r.streams.measure(ctx, p.Run, p.Settle, p.Seconds, moments{placed: placed})
		return sample, err
	case r.processes == nil:
		return report.Sample{}, ErrUntold
	}
	return r.processes.Measure(ctx, p.Run, p.Settle, p.Seconds)
}

// What calibration measures, and how much of a machine a run may take: above that its timers are late.
const (
	calibrationViewers = 3
	calibrationMbit    = 2
	calibrationSeconds = 1
	calibrationMiB     = 8
	mebi               = 1.048576 // megabytes
	mostOfMachine      = 0.75
)

// Calibrate measures what a packet to a viewer costs here, by a small star, and a megabyte from peer to peer and by HTTP, as far as the
// experiments need them. A star is the dearest way of streams: each copy is sealed and opened by a whole WebRTC stack.
func (r *Runner) Calibrate(ctx context.Context, list []experiment.Experiment) (*report.Calibration, error) {
	if r.cpu == nil {
		return nil, ErrUntold
	}
	c := report.Calibration{Processors: runtime.GOMAXPROCS(0), MostOfThem: mostOfMachine * float64(runtime.GOMAXPROCS(0))}
	if slices.ContainsFunc(list, func(e experiment.Experiment) bool { return !e.OfFiles() }) {
		run := experiment.Run{Topology: experiment.Star, Seed: 1, Point: experiment.Point{
			Viewers: calibrationViewers, LossBurst: 1, UplinkMbit: 1000, BitrateMbit: calibrationMbit, Repair: true,
		}}
		sample, used, err := r.streams.measure(ctx, run, 0, calibrationSeconds, moments{cpu: r.cpu})
		if err != nil {
			return nil, err
		}
		packets := 0
		for _, v := range sample.Viewers {
			packets += v.Received
		}
		c.PacketMicroseconds = used.Seconds() * 1e6 / float64(max(packets, 1))
	}
	var err error
	if c.MegabyteMilliseconds, err = r.price(ctx, list, experiment.Swarm, 1); err != nil {
		return nil, err
	}
	c.HTTPMilliseconds, err = r.price(ctx, list, experiment.HTTP, 2)
	return &c, err
}

// price is how many milliseconds of processor time a megabyte of a file costs when it goes from one machine to another, by the way that
// peers or HTTP have; 0 when no experiment needs to know. legs is how often one receiver's file goes over a line.
func (r *Runner) price(ctx context.Context, list []experiment.Experiment, way experiment.Topology, legs float64) (float64, error) {
	needed := func(t experiment.Topology) bool {
		return t.OfFiles() && (t == experiment.HTTP) == (way == experiment.HTTP)
	}
	if !slices.ContainsFunc(list, func(e experiment.Experiment) bool { return slices.ContainsFunc(e.Topologies, needed) }) {
		return 0, nil
	}
	before, err := r.cpu()
	if err != nil {
		return 0, err
	}
	if _, err := files.Measure(ctx, calibrationOf(way)); err != nil {
		return 0, err
	}
	after, err := r.cpu()
	return (after - before).Seconds() * 1e3 / (legs * calibrationMiB * mebi), err
}

// calibrationOf is the run by which a way of files is priced.
func calibrationOf(way experiment.Topology) experiment.Run {
	return experiment.Run{Topology: way, Seed: 1, Point: experiment.Point{Viewers: 1, UplinkMbit: 1000, FileMiB: calibrationMiB}}
}

// Space is how many bytes the runs take at most of the folder for temporary files: those of files do, one after another.
func Space(plan []Planned) (most int64) {
	for _, p := range plan {
		if p.Run.Topology.OfFiles() {
			most = max(most, files.Space(p.Run))
		}
	}
	return most
}

// CalibrationSpace is what Calibrate takes of it.
func CalibrationSpace(list []experiment.Experiment) int64 {
	if !slices.ContainsFunc(list, experiment.Experiment.OfFiles) {
		return 0
	}
	return files.Space(calibrationOf(experiment.Swarm))
}

// Planned is a run with its times in seconds, and what it is expected to take.
type Planned struct {
	Run             experiment.Run
	Settle, Seconds float64
	Takes           time.Duration
}

// Plan lists the runs of all experiments, and says which the machine cannot carry: those are left out. Without a calibration none are.
func Plan(list []experiment.Experiment, c *report.Calibration) (runs []Planned, beyond []string) {
	for _, e := range list {
		for _, run := range e.Runs() {
			if c != nil {
				if cores := Cores(*c, run); cores > c.MostOfThem {
					text := fmt.Sprintf("%s with %d viewers by %s, which would take %.1f of %d processors", e.Name, run.Point.Viewers,
						report.Name(run.Topology), cores, c.Processors)
					if !slices.Contains(beyond, text) {
						beyond = append(beyond, text)
					}
					continue
				}
			}
			runs = append(runs, Planned{run, e.Settle, e.Seconds, e.TakesRun(run)})
		}
	}
	return runs, beyond
}

// Cores is how many processors a run is expected to keep busy.
func Cores(c report.Calibration, run experiment.Run) float64 {
	p, n := run.Point, float64(run.Point.Viewers)
	if !run.Topology.OfFiles() {
		packets := float64(newFrame(0, p.BitrateMbit, false, time.Time{}).parts) / frameTime.Seconds()
		return n * packets * c.PacketMicroseconds / 1e6
	}
	seconds, file := p.Expected(run.Topology).Seconds(), p.FileMiB*mebi
	if run.Topology == experiment.HTTP {
		return (n + 1) * file / seconds * c.HTTPMilliseconds / 1e3
	}
	return n * file / seconds * c.MegabyteMilliseconds / 1e3
}
