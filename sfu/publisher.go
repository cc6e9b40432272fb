package sfu

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/pion/rtcp"
	"github.com/pion/webrtc/v3"
	"golang.org/x/time/rate"

	"github.com/fanfare-relay/fanfare/media"
	"github.com/fanfare-relay/fanfare/media/nack"
	"github.com/fanfare-relay/fanfare/media/report"
	"github.com/fanfare-relay/fanfare/media/ring"
	"github.com/fanfare-relay/fanfare/media/seq"
)

// publisher is a publisher's session: a peer connection of pion and the encodings that
// come through it. Its loop asks for key frames and ends the session; each encoding has an
// ingest goroutine, and each source one that reads its sender reports (reports.go).
type publisher struct {
	sfu    *SFU
	stream *stream
	id     media.SessionID
	api    *webrtc.API
	pc     *webrtc.PeerConnection
	offer  *offer
	ssrc   media.SSRC // under which the relay reports
	ufrag  string     // the relay's, as the answer names it
	srtp   *srtpChoice
	from   *sources // owned by the demultiplexer
	// playout is the header extension that asks players to wait; nil: the publisher's packets say it, or nobody.
	playout []byte

	connected atomic.Bool
	told      sync.Once                   // EventConnected, or that it will not come any more
	heard     atomic.Int64                // when a datagram came last, in Unix nanoseconds
	alerted   atomic.Int64                // when an alert came last, or 0
	encodings atomic.Pointer[[]*encoding] // replaced, never changed, under mu
	// clockOffset is the publisher's clock minus the relay's; nil before the first sender report.
	clockOffset atomic.Pointer[time.Duration]

	moves  chan move              // sources to open
	opened []opened               // those that are open; the loop's
	opens  *rate.Limiter          // how often that may be
	pokes  chan struct{}          // a key frame may be due
	states chan media.CloseReason // why the session is to end
	done   chan struct{}          // closed when the loop has ended
	tasks  sync.WaitGroup         // ingest goroutines and readers of reports

	mu     sync.Mutex
	sync   report.Sync
	closed bool
}

// newPublisher makes the peer connection for an offer and returns the answer's text.
func newPublisher(ctx context.Context, s *SFU, st *stream, o *offer, text string, options media.PublishOptions) (*publisher, string, error) {
	p := &publisher{
		sfu: s, stream: st, offer: o, id: newSessionID(), ssrc: randomSSRC(), srtp: newSRTPChoice(!o.passive), from: newSources(o, text),
		moves: make(chan move, 1), opens: rate.NewLimiter(rate.Every(moveEvery), moveBurst), pokes: make(chan struct{}, 1), states: make(chan media.CloseReason, 1), done: make(chan struct{}),
	}
	p.playout = playoutOf(options.PlayoutDelay, s.cfg.PlayoutDelay)
	api, err := newPublisherAPI(o, s.mux, s.log, p)
	if err != nil {
		return nil, "", err
	}
	p.api = api
	p.pc, err = api.NewPeerConnection(webrtc.Configuration{Certificates: []webrtc.Certificate{s.certificate}})
	if err != nil {
		return nil, "", fmt.Errorf("new peer connection: %w", err)
	}
	p.pc.OnTrack(p.onTrack)
	p.pc.OnConnectionStateChange(p.onState)
	answer, err := p.negotiate(ctx, text)
	if err != nil {
		p.srtp.release()
		_ = p.pc.GracefulClose() // the negotiation's error is the one that counts
		return nil, "", err
	}
	return p, answer, nil
}

// negotiate answers the offer. Gathering is a matter of microseconds: the mux has one
// socket and pion asks no server.
func (p *publisher) negotiate(ctx context.Context, text string) (string, error) {
	err := p.pc.SetRemoteDescription(webrtc.SessionDescription{Type: webrtc.SDPTypeOffer, SDP: withoutCandidates(text)})
	if err != nil {
		p.sfu.log.Debug("offer refused by pion", "err", err)
		return "", badOffer("not accepted")
	}
	answer, err := p.pc.CreateAnswer(nil)
	if err != nil {
		p.sfu.log.Debug("no answer by pion", "err", err)
		return "", badOffer("no answer is possible")
	}
	gathered := webrtc.GatheringCompletePromise(p.pc)
	if err := p.pc.SetLocalDescription(answer); err != nil {
		return "", fmt.Errorf("set local description: %w", err)
	}
	select {
	case <-gathered:
	case <-ctx.Done():
		return "", ctx.Err()
	}
	local := p.pc.LocalDescription().SDP
	p.ufrag = sdpValue(local, "ice-ufrag")
	return withCandidates(local, candidateLines(p.sfu.addresses.list(time.Now()))), nil
}

