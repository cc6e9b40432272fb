package peer

import (
	"context"
	"io"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/fanfare-relay/fanfare/mesh/schedule"
	"github.com/fanfare-relay/fanfare/mesh/seal"
	"github.com/fanfare-relay/fanfare/mesh/wire"
)

// puppet is an admitted peer in memory whose frames are the test's. It is what the swarm takes for a
// connection.
type puppet struct {
	t             testing.TB
	link          *link
	control, lane *cord
	gone          chan struct{}
	closing       sync.Once
}

// cord is a channel of a puppet: messages to the swarm and from it. What the swarm writes to a full
// channel waits, as for a peer that does not read.
type cord struct {
	noGauge
	to, from chan []byte
	gone     chan struct{}
}

func (s *cord) Read(b []byte) (int, error) {
	select {
	case message := <-s.to:
		return copy(b, message), nil
	case <-s.gone:
		return 0, io.EOF
	}
}

func (s *cord) Write(b []byte) (int, error) {
	select {
	case s.from <- append([]byte(nil), b...):
		return len(b), nil
	case <-s.gone:
		return 0, io.ErrClosedPipe
	}
}

func (p *puppet) channels() (control, lane channel) {
	return channel{p.control, p.control}, channel{p.lane, p.lane}
}
func (p *puppet) lostC() <-chan struct{} { return p.gone }
func (p *puppet) close()                 { p.closing.Do(func() { close(p.gone) }) }
func (p *puppet) relayed() bool          { return false }
func (p *puppet) silent() bool           { return false }

// puppet connects one to a peer.
func (s *someone) puppet(number byte) *puppet { return s.puppetBy(number, uint32(number)) }

// puppetBy connects one to a peer by a token of this serial.
func (s *someone) puppetBy(number byte, serial uint32) *puppet {
	s.t.Helper()
	gone := make(chan struct{})
	p := &puppet{
		t: s.t, gone: gone,
		control: &cord{to: make(chan []byte, 1000), from: make(chan []byte, 1000), gone: gone},
		lane:    &cord{to: make(chan []byte), from: make(chan []byte), gone: gone},
	}
	dh := seal.PublicKey{number}
	s.swarm.call(func() {
		ctx, drop := context.WithCancel(s.swarm.ctx)
		a := &attempt{peer: dh, token: &seal.Token{Serial: serial, DH: dh, Rights: seal.Receive | seal.PassOn}}
		s.swarm.link(a, wire.Hello{Largest: wire.MaxMessage}, p, ctx, drop)
		p.link = s.swarm.links[dh]
	})
	return p
}

func (p *puppet) say(frames ...wire.Frame) {
	for _, f := range frames {
		p.control.to <- wire.Append(nil, f)
	}
}

// hear gives the next frame of the control channel.
func (p *puppet) hear() wire.Frame {
	p.t.Helper()
	select {
	case message := <-p.control.from:
		f, err := wire.Parse(message, wire.Control)
		if err != nil {
			p.t.Fatal(err)
		}
		return f
	case <-p.gone:
		p.t.Fatal("the connection has ended")
	case <-time.After(2 * time.Minute):
		p.t.Fatal("nothing is said")
	}
	return nil
}

// asked waits until it is asked for something.
func (p *puppet) asked() wire.Want {
	p.t.Helper()
	for {
		if want, ok := p.hear().(wire.Want); ok {
			return want
		}
	}
}

// push sends messages on the lane until the connection ends, and tells how many of them were read.
func (p *puppet) push(messages ...[]byte) (read int) {
	for _, m := range messages {
		select {
		case p.lane.to <- m: // taken: nothing lies in between
			read++
		case <-p.gone:
			return read
		}
	}
	return read
}

// last waits until the connection has ended, and gives what was said on the control channel and not heard.
func (p *puppet) last() (frames []wire.Frame) {
	p.t.Helper()
	select {
	case <-p.gone:
	case <-time.After(2 * time.Minute):
		p.t.Fatal("the connection does not end")
	}
	for {
		select {
		case message := <-p.control.from:
			f, err := wire.Parse(message, wire.Control)
			if err != nil {
				p.t.Fatal(err)
			}
			frames = append(frames, f)
		default:
			return frames
		}
	}
}

// wants asks for all leaves of each piece that is shown in a frame.
func (p *puppet) wants(f wire.Frame, shape schedule.Shape) {
	have, ok := f.(wire.Have)
	if !ok {
		return
	}
	for _, r := range have.Ranges {
		for i := r.First; i < r.First+r.Count; i++ {
			p.say(wire.Want{Leaves: wire.Leaves{Piece: i, Count: uint16(shape.Leaves(int(i)))}})
		}
	}
}

