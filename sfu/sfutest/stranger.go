package sfutest

import (
	"net"
	"testing"
	"time"

	"github.com/pion/stun/v3"
)

// Stranger is a socket that has no session.
type Stranger struct {
	conn *net.UDPConn
}

// NewStranger opens a socket towards the relay.
func NewStranger(t testing.TB, r *Relay) *Stranger {
	t.Helper()
	conn, err := net.DialUDP("udp4", nil, &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1), Port: int(r.Port)})
	if err != nil {
		t.Fatalf("dial: %v", err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return &Stranger{conn: conn}
}

// Send sends a datagram.
func (s *Stranger) Send(t testing.TB, b []byte) {
	t.Helper()
	if _, err := s.conn.Write(b); err != nil {
		t.Fatalf("send: %v", err)
	}
}

// Receive waits for the next datagram of the relay.
func (s *Stranger) Receive(t testing.TB) []byte {
	t.Helper()
	buf := make([]byte, 2048)
	if err := s.conn.SetReadDeadline(time.Now().Add(Patience)); err != nil {
		t.Fatal(err)
	}
	n, err := s.conn.Read(buf)
	if err != nil {
		t.Fatalf("nothing comes: %v", err)
	}
	return buf[:n]
}

// BindingRequest makes a plain STUN Binding request, as browsers send to STUN servers.
func BindingRequest() []byte {
	return stun.MustBuild(stun.TransactionID, stun.BindingRequest).Raw
}

// ClientHello makes a datagram that looks like the beginning of a DTLS handshake.
func ClientHello() []byte {
	record := []byte{22, 0xfe, 0xfd, 0, 0, 0, 0, 0, 0, 0, 0, 0, 60, 1, 0, 0, 48, 0, 0, 0, 0, 0, 0, 0, 48}
	return append(record, make([]byte, 48)...)
}
