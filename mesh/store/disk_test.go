package store

import (
	"errors"
	"os"
	"path/filepath"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"
)

// brittle is a disk that fills up. What a sync could not write stays in the system's memory, where it is read as if
// all were well, and is gone when the power goes, unless it was written again; or it is gone at once.
type brittle struct {
	mu       sync.Mutex
	full     bool  // to writes
	syncs    error // what the next sync fails with, once
	which    string
	forgets  bool // at once
	unsynced map[string][]scratch
	lost     map[string][]scratch
	written  int64
}

// scratch is what was at a place before it was written to.
type scratch struct {
	at     int64
	before []byte
}

func newBrittle() *brittle {
	return &brittle{unsynced: map[string][]scratch{}, lost: map[string][]scratch{}}
}

func (d *brittle) open(f *os.File) file { return &brittleFile{f, filepath.Base(f.Name()), d} }

type brittleFile struct {
	*os.File
	name string
	disk *brittle
}

func (f *brittleFile) WriteAt(b []byte, at int64) (int, error) {
	f.disk.mu.Lock()
	defer f.disk.mu.Unlock()
	if f.disk.full {
		return 0, &os.PathError{Op: "write", Path: f.name, Err: syscall.ENOSPC}
	}
	before := make([]byte, len(b))
	_, _ = f.ReadAt(before, at) // zeros behind its end
	f.disk.unsynced[f.name] = append(f.disk.unsynced[f.name], scratch{at, before})
	f.disk.written += int64(len(b))
	return f.File.WriteAt(b, at)
}

func (f *brittleFile) Sync() error {
	f.disk.mu.Lock()
	defer f.disk.mu.Unlock()
	since := f.disk.unsynced[f.name]
	delete(f.disk.unsynced, f.name)
	err := f.disk.syncs
	if err == nil || f.name != f.disk.which {
		f.disk.lost[f.name] = withoutRewritten(f.disk.lost[f.name], since)
		return nil
	}
	f.disk.syncs = nil
	if f.disk.forgets {
		f.disk.restore(f.File, since)
	} else {
		f.disk.lost[f.name] = append(f.disk.lost[f.name], since...)
	}
	return &os.PathError{Op: "sync", Path: f.name, Err: err}
}

// withoutRewritten leaves out what was written once more, as a whole.
func withoutRewritten(lost, since []scratch) (left []scratch) {
	for _, one := range lost {
		again := false
		for _, s := range since {
			again = again || s.at <= one.at && s.at+int64(len(s.before)) >= one.at+int64(len(one.before))
		}
		if !again {
			left = append(left, one)
		}
	}
	return left
}

func (d *brittle) restore(f *os.File, what []scratch) {
	for i := len(what) - 1; i >= 0; i-- {
		_, _ = f.WriteAt(what[i].before, what[i].at)
	}
}

