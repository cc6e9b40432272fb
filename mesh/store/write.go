package store

import (
	"os"
	"path"

	"github.com/fanfare-relay/fanfare/mesh/manifest"
)

// Begin notes the signed root of a piece, before its first leaf is written. So what a crash leaves of
// the piece can be judged. It fails with ErrFull.
func (s *Sink) Begin(piece int, root Root) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.failed != nil {
		return s.failed
	}
	if s.known[piece] && s.roots[piece].Hash == root.Hash {
		return nil
	}
	if err := s.journal.append(rootRecord(piece, root)); err != nil {
		return err
	}
	s.roots[piece], s.known[piece] = root, true
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
	return s.write(piece, s.layout.LeafStart(piece, leaf), b)
}

// write puts bytes of a piece where they belong. The caller keeps Finish away.
func (s *Sink) write(piece int, at int64, b []byte) error {
	s.mu.Lock()
	s.touched[piece] = true // before the bytes are there: a flush in between may miss them
	s.mu.Unlock()
	return eachSpan(s.layout, at, b, func(span manifest.Span, b []byte) error {
		s.mu.Lock()
		s.dirty[span.File] = true
		s.mu.Unlock()
		err := s.handles.use(span.File, func(f file) error {
			_, err := f.WriteAt(b, span.Offset)
			return err
		})
		if err != nil {
			return &FileError{s.spec.Manifest.Files[span.File].Path, wrapFull(plain(err))}
		}
		return nil
	})
}

func (s *Sink) openFile(i int) (file, error) {
	root, name := s.where(i)
	f, err := root.OpenFile(path.Clean(name), os.O_RDWR, 0)
	if err != nil {
		return nil, err
	}
	return s.disk(f), nil
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
func (s *Sink) ReadPiece(piece int, b []byte) error { return s.ReadLeaves(piece, 0, b) }

// ReadLeaves fills b with the bytes of a piece that is whole from a leaf on.
func (s *Sink) ReadLeaves(piece, leaf int, b []byte) error {
	s.moving.RLock()
	defer s.moving.RUnlock()
	return s.read(s.layout.LeafStart(piece, leaf), b)
}

// read fills b with the bytes from a place in the stream on. The caller keeps Finish away.
func (s *Sink) read(at int64, b []byte) error {
	return eachSpan(s.layout, at, b, func(span manifest.Span, b []byte) error {
		err := s.handles.use(span.File, func(f file) error {
			_, err := f.ReadAt(b, span.Offset)
			return err
		})
		if err != nil {
			return &FileError{s.spec.Manifest.Files[span.File].Path, plain(err)}
		}
		return nil
	})
}
