package peer

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/fanfare-relay/fanfare/mesh/manifest"
	"github.com/fanfare-relay/fanfare/mesh/merkle"
	"github.com/fanfare-relay/fanfare/mesh/store"
	"github.com/fanfare-relay/fanfare/mesh/wire"
)

// TestParting: when one that has everything leaves.
func TestParting(t *testing.T) {
	now := time.Unix(1_800_000_000, 0)
	ago := func(d time.Duration) time.Time { return now.Add(-d) }
	const justNow, while = 10 * time.Millisecond, time.Second
	for name, c := range map[string]struct {
		parting
		wantStays, wantOver bool
	}{
		"nobody is there":                      {parting{served: ago(while), leaving: ago(while)}, false, true},
		"nobody heard of it yet":               {parting{served: ago(while), leaving: ago(justNow)}, false, false},
		"the uploader is there":                {parting{uploader: true, needed: 3, served: ago(while), leaving: ago(while)}, false, true},
		"somebody is being served":             {parting{uploader: true, needed: 1, handed: 1, leaving: ago(while)}, false, false},
		"was just served":                      {parting{uploader: true, needed: 1, served: ago(justNow), leaving: ago(while)}, false, false},
		"and will not stop":                    {parting{uploader: true, needed: 1, handed: 1, leaving: ago(lingerTime + longestLinger)}, false, true},
		"the line is long":                     {parting{uploader: true, far: while, served: ago(time.Hour), leaving: ago(2 * while)}, false, false},
		"the uploader has left":                {parting{needed: 1, served: ago(while)}, true, false},
		"long ago":                             {parting{needed: 1, handed: 1, served: ago(time.Hour)}, true, false},
		"and nobody asks":                      {parting{needed: 1, served: ago(idleNeeded), leaving: ago(while)}, false, true},
		"the uploader has left, nobody lacks":  {parting{served: ago(while), leaving: ago(while)}, false, true},
		"it has left since others were told":   {parting{needed: 1, served: ago(while), leaving: ago(justNow)}, true, false},
		"it has left, and the last was served": {parting{served: ago(justNow), leaving: ago(while)}, false, false},
	} {
		stays := c.parting.stays(now)
		if over := !stays && !c.leaving.IsZero() && c.over(now); stays != c.wantStays || over != c.wantOver {
			t.Errorf("%s: stays %v, over %v", name, stays, over)
		}
	}
}

// TestSafeWithoutSeeds: the uploader leaves as soon as it is told that it may. One receiver has everything long before
// the other, which has nobody else: it stays until that one is done, and both end.
func TestSafeWithoutSeeds(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	from := random(t, filepath.Join(t.TempDir(), "file"), 3<<20)
	sender := r.share(nil, from)
	await[Opened](sender)
	first := r.fetch("first", sender.link, func(c *Config) { c.UpRate, c.Fetch.Seed = 400<<10, true })
	await[Finished](first)
	sender.limitTo(64 << 10)
	second := r.fetch("second", sender.link, nil)
	for !second.linkedTo(first) || !first.linkedTo(second) { // one end knows before the other
		pauseFor(t, 5*time.Millisecond)
	}
	for !sender.Status().Safe {
		pauseFor(t, 5*time.Millisecond)
	}
	sender.stop()
	for there := true; there; pauseFor(t, time.Millisecond) { // it says so before it is gone
		first.swarm.call(func() { there, _ = first.swarm.around() })
	}
	first.swarm.call(func() { first.swarm.cfg.Fetch.Seed = false }) // from here on it is one that has just finished
	for first.Status().Needed != 1 {                                // by the second one, whose way there may just be changing
		pauseFor(t, time.Millisecond)
	}
	for _, one := range []*someone{second, first} {
		if err := one.wait(); err != nil {
			t.Errorf("%s: %v", one.name, err)
		}
		if diff := cmp.Diff(sums(t, filepath.Dir(from)), sums(t, one.out)); diff != "" {
			t.Errorf("%s has other files:\n%s", one.name, diff)
		}
	}
}

// linkedTo tells whether two are connected.
func (s *someone) linkedTo(other *someone) (linked bool) {
	key := other.swarm.cfg.Identity.dh.Public()
	s.swarm.call(func() { linked = s.swarm.links[key] != nil })
	return linked
}

// TestNotSafeByOneWhoLeaves: a receiver that has everything and says that it leaves is nobody for the uploader to count
// on, while another lacks something.
func TestNotSafeByOneWhoLeaves(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	sender := r.share(nil, random(t, filepath.Join(t.TempDir(), "file"), 1<<20))
	await[Opened](sender)
	seed := r.seed("seed", sender)
	lacking := r.liar("lacks everything", sender) // it never takes what is shared
	for st := sender.Status(); len(st.Peers) < 2 || !st.Safe; st = sender.Status() {
		pauseFor(t, 5*time.Millisecond)
	}
	seed.swarm.call(func() {
		seed.swarm.announce(time.Now())
	})
	for sender.Status().Safe {
		pauseFor(t, 5*time.Millisecond)
	}
	lacking.stop()
	<-lacking.ended
	for !sender.Status().Safe { // now nobody lacks anything
		seed.swarm.call(func() { // again, for a connection that was made meanwhile
			seed.swarm.announce(time.Time{})
			seed.swarm.announce(time.Now())
		})
		pauseFor(t, 20*time.Millisecond)
	}
}

