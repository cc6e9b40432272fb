package store

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"golang.org/x/text/unicode/norm"

	"github.com/fanfare-relay/fanfare/mesh/manifest"
)

// Source is files and folders on disk as they were when it was made. Its methods may be called from
// several goroutines.
type Source struct {
	reads   func(path string) (*os.File, error)
	files   []manifest.File
	disk    []fixed
	layout  manifest.Layout
	handles *handles
}

// fixed is what must not change of a file while it is shared.
type fixed struct {
	path     string
	size     int64
	modified time.Time
}

// OpenSource looks at files and folders. Everything below a folder is shared, but for what cannot be read and what is
// neither a file nor a folder, such as a symbolic link: skipped is told of it. What is named itself must be readable;
// a symbolic link is followed there. Two things of the same name get different ones. The names are checked by the
// manifest's rules; files are opened, and nothing is read yet.
func OpenSource(paths []string, skipped func(path, why string)) (*Source, error) {
	return openSource(os.Open, paths, skipped)
}

func openSource(reads func(string) (*os.File, error), paths []string, skipped func(path, why string)) (*Source, error) {
	s := &Source{reads: reads}
	names := map[string]bool{}
	for _, p := range paths {
		name, err := baseName(p)
		if err != nil {
			return nil, err
		}
		name = freeName(name, func(n string) bool { return names[manifest.FoldPath(n)] })
		names[manifest.FoldPath(name)] = true
		if err := s.add(p, name, skipped); err != nil {
			return nil, err
		}
	}
	if err := manifest.CheckPaths(s.files); err != nil {
		return nil, err
	}
	s.layout = manifest.Manifest{Files: s.files}.Layout()
	s.handles = newHandles(s.open)
	return s, nil
}

// Files is what the manifest says of the files, in the order of the stream.
func (s *Source) Files() []manifest.File { return s.files }

// Total is the size of all files in bytes.
func (s *Source) Total() int64 { return s.layout.Total() }

// Close closes the files.
func (s *Source) Close() { s.handles.close() }

func baseName(p string) (string, error) {
	absolute, err := filepath.Abs(p)
	if err != nil {
		return "", err
	}
	name := filepath.Base(absolute)
	if name == string(filepath.Separator) || name == "." {
		return "", &FileError{p, errors.New("this is the root of a disk; share a folder in it")}
	}
	return norm.NFC.String(name), nil
}

// freeName gives "name", "name (2)", … the number before the extension, until one is not taken.
func freeName(name string, taken func(string) bool) string {
	ext := filepath.Ext(name)
	if ext == name { // ".profile"
		ext = ""
	}
	stem := strings.TrimSuffix(name, ext)
	free := name
	for n := 2; taken(free); n++ {
		free = fmt.Sprintf("%s (%d)%s", stem, n, ext)
	}
	return free
}

func (s *Source) add(p, name string, skipped func(path, why string)) error {
	info, err := os.Stat(p)
	switch {
	case err != nil:
		return &FileError{p, plain(err)}
	case info.Mode().IsRegular():
		if err := s.readable(p); err != nil {
			return &FileError{p, err}
		}
		return s.addFile(p, name, info)
	case !info.IsDir():
		return &FileError{p, errors.New("this is neither a file nor a folder")}
	}
	root, err := filepath.EvalSymlinks(p)
	if err != nil {
		return &FileError{p, plain(err)}
	}
	entries, err := s.list(root)
	if err != nil {
		return &FileError{p, err}
	}
	return s.addFolder(root, name, entries, skipped)
}

// readable tells by nil that a file can be opened: a receiver that has seen its name would ask for it for ever.
func (s *Source) readable(p string) error {
	f, err := s.reads(p)
	if err != nil {
		return plain(err)
	}
	return f.Close()
}

// list reads a folder, in the order of names.
func (s *Source) list(p string) ([]fs.DirEntry, error) {
	f, err := s.reads(p)
	if err != nil {
		return nil, plain(err)
	}
	entries, err := f.ReadDir(-1)
	if err := errors.Join(err, f.Close()); err != nil {
		return nil, plain(err)
	}
	slices.SortFunc(entries, func(a, b fs.DirEntry) int { return strings.Compare(a.Name(), b.Name()) })
	return entries, nil
}

