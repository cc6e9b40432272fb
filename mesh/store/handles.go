package store

import (
	"container/list"
	"sync"
)

// maxOpen is how many files of one transfer are open at a time.
const maxOpen = 64

// handles keeps a bounded number of files open, by their index in the manifest. The one that was used
// longest ago is closed first.
type handles struct {
	open func(int) (file, error)

	mu     sync.Mutex
	byFile map[int]*handle
	idle   list.List // of *handle, the one used last in front
}

type handle struct {
	file  int
	f     file
	users int
	at    *list.Element // in idle; nil while it is used
}

func newHandles(open func(int) (file, error)) *handles {
	return &handles{open: open, byFile: map[int]*handle{}}
}

// use calls do with an open file; other goroutines may use it at the same time.
func (h *handles) use(i int, do func(file) error) error {
	one, err := h.take(i)
	if err != nil {
		return err
	}
	err = do(one.f)
	h.release(one)
	return err
}

func (h *handles) take(file int) (*handle, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if one, ok := h.byFile[file]; ok {
		if one.at != nil {
			h.idle.Remove(one.at)
			one.at = nil
		}
		one.users++
		return one, nil
	}
	h.closeIdle(maxOpen - 1)
	f, err := h.open(file)
	if err != nil {
		return nil, err
	}
	one := &handle{file: file, f: f, users: 1}
	h.byFile[file] = one
	return one, nil
}

func (h *handles) release(one *handle) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if one.users--; one.users == 0 {
		one.at = h.idle.PushFront(one)
	}
}

// closeIdle closes files that nobody uses until no more than keep are open.
func (h *handles) closeIdle(keep int) {
	for len(h.byFile) > keep && h.idle.Len() > 0 {
		one := h.idle.Remove(h.idle.Back()).(*handle)
		delete(h.byFile, one.file)
		_ = one.f.Close() // written data was synced or will be, by another handle
	}
}

// close closes all files. Nobody may use one.
func (h *handles) close() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.closeIdle(0)
}
