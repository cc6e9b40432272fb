package lite_test

import (
	"errors"
	"net"
	"net/netip"
	"sync"
	"testing"
)

// relay stands for a NAT between the client and the server.
type relay struct {
	inside *net.UDPConn // the client's side
	server *net.UDPAddr
	mu     sync.Mutex
	client netip.AddrPort
	out    *net.UDPConn // the server's side
	wait   sync.WaitGroup
}

func newRelay(t *testing.T, server uint16) *relay {
	t.Helper()
	r := &relay{server: &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1), Port: int(server)}}
	var err error
	if r.inside, err = net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)}); err != nil {
		t.Fatal(err)
	}
	r.rebind(t)
	r.wait.Go(func() {
		b := make([]byte, 1500)
		for {
			n, from, err := r.inside.ReadFromUDPAddrPort(b)
			if err != nil {
				return
			}
			r.mu.Lock()
			r.client = from
			_, _ = r.out.Write(b[:n])
			r.mu.Unlock()
		}
	})
	return r
}

// rebind gives the client a new port; the old one is gone.
func (r *relay) rebind(t *testing.T) {
	out, err := net.DialUDP("udp4", nil, r.server)
	if err != nil {
		t.Fatal(err)
	}
	r.mu.Lock()
	if r.out != nil {
		_ = r.out.Close()
	}
	r.out = out
	r.mu.Unlock()
	r.wait.Go(func() {
		b := make([]byte, 1500)
		for {
			n, err := out.Read(b)
			if errors.Is(err, net.ErrClosed) {
				return
			}
			r.mu.Lock()
			to := r.client
			r.mu.Unlock()
			if err == nil && to.IsValid() {
				_, _ = r.inside.WriteToUDPAddrPort(b[:n], to)
			}
		}
	})
}

func (r *relay) close() {
	_ = r.inside.Close()
	r.mu.Lock()
	_ = r.out.Close()
	r.mu.Unlock()
	r.wait.Wait()
}
