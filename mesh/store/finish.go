package store

import (
	"errors"
	"io/fs"
	"os"
	"path"
	"strings"
	"time"

	"golang.org/x/text/unicode/norm"
)

// Finish moves what is wanted to its place, under another name where one is taken: "name (2).ext".
// It returns the names below the folder, one for each that stands first in a path. It fails with
// ErrShort when something that is wanted is not whole, and with ErrFull; it may be called again then.
// Nothing else is moved with it, such as files of the same folder that another run had begun. The
// pieces can still be read afterwards. Until Close the journal tells the next run that all is here.
func (s *Sink) Finish() ([]string, error) {
	if s.Missing() {
		return nil, ErrShort
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
	s.finished = true
	return names, nil
}

// setTimes gives files the times of the manifest. One that cannot be set is no loss.
func (s *Sink) setTimes() {
	for i, f := range s.spec.Manifest.Files {
		if root, name := s.where(i); root == s.inside && s.Selected(i) && f.Modified > 0 && !f.Folder() {
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
			if err := s.setAside(name); err != nil {
				return nil, err
			}
			if err := s.placeOne(name); err != nil {
				return nil, err
			}
		}
		names = append(names, s.placed[name])
	}
	return names, nil
}

// setAside takes out of a folder what is not wanted of it, so that moving the folder moves nothing that
// is not whole: what shares a piece with what is wanted, what another run had begun, what somebody put
// there. It fails when something that is wanted has gone.
func (s *Sink) setAside(name string) error {
	wanted, others := s.below(name)
	found, err := s.walk(name)
	if err != nil {
		return err
	}
	for i := len(found) - 1; i >= 0; i-- { // what is in a folder before the folder
		at := norm.NFC.String(found[i].path) // some systems store names in another form
		folder, ok := wanted[at]
		switch {
		case ok && folder == found[i].IsDir() && (folder || found[i].Type().IsRegular()):
			delete(wanted, at)
		case found[i].IsDir():
			_ = s.inside.Remove(path.Join(filesName, found[i].path)) // fails for those that are not empty
		default:
			if err := s.moveAside(found[i].path); err != nil {
				return err
			}
			if file, ok := others[at]; ok {
				s.aside[file] = true
			}
		}
	}
	for gone := range wanted {
		return &FileError{gone, fs.ErrNotExist}
	}
	return nil
}

// below gives what the manifest has below a first name: paths that are wanted, and whether they are
// folders, and the others with their files.
func (s *Sink) below(name string) (wanted map[string]bool, others map[string]int) {
	wanted, others = map[string]bool{}, map[string]int{}
	for i, f := range s.spec.Manifest.Files {
		switch {
		case top(f.Path) != name:
		case s.Selected(i):
			wanted[s.inTree(i)] = f.Folder()
		default:
			others[s.inTree(i)] = i
		}
	}
	return wanted, others
}

type entry struct {
	fs.DirEntry
	path string // below the folder of files
}

// walk lists a first name and all below it, folders before what is in them.
func (s *Sink) walk(name string) (found []entry, err error) {
	err = fs.WalkDir(s.inside.FS(), path.Join(filesName, name), func(at string, d fs.DirEntry, err error) error {
		if err == nil {
			found = append(found, entry{d, strings.TrimPrefix(at, filesName+"/")})
		}
		return err
	})
	return found, err
}

func (s *Sink) moveAside(name string) error {
	to := path.Join(asideName, name)
	if err := s.inside.MkdirAll(path.Dir(to), 0o777); err != nil {
		return err
	}
	return s.inside.Rename(path.Join(filesName, name), to)
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
		if err := s.journal.note(placedRecord(name, final)); err != nil {
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
