package store

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"testing"
)

// treeOf lists the files below a folder, and the folders with a slash at their end.
func treeOf(t *testing.T, root string) (names []string) {
	t.Helper()
	err := filepath.WalkDir(root, func(p string, d fs.DirEntry, err error) error {
		if err != nil || p == root {
			return err
		}
		name, _ := filepath.Rel(root, p) // below it
		if d.IsDir() {
			name += "/"
		}
		names = append(names, name)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return names
}

// TestOnlyOfAnInterruptedFolder: a whole folder is begun and cut short, then one file of it is asked for. Only that
// is moved to its place, and not the halves of the others; the rest stays for who asks for all again.
func TestOnlyOfAnInterruptedFolder(t *testing.T) {
	from, out := t.TempDir(), t.TempDir()
	album := filepath.Join(from, "album")
	put(t, filepath.Join(album, "a.bin"), pattern(1, 300_000))
	put(t, filepath.Join(album, "deep", "half.bin"), pattern(2, 500_000))
	put(t, filepath.Join(album, "deep", "whole.bin"), pattern(3, 200_000))
	if err := os.MkdirAll(filepath.Join(album, "nothing"), 0o777); err != nil {
		t.Fatal(err)
	}
	src, err := OpenSource([]string{album}, noSkips(t))
	if err != nil {
		t.Fatal(err)
	}
	defer src.Close()
	all := specOf(out, src)
	s := openSink(t, all)
	for i := range s.layout.Pieces() {
		if first, end := s.layout.FilePieces(1); i < first+2 || i >= end {
			copyPiece(t, s, src, i)
		}
	}
	if err := s.Flush(); err != nil {
		t.Fatal(err)
	}
	crash(s)
	put(t, filepath.Join(out, "album"+partSuffix, filesName, "album", "stray.txt"), []byte("by hand"))

	only := all
	only.Selected = []bool{true, false, false, false}
	s = openSink(t, only)
	recheck(t, s)
	if n := copyRest(t, s, src); n > 1 {
		t.Errorf("%d pieces were fetched again", n)
	}
	if rest := s.Rest(); rest != "album"+partSuffix {
		t.Errorf("the rest is in %q", rest)
	}
	if names := finish(t, s); !slices.Equal(names, []string{"album"}) {
		t.Errorf("%q", names)
	}
	if got := treeOf(t, filepath.Join(out, "album")); !slices.Equal(got, []string{"a.bin"}) {
		t.Errorf("in the place of one file there are %q", got)
	}
	same(t, filepath.Join(album, "a.bin"), filepath.Join(out, "album", "a.bin"))

	s = openSink(t, all)
	recheck(t, s)
	if first, end := s.layout.FilePieces(1); copyRest(t, s, src) > end-first-2 {
		t.Error("what had been fetched of the rest was fetched again")
	}
	if names := finish(t, s); !slices.Equal(names, []string{"album (2)"}) {
		t.Errorf("%q", names)
	}
	for _, name := range []string{"a.bin", "deep/half.bin", "deep/whole.bin"} {
		same(t, filepath.Join(album, name), filepath.Join(out, "album (2)", name))
	}
	want := []string{"a.bin", "deep/", "deep/half.bin", "deep/whole.bin", "nothing/"}
	if got := treeOf(t, filepath.Join(out, "album (2)")); !slices.Equal(got, want) {
		t.Errorf("%q", got)
	}
	if got, err := os.ReadDir(out); err != nil || len(got) != 2 {
		t.Errorf("%v, %v", got, err)
	}
}

// TestPicked: two of three files, and then another choice. What both have, and what shares a piece with it, is not
// fetched twice.
func TestPicked(t *testing.T) {
	from, out := t.TempDir(), t.TempDir()
	var paths []string
	for i, name := range []string{"a", "b", "c"} {
		paths = append(paths, filepath.Join(from, name))
		put(t, paths[i], pattern(uint64(i), 100_000))
	}
	src, err := OpenSource(paths, noSkips(t))
	if err != nil {
		t.Fatal(err)
	}
	defer src.Close()
	spec := specOf(out, src)
	spec.Selected = []bool{true, false, true}
	s := openSink(t, spec)
	if n := copyRest(t, s, src); n != 4 {
		t.Errorf("%d pieces of two files", n)
	}
	if err := s.Close(); err != nil { // not finished
		t.Fatal(err)
	}
	spec.Selected = []bool{true, true, false}
	s = openSink(t, spec)
	recheck(t, s)
	if n := copyRest(t, s, src); n != 1 {
		t.Errorf("%d pieces were fetched for the other choice", n)
	}
	finish(t, s)
	same(t, paths[0], filepath.Join(out, "a"))
	same(t, paths[1], filepath.Join(out, "b"))
	if _, err := os.Stat(filepath.Join(out, "c")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a file that was not picked: %v", err)
	}
}

// TestRootsOfAStranger: somebody wrote a journal and files that fit each other. What the uploader has not signed is
// forgotten, and fetched.
func TestRootsOfAStranger(t *testing.T) {
	src, name := big(t)
	spec := specOf(t.TempDir(), src)
	s := openSink(t, spec)
	copyPiece(t, s, src, 0)
	forged := pattern(99, s.layout.PieceLen(1))
	if err := errors.Join(s.Begin(1, rootOf(forged)), s.WriteLeaf(1, 0, forged)); err != nil {
		t.Fatal(err)
	}
	s.Complete(1)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	spec.Check = checker{rootOf(forged): true}
	s = openSink(t, spec)
	recheck(t, s)
	if _, known := s.Root(1); known || s.Whole(1) || !s.Whole(0) {
		t.Errorf("known %v, whole %v; of the right one %v", known, s.Whole(1), s.Whole(0))
	}
	copyRest(t, s, src)
	finish(t, s)
	same(t, name, filepath.Join(spec.Out, "big.bin"))
}
