// Package sfu is the data plane: a selective forwarding unit (RFC 7667 section 3.7) behind
// one UDP socket. A publisher's media comes in through pion/webrtc, is kept for a few
// seconds in one ring for each encoding, and goes out to every viewer through a leg of the
// relay's own (sfu/lite), renumbered and encrypted, never transcoded.
//
// It owns the socket, all sessions, and every goroutine that it starts: one reader of the
// socket, Config.Workers that send, and three or so for each publisher; none for a viewer.
// It parses SDP (offers of WHIP and WHEP, RFC 9725) and knows nothing of HTTP, of who may
// publish, or of rooms: signalling calls Publish, Subscribe, Patch and Close with text, and
// is told what happens by Config.OnEvent.
//
// The packet path, file by file: demux.go → ingest.go → worker.go → egress.go; back by
// viewer.go (RTCP) and publisher.go (key frames).
package sfu

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"log/slog"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"github.com/pion/webrtc/v3"

	"github.com/fanfare-relay/fanfare/media"
	"github.com/fanfare-relay/fanfare/sfu/lite"
	"github.com/fanfare-relay/fanfare/sfu/udp"
)

// SFU is the data plane. All methods are safe for concurrent use.
type SFU struct {
	cfg         Config
	log         *slog.Logger
	conn        *udp.Conn
	addresses   addressBook
	certificate webrtc.Certificate
	fingerprint string
	handshaker  *lite.Handshaker
	routes      *routes
	muxConn     *muxConn
	mux         *pionMux
	workers     []*worker
	free        sync.Pool // of *[maxDatagram]byte, viewers' datagrams

	total                            counters
	handshakesDone, handshakesFailed atomic.Uint64
	bindingAnswers                   atomic.Uint64
	sources                          atomic.Uint32

	closing chan struct{}
	tasks   sync.WaitGroup // workers, publishers' loops, Serve

	mu         sync.Mutex
	closed     bool
	sessions   map[media.SessionID]*session
	streams    map[string]*stream
	unfinished int
	connected  [2]int // publishers, viewers
}

// session is what the SFU keeps of each session, whatever its role. It is guarded by SFU.mu.
type session struct {
	id        media.SessionID
	role      media.Role
	stream    *stream
	publisher *publisher
	viewer    *viewer
	connected bool
	reason    media.CloseReason // why it is being closed, once somebody has asked

	// mids of the offer's live m-lines, the first of which carries the bundle; ICE as it is now.
	kind          media.Kind
	mids          []media.MID
	local, remote lite.Credentials
	etag          string
}

// New makes an SFU and starts its workers. Serve must run for anything to arrive;
// Shutdown ends both.
func New(cfg Config) (*SFU, error) {
	cfg.setDefaults()
	if err := cfg.validate(); err != nil {
		return nil, err
	}
	conn, ok := cfg.Conn.(*udp.Conn)
	if !ok {
		conn = udp.Wrap(cfg.Conn)
	}
	s := &SFU{
		cfg: cfg, log: cfg.Logger, conn: conn, routes: newRoutes(), muxConn: newMuxConn(conn),
		closing: make(chan struct{}), sessions: map[media.SessionID]*session{}, streams: map[string]*stream{},
		free: sync.Pool{New: func() any { return new([maxDatagram]byte) }},
	}
	s.addresses.conn = conn
	if p := cfg.PublicAddress; p.IsValid() {
		if p.Port() == 0 {
			p = netip.AddrPortFrom(p.Addr(), conn.Port())
		}
		s.addresses.public = p
	}
	if err := s.startTransport(); err != nil {
		return nil, err
	}
	for range cfg.Workers {
		w := newWorker(s)
		s.workers = append(s.workers, w)
		s.tasks.Go(w.run)
	}
	return s, nil
}

// startTransport makes the certificate that all sessions share and the two shells that use it.
func (s *SFU) startTransport() error {
	certificate, keys, err := newCertificate()
	if err != nil {
		return fmt.Errorf("make a certificate: %w", err)
	}
	s.certificate = certificate
	s.handshaker, err = lite.NewHandshaker(lite.HandshakerConfig{
		Certificate: keys,
		Send: func(b []byte, p lite.Path) {
			if _, err := s.conn.WriteMsg(b, p); err != nil {
				s.total.drop(DropSend)
			}
		},
	})
	if err != nil {
		return fmt.Errorf("start handshakes: %w", err)
	}
	s.fingerprint = s.handshaker.Fingerprint().String()
	s.mux = newPionMux(s.muxConn, pionLogs{s.log})
	return nil
}

