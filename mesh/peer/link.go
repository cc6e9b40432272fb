package peer

import (
	"bytes"
	"context"
	"errors"
	"maps"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/time/rate"

	"github.com/fanfare-relay/fanfare/mesh/schedule"
	"github.com/fanfare-relay/fanfare/mesh/seal"
	"github.com/fanfare-relay/fanfare/mesh/wire"
)

// Limits of one link.
const (
	controlASecond = 1000 // frames
	controlAtOnce  = 4000
	// controlQueue is how many frames may wait for a peer that does not read before it is dropped.
	controlQueue = 8192
	// controlHigh is how many bytes of frames may lie in the channel.
	controlHigh = 256 << 10
	// feedQueue is how many leaves may wait for the lane: then the peer counts as full, until half of
	// them are gone.
	feedQueue = 8

	// The lane holds what its line has under way, and a little: so much, and what it carries in laneSpan.
	laneLeast = 512 << 10
	laneMost  = 8 << 20
	laneSpan  = 250 * time.Millisecond
)

// link is an admitted peer with its connection. Its fields belong to the swarm's goroutine, but for
// what is said of others.
type link struct {
	attempt seal.Attempt   // that made it
	ours    bool           // we had made the offer
	peer    seal.PublicKey // its agreement key
	token   seal.Token
	pair    seal.Pair
	conn    connection
	control channel
	lane    channel
	further []furtherLane
	lanes   schedule.Lanes // when another is opened
	largest int            // bytes of a message that it takes
	slot    schedule.Peer
	since   time.Time

	ctx  context.Context
	drop context.CancelFunc
	dead bool

	// Its goroutines use these, too.
	outbox *outbox
	feed   chan schedule.Send
	coming partials
	taking sync.Mutex   // one leaf is taken at a time, whichever lane brings it
	spoilt bool         // by a lane that brought what it may not; belongs to taking
	came   atomic.Int64 // bytes of leaves that its lane brought
	bad    atomic.Int64 // and those of them that were put to the test and are not what was shared

	joined   bool      // the scheduler knows it
	blob     wire.Blob // of its manifest, until ours is known
	gotBlob  bool
	sentBlob bool
	shown    []wire.Range // what it showed before it was joined
	queued   int          // leaves handed to feed and not sent
	stat     wire.Stat
	statAt   time.Time
	complete bool          // by its own word: it has all that it wants
	rtt      time.Duration // the shortest so far
	there    schedule.Lag  // of the way to it
	pinged   time.Time
	pings    pings
	sent     int64 // bytes of leaves to it
	taken    int64 // bytes of leaves from it, verified and new
}

// outbox is a queue of frames for a control channel.
type outbox struct {
	mu     sync.Mutex
	frames []wire.Frame
	filled chan struct{} // has room for one
	last   bool          // nothing goes out after these
}

func newOutbox() *outbox { return &outbox{filled: make(chan struct{}, 1)} }

// put queues a frame; false when too many wait. BYE is the last.
func (o *outbox) put(f wire.Frame) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.last {
		return true
	}
	if len(o.frames) >= controlQueue {
		return false
	}
	o.frames = append(o.frames, f)
	o.last = f.Type() == wire.TypeBye
	select {
	case o.filled <- struct{}{}:
	default:
	}
	return true
}

func (o *outbox) take() (frames []wire.Frame, last bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	frames, o.frames = o.frames, nil
	return frames, o.last
}

// writeControl sends frames until the link ends, or until BYE is out.
func (l *link) writeControl() error {
	low := make(chan struct{}, 1)
	l.control.SetBufferedAmountLowThreshold(controlHigh / 2)
	l.control.OnBufferedAmountLow(func() {
		select {
		case low <- struct{}{}:
		default:
		}
	})
	var b []byte
	for {
		frames, last := l.outbox.take()
		for _, f := range frames {
			for l.control.BufferedAmount() > controlHigh {
				select {
				case <-low:
				case <-l.ctx.Done():
					return nil
				}
			}
			b = wire.Append(b[:0], f)
			if _, err := l.control.Write(b); err != nil {
				return err
			}
		}
		if last {
			return nil
		}
		select {
		case <-l.outbox.filled:
		case <-l.ctx.Done():
			return nil
		}
	}
}

var errFlood = errors.New("too many frames")

// readControl hands frames to take until the channel ends. What a peer may not send ends it with an
// error of package wire, or errFlood.
func (l *link) readControl(take func(wire.Frame)) error {
	limit := rate.NewLimiter(controlASecond, controlAtOnce)
	b := make([]byte, largestMessage)
	for {
		message, err := readMessage(l.control, b)
		if err != nil {
			return err
		}
		if !limit.Allow() {
			return errFlood
		}
		f, err := wire.Parse(bytes.Clone(message), wire.Control) // frames keep parts of it
		if err != nil {
			return err
		}
		take(f)
	}
}

// partKey names a leaf whose parts are coming.
type partKey struct{ piece, leaf int }

// partials are the leaves of which a lane has brought a part.
type partials struct {
	mu     sync.Mutex
	leaves map[partKey]*wire.Parts
}

func (p *partials) get(key partKey) *wire.Parts {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.leaves[key]
}

func (p *partials) put(key partKey, leaf *wire.Parts) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.leaves == nil {
		p.leaves = map[partKey]*wire.Parts{}
	}
	p.leaves[key] = leaf
}

