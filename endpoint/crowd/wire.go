package crowd

import (
	"net"
	"slices"
	"sync"
)

// wire is the connection under a DTLS handshake: what the socket's reader feeds in is read from one end of a net.Pipe,
// which keeps datagrams apart and knows deadlines; what is written goes out by a function. It remembers what was written
// since the last datagram came, and once muted it keeps silent.
type wire struct {
	net.Conn
	in    net.Conn // the other end
	write func([]byte)

	mu     sync.Mutex
	flight [][]byte
	muted  bool
}

func newWire(write func([]byte)) *wire {
	w := &wire{write: write}
	w.Conn, w.in = net.Pipe()
	return w
}

// feed hands a datagram of the peer in; it blocks until it is read or the wire is closed.
func (w *wire) feed(b []byte) {
	w.mu.Lock()
	w.flight = nil
	w.mu.Unlock()
	_, _ = w.in.Write(b) // fails only when the handshake is over
}

// Write sends a datagram.
func (w *wire) Write(b []byte) (int, error) {
	w.mu.Lock()
	muted := w.muted
	if !muted {
		w.flight = append(w.flight, slices.Clone(b))
	}
	w.mu.Unlock()
	if !muted {
		w.write(b)
	}
	return len(b), nil
}

// mute ends all sending and returns the last flight.
func (w *wire) mute() [][]byte {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.muted = true
	return w.flight
}

func (w *wire) close() {
	_ = w.Conn.Close()
	_ = w.in.Close()
}
