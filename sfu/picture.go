package sfu

import (
	"context"
	"fmt"
	"time"

	"github.com/fanfare-relay/fanfare/media"
	"github.com/fanfare-relay/fanfare/media/layer"
)

// Wish tells what a viewer wants of the picture from now on. It takes effect with the stream's
// next packet. The error is media.ErrNoSuchSession for a session that is no viewer's.
func (s *SFU) Wish(id media.SessionID, wish media.Wish) error {
	v, err := s.findViewer(id)
	if err != nil {
		return err
	}
	v.shard.worker.post(command{kind: commandWish, viewer: v, wish: wish})
	return nil
}

// Picture tells what a viewer can get of the picture and what it gets now. It knows of every Wish
// before it. The error is media.ErrNoSuchSession for a session that is no viewer's, or wraps that
// of the context.
func (s *SFU) Picture(ctx context.Context, id media.SessionID) (media.Picture, error) {
	v, err := s.findViewer(id)
	if err != nil {
		return media.Picture{}, err
	}
	answer, w := make(chan media.Picture, 1), v.shard.worker
	w.post(command{kind: commandPicture, viewer: v, answer: answer})
	select {
	case p, ok := <-answer:
		if !ok {
			return media.Picture{}, media.ErrNoSuchSession
		}
		return p, nil
	case <-w.done:
		return media.Picture{}, media.ErrNoSuchSession
	case <-ctx.Done():
		return media.Picture{}, fmt.Errorf("ask for a viewer's picture: %w", ctx.Err())
	}
}

func (s *SFU) findViewer(id media.SessionID) (*viewer, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	sess := s.sessions[id]
	if sess == nil || sess.viewer == nil || sess.reason != "" {
		return nil, media.ErrNoSuchSession
	}
	return sess.viewer, nil
}

// wishes notes what the viewer wants, and makes it choose again.
func (w *worker) wishes(v *viewer, wish media.Wish) {
	if !w.owns(v) || v.wish == wish {
		return
	}
	v.wish, v.chosen = wish, 0
	v.shard.wake()
}

// picture answers commandPicture.
func (w *worker) picture(v *viewer, now time.Time) media.Picture {
	o := &v.shard.offers
	o.refresh(v.stream.pub.Load(), now)
	p := media.Picture{}
	if v.estimates {
		p.Estimate = v.estimator.Target()
	}
	for i, r := range o.ladder {
		// Of the rungs of one size the last, which has every temporal layer.
		if next := i + 1; next == len(o.ladder) || !sameSize(r, o.ladder[next]) {
			p.Qualities = append(p.Qualities, qualityOf(r, o.encoding(r.Encoding)))
		}
	}
	t := v.picture()
	if t == nil || t.enc == nil || len(o.ladder) == 0 {
		return p
	}
	w.selectVideo(v, t, o, now) // a wish may have come with this very question
	current := qualityOf(o.rung(t), t.enc)
	p.Current, p.Bound = &current, v.selector.Bound(o.ladder, v.wish)
	return p
}

func sameSize(a, b layer.Rung) bool {
	return a.Encoding == b.Encoding && a.Layer.Spatial == b.Layer.Spatial
}

func qualityOf(r layer.Rung, e *encoding) media.Quality {
	return media.Quality{RID: e.rid, Width: r.Width, Height: r.Height, Bitrate: r.Bitrate}
}

// rung is what the track is being sent. It need not be on the ladder any more.
func (o *offers) rung(t *egress) layer.Rung {
	o.rungs = layer.AppendLadder(o.rungs[:0], []layer.Encoding{t.enc.describe()})
	at := 0
	for i, r := range o.rungs {
		if r.Layer.Spatial <= t.passing.Spatial && r.Layer.Temporal <= t.passing.Temporal {
			at = i
		}
	}
	return o.rungs[at]
}