func (p *partials) remove(key partKey) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.leaves, key)
}

// sweep forgets leaves that are not expected any more: a peer that begins many and finishes none must not
// fill our memory.
func (p *partials) sweep(expected func(partKey) bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	maps.DeleteFunc(p.leaves, func(key partKey, _ *wire.Parts) bool { return !expected(key) })
}

// leafBuffers are for leaves on their way in.
type leafBuffers struct{ pool sync.Pool }

func (p *leafBuffers) get(n int) []byte {
	if b, ok := p.pool.Get().(*[wire.LeafSize]byte); ok {
		return b[:n]
	}
	return new([wire.LeafSize]byte)[:n]
}

func (p *leafBuffers) put(b []byte) {
	p.pool.Put((*[wire.LeafSize]byte)(b[:wire.LeafSize]))
}

// intake is what reading a lane needs to know of the rest.
type intake struct {
	// expects tells whether a leaf was asked for, and its length in bytes.
	expects func(piece, leaf int) (schedule.Expectation, int)
	// whole verifies and stores a leaf; an error ends the link.
	whole   func(leaf *wire.Parts, piece, index int) error
	buffers *leafBuffers
}

var errUnasked = errors.New("data that nobody asked for")

// readLane puts leaves together until the lane ends, or one of the link's lanes has brought what it may not.
func (l *link) readLane(lane channel, in intake) error {
	b := make([]byte, largestMessage)
	for {
		message, err := readMessage(lane, b)
		if err != nil {
			return err
		}
		if more, err := l.take(message, in); !more || err != nil {
			return err
		}
	}
}

// take adds a message to its leaf; false when nothing more is taken. Nothing is read while a leaf is verified, so a
// bad one is the last.
func (l *link) take(message []byte, in intake) (more bool, err error) {
	l.taking.Lock()
	defer l.taking.Unlock()
	if l.spoilt {
		return false, nil
	}
	err = l.add(message, in)
	l.spoilt = err != nil
	return err == nil, err
}

func (l *link) add(message []byte, in intake) error {
	f, err := wire.ParseLeaf(message)
	if err != nil {
		return err
	}
	key := partKey{int(f.Piece), int(f.Leaf)}
	l.came.Add(int64(len(f.Bytes)))
	leaf := l.coming.get(key)
	if leaf == nil {
		expected, size := in.expects(key.piece, key.leaf)
		if expected == schedule.Unasked {
			return errUnasked
		}
		made := wire.NewParts(f.Piece, f.Leaf, in.buffers.get(size))
		leaf = &made
		l.coming.put(key, leaf)
	}
	whole, err := leaf.Add(f)
	if err != nil || !whole {
		return err
	}
	l.coming.remove(key)
	if err := in.whole(leaf, key.piece, key.leaf); err != nil {
		return err
	}
	in.buffers.put(leaf.Bytes())
	return nil
}

// feeder is what sending on a lane needs to know of the rest.
type feeder struct {
	content *content
	// sent is told of each leaf: that it has left, or why it could not be read.
	sent func(schedule.Send, error)
}

// sendLeaves sends what is fed over one of the link's lanes until the link ends.
func (l *link) sendLeaves(over channel, f feeder) error {
	lane := newLanePace(over)
	var messages [][]byte
	for {
		var next schedule.Send
		select {
		case next = <-l.feed:
		case <-l.ctx.Done():
			return nil
		}
		var err error
		messages, err = f.content.appendLeaf(messages[:0], next.Piece, next.Leaf, l.largest)
		if err != nil {
			f.sent(next, err)
			continue
		}
		for _, message := range messages {
			if err := lane.write(l.ctx, message); err != nil {
				return err
			}
		}
		f.sent(next, nil)
	}
}

// lanePace keeps as much in a lane's channel as its line has use for.
type lanePace struct {
	channel
	low   chan struct{}
	rate  float64 // bytes a second that leave it, while it is kept full
	bytes int64   // since
	since time.Time
}

func newLanePace(ch channel) *lanePace {
	p := &lanePace{channel: ch, low: make(chan struct{}, 1), since: time.Now()}
	ch.OnBufferedAmountLow(func() {
		select {
		case p.low <- struct{}{}:
		default:
		}
	})
	return p
}

func (p *lanePace) high() uint64 {
	return uint64(min(laneMost, laneLeast+p.rate*laneSpan.Seconds()))
}

func (p *lanePace) write(ctx context.Context, message []byte) error {
	for p.BufferedAmount() >= p.high() {
		p.SetBufferedAmountLowThreshold(p.high() * 3 / 4)
		if p.BufferedAmount() < p.high() {
			break // it fell before the threshold was set
		}
		select {
		case <-p.low:
		case <-ctx.Done():
			return nil
		}
	}
	p.measure(len(message))
	_, err := p.Write(message)
	return err
}

// measure learns the line's rate from what goes out, over spans of a fifth of a second.
func (p *lanePace) measure(n int) {
	const span = 200 * time.Millisecond
	p.bytes += int64(n)
	if over := time.Since(p.since); over >= span {
		p.rate = (p.rate + float64(p.bytes)/over.Seconds()) / 2
		p.bytes, p.since = 0, time.Now()
	}
}
