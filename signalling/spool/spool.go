// Package spool keeps in memory what goes through the server by plain HTTP: recordings of streams while
// they are being made, and files for a while. All of it together stays within one bound; what does not
// fit is refused.
//
// It owns the memory and the timers that give it back. It knows neither HTTP nor who may have what, and
// writes nothing to a disk.
package spool

import (
	"errors"
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/fanfare-relay/fanfare/signalling/token"
)

// Errors.
var (
	// ErrFull: there is no room for it now.
	ErrFull = errors.New("no room in the memory for plain HTTP")
	// ErrOrder: a piece of a recording that is not the next one.
	ErrOrder = errors.New("not the next piece of the recording")
	// ErrOver: the recording has ended.
	ErrOver = errors.New("the recording has ended")
	// ErrRecording: bytes that are no recording which can be cut; what package fragment says of them follows.
	ErrRecording = errors.New("no recording that can be passed on")
	// ErrBehind: a player is so slow that what it needs next is forgotten.
	ErrBehind = errors.New("too slow for this recording")
)

// FileLife is how long a file is kept.
const FileLife = 10 * time.Minute

// Spool is safe for concurrent use.
type Spool struct {
	mu         sync.Mutex
	left       int64
	recordings map[string]*Recording // by stream
	files      map[string]*file
}

type file struct {
	data  []byte
	at    time.Time
	timer *time.Timer
}

// New makes a spool of so many bytes.
func New(most int64) *Spool {
	return &Spool{left: most, recordings: map[string]*Recording{}, files: map[string]*file{}}
}

// take reserves memory.
func (s *Spool) take(n int64) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if n > s.left {
		return fmt.Errorf("%w: %d bytes wanted, %d left", ErrFull, n, s.left)
	}
	s.left -= n
	return nil
}

func (s *Spool) give(n int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.left += n
}

// Left is how much there is room for.
func (s *Spool) Left() int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.left
}

// Store reads a file of a size and keeps it for FileLife. The identifier is an unguessable one. An error of
// reading leaves nothing behind; a body that is shorter is io.ErrUnexpectedEOF.
func (s *Spool) Store(size int64, body io.Reader) (id string, err error) {
	if err := s.take(size); err != nil {
		return "", err
	}
	f := &file{data: make([]byte, size), at: time.Now()}
	if _, err := io.ReadFull(body, f.data); err != nil && size > 0 {
		s.give(size)
		return "", err
	}
	id = token.NewID()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.files[id] = f
	f.timer = time.AfterFunc(FileLife, func() { s.Forget(id) })
	return id, nil
}

// File returns a file's bytes, which must not be changed, and since when they are there.
func (s *Spool) File(id string) (data []byte, at time.Time, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	f, ok := s.files[id]
	if !ok {
		return nil, time.Time{}, false
	}
	return f.data, f.at, true
}

// Forget lets go of a file before its time; false when there is none.
func (s *Spool) Forget(id string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	f, ok := s.files[id]
	if !ok {
		return false
	}
	f.timer.Stop()
	delete(s.files, id)
	s.left += int64(len(f.data))
	return true
}

// Close ends all recordings and forgets all files.
func (s *Spool) Close() {
	s.mu.Lock()
	var ids []string
	for id := range s.files {
		ids = append(ids, id)
	}
	var recordings []*Recording
	for _, r := range s.recordings {
		recordings = append(recordings, r)
	}
	s.mu.Unlock()
	for _, id := range ids {
		s.Forget(id)
	}
	for _, r := range recordings {
		r.Close()
	}
}
