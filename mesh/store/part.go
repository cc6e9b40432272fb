package store

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"strings"

	"github.com/fanfare-relay/fanfare/mesh/manifest"
)

// signatureSize is what stands before the CBOR in a blob. A manifest that was signed anew is the same.
const signatureSize = 64

// Identity gives what Spec.Identity was for an unfinished transfer of a room in a folder.
func Identity(out, room string) ([]byte, bool) {
	root, err := os.OpenRoot(out)
	if err != nil {
		return nil, false
	}
	defer func() { _ = root.Close() }()
	for _, name := range parts(root) {
		if f, p, err := openJournal(root, name); err == nil {
			_ = f.Close()
			if p.room == room && p.identity != nil {
				return p.identity, true
			}
		}
	}
	return nil, false
}

// parts lists the folders of unfinished transfers.
func parts(root *os.Root) (names []string) {
	entries, err := fs.ReadDir(root.FS(), ".")
	if err != nil {
		return nil
	}
	for _, e := range entries {
		if e.IsDir() && strings.HasSuffix(e.Name(), partSuffix) {
			names = append(names, e.Name())
		}
	}
	return names
}

func openJournal(root *os.Root, part string) (*os.File, past, error) {
	f, err := root.OpenFile(path.Join(part, journalName), os.O_RDWR, 0)
	if err != nil {
		return nil, past{}, err
	}
	p, err := readJournal(f)
	if err != nil {
		_ = f.Close()
		return nil, past{}, err
	}
	return f, p, nil
}

// find opens the journal of an unfinished transfer of this manifest, if there is one.
func (s *Sink) find() (past, error) {
	for _, name := range parts(s.out) {
		f, p, err := openJournal(s.out, name)
		if err != nil {
			continue // another program's, or of another version: not ours to touch
		}
		if p.room != s.spec.Room || !bytes.Equal(p.blob[signatureSize:], s.spec.Blob[signatureSize:]) {
			_ = f.Close()
			continue
		}
		s.journal, s.part = f, name
		if err := lock(f); err != nil {
			return p, err
		}
		if err := f.Truncate(int64(p.length)); err != nil {
			return p, err
		}
		s.length = int64(p.length)
		s.inside, err = s.out.OpenRoot(name)
		return p, err
	}
	return past{}, nil
}

// begin makes the folder of a new transfer, its journal, and all files in their sizes.
func (s *Sink) begin() error {
	name := s.partName()
	for n := 1; ; n++ {
		s.part = name + partSuffix
		if n > 1 {
			s.part = fmt.Sprintf("%s (%d)%s", name, n, partSuffix)
		}
		err := s.out.Mkdir(s.part, 0o777)
		if err == nil {
			break
		}
		if !errors.Is(err, fs.ErrExist) {
			return err
		}
	}
	err := s.fill()
	if err != nil {
		_ = s.out.RemoveAll(s.part) // nothing is in it
	}
	return err
}

// fill makes what is in that folder.
func (s *Sink) fill() error {
	var err error
	if s.inside, err = s.out.OpenRoot(s.part); err != nil {
		return err
	}
	if err := s.inside.Mkdir(filesName, 0o777); err != nil {
		return err
	}
	if s.journal, err = s.inside.OpenFile(journalName, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600); err != nil {
		return err
	}
	if err := lock(s.journal); err != nil {
		return err
	}
	if err := s.makeAll(); err != nil {
		return err
	}
	head := append([]byte(journalMagic), manifestRecord(s.spec.Room, s.spec.Blob)...)
	head = appendRecord(head, recordIdentity, s.spec.Identity)
	head = appendRecord(head, recordSelected, s.selection())
	return s.note(head)
}

// partName is what people recognise the unfinished transfer by.
func (s *Sink) partName() string {
	const longest = 100 // bytes, so that suffixes fit
	if len(s.spec.Manifest.Files) == 0 {
		return "text"
	}
	name := top(s.spec.Manifest.Files[0].Path)
	if len(name) > longest {
		name = strings.ToValidUTF8(name[:longest], "")
	}
	return name
}

