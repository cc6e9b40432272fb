package main

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/fanfare-relay/fanfare/endpoint"
)

type loadCmd struct {
	Whep loadWhepCmd `cmd:"" help:"Join a stream with many viewers by WHEP."`
}

type loadWhepCmd struct {
	URL      string        `arg:"" name:"url" help:"The link of a stream's page, or a WHEP endpoint."`
	Viewers  *int          `short:"n" name:"viewers" placeholder:"N" help:"Viewers that stay. Default: 10, with --joins 0."`
	For      time.Duration `default:"30s" help:"How long they stay once all have joined."`
	Ramp     perSecond     `default:"25/s" help:"How fast they join."`
	Joins    int           `default:"0" help:"Further viewers that join one after another, and each leave after the first whole key frame."`
	Apart    time.Duration `default:"1.5s" help:"Time from one of those joins to the next. Servers ask publishers for a key frame at most once a second, so less measures that limit."`
	Password secret        `placeholder:"TEXT" help:"Password of the stream: itself, @FILE to read it from, or - for standard input."`
	PID      int           `name:"pid" placeholder:"PID" help:"Process of the server on this machine: tells its processor time and memory (Linux)."`
	JSON     bool          `name:"json" help:"Write the report as JSON."`
}

// Help is shown under the flags.
func (*loadWhepCmd) Help() string {
	return `The clients are real WebRTC. Run the server with --dev, or its rate limits are what is measured.

Examples:
  fanfare load whep http://127.0.0.1:8080/w/demo -n 100 --for 60s --pid $(pidof fanfare)
      Packets, loss, delay, and what a viewer costs the server.
  fanfare load whep http://127.0.0.1:8080/w/demo --joins 20 --apart 1.5s
      How long a join takes until the first whole key frame.`
}

// perSecond is a rate such as "25/s" or "25".
type perSecond float64

// UnmarshalText reads the flag.
func (r *perSecond) UnmarshalText(b []byte) error {
	v, err := strconv.ParseFloat(strings.TrimSuffix(string(b), "/s"), 64)
	if err != nil || v <= 0 || v > 10_000 {
		return fmt.Errorf("%q is no rate such as 25/s", b)
	}
	*r = perSecond(v)
	return nil
}

// gap is the time between two joins.
func (r perSecond) gap() time.Duration { return time.Duration(float64(time.Second) / float64(r)) }

// joinTimeout is when a join without a whole key frame counts as failed.
const joinTimeout = 15 * time.Second

// Run joins, waits, and reports.
func (c *loadWhepCmd) Run(ctx context.Context, std stdio) error {
	viewers := 10
	if c.Joins > 0 {
		viewers = 0
	}
	if c.Viewers != nil {
		viewers = *c.Viewers
	}
	address, err := endpoint.ViewAddress(c.URL, "")
	switch {
	case errors.Is(err, endpoint.ErrNoStream):
		return usageError{"this is the address of a server; give the link of a stream's page"}
	case err != nil:
		return usageError{err.Error()}
	case viewers < 0 || c.Joins < 0 || viewers+c.Joins == 0 || viewers > 100_000:
		return usageError{"there is nobody to join; give -n or --joins"}
	}
	password, err := c.Password.read(std.in)
	if err != nil {
		return err
	}
	id, err := endpoint.NewIdentity()
	if err != nil {
		return err
	}
	meter, err := newMeter(c.PID)
	if err != nil {
		return err
	}
	l := &loader{url: address.Endpoint, password: password, id: id, meter: meter, status: newStatus(std.err)}
	defer l.status.done()
	report, err := l.run(ctx, viewers, c)
	if err != nil {
		return watchError(err)
	}
	l.status.done()
	if c.JSON {
		return writeJSON(std, report)
	}
	_, err = fmt.Fprint(std.out, report.text())
	return err
}

// loader runs the viewers.
type loader struct {
	url, password string
	id            endpoint.Identity
	meter         meter
	status        *status
	delays        delayHistogram

	mu      sync.Mutex
	viewers []*endpoint.Viewer
	failed  []error
	ended   int // sessions that stood and were lost
}

// run is the whole measurement: ramp, steady time, joins.
func (l *loader) run(ctx context.Context, viewers int, c *loadWhepCmd) (loadReport, error) {
	r := loadReport{Viewers: viewers}
	start, err := l.meter.read()
	if err != nil {
		return r, err
	}
	if l.meter.on {
		r.Server = &serverReport{RSSStart: start.rss}
	}
	hold, release := context.WithCancel(ctx)
	var sessions sync.WaitGroup
	defer sessions.Wait()
	defer release()
	stop := l.status.every(time.Second, l.line)
	defer stop()
	if viewers > 0 {
		if err := l.ramp(ctx, hold, &sessions, viewers, c.Ramp.gap()); err != nil {
			return r, err
		}
		if len(l.failed) == viewers {
			return r, l.failed[0]
		}
		if err := l.steady(ctx, c.For, &r); err != nil {
			return r, err
		}
	}
	if c.Joins > 0 {
		if err := l.joins(ctx, c.Joins, c.Apart, &r); err != nil {
			return r, err
		}
	}
	r.Failed, r.Lost = len(l.failed), l.ended
	if len(l.failed) > 0 {
		r.FirstError = l.failed[0].Error()
	}
	if len(l.failed) == viewers+c.Joins {
		return r, l.failed[0]
	}
	return r, nil
}

