package endpoint

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"sync"
	"time"

	"github.com/pion/webrtc/v3"

	"github.com/fanfare-relay/fanfare/media"
	"github.com/fanfare-relay/fanfare/media/container"
)

// PublisherConfig says what to publish where.
type PublisherConfig struct {
	// URL is the WHIP endpoint, Bearer the key, "" for none.
	URL, Bearer string
	// Clips play in order; with Loop for ever. They must be readable when Run begins.
	Clips []Clip
	Loop  bool
	// Persist also repeats the first attempt until it works. Without it, only a stream that has
	// been live is brought back.
	Persist bool
	// Log takes life-cycle lines; nil for none. Notes takes sentences for people, on clips; nil for none.
	Log   *slog.Logger
	Notes func(clip, note string)
	// OnLive is called whenever media begins to flow; nil for nothing.
	OnLive func()

	patience, silence time.Duration // tests lose connections faster
}

// Publisher sends files over WHIP. Use NewPublisher.
type Publisher struct {
	cfg    PublisherConfig
	rtc    webrtc.Configuration
	signal *signal
	list   playlist
	audio  *container.Track // the union of all clips: an audio m-line is offered when any has sound
	retry  retry
	noted  map[string]bool
	broken bool                   // the last session was lost in the middle
	old    *webrtc.PeerConnection // stays up until the session that takes over is there

	mu   sync.Mutex
	live *pubSession // nil while there is none
	past map[string]OutboundStats
}

// NewPublisher opens every clip once: a file that cannot be played is told before anything is sent.
func NewPublisher(cfg PublisherConfig) (*Publisher, error) {
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	if cfg.patience == 0 {
		cfg.patience = patience
	}
	if cfg.silence == 0 {
		cfg.silence = silence
	}
	if len(cfg.Clips) == 0 {
		return nil, fmt.Errorf("%w: there are no files", container.ErrNoTrack)
	}
	p := &Publisher{cfg: cfg, retry: retry{persist: cfg.Persist}, noted: map[string]bool{}, past: map[string]OutboundStats{}}
	for _, c := range cfg.Clips {
		if err := p.check(c); err != nil {
			return nil, fmt.Errorf("%s: %w", c.Name, err)
		}
	}
	rtc, err := newConfiguration()
	if err != nil {
		return nil, err
	}
	p.rtc, p.signal = rtc, newSignal(cfg.URL, cfg.Bearer)
	p.list = playlist{clips: cfg.Clips, loop: cfg.Loop, say: p.note}
	return p, nil
}

// check opens a clip and remembers its sound.
func (p *Publisher) check(c Clip) error {
	r, err := c.Open()
	if err != nil {
		return err
	}
	defer r.Close()
	for _, t := range r.Tracks() {
		if t.Codec.Kind() == media.KindAudio && (p.audio == nil || t.Channels > p.audio.Channels) {
			p.audio = &t
		}
	}
	for _, n := range r.Notes() {
		p.note(c.Name, n)
	}
	return nil
}

// note says a sentence once.
func (p *Publisher) note(clip, text string) {
	if p.cfg.Notes == nil || p.noted[clip+text] {
		return
	}
	p.noted[clip+text] = true
	p.cfg.Notes(clip, text)
}

// Run publishes until the last clip has been sent (nil), ctx ends (its error), or the server does not let the
// stream be (one of this package's errors). The session is ended by DELETE.
func (p *Publisher) Run(ctx context.Context) error {
	defer p.list.close()
	defer p.signal.close()
	defer p.closeOld()
	for {
		first, err := p.list.next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		p.list.unread(first)
		err = p.session(ctx)
		switch {
		case err == nil, ctx.Err() != nil:
			return err
		case errors.Is(err, errOtherCodec):
			continue
		}
		err = p.retry.pause(ctx, err, func(err error, wait time.Duration) {
			p.cfg.Log.Warn("stream interrupted", "reason", err, "again_in", wait.Round(time.Millisecond))
		})
		if err != nil {
			return err
		}
	}
}

// session is one POST and what follows. Its error says why it ended; nil at the end of the last clip.
func (p *Publisher) session(ctx context.Context) error {
	s, err := p.connect(ctx)
	if err != nil {
		return err
	}
	p.retry.up()
	p.closeOld()
	p.setLive(s)
	p.cfg.Log.Info("publishing", "endpoint", p.cfg.URL, "video", s.codec.String())
	if p.cfg.OnLive != nil {
		p.cfg.OnLive()
	}
	err = p.play(ctx, s)
	p.setLive(nil)
	closeErr := p.end(s, err)
	if errors.Is(closeErr, ErrEnded) {
		return closeErr
	}
	return err
}

func (p *Publisher) setLive(s *pubSession) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.live != nil {
		for _, o := range p.live.tracks {
			p.past[o.codec.String()] = sumOutbound(p.past[o.codec.String()], o.snapshot())
		}
	}
	p.live = s
}

func sumOutbound(a, b OutboundStats) OutboundStats {
	b.PacketsSent += a.PacketsSent
	b.BytesSent += a.BytesSent
	b.FramesSent += a.FramesSent
	b.KeyFramesSent += a.KeyFramesSent
	b.NACKCount += a.NACKCount
	b.PLICount += a.PLICount
	b.RemoteLost += a.RemoteLost
	return b
}

// Stats returns the figures of all tracks over all sessions, picture first.
func (p *Publisher) Stats() []OutboundStats {
	p.mu.Lock()
	defer p.mu.Unlock()
	all := map[string]OutboundStats{}
	for k, v := range p.past {
		all[k] = v
	}
	if p.live != nil {
		for _, o := range p.live.tracks {
			all[o.codec.String()] = sumOutbound(all[o.codec.String()], o.snapshot())
		}
	}
	var out []OutboundStats
	for c := media.CodecVP8; c <= media.CodecOpus; c++ {
		if s, ok := all[c.String()]; ok {
			out = append(out, s)
		}
	}
	return out
}
