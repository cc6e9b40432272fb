//go:build !windows

package store

import "syscall"

// fullErrors are those of a disk without room; EFBIG is also that of a limit which somebody set on files.
var fullErrors = []error{syscall.ENOSPC, syscall.EDQUOT, syscall.EFBIG}

// tooLarge is that of a file system whose files have a limit.
const tooLarge = syscall.EFBIG
