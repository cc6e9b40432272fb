package signalling

import (
	"net/http"
	"net/netip"
	"strings"
)

// proxies tells the address of a client, also behind proxies that the operator trusts.
type proxies []netip.Prefix

// client returns the address that a request came from. X-Forwarded-For is believed only from a
// trusted proxy, and of its entries only the right-most that is not itself one: everything
// left of that was written by whoever asked.
func (p proxies) client(r *http.Request) netip.Addr {
	remote := peer(r)
	if !p.trust(remote) {
		return remote
	}
	entries := strings.Split(strings.Join(r.Header.Values("X-Forwarded-For"), ","), ",")
	for i := len(entries) - 1; i >= 0; i-- {
		addr, ok := forwarded(entries[i])
		if !ok {
			return remote // a proxy that writes what cannot be read says nothing
		}
		if !p.trust(addr) {
			return addr
		}
		remote = addr
	}
	return remote
}

func (p proxies) trust(addr netip.Addr) bool {
	for _, network := range p {
		if network.Contains(addr) {
			return true
		}
	}
	return false
}

// isDirectLoopback tells whether the request comes from this machine and no proxy is between:
// a proxy on the same machine would make the whole world local.
func isDirectLoopback(r *http.Request) bool {
	for _, header := range []string{"X-Forwarded-For", "Forwarded", "X-Real-Ip", "Via"} {
		if r.Header.Get(header) != "" {
			return false
		}
	}
	return peer(r).IsLoopback()
}

func peer(r *http.Request) netip.Addr {
	ap, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		return netip.IPv6Unspecified() // a listener without addresses: all its clients are one
	}
	return plain(ap.Addr())
}

// forwarded reads one entry, with or without a port; some proxies add it.
func forwarded(entry string) (netip.Addr, bool) {
	entry = strings.TrimSpace(entry)
	if ap, err := netip.ParseAddrPort(entry); err == nil {
		return plain(ap.Addr()), true
	}
	addr, err := netip.ParseAddr(strings.Trim(entry, "[]"))
	return plain(addr), err == nil
}

func plain(a netip.Addr) netip.Addr { return a.Unmap().WithZone("") }

// household is what counts as one client: an IPv4 address, or the /64 that an IPv6 household
// gets, whose devices change their addresses at will.
func household(a netip.Addr) string {
	if a.Is6() {
		if network, err := a.Prefix(64); err == nil {
			return network.String()
		}
	}
	return a.String()
}
