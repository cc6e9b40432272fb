package emulate

import (
	"net"
	"net/netip"
	"os"
	"slices"
	"sync"
	"time"
)

// Conn is a socket in a Network. It implements net.PacketConn.
type Conn struct {
	net    *Network
	host   *Host
	addr   netip.AddrPort
	inbox  chan parcel
	closed chan struct{}
	once   sync.Once

	mu       sync.Mutex
	deadline time.Time
	moved    chan struct{} // closed when the deadline changes
	tap      func([]byte)
	flying   []parcel // on their way here, by arrival
	timer    *time.Timer
}

// parcel is a datagram on its way, and when it arrives.
type parcel struct {
	data []byte
	from netip.AddrPort
	at   time.Time
}

// Host is the machine of the socket.
func (c *Conn) Host() *Host { return c.host }

// SetLine changes the host's line from now on.
func (c *Conn) SetLine(line Line) { c.host.SetLine(line) }

// Lost is the number of datagrams that the host's line has lost, both ways.
func (c *Conn) Lost() int { return c.host.Lost() }

// Tap lets f see a copy of every datagram that is written from now on.
func (c *Conn) Tap(f func([]byte)) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.tap = f
}

// WriteTo implements net.PacketConn. A datagram to nobody is lost.
func (c *Conn) WriteTo(b []byte, to net.Addr) (int, error) {
	u, ok := to.(*net.UDPAddr)
	if !ok {
		return 0, net.ErrWriteToConnected
	}
	c.mu.Lock()
	tap := c.tap
	c.mu.Unlock()
	if tap != nil {
		tap(append([]byte(nil), b...))
	}
	at := u.AddrPort()
	c.net.send(b, c, netip.AddrPortFrom(at.Addr().Unmap(), at.Port()))
	return len(b), nil
}

// carry lets a datagram arrive at its time. What arrives at one time keeps its order: a timer for each would let
// chance decide.
func (c *Conn) carry(p parcel, now time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !p.at.After(now) && len(c.flying) == 0 {
		c.take(p)
		return
	}
	i, _ := slices.BinarySearchFunc(c.flying, p.at, func(f parcel, at time.Time) int {
		if f.at.After(at) {
			return 1
		}
		return -1
	})
	c.flying = slices.Insert(c.flying, i, p)
	if i == 0 {
		c.arm(now)
	}
}

// arm sets the timer for the first that arrives. The caller holds mu.
func (c *Conn) arm(now time.Time) {
	wait := c.flying[0].at.Sub(now)
	if c.timer == nil {
		c.timer = time.AfterFunc(wait, c.arrive)
	} else {
		c.timer.Reset(wait)
	}
}

// arrive hands over what has come.
func (c *Conn) arrive() {
	c.mu.Lock()
	defer c.mu.Unlock()
	now, n := time.Now(), 0
	for n < len(c.flying) && !c.flying[n].at.After(now) {
		c.take(c.flying[n])
		n++
	}
	c.flying = slices.Delete(c.flying, 0, n)
	if len(c.flying) > 0 {
		c.arm(now)
	}
}

func (c *Conn) take(p parcel) {
	select {
	case c.inbox <- p:
	default: // as a socket whose buffer is full
	}
}

// ReadFrom implements net.PacketConn.
func (c *Conn) ReadFrom(b []byte) (int, net.Addr, error) {
	for {
		c.mu.Lock()
		deadline, moved := c.deadline, c.moved
		c.mu.Unlock()
		var timeout <-chan time.Time
		if !deadline.IsZero() {
			timeout = time.After(time.Until(deadline))
		}
		select {
		case p := <-c.inbox:
			return copy(b, p.data), net.UDPAddrFromAddrPort(p.from), nil
		case <-c.closed:
			return 0, nil, net.ErrClosed
		case <-timeout:
			return 0, nil, os.ErrDeadlineExceeded
		case <-moved:
		}
	}
}

// Close implements net.PacketConn. What is on its way is lost.
func (c *Conn) Close() error {
	c.once.Do(func() {
		close(c.closed)
		c.net.mu.Lock()
		delete(c.net.conns, c.addr)
		c.net.mu.Unlock()
		c.mu.Lock()
		defer c.mu.Unlock()
		c.flying = nil
		if c.timer != nil {
			c.timer.Stop()
		}
	})
	return nil
}

// LocalAddr implements net.PacketConn.
func (c *Conn) LocalAddr() net.Addr { return net.UDPAddrFromAddrPort(c.addr) }

// SetReadDeadline implements net.PacketConn.
func (c *Conn) SetReadDeadline(t time.Time) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.deadline = t
	close(c.moved)
	c.moved = make(chan struct{})
	return nil
}

// SetWriteDeadline implements net.PacketConn; writes never wait.
func (c *Conn) SetWriteDeadline(time.Time) error { return nil }

// SetDeadline implements net.PacketConn.
func (c *Conn) SetDeadline(t time.Time) error { return c.SetReadDeadline(t) }
