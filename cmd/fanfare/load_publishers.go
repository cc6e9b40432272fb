package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/fanfare-relay/fanfare/endpoint"
)

// publisher is one of those that load whip runs. err is set when ended is closed.
type publisher struct {
	*endpoint.Synthetic
	live, ended chan struct{}
	err         error
	begun       time.Time
	joined      time.Duration // until it was live, set when live is closed
}

// publishers are all of them.
type publishers struct {
	list        []*publisher
	meter, self meter
	status      *status
	tasks       sync.WaitGroup
}

// publishReport is what load whip found. The names of figures of the media are those of getStats; they are sums over all publishers.
type publishReport struct {
	Publishers  int     `json:"publishers"`
	Live        int     `json:"live"` // were live
	Failed      int     `json:"failed"`
	Lost        int     `json:"lost"` // were live and went away
	FirstError  string  `json:"firstError,omitempty"`
	Seconds     float64 `json:"seconds"` // while all that could were live
	Interrupted bool    `json:"interrupted,omitempty"`
	AllGone     bool    `json:"allGone,omitempty"`
	Joins       spread  `json:"joins"` // ms until live

	PacketsSent       uint64 `json:"packetsSent"`
	PacketsSentSteady uint64 `json:"packetsSentSteady"` // in Seconds
	BytesSent         uint64 `json:"bytesSent"`
	FramesSent        uint64 `json:"framesSent"` // pictures
	KeyFramesSent     uint64 `json:"keyFramesSent"`
	NACKCount         uint64 `json:"nackCount"`
	PLICount          uint64 `json:"pliCount"`
	PacketsLost       int64  `json:"packetsLost"` // by the server's word

	Server *serverReport `json:"server,omitempty"`
	Own    ownReport     `json:"own"`
}

// run begins one after another, lets them publish, and reports. Its error is that of the first when none was ever live.
func (p *publishers) run(ctx context.Context, d, gap time.Duration) (publishReport, error) {
	r := publishReport{Publishers: len(p.list)}
	start, err := p.meter.read()
	if err != nil {
		return r, err
	}
	publishing, end := context.WithCancel(context.WithoutCancel(ctx))
	defer p.tasks.Wait()
	defer end()
	stop := p.status.every(time.Second, p.line)
	defer stop()
	p.begin(ctx, publishing, gap)
	before, err := p.meter.read()
	if err != nil {
		return r, err
	}
	ownBefore, _ := p.self.read()
	first, begin := p.sum(), time.Now()
	r.AllGone = p.watch(ctx, d)
	r.Seconds, r.Interrupted = time.Since(begin).Seconds(), ctx.Err() != nil && d > 0
	r.fill(p.sum(), first)
	if p.count(&r); r.Live == 0 {
		if r.Failed == 0 {
			return r, ctx.Err()
		}
		return r, p.firstError()
	}
	if p.meter.on {
		if after, err := p.meter.read(); err == nil {
			r.Server = &serverReport{RSSStart: start.rss}
			r.Server.fill(start, before, after, r.Live, r.PacketsSentSteady)
		}
	}
	if ownAfter, err := p.self.read(); err == nil && p.self.on {
		r.Own.fill(ownBefore, ownAfter)
	}
	return r, nil
}

// begin starts everybody and returns when each is live or has failed, or ctx ends.
func (p *publishers) begin(ctx, publishing context.Context, gap time.Duration) {
	from := time.Now()
	for i, one := range p.list {
		if !pause(ctx, time.Until(from.Add(time.Duration(i)*gap))) {
			close(one.ended)
			continue
		}
		one.begun = time.Now()
		p.tasks.Go(func() {
			defer close(one.ended)
			one.err = one.Run(publishing)
		})
	}
	for _, one := range p.list {
		select {
		case <-one.live:
		case <-one.ended:
		case <-ctx.Done():
		}
	}
}

