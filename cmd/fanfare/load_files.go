package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/fanfare-relay/fanfare/mesh/peer"
	"github.com/fanfare-relay/fanfare/mesh/seal"
	"github.com/fanfare-relay/fanfare/mesh/store"
)

type loadFilesCmd struct {
	URL       secret        `arg:"" name:"url" help:"The link that fanfare send or the page printed: itself, @FILE to read it from, or - for standard input."`
	Receivers int           `short:"n" name:"receivers" default:"5" placeholder:"N" help:"Receivers. The uploader's room has a limit, 63 at most."`
	For       time.Duration `default:"10m" help:"How long at most. Who has everything goes on passing it on until all have, or this is over."`
	Ramp      perSecond     `default:"25/s" help:"How fast they come."`
	Password  secret        `aliases:"token" placeholder:"TEXT" help:"Password of the transfer (--token is the same): itself, @FILE to read it from, or - for standard input."`
	UpRate    byteRate      `placeholder:"BYTES" help:"Bytes a second that each receiver sends at most, such as 2M. Default: no limit."`
	RelayOnly bool          `help:"Offer no addresses: everything goes through the server's relay."`
	PID       int           `name:"pid" placeholder:"PID" help:"Process of the server on this machine: tells its processor time and memory (Linux)."`
	JSON      bool          `name:"json" help:"Write the report as JSON."`
}

// Help is shown under the flags.
func (*loadFilesCmd) Help() string {
	return `The receivers are whole peers in this process: they are let in, pass on, verify everything, and write it to a folder for temporary files that is removed at the end (TMPDIR says where; it needs the files' size for each receiver). The uploader must let everybody in by itself.

Examples:
  fanfare load files 'http://127.0.0.1:8080/f/q1fWtdUkFzvGxmW8mVQnDg#v1.…' -n 8
      How soon eight receivers have everything, and how often the uploader sent it for that.
  fanfare load files @link.txt -n 20 --for 2m --up-rate 1M --json`
}

// mostReceivers is what a room has place for, beside the uploader.
const mostReceivers = 63

// Run fetches and reports.
func (c *loadFilesCmd) Run(ctx context.Context, std stdio) error {
	if err := c.check(); err != nil {
		return err
	}
	text, err := c.URL.read(std.in)
	if err != nil {
		return err
	}
	link, err := seal.ParseLink(text)
	if err != nil {
		return usageError{err.Error()}
	}
	password, err := c.Password.read(std.in)
	if err != nil {
		return err
	}
	meter, err := newMeter(c.PID)
	if err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "fanfare-load-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	st := newStatus(std.err)
	defer st.done()
	f := &fetchers{cmd: c, link: link, password: password, dir: dir, meter: meter, self: ownMeter()}
	stop := st.every(time.Second, f.line)
	r, err := f.run(ctx)
	stop()
	if err != nil {
		return transferError(err, false)
	}
	st.done()
	if c.JSON {
		return writeJSON(std, r)
	}
	_, err = fmt.Fprint(std.out, r.text())
	return err
}

// fetcher is one receiver.
type fetcher struct {
	*peer.Peer
	begun time.Time

	mu       sync.Mutex
	letIn    time.Time
	finished time.Time
	err      error
	sink     *store.Sink
}

// fetchers are all of them.
type fetchers struct {
	cmd         *loadFilesCmd
	link        seal.Link
	password    string
	dir         string
	meter, self meter

	mu    sync.Mutex
	list  []*fetcher
	tasks sync.WaitGroup
}

