package peer

import (
	"flag"
	"math/rand/v2"
	"net"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fanfare-relay/fanfare/compare/emulate"
	"github.com/fanfare-relay/fanfare/media"
)

var (
	lanesMiB   = flag.Int("lanes-mib", 1, "size of what TestLanes sends, in MiB; on lines with losses an eighth")
	lanesTurns = flag.Int("lanes-turns", 1, "how many times it is sent each way of sending")
)

// lanesLine is what lies between two peers. With a delay it is emulated, and time is virtual, so that the machine has
// no part in it; without one it is the machine's loopback.
type lanesLine struct {
	name  string
	delay time.Duration // each way
	rate  media.Bitrate // each way, with a queue of a tenth of a second
	loss  float64       // the share of packets that are lost each way
}

// TestLanes sends the same over one peer connection and over several side by side, raw, as TestPairRate does. It logs
// the rates; what follows from them is in docs/adr/0024.
func TestLanes(t *testing.T) {
	for _, line := range []lanesLine{
		{name: "loopback"},
		{name: "50 ms, 200 Mbit/s", delay: 25 * time.Millisecond, rate: 200e6},
		{name: "50 ms, 200 Mbit/s and a loss of 0.1 %", delay: 25 * time.Millisecond, rate: 200e6, loss: 0.001},
		{name: "50 ms, 200 Mbit/s and a loss of 1 %", delay: 25 * time.Millisecond, rate: 200e6, loss: 0.01},
	} {
		t.Run(line.name, func(t *testing.T) {
			size := *lanesMiB << 20
			if line.loss > 0 {
				size /= 8
			}
			for _, lanes := range []int{1, 2, 4} {
				rates := make([]float64, *lanesTurns)
				for i := range rates {
					rates[i] = float64(size) / (1 << 20) / line.carry(t, size, lanes, uint64(i)).Seconds()
				}
				slices.Sort(rates)
				t.Logf("figure: MiB a second over %d of %s = %.2f", lanes, line.name, rates[len(rates)/2])
			}
		})
	}
}

// carry tells how long so many bytes take over so many connections.
func (l lanesLine) carry(t *testing.T, size, lanes int, seed uint64) (took time.Duration) {
	if l.delay == 0 {
		n := openNetwork(t, Transport{Loopback: true})
		return overLanes(t, n, n, size, lanes)
	}
	synctest.Test(t, func(t *testing.T) {
		space := emulate.NewNetwork(seed)
		queue := int(l.rate / 8 / 10)
		var ends [2]*network
		for i := range ends {
			socket := space.Listen(emulate.Line{Delay: l.delay / 2, Rate: l.rate, UpRate: l.rate, Queue: queue, UpQueue: queue})
			t.Cleanup(func() { _ = socket.Close() })
			ends[i] = openNetwork(t, Transport{Loopback: true, Socket: &lossy{PacketConn: socket, share: l.loss, rng: rand.New(rand.NewPCG(seed, uint64(i)))}})
		}
		took = overLanes(t, ends[0], ends[1], size, lanes)
	})
	return took
}

func overLanes(t *testing.T, a, b *network, size, lanes int) time.Duration {
	over := make([][2]*conn, lanes)
	for i := range over {
		over[i] = connected(t, a, b)
		defer over[i][0].close()
		defer over[i][1].close()
	}
	return carry(t, size, over...)
}

// lossy loses some of what carries data; connections come up over it at once.
type lossy struct {
	net.PacketConn
	share float64
	mu    sync.Mutex
	rng   *rand.Rand
}

// WriteTo implements net.PacketConn.
func (l *lossy) WriteTo(b []byte, to net.Addr) (int, error) {
	const applicationData = 23 // of DTLS, RFC 6347 section 4.1
	l.mu.Lock()
	lost := len(b) > 0 && b[0] == applicationData && l.rng.Float64() < l.share
	l.mu.Unlock()
	if lost {
		return len(b), nil
	}
	return l.PacketConn.WriteTo(b, to)
}
