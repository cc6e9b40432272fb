package store

import (
	"errors"
	"io/fs"
	"os"
	"path"
	"time"
)

// Finish moves what is whole to its place, under another name where one is taken: "name (2).ext".
// It returns the names below the folder, one for each that stands first in a path. It fails with
// ErrShort when something that is wanted is not whole. The pieces can still be read afterwards.
func (s *Sink) Finish() ([]string, error) {
	for i := range s.whole {
		if !s.Whole(i) && s.Wanted(i) {
			return nil, ErrShort
		}
	}
	if err := s.Flush(); err != nil {
		return nil, err
	}
	s.moving.Lock()
	defer s.moving.Unlock()
	s.handles.close() // some systems move no open file
	s.setTimes()
	names, err := s.placeAll()
	if err != nil {
		return nil, wrapFull(err)
	}
	syncFolder(s.out, ".")
	if err := s.inside.Remove(journalName); err != nil {
		return nil, err
	}
	s.finished = true
	return names, nil
}

// setTimes gives files the times of the manifest. One that cannot be set is no loss.
func (s *Sink) setTimes() {
	for i, f := range s.spec.Manifest.Files {
		if s.Selected(i) && f.Modified > 0 && !f.Folder() {
			root, name := s.where(i)
			at := time.Unix(f.Modified, 0)
			_ = root.Chtimes(name, at, at)
		}
	}
}

func (s *Sink) placeAll() (names []string, err error) {
	done := map[string]bool{}
	for i, f := range s.spec.Manifest.Files {
		name := top(f.Path)
		if done[name] || !s.Selected(i) {
			continue
		}
		done[name] = true
		if _, ok := s.placed[name]; !ok {
			if err := s.placeOne(name); err != nil {
				return nil, err
			}
		}
		names = append(names, s.placed[name])
	}
	return names, nil
}

// placeOne moves a file or a folder. The journal is told first, so that a crash right after does not
// make it look lost.
func (s *Sink) placeOne(name string) error {
	from := path.Join(filesName, name)
	info, err := s.inside.Lstat(from)
	if err != nil {
		return err
	}
	taken := map[string]bool{}
	for {
		var failed error // a name that cannot be looked at is not taken, and no other will be better
		final := freeName(name, func(n string) bool {
			_, err := s.out.Lstat(n)
			if err != nil && !errors.Is(err, fs.ErrNotExist) {
				failed = err
			}
			return taken[n] || err == nil
		})
		if failed != nil {
			return failed
		}
		if err := s.note(placedRecord(name, final)); err != nil {
			return err
		}
		switch err := s.move(path.Join(s.part, from), final, info); {
		case err == nil:
			s.placed[name] = final
			return nil
		case !errors.Is(err, fs.ErrExist):
			return err
		}
		taken[final] = true // somebody was quicker
	}
}

// move never overwrites: a second name of a file is refused where one exists, and a folder takes at
// most the place of an empty one. Where a file cannot have two names, the look before has to do.
func (s *Sink) move(from, to string, info fs.FileInfo) error {
	if info.IsDir() {
		return s.out.Rename(from, to)
	}
	err := s.out.Link(from, to)
	if err == nil {
		return s.out.Remove(from)
	}
	if errors.Is(err, fs.ErrExist) {
		return err
	}
	if _, e := s.out.Lstat(to); !errors.Is(e, fs.ErrNotExist) {
		return os.ErrExist
	}
	return s.out.Rename(from, to)
}
