package peer

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/fanfare-relay/fanfare/mesh/manifest"
	"github.com/fanfare-relay/fanfare/mesh/schedule"
	"github.com/fanfare-relay/fanfare/mesh/store"
	"github.com/fanfare-relay/fanfare/mesh/wire"
)

// TestThreeOfSixBad: half of six receivers send wrong bytes to the other half, all at once, and tell whom
// they can that the others are the bad ones. Those finish with the right bytes; of each bad peer they take
// no more than one leaf; and none takes an honest one for bad.
func TestThreeOfSixBad(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	from := random(t, filepath.Join(t.TempDir(), "file"), 1<<20)
	sender := r.share(nil, from)
	await[Opened](sender)
	var bad, good []*someone
	for i := range 3 {
		bad = append(bad, r.seed(fmt.Sprint("bad ", i), sender))
	}
	for _, one := range bad {
		spoil(one)
	}
	sender.limitTo(4 << 20)
	gate := make(chan struct{})
	for i := range 3 {
		good = append(good, r.fetch(fmt.Sprint("good ", i), sender.link, func(c *Config) {
			c.Fetch.Seed = true
			c.behind(gate)
		}))
	}
	honest := append([]*someone{sender}, good...)
	ways := map[*link]*someone{} // from the honest to the bad
	for _, one := range honest {
		for !one.hasNeighbours(6) {
			pauseFor(t, 5*time.Millisecond)
		}
		for _, other := range bad {
			one.swarm.call(func() { ways[one.swarm.links[other.swarm.cfg.Identity.dh.Public()]] = one })
		}
	}
	close(gate)
	for _, one := range good {
		await[Finished](one)
		if sums(t, one.out)["/file"] != sums(t, filepath.Dir(from))["/file"] {
			t.Errorf("%s has another file", one.name)
		}
	}
	most := int64(0)
	for l, one := range ways {
		bytes := l.bad.Load()
		most = max(most, bytes)
		one.swarm.call(func() {
			if bytes > wire.LeafSize || l.taken > 0 {
				t.Errorf("%s took %d bad bytes, and %d that it kept", one.name, bytes, l.taken)
			}
		})
	}
	if most == 0 {
		t.Error("no bad leaf came to anybody")
	}
	t.Logf("figure: bad bytes that one took of one = %d", most)
	for _, one := range bad {
		one.toAll(func(l *link) {
			complaint := wire.Bye{Reason: wire.BadLeaf, Text: "it was the others"}
			_, _ = l.control.Write(wire.Append(nil, complaint)) // where it is open yet
		})
	}
	for l, one := range ways { // what has not ended ends by the complaint
		for ended := false; !ended; pauseFor(t, 5*time.Millisecond) {
			one.swarm.call(func() { ended = l.dead })
			if one.hasEnded() {
				t.Fatalf("%s ended before the complaint came: %v", one.name, one.err)
			}
		}
	}
	for _, one := range honest {
		one.swarm.call(func() {
			for _, other := range honest {
				if until, banned := one.swarm.banned[other.swarm.cfg.Identity.dh.Public()]; banned {
					t.Errorf("%s takes %s for bad until %v", one.name, other.name, until)
				}
			}
		})
	}
}

// TestNothingIsReadAfterABadLeaf: peers whose first leaf is bad have another behind it. That waits until the connection
// ends, and nothing of it is taken.
func TestNothingIsReadAfterABadLeaf(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	from := random(t, filepath.Join(t.TempDir(), "file"), 1<<20)
	sender := r.share(func(c *Config) { c.UpRate = 64 << 10 }, from) // so slow that the others are asked
	await[Opened](sender)
	gate := make(chan struct{})
	good := r.fetch("good", sender.link, func(c *Config) {
		c.Fetch.Seed = true
		c.behind(gate)
	})
	for !good.hasNeighbours(1) {
		pauseFor(t, 5*time.Millisecond)
	}
	everything := wire.Have{Ranges: []wire.Range{{First: 0, Count: uint32(shapeOf(sender).Pieces())}}}
	var bad []*puppet
	for i := range 3 {
		p := good.puppet(byte(1 + i))
		p.say(everything)
		bad = append(bad, p)
	}
	close(gate)
	for _, p := range bad {
		want := p.asked()
		leaf, err := sender.swarm.content.appendLeaf(nil, int(want.Piece), int(want.First), largestMessage)
		if err != nil {
			t.Fatal(err)
		}
		spoilt := slices.Clone(leaf)
		last := &spoilt[len(spoilt)-1]
		*last = bytes.Clone(*last)
		(*last)[len(*last)-1] ^= 1
		if read := p.push(slices.Concat(spoilt, leaf)...); read != len(leaf) {
			t.Errorf("%d messages were read, %d are the bad leaf", read, len(leaf))
		}
		if came, wrong := p.link.came.Load(), p.link.bad.Load(); came != wire.LeafSize || wrong != wire.LeafSize {
			t.Errorf("%d bytes were read, and %d of them are bad", came, wrong)
		}
		words := p.last()
		if n := len(words); n == 0 || words[n-1] != wire.Frame(wire.Bye{Reason: wire.BadLeaf}) {
			t.Errorf("it hears %+v", words)
		}
	}
	await[Finished](good)
	if sums(t, good.out)["/file"] != sums(t, filepath.Dir(from))["/file"] {
		t.Error("another file")
	}
	good.swarm.call(func() {
		for _, p := range bad {
			delete(good.swarm.banned, p.link.peer)
		}
		if n := len(good.swarm.banned); n > 0 {
			t.Errorf("%d others are taken for bad", n)
		}
	})
}

