package main

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"slices"
	"time"
)

// loadReport is the part of the load client's report that is used.
type loadReport struct {
	Viewers    int     `json:"viewers"`
	Connected  int     `json:"connected"`
	Failed     int     `json:"failed"`
	Gone       int     `json:"lost"` // sessions that stood and went away
	FirstError string  `json:"firstError,omitempty"`
	Seconds    float64 `json:"seconds"`

	Packets       uint64 `json:"packetsReceived"`
	PacketsSteady uint64 `json:"packetsReceivedSteady"`
	LostSteady    uint64 `json:"packetsLostSteady"`
	BusyWaits     uint64 `json:"busyWaits"`

	Joins *struct {
		Connected     spread `json:"connected"`
		FirstKeyFrame spread `json:"firstKeyFrame"`
	} `json:"joins,omitempty"`
	Delay *struct {
		Median float64 `json:"median"`
		P99    float64 `json:"p99"`
	} `json:"delay,omitempty"`
	Server struct {
		CPUPerPacket float64 `json:"cpuPerPacket"` // µs
		CPUUser      float64 `json:"cpuUserPerPacket"`
		CPUSystem    float64 `json:"cpuSystemPerPacket"`
		CPUShare     float64 `json:"cpuShare"`
		RSSPerViewer int64   `json:"rssPerViewer"`
	} `json:"server"`
	Own struct {
		CPUShare   float64 `json:"cpuShare"`
		Overflowed uint64  `json:"overflowed"`
	} `json:"own"`
}

// spread is in ms.
type spread struct {
	Median float64 `json:"median"`
	P95    float64 `json:"p95"`
	Max    float64 `json:"max"`
}

// loss is the share of packets that did not come while all watched.
func (r *loadReport) loss() float64 {
	if r.PacketsSteady+r.LostSteady == 0 {
		return 0
	}
	return float64(r.LostSteady) / float64(r.PacketsSteady+r.LostSteady)
}

// line is one measurement with viewers.
type line struct {
	Peer       string     `json:"peer"`
	Viewers    int        `json:"viewers"`
	Cores      int        `json:"cores"` // the server's
	Report     loadReport `json:"report"`
	Publisher  float64    `json:"publisher"`         // cores that it used
	ClientCore float64    `json:"clientCore"`        // how busy the clients' core was while all watched; what it does for the card is no process's
	Batch      float64    `json:"batch,omitempty"`   // packets a message
	BatchKnown bool       `json:"batchKnown"`        // the server told it
	Mallocs    float64    `json:"mallocs"`           // allocations a packet that was sent, where the server tells
	Failure    string     `json:"failure,omitempty"` // there is no report
	Quiet      quiet      `json:"quiet"`
}

// What a server that holds keeps to.
const (
	maxLoss  = 0.001
	maxDelay = 50.0 // ms, p99
)

// breach tells in which respect the server did not hold, "" when it did.
func (l *line) breach() string {
	r := &l.Report
	switch {
	case l.Failure != "":
		return l.Failure
	case r.Failed+r.Gone > 0:
		return fmt.Sprintf("%d viewers failed", r.Failed+r.Gone)
	case r.loss() > maxLoss:
		return fmt.Sprintf("%.2f %% lost", 100*r.loss())
	case r.Delay == nil:
		return "the delay is not known"
	case r.Delay.P99 > maxDelay:
		return fmt.Sprintf("p99 %.0f ms", r.Delay.P99)
	}
	return ""
}

// delivers tells that nobody was left out and hardly a packet lost, however late it all came.
func (l *line) delivers() bool {
	r := &l.Report
	return l.Failure == "" && r.Failed+r.Gone == 0 && r.loss() <= maxLoss
}

// client is how busy the clients' core was, publisher included.
func (l *line) client() float64 { return max(l.ClientCore, l.Report.Own.CPUShare+l.Publisher) }

// clientsLimit tells that a breach is the clients' and says nothing of the server: their core was full and the server's was not.
func (l *line) clientsLimit() bool {
	return l.breach() != "" && l.client() >= 0.95 && l.Report.Server.CPUShare < 0.85
}

// void tells why the line does not count, "" when it does.
func (l *line) void() string { return l.Quiet.void() }

