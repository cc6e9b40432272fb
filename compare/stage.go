// Package compare measures topologies against each other: the relay, the uploader alone, and viewers that pass on, with real stacks
// over emulated lines in one process. A stage is one run of an experiment: an SFU of this project, a source that does not adapt, and
// viewers on pion, placed by the planner that the product uses (signalling/overlay).
//
// It runs in real time, because stacks do; so each run says how late the machine's timers were, and is marked invalid beyond a
// limit. It reads no files and prints nothing. Viewers forward packets and decode nothing, which a browser cannot do.
package compare

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"github.com/pion/webrtc/v3"

	"github.com/fanfare-relay/fanfare/compare/emulate"
	"github.com/fanfare-relay/fanfare/compare/experiment"
	"github.com/fanfare-relay/fanfare/media"
	"github.com/fanfare-relay/fanfare/sfu"
	"github.com/fanfare-relay/fanfare/signalling/overlay"
)

const (
	streamName = "compared"
	header     = 28 // IPv4 and UDP, bytes
	// queueTime is how much of a line's rate waits before it; what comes beyond is lost.
	queueTime = 100 * time.Millisecond
	leastMTUs = 16 // a queue holds at least so many packets
	// silentAfter is when a viewer that gets nothing says so.
	silentAfter = 400 * time.Millisecond
	look        = 50 * time.Millisecond
)

// stage is one run.
type stage struct {
	run      experiment.Run
	identity webrtc.Configuration
	rng      *rand.Rand
	net      *emulate.Network
	server   *emulate.Host
	uploader *emulate.Host
	relay    *sfu.SFU
	served   chan error
	*source
	uplink   *connection   // to the server
	repeated atomic.Uint64 // bytes that the uploader has sent again

	tasks sync.WaitGroup

	mu      sync.Mutex // guards all below
	planner *overlay.Planner
	viewers map[string]*viewer // those who are there
	all     []*viewer
	shows   map[string]overlay.Source
	silent  map[string]bool
	changed time.Time
	closed  bool
}

func roundTrip(p experiment.Point) time.Duration {
	return time.Duration(p.RoundTripMS * float64(time.Millisecond))
}

// line is that of a machine with an uplink. Half of the way between two machines is at either end.
func line(p experiment.Point, watches bool) emulate.Line {
	rate := media.Bitrate(p.UplinkMbit * 1e6)
	l := emulate.Line{
		Delay: roundTrip(p) / 4, Header: header,
		UpRate: rate, UpQueue: max(int(float64(rate)/8*queueTime.Seconds()), leastMTUs*1500),
	}
	if watches {
		l.Rate = media.Bitrate(p.DownlinkMbit * 1e6)
		l.Queue = max(int(float64(l.Rate)/8*queueTime.Seconds()), leastMTUs*1500)
		l.DownLoss, l.Burst = p.LossPercent/100, p.LossBurst
	}
	return l
}

// open starts the relay and the uploader.
func open(ctx context.Context, run experiment.Run, identity webrtc.Configuration) (*stage, error) {
	n := emulate.NewNetwork(run.Seed)
	s := &stage{
		run: run, identity: identity, rng: rand.New(rand.NewPCG(run.Seed, 0x7374616765)), net: n,
		server:   n.Host(emulate.Line{Delay: line(run.Point, false).Delay, Header: header}),
		uploader: n.Host(line(run.Point, false)), served: make(chan error, 1), planner: overlay.NewPlanner(),
		source:  newSource(run.Point.BitrateMbit),
		viewers: map[string]*viewer{}, shows: map[string]overlay.Source{}, silent: map[string]bool{}, changed: time.Now(),
	}
	var err error
	if s.relay, err = sfu.New(sfu.Config{Conn: s.server.Listen(), Logger: slog.New(slog.DiscardHandler)}); err != nil {
		return nil, err
	}
	go func() { s.served <- s.relay.Serve() }()
	if err := s.publish(ctx); err != nil {
		s.close()
		return nil, fmt.Errorf("publishing: %w", err)
	}
	return s, nil
}

func (s *stage) publish(ctx context.Context) (err error) {
	if err := s.source.open(); err != nil {
		return err
	}
	if s.uplink, err = s.connect(s.uploader, &s.repeated); err != nil {
		return err
	}
	up := make(chan struct{})
	var once sync.Once
	s.uplink.OnConnectionStateChange(func(state webrtc.PeerConnectionState) {
		if state == webrtc.PeerConnectionStateConnected {
			once.Do(func() { close(up) })
		}
	})
	if err := s.uplink.sends(s.toServer, s.key); err != nil {
		return err
	}
	offer, err := s.uplink.offer(ctx)
	if err != nil {
		return err
	}
	answer, err := s.relay.Publish(ctx, streamName, offer, media.PublishOptions{})
	if err != nil {
		return err
	}
	if err := s.uplink.take(webrtc.SDPTypeAnswer, answer.SDP); err != nil {
		return err
	}
	select {
	case <-up:
		return nil
	case <-ctx.Done():
		return errors.Join(errStack, ctx.Err())
	}
}