// TestNotSafeByOneWhoLost: a receiver that has less than it has shown is nobody to count on, until it has all of it again.
func TestNotSafeByOneWhoLost(t *testing.T) {
	s := holding(0, make([]neighbour, 2))
	l := s.slots[1]
	if err := s.handle(l, wire.Have{Ranges: []wire.Range{{First: 0, Count: 16}}}, time.Now()); err != nil {
		t.Fatal(err)
	}
	for _, held := range []uint32{16, 15, 16} {
		s.fares(l, wire.Stat{Held: held}, time.Now())
		if holds := s.sched.SwarmHolds(); holds != (held == 16) {
			t.Errorf("with %d pieces of 16: %v", held, holds)
		}
	}
}

// TestForgedJournal: somebody who can write to the folder has left a transfer there whose bytes and roots fit, but are
// not the uploader's. None of it is taken over.
func TestForgedJournal(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	from := random(t, filepath.Join(t.TempDir(), "file"), 1<<20)
	sender := r.share(nil, from)
	await[Opened](sender)
	offered := *sender.swarm.shared
	out := t.TempDir()
	forger, err := store.OpenSink(store.Spec{Out: out, Room: sender.link.Room, Manifest: offered.Manifest, Blob: offered.Blob, Check: offered})
	if err != nil {
		t.Fatal(err)
	}
	for i := range forger.Layout().Pieces() {
		b := []byte(fmt.Sprintf("%065536d", i))
		root := store.Root{Hash: merkle.New([]merkle.Hash{merkle.Leaf(b)}).Root()}
		if err := errors.Join(forger.Begin(i, root), forger.WriteLeaf(i, 0, b)); err != nil {
			t.Fatal(err)
		}
		forger.Complete(i)
	}
	if err := forger.Close(); err != nil {
		t.Fatal(err)
	}
	receiver := r.fetchInto(out, "receiver", sender.link, nil)
	if err := receiver.wait(); err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile(filepath.Join(out, "file"))
	if err != nil || sumOf(got) != sums(t, filepath.Dir(from))["/file"] {
		t.Errorf("forged bytes were taken for right: %v", err)
	}
}

// TestBegunPieces: of pieces that an earlier run had begun only the rest is fetched; what is wrong on disk is fetched
// again, and nobody gets it.
func TestBegunPieces(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	folder := t.TempDir()
	from, holes := random(t, filepath.Join(folder, "a"), 1<<20), random(t, filepath.Join(folder, "b"), 0)
	if err := os.Truncate(holes, 128<<20); err != nil { // makes pieces of four leaves
		t.Fatal(err)
	}
	sender := r.share(nil, from, holes)
	await[Opened](sender)
	offered := *sender.swarm.shared
	spec := store.Spec{Out: t.TempDir(), Room: sender.link.Room, Manifest: offered.Manifest, Blob: offered.Blob, Check: offered, Selected: []bool{true, false}}
	earlier, err := store.OpenSink(spec)
	if err != nil {
		t.Fatal(err)
	}
	layout := earlier.Layout()
	for piece := range 3 {
		b := make([]byte, layout.PieceLen(piece))
		root, err := rootAtUploader(sender, piece, b)
		if piece == 2 { // a hand was at it
			b[0] ^= 1
		}
		if err = errors.Join(err, earlier.Begin(piece, root), earlier.WriteLeaf(piece, 0, b[:layout.LeafLen(piece, 0)])); err != nil {
			t.Fatal(err)
		}
	}
	if err := earlier.Close(); err != nil {
		t.Fatal(err)
	}
	var sink *store.Sink
	receiver := r.fetch("receiver", sender.link, func(c *Config) {
		c.Fetch.Accept = func(ctx context.Context, _ Offered) (_ *store.Sink, err error) {
			if sink, err = store.OpenSink(spec); err == nil {
				_, err = sink.Recheck(ctx, nil)
			}
			return sink, err
		}
	})
	if err := receiver.wait(); err != nil {
		t.Fatal(err)
	}
	if err := sink.Close(); err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile(filepath.Join(spec.Out, "a"))
	if want, wanted := os.ReadFile(from); err != nil || wanted != nil || !bytes.Equal(got, want) {
		t.Errorf("wrong bytes were taken for right: %v", err)
	}
	// 13 leaves of 16. With the last of the piece that is wrong that shows, and the three others are fetched.
	if want := int64(13+3) * manifest.LeafSize; receiver.swarm.verified != want { // it has ended
		t.Errorf("%d bytes were fetched, %d are needed", receiver.swarm.verified, want)
	}
}

// rootAtUploader fills b with a piece and gives its signed root.
func rootAtUploader(sender *someone, piece int, b []byte) (store.Root, error) {
	c := sender.swarm.content
	if err := c.source.ReadLeaves(piece, 0, b); err != nil {
		return store.Root{}, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.rootOf(piece, treeOf(b).Root())
}