// filesReport is what load files found.
type filesReport struct {
	Receivers  int    `json:"receivers"`
	Finished   int    `json:"finished"`
	Failed     int    `json:"failed"`
	FirstError string `json:"firstError,omitempty"`
	// Interrupted and TimeOver mark a partial measurement: a person ended it, or its time was over before everybody had
	// everything or had failed.
	Interrupted bool    `json:"interrupted,omitempty"`
	TimeOver    bool    `json:"timeOver,omitempty"`
	Seconds     float64 `json:"seconds"` // from the first that came to the end
	Bytes       int64   `json:"bytes"`   // of the files
	LetIn       spread  `json:"letIn"`   // ms from coming
	// Whole is when receivers had everything, ms from their coming; Last that of the last, in seconds from the first coming.
	Whole spread  `json:"whole"`
	Last  float64 `json:"lastSeconds"`
	// BytesReceived are verified; those of FromUploader came from the uploader itself, of ByRelay through the server.
	BytesReceived     int64         `json:"bytesReceived"`
	BytesFromUploader int64         `json:"bytesFromUploader"`
	BytesByRelay      int64         `json:"bytesByRelay"`
	Copies            float64       `json:"copiesFromUploader"`
	Server            *serverReport `json:"server,omitempty"`
	Own               ownReport     `json:"own"`
}

// run lets everybody come, and waits until all have everything or have failed, the time is over, or ctx ends.
func (f *fetchers) run(ctx context.Context) (r filesReport, err error) {
	r.Receivers = f.cmd.Receivers
	start, err := f.meter.read()
	if err != nil {
		return r, err
	}
	ownStart, _ := f.self.read()
	fetching, end := context.WithCancel(context.WithoutCancel(ctx))
	defer f.tasks.Wait()
	defer end()
	limited, cancel := context.WithTimeout(ctx, f.cmd.For)
	defer cancel()
	begin := time.Now()
	done := make(chan struct{}, f.cmd.Receivers)
	for i := range f.cmd.Receivers {
		if !pause(limited, time.Until(begin.Add(time.Duration(i)*f.cmd.Ramp.gap()))) {
			break
		}
		if err := f.add(fetching, i, done); err != nil {
			return r, err
		}
	}
	for range f.cmd.Receivers {
		select {
		case <-done:
		case <-limited.Done():
		}
	}
	r.Seconds, r.Interrupted = time.Since(begin).Seconds(), ctx.Err() != nil
	if r.fill(f.all(), begin); r.Failed == r.Receivers {
		return r, f.all()[0].err
	}
	r.TimeOver = limited.Err() != nil && !r.Interrupted && r.Finished+r.Failed < r.Receivers
	if after, err := f.meter.read(); err == nil && f.meter.on {
		r.Server = &serverReport{RSSStart: start.rss}
		r.Server.fill(start, start, after, r.Receivers, 0)
	}
	if ownAfter, err := f.self.read(); err == nil && f.self.on {
		r.Own.fill(ownStart, ownAfter)
	}
	return r, nil
}

// add lets a receiver come. done hears once, when it has everything or has failed.
func (f *fetchers) add(ctx context.Context, i int, done chan<- struct{}) error {
	one := &fetcher{begun: time.Now()}
	identity, err := peer.NewIdentity()
	if err != nil {
		return err
	}
	settled := sync.OnceFunc(func() { done <- struct{}{} })
	one.Peer, err = peer.New(peer.Config{
		Link: f.link, Identity: identity, Transport: transportTo(f.link.Server, f.cmd.RelayOnly), UpRate: int(f.cmd.UpRate),
		Log: slog.New(slog.DiscardHandler),
		Tell: func(e peer.Event) {
			if one.note(e, time.Now()) {
				settled()
			}
		},
		Fetch: &peer.Fetch{Name: fmt.Sprintf("load %d", i+1), Password: f.password, Seed: true, Accept: func(_ context.Context, o peer.Offered) (*store.Sink, error) {
			sink, err := store.OpenSink(store.Spec{Out: filepath.Join(f.dir, fmt.Sprint(i+1)), Room: f.link.Room, Manifest: o.Manifest, Blob: o.Blob})
			one.mu.Lock()
			defer one.mu.Unlock()
			one.sink = sink
			return sink, err
		}},
	})
	if err != nil {
		return err
	}
	f.mu.Lock()
	f.list = append(f.list, one)
	f.mu.Unlock()
	f.tasks.Go(func() {
		defer settled()
		err := one.Run(ctx)
		one.mu.Lock()
		defer one.mu.Unlock()
		if one.sink != nil {
			err = errors.Join(err, one.sink.Close())
		}
		if one.finished.IsZero() && ctx.Err() == nil {
			one.err = err
		}
	})
	return nil
}

