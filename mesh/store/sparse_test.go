package store

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"github.com/fanfare-relay/fanfare/mesh/manifest"
)

// TestSparseFile: 20 GiB of which nearly all is holes, with words on both sides of where 32 bits end, and at the end.
// Words arrive where they were, zeros are not written, and a piece of zeros reads as one.
func TestSparseFile(t *testing.T) {
	const size = 20<<30 + 5
	words := map[int64]string{
		0: "at the beginning", 1<<31 - 4: "across 31 bits", 1<<32 - 5: "across 32 bits", 1<<32 + 1<<20: "beyond",
		12<<30 + 70_000: "far beyond", size - 9: "the end",
	}
	from := filepath.Join(t.TempDir(), "sparse")
	f, err := os.Create(from)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if err := f.Truncate(size); err != nil {
		t.Fatal(err)
	}
	for at, text := range words {
		if _, err := f.WriteAt([]byte(text)[:min(int64(len(text)), size-at)], at); err != nil {
			t.Fatal(err)
		}
	}
	src, err := OpenSource([]string{from}, noSkips(t))
	if err != nil {
		t.Fatal(err)
	}
	defer src.Close()
	d := newBrittle()
	spec := specOf(t.TempDir(), src)
	s := openOn(t, d, spec)
	empty := make([]byte, s.layout.Piece())
	root := rootOf(empty)
	for i := range s.layout.Pieces() {
		if start, length := s.layout.PieceStart(i), int64(s.layout.PieceLen(i)); holdsWords(words, start, start+length) {
			copyPiece(t, s, src, i)
			continue
		}
		// All others are zeros, which are there without being written.
		if err := s.Begin(i, root); err != nil {
			t.Fatal(err)
		}
		if i%1000 == 0 {
			if err := s.WriteLeaf(i, 3, empty[:manifest.LeafSize]); err != nil {
				t.Fatal(err)
			}
		}
		s.Complete(i)
	}
	b := bytes.Repeat([]byte{1}, int(s.layout.Piece()))
	if err := s.ReadPiece(3000, b); err != nil || !zero(b) {
		t.Errorf("a hole reads wrong: %v", err)
	}
	finish(t, s)
	got, err := os.Open(filepath.Join(spec.Out, "sparse"))
	if err != nil {
		t.Fatal(err)
	}
	defer got.Close()
	if info, err := got.Stat(); err != nil || info.Size() != size {
		t.Errorf("%v, %v", info, err)
	}
	for at, text := range words {
		b := make([]byte, min(int64(len(text)), size-at))
		if _, err := got.ReadAt(b, at); err != nil || string(b) != text[:len(b)] {
			t.Errorf("at %d: %q, %v", at, b, err)
		}
	}
	if most := int64(2*len(words)*manifest.LeafSize) + 2<<20; d.written > most {
		t.Errorf("%d bytes were written for some words, with the journal", d.written)
	}
}

// holdsWords tells whether any of the words lies between two offsets.
func holdsWords(words map[int64]string, start, end int64) bool {
	for at, text := range words {
		if at < end && at+int64(len(text)) > start {
			return true
		}
	}
	return false
}
