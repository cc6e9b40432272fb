//go:build amd64 || arm64

package prefetch

import "unsafe"

// fetch asks for n lines, at least one, from the one that p lies in.
//
//go:noescape
func fetch(p unsafe.Pointer, n uintptr)
