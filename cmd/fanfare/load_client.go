package main

import (
	"context"
	"sync"

	"github.com/fanfare-relay/fanfare/endpoint"
	"github.com/fanfare-relay/fanfare/endpoint/crowd"
)

// pionViewers are viewers that are whole WebRTC clients.
type pionViewers struct {
	cfg      endpoint.ViewerConfig
	id       endpoint.Identity
	hold     context.Context
	release  context.CancelFunc
	sessions sync.WaitGroup

	mu      sync.Mutex
	viewers []*endpoint.Viewer
	gone    int
}

func newPionClient(cfg endpoint.ViewerConfig) (loadClient, error) {
	id, err := endpoint.NewIdentity()
	if err != nil {
		return nil, err
	}
	a := &pionViewers{cfg: cfg, id: id}
	a.hold, a.release = context.WithCancel(context.Background())
	return a, nil
}

func (a *pionViewers) join(ctx context.Context, stays bool) (endpoint.Timing, func(), error) {
	ctx, limited := context.WithTimeoutCause(ctx, joinTimeout, crowd.ErrNoKeyFrame)
	defer limited()
	cfg := a.cfg
	cfg.Shallow = stays
	v := endpoint.NewViewer(cfg, a.id)
	session, cancel := context.WithCancel(a.hold)
	ended := make(chan error, 1)
	leave := sync.OnceFunc(func() {
		cancel()
		<-ended
	})
	if stays {
		a.mu.Lock()
		a.viewers = append(a.viewers, v)
		a.mu.Unlock()
	}
	a.sessions.Go(func() {
		err := v.Session(session, nil)
		if stays && session.Err() == nil && v.Timing().FirstKeyFrame > 0 {
			a.mu.Lock()
			a.gone++
			a.mu.Unlock()
		}
		ended <- err
	})
	select {
	case <-v.KeyFrame():
		return v.Timing(), leave, nil
	case err := <-ended:
		cancel()
		return v.Timing(), nil, err
	case <-ctx.Done():
		leave()
		return v.Timing(), nil, context.Cause(ctx)
	}
}

func (a *pionViewers) tally() tally {
	a.mu.Lock()
	defer a.mu.Unlock()
	t := tally{client: clientPion, gone: a.gone}
	first := true
	for _, v := range a.viewers {
		if v.Timing().FirstKeyFrame == 0 {
			continue
		}
		frames := uint64(0)
		for _, s := range v.Stats() {
			t.received += s.PacketsReceived
			t.lost += uint64(max(s.PacketsLost, 0))
			t.repeats += s.RetransmittedPacketsReceived
			t.bytes += s.BytesReceived
			t.asked += s.NACKCount
			t.plis += s.PLICount
			if s.Kind == "video" {
				frames = s.FramesReceived
			}
		}
		t.frames += frames
		if first || frames < t.fewest {
			t.fewest, first = frames, false
		}
	}
	return t
}

func (a *pionViewers) close() {
	a.release()
	a.sessions.Wait()
}

// lightViewers are viewers of the light client.
type lightViewers struct{ *crowd.Crowd }

func newLightClient(cfg crowd.Config) (loadClient, error) {
	c, err := crowd.New(cfg)
	if err != nil {
		return nil, err
	}
	return lightViewers{c}, nil
}

func (a lightViewers) join(ctx context.Context, _ bool) (endpoint.Timing, func(), error) {
	v, timing, err := a.Join(ctx, joinTimeout)
	if err != nil {
		return timing, nil, err
	}
	return timing, v.Leave, nil
}

func (a lightViewers) tally() tally {
	f := a.Figures()
	return tally{
		client: clientLight, received: f.Received, lost: f.Missing, repeats: f.Repeats, bytes: f.Bytes, asked: f.Asked,
		frames: f.Frames, fewest: f.Fewest, plis: f.PLIs, gone: f.Lost, waits: f.Waits, verified: f.Verified, forged: f.Forged,
		overflowed: f.Overflowed, reads: f.Reads, taken: f.Taken,
	}
}

func (a lightViewers) close() { a.Close() }
