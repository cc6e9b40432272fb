package endpoint

import (
	"context"
	"log/slog"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/pion/interceptor"
	"github.com/pion/interceptor/pkg/nack"
	"github.com/pion/rtcp"
	"github.com/pion/rtp"
	"github.com/pion/webrtc/v3"

	"github.com/fanfare-relay/fanfare/media"
	"github.com/fanfare-relay/fanfare/media/container"
)

// SyntheticConfig says what to send where.
type SyntheticConfig struct {
	// URL is the WHIP endpoint, Bearer the key, "" for none.
	URL, Bearer string
	// Bitrate of the picture in bits a second, key frames not counted.
	Bitrate float64
	// KeyEvery is the time from one key frame to the next when nobody asks; 0 for never.
	KeyEvery time.Duration
	// IgnorePLI: requests for key frames are counted and nothing else.
	IgnorePLI bool
	// Log takes life-cycle lines; nil for none.
	Log *slog.Logger
	// OnLive is called when media begins to flow; nil for nothing.
	OnLive func()
}

// Synthetic publishes a stream that is made for measuring: packets of the sizes and in the rhythm of a recorded browser, VP8 of
// 1280 by 720 at 30 frames a second and Opus. The end of each payload tells when it was sent (ReadStamp). What a relay looks at is
// right; nothing can be decoded.
type Synthetic struct {
	cfg    SyntheticConfig
	rtc    webrtc.Configuration
	signal *signal

	mu     sync.Mutex
	tracks []*outbound // picture, sound
}

// NewSynthetic prepares a publisher.
func NewSynthetic(cfg SyntheticConfig) (*Synthetic, error) {
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	rtc, err := newConfiguration()
	if err != nil {
		return nil, err
	}
	return &Synthetic{cfg: cfg, rtc: rtc, signal: newSignal(cfg.URL, cfg.Bearer)}, nil
}

// Run publishes until ctx ends (its error) or the session is lost. The session is ended by DELETE.
func (s *Synthetic) Run(ctx context.Context) error {
	defer s.signal.close()
	pc, err := s.connection()
	if err != nil {
		return err
	}
	defer pc.Close()
	up, lost := make(chan struct{}), make(chan struct{})
	watchState(pc, up, lost)
	at, err := exchange(ctx, pc, s.signal, func() {})
	if err == nil {
		err = awaitUp(ctx, pc, at.answer, up, lost)
	}
	if err == nil {
		s.cfg.Log.Info("publishing", "endpoint", s.cfg.URL)
		err = s.play(ctx, pc, lost)
	}
	ending, cancel := context.WithTimeout(context.Background(), 3*time.Second)
	defer cancel()
	_ = s.signal.remove(ending, at) // it may have ended already
	return err
}

func (s *Synthetic) connection() (*webrtc.PeerConnection, error) {
	engine, registry := &webrtc.MediaEngine{}, &interceptor.Registry{}
	responder, err := nack.NewResponderInterceptor(nack.ResponderSize(2048))
	if err != nil {
		return nil, err
	}
	registry.Add(responder)
	params := []webrtc.RTPCodecParameters{
		codecParameters(media.CodecVP8, "", 96), codecParameters(media.CodecOpus, "minptime=10;useinbandfec=1", 111),
	}
	kinds := []media.Codec{media.CodecVP8, media.CodecOpus}
	for i, p := range params {
		if err := engine.RegisterCodec(p, rtpKind(kinds[i].Kind())); err != nil {
			return nil, err
		}
	}
	pc, err := newAPI(engine, registry, patience).NewPeerConnection(s.rtc)
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for i, p := range params {
		o, err := newOutbound(pc, p, kinds[i], "synthetic")
		if err != nil {
			_ = pc.Close()
			return nil, err
		}
		s.tracks = append(s.tracks, o)
	}
	return pc, nil
}

// Stats returns the figures of both tracks, picture first.
func (s *Synthetic) Stats() (list []OutboundStats) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, o := range s.tracks {
		list = append(list, o.snapshot())
	}
	return list
}

