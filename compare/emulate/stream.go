package emulate

import (
	"context"
	"errors"
	"io"
	"net"
	"net/netip"
	"os"
	"sync"
	"time"
)

// Streams are what TCP makes of a line once it has found its rate: bytes in order, at the line's rate, after its delay. They share the
// host's line with its sockets. Nothing is ever lost or sent twice, and there is no slow start, so they are a little better than TCP.
const (
	segment       = 1448 // bytes of a stream in a packet
	segmentHeader = 52   // IPv4, and TCP with timestamps
	window        = 4 << 20
)

var errRefused = errors.New("nobody listens there")

// Listener takes streams. It implements net.Listener.
type Listener struct {
	host   *Host
	addr   netip.AddrPort
	comes  chan *stream
	closed chan struct{}
	once   sync.Once
}

// ListenStream opens a listener at the host's line.
func (h *Host) ListenStream() *Listener {
	n := h.net
	n.mu.Lock()
	defer n.mu.Unlock()
	l := &Listener{host: h, addr: n.address(), comes: make(chan *stream), closed: make(chan struct{})}
	n.listeners[l.addr] = l
	return l
}

// Accept implements net.Listener.
func (l *Listener) Accept() (net.Conn, error) {
	select {
	case c := <-l.comes:
		return c, nil
	case <-l.closed:
		return nil, net.ErrClosed
	}
}

// Close implements net.Listener. Streams that have been accepted stay.
func (l *Listener) Close() error {
	l.once.Do(func() {
		close(l.closed)
		l.host.net.mu.Lock()
		delete(l.host.net.listeners, l.addr)
		l.host.net.mu.Unlock()
	})
	return nil
}

// Addr implements net.Listener.
func (l *Listener) Addr() net.Addr { return net.TCPAddrFromAddrPort(l.addr) }

