package spool

import (
	"context"
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/fanfare-relay/fanfare/media/fragment"
)

const (
	// ringSize is what is kept of a recording for those who come late or are slow, in bytes: half a minute
	// of 2 Mbit/s.
	ringSize = 8 << 20
	// recordingSize is what one recording may have in memory.
	recordingSize = ringSize + fragment.MaxHeld + fragment.MaxInit
	// idle ends a recording to which nothing is added.
	idle = 10 * time.Second
)

// Recording is one stream as it is being recorded: one who adds to it, many who play it. It is safe for
// concurrent use.
type Recording struct {
	// ID tells this recording from those before it, and Kind is its media type; both by the uploader's word.
	ID, Kind string

	spool  *Spool
	stream string
	timer  *time.Timer

	mu      sync.Mutex
	cut     fragment.Splitter
	pieces  int // pushed so far
	init    []byte
	parts   []fragment.Part
	first   int // number of parts[0]
	key     int // number of the last part that a player can begin with, -1: none yet
	bytes   int
	over    bool
	changed chan struct{} // closed at the next change
}

// Record begins a recording of a stream, and ends the one before it. With the same identifier it is the
// one that is there.
func (s *Spool) Record(stream, id, kind string) (*Recording, error) {
	old := s.Recording(stream)
	if old != nil && old.ID == id {
		return old, nil
	}
	if old != nil {
		old.Close()
	}
	if err := s.take(recordingSize); err != nil {
		return nil, err
	}
	r := &Recording{ID: id, Kind: kind, spool: s, stream: stream, key: -1, changed: make(chan struct{})}
	r.timer = time.AfterFunc(idle, r.Close)
	s.mu.Lock()
	before := s.recordings[stream]
	s.recordings[stream] = r
	s.mu.Unlock()
	if before != nil {
		before.Close() // another request was a moment faster
	}
	return r, nil
}

// Recording returns that of a stream, nil when there is none.
func (s *Spool) Recording(stream string) *Recording {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.recordings[stream]
}

// Close ends it: players have what is there, and then io.EOF.
func (r *Recording) Close() {
	r.mu.Lock()
	was := r.over
	r.over = true
	r.wake()
	r.mu.Unlock()
	if was {
		return
	}
	r.timer.Stop()
	r.spool.mu.Lock()
	defer r.spool.mu.Unlock()
	r.spool.left += recordingSize
	if r.spool.recordings[r.stream] == r {
		delete(r.spool.recordings, r.stream)
	}
}

// wake is called with mu held.
func (r *Recording) wake() {
	close(r.changed)
	r.changed = make(chan struct{})
}

// Push adds piece number n, counted from 0. One that was there before is taken for a repeat, and nothing
// happens. Errors: ErrOrder, ErrOver, and ErrRecording, after which it is of no more use.
func (r *Recording) Push(n int, data []byte) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	switch {
	case r.over:
		return ErrOver
	case n < r.pieces:
		return nil
	case n > r.pieces:
		return fmt.Errorf("%w: %d, not %d", ErrOrder, r.pieces, n)
	}
	r.timer.Reset(idle)
	r.pieces++
	parts, err := r.cut.Push(data)
	for _, p := range parts {
		r.add(p)
	}
	r.wake()
	if err != nil {
		return fmt.Errorf("%w: %w", ErrRecording, err)
	}
	return nil
}

// add is called with mu held.
func (r *Recording) add(p fragment.Part) {
	if p.Init {
		r.init = append(r.init, p.Data...)
		return
	}
	if p.Key {
		r.key = r.first + len(r.parts)
	}
	r.parts = append(r.parts, p)
	r.bytes += len(p.Data)
	for r.bytes > ringSize && len(r.parts) > 1 {
		r.bytes -= len(r.parts[0].Data)
		r.parts[0].Data = nil
		r.parts = r.parts[1:]
		r.first++
	}
}

// Started tells whether there is a place to begin.
func (r *Recording) Started() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.started()
}

func (r *Recording) started() bool { return r.key >= r.first }

// Player plays one recording from its latest place to begin. It belongs to one goroutine.
type Player struct {
	r     *Recording
	begun bool
	at    int
}

// Play makes a player.
func (r *Recording) Play() *Player { return &Player{r: r} }

// Next returns the bytes that follow, as soon as there are any; they must not be changed. Errors: io.EOF
// when the recording has ended, ErrBehind, and that of ctx.
func (p *Player) Next(ctx context.Context) ([]byte, error) {
	for {
		data, changed, err := p.look()
		if data != nil || err != nil {
			return data, err
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

func (p *Player) look() (data []byte, changed <-chan struct{}, err error) {
	r := p.r
	r.mu.Lock()
	defer r.mu.Unlock()
	switch {
	case !p.begun && r.started():
		p.begun, p.at = true, r.key
		return append([]byte(nil), r.init...), nil, nil
	case p.begun && p.at < r.first:
		return nil, nil, ErrBehind
	case p.begun && p.at < r.first+len(r.parts):
		data = r.parts[p.at-r.first].Data
		p.at++
		return data, nil, nil
	case r.over:
		return nil, nil, io.EOF
	}
	return nil, r.changed, nil
}