// play sends at the pace of a browser until something ends it.
func (s *Synthetic) play(ctx context.Context, pc *webrtc.PeerConnection, lost <-chan struct{}) error {
	wanted := make(chan struct{}, 1)
	for _, o := range s.tracks {
		go o.feedback(wanted) // ends with the peer connection
	}
	if err := sleep(ctx, settle); err != nil {
		return err
	}
	if s.cfg.OnLive != nil {
		s.cfg.OnLive()
	}
	tick := time.NewTicker(paceTime)
	defer tick.Stop()
	p := newPacer(s.cfg, newShape(s.cfg.Bitrate), s.tracks[0], s.tracks[1], time.Now())
	for {
		select {
		case <-tick.C:
		case <-wanted:
			p.wantKey = p.wantKey || !s.cfg.IgnorePLI
			continue
		case <-lost:
			return ErrLost
		case <-ctx.Done():
			return ctx.Err()
		}
		now := time.Now()
		if p.reportDue(now) {
			for _, o := range s.tracks {
				// A session that is gone is noticed elsewhere.
				_ = pc.WriteRTCP([]rtcp.Packet{o.senderReport(now, now.Sub(p.begin))})
			}
		}
		for _, out := range p.step(now) {
			if err := out.track.writePacket(out.packet, out.first && out.key, out.packet.Marker || out.track == s.tracks[1]); err != nil {
				s.cfg.Log.Debug("packet not sent", "reason", err)
			}
		}
	}
}

// paced is a packet with the track that sends it.
type paced struct {
	track      *outbound
	packet     *rtp.Packet
	key, first bool // of a key frame, of a frame
}

// pacer decides which packets go out when. It is a value but for the tracks, of which it takes the first numbers.
type pacer struct {
	cfg            SyntheticConfig
	shape          shape
	picture, sound *outbound
	begin          time.Time
	frames, sounds int // made
	queue          []paced
	wantKey        bool
	keyAt          time.Duration // of the newest key frame
	seqs           [2]uint16
	stepped        time.Duration
	reported       time.Time
}

func newPacer(cfg SyntheticConfig, shape shape, picture, sound *outbound, now time.Time) *pacer {
	return &pacer{
		cfg: cfg, shape: shape, picture: picture, sound: sound, begin: now, wantKey: true, keyAt: -keyPause,
		seqs: [2]uint16{uint16(rand.Uint32()), uint16(rand.Uint32())},
	}
}

func (p *pacer) reportDue(now time.Time) bool {
	if now.Sub(p.reported) < time.Second {
		return false
	}
	p.reported = now
	return true
}

// step returns the packets to send now. After a pause of the process what was missed is made up for, but not all at once.
func (p *pacer) step(now time.Time) (out []paced) {
	place := now.Sub(p.begin)
	for ; time.Duration(p.frames)*frameTime <= place; p.frames++ {
		p.frame(time.Duration(p.frames) * frameTime)
	}
	for ; time.Duration(p.sounds)*soundTime <= place; p.sounds++ {
		at := container.Timestamp(media.CodecOpus, time.Duration(p.sounds)*soundTime)
		out = append(out, paced{track: p.sound, packet: p.packet(p.sound, 1, at, p.shape.opus(), false)})
	}
	steps := min(max(int((place-p.stepped+paceTime/2)/paceTime), 1), 3)
	p.stepped = place
	n := min(steps*p.shape.burst, len(p.queue))
	out = append(out, p.queue[:n]...)
	p.queue = p.queue[:copy(p.queue, p.queue[n:])]
	return out
}

// frame queues the frame whose place is at.
func (p *pacer) frame(at time.Duration) {
	key := p.wantKey && at-p.keyAt >= keyPause || p.cfg.KeyEvery > 0 && at-p.keyAt >= p.cfg.KeyEvery
	if key {
		p.wantKey, p.keyAt = false, at
	}
	payloads := p.shape.next(key)
	for i, b := range payloads {
		packet := p.packet(p.picture, 0, container.Timestamp(media.CodecVP8, at), b, i == len(payloads)-1)
		p.queue = append(p.queue, paced{track: p.picture, packet: packet, key: key, first: i == 0})
	}
}

func (p *pacer) packet(o *outbound, i int, at uint32, payload []byte, marker bool) *rtp.Packet {
	h := rtp.Header{Version: 2, SequenceNumber: p.seqs[i], Timestamp: o.base + at, Marker: marker}
	p.seqs[i]++
	return &rtp.Packet{Header: h, Payload: payload}
}
