package store

import (
	"errors"
	"maps"
	"os"
	"slices"
	"time"
)

func (s *Sink) flushLoop() {
	tick := time.NewTicker(flushEvery)
	defer tick.Stop()
	for {
		select {
		case <-s.quit:
			return
		case <-s.wake:
		case <-tick.C:
		}
		_ = s.Flush() // kept in failed, where the next write finds it, or tried again
	}
}

// batch is what a flush is about: pieces that are whole, and files and pieces that were written to.
type batch struct {
	pieces  []int
	dirty   map[int]bool
	touched map[int]bool
}

func (s *Sink) takeBatch() batch {
	s.mu.Lock()
	defer s.mu.Unlock()
	b := batch{s.pending, s.dirty, s.touched}
	s.pending, s.dirty, s.touched = nil, map[int]bool{}, map[int]bool{}
	return b
}

// putBack has the next flush do what this one did not.
func (s *Sink) putBack(b batch) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.pending = append(s.pending, b.pieces...)
	maps.Copy(s.dirty, b.dirty)
	maps.Copy(s.touched, b.touched)
}

// Flush syncs what was written and then notes the pieces that are whole by it. It fails with ErrFull
// while there is no room; writing fails likewise until a later Flush goes through.
func (s *Sink) Flush() error {
	s.moving.RLock() // a leaf that comes twice may be written, and flushed, while Finish moves files
	defer s.moving.RUnlock()
	s.flushing.Lock()
	defer s.flushing.Unlock()
	s.mu.Lock()
	failed := s.failed
	s.mu.Unlock()
	if failed != nil && !errors.Is(failed, ErrFull) {
		return failed
	}
	b := s.takeBatch()
	err := s.writeDoubtful(b.pieces)
	if err == nil {
		more := s.takeBatch() // of writing again
		maps.Copy(b.dirty, more.dirty)
		maps.Copy(b.touched, more.touched)
		s.putBack(batch{pieces: more.pieces}) // some of them may be doubtful
		err = s.syncAll(b)
	}
	if err == nil && len(b.pieces) > 0 {
		err = s.journal.note(runs(b.pieces))
	}
	if err != nil {
		s.putBack(b)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if err == nil {
		for _, piece := range b.pieces {
			s.doubt[piece] = false
		}
	}
	s.failed = wrapFull(err)
	return s.failed
}

// syncAll makes what was written last. The system may have dropped what it could not write, and may say
// next time that all is well: nothing since the last flush counts then, until it was written again.
func (s *Sink) syncAll(b batch) error {
	for i := range b.dirty {
		err := s.handles.use(i, file.Sync)
		if errors.Is(err, os.ErrNotExist) {
			continue // somebody has removed it; who reads it will be told
		}
		if err != nil {
			s.doubtAll(b.touched)
			return &FileError{s.spec.Manifest.Files[i].Path, wrapFull(plain(err))}
		}
	}
	return nil
}

func (s *Sink) doubtAll(pieces map[int]bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for piece := range pieces {
		s.doubt[piece] = true
	}
	for piece := range s.touched { // since the batch was taken
		s.doubt[piece] = true
	}
}

// writeDoubtful writes pieces again that were whole and may have been lost. What cannot be read back is
// lost: it fails with ErrLost, and the next run fetches that again.
func (s *Sink) writeDoubtful(pieces []int) error {
	var buf []byte
	for _, piece := range pieces {
		s.mu.Lock()
		doubt, root := s.doubt[piece], s.roots[piece]
		s.mu.Unlock()
		if !doubt {
			continue
		}
		if buf == nil {
			buf = make([]byte, s.layout.Piece())
		}
		b := buf[:s.layout.PieceLen(piece)]
		if err := s.read(s.layout.PieceStart(piece), b); err != nil {
			return err
		}
		if !s.spec.Check.Genuine(piece, root, b) {
			return ErrLost
		}
		if err := s.write(piece, s.layout.PieceStart(piece), b); err != nil {
			return err
		}
	}
	return nil
}

// HasRoom tells whether what waits to be written can be written, and more: it fails with ErrFull while
// the disk is full.
func (s *Sink) HasRoom() error {
	if err := s.Flush(); err != nil {
		return err
	}
	const enough = 4 << 20 // bytes: the largest piece
	raw, err := s.inside.OpenFile(probeName, os.O_RDWR|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return wrapFull(err)
	}
	probe := s.disk(raw)
	some := slices.Repeat([]byte("room"), 16<<10)
	for at := 0; at < enough && err == nil; at += len(some) {
		_, err = probe.WriteAt(some, int64(at))
	}
	if err == nil {
		err = probe.Sync()
	}
	err = errors.Join(err, probe.Close(), s.inside.Remove(probeName))
	return wrapFull(err)
}

// runs makes records of pieces, a run of neighbours each.
func runs(pieces []int) (records []byte) {
	slices.Sort(pieces)
	for i := 0; i < len(pieces); {
		first := i
		for i++; i < len(pieces) && pieces[i] <= pieces[i-1]+1; i++ {
		}
		records = wholeRecord(records, pieces[first], pieces[i-1]-pieces[first]+1)
	}
	return records
}
