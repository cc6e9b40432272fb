package udp

import (
	"cmp"
	"net"
	"net/netip"
	"slices"
)

// maxAnnounced bounds the list: each address is a candidate that every browser checks.
const maxAnnounced = 12

// LocalAddrs returns the addresses at which the socket can be reached, best first: the
// bound one for a socket on one address; for a wildcard socket those of the interfaces
// that are up, the default route's first, loopback last. Loopback must not stand alone
// where there is another: Firefox never checks a lone 127.0.0.1.
// Link-local addresses are left out, since a candidate cannot carry their zone.
func (c *Conn) LocalAddrs() ([]netip.Addr, error) {
	if c.bound.IsValid() {
		return []netip.Addr{c.bound}, nil
	}
	all, err := interfaceAddrs()
	if err != nil {
		return nil, err
	}
	only4 := false
	if a, ok := addrPort(c.pc.LocalAddr()); ok {
		only4 = a.Addr().Is4()
	}
	return announce(all, defaultRoute(), only4), nil
}

// announce sorts and filters; it is all that decides.
func announce(all, routed []netip.Addr, only4 bool) []netip.Addr {
	var list []netip.Addr
	for _, a := range all {
		a = a.Unmap().WithZone("")
		usable := a.IsValid() && !a.IsUnspecified() && !a.IsLinkLocalUnicast() && !a.IsMulticast()
		if usable && (a.Is4() || !only4) && !slices.Contains(list, a) {
			list = append(list, a)
		}
	}
	slices.SortStableFunc(list, func(x, y netip.Addr) int {
		return cmp.Compare(rank(x, routed), rank(y, routed))
	})
	if len(list) <= maxAnnounced {
		return list
	}
	// Loopback keeps its places at the end, whatever else is cut.
	loop := slices.IndexFunc(list, netip.Addr.IsLoopback)
	if loop < 0 {
		return list[:maxAnnounced]
	}
	tail := list[loop:min(loop+2, len(list))]
	return append(slices.Clone(list[:min(loop, maxAnnounced-len(tail))]), tail...)
}

// rank orders candidates: default route, then other addresses, then loopback; IPv4
// before IPv6 within each.
func rank(a netip.Addr, routed []netip.Addr) int {
	r := 2
	switch {
	case a.IsLoopback():
		r = 4
	case slices.Contains(routed, a):
		r = 0
	}
	if a.Is6() {
		r++
	}
	return r
}

func interfaceAddrs() ([]netip.Addr, error) {
	ifaces, err := net.Interfaces()
	if err != nil {
		return nil, err
	}
	var all []netip.Addr
	for _, i := range ifaces {
		if i.Flags&net.FlagUp == 0 {
			continue
		}
		addrs, err := i.Addrs()
		if err != nil {
			continue // gone since it was listed
		}
		for _, a := range addrs {
			if n, ok := a.(*net.IPNet); ok {
				if ip, ok := netip.AddrFromSlice(n.IP); ok {
					all = append(all, ip)
				}
			}
		}
	}
	return all, nil
}

// defaultRoute asks the routing table which addresses of ours a packet to the internet
// would carry. Connecting a UDP socket sends nothing; the addresses are those kept for
// documentation (RFC 5737, RFC 3849).
func defaultRoute() []netip.Addr {
	var routed []netip.Addr
	for _, to := range []string{"192.0.2.1:9", "[2001:db8::1]:9"} {
		c, err := net.Dial("udp", to)
		if err != nil {
			continue // no route of this family
		}
		if a, ok := addrPort(c.LocalAddr()); ok {
			routed = append(routed, a.Addr())
		}
		_ = c.Close()
	}
	return routed
}
