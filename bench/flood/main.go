// Command flood sends garbage of every class to a media port, at a rate, for a time, and says how
// much it has sent.
//
// It owns a few sockets and knows what the first bytes of STUN, DTLS, RTP and RTCP look like
// (RFC 7983, RFC 8489, RFC 9147, RFC 3550). It reads nothing, measures nothing of the server and
// shares no code with it. Use it against a server of your own.
package main

import (
	"context"
	"flag"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"os/signal"
	"time"
)

func main() {
	to := flag.String("to", "127.0.0.1:8080", "address of the media port")
	rate := flag.Int("rate", 50_000, "datagrams a second")
	length := flag.Duration("for", 10*time.Second, "how long")
	seed := flag.Uint64("seed", 1, "chooses the garbage")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	sent, took, err := flood(ctx, *to, *rate, *length, newMaker(*seed))
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "flood:", err)
		os.Exit(1)
	}
	fmt.Printf("%d datagrams in %.3f s\n", sent, took.Seconds())
}

// sources is how many ports the garbage comes from.
const sources = 16

// flood sends until the time is over. What the kernel refuses (a full buffer) counts as not sent.
func flood(ctx context.Context, to string, rate int, length time.Duration, m *maker) (sent int, took time.Duration, err error) {
	var conns [sources]net.Conn
	for i := range conns {
		if conns[i], err = net.Dial("udp", to); err != nil {
			return 0, 0, err
		}
		defer conns[i].Close()
	}
	begin := time.Now()
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	tried, total := 0, int(float64(rate)*length.Seconds())
	for tried < total {
		select {
		case <-ctx.Done():
			return sent, time.Since(begin), ctx.Err()
		case <-tick.C:
		}
		for due := min(total, int(float64(rate)*time.Since(begin).Seconds())); tried < due; tried++ {
			if _, err := conns[tried%sources].Write(m.next()); err == nil {
				sent++
			}
		}
	}
	return sent, time.Since(begin), nil
}

// maker makes garbage. The same seed gives the same.
type maker struct {
	rng *rand.Rand
	buf [1400]byte
}

func newMaker(seed uint64) *maker {
	return &maker{rng: rand.New(rand.NewPCG(seed, 0x666c6f6f64))}
}

// beginnings are those of every class of datagram that a media port knows, and of some that it
// does not.
var beginnings = [][]byte{
	{0x00, 0x01, 0x00, 0x00, 0x21, 0x12, 0xa4, 0x42}, // STUN: a Binding request, most often with bytes behind its end
	{0x00, 0x01, 0x00, 0x10, 0x21, 0x12, 0xa4, 0x42, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 0, 6, 0, 9, 'n', 'o', ':', 'b', 'o', 'd', 'y', '0', '1'}, // with a USERNAME
	{0x01, 0x01, 0x00, 0x0c, 0x21, 0x12, 0xa4, 0x42},                                      // a response to nothing
	{0x00, 0x11, 0x00, 0x00, 0x21, 0x12, 0xa4, 0x42},                                      // an indication
	{0x00, 0x03, 0x00, 0x00, 0x21, 0x12, 0xa4, 0x42},                                      // a TURN request
	{22, 0xfe, 0xfd, 0, 0, 0, 0, 0, 0, 0, 0, 0, 60, 1, 0, 0, 48, 0, 0, 0, 0, 0, 0, 0, 48}, // DTLS: a ClientHello
	{23, 0xfe, 0xfd, 0, 1},                // application data
	{21, 0xfe, 0xfd, 0, 1},                // an alert
	{0x80, 96}, {0x90, 111}, {0x9f, 0xff}, // RTP
	{0x80, 200}, {0x81, 201}, {0x8f, 205}, {0x81, 206}, // RTCP: reports, transport-wide feedback, PLI
	{0x40, 0}, {0xc0}, {4}, {255}, // TURN channels, nothing known
}

// next returns a datagram of 0 to 1,400 bytes, valid until the next call.
func (m *maker) next() []byte {
	head := beginnings[m.rng.IntN(len(beginnings))]
	n := m.rng.IntN(len(m.buf) + 1)
	if m.rng.IntN(2) == 0 {
		n = m.rng.IntN(100) // most of what comes is small
	}
	b := m.buf[:n]
	for i := copy(b, head); i < n; i += 8 {
		for v, j := m.rng.Uint64(), i; j < min(i+8, n); j++ {
			b[j] = byte(v)
			v >>= 8
		}
	}
	return b
}
