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

// Earlier is what an unfinished transfer says of itself. Nothing of it was checked.
type Earlier struct {
	Identity, Signer, Blob []byte // as in Spec
	Placed                 bool   // something of it was moved to its place, or was about to be
}

// Find looks for an unfinished transfer of a room in a folder.
func Find(out, room string) (Earlier, bool) {
	root, err := os.OpenRoot(out)
	if err != nil {
		return Earlier{}, false
	}
	defer func() { _ = root.Close() }()
	for _, name := range parts(root) {
		if f, p, err := openJournal(root, name); err == nil {
			_ = f.Close()
			if p.room == room && p.identity != nil {
				return Earlier{p.identity, p.signer, p.blob, len(p.placed) > 0}, true
			}
		}
	}
	return Earlier{}, false
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
		length := int64(p.length)
		s.journal, s.part = &journal{f: s.disk(f), length: length, synced: length}, name
		if err := lock(f); err != nil {
			return p, err
		}
		if err := f.Truncate(length); err != nil {
			return p, err
		}
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
		if info, err := s.out.Lstat(s.part); err == nil && info.IsDir() {
			_ = s.out.Remove(s.part) // one that is empty is what an end that was cut short has left
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
	f, err := s.inside.OpenFile(journalName, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	s.journal = &journal{f: s.disk(f)}
	if err := lock(f); err != nil {
		return err
	}
	if err := s.makeAll(); err != nil {
		return err
	}
	head := append([]byte(journalMagic), manifestRecord(s.spec.Room, s.spec.Blob)...)
	head = appendRecord(head, recordIdentity, s.spec.Identity)
	head = appendRecord(head, recordSigner, s.spec.Signer)
	return s.journal.note(head)
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

// restore takes up where the journal ends. Files that are not as they were made are made anew.
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
	if err := s.findAside(); err != nil {
		return err
	}
	if err := s.takeBackShort(); err != nil {
		return err
	}
	return s.makeAll()
}

// present tells whether a file is on disk while the transfer is not finished: it is wanted, or holds
// some of a piece that is.
func (s *Sink) present(file int) bool {
	first, end := s.layout.FilePieces(file)
	return s.Selected(file) || first < end && (s.wanted[first] || s.wanted[end-1])
}

// where is a file: in the folder of the unfinished transfer, or at its place.
func (s *Sink) where(file int) (*os.Root, string) {
	name := s.inTree(file)
	if s.aside[file] {
		return s.inside, path.Join(asideName, name)
	}
	if final, ok := s.placed[top(name)]; ok && s.Selected(file) {
		return s.out, final + name[len(top(name)):]
	}
	return s.inside, path.Join(filesName, name)
}

// inTree is a file's path without the mark of an empty folder.
func (s *Sink) inTree(file int) string {
	return strings.TrimSuffix(s.spec.Manifest.Files[file].Path, "/")
}

func (s *Sink) asMade(i int, f manifest.File) bool {
	root, name := s.where(i)
	info, err := root.Lstat(name)
	return err == nil && (f.Folder() && info.IsDir() || info.Mode().IsRegular() && info.Size() == f.Size)
}

// makeAll makes the files that are needed, each in its whole size and full of holes, and leaves those
// alone that are there.
func (s *Sink) makeAll() error {
	folders := map[string]bool{".": true}
	for i, f := range s.spec.Manifest.Files {
		if !s.present(i) || s.asMade(i, f) {
			continue
		}
		root, name := s.where(i)
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

// makeFile makes one file. Bits for running it or for others to write are nothing that a stranger's
// manifest could ask for.
func (s *Sink) makeFile(i int, f manifest.File) error {
	s.forget(i)
	root, name := s.where(i)
	if err := root.RemoveAll(name); err != nil {
		return err
	}
	made, err := root.OpenFile(name, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o666)
	if err != nil {
		return err
	}
	err = errors.Join(made.Truncate(f.Size), made.Close())
	if errors.Is(err, tooLarge) {
		return &FileError{f.Path, ErrTooLarge}
	}
	return err
}

// forget fetches a file's pieces again, unless Recheck finds them.
func (s *Sink) forget(file int) {
	first, end := s.layout.FilePieces(file)
	for i := first; i < end; i++ {
		s.whole[i], s.dirtied[i] = false, s.resumed
	}
}