// close ends everything and waits for it.
func (s *stage) close() {
	s.mu.Lock()
	s.closed = true
	viewers := s.viewers
	s.viewers = map[string]*viewer{}
	s.mu.Unlock()
	for _, v := range viewers {
		v.leave(time.Now())
	}
	s.tasks.Wait()
	for _, v := range viewers { // a connection that was just being made
		v.leave(time.Now())
	}
	if s.uplink != nil {
		s.uplink.close()
	}
	s.relay.Shutdown()
	<-s.served
}

// wish is what the planner is told: the uplink as it is for a tree, and none that limits a star, which is to show where it breaks.
func (s *stage) wish() overlay.Wish {
	rate := media.Bitrate(s.run.Point.BitrateMbit * 1e6)
	w := overlay.Wish{Topology: overlay.SFU, Bitrate: rate, Uplink: media.Bitrate(s.run.Point.UplinkMbit * 1e6)}
	switch s.run.Topology {
	case experiment.Star:
		w.Topology, w.Uplink = overlay.Star, 1000*rate
	case experiment.Tree2:
		w.Topology, w.Fanout = overlay.Tree, 2
	case experiment.Tree3:
		w.Topology, w.Fanout = overlay.Tree, 3
	}
	return w
}

// control looks at everybody and wakes the planner until ctx ends.
func (s *stage) control(ctx context.Context) {
	tick := time.NewTicker(look)
	defer tick.Stop()
	for {
		select {
		case now := <-tick.C:
			s.listen(now)
			s.step(overlay.Tick{})
		case <-ctx.Done():
			return
		}
	}
}

// listen tells the planner who hears nothing, and who does again.
func (s *stage) listen(now time.Time) {
	var inputs []overlay.Input
	s.mu.Lock()
	for id, v := range s.viewers {
		v.mu.Lock()
		heard := v.heard
		v.mu.Unlock()
		if quiet := now.Sub(heard) > silentAfter; quiet && !s.silent[id] {
			s.silent[id] = true
			inputs = append(inputs, overlay.Silent{Viewer: id, Since: heard})
		} else if !quiet && s.silent[id] {
			s.silent[id] = false
			inputs = append(inputs, overlay.Alive{Viewer: id})
		}
	}
	s.mu.Unlock()
	for _, in := range inputs {
		s.step(in)
	}
}

// step gives the planner a fact and carries out what it says.
func (s *stage) step(in overlay.Input) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return
	}
	if r, ok := in.(overlay.Ready); ok && s.viewers[r.Viewer] != nil { // else it left meanwhile
		s.shows[r.Viewer] = r.From
		if v := s.viewers[r.Viewer]; r.From.Via != overlay.Server && v.direct.IsZero() {
			v.direct = time.Now()
		}
	}
	for _, out := range s.planner.Step(in, time.Now()) {
		switch out := out.(type) {
		case overlay.Connect:
			s.changed = time.Now()
			s.begin(out)
		case overlay.Release:
			s.changed = time.Now()
			s.release(out)
		case overlay.Explain:
			s.changed = time.Now()
		}
	}
}

// begin makes a leg in the background. The caller holds mu.
func (s *stage) begin(out overlay.Connect) {
	v, above := s.viewers[out.Viewer], s.viewers[out.From.Viewer]
	if v == nil || above == nil && out.From.Via == overlay.Relayed {
		return
	}
	if out.From.Via == overlay.Server {
		v.served++
		s.serve()
	}
	s.tasks.Go(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		if err := s.leg(ctx, v, above, out.From); err != nil {
			s.step(overlay.Failed(out))
		}
	})
}

// release ends a leg. The caller holds mu.
func (s *stage) release(out overlay.Release) {
	v := s.viewers[out.Viewer]
	if v == nil {
		return
	}
	v.mu.Lock()
	c := v.legs[out.From]
	delete(v.legs, out.From)
	v.mu.Unlock()
	if out.From.Via == overlay.Server && v.served > 0 {
		v.served--
		s.onServer.Add(-1)
	}
	if c != nil {
		s.tasks.Go(c.close)
	}
}
