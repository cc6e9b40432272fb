// Package files measures how long a file takes to all receivers: by the swarm of package mesh/peer, by as many copies as there are
// receivers, which is the same code with one receiver in each room, and by HTTP through a server. A stage is one run. Peers and server
// are real: peers meet in its rooms, and plain HTTP goes through its bounded memory, with its keys and addresses. What they send each
// other goes over emulated lines and streams.
//
// It runs in real time and writes files into a folder that it removes. It prints nothing and judges nothing.
package files

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"github.com/fanfare-relay/fanfare/compare/emulate"
	"github.com/fanfare-relay/fanfare/compare/experiment"
	"github.com/fanfare-relay/fanfare/compare/lateness"
	"github.com/fanfare-relay/fanfare/compare/report"
	"github.com/fanfare-relay/fanfare/media"
)

const (
	header = 28 // IPv4 and UDP, bytes
	// queueTime is how much of a line's rate waits before it; what comes beyond is lost.
	queueTime = 100 * time.Millisecond
	leastMTUs = 16 // a queue holds at least so many packets
	// A run that takes longer than so many times what is expected, and this, is given up.
	patience     = 3
	morePatience = 20 * time.Second
)

// stage is one run.
type stage struct {
	run       experiment.Run
	dir       string
	path      string // of the file
	size      int64
	net       *emulate.Network
	uploader  *emulate.Host
	server    *emulate.Host
	receivers []*receiver

	begun  func()
	begin  time.Time
	legs   []float64 // of HTTP: seconds until the uploader knew that the server had everything
	copies float64   // that the uploader has sent
}

// receiver is one machine that fetches the file.
type receiver struct {
	id   string
	host *emulate.Host

	mu    sync.Mutex
	whole time.Time
	held  int64
}

func (r *receiver) finished(now time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.whole = now
}

// Measure carries out one run. What there is when ctx ends, or when it takes too long, is returned, marked; when that is nothing,
// an error.
func Measure(ctx context.Context, run experiment.Run) (report.Sample, error) {
	return measure(ctx, run, func() {})
}

// measure calls begun when the clock begins.
func measure(ctx context.Context, run experiment.Run, begun func()) (report.Sample, error) {
	s, err := open(run)
	if err != nil {
		return report.Sample{}, err
	}
	defer os.RemoveAll(s.dir)
	s.begun = begun
	limit := patience*run.Point.Expected(run.Topology) + morePatience
	limited, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	probe := lateness.Start()
	switch run.Topology {
	case experiment.Swarm:
		err = s.mesh(limited, [][]*receiver{s.receivers})
	case experiment.Copies:
		err = s.mesh(limited, each(s.receivers))
	case experiment.HTTP:
		err = s.http(limited)
	default:
		err = fmt.Errorf("%w: %s is no way of files", experiment.ErrBad, run.Topology)
	}
	late := probe.Stop()
	if s.begin.IsZero() {
		return report.Sample{}, errors.Join(errNotBegun, err)
	}
	return s.result(ctx, err, late), nil
}

var errNotBegun = errors.New("the receivers did not come together")

// start begins the clock.
func (s *stage) start() {
	s.begin = time.Now()
	s.begun()
}

// each makes a group of every receiver.
func each(all []*receiver) (groups [][]*receiver) {
	for r := range slices.Chunk(all, 1) {
		groups = append(groups, r)
	}
	return groups
}

// beside is what the server keeps, and peers of what they have, bytes.
const beside = 1 << 20

// sizeOf is that of the file, bytes.
func sizeOf(p experiment.Point) int64 { return int64(p.FileMiB * (1 << 20)) }

// Space is how many bytes a run takes of the folder for temporary files: the file, and a copy for each receiver that passes it on
// or may. What comes by HTTP is not kept.
func Space(run experiment.Run) int64 {
	copies := int64(1 + run.Point.Viewers)
	if run.Topology == experiment.HTTP {
		copies = 1
	}
	return copies*sizeOf(run.Point) + beside
}

// open makes the file and the machines.
func open(run experiment.Run) (*stage, error) {
	dir, err := os.MkdirTemp("", "fanfare-compare-")
	if err != nil {
		return nil, err
	}
	s := &stage{run: run, dir: dir, path: filepath.Join(dir, "file"), size: sizeOf(run.Point), net: emulate.NewNetwork(run.Seed)}
	content := make([]byte, s.size)
	_, _ = rand.NewChaCha8([32]byte{byte(run.Seed), byte(run.Seed >> 8)}).Read(content) // which never fails
	if err := os.WriteFile(s.path, content, 0o600); err != nil {
		return nil, errors.Join(err, os.RemoveAll(dir))
	}
	here := line(run.Point)
	s.uploader = s.net.Host(here)
	s.server = s.net.Host(emulate.Line{Delay: here.Delay, Header: header})
	for i := range run.Point.Viewers {
		s.receivers = append(s.receivers, &receiver{id: fmt.Sprintf("r%02d", i+1), host: s.net.Host(here)})
	}
	return s, nil
}

// line is that of every machine but the server. Half of the way between two machines is at either end.
func line(p experiment.Point) emulate.Line {
	queue := func(rate media.Bitrate) int { return max(int(float64(rate)/8*queueTime.Seconds()), leastMTUs*1500) }
	l := emulate.Line{Delay: time.Duration(p.RoundTripMS / 4 * float64(time.Millisecond)), Header: header}
	l.UpRate, l.Rate = media.Bitrate(p.UplinkMbit*1e6), media.Bitrate(p.DownlinkMbit*1e6)
	l.UpQueue, l.Queue = queue(l.UpRate), queue(l.Rate)
	return l
}

// result is what has become of everybody.
func (s *stage) result(ctx context.Context, err error, late float64) report.Sample {
	const mb = 1e6
	r := report.Sample{
		Run: s.run, Started: s.begin.UTC(), Seconds: time.Since(s.begin).Seconds(), LatenessMS: late, Interrupted: ctx.Err() != nil,
		BoundSeconds: s.run.Point.Bound(s.run.Topology).Seconds(), CopiesSent: s.copies,
		UploaderMB: float64(s.uploader.Sent()) / mb, ServerMB: float64(s.server.Sent()) / mb,
	}
	if len(s.legs) > 0 {
		r.UploadSeconds = s.legs[0]
	}
	missing := 0
	for _, one := range s.receivers {
		r.PassedOnMB += float64(one.host.Sent()) / mb
		one.mu.Lock()
		f := report.Receiver{ID: one.id, Whole: !one.whole.IsZero(), Bytes: one.held, Seconds: r.Seconds}
		if f.Whole {
			f.Bytes, f.Seconds = s.size, one.whole.Sub(s.begin).Seconds()
		} else {
			missing++
		}
		one.mu.Unlock()
		r.Receivers = append(r.Receivers, f)
	}
	switch {
	case r.Interrupted:
		r.Problem = "it was interrupted"
	case err != nil && !errors.Is(err, context.DeadlineExceeded):
		r.Problem = err.Error()
	case missing > 0:
		r.Problem = fmt.Sprintf("%d of %d receivers did not have everything in time", missing, len(s.receivers))
	case late > report.MaxLateness:
		r.Problem = report.Busy(late)
	}
	return r
}
