package wire_test

import (
	"bytes"
	"errors"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/fanfare-relay/fanfare/mesh/meshtest"
	"github.com/fanfare-relay/fanfare/mesh/wire"
)

// script is an entry of mesh/testdata/parts.json: parts of one leaf in the order in which they come,
// each as offset and length, and what the last of them does. All before it are taken.
type script struct {
	Name  string   `json:"name"`
	Size  int      `json:"size"`
	Parts [][2]int `json:"parts"`
	Then  string   `json:"then"` // "whole", "more" or "refused"
}

func scripts() []script {
	return []script{
		{"at once", 65536, [][2]int{{0, 65536}}, "whole"},
		{"a byte", 1, [][2]int{{0, 1}}, "whole"},
		{"two in order", 65536, [][2]int{{0, 32768}, {32768, 32768}}, "whole"},
		{"two, the last first", 65536, [][2]int{{32768, 32768}, {0, 32768}}, "whole"},
		{"a short last one", 10, [][2]int{{0, 7}, {7, 3}}, "whole"},
		{"a short last one first", 10, [][2]int{{7, 3}, {0, 7}}, "whole"},
		{"five in any order", 65536, [][2]int{{26216, 13108}, {52432, 13104}, {0, 13108}, {39324, 13108}, {13108, 13108}}, "whole"},
		{"eight", 8, [][2]int{{0, 1}, {1, 1}, {2, 1}, {3, 1}, {4, 1}, {5, 1}, {6, 1}, {7, 1}}, "whole"},
		{"one of two", 10, [][2]int{{0, 7}}, "more"},
		{"the last of two", 10, [][2]int{{7, 3}}, "more"},
		{"two of three", 10, [][2]int{{0, 4}, {8, 2}}, "more"},
		{"twice the first", 10, [][2]int{{0, 7}, {0, 7}}, "refused"},
		{"twice the last", 10, [][2]int{{7, 3}, {7, 3}}, "refused"},
		{"again when whole", 10, [][2]int{{0, 10}, {0, 10}}, "refused"},
		{"whole after a part", 10, [][2]int{{0, 5}, {0, 10}}, "refused"},
		{"overlap", 10, [][2]int{{0, 7}, {5, 5}}, "refused"},
		{"overlap, the last first", 10, [][2]int{{5, 5}, {0, 7}}, "refused"},
		{"unequal", 12, [][2]int{{0, 4}, {4, 2}}, "refused"},
		{"a gap", 12, [][2]int{{5, 4}}, "refused"},
		{"a gap before the last", 12, [][2]int{{0, 4}, {9, 3}}, "refused"},
		{"a gap after the first", 12, [][2]int{{9, 3}, {0, 4}}, "refused"},
		{"a last one that is longer", 10, [][2]int{{0, 4}, {4, 6}}, "refused"},
		{"a last one that is longer, first", 10, [][2]int{{4, 6}}, "refused"},
		{"nine", 9, [][2]int{{0, 1}}, "refused"},
		{"nine, the last first", 9, [][2]int{{8, 1}, {0, 1}}, "refused"},
	}
}

// partOf cuts a part out of the leaf that a script is about.
func partOf(size, offset, length int) wire.Leaf {
	f := wire.Leaf{Piece: 4, Leaf: 2, Size: uint32(size), Offset: uint32(offset), Bytes: meshtest.Pattern(0, size)[offset : offset+length]}
	if offset == 0 {
		f.Root, f.Signature, f.Nodes = [32]byte(meshtest.Pattern(1, 32)), [64]byte(meshtest.Pattern(2, 64)), meshtest.Pattern(3, 64)
	}
	return f
}

func TestGoldenParts(t *testing.T) {
	type file struct {
		About   string   `json:"about"`
		Scripts []script `json:"scripts"`
	}
	meshtest.Golden(t, "parts.json", file{
		About:   "Parts of a leaf as [offset, length], in the order in which they come, and what the last of them does. All before it are taken.",
		Scripts: scripts(),
	})
	var kept file
	meshtest.Read(t, "parts.json", &kept)
	for _, s := range kept.Scripts {
		parts := wire.NewParts(4, 2, make([]byte, s.Size))
		for i, part := range s.Parts {
			whole, err := parts.Add(partOf(s.Size, part[0], part[1]))
			got := "more"
			switch {
			case err != nil:
				got = "refused"
			case whole:
				got = "whole"
			}
			if i == len(s.Parts)-1 && got != s.Then {
				t.Errorf("%s: %s, want %s", s.Name, got, s.Then)
			} else if i < len(s.Parts)-1 && err != nil {
				t.Errorf("%s: part %d: %v", s.Name, i, err)
			}
		}
		if s.Then == "whole" {
			first := partOf(s.Size, 0, 1)
			if !bytes.Equal(parts.Bytes(), meshtest.Pattern(0, s.Size)) || parts.Root != first.Root ||
				parts.Signature != first.Signature || !bytes.Equal(parts.Nodes, first.Nodes) {
				t.Errorf("%s: the leaf or its proof is another", s.Name)
			}
		}
	}
}

