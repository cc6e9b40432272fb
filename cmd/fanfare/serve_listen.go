package main

import (
	"crypto/tls"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"syscall"

	"github.com/fanfare-relay/fanfare/sfu/udp"
)

const defaultPort = "8080"

// addresses is where the server can be reached.
type addresses struct {
	tls    *tls.Config // nil for plain HTTP
	host   string      // the host that --listen names, "" for every address
	port   int         // TCP
	udp    *udp.Conn
	lan    []netip.Addr // of this machine, best first, no loopback
	public string       // origin of links
}

func (a addresses) scheme() string {
	if a.tls != nil {
		return "https"
	}
	return "http"
}

// origin is the address of this server under a host.
func (a addresses) origin(host string) string {
	return a.scheme() + "://" + net.JoinHostPort(host, strconv.Itoa(a.port))
}

// stun is what clients are told of the media port: the address that is reached from outside,
// else the host that each has asked.
func (a addresses) stun(public netip.AddrPort) string {
	port := int(a.udp.Port())
	if !public.IsValid() {
		return ":" + strconv.Itoa(port)
	}
	if public.Port() != 0 {
		port = int(public.Port())
	}
	return net.JoinHostPort(public.Addr().String(), strconv.Itoa(port))
}

// listen takes both ports, and reads or makes the certificate.
func (s *serving) listen(dir string) (err error) {
	address := s.cmd.Listen
	if address == "" {
		address = ":" + defaultPort
		if s.cmd.Dev {
			address = "127.0.0.1:" + defaultPort
		}
	}
	if s.tcp, err = net.Listen("tcp", address); err != nil {
		return listenError(err, "--listen", address, "TCP")
	}
	s.addrs.host, _, _ = net.SplitHostPort(address) // Listen has understood it
	s.addrs.port = s.tcp.Addr().(*net.TCPAddr).Port
	s.addrs.lan = lanAddresses()
	// Media comes straight from viewers, also where pages go through a proxy on this machine, so
	// the host of --listen says nothing about it. Without credentials, which only pages get, the
	// media port answers nothing but a STUN question.
	udpAddress := s.cmd.UDP
	if udpAddress == "" {
		udpAddress = ":" + strconv.Itoa(s.addrs.port)
	}
	if s.addrs.tls, err = s.certificate(dir); err != nil {
		return err
	}
	s.addrs.public = s.publicOrigin()
	if s.addrs.udp, err = udp.Listen(udpAddress); err != nil {
		return listenError(err, "--udp", udpAddress, "UDP")
	}
	s.addrs.udp.SetSegments(s.cmd.UDPSegment)
	return nil
}

// publicOrigin is what links begin with. The first address in the local network is what a
// phone can reach; localhost would be the phone itself.
func (s *serving) publicOrigin() string {
	if s.cmd.PublicURL != "" {
		return s.cmd.PublicURL
	}
	if addr, err := netip.ParseAddr(s.addrs.host); s.addrs.host != "" && (err != nil || !addr.IsUnspecified()) {
		return s.addrs.origin(s.addrs.host)
	}
	if len(s.addrs.lan) > 0 {
		return s.addrs.origin(s.addrs.lan[0].String())
	}
	return s.addrs.origin("127.0.0.1")
}

// listenError says what to do about the usual reasons.
func listenError(err error, flag, address, network string) error {
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		return fmt.Errorf("cannot listen on %s (%s): another program has that port; stop it, or choose another with %s", address, network, flag)
	case errors.Is(err, fs.ErrPermission):
		return fmt.Errorf("cannot listen on %s (%s): this user may not use that port; choose one above 1023 with %s", address, network, flag)
	case errors.Is(err, syscall.EADDRNOTAVAIL):
		return fmt.Errorf("cannot listen on %s (%s): this machine has no such address; check %s", address, network, flag)
	}
	var bad *net.AddrError
	var unknown *net.DNSError
	if errors.As(err, &bad) || errors.As(err, &unknown) {
		return usageError{fmt.Sprintf("%s %s is not an address such as :8080 or 192.0.2.7:8080: %v", flag, address, err)}
	}
	return fmt.Errorf("cannot listen on %s (%s): %w", address, network, err)
}

// lanAddresses lists the addresses of interfaces that are up: the default route's first, since
// bridges of containers and tunnels lead nowhere, and IPv4 before IPv6, since people type
// them. Link-local and loopback addresses are left out.
func lanAddresses() []netip.Addr {
	var out []netip.Addr
	all, err := net.InterfaceAddrs()
	if err != nil {
		return nil // pages still work on this machine
	}
	for _, a := range all {
		network, err := netip.ParsePrefix(a.String())
		if err != nil {
			continue
		}
		if addr := network.Addr().Unmap(); addr.IsGlobalUnicast() && !addr.IsLoopback() {
			out = append(out, addr)
		}
	}
	routed := routedAddress()
	slices.SortStableFunc(out, func(a, b netip.Addr) int {
		switch {
		case a == b:
			return 0
		case a == routed:
			return -1
		case b == routed:
			return 1
		}
		return rank(a) - rank(b)
	})
	return out
}

// routedAddress asks the system which address it would use towards the Internet. Connecting a
// UDP socket sends nothing; the address is one that documents are written with.
func routedAddress() netip.Addr {
	conn, err := net.Dial("udp4", "192.0.2.1:9")
	if err != nil {
		return netip.Addr{} // no default route
	}
	defer func() { _ = conn.Close() }()
	addr, _ := netip.AddrFromSlice(conn.LocalAddr().(*net.UDPAddr).IP)
	return addr.Unmap()
}

func rank(a netip.Addr) int {
	switch {
	case a.Is4() && a.IsPrivate():
		return 0
	case a.Is4():
		return 1
	default:
		return 2
	}
}

func isLoopback(address string) bool {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return false
	}
	if host == "localhost" {
		return true
	}
	addr, err := netip.ParseAddr(host)
	return err == nil && addr.IsLoopback()
}

// dataFolder is the flag's, or the place where this system keeps a user's data.
func dataFolder(flag string) (string, error) {
	if flag != "" {
		return flag, nil
	}
	if base := os.Getenv("XDG_DATA_HOME"); base != "" && filepath.IsAbs(base) {
		return filepath.Join(base, "fanfare"), nil
	}
	if runtime.GOOS == "windows" || runtime.GOOS == "darwin" {
		base, err := os.UserConfigDir()
		if err == nil {
			return filepath.Join(base, "fanfare"), nil
		}
	} else if home, err := os.UserHomeDir(); err == nil {
		return filepath.Join(home, ".local", "share", "fanfare"), nil
	}
	return "", usageError{"this user has no home folder to keep data in; choose a folder with --data"}
}
