package lite

import (
	"context"
	"crypto/tls"
	"errors"
	"runtime"
	"sync"
	"time"
)

// Errors of handshakes.
var (
	// ErrBusy: the queue of handshakes is full.
	ErrBusy = errors.New("too many handshakes are waiting")
	// ErrHandshakeTimeout: the handshake was not done in time, in the queue or after it.
	ErrHandshakeTimeout = errors.New("the handshake took too long")
	// ErrHandshakeCancelled: cancelled by its owner, or the Handshaker was closed.
	ErrHandshakeCancelled = errors.New("the handshake was cancelled")
)

// HandshakerConfig sets up a Handshaker.
type HandshakerConfig struct {
	// Send sends one datagram of a handshake at once. It is called from several
	// goroutines and must not keep b.
	Send func(b []byte, p Path)
	// Certificate is the process's own; when it holds none, NewHandshaker makes one.
	Certificate tls.Certificate
	// InFlight is how many handshakes run at once; 0 means 4 for each CPU, at least 16.
	InFlight int
	// Queue is how many more may wait; 0 means 1,024.
	Queue int
	// Timeout is for a handshake from Begin to its end, the time in the queue
	// included; 0 means 10 s.
	Timeout time.Duration
	// Patience is how long a running handshake waits for the peer's next datagram
	// before it gives its place away; 0 means 3 s.
	Patience time.Duration
}

func (c *HandshakerConfig) applyDefaults() {
	if c.InFlight == 0 {
		c.InFlight = max(16, 4*runtime.GOMAXPROCS(0))
	}
	if c.Queue == 0 {
		c.Queue = 1024
	}
	if c.Timeout == 0 {
		c.Timeout = 10 * time.Second
	}
	if c.Patience == 0 {
		c.Patience = 3 * time.Second
	}
}

// Handshaker runs DTLS handshakes as the server (RFC 5764). It is safe for concurrent use.
// It has a fixed number of goroutines, so that many who join at once can never starve
// those who watch.
type Handshaker struct {
	cfg         HandshakerConfig
	fingerprint Fingerprint

	mu      sync.RWMutex // held while queueing, so that nothing comes after close
	closed  bool
	queue   chan *Handshake
	running sync.WaitGroup
	ctx     context.Context // of all handshakes
	stop    context.CancelFunc
}

// NewHandshaker starts a Handshaker; Close stops it.
func NewHandshaker(cfg HandshakerConfig) (*Handshaker, error) {
	cfg.applyDefaults()
	if len(cfg.Certificate.Certificate) == 0 {
		var err error
		if cfg.Certificate, err = NewCertificate(time.Now()); err != nil {
			return nil, err
		}
	}
	h := &Handshaker{
		cfg:   cfg,
		queue: make(chan *Handshake, cfg.Queue),
		fingerprint: Fingerprint{
			Algorithm: sha256Name,
			Value:     hashCertificate(sha256Name, cfg.Certificate.Certificate[0]),
		},
	}
	h.ctx, h.stop = context.WithCancel(context.Background())
	for range cfg.InFlight {
		h.running.Go(h.serve)
	}
	return h, nil
}

// Fingerprint is that of our certificate, for the answer.
func (h *Handshaker) Fingerprint() Fingerprint { return h.fingerprint }

// serve runs one handshake after another.
func (h *Handshaker) serve() {
	for s := range h.queue {
		if s.ctx.Err() == nil {
			s.end(s.run(&h.cfg))
		} else {
			s.end(Result{Err: s.cause()})
		}
		s.cancel(nil)
	}
}

// Begin queues a handshake with a peer whose certificate must match one of the
// fingerprints. done is called exactly once, from another goroutine, unless Begin
// itself fails with ErrBusy or ErrHandshakeCancelled; it must not block for long.
func (h *Handshaker) Begin(peer []Fingerprint, done func(Result)) (*Handshake, error) {
	h.mu.RLock()
	defer h.mu.RUnlock()
	if h.closed {
		return nil, ErrHandshakeCancelled
	}
	s := &Handshake{peer: peer, done: done, pipe: newPipe(h.cfg.Send)}
	s.ctx, s.cancel = context.WithCancelCause(h.ctx)
	s.fed = make(chan struct{}, 1)
	s.timer = time.AfterFunc(h.cfg.Timeout, func() { s.cancel(ErrHandshakeTimeout) })
	select {
	case h.queue <- s:
	default:
		s.timer.Stop()
		s.cancel(nil)
		return nil, ErrBusy
	}
	// Also ends a handshake that still waits. After the regular end it does nothing.
	context.AfterFunc(s.ctx, func() { s.end(Result{Err: s.cause()}) })
	return s, nil
}

// Close cancels all handshakes, calls their done and waits for the goroutines.
func (h *Handshaker) Close() error {
	h.mu.Lock()
	already := h.closed
	h.closed = true
	h.mu.Unlock()
	h.stop()
	if !already {
		close(h.queue)
	}
	h.running.Wait()
	return nil
}

// Handshake is one handshake that waits or runs.
type Handshake struct {
	peer []Fingerprint
	pipe *pipe
	fed  chan struct{} // holds a token when a datagram came

	ctx    context.Context // ends with the handshake; its cause says why
	cancel context.CancelCauseFunc
	timer  *time.Timer

	once sync.Once
	done func(Result)
}

// Feed gives it a datagram of the peer; answers go to the path of the newest one. It
// copies b and never blocks; a datagram too many is dropped, as a network would.
func (s *Handshake) Feed(b []byte, from Path) {
	if s.pipe.feed(b, from) {
		select {
		case s.fed <- struct{}{}:
		default:
		}
	}
}

// Cancel ends it; done is called with ErrHandshakeCancelled unless it ended before.
func (s *Handshake) Cancel() { s.cancel(ErrHandshakeCancelled) }

func (s *Handshake) end(r Result) {
	s.once.Do(func() {
		s.timer.Stop()
		s.done(r)
	})
}

// cause says in our own words why the context ended.
func (s *Handshake) cause() error {
	if errors.Is(context.Cause(s.ctx), ErrHandshakeTimeout) {
		return ErrHandshakeTimeout
	}
	return ErrHandshakeCancelled
}

// watch cancels the handshake when the peer is silent for too long.
func (s *Handshake) watch(running context.Context, patience time.Duration) {
	t := time.NewTimer(patience)
	defer t.Stop()
	for {
		select {
		case <-s.fed:
			t.Reset(patience)
		case <-t.C:
			s.cancel(ErrHandshakeTimeout)
			return
		case <-running.Done():
			return
		}
	}
}

// Result is what is left of a handshake: all that a leg needs, and no connection.
type Result struct {
	// Err is nil when the leg may connect. ErrFingerprint closes the leg; after any
	// other error the peer may try again.
	Err error
	// Profile is what was negotiated.
	Profile Profile

	keys        exportedKeys
	lastFlight  []byte
	closeNotify []byte
	alertKey    [16]byte
	alertIV     [4]byte
}