// DialStream connects to a listener, one round trip later.
func (h *Host) DialStream(ctx context.Context, to string) (net.Conn, error) {
	at, err := netip.ParseAddrPort(to)
	if err != nil {
		return nil, err
	}
	h.net.mu.Lock()
	l, own := h.net.listeners[at], h.net.address()
	h.net.mu.Unlock()
	if l == nil {
		return nil, errRefused
	}
	out, back := newPipe(h, l.host), newPipe(l.host, h)
	near := &stream{in: back, out: out, local: own, remote: at, done: make(chan struct{})}
	far := &stream{in: out, out: back, local: at, remote: own, done: make(chan struct{})}
	timer := time.NewTimer(2 * (h.delay() + l.host.delay()))
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	select {
	case l.comes <- far:
		return near, nil
	case <-l.closed:
		return nil, errRefused
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// stream is one end.
type stream struct {
	in, out       *pipe
	local, remote netip.AddrPort
	done          chan struct{} // closed with this end
	once          sync.Once

	mu       sync.Mutex
	deadline time.Time     // of reading
	moved    chan struct{} // closed when the deadline changes; nil before anybody reads
}

// Read implements net.Conn.
func (s *stream) Read(b []byte) (int, error) {
	for {
		s.mu.Lock()
		if s.moved == nil {
			s.moved = make(chan struct{})
		}
		deadline, moved := s.deadline, s.moved
		s.mu.Unlock()
		now := time.Now()
		if !deadline.IsZero() && !deadline.After(now) {
			return 0, os.ErrDeadlineExceeded
		}
		n, next, changed, err := s.in.read(b, now)
		if n > 0 || err != nil || len(b) == 0 {
			return n, err
		}
		if next.IsZero() || !deadline.IsZero() && deadline.Before(next) {
			next = deadline
		}
		if err := s.await(next, changed, moved); err != nil {
			return 0, err
		}
	}
}

// await returns at some time, or never for the zero one, or when something has changed.
func (s *stream) await(at time.Time, changed, moved <-chan struct{}) error {
	var due <-chan time.Time
	if !at.IsZero() {
		timer := time.NewTimer(time.Until(at))
		defer timer.Stop()
		due = timer.C
	}
	select {
	case <-due:
	case <-changed:
	case <-moved:
	case <-s.done:
		return net.ErrClosed
	}
	return nil
}

// Write implements net.Conn. It waits while as much as a window is on its way or has not been read.
func (s *stream) Write(b []byte) (written int, err error) {
	for len(b) > 0 {
		n := min(len(b), segment)
		changed, err := s.out.write(b[:n], time.Now())
		if err != nil {
			return written, err
		}
		if changed != nil {
			select {
			case <-changed:
				continue
			case <-s.done:
				return written, net.ErrClosed
			}
		}
		written += n
		b = b[n:]
	}
	return written, nil
}

// Close implements net.Conn. What was written still arrives.
func (s *stream) Close() error {
	s.once.Do(func() {
		close(s.done)
		s.out.end(io.EOF)
		s.in.end(io.ErrClosedPipe)
	})
	return nil
}

// LocalAddr implements net.Conn.
func (s *stream) LocalAddr() net.Addr { return net.TCPAddrFromAddrPort(s.local) }

// RemoteAddr implements net.Conn.
func (s *stream) RemoteAddr() net.Addr { return net.TCPAddrFromAddrPort(s.remote) }

// SetReadDeadline implements net.Conn.
func (s *stream) SetReadDeadline(t time.Time) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.deadline = t
	if s.moved != nil {
		close(s.moved)
		s.moved = nil
	}
	return nil
}

// SetWriteDeadline implements net.Conn; a write that waits ends with its stream.
func (s *stream) SetWriteDeadline(time.Time) error { return nil }

// SetDeadline implements net.Conn.
func (s *stream) SetDeadline(t time.Time) error { return s.SetReadDeadline(t) }

// pipe is one direction of a stream.
type pipe struct {
	from, to *Host

	mu      sync.Mutex
	flying  []piece
	held    int // bytes in flying
	last    time.Time
	ended   error
	changed chan struct{} // closed when something has
}

// piece is some bytes and when they arrive.
type piece struct {
	data []byte
	at   time.Time
}

func newPipe(from, to *Host) *pipe { return &pipe{from: from, to: to, changed: make(chan struct{})} }

func (p *pipe) tell() {
	close(p.changed)
	p.changed = make(chan struct{})
}

// read takes what has arrived; next is when something does, the zero time when nothing is on its way.
func (p *pipe) read(b []byte, now time.Time) (n int, next time.Time, changed <-chan struct{}, err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for n < len(b) && len(p.flying) > 0 && !p.flying[0].at.After(now) {
		first := &p.flying[0]
		k := copy(b[n:], first.data)
		n, p.held = n+k, p.held-k
		if first.data = first.data[k:]; len(first.data) == 0 {
			p.flying = p.flying[1:]
		}
	}
	switch {
	case n > 0:
		p.tell()
	case len(p.flying) > 0:
		next = p.flying[0].at
	default:
		err = p.ended
	}
	return n, next, p.changed, err
}

// write sends a segment, or returns what to wait for when the window is full.
func (p *pipe) write(b []byte, now time.Time) (changed <-chan struct{}, err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.ended != nil {
		return nil, io.ErrClosedPipe
	}
	if p.held+len(b) > window {
		return p.changed, nil
	}
	p.last = p.to.arrival(p.from.departure(len(b)+segmentHeader, now), len(b)+segmentHeader)
	p.flying = append(p.flying, piece{append([]byte(nil), b...), p.last})
	p.held += len(b)
	p.tell()
	return nil, nil
}

// end says that nothing comes any more; the reader gets what is on its way before.
func (p *pipe) end(why error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.ended == nil {
		p.ended = why
	}
	p.tell()
}

func (h *Host) delay() time.Duration {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.line.Delay
}

// departure tells when so many bytes of a stream have left the host's line; however many wait, none are lost.
func (h *Host) departure(size int, at time.Time) time.Time {
	h.mu.Lock()
	defer h.mu.Unlock()
	at = h.up.wait(size, h.line.UpRate, at)
	h.sent += uint64(size)
	return at.Add(h.line.Delay)
}

// arrival tells when they have come to the host.
func (h *Host) arrival(at time.Time, size int) time.Time {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.down.wait(size, h.line.Rate, at).Add(h.line.Delay)
}
