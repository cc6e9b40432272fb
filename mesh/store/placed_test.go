package store

import (
	"os"
	"path/filepath"
	"slices"
	"testing"
)

// finishedAndKilled is a transfer whose process died after it had moved the files to their places.
func finishedAndKilled(t *testing.T) (spec Spec, src *Source, from, place string) {
	t.Helper()
	src, from = big(t)
	spec = specOf(t.TempDir(), src)
	s := openSink(t, spec)
	copyRest(t, s, src)
	if _, err := s.Finish(); err != nil {
		t.Fatal(err)
	}
	crash(s)
	return spec, src, from, filepath.Join(spec.Out, "big.bin")
}

// TestKilledAfterFinish: the next run finds that everything is in its place, and makes nothing twice.
func TestKilledAfterFinish(t *testing.T) {
	spec, _, from, place := finishedAndKilled(t)
	if e, ok := Find(spec.Out, spec.Room); !ok || !e.Placed {
		t.Errorf("%v, %v", e, ok)
	}
	s := openSink(t, spec)
	if !s.Resumed() || !s.Placed() {
		t.Fatalf("resumed %v, placed %v", s.Resumed(), s.Placed())
	}
	recheck(t, s)
	if s.Missing() {
		t.Error("something is missing")
	}
	if names := finish(t, s); !slices.Equal(names, []string{"big.bin"}) {
		t.Errorf("%q", names)
	}
	same(t, from, place)
	if got := treeOf(t, spec.Out); !slices.Equal(got, []string{"big.bin"}) {
		t.Errorf("left behind: %q", got)
	}
}

// TestChangedAfterFinish: what stands at its place is the person's. It is not written to any more, whatever became
// of it; what is missing is fetched into a copy, and no more.
func TestChangedAfterFinish(t *testing.T) {
	tests := map[string]struct {
		change func(place string) error
		pieces int
		names  []string
	}{
		"written to": {func(p string) error {
			f, err := os.OpenFile(p, os.O_RDWR, 0)
			if err != nil {
				return err
			}
			defer f.Close()
			_, err = f.WriteAt([]byte("a note"), 70_000)
			return err
		}, 1, []string{"big (2).bin", "big.bin"}},
		"longer":  {func(p string) error { return os.Truncate(p, 10<<20) }, 41, []string{"big (2).bin", "big.bin"}},
		"removed": {os.Remove, 41, []string{"big.bin"}},
	}
	for name, c := range tests {
		t.Run(name, func(t *testing.T) {
			spec, src, from, place := finishedAndKilled(t)
			if err := c.change(place); err != nil {
				t.Fatal(err)
			}
			changed, _ := os.ReadFile(place) // empty for one that was removed
			s := openSink(t, spec)
			recheck(t, s)
			if n := copyRest(t, s, src); n != c.pieces {
				t.Errorf("%d pieces were fetched again, want %d", n, c.pieces)
			}
			names := finish(t, s)
			same(t, from, filepath.Join(spec.Out, names[0]))
			if got := treeOf(t, spec.Out); !slices.Equal(got, c.names) {
				t.Errorf("%q, want %q", got, c.names)
			}
			if now, _ := os.ReadFile(place); names[0] != "big.bin" && !slices.Equal(now, changed) {
				t.Error("what the person had written was overwritten")
			}
		})
	}
}

// TestFlushWhileItIsTakenBack: what stands at its place is copied back beside the flushes that go on all the time.
func TestFlushWhileItIsTakenBack(t *testing.T) {
	spec, src, from, place := finishedAndKilled(t)
	b, err := os.ReadFile(place)
	if err == nil {
		b[70_000] ^= 1
		err = os.WriteFile(place, b, 0o666)
	}
	if err != nil {
		t.Fatal(err)
	}
	s := openSink(t, spec)
	over, flushed := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(flushed)
		for {
			select {
			case <-over:
				return
			default:
				_ = s.Flush()
			}
		}
	}()
	recheck(t, s)
	close(over)
	<-flushed
	copyRest(t, s, src)
	same(t, from, filepath.Join(spec.Out, finish(t, s)[0]))
}

// TestSecondNameAndFirst: the process ends between giving a file its name and taking away the one it had.
func TestSecondNameAndFirst(t *testing.T) {
	src, from := big(t)
	spec := specOf(t.TempDir(), src)
	s := openSink(t, spec)
	copyRest(t, s, src)
	if err := s.Flush(); err != nil {
		t.Fatal(err)
	}
	if err := s.journal.note(placedRecord("big.bin", "big.bin")); err != nil {
		t.Fatal(err)
	}
	if err := os.Link(filepath.Join(spec.Out, s.part, filesName, "big.bin"), filepath.Join(spec.Out, "big.bin")); err != nil {
		t.Logf("no second names here: %v", err)
	}
	crash(s)
	s = openSink(t, spec)
	recheck(t, s)
	if names := finish(t, s); !slices.Equal(names, []string{"big.bin"}) {
		t.Errorf("%q", names)
	}
	same(t, from, filepath.Join(spec.Out, "big.bin"))
}

// TestCloseCutShort: the process ends while it removes what has become of no use. With the journal there the next run
// knows that all is done; an empty folder that is left does not take a name.
func TestCloseCutShort(t *testing.T) {
	spec, src, from, place := finishedAndKilled(t)
	part := place + partSuffix
	if err := os.RemoveAll(filepath.Join(part, filesName)); err != nil {
		t.Fatal(err)
	}
	s := openSink(t, spec)
	recheck(t, s)
	if s.Missing() {
		t.Error("something is missing")
	}
	finish(t, s)
	same(t, from, place)

	if err := os.Mkdir(part, 0o777); err != nil {
		t.Fatal(err)
	}
	s = openSink(t, spec)
	if s.part != filepath.Base(part) {
		t.Errorf("an empty folder makes it %q", s.part)
	}
	copyRest(t, s, src)
	finish(t, s)
	if got := treeOf(t, spec.Out); !slices.Equal(got, []string{"big (2).bin", "big.bin"}) {
		t.Errorf("%q", got)
	}
}
