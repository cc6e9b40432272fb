package peer

import (
	"flag"
	"math/rand/v2"
	"net"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/pion/webrtc/v3"

	"github.com/fanfare-relay/fanfare/compare/emulate"
	"github.com/fanfare-relay/fanfare/media"
)

var (
	lanesMiB   = flag.Int("lanes-mib", 1, "size of what TestLanes sends, in MiB; on lines with losses an eighth")
	lanesTurns = flag.Int("lanes-turns", 1, "how many times it is sent each way of sending")
)

// TestFurtherLane: a lane that is opened in the middle carries leaves, and what was under way by it is asked for again
// when it ends.
func TestFurtherLane(t *testing.T) {
	t.Parallel()
	r := newRig(t, withoutRelay)
	from := random(t, filepath.Join(t.TempDir(), "file"), 4<<20)
	sender := r.share(func(c *Config) { c.UpRate = 512 << 10 }, from) // so slow that the lane is there before the end
	await[Opened](sender)
	receiver := r.fetch("receiver", sender.link, nil)
	var first *link
	for ; first == nil; first = onlyLink(receiver) {
		pauseFor(t, 10*time.Millisecond)
	}
	receiver.swarm.call(func() {
		if !receiver.swarm.openLane(first) {
			t.Error("no lane is offered")
		}
	})
	var lane *conn
	for ; lane == nil || lane.bytesOfLane() < 128<<10; pauseFor(t, 5*time.Millisecond) {
		if receiver.hasEnded() {
			t.Fatalf("everything came before the lane carried anything: %v", receiver.err)
		}
		receiver.swarm.call(func() {
			if len(first.further) > 0 {
				lane = first.further[0].conn
			}
		})
	}
	lane.close()
	if err := receiver.wait(); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(sums(t, filepath.Dir(from)), sums(t, receiver.out)); diff != "" {
		t.Errorf("other files:\n%s", diff)
	}
}

// bytesOfLane is how many have come by the lane of a connection.
func (c *conn) bytesOfLane() (bytes uint64) {
	for _, one := range c.pc.GetStats() {
		if dc, ok := one.(webrtc.DataChannelStats); ok && dc.Label == "lane" {
			bytes = dc.BytesReceived
		}
	}
	return bytes
}

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
		return overLanes(t, func(int) *network { return n }, size, lanes)
	}
	synctest.Test(t, func(t *testing.T) {
		space, queue := emulate.NewNetwork(seed), int(l.rate/8/10)
		line := emulate.Line{Delay: l.delay / 2, Rate: l.rate, UpRate: l.rate, Queue: queue, UpQueue: queue}
		hosts := [2]*emulate.Host{space.Host(line), space.Host(line)}
		chances := rand.New(rand.NewPCG(seed, 0))
		took = overLanes(t, func(end int) *network {
			socket := hosts[end].Listen()
			t.Cleanup(func() { _ = socket.Close() })
			mine := rand.New(rand.NewPCG(chances.Uint64(), 0))
			return openNetwork(t, Transport{Loopback: true, Socket: &lossy{PacketConn: socket, share: l.loss, rng: mine}})
		}, size, lanes)
	})
	return took
}

// overLanes connects two ends, each time with new networks for them, and sends over all connections.
func overLanes(t *testing.T, open func(end int) *network, size, lanes int) time.Duration {
	over := make([][2]*conn, lanes)
	for i := range over {
		over[i] = connected(t, open(0), open(1))
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
