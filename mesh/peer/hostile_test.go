package peer

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/fanfare-relay/fanfare/mesh/manifest"
	"github.com/fanfare-relay/fanfare/mesh/wire"
)

// seed starts a receiver that has everything and serves it.
func (r *rig) seed(name string, sender *someone) *someone {
	r.t.Helper()
	s := r.fetch(name, sender.link, func(c *Config) { c.Fetch.Seed = true })
	await[Finished](s)
	return s
}

// spoil makes a peer send wrong bytes of every piece, with the right proofs.
func spoil(s *someone) {
	s.swarm.call(func() {
		c := s.swarm.content
		c.mu.Lock()
		defer c.mu.Unlock()
		for i := range c.layout.Pieces() {
			k, err := c.know(i)
			if err != nil {
				s.t.Error(err)
				return
			}
			one, err := c.load(k, 0)
			if err != nil {
				s.t.Error(err)
				return
			}
			one[len(one)/2] ^= 1
		}
	})
}

// TestBadPeers: half of the peers send wrong bytes; the others finish, and drop those of the bad ones that they met.
func TestBadPeers(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	from := random(t, filepath.Join(t.TempDir(), "file"), 1<<20)
	sender := r.share(nil, from)
	await[Opened](sender)
	var bad []*someone
	for i := range 3 {
		bad = append(bad, r.seed(fmt.Sprint("bad ", i), sender))
	}
	for _, one := range bad {
		spoil(one)
	}
	sender.limitTo(2 << 20)
	for i := range 3 {
		good := r.fetch(fmt.Sprint("good ", i), sender.link, nil)
		await[Wrong](good)
		if err := good.wait(); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(sums(t, filepath.Dir(from)), sums(t, good.out)); diff != "" {
			t.Errorf("other files:\n%s", diff)
		}
	}
}

// TestUnaskedData: who sends what nobody asked for loses the connection.
func TestUnaskedData(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	sender := r.share(nil, random(t, filepath.Join(t.TempDir(), "file"), 1<<20))
	await[Opened](sender)
	pushy := r.seed("pushy", sender)
	pushy.swarm.call(func() {
		for _, l := range pushy.swarm.links {
			leaf := wire.Leaf{Size: 1, Bytes: []byte{1}}
			if _, err := l.lane.Write(wire.Append(nil, leaf)); err != nil {
				t.Error(err)
			}
		}
	})
	for pushed := func() bool {
		found := false
		sender.swarm.call(func() { found = len(sender.swarm.banned) == 1 })
		return found
	}; !pushed(); {
		pauseFor(t, 10*time.Millisecond)
	}
}

// pauseFor is for what can only be looked at again and again.
func pauseFor(t testing.TB, d time.Duration) {
	select {
	case <-time.After(d):
	case <-t.Context().Done():
		t.Fatal("the test is over")
	}
}

// TestHostileManifest: what a bad uploader signs is refused, and nothing is written.
func TestHostileManifest(t *testing.T) {
	t.Parallel()
	for name, path := range map[string]struct {
		path string
		want error
	}{
		"parent":   {"../x", manifest.DotPart},
		"absolute": {"/a/x", manifest.Absolute},
		"NUL":      {"a\x00/x", manifest.ControlChar},
		"device":   {"CON\x2f", manifest.DeviceName},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t)
			from := random(t, filepath.Join(t.TempDir(), "aaax"), 100)
			sender := r.share(nil, from)
			await[Opened](sender)
			sender.swarm.call(func() {
				encoded := bytes.Replace(sender.swarm.blob[64:], []byte("aaax"), []byte(path.path), 1)
				message := append([]byte("fanfare manifest v1\x00"+sender.link.Room+"\x00"), encoded...)
				signature, err := sender.swarm.cfg.Share.Key.Sign(message)
				if err != nil {
					t.Error(err)
				}
				sender.swarm.blob = append(signature[:], encoded...)
			})
			receiver := r.fetch("receiver", sender.link, nil)
			if err := receiver.wait(); !errors.Is(err, path.want) {
				t.Errorf("%v, want %v", err, path.want)
			}
			if found := sums(t, receiver.out); len(found) != 1 {
				t.Errorf("written: %v", found)
			}
		})
	}
}

