package store

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/fanfare-relay/fanfare/mesh/manifest"
)

// pattern is bytes that cannot be mistaken for others.
func pattern(seed uint64, length int) []byte {
	b := make([]byte, length)
	_, _ = rand.NewChaCha8([32]byte{byte(seed), byte(seed >> 8)}).Read(b)
	return b
}

func put(t *testing.T, name string, b []byte) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(name), 0o777); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, b, 0o666); err != nil {
		t.Fatal(err)
	}
}

func noSkips(t *testing.T) func(string, string) {
	return func(path, why string) { t.Errorf("skipped %s: %s", path, why) }
}

// rootOf stands for the tree: the tests of the store need only that right bytes are told from wrong.
func rootOf(b []byte) Root { return Root{Hash: sha256.Sum256(b)} }

// checker takes all roots for signed but those that it was told are not.
type checker map[Root]bool

func (c checker) Signed(_ int, root Root) bool { return !c[root] }

func (checker) Genuine(_ int, root Root, b []byte) bool { return rootOf(b) == root }

func specOf(out string, src *Source) Spec {
	m := manifest.Manifest{Files: src.Files(), Created: 1}
	encoded, err := m.Encode()
	if err != nil {
		panic(err)
	}
	return Spec{
		Out: out, Room: "room", Manifest: m, Blob: append(make([]byte, signatureSize), encoded...), Check: checker{},
		Identity: []byte("me"), Signer: []byte("the uploader"),
	}
}

