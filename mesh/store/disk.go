package store

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
)

// file is what this package does with an open file; *os.File is one. Tests put a disk that fills up
// or fails between.
type file interface {
	io.ReaderAt
	io.WriterAt
	io.Closer
	Stat() (fs.FileInfo, error)
	Sync() error
}

// disk wraps files as they are opened to be written.
type disk func(*os.File) file

func bare(f *os.File) file { return f }

// wrapFull gives errors of a full disk a name that callers know.
func wrapFull(err error) error {
	if err == nil || errors.Is(err, ErrFull) {
		return err
	}
	for _, full := range fullErrors {
		if errors.Is(err, full) {
			return fmt.Errorf("%w: %w", ErrFull, err)
		}
	}
	return err
}

// syncFolder makes names last. Not every system can, and there is nothing else to do then.
func syncFolder(root *os.Root, name string) {
	if f, err := root.Open(name); err == nil {
		_ = f.Sync()
		_ = f.Close()
	}
}

// plain takes the path out of an error of the system, since FileError names it.
func plain(err error) error {
	if inner := (*fs.PathError)(nil); errors.As(err, &inner) {
		return inner.Err
	}
	return err
}
