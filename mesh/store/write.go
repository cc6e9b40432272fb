package store

import (
	"os"
	"path"
	"slices"
	"time"

	"github.com/fanfare-relay/fanfare/mesh/manifest"
)

// Begin notes the signed root of a piece, before its first leaf is written. So what a crash leaves of
// the piece can be judged.
func (s *Sink) Begin(piece int, root Root) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.failed != nil {
		return s.failed
	}
	if s.known[piece] && s.roots[piece].Hash == root.Hash {
		return nil
	}
	if err := s.append(rootRecord(piece, root)); err != nil {
		return err
	}
	s.roots[piece], s.known[piece] = root, true
	return nil
}

// append writes to the end of the journal. What a failed write leaves behind its end is written over,
// or cut off by who reads it.
func (s *Sink) append(records []byte) error {
	n, err := s.journal.WriteAt(records, s.length)
	if err != nil {
		return wrapFull(err)
	}
	s.length += int64(n)
	return nil
}

// WriteLeaf stores a leaf that was verified. It fails with ErrFull when there is no room; nothing is
// lost then.
func (s *Sink) WriteLeaf(piece, leaf int, b []byte) error {
	s.mu.Lock()
	failed, hole := s.failed, !s.dirtied[piece] && zero(b)
	s.mu.Unlock()
	if failed != nil || hole {
		return failed // a file's zeros are there already: a sparse file stays one
	}
	s.moving.RLock()
	defer s.moving.RUnlock()
	return eachSpan(s.layout, s.layout.LeafStart(piece, leaf), b, s.writeSpan)
}

func (s *Sink) writeSpan(span manifest.Span, b []byte) error {
	file, offset := s.place(span)
	err := s.handles.use(file, func(f *os.File) error {
		_, err := f.WriteAt(b, offset)
		return err
	})
	if err != nil {
		return &FileError{s.spec.Manifest.Files[span.File].Path, wrapFull(plain(err))}
	}
	s.mu.Lock()
	s.dirty[file] = true
	s.mu.Unlock()
	return nil
}

// place is the file and the offset at which a span is kept.
func (s *Sink) place(span manifest.Span) (file int, offset int64) {
	if s.Selected(span.File) {
		return span.File, span.Offset
	}
	return scrap, s.layout.FileStart(span.File) + span.Offset
}

func (s *Sink) openFile(file int) (*os.File, error) {
	if file == scrap {
		return s.inside.OpenFile(scrapName, os.O_RDWR|os.O_CREATE, 0o600)
	}
	root, name := s.where(file)
	return root.OpenFile(path.Clean(name), os.O_RDWR, 0)
}

func zero(b []byte) bool {
	for len(b) >= 8 {
		if b[0]|b[1]|b[2]|b[3]|b[4]|b[5]|b[6]|b[7] != 0 {
			return false
		}
		b = b[8:]
	}
	for _, one := range b {
		if one != 0 {
			return false
		}
	}
	return true
}

// Complete notes that all leaves of a piece were written.
func (s *Sink) Complete(piece int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.whole[piece] {
		return
	}
	s.whole[piece] = true
	if s.pending = append(s.pending, piece); len(s.pending) >= flushPieces {
		select {
		case s.wake <- struct{}{}:
		default:
		}
	}
}

// ReadPiece fills b with the bytes of a piece that is whole.
func (s *Sink) ReadPiece(piece int, b []byte) error {
	s.moving.RLock()
	defer s.moving.RUnlock()
	return eachSpan(s.layout, s.layout.PieceStart(piece), b, func(span manifest.Span, b []byte) error {
		file, offset := s.place(span)
		err := s.handles.use(file, func(f *os.File) error {
			_, err := f.ReadAt(b, offset)
			return err
		})
		if err != nil {
			return &FileError{s.spec.Manifest.Files[span.File].Path, plain(err)}
		}
		return nil
	})
}

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

// Flush syncs what was written and then notes the pieces that are whole by it.
func (s *Sink) Flush() error {
	s.moving.RLock() // a leaf that comes twice may be written, and flushed, while Finish moves files
	defer s.moving.RUnlock()
	s.flushing.Lock()
	defer s.flushing.Unlock()
	s.mu.Lock()
	failed, pieces, files := s.failed, s.pending, s.dirty
	s.pending, s.dirty = nil, map[int]bool{}
	s.mu.Unlock()
	if failed != nil || len(pieces) == 0 && len(files) == 0 {
		return failed
	}
	for file := range files {
		if err := s.handles.use(file, (*os.File).Sync); err != nil {
			// The system may have dropped what it could not write: nothing since the last flush counts.
			return s.fail(err)
		}
	}
	if len(pieces) == 0 {
		return nil
	}
	if err := s.note(runs(pieces)); err != nil {
		s.mu.Lock() // the bytes are safe; their mention is tried again
		s.pending = append(s.pending, pieces...)
		s.mu.Unlock()
		return err
	}
	return nil
}

func (s *Sink) fail(err error) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.failed == nil {
		s.failed = wrapFull(err)
	}
	return s.failed
}

// note appends to the journal for good.
func (s *Sink) note(records []byte) error {
	s.mu.Lock()
	err := s.append(records)
	s.mu.Unlock()
	if err != nil {
		return err
	}
	return s.journal.Sync()
}

// runs makes records of pieces, a run of neighbours each.
func runs(pieces []int) (records []byte) {
	slices.Sort(pieces)
	for i := 0; i < len(pieces); {
		first := i
		for i++; i < len(pieces) && pieces[i] == pieces[i-1]+1; i++ {
		}
		records = wholeRecord(records, pieces[first], i-first)
	}
	return records
}
