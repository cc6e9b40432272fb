package sfutest

import (
	"math/rand/v2"
	"net"
	"net/netip"
	"os"
	"sync"
	"time"

	"github.com/fanfare-relay/fanfare/media"
)

// Line is what lies between an endpoint and the others, each way. The zero value is a perfect one.
type Line struct {
	// Delay is the time that every datagram takes.
	Delay time.Duration
	// Loss is the share (0 to 1) of media datagrams that are lost: RTP, RTCP, repeats.
	Loss float64
	// Rate bounds the direction towards the endpoint; 0: it has no bound. Queue is how many
	// bytes wait there for the line, what comes beyond is lost.
	Rate  media.Bitrate
	Queue int
}

// Network carries datagrams between sockets in memory, so that a relay with its publishers and
// viewers runs in the virtual time of testing/synctest: what they do takes none. The same seed
// gives the same series of losses.
type Network struct {
	mu    sync.Mutex
	conns map[netip.AddrPort]*Conn
	rng   *rand.Rand
	port  uint16
}

// NewNetwork makes an empty network.
func NewNetwork(seed uint64) *Network {
	return &Network{conns: map[netip.AddrPort]*Conn{}, rng: rand.New(rand.NewPCG(seed, 0x6e6574)), port: 10_000}
}

// Conn is a socket in a Network. It implements net.PacketConn.
type Conn struct {
	net    *Network
	addr   netip.AddrPort
	inbox  chan parcel
	closed chan struct{}
	once   sync.Once

	mu       sync.Mutex
	line     Line
	free     time.Time // when the line has sent what came before
	deadline time.Time
	moved    chan struct{} // closed when the deadline changes
	lost     int
	tap      func([]byte)
}

// parcel is a datagram on its way.
type parcel struct {
	data []byte
	from netip.AddrPort
}

// Listen opens a socket on 127.0.0.1 behind a line.
func (n *Network) Listen(line Line) *Conn {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.port++
	c := &Conn{
		net: n, addr: netip.AddrPortFrom(netip.AddrFrom4([4]byte{127, 0, 0, 1}), n.port), line: line,
		inbox: make(chan parcel, 8192), closed: make(chan struct{}), moved: make(chan struct{}),
	}
	n.conns[c.addr] = c
	return c
}

// SetLine changes the line from now on.
func (c *Conn) SetLine(line Line) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.line = line
}

// Lost is the number of datagrams that the line has lost, both ways.
func (c *Conn) Lost() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.lost
}

// Tap lets f see a copy of every datagram that is written from now on.
func (c *Conn) Tap(f func([]byte)) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.tap = f
}

// Forge puts a datagram before a socket, by its port, that claims to come from another one.
func (n *Network) Forge(b []byte, from *Conn, port uint16) {
	n.mu.Lock()
	dst := n.conns[netip.AddrPortFrom(from.addr.Addr(), port)]
	n.mu.Unlock()
	if dst != nil {
		dst.take(parcel{append([]byte(nil), b...), from.addr})
	}
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
	at = netip.AddrPortFrom(at.Addr().Unmap(), at.Port())
	c.net.mu.Lock()
	dst := c.net.conns[at]
	drops := [2]float64{c.net.rng.Float64(), c.net.rng.Float64()}
	c.net.mu.Unlock()
	if dst == nil {
		return len(b), nil
	}
	up, ok := c.pass(b, drops[0], false)
	if !ok {
		return len(b), nil
	}
	down, ok := dst.pass(b, drops[1], true)
	if !ok {
		return len(b), nil
	}
	p := parcel{append([]byte(nil), b...), c.addr}
	if up+down == 0 {
		dst.take(p)
	} else {
		time.AfterFunc(up+down, func() { dst.take(p) })
	}
	return len(b), nil
}

// pass tells how long a datagram is on the line, and whether it comes through.
func (c *Conn) pass(b []byte, chance float64, towards bool) (time.Duration, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if isMedia := len(b) > 0 && b[0]>>6 == 2; isMedia && chance < c.line.Loss {
		c.lost++
		return 0, false
	}
	if !towards || c.line.Rate == 0 {
		return c.line.Delay, true
	}
	now := time.Now()
	wait := max(c.free.Sub(now), 0)
	if int64(wait)*int64(c.line.Rate)/8/int64(time.Second)+int64(len(b)) > int64(c.line.Queue) {
		c.lost++
		return 0, false
	}
	wait += time.Duration(int64(len(b)) * 8 * int64(time.Second) / int64(c.line.Rate))
	c.free = now.Add(wait)
	return wait + c.line.Delay, true
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

// Close implements net.PacketConn.
func (c *Conn) Close() error {
	c.once.Do(func() {
		close(c.closed)
		c.net.mu.Lock()
		delete(c.net.conns, c.addr)
		c.net.mu.Unlock()
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
