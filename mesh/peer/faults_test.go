package peer

import (
	"bytes"
	"crypto/rand"
	"flag"
	mathrand "math/rand/v2"
	"testing"
	"time"

	"github.com/fanfare-relay/fanfare/mesh/manifest"
	"github.com/fanfare-relay/fanfare/mesh/merkle"
	"github.com/fanfare-relay/fanfare/mesh/schedule"
	"github.com/fanfare-relay/fanfare/mesh/seal"
	"github.com/fanfare-relay/fanfare/mesh/wire"
)

var faultCount = flag.Int("faults", 5_000, "how many faults TestFaults injects")

// faultShape is small, so that faults are many for each byte that is hashed; leaves go in two parts.
var faultShape = schedule.Shape{Size: 5*8000 + 2500, Piece: 8000, Leaf: 1000}

const faultLargest = 900 // bytes of a message

// TestFaults sends what one peer shares to another over a line that flips bits, cuts, doubles and
// swaps frames, both ways. What a frame breaks ends the connection, and another begins. No wrong byte is
// ever stored, and once the line is good the receiver finishes.
func TestFaults(t *testing.T) {
	w := newFaultWorld(t)
	transfers, connections := 0, 0
	for w.injected < *faultCount {
		w.begin()
		for until := w.injected + 500; w.injected < until && w.receiver.Missing() > 0; {
			w.turn(w.fault)
		}
		for quiet := 0; w.receiver.Missing() > 0; quiet++ {
			if quiet > 10_000 {
				t.Fatalf("%d pieces do not come over a good line", w.receiver.Missing())
			}
			w.turn(func(queue [][]byte) [][]byte { return queue })
		}
		if !bytes.Equal(w.stored, w.source) {
			t.Fatal("other bytes were stored")
		}
		transfers++
		connections += w.connections
	}
	t.Logf("figure: faults injected = %d", w.injected)
	t.Logf("figure: transfers that finished with the right bytes = %d", transfers)
	t.Logf("figure: connections ended by what came = %d", connections-transfers)
	t.Logf("figure: bad leaves seen and not stored = %d", w.bad)
}

// faultWorld is a sender and a receiver with the line between them, in virtual time.
type faultWorld struct {
	t        *testing.T
	random   *mathrand.Rand
	now      time.Time
	source   []byte
	key      seal.PublicKey
	roots    []seal.Signature
	trees    []merkle.Tree
	injected int
	bad      int

	sender, receiver *schedule.Scheduler
	stored           []byte
	known            []*merkle.Hash // by piece, once a leaf of it was good
	parts            map[partKey]*wire.Parts
	toSender         [][]byte // control
	toReceiver       [][]byte // control and lane: a frame's first byte tells
	connections      int
}

func newFaultWorld(t *testing.T) *faultWorld {
	w := &faultWorld{t: t, random: mathrand.New(mathrand.NewPCG(5, 6)), now: time.Unix(1_800_000_000, 0)}
	w.source = make([]byte, faultShape.Size)
	_, _ = rand.Read(w.source)
	key, err := seal.NewSigningKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	w.key = key.Public()
	for i := range faultShape.Pieces() {
		var leaves []merkle.Hash
		for l := range faultShape.Leaves(i) {
			leaves = append(leaves, merkle.Leaf(w.leaf(i, l)))
		}
		w.trees = append(w.trees, merkle.New(leaves))
		signature, err := key.Sign(manifest.RootMessage(manifest.ID{}, uint32(i), w.trees[i].Root()))
		if err != nil {
			t.Fatal(err)
		}
		w.roots = append(w.roots, signature)
	}
	return w
}

func (w *faultWorld) leaf(piece, leaf int) []byte {
	start := int64(piece)*faultShape.Piece + int64(leaf)*faultShape.Leaf
	return w.source[start : start+faultShape.LeafBytes(piece, leaf)]
}

// begin starts a transfer to a receiver that has nothing.
func (w *faultWorld) begin() {
	w.receiver = schedule.New(schedule.DefaultConfig(faultShape), w.random)
	w.stored = make([]byte, faultShape.Size)
	w.known = make([]*merkle.Hash, faultShape.Pieces())
	w.sender, w.connections = nil, 0
	w.connect()
}

// connect is another connection of the two, after the last one has ended.
func (w *faultWorld) connect() {
	w.connections++
	w.sender = schedule.New(schedule.DefaultConfig(faultShape), w.random)
	w.sender.Hold(0, faultShape.Pieces())
	w.sender.PeerJoined(0, 1, 20*time.Millisecond)
	w.receiver.PeerLeft(0)
	w.receiver.PeerJoined(0, 1, 20*time.Millisecond)
	w.parts = map[partKey]*wire.Parts{}
	w.toSender, w.toReceiver = nil, nil
}

// turn moves a frame each way, over a line that does something to what waits on it.
func (w *faultWorld) turn(line func([][]byte) [][]byte) {
	w.now = w.now.Add(time.Millisecond)
	for _, a := range w.sender.AppendNext(nil, w.now) {
		w.toReceiver = append(w.toReceiver, frameOf(a))
	}
	for _, a := range w.receiver.AppendNext(nil, w.now) {
		w.toSender = append(w.toSender, frameOf(a))
	}
	if next, ok := w.sender.NextSend(w.now); ok {
		w.toReceiver = w.appendLeaf(w.toReceiver, next)
		w.sender.Sent(next, w.now)
	}
	if len(w.toSender)+len(w.toReceiver) == 0 { // a frame was changed into another that is good
		w.connect()
		return
	}
	w.toSender, w.toReceiver = line(w.toSender), line(w.toReceiver)
	ok := true
	if len(w.toSender) > 0 {
		ok = w.atSender(w.toSender[0])
		w.toSender = w.toSender[1:]
	}
	if ok && len(w.toReceiver) > 0 {
		ok = w.atReceiver(w.toReceiver[0])
		w.toReceiver = w.toReceiver[1:]
	}
	if !ok {
		w.connect()
	}
}

