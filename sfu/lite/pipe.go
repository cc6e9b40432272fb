package lite

import (
	"net"
	"os"
	"sync"
	"time"
)

// pipeDepth is how many datagrams of the peer a handshake keeps before the library reads
// them: more than the longest flight.
const pipeDepth = 16

// pipe is the net.PacketConn under the library during one handshake: datagrams are fed in
// by the owner of the leg and go out through a function. It remembers our last flight
// and, once muted, keeps what is written to itself.
type pipe struct {
	write func(b []byte, p Path)
	ready chan struct{} // holds a token when the reader has something to look at

	mu              sync.Mutex
	queue           [][]byte
	to              Path // of the newest datagram
	expired, closed bool
	muted           bool
	lastFlight      []byte
	kept            []byte // the last datagram written while muted
}

func newPipe(write func(b []byte, p Path)) *pipe {
	return &pipe{write: write, ready: make(chan struct{}, 1)}
}

func (p *pipe) wake() {
	select {
	case p.ready <- struct{}{}:
	default:
	}
}

// feed queues a copy of b; it drops it when the queue is full or the pipe closed.
func (p *pipe) feed(b []byte, from Path) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed || len(p.queue) == pipeDepth {
		return false
	}
	p.queue = append(p.queue, append([]byte(nil), b...))
	p.to = from
	p.wake()
	return true
}

// ReadFrom implements net.PacketConn for one reader at a time.
func (p *pipe) ReadFrom(b []byte) (int, net.Addr, error) {
	for {
		n, err := p.poll(b)
		if n > 0 || err != nil {
			return n, pipeAddr{}, err
		}
		<-p.ready
	}
}

// poll returns 0 and no error when there is nothing yet.
func (p *pipe) poll(b []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case p.closed:
		return 0, net.ErrClosed
	case p.expired:
		return 0, os.ErrDeadlineExceeded
	case len(p.queue) == 0:
		return 0, nil
	}
	n := copy(b, p.queue[0])
	p.queue = p.queue[1:]
	return n, nil
}

// WriteTo implements net.PacketConn: b goes where the newest datagram came from.
func (p *pipe) WriteTo(b []byte, _ net.Addr) (int, error) {
	p.mu.Lock()
	if p.muted {
		p.kept = append([]byte(nil), b...)
		p.mu.Unlock()
		return len(b), nil
	}
	if len(b) > 0 && b[0] == recordChangeCipherSpec {
		p.lastFlight = append([]byte(nil), b...)
	}
	to := p.to
	p.mu.Unlock()
	p.write(b, to)
	return len(b), nil
}

// mute keeps all further writes from the network.
func (p *pipe) mute() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.muted = true
}

// remains returns our last flight and what was written after mute.
func (p *pipe) remains() (lastFlight, kept []byte) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.lastFlight, p.kept
}

// Close implements net.PacketConn and wakes the reader.
func (p *pipe) Close() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.closed = true
	p.wake()
	return nil
}

// SetReadDeadline implements net.PacketConn. The library sets deadlines in the past, to
// wake its reader, and takes them off again; others are not needed.
func (p *pipe) SetReadDeadline(t time.Time) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.expired = !t.IsZero() && !t.After(time.Now())
	p.wake()
	return nil
}

// SetWriteDeadline implements net.PacketConn; writes never block.
func (p *pipe) SetWriteDeadline(time.Time) error { return nil }

// SetDeadline implements net.PacketConn.
func (p *pipe) SetDeadline(t time.Time) error { return p.SetReadDeadline(t) }

// LocalAddr implements net.PacketConn.
func (p *pipe) LocalAddr() net.Addr { return pipeAddr{} }

// pipeAddr stands for both ends: the pipe itself knows the real address.
type pipeAddr struct{}

func (pipeAddr) Network() string { return "udp" }
func (pipeAddr) String() string  { return "handshake" }
