//go:build !windows

package store

import (
	"errors"
	"syscall"
)

// isFull: also a limit on the size of files says that there is no room.
func isFull(err error) bool {
	return errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) || errors.Is(err, syscall.EFBIG)
}

// isReadOnly covers what os.ErrPermission does not: a read-only file system, and a path on
// which a file stands where a folder should be.
func isReadOnly(err error) bool {
	return errors.Is(err, syscall.EROFS) || errors.Is(err, syscall.ENOTDIR) || errors.Is(err, syscall.EEXIST) ||
		errors.Is(err, syscall.EISDIR)
}
