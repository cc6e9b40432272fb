package compare

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/rpc"
	"net/rpc/jsonrpc"
	"os/exec"
	"time"

	"github.com/fanfare-relay/fanfare/compare/experiment"
	"github.com/fanfare-relay/fanfare/compare/lateness"
	"github.com/fanfare-relay/fanfare/compare/report"
)

// Processes runs each role in a process of its own, to tell their processor time.
type Processes struct {
	// Command makes a process that calls ServeRole with its standard input and output.
	Command func() *exec.Cmd
	// CPU tells the processor time that a process has used.
	CPU func(pid int) (time.Duration, error)
}

// child is one process.
type child struct {
	report.Process
	cmd   *exec.Cmd
	input io.Closer
	call  *rpc.Client
	from  Seen
	cpu   time.Duration
}

// crew is a run's processes; feeds are the legs, sender first.
type crew struct {
	p        *Processes
	run      experiment.Run
	server   *child
	uploader *child
	viewers  []*child
	all      []*child
}

// leastWhole is the share of frames that must have come whole for a run to be valid.
const leastWhole = 0.95

// Measure carries out one run on loopback. Where a process ends meanwhile, the sample says so and has what the others used.
func (p *Processes) Measure(ctx context.Context, run experiment.Run, settle, seconds float64) (report.Sample, error) {
	c := &crew{p: p, run: run}
	defer c.end()
	opening, cancel := context.WithTimeout(ctx, openWithin)
	defer cancel()
	if err := c.open(opening); err != nil {
		return report.Sample{}, err
	}
	if !pause(ctx, time.Duration(settle*float64(time.Second))) {
		return report.Sample{}, ctx.Err()
	}
	r := report.Sample{Run: run, Started: time.Now().UTC()}
	if err := c.look(ctx, false); err != nil {
		return r, err
	}
	probe, from := lateness.Start(), time.Now()
	r.Interrupted = !pause(ctx, time.Duration(seconds*float64(time.Second)))
	r.Seconds = time.Since(from).Seconds()
	ended := c.look(context.WithoutCancel(ctx), true)
	r.LatenessMS = probe.Stop()
	r.Frames = c.uploader.Frames
	for _, one := range c.all {
		r.Processes = append(r.Processes, one.Process)
	}
	r.Problem = c.problem(r, ended)
	return r, nil
}

// problem says why a run is invalid.
func (c *crew) problem(r report.Sample, ended error) string {
	switch {
	case ended != nil:
		return ended.Error()
	case r.Interrupted:
		return "it was interrupted"
	case r.LatenessMS > report.MaxLateness:
		return report.Busy(r.LatenessMS)
	}
	for _, v := range c.viewers {
		if float64(v.WholeFrames) < leastWhole*float64(r.Frames) {
			return fmt.Sprintf("%s got %d of %d frames", v.ID, v.WholeFrames, r.Frames)
		}
	}
	return ""
}

// fanout is how many a tree's machines send to; 0 for other topologies.
func fanout(t experiment.Topology) int {
	switch t {
	case experiment.Tree2:
		return 2
	case experiment.Tree3:
		return 3
	}
	return 0
}

// above tells who sends to the n-th viewer where viewers pass on: a full tree, level by level; -1 for the uploader.
func above(n, fanout int) int {
	if fanout == 0 || n < fanout {
		return -1
	}
	return (n - fanout) / fanout
}

// open starts everybody and connects them.
func (c *crew) open(ctx context.Context) (err error) {
	if c.run.Topology == experiment.SFU {
		if c.server, err = c.start(ctx, "server", report.RoleServer); err != nil {
			return err
		}
	}
	if c.uploader, err = c.start(ctx, "uploader", report.RoleUploader); err != nil {
		return err
	}
	if c.server != nil {
		if err := c.uploader.join(ctx, c.server, "Role.Publish", Leg{Name: "server", ToServer: true}); err != nil {
			return err
		}
		c.uploader.Sends = 1
	}
	if err := c.uploader.do(ctx, "Role.Play", struct{}{}, &struct{}{}); err != nil {
		return err
	}
	for i := range c.run.Point.Viewers {
		if err := c.add(ctx, i); err != nil {
			return err
		}
	}
	return nil
}