// TestLiars: one who claims to have everything and has nothing, with refusals of what nobody asked for
// and complaints, and one who claims and never answers. An honest peer is never held guilty for them.
func TestLiars(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	from := random(t, filepath.Join(t.TempDir(), "file"), 2<<20)
	sender := r.share(func(c *Config) { c.UpRate = 2 << 20 }, from)
	await[Opened](sender)
	liar, silent := r.liar("liar", sender), r.liar("silent", sender)
	good := r.fetch("good", sender.link, func(c *Config) { c.Fetch.Seed = true })
	pieces := sender.Status().Pieces
	all := wire.Have{Ranges: []wire.Range{{First: 0, Count: uint32(pieces)}}}
	for round := 0; !good.Status().Finished; round++ {
		silent.toAll(func(l *link) {
			l.outbox.put(wire.Stat{})
			l.outbox.put(all)
			l.dead = true // so that it answers nothing
		})
		liar.toAll(func(l *link) {
			liar.swarm.say(l, wire.Stat{State: wire.Complete})
			liar.swarm.say(l, all)
			for i := range min(20, pieces) {
				leaves := wire.Leaves{Piece: uint32((20*round + i) % pieces), First: 0, Count: 1}
				liar.swarm.say(l, wire.Reject{Leaves: leaves, Reason: wire.RejectReason(1 + i%4)})
			}
			if round == 20 {
				liar.swarm.bye(l, wire.BadLeaf, "it was the others")
			}
		})
		pauseFor(t, 50*time.Millisecond)
	}
	if sums(t, good.out)["/file"] != sums(t, filepath.Dir(from))["/file"] {
		t.Error("another file")
	}
	honest := map[*someone]*someone{good: sender, sender: good}
	for one, other := range honest {
		one.swarm.call(func() {
			key := other.swarm.cfg.Identity.dh.Public()
			if _, banned := one.swarm.banned[key]; banned || one.swarm.links[key] == nil {
				t.Errorf("%s has dropped %s", one.name, other.name)
			}
		})
	}
}

// liar is let in, and then never takes what is shared.
func (r *rig) liar(name string, sender *someone) *someone {
	s := r.fetch(name, sender.link, func(c *Config) {
		c.Fetch.Accept = func(ctx context.Context, _ Offered) (*store.Sink, error) {
			<-ctx.Done()
			return nil, context.Cause(ctx)
		}
	})
	await[Admitted](s)
	return s
}

// toAll does something with every link of a peer.
func (s *someone) toAll(f func(*link)) {
	s.swarm.call(func() {
		for _, l := range s.swarm.links {
			f(l)
		}
	})
}

// script is a lane on which messages wait; it counts what is taken.
type script struct {
	messages [][]byte
	read     int
}

func (s *script) Read(b []byte) (int, error) {
	if s.read == len(s.messages) {
		return 0, io.EOF
	}
	s.read++
	return copy(b, s.messages[s.read-1]), nil
}

func (*script) Write(b []byte) (int, error) { return len(b), nil }

// TestBadLeafIsTheLast: after the first bad leaf of a peer nothing more is read from it, though it waits,
// and nothing of that leaf is stored.
func TestBadLeafIsTheLast(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	sender := r.share(nil, random(t, filepath.Join(t.TempDir(), "file"), 1<<20))
	shared := sender.swarm.content
	blob := *sender.swarm.shared
	sink, err := store.OpenSink(store.Spec{Out: t.TempDir(), Room: sender.link.Room, Manifest: blob.Manifest, Blob: blob.Blob})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = sink.Close() }()
	mine := &content{id: blob.ID, layout: shared.layout, key: shared.key, sink: sink}
	lane := &script{}
	for piece := range 4 {
		before := len(lane.messages)
		if lane.messages, err = shared.appendLeaf(lane.messages, piece, 0, largestMessage); err != nil {
			t.Fatal(err)
		}
		if piece > 0 {
			last := lane.messages[len(lane.messages)-1]
			last[len(last)-1] ^= 1
		}
		if parts := len(lane.messages) - before; parts != 2 {
			t.Fatalf("a leaf in %d messages", parts)
		}
	}
	stored := map[int]bool{}
	l := &link{lane: channel{ReadWriter: lane}}
	err = l.readLane(l.lane, intake{
		expects: func(int, int) (schedule.Expectation, int) { return schedule.Asked, manifest.LeafSize },
		whole: func(leaf *wire.Parts, piece, index int) error {
			err := mine.take(leaf, piece, index)
			stored[piece] = err == nil
			return err
		},
		buffers: &leafBuffers{},
	})
	if !errors.Is(err, errBadLeaf) || lane.read != 4 {
		t.Errorf("%d messages were read: %v", lane.read, err)
	}
	if len(stored) != 2 || !stored[0] || stored[1] {
		t.Errorf("stored: %v", stored)
	}
}
