package compare

import (
	"context"
	"fmt"
	"time"

	"github.com/pion/webrtc/v3"

	"github.com/fanfare-relay/fanfare/signalling/overlay"
)

// leg lets a viewer get the picture from a source; above passes it on when that is a viewer.
func (s *stage) leg(ctx context.Context, v, above *viewer, from overlay.Source) error {
	to, err := s.connect(v.host, nil)
	if err != nil {
		return err
	}
	to.OnTrack(func(t *webrtc.TrackRemote, _ *webrtc.RTPReceiver) {
		v.receive(to, t, func() { go s.step(overlay.Ready{Viewer: v.id, From: from}) })
	})
	v.mu.Lock()
	gone := !v.left.IsZero()
	if !gone {
		v.legs[from] = to
	}
	v.mu.Unlock()
	if gone {
		to.close()
		return nil
	}
	if from.Via == overlay.Server {
		return s.subscribe(ctx, to)
	}
	return s.passOn(ctx, to, above)
}

// subscribe joins the stream at the server.
func (s *stage) subscribe(ctx context.Context, to *connection) error {
	_, err := to.AddTransceiverFromKind(webrtc.RTPCodecTypeVideo,
		webrtc.RTPTransceiverInit{Direction: webrtc.RTPTransceiverDirectionRecvonly})
	if err != nil {
		return err
	}
	offer, err := to.offer(ctx)
	if err != nil {
		return err
	}
	answer, err := s.relay.Subscribe(ctx, streamName, offer)
	if err != nil {
		return fmt.Errorf("%w: %w", errStack, err)
	}
	return to.take(webrtc.SDPTypeAnswer, answer.SDP)
}

// passOn connects the uploader, or a viewer above, to one below it. The sender's end closes with the receiver's.
func (s *stage) passOn(ctx context.Context, to *connection, above *viewer) error {
	host, track, repeated := s.uploader, s.direct, &s.repeated
	if above != nil {
		host, track, repeated = above.host, above.track, nil
	}
	sender, err := s.connect(host, repeated)
	if err != nil {
		return err
	}
	to.also = sender
	if err := sender.sends(track, s.key); err != nil {
		return err
	}
	return pair(ctx, sender, to)
}

// arrive lets a viewer come.
func (s *stage) arrive(id string) error {
	p := s.run.Point
	s.mu.Lock()
	if bad := p.BadDownlinkMbit; bad > 0 && len(s.all) == 0 {
		p.DownlinkMbit = bad
	}
	s.mu.Unlock()
	v, err := newViewer(id, s.net.Host(line(p, true)), p, time.Now())
	if err != nil {
		return err
	}
	s.mu.Lock()
	s.viewers[id] = v
	s.all = append(s.all, v)
	s.mu.Unlock()
	s.step(overlay.Arrive{Viewer: overlay.Viewer{ID: id, RTT: v.rtt, Device: overlay.Desktop, Uplink: s.wish().Uplink}})
	return nil
}

// leaveOne lets a viewer go, by chance.
func (s *stage) leaveOne() {
	s.mu.Lock()
	id, places := "", s.planner.Plan().Places
	if len(places) > 0 {
		id = places[s.rng.IntN(len(places))].Viewer
	}
	s.mu.Unlock()
	s.lose(id)
}

// lose lets a viewer go, if it is there. The planner releases nothing for it any more, so its legs from the server are given back here,
// also one that is still being made.
func (s *stage) lose(id string) {
	s.mu.Lock()
	v := s.viewers[id]
	if v == nil {
		s.mu.Unlock()
		return
	}
	delete(s.viewers, id)
	delete(s.shows, id)
	s.onServer.Add(-int64(v.served))
	v.served = 0
	s.mu.Unlock()
	s.step(overlay.Leave{Viewer: id})
	v.leave(time.Now())
}

// placed tells whether everybody shows the picture from where the plan wants it.
func (s *stage) placed() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	plan := s.planner.Plan()
	if len(plan.Places) != len(s.viewers) {
		return false
	}
	for _, at := range plan.Places {
		if s.shows[at.Viewer] != at.From {
			return false
		}
	}
	return true
}