// add lets the n-th viewer come.
func (c *crew) add(ctx context.Context, n int) error {
	role, k := report.RoleViewer, fanout(c.run.Topology)
	if k > 0 && k*(n+1) < c.run.Point.Viewers {
		role = report.RoleRelay
	}
	v, err := c.start(ctx, fmt.Sprintf("v%02d", n+1), role)
	if err != nil {
		return err
	}
	c.viewers = append(c.viewers, v)
	if c.server != nil {
		c.server.Sends++
		return v.join(ctx, c.server, "Role.Subscribe", Leg{Name: "server", Receives: true})
	}
	from := c.uploader
	if at := above(n, k); at >= 0 {
		from = c.viewers[at]
	}
	from.Sends++
	return from.join(ctx, v, "Role.Answer", Leg{Name: v.ID})
}

// join offers a leg to another process and takes its answer.
func (c *child) join(ctx context.Context, to *child, method string, l Leg) error {
	var offer, answer string
	if err := c.do(ctx, "Role.Offer", l, &offer); err != nil {
		return err
	}
	if err := to.do(ctx, method, Leg{Name: l.Name, SDP: offer}, &answer); err != nil {
		return err
	}
	return c.do(ctx, "Role.Take", Leg{Name: l.Name, SDP: answer}, &struct{}{})
}

// do calls a process and waits for it.
func (c *child) do(ctx context.Context, method string, args, reply any) error {
	call := c.call.Go(method, args, reply, make(chan *rpc.Call, 1))
	select {
	case <-call.Done:
		if errors.Is(call.Error, rpc.ErrShutdown) || errors.Is(call.Error, io.ErrUnexpectedEOF) {
			return fmt.Errorf("%w: %s", errGone, c.ID)
		}
		return call.Error
	case <-ctx.Done():
		return ctx.Err()
	}
}

var errGone = errors.New("a process has ended")

// start makes a process.
func (c *crew) start(ctx context.Context, id, role string) (*child, error) {
	cmd := c.p.Command()
	in, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	one := &child{Process: report.Process{ID: id, Role: role}, cmd: cmd, input: in, call: jsonrpc.NewClient(ends{out, in})}
	c.all = append(c.all, one)
	return one, one.do(ctx, "Role.Start", Begin{role, c.run.Point.BitrateMbit}, &struct{}{})
}

// ends are a process's output and input as one.
type ends struct {
	io.Reader
	io.WriteCloser
}

// look reads what everybody has used and seen: at the end the difference to before.
func (c *crew) look(ctx context.Context, end bool) (err error) {
	made := 0
	for _, one := range c.all {
		var seen Seen
		used, e := c.p.CPU(one.cmd.Process.Pid)
		if e == nil {
			e = one.do(ctx, "Role.Look", struct{}{}, &seen)
		} else {
			e = fmt.Errorf("%w: %s", errGone, one.ID)
		}
		if err = errors.Join(err, e); e != nil {
			continue
		}
		if !end {
			one.from, one.cpu = seen, used
			continue
		}
		one.CPUSeconds = (used - one.cpu).Seconds()
		if one == c.uploader {
			made = seen.Made - one.from.Made
			one.Frames = made
		} else if one.Role != report.RoleServer {
			one.Frames, one.WholeFrames = made, seen.Whole-one.from.Whole
		}
	}
	return err
}

// end lets everybody go and waits.
func (c *crew) end() {
	for _, one := range c.all {
		_ = one.input.Close()
		kill := time.AfterFunc(within, func() { _ = one.cmd.Process.Kill() })
		_ = one.cmd.Wait() // however it ends
		kill.Stop()
		_ = one.call.Close()
	}
}
