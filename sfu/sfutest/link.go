package sfutest

import (
	"net"
	"strconv"
	"sync"
	"testing"

	"github.com/pion/webrtc/v3"
)

// Link is an endpoint's socket. It can change its port under the endpoint, as a NAT does. A line that
// loses datagrams is a Network's.
type Link struct {
	net.PacketConn // what the endpoint believes to have

	mu     sync.Mutex
	conn   net.PacketConn // what it has; nil: PacketConn
	silent bool           // its connectivity checks are lost
	from   map[string]int // datagrams by the address that they came from
}

// Rebind moves the link to a new port on 127.0.0.1; what comes to the old one is lost. The
// endpoint's own connectivity checks are lost from then on, its answers and media are not:
// what a browser looks like that checks rarely.
func (l *Link) Rebind(t testing.TB) {
	t.Helper()
	conn, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatalf("listen: %v", err)
	}
	l.mu.Lock()
	former := l.conn
	l.conn, l.silent = conn, true
	l.mu.Unlock()
	if former == nil {
		former = l.PacketConn
	}
	_ = former.Close()
}

// current is the socket in use.
func (l *Link) current() net.PacketConn {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.conn != nil {
		return l.conn
	}
	return l.PacketConn
}

// Close ends the socket in use.
func (l *Link) Close() error { return l.current().Close() }

// Strays returns the number of datagrams that came from any other address than host.
func (l *Link) Strays(host string) (n int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for from, count := range l.from {
		if from != host {
			n += count
		}
	}
	return n
}

func (l *Link) came(from net.Addr) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.from == nil {
		l.from = map[string]int{}
	}
	if u, ok := from.(*net.UDPAddr); ok {
		l.from[u.IP.String()]++
	}
}

// checks tells whether b is a Binding request (RFC 8489 section 5) that is to be lost.
func (l *Link) checks(b []byte) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.silent && len(b) > 1 && b[0] == 0 && b[1] == 1
}

// ReadFrom reads from the socket in use, also when that changes meanwhile.
func (l *Link) ReadFrom(b []byte) (int, net.Addr, error) {
	for {
		conn := l.current()
		n, from, err := conn.ReadFrom(b)
		if err != nil && conn != l.current() {
			continue // moved meanwhile
		}
		if err == nil {
			l.came(from)
		}
		return n, from, err
	}
}

// WriteTo claims to have sent a connectivity check that is lost.
func (l *Link) WriteTo(b []byte, to net.Addr) (int, error) {
	if l.checks(b) {
		return len(b), nil
	}
	return l.current().WriteTo(b, to)
}

func itoa(pt webrtc.PayloadType) string { return strconv.Itoa(int(pt)) }