// load measures one number of viewers of a fresh server. A line that was disturbed is measured once more.
func (b *bench) load(ctx context.Context, peer string, viewers int, cores, client []int, steady time.Duration) (l line, err error) {
	for range 2 {
		if l, err = b.loadOnce(ctx, peer, viewers, cores, client, steady); err != nil || l.void() == "" {
			break
		}
	}
	return l, err
}

func (b *bench) loadOnce(ctx context.Context, peer string, viewers int, cores, client []int, steady time.Duration) (line, error) {
	return b.loadAfter(ctx, 0, peer, viewers, cores, client, steady)
}

// loadAfter is loadOnce when the stream has been there for some time.
func (b *bench) loadAfter(ctx context.Context, since time.Duration, peer string, viewers int, cores, client []int, steady time.Duration) (line, error) {
	l := line{Peer: peer, Viewers: viewers, Cores: len(cores)}
	s, err := b.startServer(ctx, peer, cores)
	if err != nil {
		return l, err
	}
	if err = s.publish(ctx, benchStream); err == nil {
		err = pause(ctx, since)
	}
	if err == nil {
		err = l.watch(ctx, s, client, steady)
	}
	// A server or a publisher that broke down under the load is a finding, too.
	if stopped := s.stop(); stopped != nil && l.Failure == "" {
		l.Failure = stopped.Error()
	}
	return l, cmp.Or(ctx.Err(), err)
}

// watch lets the viewers join and watch, and looks at the machine before and after.
func (l *line) watch(ctx context.Context, s *server, client []int, steady time.Duration) error {
	stop := s.looking(ctx)
	before, err := look()
	if err != nil {
		return err
	}
	busy := watchCore(ctx, client, joining(l.Viewers, rampOf(l.Viewers, s.bench.card != nil))+settled, steady-settled)
	l.Report, _, err = s.load(ctx, client, benchStream, l.Viewers, rampOf(l.Viewers, s.bench.card != nil), steady)
	if err != nil {
		l.Failure = err.Error()
	}
	looks := stop()
	after, err := look()
	l.judge(before, after, s, looks)
	l.ClientCore = <-busy
	return err
}

// judge fills in what was seen from outside.
func (l *line) judge(before, after snapshot, s *server, looks []metrics) {
	l.Quiet = quietBetween(before, after, os.Getpid())
	if s.bench.card != nil {
		l.Quiet.Unseen = unseenOn(s.bench.server[0], s.pid(), before, after)
	}
	publisher := s.publishers[0].pid()
	if d := after.at.Sub(before.at).Seconds(); d > 0 {
		l.Publisher = max(0, after.processes[publisher].cpu-before.processes[publisher].cpu).Seconds() / d
	}
	if l.Peer == fanfare {
		l.Batch, l.BatchKnown = meanBatch(looks)
		l.Mallocs = allocations(looks)
	}
}

// text is for the terminal.
func (l *line) text() string {
	r := &l.Report
	if l.Failure != "" {
		return fmt.Sprintf("%s, %d viewers: %s", l.Peer, l.Viewers, l.Failure)
	}
	text := fmt.Sprintf("%s, %d viewers: %.2f us a packet, server %.0f %%, clients %.0f %%, %s, %.3f %% lost", l.Peer, l.Viewers,
		r.Server.CPUPerPacket, 100*r.Server.CPUShare, 100*l.client(), l.delay(), 100*r.loss())
	if why := l.breach(); why != "" {
		text += "; does not hold: " + why
	}
	if why := l.void(); why != "" {
		text += "; VOID, the machine was not quiet: " + why
	}
	return text
}

func (l *line) delay() string {
	if l.Report.Delay == nil {
		return "–"
	}
	return fmt.Sprintf("%.1f / %.1f ms", l.Report.Delay.Median, l.Report.Delay.P99)
}

// median of the values, 0 when there are none.
func median(values []float64) float64 {
	if len(values) == 0 {
		return 0
	}
	s := slices.Sorted(slices.Values(values))
	if n := len(s); n%2 == 0 {
		return (s[n/2-1] + s[n/2]) / 2
	}
	return s[len(s)/2]
}