func openSink(t *testing.T, spec Spec) *Sink {
	t.Helper()
	s, err := OpenSink(spec)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// copyPiece brings one piece over.
func copyPiece(t *testing.T, s *Sink, src *Source, piece int) {
	t.Helper()
	leaves := make([]int, s.layout.Leaves(piece))
	for i := range leaves {
		leaves[i] = i
	}
	begin(t, s, src, piece, leaves...)
	s.Complete(piece)
}

// copyRest brings over what is wanted and not here.
func copyRest(t *testing.T, s *Sink, src *Source) (pieces int) {
	t.Helper()
	for i := range s.layout.Pieces() {
		if s.Wanted(i) && !s.Whole(i) {
			copyPiece(t, s, src, i)
			pieces++
		}
	}
	return pieces
}

// finish ends a transfer as a whole run does.
func finish(t *testing.T, s *Sink) []string {
	t.Helper()
	names, err := s.Finish()
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	return names
}

func recheck(t *testing.T, s *Sink) {
	t.Helper()
	if _, err := s.Recheck(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
}

func same(t *testing.T, a, b string) {
	t.Helper()
	x, err := os.ReadFile(a)
	if err != nil {
		t.Fatal(err)
	}
	y, err := os.ReadFile(b)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(x, y) {
		t.Errorf("%s and %s differ", a, b)
	}
}

func TestFolderThere(t *testing.T) {
	from, out := t.TempDir(), t.TempDir()
	put(t, filepath.Join(from, "album", "one.bin"), pattern(1, 200_000))
	put(t, filepath.Join(from, "album", "empty"), nil)
	put(t, filepath.Join(from, "album", "deep", "er", "two.bin"), pattern(2, 70_001))
	if err := os.MkdirAll(filepath.Join(from, "album", "nothing"), 0o777); err != nil {
		t.Fatal(err)
	}
	put(t, filepath.Join(from, "x", "note.txt"), []byte("x"))
	put(t, filepath.Join(from, "y", "note.txt"), []byte("y"))
	src, err := OpenSource([]string{filepath.Join(from, "album"), filepath.Join(from, "x", "note.txt"), filepath.Join(from, "y", "note.txt")}, noSkips(t))
	if err != nil {
		t.Fatal(err)
	}
	defer src.Close()
	put(t, filepath.Join(out, "album"), []byte("somebody's file"))
	put(t, filepath.Join(out, "note.txt"), []byte("somebody's note"))

	s := openSink(t, specOf(out, src))
	if s.Resumed() {
		t.Error("resumed what never began")
	}
	if _, err := s.Finish(); !errors.Is(err, ErrShort) {
		t.Errorf("finished an empty transfer: %v", err)
	}
	for i := range s.layout.Pieces() {
		copyPiece(t, s, src, i)
	}
	names, err := s.Finish()
	if err != nil {
		t.Fatal(err)
	}
	if want := []string{"album (2)", "note (2).txt", "note (2) (2).txt"}; !slices.Equal(names, want) {
		// The second note came in as "note (2).txt", which the first has taken here.
		t.Errorf("names %q, want %q", names, want)
	}
	b := make([]byte, s.layout.PieceLen(0))
	if err := s.ReadPiece(0, b); err != nil || !bytes.Equal(b, pattern(1, 200_000)[:len(b)]) && len(b) > 0 && src.Files()[0].Path == "album/one.bin" {
		t.Errorf("cannot be passed on after the end: %v", err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	same(t, filepath.Join(from, "album", "one.bin"), filepath.Join(out, "album (2)", "one.bin"))
	same(t, filepath.Join(from, "album", "deep", "er", "two.bin"), filepath.Join(out, "album (2)", "deep", "er", "two.bin"))
	same(t, filepath.Join(from, "album", "empty"), filepath.Join(out, "album (2)", "empty"))
	same(t, filepath.Join(from, "x", "note.txt"), filepath.Join(out, "note (2).txt"))
	same(t, filepath.Join(from, "y", "note.txt"), filepath.Join(out, "note (2) (2).txt"))
	if info, err := os.Stat(filepath.Join(out, "album (2)", "nothing")); err != nil || !info.IsDir() {
		t.Errorf("the empty folder: %v", err)
	}
	if left, _ := filepath.Glob(filepath.Join(out, "*"+partSuffix)); len(left) > 0 {
		t.Errorf("left behind: %q", left)
	}
	if b, _ := os.ReadFile(filepath.Join(out, "note.txt")); string(b) != "somebody's note" {
		t.Error("overwrote a file")
	}
}

// crash leaves a sink as kill -9 does: what the journal was not told of is not in it.
func crash(s *Sink) {
	close(s.quit)
	s.ended.Wait()
	s.handles.close()
	_ = s.journal.f.Close()
	_ = s.inside.Close()
	_ = s.out.Close()
}

func big(t *testing.T) (*Source, string) {
	t.Helper()
	name := filepath.Join(t.TempDir(), "big.bin")
	put(t, name, pattern(3, 40*64<<10+17))
	return sourceOf(t, name), name
}

func sourceOf(t *testing.T, name string) *Source {
	t.Helper()
	src, err := OpenSource([]string{name}, noSkips(t))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(src.Close)
	return src
}

func TestCrash(t *testing.T) {
	src, name := big(t)
	out := t.TempDir()
	s := openSink(t, specOf(out, src))
	for i := range 10 {
		copyPiece(t, s, src, i)
	}
	if err := s.Flush(); err != nil {
		t.Fatal(err)
	}
	for i := 10; i < 20; i++ {
		copyPiece(t, s, src, i)
	}
	if _, err := OpenSink(specOf(out, src)); !errors.Is(err, ErrBusy) {
		t.Errorf("a second one at the same time: %v", err)
	}
	crash(s)
	if e, ok := Find(out, "room"); !ok || string(e.Identity) != "me" || string(e.Signer) != "the uploader" || e.Placed {
		t.Errorf("%+v, %v", e, ok)
	}

	s = openSink(t, specOf(out, src))
	if !s.Resumed() {
		t.Fatal("did not find the unfinished transfer")
	}
	if !s.Whole(9) || s.Whole(10) {
		t.Error("the journal vouches for the wrong pieces")
	}
	if _, err := s.Recheck(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	for i := range s.layout.Pieces() {
		if s.Whole(i) != (i < 20) {
			t.Errorf("piece %d: whole is %v", i, s.Whole(i))
		}
		if i >= 20 {
			copyPiece(t, s, src, i)
		}
	}
	if _, err := s.Finish(); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	same(t, name, filepath.Join(out, "big.bin"))
}

// TestForeignPart: a file of the name that our folder would have, and a folder with a journal whose manifest is cut
// short, are others' and left alone.
func TestForeignPart(t *testing.T) {
	src, name := big(t)
	out := t.TempDir()
	taken := filepath.Join(out, "big.bin"+partSuffix)
	put(t, taken, []byte("mine"))
	for i, blob := range [][]byte{{}, make([]byte, signatureSize-1), make([]byte, signatureSize)} {
		put(t, filepath.Join(out, fmt.Sprint(i, partSuffix), journalName), append([]byte(journalMagic), manifestRecord("room", blob)...))
	}
	s := openSink(t, specOf(out, src))
	for i := range s.layout.Pieces() {
		copyPiece(t, s, src, i)
	}
	finish(t, s)
	same(t, name, filepath.Join(out, "big.bin"))
	if b, err := os.ReadFile(taken); err != nil || string(b) != "mine" {
		t.Errorf("somebody's file is %q now: %v", b, err)
	}
}

// TestTampered: somebody wrote into a file between two runs.
func TestTampered(t *testing.T) {
	src, _ := big(t)
	out := t.TempDir()
	s := openSink(t, specOf(out, src))
	for i := range 8 {
		copyPiece(t, s, src, i)
	}
	if err := s.Flush(); err != nil {
		t.Fatal(err)
	}
	crash(s)
	f, err := os.OpenFile(filepath.Join(out, "big.bin"+partSuffix, filesName, "big.bin"), os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.WriteAt([]byte("tampered"), 3*64<<10); err != nil {
		t.Fatal(err)
	}
	_ = f.Close()
	s = openSink(t, specOf(out, src))
	defer s.Close()
	if _, err := s.Recheck(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	for i := range 8 {
		if s.Whole(i) != (i != 3) {
			t.Errorf("piece %d: whole is %v", i, s.Whole(i))
		}
	}
}

// TestNoWayOut: a link that somebody put into the folder of the unfinished transfer leads nowhere.
func TestNoWayOut(t *testing.T) {
	src, _ := big(t)
	out, elsewhere := t.TempDir(), filepath.Join(t.TempDir(), "victim")
	put(t, elsewhere, []byte("untouched"))
	s := openSink(t, specOf(out, src))
	crash(s)
	inside := filepath.Join(out, "big.bin"+partSuffix, filesName, "big.bin")
	if err := os.Remove(inside); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(elsewhere, inside); err != nil {
		t.Skip("no symbolic links here")
	}
	s, err := OpenSink(specOf(out, src))
	if err == nil {
		copyPiece(t, s, src, 0)
		_ = s.Close()
	}
	if b, _ := os.ReadFile(elsewhere); string(b) != "untouched" {
		t.Error("wrote through a link")
	}
}

func TestManyFiles(t *testing.T) {
	from, out := t.TempDir(), t.TempDir()
	for i := range 3 * maxOpen {
		put(t, filepath.Join(from, "d", strings.Repeat("f", 1+i)), pattern(uint64(i), 500*i))
	}
	src, err := OpenSource([]string{filepath.Join(from, "d")}, noSkips(t))
	if err != nil {
		t.Fatal(err)
	}
	defer src.Close()
	s := openSink(t, specOf(out, src))
	for i := range s.layout.Pieces() {
		copyPiece(t, s, src, i)
	}
	if _, err := s.Finish(); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	for i := range 3 * maxOpen {
		name := filepath.Join("d", strings.Repeat("f", 1+i))
		same(t, filepath.Join(from, name), filepath.Join(out, name))
	}
}

// TestRecheckEnds: a person may end the hashing of a large transfer.
func TestRecheckEnds(t *testing.T) {
	src, _ := big(t)
	spec := specOf(t.TempDir(), src)
	s := openSink(t, spec)
	copyPiece(t, s, src, 0)
	crash(s)
	s = openSink(t, spec)
	defer s.Close()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := s.Recheck(ctx, nil); !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
}