// Serve reads the socket until Shutdown, and returns nil then. Any other end is an error
// of the socket, after which nothing arrives any more.
func (s *SFU) Serve() error {
	s.mu.Lock()
	if s.closed {
		s.mu.Unlock()
		return media.ErrClosed
	}
	s.tasks.Add(1)
	s.mu.Unlock()
	defer s.tasks.Done()
	d := demux{sfu: s, bindings: newBindingLimiter()}
	if err := d.run(s.closing); err != nil {
		return fmt.Errorf("read the media socket: %w", err)
	}
	return nil
}

// Shutdown ends every session with media.CloseShutdown, says so to the peers, and waits
// for all goroutines. Calling it again waits as well.
func (s *SFU) Shutdown() {
	s.mu.Lock()
	first := !s.closed
	s.closed = true
	var publishers []*publisher
	for _, sess := range s.sessions {
		if sess.publisher != nil {
			publishers = append(publishers, sess.publisher)
		}
	}
	s.mu.Unlock()
	if !first {
		s.tasks.Wait()
		return
	}
	for _, p := range publishers {
		p.end(media.CloseShutdown)
	}
	for _, p := range publishers {
		<-p.done
	}
	for _, w := range s.workers {
		w.post(command{kind: commandStop})
	}
	s.stopTransport()
	s.tasks.Wait()
}

// stopTransport closes the shells below the sessions; the socket last, so that what says
// goodbye is sent.
func (s *SFU) stopTransport() {
	for _, w := range s.workers {
		<-w.done
	}
	if err := s.handshaker.Close(); err != nil {
		s.log.Debug("close handshaker", "err", err)
	}
	_ = s.mux.Close() // closes muxConn only
	close(s.closing)
	if err := s.conn.Close(); err != nil {
		s.log.Debug("close media socket", "err", err)
	}
}

// Publish accepts a WHIP offer for the stream, which is made when there is none, and takes
// over from a publisher that is there: its session ends with media.CloseReplaced, the
// viewers stay. Errors wrap media.ErrBadOffer, ErrBusy or ErrClosed.
func (s *SFU) Publish(ctx context.Context, name, text string) (media.Answer, error) {
	o, err := parseOffer(media.RolePublisher, text)
	if err != nil {
		return media.Answer{}, err
	}
	st, err := s.reserve(name)
	if err != nil {
		return media.Answer{}, err
	}
	p, answer, err := newPublisher(ctx, s, st, o, text)
	if err != nil {
		s.release(st)
		return media.Answer{}, err
	}
	sess := newSession(p.id, media.RolePublisher, st, o)
	sess.publisher, sess.etag = p, newToken()
	s.routes.addUfrag(p.ufrag, route{publisher: true})
	if err := s.takeOver(sess); err != nil {
		s.routes.removeUfrag(p.ufrag)
		_ = p.pc.GracefulClose() // nobody has connected to it yet
		s.release(st)
		return media.Answer{}, err
	}
	s.log.Debug("publisher accepted", "stream", name, "session", p.id)
	return media.Answer{Session: p.id, SDP: answer, ETag: sess.etag}, nil
}

// takeOver makes the session the stream's publisher and ends the one before.
func (s *SFU) takeOver(sess *session) error {
	s.mu.Lock()
	if err := s.open(sess.stream); err != nil {
		s.mu.Unlock()
		return err
	}
	s.sessions[sess.id] = sess
	old := sess.stream.pub.Swap(sess.publisher)
	s.tasks.Go(sess.publisher.loop)
	s.mu.Unlock()
	if old != nil {
		old.end(media.CloseReplaced)
	}
	return nil
}

// open tells whether a session may still be added to the stream that it has reserved. The
// caller holds mu.
func (s *SFU) open(st *stream) error {
	switch {
	case s.closed:
		return media.ErrClosed
	case s.streams[st.name] != st: // closed since; the name may be another stream's by now
		return fmt.Errorf("%w: the stream was closed meanwhile", media.ErrBusy)
	}
	return nil
}

