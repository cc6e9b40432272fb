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
// The packet path, file by file: demux.go → ingest.go → worker.go → egress.go and forward.go; back by
// viewer.go (RTCP) and publisher.go (key frames).
package sfu

import (
	"crypto/rand"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"log/slog"
	"runtime"
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
	copies      *copies // of viewers' datagrams

	total                            counters
	handshakesDone, handshakesFailed atomic.Uint64
	bindingAnswers                   atomic.Uint64
	sending                          sendingTotal
	sources                          atomic.Uint32

	offers  chan struct{} // holds a token for each viewer's offer in work
	closing chan struct{}
	tasks   sync.WaitGroup // workers, publishers' loops, Serve

	mu         sync.Mutex
	closed     bool
	sessions   map[media.SessionID]*session
	streams    map[string]*stream
	unfinished int
	admission  admission
	connected  [2]int // publishers, viewers
}

// session is what the SFU keeps of each session, whatever its role. It is guarded by SFU.mu.
type session struct {
	id        media.SessionID
	role      media.Role
	stream    *stream
	publisher *publisher
	viewer    *viewer
	began     time.Time // when a viewer got its place
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
		closing: make(chan struct{}), offers: make(chan struct{}, runtime.GOMAXPROCS(0)), sessions: map[media.SessionID]*session{}, streams: map[string]*stream{},
		copies: newCopies(), admission: newAdmission(cfg.MaxUnfinished),
	}
	s.addresses.conn = conn
	s.addresses.public = publicAddress(cfg.PublicAddress, conn.Port())
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
	s.mux = newPionMux(s.muxConn, pionLogs{log: s.log})
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
