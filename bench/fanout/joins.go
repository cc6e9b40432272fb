package main

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"slices"
	"time"
)

// joinLine is many viewers who join one after another.
type joinLine struct {
	Peer    string     `json:"peer"`
	Viewers int        `json:"viewers"`
	Rate    float64    `json:"rate"` // a second
	Report  loadReport `json:"report"`
	Client  float64    `json:"client"` // cores that it used, joining and leaving included
	Failure string     `json:"failure,omitempty"`
	Quiet   quiet      `json:"quiet"`
}

// cost is the server's processor time a join in ms: all that it used until everybody watched, HTTP and handshakes included, less
// the price of the packets that it delivered meanwhile. The stream is a thin one, so that little is taken off.
func (l *joinLine) cost() float64 {
	r := &l.Report
	if r.Connected == 0 {
		return 0
	}
	media := r.Server.CPUPerPacket / 1e6 * float64(r.Packets-min(r.PacketsSteady, r.Packets))
	return max(0, r.Server.CPUJoining-media) * 1e3 / float64(r.Connected)
}

// maxWait is how long a join takes at most, p95 in ms, at a rate that counts as sustained.
const maxWait = 500.0

// sustained tells whether the server kept up: nobody failed, nobody was told to come again, and nobody waited.
func (l *joinLine) sustained() bool {
	r := &l.Report
	return l.Failure == "" && r.Failed+r.Gone == 0 && r.BusyWaits == 0 && r.Joins != nil && r.Joins.Connected.P95 <= maxWait
}

// burst is a crowd that joins at twice what the server can do, while others watch.
type burst struct {
	Crowd    joinLine   `json:"crowd"`
	Watching loadReport `json:"watching"`
	Failure  string     `json:"failure,omitempty"`
}

// joinSteps price a join in turns with the baseline, look for the highest rate, and go to twice of it.
func (b *bench) joinSteps() (steps []step) {
	add := func(name string, takes time.Duration, run func(context.Context, *results) error) {
		steps = append(steps, step{part: partJoins, name: name, takes: takes, run: run})
	}
	joining := time.Duration(float64(b.plan.joins) / rampSlow * float64(time.Second))
	for range b.plan.joinTurns {
		for _, peer := range []string{fanfare, baseline} {
			add(fmt.Sprintf("%s, %d joins at %.0f a second", peer, b.plan.joins, rampSlow), joining+pricing+overhead, func(ctx context.Context, r *results) error {
				l, err := b.joinTwice(ctx, peer, b.plan.joins, rampSlow)
				r.Joins = append(r.Joins, l)
				fmt.Fprintf(os.Stderr, "  %.2f ms a join %s%s\n", l.cost(), l.Failure, l.Quiet.void())
				return err
			})
		}
	}
	for _, rate := range b.plan.joinRates {
		add(fmt.Sprintf("%.0f joins a second", rate), b.plan.joinDuring+pricing+overhead, func(ctx context.Context, r *results) error {
			if i := len(r.Rates) - 1; i >= 0 && !r.Rates[i].sustained() {
				fmt.Fprintln(os.Stderr, "  left out: fewer were too many")
				return nil
			}
			l, err := b.joinTwice(ctx, fanfare, int(rate*b.plan.joinDuring.Seconds()), rate)
			r.Rates = append(r.Rates, l)
			fmt.Fprintf(os.Stderr, "  sustained: %v, client %.0f %% %s%s\n", l.sustained(), 100*l.Client, l.Failure, l.Quiet.void())
			return err
		})
	}
	add("twice as many a second", b.plan.burst+burstPatience+overhead, b.burst)
	return steps
}

// Streams and times of joins. The thin stream is little more than what tells a viewer that it is there.
const (
	thinStream    = "thin"
	pricing       = 4 * time.Second // how long a delivered packet is priced
	watching      = 100             // viewers who are there during a burst
	burstPatience = 18 * time.Second
)

func thinStreamFlags() []string { return []string{"--bitrate", "60k"} }

