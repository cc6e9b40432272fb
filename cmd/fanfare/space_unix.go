//go:build linux || darwin || freebsd

package main

import "golang.org/x/sys/unix"

// freeSpace is how many bytes a person without special rights may still write to the disk of a folder.
func freeSpace(dir string) (int64, error) {
	var st unix.Statfs_t
	if err := unix.Statfs(dir, &st); err != nil {
		return 0, err
	}
	// The types of both differ from system to system. What is kept for root may be in use: then there is less than nothing.
	return int64(max(0, float64(st.Bavail)*float64(st.Bsize))), nil
}
