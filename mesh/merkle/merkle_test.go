package merkle_test

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"math/bits"
	"testing"

	"github.com/fanfare-relay/fanfare/mesh/merkle"
	"github.com/fanfare-relay/fanfare/mesh/meshtest"
)

// bytesOf gives leaves of a length, the last one of its own; leaf j has the seed 7 + j.
func bytesOf(count, length, last int) [][]byte {
	leaves := make([][]byte, count)
	for j := range leaves {
		leaves[j] = meshtest.Pattern(7+j, length)
	}
	leaves[count-1] = meshtest.Pattern(7+count-1, last)
	return leaves
}

func hashes(leaves [][]byte) []merkle.Hash {
	sums := make([]merkle.Hash, len(leaves))
	for i, leaf := range leaves {
		sums[i] = merkle.Leaf(leaf)
	}
	return sums
}

// slowRoot is the definition of RFC 9162 section 2.1.1, word by word.
func slowRoot(leaves [][]byte) merkle.Hash {
	if len(leaves) == 1 {
		return sha256.Sum256(append([]byte{0}, leaves[0]...))
	}
	k := 1 << (bits.Len(uint(len(leaves)-1)) - 1) // the largest power of two below their number
	left, right := slowRoot(leaves[:k]), slowRoot(leaves[k:])
	return sha256.Sum256(append(append([]byte{1}, left[:]...), right[:]...))
}

// slowProof is the definition of RFC 9162 section 2.1.3.1.
func slowProof(index int, leaves [][]byte) []byte {
	if len(leaves) == 1 {
		return nil
	}
	k := 1 << (bits.Len(uint(len(leaves)-1)) - 1)
	if index < k {
		beside := slowRoot(leaves[k:])
		return append(slowProof(index, leaves[:k]), beside[:]...)
	}
	beside := slowRoot(leaves[:k])
	return append(slowProof(index-k, leaves[k:]), beside[:]...)
}

func TestAgainstTheDefinition(t *testing.T) {
	for count := 1; count <= 70; count++ {
		leaves := bytesOf(count, 9, 4)
		tree := merkle.New(hashes(leaves))
		root := slowRoot(leaves)
		if tree.Root() != root || tree.Leaves() != count {
			t.Fatalf("%d leaves: root %x of %d leaves, want %x", count, tree.Root(), tree.Leaves(), root)
		}
		for i, leaf := range leaves {
			proof := tree.AppendProof(nil, i)
			if want := slowProof(i, leaves); !bytes.Equal(proof, want) {
				t.Fatalf("leaf %d of %d: proof %x, want %x", i, count, proof, want)
			}
			if n := merkle.ProofLen(i, count); n*merkle.Size != len(proof) {
				t.Fatalf("leaf %d of %d: ProofLen %d, proof of %d bytes", i, count, n, len(proof))
			}
			if !merkle.Verify(root, i, count, proof, leaf) {
				t.Fatalf("leaf %d of %d: not verified", i, count)
			}
		}
	}
}

func TestAppendProofAppends(t *testing.T) {
	tree := merkle.New(hashes(bytesOf(5, 9, 9)))
	got := tree.AppendProof([]byte("before"), 2)
	if !bytes.Equal(got, append([]byte("before"), tree.AppendProof(nil, 2)...)) {
		t.Errorf("%x", got)
	}
}

func TestEmptyTree(t *testing.T) {
	if n := merkle.New(nil).Leaves(); n != 0 {
		t.Errorf("%d leaves", n)
	}
}

// The tree must not follow the caller's slice when that is used again.
func TestTreeKeepsItsOwn(t *testing.T) {
	sums := hashes(bytesOf(1, 9, 9))
	tree := merkle.New(sums)
	root := tree.Root()
	sums[0][0] ^= 1
	if tree.Root() != root {
		t.Error("the root changed with the caller's slice")
	}
}

func TestVerifyRefuses(t *testing.T) {
	const count = 5
	leaves := bytesOf(count, 9, 4)
	tree := merkle.New(hashes(leaves))
	root, proof := tree.Root(), tree.AppendProof(nil, 2)
	sums := hashes(leaves)
	flipped := bytes.Clone(proof)
	flipped[40] ^= 0x80
	for _, c := range []struct {
		name         string
		leaf, leaves int
		proof, bytes []byte
	}{
		{"other bytes", 2, count, proof, leaves[3]},
		{"other place", 3, count, proof, leaves[2]},
		{"other number of leaves", 2, 4, proof, leaves[2]},
		{"one bit of the proof", 2, count, flipped, leaves[2]},
		{"no proof", 2, count, nil, leaves[2]},
		{"a proof that is short", 2, count, proof[:len(proof)-merkle.Size], leaves[2]},
		{"a proof that is long", 2, count, append(bytes.Clone(proof), make([]byte, merkle.Size)...), leaves[2]},
		{"a proof that is cut", 2, count, proof[:len(proof)-1], leaves[2]},
		{"below zero", -1, count, proof, leaves[2]},
		{"behind the last", count, count, proof, leaves[2]},
		{"no leaves", 0, 0, nil, nil},
		{"fewer than none", 0, -1, nil, nil},
		{"a node's content as a leaf", 1, 3, proof[merkle.Size:], append(sums[2][:], sums[3][:]...)},
	} {
		if merkle.Verify(root, c.leaf, c.leaves, c.proof, c.bytes) {
			t.Errorf("%s: verified", c.name)
		}
	}
}