func (b *bench) joinTwice(ctx context.Context, peer string, viewers int, rate float64) (l joinLine, err error) {
	for range 2 {
		if l, err = b.join(ctx, peer, viewers, rate); err != nil || l.Quiet.void() == "" {
			break
		}
	}
	return l, err
}

func (b *bench) join(ctx context.Context, peer string, viewers int, rate float64) (joinLine, error) {
	l := joinLine{Peer: peer, Viewers: viewers, Rate: rate}
	s, err := b.startServer(ctx, peer, b.server)
	if err != nil {
		return l, err
	}
	if err = s.publish(ctx, thinStream, thinStreamFlags()...); err == nil {
		err = l.crowd(ctx, s, pricing)
	}
	if stopped := s.stop(); stopped != nil && l.Failure == "" {
		l.Failure = stopped.Error()
	}
	return l, cmp.Or(ctx.Err(), err)
}

// crowd lets them join the thin stream.
func (l *joinLine) crowd(ctx context.Context, s *server, steady time.Duration) error {
	before, err := look()
	if err != nil {
		return err
	}
	if l.Report, l.Client, err = s.load(ctx, s.bench.client, thinStream, l.Viewers, l.Rate, steady); err != nil {
		l.Failure = err.Error()
	}
	after, err := look()
	l.Quiet = quietBetween(before, after, os.Getpid())
	return err
}

// burst lets a crowd in at twice the highest sustained rate, while some watch another stream of full size.
func (b *bench) burst(ctx context.Context, r *results) error {
	rate := r.sustainedRate()
	if rate == 0 {
		fmt.Fprintln(os.Stderr, "  left out: no rate was sustained")
		return nil
	}
	s, err := b.startServer(ctx, fanfare, b.server)
	if err != nil {
		return err
	}
	result := burst{Crowd: joinLine{Peer: fanfare, Rate: 2 * rate, Viewers: int(2 * rate * b.plan.burst.Seconds())}}
	if err = s.publish(ctx, benchStream); err == nil {
		err = s.publish(ctx, thinStream, thinStreamFlags()...)
	}
	if err == nil {
		err = b.burstOn(ctx, s, &result)
	}
	if stopped := s.stop(); stopped != nil && result.Failure == "" {
		result.Failure = stopped.Error()
	}
	r.Burst = &result
	fmt.Fprintf(os.Stderr, "  %d of %d failed, told to wait %d times; those who were there lost %.3f %% %s%s\n", result.Crowd.Report.Failed,
		result.Crowd.Viewers, result.Crowd.Report.BusyWaits, 100*result.Watching.loss(), result.Failure, result.Crowd.Quiet.void())
	return cmp.Or(ctx.Err(), err)
}

func (b *bench) burstOn(ctx context.Context, s *server, result *burst) error {
	const ramp = 2 * rampSlow
	watched := make(chan error, 1)
	go func() {
		var err error
		result.Watching, _, err = s.load(ctx, b.client, benchStream, watching, ramp, b.plan.burst+burstPatience)
		watched <- err
	}()
	// They have joined and are being counted when the crowd comes.
	there := time.Duration(watching/ramp*float64(time.Second)) + overhead
	err := pause(ctx, there)
	if err == nil {
		err = result.Crowd.crowd(ctx, s, time.Second)
	}
	if lost := <-watched; lost != nil {
		result.Failure = lost.Error()
	}
	return err
}

// sustainedRate is the highest rate of joins that was kept up, 0 for none.
func (r *results) sustainedRate() (rate float64) {
	for _, l := range r.Rates {
		if l.sustained() {
			rate = max(rate, l.Rate)
		}
	}
	return rate
}

// joinCosts are those of a server, in ms, without the void ones.
func (r *results) joinCosts(peer string) (costs []float64) {
	lines := slices.DeleteFunc(slices.Clone(r.Joins), func(l joinLine) bool {
		return l.Peer != peer || l.Failure != "" || l.Report.Failed > 0 || l.Quiet.void() != ""
	})
	for _, l := range lines {
		costs = append(costs, l.cost())
	}
	return costs
}
