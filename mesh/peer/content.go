package peer

import (
	"errors"
	"fmt"
	"slices"
	"sync"

	"github.com/fanfare-relay/fanfare/mesh/manifest"
	"github.com/fanfare-relay/fanfare/mesh/merkle"
	"github.com/fanfare-relay/fanfare/mesh/seal"
	"github.com/fanfare-relay/fanfare/mesh/store"
	"github.com/fanfare-relay/fanfare/mesh/wire"
)

var (
	// errBadLeaf: bytes, proof, root and signature do not belong together.
	errBadLeaf = errors.New("a leaf that is not what was shared")
	// errAltered: somebody changed on disk what had been verified.
	errAltered = errors.New("the disk gives back other bytes than were written")
)

const (
	// shelfBudget bounds what is kept in memory to be sent from, in bytes.
	shelfBudget = 8 << 20
	// together is the number of leaves that are read and kept together: a part of a piece, or all of it.
	together = 8
	// mostKnown is the number of pieces that are known at a time. Of large ones many are sent from at once, and fewer
	// find a place on the shelf.
	mostKnown = 128
	// headRoom is for what stands before the bytes in a message of a leaf.
	headRoom = 512
)

// content is what is shared, by piece and leaf: verified on its way in, proven on its way out. Its
// methods may be called from several goroutines.
type content struct {
	id     manifest.ID
	layout manifest.Layout
	key    seal.PublicKey // the uploader's

	// One of the two is set: a receiver stores, the uploader reads and signs.
	sink   *store.Sink
	source reader
	sign   func(message []byte) (seal.Signature, error)

	mu    sync.Mutex // of what follows
	signs map[int]store.Root
	known []*known  // the one used last in front
	shelf []shelved // the one used last in front
}

// reader reads leaves of a piece from one on.
type reader interface {
	ReadLeaves(piece, first int, b []byte) error
}

// known is what is known of a piece once all of it was read.
type known struct {
	piece int
	root  store.Root
	tree  merkle.Tree
}

// shelved is memory with leaves that lie together.
type shelved struct {
	piece, first int // -1: what lies there is nothing
	bytes        []byte
}

// leaf gives the bytes of one of them.
func (s *shelved) leaf(index int) []byte {
	from := (index - s.first) * manifest.LeafSize
	return s.bytes[from:min(from+manifest.LeafSize, len(s.bytes))]
}

// treeOf makes the tree of a whole piece.
func treeOf(bytes []byte) merkle.Tree {
	var leaves [wire.PieceLeaves]merkle.Hash
	n := 0
	for len(bytes) > 0 {
		size := min(len(bytes), manifest.LeafSize)
		leaves[n] = merkle.Leaf(bytes[:size])
		bytes = bytes[size:]
		n++
	}
	return merkle.New(leaves[:n])
}

// toFront moves one to the front of a list.
func toFront[T any](list []T, i int) {
	one := list[i]
	copy(list[1:], list[:i])
	list[0] = one
}

// take verifies a leaf and stores it. It fails with errBadLeaf, or with an error of the disk.
func (c *content) take(leaf *wire.Parts, piece, index int) error {
	root := store.Root{Hash: leaf.Root, Signature: leaf.Signature}
	known, have := c.sink.Root(piece)
	if !have {
		known = root
	}
	signed := func() bool {
		return have || seal.Verify(c.key, root.Signature, manifest.RootMessage(c.id, uint32(piece), root.Hash)) == nil
	}
	if !genuine(leaf, index, c.layout.Leaves(piece), known.Hash, signed) {
		return errBadLeaf
	}
	if c.sink.Whole(piece) {
		return nil // once more, and perhaps after the files have gone to their places
	}
	if !have {
		if err := c.sink.Begin(piece, root); err != nil {
			return err
		}
	}
	return c.sink.WriteLeaf(piece, index, leaf.Bytes())
}

// genuine tells whether a whole leaf is one of what was shared: the piece's root is the one that is
// known, which the uploader has signed, and the leaf's bytes lead to it.
func genuine(leaf *wire.Parts, index, leaves int, known merkle.Hash, signed func() bool) bool {
	return leaf.Root == known && signed() && merkle.Verify(known, index, leaves, leaf.Nodes, leaf.Bytes())
}

