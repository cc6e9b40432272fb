package endpoint

import (
	"context"
	"errors"
	"io"
	"time"

	"github.com/pion/interceptor"
	"github.com/pion/interceptor/pkg/nack"
	"github.com/pion/rtcp"
	"github.com/pion/webrtc/v3"

	"github.com/fanfare-relay/fanfare/media"
	"github.com/fanfare-relay/fanfare/media/container"
)

// errOtherCodec ends a session because the next clip needs another offer: WHIP has no renegotiation.
var errOtherCodec = errors.New("the next clip has another codec")

// pubSession is one WHIP session.
type pubSession struct {
	pc      *webrtc.PeerConnection
	at      resource
	tracks  map[media.Kind]*outbound
	codec   media.Codec // of the picture
	profile string
	lost    chan struct{} // closed when the connection has failed
	up      chan struct{} // closed when it is connected
	gone    chan struct{} // closed when the server knows the session no longer
	wantKey chan struct{}
	anchor  anchor
	keyAt   time.Duration // place of the newest key frame that was sent
	keySent bool
}

// connect makes a session for the clip that is open now.
func (p *Publisher) connect(ctx context.Context) (*pubSession, error) {
	ctx, cancel := context.WithTimeout(ctx, connectTimeout+20*time.Second)
	defer cancel()
	s, err := p.offer()
	if err != nil {
		return nil, err
	}
	if s.at, err = exchange(ctx, s.pc, p.signal, func() {}); err == nil {
		err = awaitUp(ctx, s.pc, s.at.answer, s.up, s.lost)
	}
	if err != nil {
		if ended := p.end(s, err); errors.Is(ended, ErrEnded) {
			err = ended
		}
		return nil, err
	}
	return s, nil
}

// offer makes the peer connection with exactly the codecs of the clip.
func (p *Publisher) offer() (*pubSession, error) {
	engine, registry := &webrtc.MediaEngine{}, &interceptor.Registry{}
	// Two seconds of a fast stream stay ready to be sent again.
	responder, err := nack.NewResponderInterceptor(nack.ResponderSize(2048))
	if err != nil {
		return nil, err
	}
	registry.Add(responder)
	s := &pubSession{
		tracks: map[media.Kind]*outbound{}, wantKey: make(chan struct{}, 1),
		lost: make(chan struct{}), up: make(chan struct{}), gone: make(chan struct{}),
	}
	var params []webrtc.RTPCodecParameters
	var codecs []media.Codec
	for i, t := range p.offered() {
		params = append(params, codecParameters(t.Codec, t.FMTP(), webrtc.PayloadType(96+i)))
		codecs = append(codecs, t.Codec)
		if err := engine.RegisterCodec(params[i], rtpKind(t.Codec.Kind())); err != nil {
			return nil, err
		}
		if t.Codec.Kind() == media.KindVideo {
			s.codec, s.profile = t.Codec, t.Profile
		}
	}
	if s.pc, err = newAPI(engine, registry, p.cfg.patience).NewPeerConnection(p.rtc); err != nil {
		return nil, err
	}
	watchState(s.pc, s.up, s.lost)
	for i, c := range codecs {
		o, err := newOutbound(s.pc, params[i], c, "fanfare")
		if err != nil {
			_ = s.pc.Close()
			return nil, err
		}
		s.tracks[c.Kind()] = o
	}
	return s, nil
}

// offered are the tracks of the clip that is open, and sound when any clip has it.
func (p *Publisher) offered() []container.Track {
	var out []container.Track
	for _, t := range p.list.tracks {
		if t.Codec.Kind() == media.KindVideo {
			out = append(out, t)
		}
	}
	if p.audio != nil {
		out = append(out, *p.audio)
	}
	return out
}

// settle is the time between our end of the handshake and the first packet: the server's end comes half a round trip
// later, and what arrives before it is lost.
const settle = 100 * time.Millisecond

// play sends frames in time until something ends it.
func (p *Publisher) play(ctx context.Context, s *pubSession) error {
	for _, o := range s.tracks {
		go o.feedback(s.wantKey) // ends with the peer connection
	}
	defer s.mind(ctx, p.signal, p.cfg.silence)()
	s.anchor = anchor{time.Now().Add(settle - p.list.line.head)}
	if p.broken {
		p.list.pli(p.list.line.head) // after a break the picture begins with a key frame
	}
	p.broken = true // until the session is left in good order
	nextReport := time.Now()
	for {
		f, err := p.list.next()
		if errors.Is(err, io.EOF) {
			return p.drain(ctx, s)
		}
		if err != nil {
			return err
		}
		if !p.fits(s) {
			p.list.unread(f)
			p.broken = false
			return errOtherCodec
		}
		moved, err := p.await(ctx, s, f.send)
		if err != nil {
			p.list.unread(f)
			return err
		}
		if moved {
			continue
		}
		if now := time.Now(); !now.Before(nextReport) {
			nextReport = now.Add(time.Second)
			s.reports(now)
		}
		if o := s.tracks[f.kind]; o != nil {
			if err := o.write(ctx, f); err != nil && ctx.Err() != nil {
				return ctx.Err()
			}
			if f.Key && f.kind == media.KindVideo {
				s.keyAt, s.keySent = s.anchor.at(time.Now()), true
			}
		}
	}
}

