package peer

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/fanfare-relay/fanfare/mesh/seal"
	"github.com/fanfare-relay/fanfare/signalling"
	"github.com/fanfare-relay/fanfare/signalling/msg"
)

// album is a folder with what folders have: many small files, one in a piece and some across, an empty
// one, an empty folder, and a large file beside it.
func album(t *testing.T, large int) (folder string, paths []string) {
	t.Helper()
	folder = t.TempDir()
	for i := range 200 {
		random(t, filepath.Join(folder, "album", fmt.Sprintf("%03d", i%7), fmt.Sprintf("%03d.jpg", i)), 100+i*37)
	}
	random(t, filepath.Join(folder, "album", "nothing.txt"), 0)
	if err := os.MkdirAll(filepath.Join(folder, "album", "empty"), 0o777); err != nil {
		t.Fatal(err)
	}
	random(t, filepath.Join(folder, "film.bin"), large)
	return folder, []string{filepath.Join(folder, "album"), filepath.Join(folder, "film.bin")}
}

func TestOneToThree(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	from, paths := album(t, 2<<20)
	sender := r.share(nil, paths...)
	await[Opened](sender)
	var receivers []*someone
	for i := range 3 {
		receivers = append(receivers, r.fetch(fmt.Sprint("receiver ", i), sender.link, nil))
	}
	want := sums(t, from)
	for _, one := range receivers {
		if err := one.wait(); err != nil {
			t.Fatalf("%s: %v", one.name, err)
		}
		if diff := cmp.Diff(want, sums(t, one.out)); diff != "" {
			t.Errorf("%s has other files:\n%s", one.name, diff)
		}
	}
}

// TestNothingMuch: files without bytes, a folder without files, and several of one name, each of which arrives with what
// is in it.
func TestNothingMuch(t *testing.T) {
	t.Parallel()
	for name, paths := range map[string][]string{
		"empty file":   {"a/empty"},
		"empty folder": {"folder/"},
		"same names":   {"a/same.txt", "b/same.txt", "c/SAME.txt"},
		"all of these": {"a/same.txt", "b/same.txt", "folder/", "other/folder/", "c/SAME.txt"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r, from := newRig(t), t.TempDir()
			var full, want []string
			for i, p := range paths {
				full = append(full, filepath.Join(from, p))
				if p[len(p)-1] == '/' {
					if err := os.MkdirAll(full[i], 0o777); err != nil {
						t.Fatal(err)
					}
				} else {
					random(t, full[i], 1000*(len(paths)-1)+i)
				}
				want = append(want, sums(t, full[i])[""])
			}
			sender := r.share(nil, full...)
			await[Opened](sender)
			receiver := r.fetch("receiver", sender.link, nil)
			if err := receiver.wait(); err != nil {
				t.Fatal(err)
			}
			arrived := sums(t, receiver.out)
			delete(arrived, "") // the folder itself
			if got := slices.Sorted(maps.Values(arrived)); !slices.Equal(got, slices.Sorted(slices.Values(want))) {
				t.Errorf("other things: %q", slices.Sorted(maps.Keys(arrived)))
			}
		})
	}
}

// TestSafeToClose: the uploader leaves as soon as it says that it may; the others finish among them.
func TestSafeToClose(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	from := random(t, filepath.Join(t.TempDir(), "file"), 2<<20)
	capped := func(c *Config) { c.UpRate = 2 << 20 }
	sender := r.share(capped, from)
	await[Opened](sender)
	var receivers []*someone
	for i := range 3 {
		receivers = append(receivers, r.fetch(fmt.Sprint("receiver ", i), sender.link, func(c *Config) {
			capped(c)
			c.Fetch.Seed = true
		}))
	}
	for !sender.Status().Safe {
		pauseFor(t, 5*time.Millisecond)
	}
	sender.stop()
	<-sender.ended
	for _, one := range receivers {
		await[Finished](one)
	}
	for _, one := range receivers {
		one.stop()
		<-one.ended
		if diff := cmp.Diff(sums(t, filepath.Dir(from)), sums(t, one.out)); diff != "" {
			t.Errorf("%s has other files:\n%s", one.name, diff)
		}
	}
}

// TestConnectionsBreak: all connections of a receiver end in the middle, as when its network changes.
func TestConnectionsBreak(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	from := random(t, filepath.Join(t.TempDir(), "file"), 2<<20)
	sender := r.share(func(c *Config) { c.UpRate = 2 << 20 }, from)
	await[Opened](sender)
	receiver := r.fetch("receiver", sender.link, nil)
	for receiver.Status().Held < 1<<20 {
		pauseFor(t, 5*time.Millisecond)
	}
	receiver.swarm.call(func() {
		for _, l := range receiver.swarm.links {
			go l.conn.close()
		}
	})
	if err := receiver.wait(); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(sums(t, filepath.Dir(from)), sums(t, receiver.out)); diff != "" {
		t.Errorf("other files:\n%s", diff)
	}
}

