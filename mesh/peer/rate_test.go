package peer

import (
	"context"
	"flag"
	"path/filepath"
	"slices"
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
	n, err := newNetwork(Transport{Loopback: true})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = n.close() }()
	ends := make([]*conn, 2)
	for i := range ends {
		id, err := NewIdentity()
		if err != nil {
			t.Fatal(err)
		}
		if ends[i], err = newConn(n, id, nil, func(string) {}); err != nil {
			t.Fatal(err)
		}
		defer ends[i].close()
	}
	offerer, answerer := ends[0], ends[1]
	join(t, offerer, answerer)
	began, done := time.Now(), make(chan error, 1)
	go func() {
		buf := make([]byte, largestMessage)
		for got := 0; got < size; {
			n, err := answerer.lane.Read(buf)
			if err != nil {
				done <- err
				return
			}
			got += n
		}
		done <- nil
	}()
	pace := newLanePace(offerer.lane)
	message := make([]byte, 33<<10)
	for left := size; left > 0; {
		n := min(left, len(message))
		if err := pace.write(t.Context(), message[:n]); err != nil {
			t.Fatal(err)
		}
		left -= n
	}
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	return time.Since(began)
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