// sdpValue returns the value of the first such attribute in an SDP text.
func sdpValue(text, key string) string {
	for line := range strings.SplitSeq(text, "\n") {
		if v, ok := strings.CutPrefix(strings.TrimSpace(line), "a="+key+":"); ok {
			return strings.Clone(v)
		}
	}
	return ""
}

// onState is called by pion. Disconnected ends nothing: it may come back.
func (p *publisher) onState(state webrtc.PeerConnectionState) {
	switch state {
	case webrtc.PeerConnectionStateConnected:
		p.up()
	case webrtc.PeerConnectionStateFailed:
		p.end(media.CloseFailed)
	}
}

// up tells once that the session is connected. Whoever comes second waits until it has been
// told, so no other event of the session overtakes it.
func (p *publisher) up() {
	p.told.Do(func() {
		p.connected.Store(true)
		p.sfu.publisherConnected(p)
		p.poke()
	})
}

// end asks the loop to end the session; the first reason counts.
func (p *publisher) end(reason media.CloseReason) {
	select {
	case p.states <- reason:
	default:
	}
}

// poke wakes the loop to look for wanted key frames.
func (p *publisher) poke() {
	select {
	case p.pokes <- struct{}{}:
	default:
	}
}

// loop is the session's own goroutine. It owns the key frame gates.
func (p *publisher) loop() {
	defer close(p.done)
	timer := time.NewTimer(p.sfu.cfg.ConnectTimeout)
	defer timer.Stop()
	connectBy := time.Now().Add(p.sfu.cfg.ConnectTimeout)
	for {
		select {
		case reason := <-p.states:
			p.finish(reason)
			return
		case m := <-p.moves:
			p.open(m, time.Now())
		case <-p.pokes:
		case <-timer.C:
		}
		now := time.Now()
		if !p.connected.Load() && !now.Before(connectBy) {
			p.finish(media.CloseUnfinished)
			return
		}
		next := p.askForKeys(now, connectBy)
		if at, ok := goodbye(unixTime(p.alerted.Load()), unixTime(p.heard.Load())); ok {
			if !now.Before(at) {
				p.finish(media.CloseTimeout)
				return
			}
			next = earlier(next, at)
		}
		timer.Reset(time.Until(next))
	}
}

// askForKeys sends the key frame requests that are due and returns when to look again.
func (p *publisher) askForKeys(now, connectBy time.Time) time.Time {
	next := now.Add(time.Hour)
	if !p.connected.Load() {
		return connectBy
	}
	list := p.list()
	for _, e := range list {
		if e.replaced(list) {
			continue
		}
		asked, arrived := unixTime(e.askedAt.Load()), unixTime(e.keyAt.Load())
		if e.gate.due(asked, arrived, now) {
			p.countPLI()
			p.send(&rtcp.PictureLossIndication{SenderSSRC: uint32(p.ssrc), MediaSSRC: uint32(e.ssrc)})
		}
		if at, ok := e.gate.deadline(asked, arrived); ok {
			next = earlier(next, at)
		}
	}
	return next
}

func earlier(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}

// refused is called for a datagram that SRTP has refused.
func (p *publisher) refused() {
	p.stream.counters.drop(DropNotAuthentic)
	p.sfu.total.drop(DropNotAuthentic)
}

func (p *publisher) countPLI() {
	t := tally{Counts: Counts{PLIsSent: 1}, dirty: true}
	t.flush(&p.stream.counters, &p.sfu.total)
}

func unixTime(ns int64) time.Time {
	if ns == 0 {
		return time.Time{}
	}
	return time.Unix(0, ns)
}

