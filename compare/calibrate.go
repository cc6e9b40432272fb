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

// Measure carries out one run, as Measurer.Measure, Processes.Measure and files.Measure do.
func (r *Runner) Measure(ctx context.Context, p Planned) (report.Sample, error) {
	switch {
	case p.Run.Topology.OfFiles():
		return files.Measure(ctx, p.Run)
	case !p.Run.OwnProcesses:
		return r.streams.Measure(ctx, p.Run, p.Settle, p.Seconds)
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
	mostOfMachine      = 0.75
)

// Calibrate measures what a packet to a viewer costs here, by a small star, and a megabyte from peer to peer, as far as the experiments
// need them. A star is the dearest way of streams: each copy is sealed and opened by a whole WebRTC stack.
func (r *Runner) Calibrate(ctx context.Context, list []experiment.Experiment) (*report.Calibration, error) {
	if r.cpu == nil {
		return nil, ErrUntold
	}
	c := report.Calibration{Processors: runtime.GOMAXPROCS(0), MostOfThem: mostOfMachine * float64(runtime.GOMAXPROCS(0))}
	if slices.ContainsFunc(list, func(e experiment.Experiment) bool { return !e.OfFiles() }) {
		run := experiment.Run{Topology: experiment.Star, Seed: 1, Point: experiment.Point{
			Viewers: calibrationViewers, LossBurst: 1, UplinkMbit: 1000, BitrateMbit: calibrationMbit, Repair: true,
		}}
		sample, used, err := r.streams.measure(ctx, run, 0, calibrationSeconds, r.cpu)
		if err != nil {
			return nil, err
		}
		packets := 0
		for _, v := range sample.Viewers {
			packets += v.Received
		}
		c.PacketMicroseconds = used.Seconds() * 1e6 / float64(max(packets, 1))
	}
	if slices.ContainsFunc(list, experiment.Experiment.OfFiles) {
		run := experiment.Run{Topology: experiment.Swarm, Seed: 1, Point: experiment.Point{Viewers: 1, UplinkMbit: 1000, FileMiB: calibrationMiB}}
		before, err := r.cpu()
		if err != nil {
			return nil, err
		}
		if _, err := files.Measure(ctx, run); err != nil {
			return nil, err
		}
		after, err := r.cpu()
		if err != nil {
			return nil, err
		}
		c.MegabyteMilliseconds = (after - before).Seconds() * 1e3 / (calibrationMiB * 1.048576)
	}
	return &c, nil
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
	seconds := p.Expected(run.Topology).Seconds()
	return n * p.FileMiB * 1.048576 / seconds * c.MegabyteMilliseconds / 1e3
}