// TestForgedManifest: one that the uploader did not sign is nobody's offer.
func TestForgedManifest(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	sender := r.share(nil, random(t, filepath.Join(t.TempDir(), "file"), 100))
	await[Opened](sender)
	sender.swarm.call(func() { sender.swarm.blob = bytes.Clone(sender.swarm.blob); sender.swarm.blob[3] ^= 1 })
	receiver := r.fetch("receiver", sender.link, nil)
	for dropped := false; !dropped; pauseFor(t, 10*time.Millisecond) {
		if !receiver.swarm.call(func() { dropped = len(receiver.swarm.banned) == 1 }) {
			t.Fatal(receiver.err)
		}
	}
	if found := sums(t, receiver.out); len(found) != 1 {
		t.Errorf("written: %v", found)
	}
}

// TestSourceChanges: a file is written to while it is sent; both sides say so, and nothing wrong is kept.
func TestSourceChanges(t *testing.T) {
	t.Parallel()
	const size = 4 << 20
	for name, change := range map[string]func(name string) error{
		"longer": func(name string) error { return os.Truncate(name, size+1<<20) },
		"as long": func(name string) error {
			f, err := os.OpenFile(name, os.O_WRONLY, 0)
			if err != nil {
				return err
			}
			_, err = f.WriteAt(bytes.Repeat([]byte("other words "), size/12), 0)
			return errors.Join(err, f.Close())
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t)
			from := random(t, filepath.Join(t.TempDir(), "file"), size)
			shared, err := os.ReadFile(from)
			if err != nil {
				t.Fatal(err)
			}
			sender := r.share(func(c *Config) { c.UpRate = 1 << 20 }, from)
			await[Opened](sender)
			receiver := r.fetch("receiver", sender.link, nil)
			for receiver.Status().Held < 200_000 {
				pauseFor(t, 10*time.Millisecond)
			}
			if err := change(from); err != nil {
				t.Fatal(err)
			}
			if err := sender.wait(); !errors.Is(err, ErrChanged) {
				t.Errorf("the sender ends with %v", err)
			}
			if err := receiver.wait(); !errors.Is(err, ErrChanged) {
				t.Errorf("the receiver ends with %v", err)
			}
			receiver.keptRight(shared)
		})
	}
}

// keptRight holds what lies in a receiver's folder against the one file that was shared and did not come whole: of each
// leaf there is what was shared, or nothing yet.
func (s *someone) keptRight(shared []byte) {
	s.t.Helper()
	const part, files = "/file.fanfare-part", "/file.fanfare-part/files"
	found := sums(s.t, s.out)
	if all, want := slices.Sorted(maps.Keys(found)), []string{"", part, files, files + "/file", part + "/journal"}; !slices.Equal(all, want) {
		s.t.Fatalf("in the folder are %q", all)
	}
	got, err := os.ReadFile(s.out + files + "/file")
	if err != nil || len(got) != len(shared) {
		s.t.Fatalf("%d bytes of %d: %v", len(got), len(shared), err)
	}
	right, nothing := 0, make([]byte, wire.LeafSize)
	for at := 0; at < len(shared); at += wire.LeafSize {
		switch leaf := got[at : at+wire.LeafSize]; {
		case bytes.Equal(leaf, shared[at:at+wire.LeafSize]):
			right++
		case !bytes.Equal(leaf, nothing):
			s.t.Errorf("other bytes are kept at %d", at)
		}
	}
	if right == 0 || right == len(shared)/wire.LeafSize {
		s.t.Errorf("%d leaves are kept", right)
	}
}