// send writes RTCP to the publisher. Losing it costs what losing a datagram costs.
func (p *publisher) send(pkt rtcp.Packet) {
	if err := p.pc.WriteRTCP([]rtcp.Packet{pkt}); err != nil {
		p.sfu.log.Debug("feedback not sent", "session", p.id.Short(), "err", err)
	}
}

// finish closes the connection, waits for the session's goroutines, and tells.
func (p *publisher) finish(reason media.CloseReason) {
	p.mu.Lock()
	p.closed = true
	p.mu.Unlock()
	p.told.Do(func() {})
	p.srtp.release()
	for _, o := range p.opened {
		_ = o.receiver.Stop() // its track ends, which is what is wanted
	}
	if err := p.pc.GracefulClose(); err != nil {
		p.sfu.log.Debug("close publisher", "session", p.id.Short(), "err", err)
	}
	p.tasks.Wait()
	p.sfu.publisherGone(p, reason)
}

// list returns the encodings that have sent something.
func (p *publisher) list() []*encoding {
	if l := p.encodings.Load(); l != nil {
		return *l
	}
	return nil
}

// onTrack is called by pion in a goroutine of its own, with the first packet of a track.
// That goroutine becomes the encoding's ingest.
func (p *publisher) onTrack(track *webrtc.TrackRemote, receiver *webrtc.RTPReceiver) {
	t := p.trackOf(receiver)
	if t == nil {
		return
	}
	e, ok := p.newEncoding(t, media.RID(track.RID()), media.SSRC(track.SSRC()))
	if !ok {
		return
	}
	defer p.tasks.Done()
	e.requestKey(time.Now())
	e.run(track)
}

// newEncoding adds an encoding, and a task for its goroutine; false when the session has
// ended.
func (p *publisher) newEncoding(t *trackOffer, rid media.RID, ssrc media.SSRC) (*encoding, bool) {
	e := &encoding{
		pub: p, kind: t.kind, rid: rid, ssrc: ssrc,
		exts: t.exts, source: p.sfu.newSource(), reports: time.Now().Add(reportInterval),
		nacks: nack.NewReceiver(nack.ReceiverConfig{}), stats: report.NewReceiver(t.formats[0].codec.ClockRate()),
	}
	for i, rid := range t.rids {
		if rid == e.rid {
			e.rank = i
		}
	}
	for i := range t.formats {
		e.formats[t.formats[i].pt] = &t.formats[i]
	}
	e.dependency = newDependency(t.exts, t.kind)
	e.capture = newCaptureClock(t.exts)
	size := ringVideo
	if e.kind == media.KindAudio {
		size = ringAudio
	}
	e.ring = ring.New(size)
	return e, p.add(e)
}

// begin counts a goroutine of the session; false when it has ended.
func (p *publisher) begin() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return false
	}
	p.tasks.Add(1)
	return true
}

// add registers the encoding unless the session has ended.
func (p *publisher) add(e *encoding) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	list := p.list()
	if p.closed || len(list) >= report.MaxTracks {
		return false
	}
	for slices.ContainsFunc(list, func(other *encoding) bool { return other.track == e.track }) {
		e.track++
	}
	list = append(list[:len(list):len(list)], e)
	p.encodings.Store(&list)
	p.tasks.Add(1)
	return true
}

// trackOf finds the offer's m-line of pion's receiver.
func (p *publisher) trackOf(receiver *webrtc.RTPReceiver) *trackOffer {
	mid := ""
	if tr := receiver.RTPTransceiver(); tr != nil {
		mid = tr.Mid()
	}
	return p.trackNamed(media.MID(mid))
}

// trackNamed finds an m-line of the offer, or nil.
func (p *publisher) trackNamed(mid media.MID) *trackOffer {
	for i := range p.offer.tracks {
		if t := &p.offer.tracks[i]; t.live && t.mid == mid {
			return t
		}
	}
	return nil
}

func (e *encoding) clockRate() uint32 {
	if e.kind == media.KindAudio {
		return media.CodecOpus.ClockRate()
	}
	return media.CodecVP8.ClockRate()
}

// newSource names an encoding for the rewriters of its viewers.
func (s *SFU) newSource() seq.Source { return seq.Source(s.sources.Add(1)) }