func (s *Sink) selection() []byte {
	b := make([]byte, len(s.spec.Manifest.Files))
	for i := range b {
		if s.Selected(i) {
			b[i] = 1
		}
	}
	return b
}

// restore takes up where the journal ends. Files that are not as the journal says are made anew.
func (s *Sink) restore(p past) error {
	for i, root := range p.roots {
		if i < len(s.roots) {
			s.roots[i], s.known[i], s.dirtied[i] = root, true, true
		}
	}
	for _, run := range p.whole {
		for i := run[0]; i < min(run[0]+run[1], len(s.whole)); i++ {
			s.whole[i] = s.known[i]
		}
	}
	for name, final := range p.placed {
		if s.moved(name, final) {
			s.placed[name] = final
		}
	}
	selection := s.selection()
	for i, f := range s.spec.Manifest.Files {
		if i < len(p.selected) && p.selected[i] == selection[i] && (selection[i] == 0 || s.asMade(i, f)) {
			continue
		}
		s.forget(i)
	}
	if err := s.makeAll(); err != nil {
		return err
	}
	return s.note(appendRecord(nil, recordSelected, selection))
}

// moved tells whether the last run came so far as to move a finished file or folder to its place.
func (s *Sink) moved(name, final string) bool {
	_, before := s.inside.Lstat(path.Join(filesName, name))
	_, after := s.out.Lstat(final)
	return errors.Is(before, fs.ErrNotExist) && after == nil
}

func (s *Sink) asMade(i int, f manifest.File) bool {
	root, name := s.where(i)
	info, err := root.Lstat(name)
	return err == nil && (f.Folder() && info.IsDir() || info.Mode().IsRegular() && info.Size() == f.Size)
}

// forget fetches a file's pieces again.
func (s *Sink) forget(file int) {
	first, end := s.layout.FilePieces(file)
	for i := first; i < end; i++ {
		s.whole[i], s.dirtied[i] = false, true
	}
}

// where is a file: in the folder of the unfinished transfer, or at its place.
func (s *Sink) where(file int) (*os.Root, string) {
	name := s.spec.Manifest.Files[file].Path
	name = strings.TrimSuffix(name, "/")
	if final, ok := s.placed[top(name)]; ok {
		return s.out, final + name[len(top(name)):]
	}
	return s.inside, path.Join(filesName, name)
}

// makeAll makes the files that are wanted, each in its whole size and full of holes.
func (s *Sink) makeAll() error {
	folders := map[string]bool{filesName: true, ".": true}
	for i, f := range s.spec.Manifest.Files {
		if !s.Selected(i) {
			continue
		}
		root, name := s.where(i)
		if root != s.inside {
			continue
		}
		folder := path.Dir(name)
		if f.Folder() {
			folder = name
		}
		if !folders[folder] {
			if err := root.MkdirAll(folder, 0o777); err != nil {
				return err
			}
			folders[folder] = true
		}
		if !f.Folder() {
			if err := s.makeFile(i, f); err != nil {
				return err
			}
		}
	}
	for folder := range folders {
		syncFolder(s.inside, folder)
	}
	syncFolder(s.out, ".")
	return nil
}

// makeFile makes one file, unless it is there as it was made. Bits for running it or for others to
// write are nothing that a stranger's manifest could ask for.
func (s *Sink) makeFile(i int, f manifest.File) error {
	if s.asMade(i, f) {
		return nil
	}
	root, name := s.where(i)
	if err := root.RemoveAll(name); err != nil {
		return err
	}
	made, err := root.OpenFile(name, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o666)
	if err != nil {
		return err
	}
	return errors.Join(made.Truncate(f.Size), made.Close())
}

// syncFolder makes names last. Not every system can, and there is nothing else to do then.
func syncFolder(root *os.Root, name string) {
	if f, err := root.Open(name); err == nil {
		_ = f.Sync()
		_ = f.Close()
	}
}