// fits tells whether the clip that is open goes with the session's offer.
func (p *Publisher) fits(s *pubSession) bool {
	for _, t := range p.list.tracks {
		if t.Codec.Kind() == media.KindVideo && (t.Codec != s.codec || t.Profile != s.profile) {
			return false
		}
	}
	return true
}

// await waits for a place on the line. moved: a key frame was asked for and the list has moved on.
func (p *Publisher) await(ctx context.Context, s *pubSession, place time.Duration) (moved bool, err error) {
	t := time.NewTimer(s.anchor.wait(place, time.Now()))
	defer t.Stop()
	for {
		select {
		case <-t.C:
			return false, nil
		case <-ctx.Done():
			return false, ctx.Err()
		case <-s.lost:
			return false, ErrLost
		case <-s.gone:
			return false, ErrLost
		case <-s.wantKey:
			now := s.anchor.at(time.Now())
			if s.answers(now) && p.list.pli(now) {
				return true, nil
			}
		}
	}
}

// mind asks the server for the session while no feedback comes, until stop is called. Servers report once a second; one
// that was restarted is found out so before ICE gives up, and one that is only busy says that all is well.
func (s *pubSession) mind(ctx context.Context, server *signal, silence time.Duration) (stop func()) {
	ctx, cancel := context.WithCancel(ctx)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		var answered time.Time // a server that never reports is not asked all the time
		for sleep(ctx, silence/3) == nil {
			if time.Since(s.lastHeard()) < silence || time.Since(answered) < silence {
				continue
			}
			err := server.ask(ctx, s.at)
			if errors.Is(err, ErrEnded) || errors.Is(err, ErrNotFound) {
				close(s.gone)
				return
			}
			if !errors.Is(err, ErrUnreachable) {
				answered = time.Now()
			}
		}
	}()
	return func() {
		cancel()
		<-ended
	}
}

// lastHeard is when feedback came on any track.
func (s *pubSession) lastHeard() (at time.Time) {
	for _, o := range s.tracks {
		if t := o.lastHeard(); t.After(at) {
			at = t
		}
	}
	return at
}

// keyGrace is how long after a key frame a PLI is taken to have crossed it on the way. Longer makes viewers who
// join right behind a key frame wait, shorter skips a part of the file for nothing.
const keyGrace = 30 * time.Millisecond

// answers tells whether a PLI at this place asks for more than what has just been sent.
func (s *pubSession) answers(now time.Duration) bool {
	rtt := time.Duration(0)
	if o := s.tracks[media.KindVideo]; o != nil {
		rtt = time.Duration(o.snapshot().RoundTripTimeMs) * time.Millisecond
	}
	return s.keySent && now-s.keyAt > keyGrace+rtt
}

// reports sends the sender reports of all tracks; the tracks share the line, so they stay in step.
func (s *pubSession) reports(now time.Time) {
	for _, o := range s.tracks {
		// A session that is gone is noticed elsewhere.
		_ = s.pc.WriteRTCP([]rtcp.Packet{o.senderReport(now, s.anchor.at(now))})
	}
}

// drain lets the last frames sound and be asked for again before the session ends.
func (p *Publisher) drain(ctx context.Context, s *pubSession) error {
	_, err := p.await(ctx, s, p.list.line.end+300*time.Millisecond)
	return err
}

// end closes the session; why is what ended it. A session that was lost, or that only makes room for another codec,
// is not deleted, because that would end the stream for its viewers: the next one takes over at its POST.
// The error is ErrEnded when there must not be a next one.
func (p *Publisher) end(s *pubSession, why error) error {
	if errors.Is(why, errOtherCodec) {
		p.old = s.pc
		return nil
	}
	defer s.pc.Close()
	ctx, cancel := context.WithTimeout(context.Background(), 3*time.Second)
	defer cancel()
	if errors.Is(why, ErrLost) {
		return p.signal.fate(ctx, s.at)
	}
	return p.signal.remove(ctx, s.at)
}

func (p *Publisher) closeOld() {
	if p.old != nil {
		_ = p.old.Close()
		p.old = nil
	}
}
