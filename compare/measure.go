package compare

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/pion/webrtc/v3"

	"github.com/fanfare-relay/fanfare/compare/emulate"
	"github.com/fanfare-relay/fanfare/compare/experiment"
	"github.com/fanfare-relay/fanfare/compare/lateness"
	"github.com/fanfare-relay/fanfare/compare/report"
	"github.com/fanfare-relay/fanfare/signalling/overlay"
)

// Times of a run.
const (
	openWithin   = 15 * time.Second
	placesWithin = 6 * time.Second        // over a line that is full not everybody gets through
	calm         = 300 * time.Millisecond // without a change everybody has a place
)

// Measurer runs experiments, one run at a time.
type Measurer struct{ identity webrtc.Configuration }

// New makes a Measurer: a certificate that all stacks share, because making one costs more than a handshake.
func New() (*Measurer, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	cert, err := webrtc.GenerateCertificate(key)
	if err != nil {
		return nil, err
	}
	return &Measurer{webrtc.Configuration{Certificates: []webrtc.Certificate{*cert}}}, nil
}

// Measure carries out one run: settle seconds after everybody has a place, and then seconds of measuring. When ctx ends meanwhile, what was
// measured so far is returned, marked; when that is nothing, the error of ctx.
func (m *Measurer) Measure(ctx context.Context, run experiment.Run, settle, seconds float64) (report.Sample, error) {
	r, _, err := m.measure(ctx, run, settle, seconds, moments{})
	return r, err
}

// moments are what happens between the parts of a run; both may be nil.
type moments struct {
	// placed is called when everybody has a place, or has had the time to get one; what follows waits for its return.
	placed func(context.Context)
	// cpu tells the processor time that was used so far.
	cpu func() (time.Duration, error)
}

// used is what cpu tells, 0 when nobody asks.
func (m moments) used() (time.Duration, error) {
	if m.cpu == nil {
		return 0, nil
	}
	return m.cpu()
}

// measure also tells the processor time that was used while it measured.
func (m *Measurer) measure(ctx context.Context, run experiment.Run, settle, seconds float64, at moments) (
	r report.Sample, used time.Duration, err error,
) {
	opening, cancel := context.WithTimeout(ctx, openWithin)
	defer cancel()
	s, err := open(opening, run, m.identity)
	if err != nil {
		return r, 0, err
	}
	defer s.close()
	running, stop := context.WithCancel(context.WithoutCancel(ctx))
	var tasks sync.WaitGroup
	defer tasks.Wait()
	defer stop()
	tasks.Go(func() { s.send(running) })
	tasks.Go(func() { s.control(running) })
	s.step(s.wish())
	for i := range run.Point.Viewers {
		if err := s.arrive(fmt.Sprintf("v%02d", i+1)); err != nil {
			return r, 0, err
		}
	}
	placing, enough := context.WithTimeout(ctx, placesWithin)
	defer enough()
	_ = s.awaitPlaces(placing) // who has no place is counted at the end
	if at.placed != nil {
		at.placed(ctx)
	}
	if !pause(ctx, time.Duration(settle*float64(time.Second))) {
		return r, 0, ctx.Err()
	}
	before, err := at.used()
	if err != nil {
		return r, 0, err
	}
	r = s.window(ctx, time.Duration(seconds*float64(time.Second)))
	after, err := at.used()
	return r, after - before, err
}

// awaitPlaces returns when everybody has had the place of the plan for a while.
func (s *stage) awaitPlaces(ctx context.Context) error {
	for pause(ctx, look) {
		s.mu.Lock()
		still := time.Since(s.changed) > calm
		if _, more := s.planner.Deadline(); more && s.run.Topology != experiment.SFU {
			still = time.Since(s.changed) > calm+time.Second // a plan is made a second after somebody came
		}
		s.mu.Unlock()
		if still && s.placed() {
			return nil
		}
	}
	return ctx.Err()
}

// window measures.
func (s *stage) window(ctx context.Context, d time.Duration) report.Sample {
	r := report.Sample{Run: s.run, Started: time.Now().UTC()}
	probe := lateness.Start()
	from, sent := time.Now(), s.sent()
	r.Interrupted = !s.watch(ctx, d)
	to := time.Now()
	r.Seconds = to.Sub(from).Seconds()
	after := s.sent()
	r.LatenessMS = probe.Stop()
	for i, rate := range []*float64{&r.UploaderMbit, &r.ServerMbit, &r.PassedOnMbit, &r.RepeatedMbit} {
		*rate = mbit(after[i]-sent[i], r.Seconds)
	}
	at := s.where() // before the rest, in which the planner goes on
	s.awaitRest(from, to)
	made := s.frames()
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, f := range made {
		if !f.made.Before(from) && f.made.Before(to) {
			r.Frames++
		}
	}
	for _, v := range s.all {
		one := v.result(from, to, made)
		one.Bad = s.run.Point.BadDownlinkMbit > 0 && v == s.all[0]
		if at[v.id].unplaced {
			r.Unplaced++
		}
		one.Via, one.Depth = string(at[v.id].via), at[v.id].depth
		if !v.direct.IsZero() {
			one.DirectMS = milliseconds(v.direct.Sub(v.came))
		}
		r.Viewers = append(r.Viewers, one)
	}
	switch {
	case r.LatenessMS > report.MaxLateness:
		r.Problem = report.Busy(r.LatenessMS)
	case r.Interrupted:
		r.Problem = "it was interrupted"
	}
	return r
}

// whereabouts is where a viewer gets the picture from, and whether the plan wants it from elsewhere.
type whereabouts struct {
	via      overlay.Via
	depth    int
	unplaced bool
}

// where tells it of all who are there.
func (s *stage) where() map[string]whereabouts {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := map[string]whereabouts{}
	for id := range s.viewers {
		all[id] = whereabouts{via: s.shows[id].Via}
	}
	for _, at := range s.planner.Plan().Places {
		if _, there := s.viewers[at.Viewer]; there {
			all[at.Viewer] = whereabouts{s.shows[at.Viewer].Via, at.Depth, s.shows[at.Viewer] != at.From}
		}
	}
	return all
}

// watch lets the time pass, and viewers come and go; false when ctx ended before.
func (s *stage) watch(ctx context.Context, d time.Duration) bool {
	if s.run.Point.ChurnPerMinute == 0 {
		return pause(ctx, d)
	}
	end, every := time.Now().Add(d), time.Duration(float64(time.Minute)/s.run.Point.ChurnPerMinute)
	next := time.Now().Add(every / 2)
	for n := 0; next.Before(end); n++ {
		if !pause(ctx, time.Until(next)) {
			return false
		}
		s.leaveOne()
		if err := s.arrive(fmt.Sprintf("w%02d", n+1)); err != nil {
			return false
		}
		next = next.Add(every)
	}
	return pause(ctx, time.Until(end))
}

// sent is what the uploader, the server and all viewers have sent, and what the uploader has sent again, bytes.
func (s *stage) sent() (n [4]uint64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	n[0], n[1] = s.uploader.Sent(), s.server.Sent()
	hosts := []*emulate.Host{}
	for _, v := range s.all {
		hosts = append(hosts, v.host)
	}
	for _, h := range hosts {
		n[2] += h.Sent()
	}
	n[3] = s.repeated.Load()
	return n
}

func mbit(bytes uint64, seconds float64) float64 { return float64(bytes) * 8 / 1e6 / seconds }

// pause waits; false when ctx ended before.
func pause(ctx context.Context, d time.Duration) bool {
	if errors.Is(ctx.Err(), context.Canceled) {
		return false
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}
