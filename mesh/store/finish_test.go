package store

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/fanfare-relay/fanfare/mesh/manifest"
)

// TestFinishCutShort: the process ends between moving a file and saying so.
func TestFinishCutShort(t *testing.T) {
	src, name := big(t)
	out := t.TempDir()
	s := openSink(t, specOf(out, src))
	for i := range s.layout.Pieces() {
		copyPiece(t, s, src, i)
	}
	if err := s.Flush(); err != nil {
		t.Fatal(err)
	}
	if err := s.placeOne("big.bin"); err != nil {
		t.Fatal(err)
	}
	crash(s)
	s = openSink(t, specOf(out, src))
	if _, err := s.Recheck(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	names, err := s.Finish()
	if err != nil || !slices.Equal(names, []string{"big.bin"}) {
		t.Fatalf("%q, %v", names, err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	same(t, name, filepath.Join(out, "big.bin"))
}

// A name that is taken and so long that no number fits behind it is an error, not a search without end.
func TestNoNameIsFree(t *testing.T) {
	name := filepath.Join(t.TempDir(), strings.Repeat("x", 253))
	put(t, name, []byte("hello"))
	src, err := OpenSource([]string{name}, noSkips(t))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(src.Close)
	out := t.TempDir()
	put(t, filepath.Join(out, filepath.Base(name)), []byte("mine"))
	s := openSink(t, specOf(out, src))
	copyPiece(t, s, src, 0)
	if names, err := s.Finish(); err == nil {
		t.Errorf("finished as %v", names)
	}
	if b, err := os.ReadFile(filepath.Join(out, filepath.Base(name))); err != nil || string(b) != "mine" {
		t.Errorf("%q, %v", b, err)
	}
}

// A leaf that comes once more while the files are moved is written to them wherever they are.
func TestLeafTwiceWhileFinishing(t *testing.T) {
	src, _ := big(t)
	out := t.TempDir()
	s := openSink(t, specOf(out, src))
	b := make([]byte, s.layout.PieceLen(0))
	if err := src.ReadPiece(0, b); err != nil {
		t.Fatal(err)
	}
	for i := range s.layout.Pieces() {
		copyPiece(t, s, src, i)
	}
	var again sync.WaitGroup
	stop := make(chan struct{})
	for _, do := range []func() error{
		func() error { return s.WriteLeaf(0, 0, b[:min(len(b), manifest.LeafSize)]) }, s.Flush,
	} {
		again.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				if err := do(); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	if _, err := s.Finish(); err != nil {
		t.Error(err)
	}
	close(stop)
	again.Wait()
}

// What comes must not look like a transfer that this machine has begun: its journal would be believed.
func TestNamesOfUnfinishedTransfers(t *testing.T) {
	src, _ := big(t)
	spec := specOf(t.TempDir(), src)
	spec.Manifest.Files = []manifest.File{{Path: "x.Fanfare-Part/journal", Size: src.Total()}}
	if _, err := OpenSink(spec); !errors.Is(err, ErrReserved) {
		t.Errorf("%v", err)
	}
}
