package endpoint

import (
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/fanfare-relay/fanfare/media"
	"github.com/fanfare-relay/fanfare/media/container"
)

// Clip is one file to publish.
type Clip struct {
	// Name for people.
	Name string
	// Open may be called several times.
	Open func() (container.Reader, error)
}

// FileClip returns the clip of a file on disk.
func FileClip(path string) Clip {
	return Clip{Name: path, Open: func() (container.Reader, error) { return container.Open(path) }}
}

// playlist reads clips one after another onto a timeline. It is used by one goroutine.
type playlist struct {
	clips []Clip
	loop  bool
	line  timeline
	say   func(clip, note string)

	index  int
	reader container.Reader
	tracks []container.Track
	empty  int // clips in a row that gave no frame
	keys   keyFinder
	held   *placed // taken back by unread
}

// next returns the next frame, io.EOF behind the last clip.
func (p *playlist) next() (placed, error) {
	if p.held != nil {
		f := *p.held
		p.held = nil
		return f, nil
	}
	for {
		if p.reader == nil {
			if err := p.open(); err != nil {
				return placed{}, err
			}
		}
		f, err := p.reader.Next()
		if err != nil {
			if !errors.Is(err, io.EOF) {
				p.say(p.clips[p.index].Name, line(err.Error())+"; going on behind it")
			}
			p.closeClip()
			p.index++
			p.line.nextFile()
			continue
		}
		if out, ok := p.line.place(f, p.tracks[f.Track].Codec); ok {
			p.empty = 0
			return out, nil
		}
	}
}

// unread gives a frame back; next returns it again.
func (p *playlist) unread(f placed) { p.held = &f }

func (p *playlist) open() error {
	if p.index >= len(p.clips) {
		if !p.loop {
			return io.EOF
		}
		p.index = 0
	}
	if p.empty++; p.empty > len(p.clips)+1 {
		return fmt.Errorf("%w: nothing can be played any more", container.ErrNoTrack)
	}
	r, err := p.clips[p.index].Open()
	if err != nil {
		return fmt.Errorf("%s: %w", p.clips[p.index].Name, err)
	}
	p.reader, p.tracks = r, r.Tracks()
	p.keys.reset(p.clips[p.index])
	return nil
}

func (p *playlist) closeClip() {
	if p.reader != nil {
		_ = p.reader.Close()
		p.reader = nil
	}
	p.keys.close()
}

// more tells whether anything follows the clip that is playing.
func (p *playlist) more() bool { return p.loop || p.index+1 < len(p.clips) }

// pli moves on to the next key frame, so that it comes at place now. It tells whether it moved.
func (p *playlist) pli(now time.Duration) bool {
	if p.reader == nil || p.tracks[0].Codec.Kind() != media.KindVideo {
		return false
	}
	key, found := p.keys.after(p.line.picture)
	switch p.line.onPLI(key, found, p.more()) {
	case jumpTo:
		p.line.jump(key, now)
	case skipFile:
		p.closeClip()
		p.index++
		p.line.nextFile()
		p.line.jump(0, now)
	default:
		return false
	}
	p.held = nil
	return true
}

func (p *playlist) close() { p.closeClip() }

// keyFinder looks for key frames ahead of the player, with a reader of its own that only moves
// forward, so each byte of the file is read twice at most.
type keyFinder struct {
	clip   Clip
	reader container.Reader
	found  time.Duration
	has    bool
	ended  bool
}

func (k *keyFinder) reset(c Clip) {
	k.close()
	*k = keyFinder{clip: c}
}

func (k *keyFinder) close() {
	if k.reader != nil {
		_ = k.reader.Close()
		k.reader = nil
	}
}

// after returns the first key frame of the picture behind a time.
func (k *keyFinder) after(t time.Duration) (time.Duration, bool) {
	if k.reader == nil && !k.ended {
		r, err := k.clip.Open()
		if err != nil {
			k.ended = true
		}
		k.reader = r
	}
	for (!k.has || k.found <= t) && !k.ended {
		f, err := k.reader.Next()
		if err != nil {
			k.ended = true
			break
		}
		if f.Track == 0 && f.Key {
			k.found, k.has = f.PTS, true
		}
	}
	return k.found, k.has && k.found > t
}
