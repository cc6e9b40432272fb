package store

import (
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/fanfare-relay/fanfare/mesh/manifest"
)

// begin writes some leaves of a piece.
func begin(t *testing.T, s *Sink, src *Source, piece int, leaves ...int) {
	t.Helper()
	b := make([]byte, s.layout.PieceLen(piece))
	if err := src.ReadPiece(piece, b); err != nil {
		t.Fatal(err)
	}
	if err := s.Begin(piece, rootOf(b)); err != nil {
		t.Fatal(err)
	}
	for _, leaf := range leaves {
		at := leaf * manifest.LeafSize
		if err := s.WriteLeaf(piece, leaf, b[at:at+s.layout.LeafLen(piece, leaf)]); err != nil {
			t.Fatal(err)
		}
	}
}

// large is a folder with a file of four leaves a piece, and one of holes that makes pieces so large.
func large(t *testing.T) (src *Source, folder string) {
	t.Helper()
	folder = filepath.Join(t.TempDir(), "large")
	put(t, filepath.Join(folder, "a"), pattern(3, 5*4*manifest.LeafSize))
	put(t, filepath.Join(folder, "b"), nil)
	if err := os.Truncate(filepath.Join(folder, "b"), 128<<20); err != nil {
		t.Fatal(err)
	}
	return sourceOf(t, folder), folder
}

// TestBegunPieces: what a run that was killed has left of pieces that are not whole is found, and proven when
// the rest has come.
func TestBegunPieces(t *testing.T) {
	src, folder := large(t)
	spec := specOf(t.TempDir(), src)
	spec.Selected = []bool{true, false}
	s := openSink(t, spec)
	piece := s.layout.Piece()
	if piece != 4*manifest.LeafSize {
		t.Fatalf("a piece has %d bytes", piece)
	}
	copyPiece(t, s, src, 0)
	begin(t, s, src, 1, 0, 2)
	begin(t, s, src, 2)
	begin(t, s, src, 3, 0, 1)
	crash(s)
	on, err := os.OpenFile(filepath.Join(spec.Out, "large"+partSuffix, filesName, "large", "a"), os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	for at, b := range map[int64][]byte{
		3 * piece:                           []byte("tampered"),
		1*piece + 3*manifest.LeafSize:       []byte("the beginning of a leaf that was being written"),
		4*piece + 2*manifest.LeafSize + 100: []byte("of a piece whose root never came"),
	} {
		if _, err := on.WriteAt(b, at); err != nil {
			t.Fatal(err)
		}
	}
	_ = on.Close()

	s = openSink(t, spec)
	var looked []int64
	if _, err := s.Recheck(t.Context(), func(done, all int64) { looked = append(looked, done/piece, all/piece) }); err != nil {
		t.Fatal(err)
	}
	if want := []int64{0, 4, 1, 4, 2, 4, 3, 4}; !slices.Equal(looked, want) {
		t.Errorf("told that so many pieces were looked at, of so many: %v, want %v", looked, want)
	}
	for piece, want := range [][]int{nil, {0, 2}, nil, {0, 1}, nil} {
		if got := s.Begun(piece); !slices.Equal(got, want) {
			t.Errorf("of piece %d leaves %v are there, want %v", piece, got, want)
		}
	}
	begin(t, s, src, 1, 1, 3)
	begin(t, s, src, 3, 2, 3)
	if !s.Verify(1) || s.Verify(3) || s.Verify(4) {
		t.Errorf("proven are 1: %v, 3, which was tampered with: %v, 4, which is not here: %v", s.Verify(1), s.Verify(3), s.Verify(4))
	}
	if s.Begun(1) != nil || s.Begun(3) != nil {
		t.Error("what was looked at counts as begun")
	}
	s.Complete(1)
	copyRest(t, s, src)
	finish(t, s)
	same(t, filepath.Join(folder, "a"), filepath.Join(spec.Out, "large", "a"))
}

// TestAllLeavesButWrong: a piece that has bytes everywhere and is wrong has nothing that can be used.
func TestAllLeavesButWrong(t *testing.T) {
	b := pattern(5, 3*manifest.LeafSize)
	if got := begunLeaves(b); got != nil {
		t.Errorf("%v", got)
	}
	clear(b[manifest.LeafSize+block : manifest.LeafSize+2*block])
	if got := begunLeaves(b); !slices.Equal(got, []int{0, 2}) {
		t.Errorf("%v", got)
	}
}