// ramp starts the viewers that stay, and waits until each has its first key frame or has failed.
func (l *loader) ramp(ctx, hold context.Context, sessions *sync.WaitGroup, n int, gap time.Duration) error {
	var joined sync.WaitGroup
	for i := range n {
		v := l.viewer(true)
		l.mu.Lock()
		l.viewers = append(l.viewers, v)
		l.mu.Unlock()
		joined.Add(1)
		sessions.Add(1)
		go func() {
			defer sessions.Done()
			l.session(hold, v, sync.OnceFunc(joined.Done))
		}()
		if i+1 < n && !pause(ctx, gap) {
			return ctx.Err()
		}
	}
	done := make(chan struct{})
	go func() { joined.Wait(); close(done) }()
	select {
	case <-done:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (l *loader) viewer(shallow bool) *endpoint.Viewer {
	return endpoint.NewViewer(endpoint.ViewerConfig{
		URL: l.url, Bearer: l.password, Shallow: shallow, OnDelay: l.delays.add,
	}, l.id)
}

// session is one viewer from POST to DELETE. joined is called when it has a key frame, or will not get one.
func (l *loader) session(hold context.Context, v *endpoint.Viewer, joined func()) {
	defer joined()
	err := l.untilKey(hold, v, joined)
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case hold.Err() != nil:
	case v.Timing().FirstKeyFrame > 0:
		l.ended++
	default:
		l.failed = append(l.failed, err)
	}
}

var errNoKeyFrame = errors.New("no whole key frame came in time; is the stream live?")

// untilKey runs a session; onKey is called at its first whole key frame, and a session that gets none is ended.
func (l *loader) untilKey(ctx context.Context, v *endpoint.Viewer, onKey func()) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	ended := make(chan error, 1)
	go func() { ended <- v.Session(ctx, nil) }()
	limit := time.NewTimer(joinTimeout)
	defer limit.Stop()
	select {
	case <-v.KeyFrame():
		onKey()
		return <-ended
	case err := <-ended:
		return err
	case <-limit.C:
		cancel(errNoKeyFrame)
		<-ended
		return errNoKeyFrame
	}
}

// steady lets the viewers stay and measures the server meanwhile.
func (l *loader) steady(ctx context.Context, d time.Duration, r *loadReport) error {
	before, err := l.meter.read()
	if err != nil {
		return err
	}
	packets := l.packets()
	l.delays.reset()
	begin := time.Now()
	pause(ctx, d) // an interrupted measurement is reported up to there
	r.Seconds = time.Since(begin).Seconds()
	after, err := l.meter.read()
	if err != nil {
		return err
	}
	r.fill(l.viewers, l.packets()-packets, &l.delays)
	if r.Server != nil {
		r.Server.fill(before, after, r.Connected, r.PacketsSteady)
	}
	return nil
}

func (l *loader) packets() (n uint64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, v := range l.viewers {
		for _, t := range v.Stats() {
			n += t.PacketsReceived
		}
	}
	return n
}

// joins lets viewers join one after another; each leaves with its first key frame.
func (l *loader) joins(ctx context.Context, n int, apart time.Duration, r *loadReport) error {
	var timings []endpoint.Timing
	next := time.Now()
	for range n {
		v := l.viewer(false)
		one, leave := context.WithCancel(ctx)
		err := l.untilKey(one, v, leave)
		leave()
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if t := v.Timing(); t.FirstKeyFrame > 0 {
			timings = append(timings, t)
		} else {
			l.failed = append(l.failed, err)
		}
		next = next.Add(apart)
		if !pause(ctx, time.Until(next)) {
			return ctx.Err()
		}
	}
	j := joinsOf(timings)
	r.SingleJoins = &j
	return nil
}

// pause waits; it tells false when ctx ended before.
func pause(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}

func (l *loader) line() string {
	l.mu.Lock()
	viewers := l.viewers
	failed := len(l.failed)
	l.mu.Unlock()
	up := 0
	for _, v := range viewers {
		if v.Timing().FirstKeyFrame > 0 {
			up++
		}
	}
	return fmt.Sprintf("%d of %d viewers have a picture, %d failed, %d packets", up, len(viewers), failed, l.packets())
}
