package store

import "golang.org/x/sys/windows"

// fullErrors are those of a disk without room.
var fullErrors = []error{windows.ERROR_DISK_FULL, windows.ERROR_HANDLE_DISK_FULL, windows.ERROR_DISK_QUOTA_EXCEEDED}

// tooLarge is that of a file system whose files have a limit.
const tooLarge = windows.ERROR_FILE_TOO_LARGE
