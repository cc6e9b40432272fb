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
	// shelfBudget bounds the pieces that are kept in memory to be sent from, in bytes.
	shelfBudget = 8 << 20
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
	source *store.Source
	sign   func(message []byte) (seal.Signature, error)

	mu    sync.Mutex // of what follows
	signs map[int]store.Root
	shelf []shelved // the one used last in front
}

// shelved is a piece in memory with its tree.
type shelved struct {
	piece int
	root  store.Root
	bytes []byte
	tree  merkle.Tree
}

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
	s, err := c.load(piece)
	if err != nil {
		return messages, err
	}
	start := index * manifest.LeafSize
	bytes := s.bytes[start : start+c.layout.LeafLen(piece, index)]
	var few [wire.MaxNodes * wire.HashSize]byte
	f := wire.Leaf{Piece: uint32(piece), Leaf: uint16(index), Size: uint32(len(bytes))}
	f.Root, f.Signature, f.Nodes = s.root.Hash, s.root.Signature, s.tree.AppendProof(few[:0], index)
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

// load brings a piece to the front of the shelf, from disk where it is not there.
func (c *content) load(piece int) (*shelved, error) {
	for i := range c.shelf {
		if c.shelf[i].piece == piece {
			s := c.shelf[i]
			copy(c.shelf[1:], c.shelf[:i])
			c.shelf[0] = s
			return &c.shelf[0], nil
		}
	}
	s := shelved{piece: piece}
	if len(c.shelf) < max(2, int(shelfBudget/c.layout.Piece())) {
		s.bytes = make([]byte, c.layout.Piece())
		c.shelf = append(c.shelf, shelved{})
	} else {
		s.bytes = c.shelf[len(c.shelf)-1].bytes
	}
	s.bytes = s.bytes[:cap(s.bytes)][:c.layout.PieceLen(piece)]
	copy(c.shelf[1:], c.shelf) // the last one's bytes are ours now
	c.shelf[0] = shelved{piece: -1, bytes: s.bytes}
	if err := c.read(&s); err != nil {
		return nil, err
	}
	c.shelf[0] = s
	return &c.shelf[0], nil
}

func (c *content) read(s *shelved) (err error) {
	if c.source != nil {
		err = c.source.ReadPiece(s.piece, s.bytes)
	} else {
		err = c.sink.ReadPiece(s.piece, s.bytes)
	}
	if err != nil {
		return err
	}
	s.tree = treeOf(s.bytes)
	s.root, err = c.rootOf(s.piece, s.tree.Root())
	return err
}

// rootOf gives the signed root of a piece whose bytes lead to this hash.
func (c *content) rootOf(piece int, hash merkle.Hash) (store.Root, error) {
	if c.source == nil {
		root, _ := c.sink.Root(piece)
		if root.Hash != hash {
			return root, errAltered
		}
		return root, nil
	}
	root, known := c.signs[piece]
	if known && root.Hash != hash {
		return root, store.ErrChanged
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
