package sfu

import (
	"fmt"
	"net/netip"
	"slices"
	"sync"
	"time"

	"github.com/fanfare-relay/fanfare/sfu/udp"
)

// addressesFresh is how long a list of the machine's addresses is believed. Laptops change
// networks; asking the kernel at every POST would cost more than writing the answer.
const addressesFresh = 5 * time.Second

// addressBook knows where the socket can be reached. It is safe for concurrent use.
type addressBook struct {
	conn   *udp.Conn
	public netip.AddrPort

	mu    sync.Mutex
	at    time.Time
	addrs []netip.AddrPort
}

// list returns the addresses, best first. After an error of the system the last list stands.
func (b *addressBook) list(now time.Time) []netip.AddrPort {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.addrs != nil && now.Sub(b.at) < addressesFresh {
		return b.addrs
	}
	local, err := b.conn.LocalAddrs()
	if err != nil && b.addrs != nil {
		return b.addrs
	}
	b.at, b.addrs = now, withPublic(local, b.conn.Port(), b.public)
	return b.addrs
}

// publicAddress completes a configured address: the socket's port for none, and the plain form of
// an IPv4 address, since browsers take no candidate with a mapped one.
func publicAddress(p netip.AddrPort, port uint16) netip.AddrPort {
	if !p.IsValid() {
		return p
	}
	if p.Port() != 0 {
		port = p.Port()
	}
	return netip.AddrPortFrom(p.Addr().Unmap(), port)
}

// withPublic puts the public address behind those of the LAN, where it would cost a
// detour, and before loopback, which stands last since Firefox does not pair with it.
func withPublic(local []netip.Addr, port uint16, public netip.AddrPort) []netip.AddrPort {
	list := make([]netip.AddrPort, 0, len(local)+1)
	for _, a := range local {
		list = append(list, netip.AddrPortFrom(a, port))
	}
	if !public.IsValid() || slices.Contains(list, public) {
		return list
	}
	at := slices.IndexFunc(list, func(a netip.AddrPort) bool { return a.Addr().IsLoopback() })
	if at < 0 {
		at = len(list)
	}
	return slices.Insert(list, at, public)
}

// candidateLines returns the values of a=candidate (RFC 8839 section 5.1) for the addresses,
// the first with the highest priority.
func candidateLines(addrs []netip.AddrPort) []string {
	lines := make([]string, len(addrs))
	for i, a := range addrs {
		// RFC 8445 section 5.1.2.1: host type preference 126, component 1.
		priority := uint32(126)<<24 | uint32(65535-i)<<8 | 255
		lines[i] = fmt.Sprintf("%d 1 udp %d %s %d typ host", i+1, priority, a.Addr(), a.Port())
	}
	return lines
}
