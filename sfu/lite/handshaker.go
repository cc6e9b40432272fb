package lite

import (
	"crypto/tls"
	"errors"
	"runtime"
	"sync"
	"sync/atomic"
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
	// InFlight is how many handshakes run at once, most of them waiting for their peer;
	// 0 means 64.
	InFlight int
	// AtOnce is how many of those compute at the same time; 0 means one for each CPU.
	AtOnce int
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
		c.InFlight = 64
	}
	if c.AtOnce == 0 {
		c.AtOnce = runtime.GOMAXPROCS(0)
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
// It has a fixed number of goroutines, and only AtOnce of its handshakes have a datagram in
// work, so that many who join at once can never starve those who watch.
type Handshaker struct {
	cfg         HandshakerConfig
	fingerprint Fingerprint
	turns       chan struct{} // a token for each handshake that computes

	mu      sync.RWMutex // held while queueing, so that nothing comes after close
	closed  bool
	queue   chan *Handshake
	slots   []atomic.Pointer[Handshake] // what runs
	running sync.WaitGroup
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
		turns: make(chan struct{}, cfg.AtOnce),
		queue: make(chan *Handshake, cfg.Queue),
		slots: make([]atomic.Pointer[Handshake], cfg.InFlight),
		fingerprint: Fingerprint{
			Algorithm: sha256Name,
			Value:     hashCertificate(sha256Name, cfg.Certificate.Certificate[0]),
		},
	}
	for i := range h.slots {
		h.running.Go(func() { h.serve(&h.slots[i]) })
	}
	return h, nil
}

// Fingerprint is that of our certificate, for the answer.
func (h *Handshaker) Fingerprint() Fingerprint { return h.fingerprint }

// serve runs one handshake after another in its slot.
func (h *Handshaker) serve(slot *atomic.Pointer[Handshake]) {
	for s := range h.queue {
		slot.Store(s)
		if h.isClosed() {
			s.Cancel() // Close may have looked at the slot already
		}
		if s.start(h.cfg.Patience, time.Now()) {
			s.end(s.run(&h.cfg))
		}
		slot.Store(nil)
	}
}

func (h *Handshaker) isClosed() bool {
	h.mu.RLock()
	defer h.mu.RUnlock()
	return h.closed
}

// Begin queues a handshake with a peer whose certificate must match one of the
// fingerprints. done is called exactly once, from another goroutine or from Cancel, unless
// Begin itself fails with ErrBusy or ErrHandshakeCancelled; it must not block for long.
func (h *Handshaker) Begin(peer []Fingerprint, done func(Result)) (*Handshake, error) {
	h.mu.RLock()
	defer h.mu.RUnlock()
	if h.closed {
		return nil, ErrHandshakeCancelled
	}
	s := newHandshake(peer, newPipe(h.cfg.Send, h.turns), done, time.Now().Add(h.cfg.Timeout))
	select {
	case h.queue <- s:
		return s, nil
	default:
		s.timer.Stop()
		return nil, ErrBusy
	}
}

// Close cancels all handshakes, calls their done and waits for the goroutines.
func (h *Handshaker) Close() error {
	h.mu.Lock()
	already := h.closed
	h.closed = true
	h.mu.Unlock()
	if !already {
		close(h.queue)
	}
	for i := range h.slots {
		if s := h.slots[i].Load(); s != nil {
			s.Cancel()
		}
	}
	h.running.Wait()
	return nil
}

// Handshake is one handshake that waits or runs.
type Handshake struct {
	peer []Fingerprint
	pipe *pipe
	done func(Result)

	mu       sync.Mutex
	ended    bool
	deadline time.Time     // for the whole of it
	patience time.Duration // 0 while it waits in the queue
	heard    time.Time     // when the newest datagram came, or when it began to run
	timer    *time.Timer   // the only one; it may run out early
}

func newHandshake(peer []Fingerprint, p *pipe, done func(Result), deadline time.Time) *Handshake {
	s := &Handshake{peer: peer, pipe: p, done: done, deadline: deadline}
	s.mu.Lock() // the timer must be there when it runs out
	defer s.mu.Unlock()
	s.timer = time.AfterFunc(time.Until(deadline), s.tick)
	return s
}

// start begins to be patient. It is false when the handshake has ended in the queue.
func (s *Handshake) start(patience time.Duration, now time.Time) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ended {
		return false
	}
	s.patience, s.heard = patience, now
	s.timer.Reset(s.due().Sub(now))
	return true
}

// due is when it ends unless a datagram comes. The caller holds mu.
func (s *Handshake) due() time.Time {
	if s.patience > 0 && s.heard.Add(s.patience).Before(s.deadline) {
		return s.heard.Add(s.patience)
	}
	return s.deadline
}

// tick ends it when it is due, which a datagram may have put off since the timer was set.
func (s *Handshake) tick() {
	s.mu.Lock()
	left := time.Until(s.due())
	if left > 0 && !s.ended {
		s.timer.Reset(left)
	}
	s.mu.Unlock()
	if left <= 0 {
		s.end(Result{Err: ErrHandshakeTimeout})
	}
}

// Feed gives it a datagram of the peer; answers go to the path of the newest one. It
// copies b and never blocks; a datagram too many is dropped, as a network would.
func (s *Handshake) Feed(b []byte, from Path) {
	if !s.pipe.feed(b, from) {
		return
	}
	now := time.Now()
	s.mu.Lock()
	s.heard = now
	s.mu.Unlock()
}

// Cancel ends it; done is called with ErrHandshakeCancelled unless it ended before.
func (s *Handshake) Cancel() { s.end(Result{Err: ErrHandshakeCancelled}) }

// end tells the result, once. A handshake that runs finds its pipe closed.
func (s *Handshake) end(r Result) {
	s.mu.Lock()
	already := s.ended
	s.ended = true
	s.timer.Stop()
	s.mu.Unlock()
	if already {
		return
	}
	_ = s.pipe.Close()
	s.done(r)
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
