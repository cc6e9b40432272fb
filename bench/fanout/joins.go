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
	Rate    float64    `json:"rate"`          // a second
	CPU     float64    `json:"cpu,omitempty"` // seconds of the server while they joined a stream without a publisher
	Report  loadReport `json:"report"`
	Client  float64    `json:"client"` // cores that it used, joining and leaving included
	Failure string     `json:"failure,omitempty"`
	Quiet   quiet      `json:"quiet"`
}

// cost is the server's processor time a join in ms, HTTP and handshakes included.
func (l *joinLine) cost() float64 {
	if l.Report.Connected == 0 {
		return 0
	}
	return l.CPU * 1e3 / float64(l.Report.Connected)
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
	for range b.plan.joinTurns {
		for _, peer := range []string{fanfare, baseline} {
			n := b.plan.joins
			add(fmt.Sprintf("%s, %d joins at %.0f a second", peer, n, rampSlow), joining(n, rampSlow)+2*overhead, func(ctx context.Context, r *results) error {
				l, err := b.twice(ctx, peer, n, rampSlow, (*joinLine).price)
				r.Joins = append(r.Joins, l)
				fmt.Fprintf(os.Stderr, "  %.2f ms a join %s%s\n", l.cost(), l.Failure, l.Quiet.void())
				return err
			})
		}
	}
	for _, rate := range b.plan.joinRates {
		n := int(rate * b.plan.joinDuring.Seconds())
		add(fmt.Sprintf("%.0f joins a second", rate), b.plan.joinDuring+2*overhead, func(ctx context.Context, r *results) error {
			if i := len(r.Rates) - 1; i >= 0 && !r.Rates[i].sustained() && r.Rates[i].Quiet.void() == "" {
				fmt.Fprintln(os.Stderr, "  left out: fewer were too many")
				return nil
			}
			l, err := b.twice(ctx, fanfare, n, rate, (*joinLine).crowd)
			r.Rates = append(r.Rates, l)
			fmt.Fprintf(os.Stderr, "  sustained: %v, client %.0f %% %s%s\n", l.sustained(), 100*l.Client, l.Failure, l.Quiet.void())
			return err
		})
	}
	add("twice as many a second", b.plan.burst+burstPatience+2*overhead, b.burst)
	return steps
}

// joining is how long so many join.
func joining(viewers int, rate float64) time.Duration {
	return time.Duration(float64(viewers) / rate * float64(time.Second))
}

// Streams and times of joins. The thin stream is little more than what tells a viewer that it is there.
const (
	thinStream = "thin"
	joined     = 1500 * time.Millisecond // from the last POST to when everybody is connected
	watching   = 100                     // viewers who are there during a burst
	// largestCrowd bounds a burst: even the thin stream is 80 packets a second for each, and more viewers than that are more
	// than two cores can serve and be, however they joined.
	largestCrowd  = 4800
	burstPatience = 34 * time.Second
)

func thinStreamFlags() []string { return []string{"--bitrate", "60k"} }

// twice measures on a fresh server, and once more when that was disturbed.
func (b *bench) twice(ctx context.Context, peer string, viewers int, rate float64, measure func(*joinLine, context.Context, *server) error) (l joinLine, err error) {
	for range 2 {
		l = joinLine{Peer: peer, Viewers: viewers, Rate: rate}
		if err = b.joinOnce(ctx, &l, measure); err != nil || l.Quiet.void() == "" {
			break
		}
	}
	return l, err
}

func (b *bench) joinOnce(ctx context.Context, l *joinLine, measure func(*joinLine, context.Context, *server) error) error {
	s, err := b.startServer(ctx, l.Peer, b.server)
	if err != nil {
		return err
	}
	if err = s.publish(ctx, thinStream, thinStreamFlags()...); err == nil {
		err = measure(l, ctx, s)
	}
	if stopped := s.stop(); stopped != nil && l.Failure == "" {
		l.Failure = stopped.Error()
	}
	return cmp.Or(ctx.Err(), err)
}

// crowd lets them join the thin stream and says how it was.
func (l *joinLine) crowd(ctx context.Context, s *server) error {
	before, err := look()
	if err != nil {
		return err
	}
	l.join(ctx, s)
	after, err := look()
	l.Quiet = quietBetween(before, after, os.Getpid())
	return err
}

func (l *joinLine) join(ctx context.Context, s *server) {
	var err error
	if l.Report, l.Client, err = s.load(ctx, s.bench.client, thinStream, l.Viewers, l.Rate, time.Second); err != nil {
		l.Failure = err.Error()
	}
}

// price lets them join while nobody publishes, so that the server does nothing else, and looks what it used. Then the publisher comes
// back: everybody gets a picture, which shows that all joins were whole ones.
func (l *joinLine) price(ctx context.Context, s *server) error {
	if err := s.unpublish(); err != nil {
		return err
	}
	before, err := look()
	if err != nil {
		return err
	}
	used, err := cpuOf(s.pid())
	if err != nil {
		return err
	}
	over := make(chan struct{})
	go func() { defer close(over); l.join(ctx, s) }()
	err = pause(ctx, joining(l.Viewers, l.Rate)+joined)
	if err == nil {
		l.Quiet, l.CPU, err = since(before, used, s.pid())
	}
	if err == nil {
		err = s.publish(ctx, thinStream, thinStreamFlags()...)
	}
	<-over
	return err
}

// since is how quiet the machine was since a look, and what a process used.
func since(before snapshot, used time.Duration, pid int) (quiet, float64, error) {
	now, err := cpuOf(pid)
	if err != nil {
		return quiet{}, 0, err
	}
	after, err := look()
	return quietBetween(before, after, os.Getpid()), (now - used).Seconds(), err
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
	result := burst{Crowd: joinLine{Peer: fanfare, Rate: 2 * rate, Viewers: min(largestCrowd, int(2*rate*b.plan.burst.Seconds()))}}
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
		err = result.Crowd.crowd(ctx, s)
	}
	if lost := <-watched; lost != nil {
		result.Failure = lost.Error()
	}
	return err
}

// sustainedRate is the highest rate of joins that was kept up, 0 for none. What was kept up on a disturbed machine counts, too.
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
