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
//
// A reader that was given a datagram holds one of the turns until it reads again, since then
// the library has dealt with it.
type pipe struct {
	write func(b []byte, p Path)
	ready chan struct{} // holds a token when the reader has something to look at
	turns chan struct{} // shared by all pipes; nil: no waiting for turns

	mu              sync.Mutex
	turn            bool // held by the reader
	inLine          bool // the reader waits for its turn, and knows that it has something to read
	queue           [][]byte
	to              Path // of the newest datagram
	expired, closed bool
	muted           bool
	lastFlight      []byte
	kept            []byte // the last datagram written while muted
}

func newPipe(write func(b []byte, p Path), turns chan struct{}) *pipe {
	return &pipe{write: write, ready: make(chan struct{}, 1), turns: turns}
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
	if !p.inLine { // a peer that repeats itself meanwhile would send its reader back to the end of the line
		p.wake()
	}
	return true
}

// ReadFrom implements net.PacketConn for one reader at a time. Datagrams that wait are read
// together, as many as fit: the library takes the records apart itself, and each read of it
// costs a goroutine.
func (p *pipe) ReadFrom(b []byte) (int, net.Addr, error) {
	p.giveTurn()
	for {
		waiting, err := p.look()
		switch {
		case err != nil:
			return 0, pipeAddr{}, err
		case !waiting:
			<-p.ready
		case p.takeTurn():
			return p.drain(b), pipeAddr{}, nil
		}
	}
}

// look tells whether a datagram waits.
func (p *pipe) look() (bool, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case p.closed:
		return false, net.ErrClosed
	case p.expired:
		return false, os.ErrDeadlineExceeded
	}
	return len(p.queue) > 0, nil
}

// drain reads what waits. A datagram that is not made of whole records is read alone: the library throws
// away all that it has read together with one.
func (p *pipe) drain(b []byte) (n int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for whole := true; whole && len(p.queue) > 0; {
		next := p.queue[0]
		whole = wholeRecords(next)
		if n > 0 && (!whole || n+len(next) > len(b)) {
			break
		}
		n += copy(b[n:], next)
		p.queue = p.queue[1:]
	}
	return n
}

// wholeRecords tells whether a datagram is made of records that are not empty.
func wholeRecords(b []byte) bool {
	for len(b) > 0 {
		r, rest, ok := nextRecord(b)
		if !ok || len(r) == recordHeader {
			return false
		}
		b = rest
	}
	return true
}

// takeTurn waits for a turn. It is false when there is something else to look at first.
func (p *pipe) takeTurn() bool {
	if p.turns == nil {
		return true
	}
	if !p.standInLine() {
		return false
	}
	select {
	case p.turns <- struct{}{}:
	case <-p.ready:
		p.leaveLine()
		return false
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.inLine = false
	p.turn = true
	if p.closed {
		p.giveTurnLocked() // nobody reads again
	}
	return p.turn
}

// standInLine makes ready mean the end of the pipe or of its reader's time, and nothing else. It is false if that has come.
func (p *pipe) standInLine() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed || p.expired {
		return false
	}
	select {
	case <-p.ready: // of a datagram that look has seen
	default:
	}
	p.inLine = true
	return true
}

func (p *pipe) leaveLine() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.inLine = false
}

func (p *pipe) giveTurn() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.giveTurnLocked()
}

func (p *pipe) giveTurnLocked() {
	if p.turn {
		p.turn = false
		<-p.turns
	}
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
	to, closed := p.to, p.closed
	p.mu.Unlock()
	if closed {
		return 0, net.ErrClosed
	}
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
	p.giveTurnLocked()
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
