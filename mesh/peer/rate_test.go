package peer

import (
	"context"
	"errors"
	"flag"
	"path/filepath"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/pion/webrtc/v3"

	"github.com/fanfare-relay/fanfare/mesh/store"
)

var (
	pairMiB   = flag.Int("pair-mib", 1, "size of what TestPairRate sends, in MiB")
	pairTurns = flag.Int("pair-turns", 1, "how many times it is sent each way of sending")
)

// TestPairRate sends the same from one peer to another, and over a raw data channel of the same settings
// in messages of the same size, in turns. It logs both rates; what they should be is for whoever reads them.
func TestPairRate(t *testing.T) {
	size := *pairMiB << 20
	from := random(t, filepath.Join(t.TempDir(), "file"), size)
	var pairs, raws []float64
	for range *pairTurns {
		raws = append(raws, float64(size)/raw(t, size).Seconds())
		pairs = append(pairs, float64(size)/pair(t, from).Seconds())
	}
	slices.Sort(pairs)
	slices.Sort(raws)
	of, raw := pairs[len(pairs)/2], raws[len(raws)/2]
	t.Logf("figure: MiB a second, pair = %.1f", of/(1<<20))
	t.Logf("figure: MiB a second, raw = %.1f", raw/(1<<20))
	t.Logf("figure: pair by raw = %.3f", of/raw)
}

// pair tells how long a file takes from the first leaf that is asked for to its place.
func pair(t *testing.T, from string) time.Duration {
	r := newRig(t)
	sender := r.share(nil, from)
	await[Opened](sender)
	began := make(chan time.Time, 1)
	receiver := r.fetch("receiver", sender.link, func(c *Config) {
		accept := c.Fetch.Accept
		c.Fetch.Accept = func(ctx context.Context, o Offered) (*store.Sink, error) {
			sink, err := accept(ctx, o)
			began <- time.Now()
			return sink, err
		}
	})
	await[Finished](receiver)
	took := time.Since(<-began)
	receiver.stop()
	sender.stop()
	<-receiver.ended
	<-sender.ended
	return took
}

// raw tells how long as many bytes take over a data channel.
func raw(t *testing.T, size int) time.Duration {
	n := openNetwork(t, Transport{Loopback: true})
	ends := connected(t, n, n)
	defer ends[0].close()
	defer ends[1].close()
	return carry(t, size, ends)
}

func openNetwork(t *testing.T, transport Transport) *network {
	n, err := newNetwork(transport)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = n.close() })
	return n
}

// connected is a new connection: the end that offered it and the one that answered.
func connected(t *testing.T, a, b *network) (ends [2]*conn) {
	for i, n := range []*network{a, b} {
		id, err := NewIdentity()
		if err != nil {
			t.Fatal(err)
		}
		if ends[i], err = newConn(n, id, nil, func(string) {}); err != nil {
			t.Fatal(err)
		}
	}
	join(t, ends[0], ends[1])
	return ends
}

// carry sends so many bytes over connections side by side, in messages of the size of a part of a leaf, each by
// whichever has room for it, and tells how long they take.
func carry(t *testing.T, size int, over ...[2]*conn) time.Duration {
	const message = 33 << 10
	came, failed := make(chan int, 16), make(chan error, 2*len(over))
	var left atomic.Int64
	left.Store(int64((size + message - 1) / message))
	began := time.Now()
	for _, ends := range over {
		go func() { failed <- drain(ends[1].lane, came) }() // ends with the connection
		go func() { failed <- fill(t.Context(), ends[0].lane, make([]byte, message), &left) }()
	}
	for got := 0; got < size; {
		select {
		case n := <-came:
			got += n
		case err := <-failed:
			if err != nil {
				t.Fatal(err)
			}
		}
	}
	return time.Since(began)
}

// drain tells of what comes until the lane ends.
func drain(lane channel, came chan<- int) error {
	buf := make([]byte, largestMessage)
	for {
		n, err := lane.Read(buf)
		if err != nil {
			return err
		}
		came <- n
	}
}

// fill sends a message again and again while some are left.
func fill(ctx context.Context, lane channel, message []byte, left *atomic.Int64) error {
	pace := newLanePace(lane)
	for left.Add(-1) >= 0 {
		if err := pace.write(ctx, message); err != nil {
			return err
		}
	}
	return nil
}

// join connects two ends without trickling.
func join(tb testing.TB, a, b *conn) {
	gathered := webrtc.GatheringCompletePromise(a.pc)
	if _, err := a.offer(); err != nil {
		tb.Fatal(err)
	}
	<-gathered
	gathered = webrtc.GatheringCompletePromise(b.pc)
	if _, err := b.answer(a.pc.LocalDescription().SDP); err != nil {
		tb.Fatal(err)
	}
	<-gathered
	if err := a.accept(b.pc.LocalDescription().SDP); err != nil {
		tb.Fatal(err)
	}
	for _, one := range []*conn{a, b} {
		if err := one.wait(tb.Context()); err != nil {
			tb.Fatal(err)
		}
	}
}

// wait returns when both channels are open.
func (c *conn) wait(ctx context.Context) error {
	select {
	case <-c.ready:
		return nil
	case <-c.gone:
		return errors.New("the connection failed")
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
