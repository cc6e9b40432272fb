// Package manifest owns what is shared (docs/MESH.md, section 5): the list of files, its one form in
// CBOR (RFC 8949 section 4.2.1), the rules for paths, the way in which the files are cut in pieces and
// leaves, and the texts that the uploader signs.
//
// It reads no file, holds no key and writes nothing: signing and checking are functions that it is
// given.
package manifest

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"unicode/utf8"
)

// Limits of docs/MESH.md, sections 5 and 8.
const (
	// Version of the form, the member "v".
	Version = 1
	// LeafSize is the length of a leaf in bytes; only the last of all may be shorter.
	LeafSize = 64 << 10
	// MaxBlob is the length of signature and CBOR in bytes.
	MaxBlob = 4 << 20
	// MaxEntries is the number of files and empty folders.
	MaxEntries = 10_000
	// MaxTotal is the size of all files together in bytes: 1 TiB. So no manifest makes a receiver
	// keep more than MaxPieces facts, and sizes are exact in JavaScript.
	MaxTotal = 1 << 40
	// MaxPieces follows from MaxTotal.
	MaxPieces = MaxTotal / maxPiece
	// MaxText is the length of a shared text in bytes.
	MaxText = 64 << 10
	// MaxTime is the last second that a time may name, the end of the year 9999.
	MaxTime = 253_402_300_799
)

// What can be wrong with a manifest beside its paths, which have a Rule each.
var (
	ErrForm      = errors.New("the manifest is not CBOR in its one form")
	ErrVersion   = errors.New("the manifest is of a version that this program does not know")
	ErrLarge     = fmt.Errorf("the manifest is larger than %d bytes", MaxBlob)
	ErrEntries   = fmt.Errorf("there are more than %d files and folders: share fewer, or an archive of them", MaxEntries)
	ErrNothing   = errors.New("nothing is shared: choose a file or write a text")
	ErrTotal     = errors.New("the files are larger than 1 TiB together: share fewer")
	ErrTime      = errors.New("a time is before 1970 or after the year 9999")
	ErrText      = fmt.Errorf("the text is longer than %d bytes or not UTF-8: share it as a file", MaxText)
	ErrCut       = errors.New("the sizes of leaves and pieces are not those that belong to the files")
	ErrSignature = errors.New("the manifest is not signed by the one who made the link")
)

// File is a file or, where Path ends in "/", a folder that is empty.
type File struct {
	Path string // relative, by the rules of CheckPath
	Size int64  // bytes; 0 for a folder
	// Modified is in seconds since the epoch, 0 where it is not known.
	Modified int64
}

// Folder tells whether f is an empty folder.
func (f File) Folder() bool { return len(f.Path) > 0 && f.Path[len(f.Path)-1] == '/' }

// Manifest is what is shared. Sizes of leaves and pieces follow from it and are not kept.
type Manifest struct {
	Files   []File // in the order of the stream
	Created int64  // seconds since the epoch
	Text    string // a text that is shared, "" for none
}

// ID names a manifest: the SHA-256 of its CBOR.
type ID [sha256.Size]byte

// Total is the size of all files together in bytes, at most MaxTotal where m is good.
func (m Manifest) Total() int64 {
	var total int64
	for _, f := range m.Files {
		total += f.Size
	}
	return total
}

// Check tells the first rule that m breaks: one of this package's errors, or a *PathError.
func (m Manifest) Check() error {
	if len(m.Files) == 0 && m.Text == "" {
		return ErrNothing
	}
	if len(m.Files) > MaxEntries {
		return ErrEntries
	}
	if len(m.Text) > MaxText || !utf8.ValidString(m.Text) {
		return ErrText
	}
	if !goodTime(m.Created) {
		return ErrTime
	}
	if err := CheckPaths(m.Files); err != nil {
		return err
	}
	return checkNumbers(m.Files)
}

// checkNumbers looks at sizes and times; a sum that is too large is noticed before it overflows.
func checkNumbers(files []File) error {
	left := int64(MaxTotal)
	for _, f := range files {
		if !goodTime(f.Modified) {
			return fmt.Errorf("%q: %w", f.Path, ErrTime)
		}
		if f.Size < 0 || f.Size > left {
			return fmt.Errorf("%q: %w", f.Path, ErrTotal)
		}
		left -= f.Size
	}
	return nil
}

func goodTime(seconds int64) bool { return seconds >= 0 && seconds <= MaxTime }
