// Package udp is the one UDP socket of the relay: datagrams together with the local
// address that they were sent to.
//
// A wildcard socket on a machine with several addresses would answer from whichever
// address the routing table likes best, and a browser throws such an answer away. So on
// Linux the socket asks the kernel for the address that was asked (IP_PKTINFO,
// IPV6_RECVPKTINFO; RFC 3542 section 6) and names it again when it sends. On other
// systems, and for a foreign net.PacketConn, the local address stays unknown and the
// kernel chooses.
//
// Workers send by a Batch: many datagrams a system call (sendmmsg), and runs of one size to
// one peer as one message that the kernel or the network card cuts (UDP_SEGMENT). The one
// reader takes many a call too (recvmmsg). Elsewhere both do the same one by one.
//
// It owns the socket and nothing else: no goroutine, no queue between goroutines, no
// knowledge of what the datagrams hold.
package udp

import (
	"net"
	"net/netip"
	"sync/atomic"
	"time"
)

// Path is where a datagram came from, or goes to: the peer's address and the address of
// ours that the peer knows. It is comparable, so it can be a map key. IPv4 addresses are
// plain IPv4, never mapped into IPv6.
type Path struct {
	// Remote is the peer.
	Remote netip.AddrPort
	// Local is our address that the datagram was sent to. It is the zero Addr where the
	// system does not tell; then the kernel chooses when sending.
	Local netip.Addr
}

// Conn is a UDP socket. It is also a net.PacketConn, for libraries that want one.
// All methods are safe for concurrent use; several goroutines may write at once.
type Conn struct {
	pc    net.PacketConn
	udp   *net.UDPConn // nil for a foreign PacketConn
	bound netip.Addr   // the one local address, or invalid for a wildcard socket
	info  pktInfo

	noSegments atomic.Bool // batches send no segments
}

// Listen opens a socket on addr ("host:port"; port 0 picks a free one). An empty host
// or "::" is every address, IPv4 and IPv6; "0.0.0.0" is every IPv4 address; everything
// else is that one address. The socket gets large kernel buffers where allowed.
func Listen(addr string) (*Conn, error) {
	pc, err := net.ListenPacket(network(addr), addr)
	if err != nil {
		return nil, err
	}
	return Wrap(pc), nil
}

// network keeps "0.0.0.0" to IPv4: by itself Go would open a dual-stack socket.
func network(addr string) string {
	if host, _, err := net.SplitHostPort(addr); err == nil {
		if ip, err := netip.ParseAddr(host); err == nil && ip.Is4() {
			return "udp4"
		}
	}
	return "udp"
}

// socketBuffer is what we ask of the kernel in each direction, in bytes: about 0.2 s of
// 150 Mbit/s. The kernel silently gives less where its limits are lower.
const socketBuffer = 4 << 20

// Wrap makes a Conn of any packet connection. The Conn owns it from then on. A
// *net.UDPConn bound to a wildcard address gets the local address too, where the
// system can tell.
func Wrap(pc net.PacketConn) *Conn {
	c := &Conn{pc: pc}
	if a, ok := addrPort(pc.LocalAddr()); ok && !a.Addr().IsUnspecified() {
		c.bound = a.Addr()
	}
	if u, ok := pc.(*net.UDPConn); ok {
		c.udp = u
		// Refusal is harmless: the kernel's own sizes remain.
		_ = u.SetReadBuffer(socketBuffer)
		_ = u.SetWriteBuffer(socketBuffer)
		if !c.bound.IsValid() {
			c.info = enablePktInfo(u)
		}
	}
	return c
}

// ReadMsg reads one datagram into b. It blocks until one comes, the read deadline
// passes, or the socket is closed (then the error wraps net.ErrClosed; any other error
// concerns one datagram, and reading may go on). A datagram longer than b is cut.
func (c *Conn) ReadMsg(b []byte) (n int, p Path, err error) {
	if c.udp == nil {
		return c.readForeign(b)
	}
	if c.info != noPktInfo {
		return c.readInfo(b)
	}
	n, from, err := c.udp.ReadFromUDPAddrPort(b)
	return n, Path{Remote: unmapPort(from), Local: c.bound}, err
}

// WriteMsg sends b to p.Remote, from p.Local where that is valid and the system can.
func (c *Conn) WriteMsg(b []byte, p Path) (int, error) {
	if c.udp == nil {
		return c.pc.WriteTo(b, net.UDPAddrFromAddrPort(p.Remote))
	}
	if c.info != noPktInfo && p.Local.IsValid() {
		return c.writeInfo(b, p)
	}
	return c.udp.WriteToUDPAddrPort(b, p.Remote)
}

func (c *Conn) readForeign(b []byte) (int, Path, error) {
	n, from, err := c.pc.ReadFrom(b)
	if err != nil {
		return n, Path{}, err
	}
	a, _ := addrPort(from)
	return n, Path{Remote: a, Local: c.bound}, nil
}

// addrPort finds address and port in a net.Addr, without IPv4-in-IPv6.
func addrPort(a net.Addr) (netip.AddrPort, bool) {
	if u, ok := a.(*net.UDPAddr); ok {
		return unmapPort(u.AddrPort()), u.IP != nil || u.Port != 0
	}
	if a == nil {
		return netip.AddrPort{}, false
	}
	p, err := netip.ParseAddrPort(a.String())
	return unmapPort(p), err == nil
}

func unmapPort(p netip.AddrPort) netip.AddrPort {
	return netip.AddrPortFrom(p.Addr().Unmap(), p.Port())
}

// Port returns the local port.
func (c *Conn) Port() uint16 {
	a, _ := addrPort(c.pc.LocalAddr())
	return a.Port()
}

// ReadFrom is ReadMsg for users of net.PacketConn.
func (c *Conn) ReadFrom(b []byte) (int, net.Addr, error) {
	n, p, err := c.ReadMsg(b)
	if err != nil {
		return n, nil, err
	}
	return n, net.UDPAddrFromAddrPort(p.Remote), nil
}

// WriteTo is WriteMsg for users of net.PacketConn; the kernel chooses the local address.
func (c *Conn) WriteTo(b []byte, to net.Addr) (int, error) { return c.pc.WriteTo(b, to) }

// LocalAddr returns the address that the socket is bound to.
func (c *Conn) LocalAddr() net.Addr { return c.pc.LocalAddr() }

// Close closes the socket and wakes blocked reads and writes.
func (c *Conn) Close() error { return c.pc.Close() }

// SetDeadline, SetReadDeadline and SetWriteDeadline are those of net.PacketConn.
func (c *Conn) SetDeadline(t time.Time) error { return c.pc.SetDeadline(t) }

// SetReadDeadline sets the deadline of reads.
func (c *Conn) SetReadDeadline(t time.Time) error { return c.pc.SetReadDeadline(t) }

// SetWriteDeadline sets the deadline of writes.
func (c *Conn) SetWriteDeadline(t time.Time) error { return c.pc.SetWriteDeadline(t) }
