package store

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path"

	"github.com/fanfare-relay/fanfare/mesh/manifest"
)

// What Finish has moved to its place belongs to the person, who may have written to it since. When it is
// all that is wanted and right, the transfer is done. Else a copy of it is taken back, and what is wrong
// or missing is put into the copy.

// moved tells whether the last run came so far as to move a finished file or folder to its place.
func (s *Sink) moved(name, final string) bool {
	from := path.Join(filesName, name)
	before, errBefore := s.inside.Lstat(from)
	after, errAfter := s.out.Lstat(final)
	if errBefore == nil && errAfter == nil && before.Mode().IsRegular() && os.SameFile(before, after) {
		errBefore = s.inside.Remove(from) // it had its second name, and still the first
		return errBefore == nil
	}
	return errors.Is(errBefore, fs.ErrNotExist) && errAfter == nil
}

// Placed tells whether all that is wanted was moved to its place by an earlier run. Recheck tells whether
// it is right.
func (s *Sink) Placed() bool {
	for i, f := range s.spec.Manifest.Files {
		if _, ok := s.placed[top(f.Path)]; s.Selected(i) && !ok {
			return false
		}
	}
	return true
}

// takeBackShort takes back what lacks something that is wanted.
func (s *Sink) takeBackShort() error {
	for i, f := range s.spec.Manifest.Files {
		if !s.Selected(i) {
			continue
		}
		if _, ok := s.placed[top(f.Path)]; ok && !s.asMade(i, f) {
			if err := s.takeBack(top(f.Path)); err != nil {
				return err
			}
		}
	}
	return nil
}

// takeBackWrong takes back what has bytes of pieces that are wrong.
func (s *Sink) takeBackWrong(pieces []int) error {
	for _, piece := range pieces {
		for _, span := range s.layout.AppendSpans(nil, s.layout.PieceStart(piece), int64(s.layout.PieceLen(piece))) {
			name := top(s.spec.Manifest.Files[span.File].Path)
			if _, ok := s.placed[name]; !ok || !s.Selected(span.File) {
				continue
			}
			if err := s.takeBack(name); err != nil {
				return err
			}
		}
	}
	return s.makeAll()
}

// takeBack copies what stands at a place into the folder of the transfer.
func (s *Sink) takeBack(name string) error {
	final := s.placed[name]
	delete(s.placed, name)
	s.handles.close()
	for i, f := range s.spec.Manifest.Files {
		if top(f.Path) != name || !s.Selected(i) || f.Folder() || s.asMade(i, f) {
			continue
		}
		if err := s.copyBack(i, f, final+f.Path[len(name):]); err != nil {
			return wrapFull(err)
		}
		s.mu.Lock() // a flush may go on meanwhile
		for p, end := s.layout.FilePieces(i); p < end; p++ {
			s.dirtied[p] = true
		}
		s.mu.Unlock()
	}
	return nil
}

// copyBack copies one file; what is not there any more, or of another size, is left to be fetched.
func (s *Sink) copyBack(file int, f manifest.File, from string) error {
	info, err := s.out.Lstat(from)
	if err != nil || !info.Mode().IsRegular() || info.Size() != f.Size {
		return nil
	}
	src, err := s.out.Open(from)
	if err != nil {
		return nil
	}
	defer func() { _ = src.Close() }() // was read
	root, name := s.where(file)
	if err := root.MkdirAll(path.Dir(name), 0o777); err != nil {
		return err
	}
	dst, err := root.OpenFile(name, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o666)
	if err != nil {
		return err
	}
	err = errors.Join(dst.Truncate(f.Size), copyHoles(dst, src), dst.Close())
	s.mu.Lock()
	s.dirty[file] = true // now that the bytes are there: a flush in between would miss them
	s.mu.Unlock()
	return err
}

// copyHoles copies all but zeros, onto zeros.
func copyHoles(dst io.WriterAt, src io.Reader) error {
	b := make([]byte, 256<<10)
	for at := int64(0); ; {
		n, err := io.ReadFull(src, b)
		if n > 0 && !zero(b[:n]) {
			if _, err := dst.WriteAt(b[:n], at); err != nil {
				return err
			}
		}
		at += int64(n)
		if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

// findAside finds what an earlier run took out of folders that it moved to their places, and puts back
// what is wanted now.
func (s *Sink) findAside() error {
	if _, err := s.inside.Lstat(asideName); err != nil {
		return nil
	}
	for i := range s.spec.Manifest.Files {
		name := s.inTree(i)
		if _, err := s.inside.Lstat(path.Join(asideName, name)); err != nil {
			continue
		}
		if !s.Selected(i) {
			s.aside[i] = true
			continue
		}
		to := path.Join(filesName, name)
		if err := s.inside.MkdirAll(path.Dir(to), 0o777); err != nil {
			return err
		}
		if err := s.inside.Rename(path.Join(asideName, name), to); err != nil {
			return err
		}
	}
	return nil
}
