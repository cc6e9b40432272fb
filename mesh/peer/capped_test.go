package peer

import (
	"context"
	"flag"
	"fmt"
	"log/slog"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/fanfare-relay/fanfare/mesh/store"
)

var (
	swarmReceivers = flag.String("swarm-receivers", "3", "numbers of receivers in TestCappedSwarm")
	swarmMiB       = flag.Int("swarm-mib", 2, "size of what TestCappedSwarm and TestUploaderLeaves share, in MiB")
	swarmUplink    = flag.Int("swarm-uplink", 2<<20, "bytes of leaves a second that a peer of them sends")
)

// capped is a swarm whose peers' own limiters count the bytes of leaves that go out.
type capped struct {
	sender    *someone
	receivers []*someone
	gate      chan struct{} // closed when all may begin
	from      string
}

// newCapped connects everybody to their neighbours; nobody has said yet that it takes what is shared.
func newCapped(t *testing.T, receivers, size, theirUplink, ours int) *capped {
	t.Helper()
	r := newRig(t)
	r.log = slog.New(slog.DiscardHandler)
	c := &capped{gate: make(chan struct{}), from: random(t, filepath.Join(t.TempDir(), "file"), size)}
	c.sender = r.share(func(cfg *Config) { cfg.UpRate = ours }, c.from)
	await[Opened](c.sender)
	for i := range receivers {
		c.receivers = append(c.receivers, r.fetch(fmt.Sprint(i), c.sender.link, func(cfg *Config) {
			cfg.UpRate, cfg.Fetch.Seed = theirUplink, true
			cfg.behind(c.gate)
		}))
	}
	for _, one := range c.receivers {
		for !one.hasNeighbours(receivers) {
			pauseFor(t, 10*time.Millisecond)
		}
	}
	return c
}

// behind has a receiver take what is shared when the gate opens.
func (c *Config) behind(gate <-chan struct{}) {
	accept := c.Fetch.Accept
	c.Fetch.Accept = func(ctx context.Context, o Offered) (*store.Sink, error) {
		<-gate
		return accept(ctx, o)
	}
}

// hasNeighbours tells whether a peer knows of so many others in the room, and is connected to all to
// whom the server told it to.
func (s *someone) hasNeighbours(others int) (all bool) {
	s.swarm.call(func() {
		all = len(s.swarm.members) >= others
		for _, m := range s.swarm.members {
			all = all && (!m.neighbour || m.dh != nil && s.swarm.links[*m.dh] != nil)
		}
	})
	return all
}

// check holds the results against the source.
func (c *capped) check(t *testing.T) {
	t.Helper()
	want := sums(t, filepath.Dir(c.from))["/file"]
	for _, one := range c.receivers {
		if sums(t, one.out)["/file"] != want {
			t.Errorf("receiver %s has another file", one.name)
		}
	}
}

// TestCappedSwarm is an uploader and N receivers with equal uplinks. All get everything, and the
// uploader sends less than a copy to each: the rest comes from each other. It logs how the time of
// the last receiver compares to the fluid bound max(F/u, N·F/((N+1)·u)); downlinks are as wide as
// loopback.
func TestCappedSwarm(t *testing.T) {
	t.Parallel()
	for _, word := range strings.Split(*swarmReceivers, ",") {
		n, err := strconv.Atoi(word)
		if err != nil {
			t.Fatal(err)
		}
		t.Run(word, func(t *testing.T) {
			size := *swarmMiB << 20
			c := newCapped(t, n, size, *swarmUplink, *swarmUplink)
			began := time.Now()
			close(c.gate)
			for _, one := range c.receivers {
				await[Finished](one)
			}
			took := time.Since(began).Seconds()
			c.check(t)
			st := c.sender.Status()
			copies := float64(st.Sent) / float64(size)
			bound := float64(size) / float64(*swarmUplink) // the other is less with equal uplinks
			t.Logf("figure: bound by time, %d receivers = %.3f", n, bound/took)
			t.Logf("figure: copies sent, %d receivers = %.3f", n, copies)
			t.Logf("figure: pieces, %d receivers = %d", n, st.Pieces)
			if copies >= float64(n) {
				t.Errorf("the uploader sent %.2f copies to %d receivers, who have each other", copies, n)
			}
		})
	}
}

// TestUploaderLeaves: an uploader that is four times as fast as the receivers leaves as soon as it is told that
// it may, with hardly more than one copy out: long before anybody has everything. The receivers finish from each
// other.
func TestUploaderLeaves(t *testing.T) {
	t.Parallel()
	for _, word := range strings.Split(*swarmReceivers, ",") {
		n, err := strconv.Atoi(word)
		if err != nil {
			t.Fatal(err)
		}
		t.Run(word, func(t *testing.T) {
			size := *swarmMiB << 20
			c := newCapped(t, n, size, *swarmUplink, 4**swarmUplink)
			close(c.gate)
			var st Status
			for ; !st.Safe; pauseFor(t, time.Millisecond) {
				st = c.sender.Status()
			}
			c.sender.stop()
			missing := 0
			for _, one := range c.receivers {
				st := one.Status()
				missing += int(st.Total - st.Held)
			}
			for _, one := range c.receivers {
				await[Finished](one)
			}
			c.check(t)
			t.Logf("figure: copies sent when the uploader left, %d receivers = %.3f", n, float64(st.Sent)/float64(size))
			t.Logf("figure: copies that were missing then, %d receivers = %.3f", n, float64(missing)/float64(size))
		})
	}
}
