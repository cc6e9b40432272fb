// Package store keeps what is shared on disk (docs/MESH.md, section 5). A Source reads the files that
// are sent, a Sink writes those that come and keeps a journal, so that a transfer goes on after a crash.
//
// It verifies nothing and holds no key: whoever writes has checked the leaf, and Spec.Check tells what
// to make of roots and pieces that are found on disk. It never writes outside the folder that it is
// given, follows no symbolic link out of it, and never overwrites a file: what it has moved to its place
// is the person's, and is not written to any more.
package store

import (
	"errors"
	"fmt"

	"github.com/fanfare-relay/fanfare/mesh/manifest"
)

var (
	// ErrChanged: a file is not what it was when the transfer began.
	ErrChanged = errors.New("the file has changed since it was shared")
	// ErrFull: the disk has no room. What was stored stays; writing may be tried again.
	ErrFull = errors.New("the disk is full")
	// ErrTooLarge: the file system cannot hold a file of this size.
	ErrTooLarge = errors.New("the disk of this folder takes no file of this size")
	// ErrLost: the system took bytes and then gave back others, after it had failed to write them. The
	// next run finds out which, and fetches them again.
	ErrLost = errors.New("the disk has lost what was written to it")
	// ErrBusy: another process writes the same transfer into the same folder.
	ErrBusy = errors.New("another fanfare is fetching this into the same folder")
	// ErrReserved: a name that ends as the folder of an unfinished transfer does, with a journal that
	// somebody else may have written.
	ErrReserved = errors.New("this is what an unfinished transfer is called here, and might be taken for one; ask for it under another name")
	// ErrShort: Finish was called while a file that is wanted is not whole.
	ErrShort = errors.New("not everything is here yet")
)

// FileError tells which file an error is about. Its text is for people.
type FileError struct {
	Path string
	Err  error
}

func (e *FileError) Error() string { return fmt.Sprintf("%q: %v", e.Path, e.Err) }

// Unwrap gives the reason.
func (e *FileError) Unwrap() error { return e.Err }

// Root is the signed root of a piece.
type Root struct {
	Hash      [32]byte
	Signature [64]byte
}

// Checker judges what lies on disk, where anybody may have written it.
type Checker interface {
	// Signed tells whether the uploader has signed a root for a piece.
	Signed(piece int, root Root) bool
	// Genuine tells whether the bytes of a piece lead to its root.
	Genuine(piece int, root Root, bytes []byte) bool
}

// top is the first part of a manifest's path.
func top(path string) string {
	for i := range len(path) {
		if path[i] == '/' {
			return path[:i]
		}
	}
	return path
}

// eachSpan calls do with the runs of files that make up b, which lies at offset in the stream.
func eachSpan(l manifest.Layout, offset int64, b []byte, do func(manifest.Span, []byte) error) error {
	var few [8]manifest.Span
	for _, span := range l.AppendSpans(few[:0], offset, int64(len(b))) {
		if err := do(span, b[:span.Length]); err != nil {
			return err
		}
		b = b[span.Length:]
	}
	return nil
}