func TestPartsOfAnotherLeaf(t *testing.T) {
	for name, change := range map[string]func(f *wire.Leaf){
		"piece": func(f *wire.Leaf) { f.Piece++ },
		"leaf":  func(f *wire.Leaf) { f.Leaf++ },
		"size":  func(f *wire.Leaf) { f.Size++ },
		"empty": func(f *wire.Leaf) { f.Bytes = nil },
		"proof": func(f *wire.Leaf) { f.Offset, f.Bytes = 5, f.Bytes[:5] },
	} {
		parts := wire.NewParts(4, 2, make([]byte, 10))
		f := partOf(10, 0, 10)
		change(&f)
		if whole, err := parts.Add(f); whole || !errors.Is(err, wire.ErrValue) {
			t.Errorf("%s: %v, %v", name, whole, err)
		}
	}
}

// Whatever a leaf's length and the other side's messages, its parts fit in them, are few, and give the
// leaf again in any order.
func TestPartLen(t *testing.T) {
	chance := rand.New(rand.NewPCG(3, 4))
	for _, size := range []int{1, 2, 1000, 16079, 16080, 16081, 60000, 61135, 61136, 61137, 65535, 65536} {
		for _, largest := range []int{wire.MinMessage, 20000, 61440, 65840, wire.MaxMessage} {
			for nodes := range wire.MaxNodes + 1 {
				tryParts(t, chance, size, nodes, largest)
			}
		}
	}
}

func tryParts(t *testing.T, chance *rand.Rand, size, nodes, largest int) {
	t.Helper()
	length := wire.PartLen(size, nodes, largest)
	var frames []wire.Leaf
	for at := 0; at < size; at += length {
		f := partOf(size, at, min(length, size-at))
		if at == 0 {
			f.Nodes = meshtest.Pattern(3, nodes*wire.HashSize)
		}
		if b := wire.Append(nil, f); len(b) > largest {
			t.Fatalf("a leaf of %d bytes with %d nodes: a part of %d bytes for messages of %d", size, nodes, len(b), largest)
		}
		frames = append(frames, f)
	}
	chance.Shuffle(len(frames), func(i, j int) { frames[i], frames[j] = frames[j], frames[i] })
	parts := wire.NewParts(4, 2, make([]byte, size))
	for i, f := range frames {
		whole, err := parts.Add(f)
		if err != nil || whole != (i == len(frames)-1) {
			t.Fatalf("%d bytes, %d nodes, messages of %d: part %d of %d: %v, %v", size, nodes, largest, i, len(frames), whole, err)
		}
	}
	if !bytes.Equal(parts.Bytes(), meshtest.Pattern(0, size)) {
		t.Fatalf("%d bytes, %d nodes, messages of %d: another leaf", size, nodes, largest)
	}
}

// FuzzParts: whatever parts come, what is said to be whole is the leaf, each byte of it written once.
func FuzzParts(f *testing.F) {
	f.Add(uint16(9), []byte{0, 7, 7, 3})
	f.Add(uint16(9), []byte{7, 3, 0, 7})
	f.Add(uint16(0), []byte{0, 1})
	f.Fuzz(func(t *testing.T, last uint16, cuts []byte) {
		size := int(last)%1000 + 1
		parts := wire.NewParts(4, 2, make([]byte, size))
		taken := 0
		for i := 0; i+1 < len(cuts); i += 2 {
			offset := int(cuts[i]) * max(1, size/64) % size
			length := min(int(cuts[i+1])*max(1, size/64)+1, size-offset)
			whole, err := parts.Add(partOf(size, offset, length))
			if err != nil {
				return
			}
			taken += length
			if whole != (taken == size) {
				t.Fatalf("%d of %d bytes came, whole: %v", taken, size, whole)
			}
			if whole && !bytes.Equal(parts.Bytes(), meshtest.Pattern(0, size)) {
				t.Fatal("another leaf")
			}
		}
	})
}

func TestManifestInParts(t *testing.T) {
	for _, size := range []int{65, 16375, 16376, 200_000, wire.MaxBlob} {
		blob := meshtest.Pattern(5, size)
		var whole wire.Blob
		var got []byte
		for f := range wire.CutManifest(blob, wire.MinMessage) {
			if got != nil {
				t.Fatal("a part after the last")
			}
			if b := wire.Append(nil, f); len(b) > wire.MinMessage {
				t.Fatalf("a message of %d bytes", len(b))
			}
			var err error
			if got, err = whole.Add(f); err != nil {
				t.Fatal(err)
			}
		}
		if !bytes.Equal(got, blob) {
			t.Errorf("%d bytes: another blob of %d", size, len(got))
		}
	}
}

func TestManifestOutOfOrder(t *testing.T) {
	frames := slices.Collect(wire.CutManifest(meshtest.Pattern(5, 50_000), wire.MinMessage))
	other := frames[1]
	other.Total++
	for name, bad := range map[string][]wire.Manifest{
		"not from the start":  {frames[1]},
		"a gap":               {frames[0], frames[2]},
		"twice":               {frames[0], frames[0]},
		"another total":       {frames[0], other},
		"again when whole":    append(slices.Clone(frames), frames[0]),
		"more than its total": {{Total: 70, Bytes: make([]byte, 71)}},
	} {
		var whole wire.Blob
		for i, f := range bad {
			_, err := whole.Add(f)
			if last := i == len(bad)-1; last != errors.Is(err, wire.ErrValue) {
				t.Errorf("%s: frame %d: %v", name, i, err)
			}
		}
	}
}