// powerCut brings a file to what the disk has of it.
func (d *brittle) powerCut(t *testing.T, name string) {
	t.Helper()
	f, err := os.OpenFile(name, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	d.mu.Lock()
	defer d.mu.Unlock()
	base := filepath.Base(name)
	d.restore(f, d.unsynced[base])
	d.restore(f, d.lost[base])
}

func (d *brittle) set(change func()) {
	d.mu.Lock()
	defer d.mu.Unlock()
	change()
}

func openOn(t *testing.T, d *brittle, spec Spec) *Sink {
	t.Helper()
	s, err := openSinkOn(d.open, spec)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// TestDiskFillsUp: writing fails with a word of it, nothing is lost, and when there is room it goes on in the same
// process.
func TestDiskFillsUp(t *testing.T) {
	src, from := big(t)
	spec, d := specOf(t.TempDir(), src), newBrittle()
	s := openOn(t, d, spec)
	for i := range 10 {
		copyPiece(t, s, src, i)
	}
	d.set(func() { d.full = true })
	b := make([]byte, s.layout.PieceLen(10))
	if err := src.ReadPiece(10, b); err != nil {
		t.Fatal(err)
	}
	for what, err := range map[string]error{
		"the journal": s.Begin(10, rootOf(b)), "a leaf": s.WriteLeaf(10, 0, b), "the probe": s.HasRoom(),
	} {
		if !errors.Is(err, ErrFull) {
			t.Errorf("%s: %v", what, err)
		}
	}
	d.set(func() { d.full = false })
	if err := s.HasRoom(); err != nil {
		t.Fatal(err)
	}
	copyRest(t, s, src)
	finish(t, s)
	same(t, from, filepath.Join(spec.Out, "big.bin"))
	if got := treeOf(t, spec.Out); len(got) != 1 {
		t.Errorf("%q", got)
	}
}

// TestSyncFindsTheDiskFull: a system may take bytes and find only later that there is no room for them. Writing is
// refused until they are safe, and what the journal then vouches for is on disk even if the power goes.
func TestSyncFindsTheDiskFull(t *testing.T) {
	for _, which := range []string{"big.bin", journalName} {
		t.Run(which, func(t *testing.T) {
			src, from := big(t)
			spec, d := specOf(t.TempDir(), src), newBrittle()
			synctest.Test(t, func(t *testing.T) { // so that it flushes when we say
				s := openOn(t, d, spec)
				for i := range 4 {
					copyPiece(t, s, src, i)
				}
				if err := s.Flush(); err != nil {
					t.Fatal(err)
				}
				for i := 4; i < 8; i++ {
					copyPiece(t, s, src, i)
				}
				d.set(func() { d.syncs, d.which = syscall.ENOSPC, which })
				if err := s.Flush(); !errors.Is(err, ErrFull) {
					t.Fatal(err)
				}
				if err := s.WriteLeaf(8, 0, pattern(1, 10)); !errors.Is(err, ErrFull) {
					t.Errorf("goes on writing: %v", err)
				}
				if err := s.HasRoom(); err != nil {
					t.Fatal(err)
				}
				crash(s)
			})
			part := filepath.Join(spec.Out, "big.bin"+partSuffix)
			d.powerCut(t, filepath.Join(part, filesName, "big.bin"))
			d.powerCut(t, filepath.Join(part, journalName))
			s := openSink(t, spec)
			for i := range 8 {
				if !s.Whole(i) {
					t.Errorf("the journal does not know of piece %d", i)
				}
			}
			recheck(t, s)
			if n := copyRest(t, s, src); n != 41-8 {
				t.Errorf("%d pieces were lost", n-41+8)
			}
			finish(t, s)
			same(t, from, filepath.Join(spec.Out, "big.bin"))
		})
	}
}

// TestSyncForgets: some systems forget at once what they could not write. Nothing of that is ever vouched for, and the
// next run fetches it again.
func TestSyncForgets(t *testing.T) {
	src, from := big(t)
	spec, d := specOf(t.TempDir(), src), newBrittle()
	synctest.Test(t, func(t *testing.T) {
		s := openOn(t, d, spec)
		for i := range 8 {
			copyPiece(t, s, src, i)
		}
		d.set(func() { d.syncs, d.which, d.forgets = syscall.ENOSPC, "big.bin", true })
		if err := s.Flush(); !errors.Is(err, ErrFull) {
			t.Errorf("%v", err)
		}
		if err := s.Flush(); !errors.Is(err, ErrLost) {
			t.Errorf("%v", err)
		}
		if err := s.WriteLeaf(9, 0, pattern(1, 10)); !errors.Is(err, ErrLost) {
			t.Errorf("goes on writing: %v", err)
		}
		crash(s)
	})
	s := openSink(t, spec)
	recheck(t, s)
	copyRest(t, s, src)
	finish(t, s)
	same(t, from, filepath.Join(spec.Out, "big.bin"))
}

// TestFullAtTheEnd: the last flush finds no room. Finish may be called again.
func TestFullAtTheEnd(t *testing.T) {
	src, from := big(t)
	spec, d := specOf(t.TempDir(), src), newBrittle()
	s := openOn(t, d, spec)
	copyRest(t, s, src)
	d.set(func() { d.full = true })
	if _, err := s.Finish(); !errors.Is(err, ErrFull) {
		t.Errorf("%v", err)
	}
	d.set(func() { d.full = false })
	if err := s.HasRoom(); err != nil {
		t.Fatal(err)
	}
	finish(t, s)
	same(t, from, filepath.Join(spec.Out, "big.bin"))
}

// TestFlushesByItself: nobody asks for a flush after the disk was full; the next one comes by itself, and writing goes on.
func TestFlushesByItself(t *testing.T) {
	src, _ := big(t)
	out := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		d := newBrittle()
		s := openOn(t, d, specOf(out, src))
		copyPiece(t, s, src, 0)
		d.set(func() { d.syncs, d.which = syscall.EDQUOT, "big.bin" })
		time.Sleep(flushEvery)
		synctest.Wait()
		if err := s.WriteLeaf(1, 0, pattern(1, 10)); !errors.Is(err, ErrFull) {
			t.Errorf("%v", err)
		}
		time.Sleep(flushEvery)
		synctest.Wait()
		copyPiece(t, s, src, 1)
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
}