func (s *Source) addFile(p, name string, info fs.FileInfo) error {
	if len(s.files) >= manifest.MaxEntries {
		return manifest.ErrEntries
	}
	absolute, err := filepath.Abs(p) // the process may change its folder
	if err != nil {
		return err
	}
	s.disk = append(s.disk, fixed{absolute, info.Size(), info.ModTime()})
	s.files = append(s.files, manifest.File{Path: name, Size: info.Size(), Modified: seconds(info.ModTime())})
	return nil
}

// addFolder adds all that is in a folder and below; one that ends up empty is an entry of its own.
func (s *Source) addFolder(root, name string, entries []fs.DirEntry, skipped func(path, why string)) error {
	before := len(s.files)
	for _, e := range entries {
		if err := s.addEntry(filepath.Join(root, e.Name()), path.Join(name, norm.NFC.String(e.Name())), e, skipped); err != nil {
			return err
		}
	}
	if len(s.files) > before {
		return nil
	}
	info, err := os.Stat(root)
	if err != nil {
		return &FileError{root, plain(err)}
	}
	s.disk = append(s.disk, fixed{path: root})
	s.files = append(s.files, manifest.File{Path: name + "/", Modified: seconds(info.ModTime())})
	return nil
}

// addEntry adds what was found in a folder, or has it skipped.
func (s *Source) addEntry(p, name string, e fs.DirEntry, skipped func(path, why string)) error {
	switch {
	case e.IsDir() && strings.HasSuffix(e.Name(), partSuffix):
		skipped(p, "it is a transfer that is not finished")
	case e.IsDir():
		entries, err := s.list(p)
		if err != nil {
			skipped(p, err.Error())
			return nil
		}
		return s.addFolder(p, name, entries, skipped)
	case e.Type().IsRegular():
		info, err := e.Info()
		if err != nil {
			return &FileError{p, plain(err)}
		}
		if err := s.readable(p); err != nil {
			skipped(p, err.Error())
			return nil
		}
		return s.addFile(p, name, info)
	default:
		skipped(p, "it is "+kindOf(e.Type()))
	}
	return nil
}

func kindOf(mode fs.FileMode) string {
	switch {
	case mode&fs.ModeSymlink != 0:
		return "a symbolic link"
	case mode&fs.ModeNamedPipe != 0:
		return "a pipe"
	case mode&fs.ModeSocket != 0:
		return "a socket"
	case mode&fs.ModeDevice != 0:
		return "a device"
	}
	return "no ordinary file"
}

// seconds is a time as the manifest has it; 0 for one that it cannot say.
func seconds(t time.Time) int64 {
	if at := t.Unix(); at >= 0 && at <= manifest.MaxTime {
		return at
	}
	return 0
}

// ReadPiece fills b with the bytes of a piece. It fails with a FileError of ErrChanged when a file is
// not what it was: another size, another time, or gone.
func (s *Source) ReadPiece(piece int, b []byte) error { return s.ReadLeaves(piece, 0, b) }

// ReadLeaves fills b with the bytes of a piece from a leaf on. It fails as ReadPiece does.
func (s *Source) ReadLeaves(piece, leaf int, b []byte) error {
	return eachSpan(s.layout, s.layout.LeafStart(piece, leaf), b, func(span manifest.Span, b []byte) error {
		err := s.handles.use(span.File, func(f file) error { return s.read(f, span, b) })
		if err != nil {
			return &FileError{s.files[span.File].Path, err}
		}
		return nil
	})
}

func (s *Source) open(i int) (file, error) {
	f, err := s.reads(s.disk[i].path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, ErrChanged
	}
	if err != nil {
		return nil, plain(err)
	}
	return f, nil
}

// read reads first and looks at size and time afterwards, so that a change in between is seen.
func (s *Source) read(f file, span manifest.Span, b []byte) error {
	_, err := f.ReadAt(b, span.Offset)
	if err != nil && !errors.Is(err, io.EOF) {
		return plain(err)
	}
	info, statErr := f.Stat()
	if statErr != nil {
		return plain(statErr)
	}
	if was := s.disk[span.File]; err != nil || info.Size() != was.size || !info.ModTime().Equal(was.modified) {
		return ErrChanged
	}
	return nil
}
