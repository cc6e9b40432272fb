package sfu

import (
	"errors"
	"maps"
	"net"
	"net/netip"
	"os"
	"sync"
	"time"

	"github.com/pion/ice/v2"

	"github.com/fanfare-relay/fanfare/sfu/udp"
)

const (
	// muxQueue holds datagrams of publishers on their way to pion: about 0.3 s of five
	// publishers of 2.5 Mbit/s. What does not fit is lost like on the network, and asked for again.
	muxQueue = 1024
	// maxPeers bounds the addresses of publishers that are remembered. Whoever knows a session's
	// ufrag can fill the table; addresses that passed a check keep their place then.
	maxPeers = 4096
	// maxDatagram is more than any MTU in use; longer datagrams are cut and then fail their checks.
	maxDatagram = udp.MaxDatagram
)

// muxConn is the net.PacketConn under pion's ICE mux. The demultiplexer pushes datagrams
// in; what pion writes leaves by the relay's socket, from the address that the peer asked.
type muxConn struct {
	conn   *udp.Conn
	queue  chan datagram
	closed chan struct{}
	once   sync.Once
	copies *copies

	mu    sync.RWMutex
	peers map[netip.AddrPort]peer
}

// peer is what is known of a publisher's address.
type peer struct {
	local netip.Addr // at which of our addresses it knows us
	owner *publisher // whose check came from there first; nil: not known any more
	// known: pion has written there. It writes to no address that did not pass a
	// connectivity check, since publishers' candidates are withheld from it.
	known bool
}

func newMuxConn(conn *udp.Conn) *muxConn {
	return &muxConn{
		conn:   conn,
		queue:  make(chan datagram, muxQueue),
		closed: make(chan struct{}),
		copies: newCopies(),
		peers:  map[netip.AddrPort]peer{},
	}
}

// push hands a copy of b to pion; false when the queue is full.
func (c *muxConn) push(b []byte, path udp.Path) bool {
	d := c.copies.lend(b, path)
	select {
	case c.queue <- d:
		return true
	default:
		c.copies.takeBack(d)
		return false
	}
}

// known tells whether pion has answered a check from the address.
func (c *muxConn) known(remote netip.AddrPort) bool { return c.peer(remote).known }

func (c *muxConn) peer(remote netip.AddrPort) peer {
	c.mu.RLock()
	defer c.mu.RUnlock()
	return c.peers[remote]
}

// remember keeps the address of a check. Nobody has looked yet whether that is authentic, so
// an address that is another's stays his.
func (c *muxConn) remember(path udp.Path, owner *publisher) {
	p := c.peer(path.Remote)
	if p.known && p.owner != nil {
		owner = p.owner
	}
	if fresh := (peer{local: path.Local, owner: owner, known: p.known}); fresh != p {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.set(path.Remote, fresh)
	}
}

// set makes room where there is none: live peers that lose their place are back with their next
// check. The caller holds mu.
func (c *muxConn) set(remote netip.AddrPort, p peer) {
	if len(c.peers) >= maxPeers {
		maps.DeleteFunc(c.peers, func(_ netip.AddrPort, p peer) bool { return !p.known })
	}
	if len(c.peers) >= maxPeers {
		clear(c.peers)
	}
	c.peers[remote] = p
}

// forget lets go of the addresses of a publisher who has gone.
func (c *muxConn) forget(owner *publisher) {
	c.mu.Lock()
	defer c.mu.Unlock()
	maps.DeleteFunc(c.peers, func(_ netip.AddrPort, p peer) bool { return p.owner == owner })
}

// ReadFrom gives pion the next datagram.
func (c *muxConn) ReadFrom(b []byte) (int, net.Addr, error) {
	select {
	case d := <-c.queue:
		n := copy(b, d.data)
		c.copies.takeBack(d)
		return n, net.UDPAddrFromAddrPort(d.path.Remote), nil
	case <-c.closed:
		return 0, nil, net.ErrClosed
	}
}

// WriteTo sends from the address that the peer asked. The socket copies before it returns.
func (c *muxConn) WriteTo(b []byte, to net.Addr) (int, error) {
	addr, ok := to.(*net.UDPAddr)
	if !ok {
		return 0, errors.New("not a UDP address")
	}
	remote := addr.AddrPort()
	remote = netip.AddrPortFrom(remote.Addr().Unmap(), remote.Port())
	p := c.peer(remote)
	if !p.known {
		p.known = true
		c.mu.Lock()
		c.set(remote, p)
		c.mu.Unlock()
	}
	return c.conn.WriteMsg(b, udp.Path{Remote: remote, Local: p.local})
}

// Close wakes pion's reader. The socket itself stays open.
func (c *muxConn) Close() error {
	c.once.Do(func() { close(c.closed) })
	return nil
}

// LocalAddr is the wildcard address: pion's mux then takes candidates of both families.
func (c *muxConn) LocalAddr() net.Addr {
	return &net.UDPAddr{IP: net.IPv6unspecified, Port: int(c.conn.Port())}
}

// Deadlines are not used by pion's mux.
func (c *muxConn) SetDeadline(time.Time) error      { return os.ErrNoDeadline }
func (c *muxConn) SetReadDeadline(time.Time) error  { return os.ErrNoDeadline }
func (c *muxConn) SetWriteDeadline(time.Time) error { return os.ErrNoDeadline }

// pionMux is pion's mux with the relay's own idea of addresses. All of pion's connections
// share the one socket, so one address of each family is enough for it; the answer's
// candidates are the relay's own (withCandidates).
type pionMux struct {
	*ice.UDPMuxDefault
	conn *muxConn
}

func newPionMux(conn *muxConn, logs pionLogs) *pionMux {
	return &pionMux{
		UDPMuxDefault: ice.NewUDPMuxDefault(ice.UDPMuxParams{UDPConn: conn, Logger: logs.NewLogger("ice-mux")}),
		conn:          conn,
	}
}

// GetListenAddresses returns one address of each family.
func (m *pionMux) GetListenAddresses() []net.Addr {
	port := int(m.conn.conn.Port())
	return []net.Addr{&net.UDPAddr{IP: net.IPv4(127, 0, 0, 1), Port: port}, &net.UDPAddr{IP: net.IPv6loopback, Port: port}}
}