func shapeOf(s *someone) (shape schedule.Shape) {
	s.swarm.call(func() {
		l := s.swarm.content.layout
		shape = schedule.Shape{Size: l.Total(), Piece: l.Piece(), Leaf: wire.LeafSize}
	})
	return shape
}

// TestDeafReceiver: with a limited rate, one that asks and does not read holds up nobody.
func TestDeafReceiver(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	sender := r.share(func(c *Config) { c.UpRate = 8 << 20 }, random(t, filepath.Join(t.TempDir(), "file"), 1<<20))
	await[Opened](sender)
	shape := shapeOf(sender)
	deaf, good := sender.puppet(1), sender.puppet(2)
	deaf.say(wire.Stat{})
	for shown := 0; shown < 3; {
		f := deaf.hear()
		deaf.wants(f, shape)
		if have, ok := f.(wire.Have); ok {
			shown += len(have.Ranges)
		}
	}
	for handed := 0; handed == 0; pauseFor(t, time.Millisecond) { // its first leaf waits for it
		sender.swarm.call(func() { handed = deaf.link.queued })
	}
	good.say(wire.Stat{})
	came := map[uint32]bool{}
	go func() {
		for {
			select {
			case message := <-good.control.from:
				if f, err := wire.Parse(message, wire.Control); err == nil {
					good.wants(f, shape)
				}
			case <-good.gone:
				return
			}
		}
	}()
	for len(came) < shape.Pieces() {
		select {
		case message := <-good.lane.from:
			f, err := wire.ParseLeaf(message)
			if err != nil {
				t.Fatal(err)
			}
			if f.Offset+uint32(len(f.Bytes)) == f.Size && !came[f.Piece] {
				came[f.Piece] = true
				good.say(wire.Have{Ranges: []wire.Range{{First: f.Piece, Count: 1}}})
			}
		case <-good.gone:
			t.Fatal("the connection has ended")
		case <-time.After(2 * time.Minute):
			t.Fatalf("%d of %d pieces came: another does not read", len(came), shape.Pieces())
		}
	}
}

// TestShownWhenItTakesPart: the uploader shows nothing to one that has not said how it fares, since it
// reads the list of files and asks for nothing.
func TestShownWhenItTakesPart(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	sender := r.share(nil, random(t, filepath.Join(t.TempDir(), "file"), 1<<20))
	await[Opened](sender)
	p := sender.puppet(1)
	p.say(wire.Ping{Value: 7})
	for f := p.hear(); ; f = p.hear() {
		if pong, ok := f.(wire.Pong); ok && pong.Value == 7 {
			break
		}
		if _, shown := f.(wire.Have); shown {
			t.Fatalf("%+v before it takes part", f)
		}
	}
	p.say(wire.Want{Leaves: wire.Leaves{Piece: 0, Count: 1}})
	for refused := false; !refused; {
		switch f := p.hear().(type) {
		case wire.Reject:
			refused = f.Reason == wire.NotHeld
		case wire.Have:
			t.Fatalf("%+v before it takes part", f)
		}
	}
	p.say(wire.Stat{})
	for shown := false; !shown; {
		_, shown = p.hear().(wire.Have)
	}
}

// TestBeginningsAreForgotten: of leaves that came in part and are not expected any more nothing is kept.
func TestBeginningsAreForgotten(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	sender := r.share(nil, random(t, filepath.Join(t.TempDir(), "file"), 1<<20))
	await[Opened](sender)
	receiver := r.seed("receiver", sender)
	p := receiver.puppet(1)
	receiver.swarm.call(func() {
		for i := range 4 {
			parts := wire.NewParts(uint32(i), 0, make([]byte, wire.LeafSize))
			p.link.coming.put(partKey{i, 0}, &parts)
		}
		receiver.swarm.sweep(time.Now()) // it has everything, and waits for nothing
		if n := len(p.link.coming.leaves); n != 0 {
			t.Errorf("%d beginnings are kept", n)
		}
	})
}

// TestPartials: what is expected stays, the rest goes.
func TestPartials(t *testing.T) {
	var p partials
	for i := range 6 {
		parts := wire.NewParts(uint32(i), 0, make([]byte, 100))
		p.put(partKey{i, 0}, &parts)
	}
	p.remove(partKey{5, 0})
	p.sweep(func(key partKey) bool { return key.piece%2 == 0 })
	for i := range 6 {
		if got, want := p.get(partKey{i, 0}) != nil, i%2 == 0 && i < 5; got != want {
			t.Errorf("piece %d is kept: %v", i, got)
		}
	}
}