// watch lets time pass, for ever where there is no time, until ctx ends; true when nobody publishes any more.
func (p *publishers) watch(ctx context.Context, d time.Duration) bool {
	if d > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, d)
		defer cancel()
	}
	for _, one := range p.list {
		select {
		case <-one.ended:
		case <-ctx.Done():
			return false
		}
	}
	return true
}

// count tells how many were live, failed and went away. All that have ended have done so by themselves.
func (p *publishers) count(r *publishReport) {
	var joins []time.Duration
	for _, one := range p.list {
		ended := false
		select {
		case <-one.ended:
			ended = true
		default:
		}
		select {
		case <-one.live:
			r.Live++
			joins = append(joins, one.joined)
			if ended {
				r.Lost++
			}
		default:
			if ended && one.err != nil {
				r.Failed++
			}
		}
	}
	r.Joins = spreadOf(joins)
	if err := p.firstError(); err != nil {
		r.FirstError = err.Error()
	}
}

func (p *publishers) firstError() error {
	for _, one := range p.list {
		select {
		case <-one.ended:
			if one.err != nil && !errors.Is(one.err, context.Canceled) {
				return one.err
			}
		default:
		}
	}
	return nil
}

// sum adds up what all have sent.
func (p *publishers) sum() (all endpoint.OutboundStats) {
	for _, one := range p.list {
		for _, t := range one.Stats() {
			all.PacketsSent += t.PacketsSent
			all.BytesSent += t.BytesSent
			all.NACKCount += t.NACKCount
			all.RemoteLost += t.RemoteLost
			if t.Kind == "video" {
				all.FramesSent += t.FramesSent
				all.KeyFramesSent += t.KeyFramesSent
				all.PLICount += t.PLICount
			}
		}
	}
	return all
}

func (r *publishReport) fill(all, before endpoint.OutboundStats) {
	r.PacketsSent, r.PacketsSentSteady, r.BytesSent = all.PacketsSent, all.PacketsSent-before.PacketsSent, all.BytesSent
	r.FramesSent, r.KeyFramesSent, r.NACKCount, r.PLICount, r.PacketsLost = all.FramesSent, all.KeyFramesSent, all.NACKCount, all.PLICount, all.RemoteLost
}

// line says how it goes.
func (p *publishers) line() string {
	if len(p.list) == 1 {
		return publishLine(p.list[0].Stats())
	}
	live := 0
	for _, one := range p.list {
		select {
		case <-one.ended:
		default:
			select {
			case <-one.live:
				live++
			default:
			}
		}
	}
	all := p.sum()
	return fmt.Sprintf("%d of %d publishers are live, %d packets, %s", live, len(p.list), all.PacketsSent, size(all.BytesSent))
}

// text is the report for people.
func (r *publishReport) text() string {
	var b strings.Builder
	b.WriteString(partial(r.Interrupted, r.AllGone, "publisher"))
	fmt.Fprintf(&b, "Publishers      %d, %d were live, %d failed, %d went away\n", r.Publishers, r.Live, r.Failed, r.Lost)
	fmt.Fprintf(&b, "Live after      median %.1f ms, p95 %.1f, max %.1f\n", r.Joins.Median, r.Joins.P95, r.Joins.Max)
	fmt.Fprintf(&b, "Sent            %d packets (%s) in all, %d while all were live (%.0f s)\n", r.PacketsSent, size(r.BytesSent), r.PacketsSentSteady, r.Seconds)
	fmt.Fprintf(&b, "Pictures        %d, of them %d key frames; %d asked for\n", r.FramesSent, r.KeyFramesSent, r.PLICount)
	fmt.Fprintf(&b, "Asked again     %d packets; %d lost by the server's word\n", r.NACKCount, r.PacketsLost)
	if r.FirstError != "" {
		fmt.Fprintf(&b, "First error     %s\n", oneLine(r.FirstError))
	}
	if r.Own.CPUShare > 0 {
		fmt.Fprintf(&b, "This client     %.1f %% of a core\n", 100*r.Own.CPUShare)
	}
	if r.Server != nil {
		r.Server.text(&b)
	}
	return b.String()
}
