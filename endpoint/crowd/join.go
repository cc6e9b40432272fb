package crowd

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"sync"
	"time"

	"github.com/fanfare-relay/fanfare/endpoint"
)

// Limits of a join.
const (
	// maxEarly bounds what is kept of the media that comes before the handshake is over on this side.
	maxEarly = 256
	// busyWait is how long a busy server that names no time is left alone, busyMax what it may ask for, and busyTotal how long a
	// viewer keeps asking.
	busyWait  = time.Second
	busyMax   = time.Minute
	busyTotal = 2 * time.Minute
)

var errNoCandidate = errors.New("the server's answer has no address that can be reached")

// join is one viewer's way from its offer to its keys. Its pump reads the socket meanwhile.
type join struct {
	conn  *net.UDPConn
	local credentials
	seed  [32]byte
	wire  *wire

	mu       sync.Mutex // guards all below
	ice      *agent
	stopped  bool
	dtls     bool // the handshake has begun
	early    []earlier
	out      []datagram
	reached  chan struct{} // closed when an address has answered
	pumpDone chan struct{}
}

// newJoin opens the viewer's socket.
func newJoin(network string) (*join, error) {
	conn, err := net.ListenUDP(network, nil)
	if err != nil {
		return nil, err
	}
	if err := prepare(conn); err != nil {
		_ = conn.Close()
		return nil, err
	}
	j := &join{conn: conn, reached: make(chan struct{}), pumpDone: make(chan struct{})}
	_, _ = rand.Read(j.seed[:]) // never fails
	j.local = credentials{ufrag: rand.Text()[:8], pwd: rand.Text()}
	j.wire = newWire(j.send)
	return j, nil
}

// send sends a datagram of the handshake to the address that is used.
func (j *join) send(b []byte) {
	j.mu.Lock()
	to := j.ice.to()
	j.mu.Unlock()
	if to.IsValid() {
		_, _ = j.conn.WriteToUDPAddrPort(b, to) // what gets lost is sent again
	}
}

// post sends the offer, again and again while the server is busy; waited is called each time.
func (j *join) post(ctx context.Context, server *endpoint.Signal, offer string, waited func()) (endpoint.Accepted, error) {
	begun := time.Now()
	for {
		accepted, err := server.Post(ctx, offer)
		if !errors.Is(err, endpoint.ErrBusy) || time.Since(begun) > busyTotal {
			return accepted, err
		}
		waited()
		wait := busyWait
		var refused *endpoint.HTTPError
		if errors.As(err, &refused) && refused.RetryAfter > 0 {
			wait = min(refused.RetryAfter, busyMax)
		}
		select {
		case <-time.After(wait):
		case <-ctx.Done():
			return accepted, err
		}
	}
}

// connect does ICE and DTLS by the answer.
func (j *join) connect(ctx context.Context, a answer, id identity, slots chan struct{}) (keys, error) {
	select {
	case slots <- struct{}{}:
		defer func() { <-slots }()
	case <-ctx.Done():
		return keys{}, context.Cause(ctx)
	}
	j.mu.Lock()
	j.ice = newAgent(j.local, a.ice, a.candidates, j.seed)
	j.dtls = a.active
	j.mu.Unlock()
	go j.pump()
	defer j.stop()
	if !a.active {
		select {
		case <-j.reached:
		case <-ctx.Done():
			return keys{}, endpoint.ErrNoMedia
		}
		j.mu.Lock()
		j.dtls = true
		j.mu.Unlock()
	}
	k, err := id.handshake(ctx, j.wire, a.fingerprint, a.active)
	if err != nil {
		return k, errors.Join(endpoint.ErrNoMedia, err)
	}
	return k, nil
}

// pump reads the socket and keeps ICE going, until stop.
func (j *join) pump() {
	defer close(j.pumpDone)
	buf := make([]byte, wholeSize)
	for j.step() {
		n, from, err := j.conn.ReadFromUDPAddrPort(buf)
		if err == nil {
			j.receive(buf[:n], netip.AddrPortFrom(from.Addr().Unmap(), from.Port()), time.Now())
		} else if !isTimeout(err) {
			return
		}
	}
}

func isTimeout(err error) bool {
	var timeout net.Error
	return errors.As(err, &timeout) && timeout.Timeout()
}

// step says what ICE has to say and sets when to wake up for the next time. It tells false at the end.
func (j *join) step() bool {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.stopped {
		return false
	}
	next := j.ice.tick(time.Now(), &j.out)
	j.flush()
	_ = j.conn.SetReadDeadline(next)
	return true
}

// flush sends what ICE said. The caller holds mu.
func (j *join) flush() {
	for _, d := range j.out {
		_, _ = j.conn.WriteToUDPAddrPort(d.b, d.to)
	}
	j.out = j.out[:0]
}

func (j *join) receive(b []byte, from netip.AddrPort, now time.Time) {
	j.mu.Lock()
	defer j.mu.Unlock()
	switch classify(b) {
	case classSTUN:
		before := j.ice.selected
		j.ice.receive(b, from, now, &j.out)
		j.flush()
		if before < 0 && j.ice.selected >= 0 {
			close(j.reached)
		}
	case classDTLS:
		if !j.dtls {
			return
		}
		j.mu.Unlock()
		j.wire.feed(b)
		j.mu.Lock()
	case classRTP, classRTCP:
		if len(j.early) < maxEarly {
			j.early = append(j.early, earlier{slices.Clone(b), now})
		}
	}
}

// stop ends the pump; the socket stays.
func (j *join) stop() {
	j.mu.Lock()
	j.stopped = true
	_ = j.conn.SetReadDeadline(time.Unix(1, 0))
	j.mu.Unlock()
	j.wire.close()
	<-j.pumpDone
}

// answerFor reads an answer and leaves the addresses that the socket can reach, the one that HTTP used first.
func answerFor(text string, host netip.Addr) (answer, error) {
	a, err := parseAnswer(text)
	if err != nil {
		return a, fmt.Errorf("%w: %w", endpoint.ErrRefused, err)
	}
	a.candidates = slices.DeleteFunc(a.candidates, func(c netip.AddrPort) bool { return c.Addr().Is4() != host.Is4() })
	slices.SortStableFunc(a.candidates, func(x, y netip.AddrPort) int {
		switch {
		case x.Addr() == host && y.Addr() != host:
			return -1
		case y.Addr() == host && x.Addr() != host:
			return 1
		}
		return 0
	})
	if len(a.candidates) == 0 {
		return a, errNoCandidate
	}
	return a, nil
}
