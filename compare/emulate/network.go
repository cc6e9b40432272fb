// Package emulate carries datagrams between sockets in memory, and streams between machines (stream.go), over lines with a delay, a
// rate, a queue and losses. Real stacks run on it, in real time or in the virtual time of testing/synctest: what it does itself
// takes none. The same seed gives the same series of losses.
//
// It owns sockets and what is on its way, and starts no goroutine but those of its timers. It knows nothing of what the datagrams hold,
// except that media is told from handshakes by the first byte (RFC 7983): only media is lost by chance, so that connections come up.
package emulate

import (
	"math/rand/v2"
	"net/netip"
	"sync"
	"time"

	"github.com/fanfare-relay/fanfare/media"
)

// Line is what lies between a host and the others, each way. The zero value is a perfect one.
type Line struct {
	// Delay is the time that every datagram takes.
	Delay time.Duration
	// Loss is the share (0 to 1) of media datagrams that are lost each way: RTP, RTCP, repeats. DownLoss is the
	// same towards the host only.
	Loss, DownLoss float64
	// Burst is the mean length of the gaps that DownLoss makes, in datagrams; up to 1: losses know nothing of
	// each other.
	Burst float64
	// Rate bounds the direction towards the host; 0: it has no bound. Queue is how many bytes wait there for the
	// line, what comes beyond is lost. UpRate and UpQueue are the same for the other direction.
	Rate, UpRate   media.Bitrate
	Queue, UpQueue int
	// Header is added to the size of each datagram where a rate counts: what lower layers add.
	Header int
}

// Network is the space in which sockets find each other.
type Network struct {
	mu        sync.Mutex
	conns     map[netip.AddrPort]*Conn
	listeners map[netip.AddrPort]*Listener
	rng       *rand.Rand
	port      uint16
}

// NewNetwork makes an empty network.
func NewNetwork(seed uint64) *Network {
	return &Network{
		conns: map[netip.AddrPort]*Conn{}, listeners: map[netip.AddrPort]*Listener{}, rng: rand.New(rand.NewPCG(seed, 0x6e6574)), port: 10_000,
	}
}

// address is a new one. The caller holds mu.
func (n *Network) address() netip.AddrPort {
	n.port++
	return netip.AddrPortFrom(netip.AddrFrom4([4]byte{127, 0, 0, 1}), n.port)
}

// Host is a machine behind a line, which all its sockets share.
type Host struct {
	net *Network

	mu       sync.Mutex
	line     Line
	up, down gate
	gap      bool // a burst of losses is on
	lost     int
	sent     uint64
}

// gate is where datagrams wait for a line of some rate.
type gate struct{ free time.Time }

// pass tells when a datagram of so many bytes that comes at some time has gone out; false when there is no
// room for it.
func (g *gate) pass(size int, rate media.Bitrate, queue int, at time.Time) (time.Time, bool) {
	if wait := max(g.free.Sub(at), 0); rate > 0 && int64(wait)*int64(rate)/8/int64(time.Second)+int64(size) > int64(queue) {
		return at, false
	}
	return g.wait(size, rate, at), true
}

// wait is pass for what waits as long as it must.
func (g *gate) wait(size int, rate media.Bitrate, at time.Time) time.Time {
	if rate == 0 {
		return at
	}
	g.free = at.Add(max(g.free.Sub(at), 0) + time.Duration(int64(size)*8*int64(time.Second)/int64(rate)))
	return g.free
}

// Host adds a machine.
func (n *Network) Host(line Line) *Host { return &Host{net: n, line: line} }

// Listen opens a socket of a machine of its own on 127.0.0.1.
func (n *Network) Listen(line Line) *Conn { return n.Host(line).Listen() }

// SetLine changes the line from now on.
func (h *Host) SetLine(line Line) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.line = line
}

// Lost is the number of datagrams that the line has lost, both ways.
func (h *Host) Lost() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.lost
}

// Sent is the number of bytes that the line has carried from the host, headers included.
func (h *Host) Sent() uint64 {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.sent
}

// leave tells when a datagram has left the host's line; false when it is lost.
func (h *Host) leave(b []byte, chance float64, at time.Time) (time.Time, bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if isMedia(b) && chance < h.line.Loss {
		h.lost++
		return at, false
	}
	at, ok := h.up.pass(len(b)+h.line.Header, h.line.UpRate, h.line.UpQueue, at)
	if !ok {
		h.lost++
		return at, false
	}
	h.sent += uint64(len(b) + h.line.Header)
	return at.Add(h.line.Delay), true
}

// reach tells when a datagram has come to the host; false when it is lost.
func (h *Host) reach(b []byte, chance float64, at time.Time) (time.Time, bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if isMedia(b) && (chance < h.line.Loss || h.drops(chance)) {
		h.lost++
		return at, false
	}
	at, ok := h.down.pass(len(b)+h.line.Header, h.line.Rate, h.line.Queue, at)
	if !ok {
		h.lost++
		return at, false
	}
	return at.Add(h.line.Delay), true
}

// drops is DownLoss: each by itself, or by the two states of Gilbert's model, in the bad one of which everything is lost. The caller
// holds mu.
func (h *Host) drops(chance float64) bool {
	p := h.line.DownLoss
	if p <= 0 || h.line.Burst <= 1 {
		return chance < p
	}
	if leave := 1 / h.line.Burst; h.gap {
		h.gap = chance >= leave
	} else {
		h.gap = chance < min(p/(1-p)*leave, 1) // so that the share of losses is p
	}
	return h.gap
}

func isMedia(b []byte) bool { return len(b) > 0 && b[0]>>6 == 2 }

// send carries a datagram from one host to the socket at an address. One to nobody is lost.
func (n *Network) send(b []byte, c *Conn, to netip.AddrPort) {
	n.mu.Lock()
	dst := n.conns[to]
	drops := [2]float64{n.rng.Float64(), n.rng.Float64()}
	n.mu.Unlock()
	if dst == nil {
		return
	}
	now := time.Now()
	at, ok := c.host.leave(b, drops[0], now)
	if !ok {
		return
	}
	if at, ok = dst.host.reach(b, drops[1], at); ok {
		dst.carry(parcel{append([]byte(nil), b...), c.addr, at}, now)
	}
}

// Forge puts a datagram before a socket, by its port, that claims to come from another one.
func (n *Network) Forge(b []byte, from *Conn, port uint16) {
	n.mu.Lock()
	dst := n.conns[netip.AddrPortFrom(from.addr.Addr(), port)]
	n.mu.Unlock()
	if dst != nil {
		dst.take(parcel{data: append([]byte(nil), b...), from: from.addr})
	}
}

// Listen opens a socket on 127.0.0.1 at the host's line.
func (h *Host) Listen() *Conn {
	n := h.net
	n.mu.Lock()
	defer n.mu.Unlock()
	c := &Conn{
		net: n, host: h, addr: n.address(),
		inbox: make(chan parcel, 8192), closed: make(chan struct{}), moved: make(chan struct{}),
	}
	n.conns[c.addr] = c
	return c
}