// golden is one tree of mesh/testdata/merkle.json.
type golden struct {
	Leaves int            `json:"leaves"`
	Length int            `json:"length"` // of each leaf
	Last   int            `json:"last"`   // length of the last leaf
	Hashes []meshtest.Hex `json:"hashes"`
	Root   meshtest.Hex   `json:"root"`
	Proofs []meshtest.Hex `json:"proofs"`
}

func TestGolden(t *testing.T) {
	type file struct {
		About string   `json:"about"`
		Trees []golden `json:"trees"`
	}
	made := file{About: "Byte i of leaf j is (i×31 + 7 + j) mod 251."}
	for _, shape := range [][3]int{{1, 100, 100}, {2, 100, 100}, {3, 100, 1}, {5, 100, 37}, {64, 100, 100}, {2, 65536, 1000}} {
		g := golden{Leaves: shape[0], Length: shape[1], Last: shape[2]}
		leaves := bytesOf(g.Leaves, g.Length, g.Last)
		sums := hashes(leaves)
		tree := merkle.New(sums)
		root := tree.Root()
		g.Root = root[:]
		for i := range leaves {
			g.Hashes = append(g.Hashes, sums[i][:])
			g.Proofs = append(g.Proofs, tree.AppendProof([]byte{}, i))
		}
		made.Trees = append(made.Trees, g)
	}
	meshtest.Golden(t, "merkle.json", made)

	var kept file
	meshtest.Read(t, "merkle.json", &kept)
	for _, g := range kept.Trees {
		for i, leaf := range bytesOf(g.Leaves, g.Length, g.Last) {
			if !merkle.Verify(merkle.Hash(g.Root), i, g.Leaves, g.Proofs[i], leaf) {
				t.Errorf("leaf %d of %d in the golden file: not verified", i, g.Leaves)
			}
		}
	}
}

// Whatever bytes there are, their proofs hold, and no proof holds with one bit of it, of the leaf or
// of the root changed.
func FuzzVerify(f *testing.F) {
	f.Add([]byte("some bytes of a piece that is cut"), uint8(5), uint8(2), uint16(3))
	f.Add([]byte{}, uint8(1), uint8(0), uint16(0))
	f.Fuzz(func(t *testing.T, data []byte, cut, index uint8, bit uint16) {
		size := int(cut)%64 + 1
		var leaves [][]byte
		for at := 0; at == 0 || at < len(data); at += size {
			leaves = append(leaves, data[at:min(at+size, len(data))])
		}
		i := int(index) % len(leaves)
		tree := merkle.New(hashes(leaves))
		root, proof, leaf := tree.Root(), tree.AppendProof(nil, i), bytes.Clone(leaves[i])
		if !merkle.Verify(root, i, len(leaves), proof, leaf) {
			t.Fatal("a good leaf is refused")
		}
		for name, b := range map[string][]byte{"root": root[:], "proof": proof, "leaf": leaf} {
			if len(b) == 0 {
				continue
			}
			b[int(bit/8)%len(b)] ^= 1 << (bit % 8)
			if merkle.Verify(root, i, len(leaves), proof, leaf) {
				t.Fatalf("one bit of the %s changed, and it is verified", name)
			}
			b[int(bit/8)%len(b)] ^= 1 << (bit % 8)
		}
	})
}

// No bytes make Verify panic.
func FuzzVerifyAnything(f *testing.F) {
	f.Add([]byte{}, 0, 1, []byte{}, []byte("x"))
	f.Fuzz(func(t *testing.T, root []byte, leaf, leaves int, proof, data []byte) {
		var top merkle.Hash
		copy(top[:], root)
		if merkle.Verify(top, leaf, leaves, proof, data) && merkle.ProofLen(leaf, leaves)*merkle.Size != len(proof) {
			t.Fatal("verified by a proof of the wrong length")
		}
	})
}

func BenchmarkVerify(b *testing.B) {
	leaves := bytesOf(64, 65536, 65536)
	tree := merkle.New(hashes(leaves))
	proof := tree.AppendProof(nil, 33)
	b.SetBytes(65536)
	b.ReportAllocs()
	for b.Loop() {
		if !merkle.Verify(tree.Root(), 33, 64, proof, leaves[33]) {
			b.Fatal("not verified")
		}
	}
}

func ExampleTree() {
	leaves := []merkle.Hash{merkle.Leaf([]byte("one")), merkle.Leaf([]byte("two")), merkle.Leaf([]byte("three"))}
	tree := merkle.New(leaves)
	proof := tree.AppendProof(nil, 1)
	fmt.Println(len(proof)/merkle.Size, merkle.Verify(tree.Root(), 1, 3, proof, []byte("two")))
	// Output: 2 true
}