// appendLeaf appends the messages in which a leaf goes to a peer that takes largest bytes at a time. It
// uses the memory of messages that lie behind those that there are. It fails with an error of the disk, or
// one that says that what is there has changed.
func (c *content) appendLeaf(messages [][]byte, piece, index, largest int) ([][]byte, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	k, err := c.know(piece)
	if err != nil {
		return messages, err
	}
	bytes, err := c.load(k, index)
	if err != nil {
		return messages, err
	}
	var few [wire.MaxNodes * wire.HashSize]byte
	f := wire.Leaf{Piece: uint32(piece), Leaf: uint16(index), Size: uint32(len(bytes))}
	f.Root, f.Signature, f.Nodes = k.root.Hash, k.root.Signature, k.tree.AppendProof(few[:0], index)
	length := wire.PartLen(len(bytes), len(f.Nodes)/wire.HashSize, largest)
	for len(bytes) > 0 {
		n := min(length, len(bytes))
		f.Bytes = bytes[:n]
		messages = slices.Grow(messages, 1)[:len(messages)+1]
		last := &messages[len(messages)-1]
		*last = wire.Append(slices.Grow((*last)[:0], n+headRoom), f)
		f.Offset += uint32(n)
		f.Root, f.Signature, f.Nodes = [32]byte{}, [64]byte{}, nil
		bytes = bytes[n:]
	}
	return messages, nil
}

// know reads all of a piece that is not known, and leaves as much of it on the shelf as there is room.
func (c *content) know(piece int) (*known, error) {
	if i := slices.IndexFunc(c.known, func(k *known) bool { return k.piece == piece }); i >= 0 {
		toFront(c.known, i)
		return c.known[0], nil
	}
	hashes := make([]merkle.Hash, c.layout.Leaves(piece))
	for first := 0; first < len(hashes); first += together {
		s, err := c.read(piece, first)
		if err != nil {
			return nil, err
		}
		for i := first; i < min(first+together, len(hashes)); i++ {
			hashes[i] = merkle.Leaf(s.leaf(i))
		}
	}
	tree := merkle.New(hashes)
	root, err := c.rootOf(piece, tree.Root())
	if err != nil {
		return nil, err
	}
	if len(c.known) < mostKnown {
		c.known = append(c.known, nil)
	}
	copy(c.known[1:], c.known)
	c.known[0] = &known{piece: piece, root: root, tree: tree}
	return c.known[0], nil
}

// load gives a leaf's bytes, from disk where they are not on the shelf.
func (c *content) load(k *known, index int) ([]byte, error) {
	first := index - index%together
	if i := slices.IndexFunc(c.shelf, func(s shelved) bool { return s.piece == k.piece && s.first == first }); i >= 0 {
		toFront(c.shelf, i)
		return c.shelf[0].leaf(index), nil
	}
	s, err := c.read(k.piece, first)
	if err != nil {
		return nil, err
	}
	for i := first; i < min(first+together, k.tree.Leaves()); i++ {
		if merkle.Leaf(s.leaf(i)) != k.tree.Leaf(i) {
			s.piece = -1
			return nil, c.altered()
		}
	}
	return s.leaf(index), nil
}

// read brings leaves that lie together from disk to the front of the shelf, in place of those not used for longest.
func (c *content) read(piece, first int) (*shelved, error) {
	size := int(min(c.layout.Piece(), together*manifest.LeafSize))
	if len(c.shelf) < max(2, shelfBudget/size) {
		c.shelf = append(c.shelf, shelved{bytes: make([]byte, size)})
	}
	toFront(c.shelf, len(c.shelf)-1)
	s := &c.shelf[0]
	s.piece = -1
	s.bytes = s.bytes[:min(size, c.layout.PieceLen(piece)-first*manifest.LeafSize)]
	from := c.source
	if from == nil {
		from = c.sink
	}
	if err := from.ReadLeaves(piece, first, s.bytes); err != nil {
		return nil, err
	}
	s.piece, s.first = piece, first
	return s, nil
}

// altered is the error for bytes that are not what they were.
func (c *content) altered() error {
	if c.source == nil {
		return errAltered
	}
	return store.ErrChanged
}

// rootOf gives the signed root of a piece whose bytes lead to this hash.
func (c *content) rootOf(piece int, hash merkle.Hash) (store.Root, error) {
	if c.source == nil {
		root, _ := c.sink.Root(piece)
		if root.Hash != hash {
			return root, c.altered()
		}
		return root, nil
	}
	root, known := c.signs[piece]
	if known && root.Hash != hash {
		return root, c.altered()
	}
	if known {
		return root, nil
	}
	signature, err := c.sign(manifest.RootMessage(c.id, uint32(piece), hash))
	if err != nil {
		return root, fmt.Errorf("sign: %w", err)
	}
	root = store.Root{Hash: hash, Signature: signature}
	c.signs[piece] = root
	return root, nil
}