// note takes an event; true when everything is here.
func (one *fetcher) note(e peer.Event, now time.Time) bool {
	one.mu.Lock()
	defer one.mu.Unlock()
	switch e.(type) {
	case peer.Admitted:
		if one.letIn.IsZero() {
			one.letIn = now
		}
	case peer.Finished:
		one.finished = now
		return true
	}
	return false
}

func (f *fetchers) all() []*fetcher {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.list)
}

// fill adds up what has become of all.
func (r *filesReport) fill(list []*fetcher, begin time.Time) {
	var letIn, whole []time.Duration
	for _, one := range list {
		st := one.Status()
		r.Bytes = max(r.Bytes, st.Total)
		r.BytesReceived += st.Held
		for _, p := range st.Peers {
			if p.Uploader {
				r.BytesFromUploader += p.Taken
			}
			if p.Relayed {
				r.BytesByRelay += p.Taken
			}
		}
		one.mu.Lock()
		if !one.letIn.IsZero() {
			letIn = append(letIn, one.letIn.Sub(one.begun))
		}
		if !one.finished.IsZero() {
			r.Finished++
			whole = append(whole, one.finished.Sub(one.begun))
			r.Last = max(r.Last, one.finished.Sub(begin).Seconds())
		}
		if one.err != nil {
			r.Failed++
			if r.FirstError == "" {
				r.FirstError = one.err.Error()
			}
		}
		one.mu.Unlock()
	}
	r.LetIn, r.Whole = spreadOf(letIn), spreadOf(whole)
	if r.Bytes > 0 {
		r.Copies = float64(r.BytesFromUploader) / float64(r.Bytes)
	}
}

// line says how it goes.
func (f *fetchers) line() string {
	finished, rate, held, total := 0, 0.0, int64(0), int64(0)
	list := f.all()
	for _, one := range list {
		st := one.Status()
		rate, held, total = rate+st.Down, held+st.Held, total+st.Total
		if st.Finished {
			finished++
		}
	}
	return fmt.Sprintf("%d of %d have everything; %d %% of all, %s/s", finished, f.cmd.Receivers, percent(held, max(total, 1)), size(uint64(rate)))
}

// partial says why less was measured than was to be; "" when all was.
func (r *filesReport) partial() string {
	if r.TimeOver {
		return "PARTIAL         the time was over before all receivers had everything (--for gives more); what was measured until then follows\n"
	}
	return partial(r.Interrupted, false, "receiver")
}

// text is the report for people.
func (r *filesReport) text() string {
	var b strings.Builder
	b.WriteString(r.partial())
	fmt.Fprintf(&b, "Receivers       %d, %d have everything, %d failed\n", r.Receivers, r.Finished, r.Failed)
	if r.FirstError != "" {
		fmt.Fprintf(&b, "First error     %s\n", oneLine(r.FirstError))
	}
	fmt.Fprintf(&b, "Let in          median %.1f ms, p95 %.1f, max %.1f\n", r.LetIn.Median, r.LetIn.P95, r.LetIn.Max)
	fmt.Fprintf(&b, "Everything      median %.0f ms after coming, p95 %.0f, max %.0f; the last %.2f s after the first came\n", r.Whole.Median, r.Whole.P95, r.Whole.Max, r.Last)
	fmt.Fprintf(&b, "Received        %s of %s a receiver, %s in all\n", size(uint64(r.BytesReceived/int64(max(r.Receivers, 1)))), size(uint64(r.Bytes)), size(uint64(r.BytesReceived)))
	fmt.Fprintf(&b, "From uploader   %s, %.2f copies; by the server's relay %s\n", size(uint64(r.BytesFromUploader)), r.Copies, size(uint64(r.BytesByRelay)))
	if r.Own.CPUShare > 0 {
		fmt.Fprintf(&b, "This client     %.1f %% of a core\n", 100*r.Own.CPUShare)
	}
	if s := r.Server; s != nil {
		fmt.Fprintf(&b, "Server          %.2f s of processor time\n", s.CPUSeconds)
	}
	return b.String()
}