// Subscribe accepts a WHEP offer. The stream need not be live. Errors wrap
// media.ErrBadOffer, ErrBusy or ErrClosed.
func (s *SFU) Subscribe(_ context.Context, name, text string) (media.Answer, error) {
	o, err := parseOffer(media.RoleSubscriber, text)
	if err != nil {
		return media.Answer{}, err
	}
	st, err := s.reserve(name)
	if err != nil {
		return media.Answer{}, err
	}
	now := time.Now()
	sess := newSession(newSessionID(), media.RoleSubscriber, st, o)
	sess.local, sess.remote, sess.etag = lite.NewCredentials(), o.ice, newToken()
	v, ssrcs := s.newViewer(sess, o, now)
	sess.viewer = v
	if err := s.enrol(sess); err != nil {
		s.release(st)
		return media.Answer{}, err
	}
	answer := answerViewer(o, answerParams{
		origin: randomUint64() >> 1, ice: sess.local, fingerprint: s.fingerprint,
		candidates: candidateLines(s.addresses.list(now)), cname: v.cname, stream: "fanfare", ssrcs: ssrcs,
	})
	s.log.Debug("viewer accepted", "stream", name, "session", sess.id)
	return media.Answer{Session: sess.id, SDP: answer, ETag: sess.etag}, nil
}

// newViewer makes the viewer's leg and tracks. Memory held by the offer's text is let go.
func (s *SFU) newViewer(sess *session, o *offer, now time.Time) (*viewer, []trackSSRC) {
	v := &viewer{
		id: sess.id, stream: sess.stream, fingerprints: o.fingerprints, cname: newToken(),
		leg: lite.New(lite.Config{Local: sess.local, Remote: sess.remote, ConnectTimeout: s.cfg.ConnectTimeout}, now),
	}
	ssrcs := make([]trackSSRC, len(o.tracks))
	for i := range o.tracks {
		if o.tracks[i].live {
			ssrcs[i].main = randomSSRC()
			if o.tracks[i].hasRTX() {
				ssrcs[i].rtx = randomSSRC()
			}
			v.tracks = append(v.tracks, newEgress(&o.tracks[i], ssrcs[i]))
		}
	}
	return v, ssrcs
}

// enrol gives the viewer to the worker with the fewest.
func (s *SFU) enrol(sess *session) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.open(sess.stream); err != nil {
		return err
	}
	w := s.workers[0]
	for _, other := range s.workers[1:] {
		if other.load.Load() < w.load.Load() {
			w = other
		}
	}
	w.load.Add(1)
	v := sess.viewer
	v.shard = sess.stream.shardOf(w)
	sess.stream.viewers++
	s.sessions[sess.id] = sess
	s.routes.addUfrag(sess.local.Ufrag, route{viewer: v})
	w.post(command{kind: commandAdd, viewer: v})
	return nil
}

// reserve finds or makes the stream and takes a place among the unfinished sessions.
func (s *SFU) reserve(name string) (*stream, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.closed:
		return nil, media.ErrClosed
	case s.unfinished >= s.cfg.MaxUnfinished:
		return nil, fmt.Errorf("%w: %d", media.ErrBusy, s.unfinished)
	}
	st := s.streams[name]
	if st == nil {
		st = &stream{name: name}
		s.streams[name] = st
	}
	st.sessions++
	s.unfinished++
	return st, nil
}

// release undoes reserve for a session that came to nothing.
func (s *SFU) release(st *stream) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.unfinished--
	s.leave(st)
}

// leave takes a session off the stream, which is forgotten with the last. The caller holds mu.
func (s *SFU) leave(st *stream) {
	st.sessions--
	if st.sessions == 0 && s.streams[st.name] == st {
		delete(s.streams, st.name)
	}
}

func newSession(id media.SessionID, role media.Role, st *stream, o *offer) *session {
	sess := &session{id: id, role: role, stream: st}
	for i := range o.tracks {
		if t := &o.tracks[i]; t.live {
			if len(sess.mids) == 0 {
				sess.kind = t.kind
			}
			sess.mids = append(sess.mids, t.mid)
		}
	}
	return sess
}

// newSessionID makes 128 random bits.
func newSessionID() media.SessionID {
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails
	return media.SessionID(base64.RawURLEncoding.EncodeToString(b[:]))
}

// newToken makes a short random name: 72 bits.
func newToken() string {
	var b [9]byte
	_, _ = rand.Read(b[:]) // never fails
	return base64.RawURLEncoding.EncodeToString(b[:])
}

func randomUint64() uint64 {
	var b [8]byte
	_, _ = rand.Read(b[:]) // never fails
	return binary.BigEndian.Uint64(b[:])
}

// randomSSRC makes a source that is not 0, which some endpoints take for none.
func randomSSRC() media.SSRC { return media.SSRC(uint32(randomUint64()) | 1) }
