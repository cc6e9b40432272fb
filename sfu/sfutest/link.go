package sfutest

import (
	"math/rand/v2"
	"net"
	"strconv"
	"sync"

	"github.com/pion/webrtc/v3"
)

// Link is an endpoint's socket. It can lose datagrams, in both directions.
type Link struct {
	net.PacketConn

	mu   sync.Mutex
	rng  *rand.Rand
	loss float64
	lost int
}

// Lose makes the link lose a share (0 to 1) of all media datagrams (RTP, RTCP, repeats)
// from now on, each way. The same seed gives the same series of choices.
func (l *Link) Lose(share float64, seed uint64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.loss, l.rng = share, rand.New(rand.NewPCG(seed, 0x6c6f7373))
}

// Lost returns the number of datagrams lost so far, both ways.
func (l *Link) Lost() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.lost
}

func (l *Link) drops(b []byte) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	media := len(b) > 0 && b[0]>>6 == 2 // RTP or RTCP (RFC 7983 section 7)
	if l.loss == 0 || !media || l.rng.Float64() >= l.loss {
		return false
	}
	l.lost++
	return true
}

// ReadFrom passes over datagrams that are lost.
func (l *Link) ReadFrom(b []byte) (int, net.Addr, error) {
	for {
		n, from, err := l.PacketConn.ReadFrom(b)
		if err != nil || !l.drops(b[:n]) {
			return n, from, err
		}
	}
}

// WriteTo claims to have sent a datagram that is lost.
func (l *Link) WriteTo(b []byte, to net.Addr) (int, error) {
	if l.drops(b) {
		return len(b), nil
	}
	return l.PacketConn.WriteTo(b, to)
}

func itoa(pt webrtc.PayloadType) string { return strconv.Itoa(int(pt)) }