// fault does one thing to the first of some frames, one time in four.
func (w *faultWorld) fault(queue [][]byte) [][]byte {
	if len(queue) == 0 || w.random.IntN(4) > 0 {
		return queue
	}
	w.injected++
	first := bytes.Clone(queue[0])
	switch kind := w.random.IntN(4); {
	case kind == 0:
		for range 1 + w.random.IntN(3) {
			first[w.random.IntN(len(first))] ^= 1 << w.random.IntN(8)
		}
	case kind == 1:
		first = first[:w.random.IntN(len(first))]
	case kind == 2:
		return append([][]byte{first}, queue...)
	case len(queue) > 1:
		other := w.random.IntN(len(queue))
		queue[0], queue[other] = queue[other], queue[0]
		return queue
	default:
		return append(queue, first)
	}
	queue[0] = first
	return queue
}

func frameOf(a schedule.Action) []byte {
	var f wire.Frame
	switch a.Kind {
	case schedule.Have:
		f = wire.Have{Ranges: []wire.Range{{First: uint32(a.First), Count: uint32(a.Count)}}}
	case schedule.Want:
		f = wire.Want{Leaves: leavesOf(a)}
	case schedule.Cancel:
		f = wire.Cancel{Leaves: leavesOf(a)}
	case schedule.Reject:
		f = wire.Reject{Leaves: leavesOf(a), Reason: wire.RejectReason(a.Reason)}
	}
	return wire.Append(nil, f)
}

func (w *faultWorld) appendLeaf(queue [][]byte, n schedule.Send) [][]byte {
	b := w.leaf(n.Piece, n.Leaf)
	f := wire.Leaf{Piece: uint32(n.Piece), Leaf: uint16(n.Leaf), Size: uint32(len(b))}
	f.Root, f.Signature, f.Nodes = w.trees[n.Piece].Root(), w.roots[n.Piece], w.trees[n.Piece].AppendProof(nil, n.Leaf)
	length := wire.PartLen(len(b), len(f.Nodes)/wire.HashSize, faultLargest)
	for len(b) > 0 {
		f.Bytes = b[:min(length, len(b))]
		queue = append(queue, wire.Append(nil, f))
		b = b[len(f.Bytes):]
		f = wire.Leaf{Piece: f.Piece, Leaf: f.Leaf, Size: f.Size, Offset: f.Offset + uint32(len(f.Bytes))}
	}
	return queue
}

// atSender takes a frame; false when it ends the connection.
func (w *faultWorld) atSender(b []byte) bool {
	f, err := wire.Parse(b, wire.Control)
	if err != nil {
		return false
	}
	switch f := f.(type) {
	case wire.Want:
		err = w.sender.Wanted(0, int(f.Piece), int(f.First), int(f.Count))
	case wire.Cancel:
		err = w.sender.Cancelled(0, int(f.Piece), int(f.First), int(f.Count))
	}
	return err == nil
}

func (w *faultWorld) atReceiver(b []byte) bool {
	if len(b) > 0 && wire.Type(b[0]) == wire.TypeLeaf {
		return w.atLane(b)
	}
	f, err := wire.Parse(b, wire.Control)
	if err != nil {
		return false
	}
	switch f := f.(type) {
	case wire.Have:
		for _, r := range f.Ranges {
			if w.receiver.Shown(0, int(r.First), int(r.Count)) != nil {
				return false
			}
		}
	case wire.Reject:
		err = w.receiver.Rejected(0, int(f.Piece), int(f.First), int(f.Count), schedule.Reason(f.Reason), w.now)
	}
	return err == nil
}

func (w *faultWorld) atLane(b []byte) bool {
	f, err := wire.ParseLeaf(b)
	if err != nil {
		return false
	}
	key := partKey{int(f.Piece), int(f.Leaf)}
	leaf := w.parts[key]
	if leaf == nil {
		if w.receiver.Expects(0, key.piece, key.leaf, w.now) == schedule.Unasked {
			return false
		}
		made := wire.NewParts(f.Piece, f.Leaf, make([]byte, faultShape.LeafBytes(key.piece, key.leaf)))
		leaf = &made
		w.parts[key] = leaf
	}
	whole, err := leaf.Add(f)
	if err != nil || !whole {
		return err == nil
	}
	delete(w.parts, key)
	return w.store(leaf, key)
}

// store keeps a leaf that is genuine, and holds it against the source.
func (w *faultWorld) store(leaf *wire.Parts, key partKey) bool {
	known := merkle.Hash(leaf.Root)
	if w.known[key.piece] != nil {
		known = *w.known[key.piece]
	}
	signed := func() bool {
		return w.known[key.piece] != nil ||
			seal.Verify(w.key, leaf.Signature, manifest.RootMessage(manifest.ID{}, uint32(key.piece), leaf.Root)) == nil
	}
	if !genuine(leaf, key.leaf, faultShape.Leaves(key.piece), known, signed) {
		w.bad++
		return false
	}
	if !bytes.Equal(leaf.Bytes(), w.leaf(key.piece, key.leaf)) {
		w.t.Fatalf("a wrong leaf %d of piece %d is taken for genuine", key.leaf, key.piece)
	}
	w.known[key.piece] = &known
	copy(w.stored[int64(key.piece)*faultShape.Piece+int64(key.leaf)*faultShape.Leaf:], leaf.Bytes())
	w.receiver.LeafArrived(0, key.piece, key.leaf, w.now)
	return true
}
