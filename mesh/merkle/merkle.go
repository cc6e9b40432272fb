// Package merkle makes and checks the hash tree over the leaves of one piece (docs/MESH.md,
// section 5; the shape is that of RFC 9162 section 2.1).
//
// It owns hashes of leaves and nodes, roots and proofs. It does not know what a piece is, signs
// nothing and keeps no bytes of a leaf.
package merkle

import (
	"crypto/sha256"
	"slices"
)

// Size is the length of a hash in bytes.
const Size = sha256.Size

// Hash is a SHA-256 of a leaf or of a node.
type Hash [Size]byte

// The first byte of what is hashed tells leaves from nodes, so that no leaf can be made that passes
// for a node (RFC 9162 section 2.1.1).
const (
	leafPrefix = 0x00
	nodePrefix = 0x01
)

// Leaf is the hash of a leaf's bytes: SHA-256 of 0x00 ‖ b.
func Leaf(b []byte) Hash {
	h := sha256.New()
	h.Write([]byte{leafPrefix})
	h.Write(b)
	var sum Hash
	h.Sum(sum[:0])
	return sum
}

// Node is the hash of a node with these two below it: SHA-256 of 0x01 ‖ left ‖ right.
func Node(left, right Hash) Hash {
	var b [1 + 2*Size]byte
	b[0] = nodePrefix
	copy(b[1:], left[:])
	copy(b[1+Size:], right[:])
	return sha256.Sum256(b[:])
}

// Tree holds all hashes over a number of leaves, so that each proof is a matter of copying. The zero
// Tree has no leaves, and no root.
type Tree struct {
	levels [][]Hash // the leaves first, the root alone last
}

// New makes the tree over the hashes of leaves, in their order. It keeps none of the slice given.
//
// Each level pairs its neighbours from the left; one that is left over goes up unchanged. That is
// the tree whose left side holds the largest power of two of leaves (RFC 9162 section 2.1.1).
func New(leaves []Hash) Tree {
	if len(leaves) == 0 {
		return Tree{}
	}
	level := slices.Clone(leaves)
	levels := [][]Hash{level}
	for len(level) > 1 {
		above := make([]Hash, 0, (len(level)+1)/2)
		for i := 0; i+1 < len(level); i += 2 {
			above = append(above, Node(level[i], level[i+1]))
		}
		if len(level)%2 == 1 {
			above = append(above, level[len(level)-1])
		}
		levels = append(levels, above)
		level = above
	}
	return Tree{levels}
}

// Leaves is the number of leaves.
func (t Tree) Leaves() int {
	if len(t.levels) == 0 {
		return 0
	}
	return len(t.levels[0])
}

// Root is the hash at the top. It panics for a tree without leaves, which no piece has.
func (t Tree) Root() Hash { return t.levels[len(t.levels)-1][0] }

// Leaf is the hash of a leaf. It panics for one that is not there.
func (t Tree) Leaf(leaf int) Hash { return t.levels[0][leaf] }

// AppendProof appends the proof of a leaf: the hashes beside its way up, from the bottom (RFC 9162
// section 2.1.3.1), ProofLen of them, Size bytes each. It panics for a leaf that is not there.
func (t Tree) AppendProof(dst []byte, leaf int) []byte {
	for _, level := range t.levels[:len(t.levels)-1] {
		if beside := leaf ^ 1; beside < len(level) {
			dst = append(dst, level[beside][:]...)
		}
		leaf /= 2
	}
	return dst
}

// ProofLen is the number of hashes in the proof of a leaf of so many leaves.
func ProofLen(leaf, leaves int) int {
	n := 0
	for ; leaves > 1; leaf, leaves = leaf/2, leaves/2+leaves%2 {
		if leaf^1 < leaves {
			n++
		}
	}
	return n
}

// Verify tells whether bytes are the given leaf of so many under root. The number of leaves must be
// known from elsewhere, here from the manifest: a root alone does not tell it. A proof that is longer
// or shorter than it has to be is wrong, so each leaf has one proof (RFC 9162 section 2.1.3.2).
func Verify(root Hash, leaf, leaves int, proof, bytes []byte) bool {
	if leaf < 0 || leaf >= leaves || len(proof) != ProofLen(leaf, leaves)*Size {
		return false
	}
	sum := Leaf(bytes)
	for ; leaves > 1; leaf, leaves = leaf/2, leaves/2+leaves%2 {
		if leaf^1 >= leaves {
			continue
		}
		beside := Hash(proof[:Size])
		proof = proof[Size:]
		if leaf%2 == 0 {
			sum = Node(sum, beside)
		} else {
			sum = Node(beside, sum)
		}
	}
	return sum == root
}