// TestLeafThatComesAgain: it is counted, and said at once in a line that TestTransferKilled reads.
func TestLeafThatComesAgain(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	sender := r.share(nil, random(t, filepath.Join(t.TempDir(), "file"), 100_000))
	await[Opened](sender)
	var log bytes.Buffer
	receiver := r.fetch("receiver", sender.link, func(c *Config) {
		c.Fetch.Seed = true
		c.Log = slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	})
	await[Finished](receiver)
	from := onlyLink(receiver)
	before := receiver.Status().Again // a direct connection that took the relay's place may have brought one again
	receiver.swarm.call(func() { receiver.swarm.arrived(from, 0, 0) })
	again := receiver.Status().Again - before
	receiver.stop()
	<-receiver.ended // nobody writes to the log any more
	if said := `msg="a leaf came again" bytes=65536`; again != 65536 || !strings.Contains(log.String(), said) {
		t.Errorf("%d bytes are counted; the log has no %s:\n%s", again, said, log.String())
	}
}

// TestStays: of two connections whose offers crossed both sides keep the same one, of two that one side made the
// newer one.
func TestStays(t *testing.T) {
	low, high := seal.Attempt{1}, seal.Attempt{2}
	at := time.Unix(1_800_000_000, 0)
	for _, c := range []struct {
		name      string
		old, made seal.Attempt
		ours      [2]bool // the old one's offer, and the new one's
		age       time.Duration
		want      bool
	}{
		{"crossed, the higher came first", high, low, [2]bool{true, false}, 0, true},
		{"crossed, at the other side", high, low, [2]bool{false, true}, 0, true},
		{"crossed, the lower came first", low, high, [2]bool{true, false}, 0, false},
		{"the other side has come again", high, low, [2]bool{false, false}, 0, false},
		{"we have come again", high, low, [2]bool{true, true}, 0, false},
		{"by the relay and directly", high, high, [2]bool{true, true}, time.Second, false},
		{"long after", high, low, [2]bool{true, false}, 5 * time.Second, false},
	} {
		old := &link{attempt: c.old, ours: c.ours[0], since: at}
		made := &attempt{id: c.made, ours: c.ours[1]}
		if got := old.stays(made, at.Add(c.age)); got != c.want {
			t.Errorf("%s: %v", c.name, got)
		}
	}
}

// TestSecondConnection: a connection that is made beside a good one takes its place at both sides, and what is left
// of the older one does not harm it.
func TestSecondConnection(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	sender := r.share(nil, random(t, filepath.Join(t.TempDir(), "file"), 100_000))
	await[Opened](sender)
	receiver := r.seed("receiver", sender)
	first := onlyLink(receiver)
	for _, one := range []*someone{sender, receiver} {
		one.swarm.call(func() {
			for _, l := range one.swarm.links {
				l.since = l.since.Add(-time.Minute)
			}
		})
	}
	sender.swarm.call(func() {
		for _, m := range sender.swarm.members {
			sender.swarm.offer(m, 0)
		}
	})
	replaced(receiver, first)
	for len(receiver.Status().Peers) != 1 || len(sender.Status().Peers) != 1 { // the sender may see it later
		pauseFor(t, 10*time.Millisecond)
	}
	receiver.stop()
	if err := receiver.wait(); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

// TestSilentConnection: who hears nothing by a connection any more makes another one beside it, before the old one
// is known to have ended.
func TestSilentConnection(t *testing.T) {
	t.Parallel()
	r := newRig(t, withoutRelay)
	sender := r.share(nil, random(t, filepath.Join(t.TempDir(), "file"), 100_000))
	await[Opened](sender)
	receiver := r.seed("receiver", sender)
	first := onlyLink(receiver)
	first.conn.(*conn).deaf.Store(true)
	replaced(receiver, first)
	receiver.stop()
	if err := receiver.wait(); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

// TestBackInTheRoom: who comes back to the server, perhaps by another network, tries at once whom it could not reach.
func TestBackInTheRoom(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	sender := r.share(nil, random(t, filepath.Join(t.TempDir(), "file"), 100_000))
	await[Opened](sender)
	receiver := r.seed("receiver", sender)
	receiver.swarm.call(func() {
		s := receiver.swarm
		for _, m := range s.members {
			m.next, m.pause = time.Now().Add(time.Hour), longestRetry
		}
		s.welcomed(msg.Welcome{Endpoint: s.endpoint})
		for _, m := range s.members {
			if m.pause != 0 || time.Until(m.next) > secondPause {
				t.Errorf("a pause of %v, and nothing for %v", m.pause, time.Until(m.next))
			}
		}
	})
	receiver.stop()
	<-receiver.ended
}

// withoutRelay: peers are connected directly, also on a busy machine.
func withoutRelay(c *signalling.Config) { c.FileRelay = 0 }

// replaced waits until another link has the place of the first one, and that has gone altogether.
func replaced(s *someone, first *link) {
	for second := onlyLink(s); second == first || second == nil; second = onlyLink(s) {
		pauseFor(s.t, 10*time.Millisecond)
	}
	select {
	case <-first.conn.lostC():
	case <-s.t.Context().Done():
	}
}

func onlyLink(s *someone) (only *link) {
	s.swarm.call(func() {
		for _, l := range s.swarm.links {
			only = l
		}
	})
	return only
}
