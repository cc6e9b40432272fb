// Package fragment cuts what a browser has recorded (MediaRecorder) where somebody who comes later can
// begin, while it is still being recorded: WebM (RFC 9559 over EBML, RFC 8794) at clusters that begin with
// a key frame, MP4 (ISO/IEC 14496-12, movie fragments) at fragments that do.
//
// It owns no file, no clock and no lock, decodes nothing and changes no byte: what goes in comes out, in
// order, in parts. Anything may be in the bytes; what it keeps for itself is bounded.
package fragment

import (
	"errors"
	"fmt"
)

// Errors of Push. After one the Splitter is of no more use.
var (
	// ErrFormat: neither WebM nor MP4 with fragments, or one that breaks its own rules.
	ErrFormat = errors.New("not a recording of WebM or fragmented MP4")
	// ErrTooLarge: a header is over MaxInit, or a part that must be whole to be judged over MaxHeld.
	ErrTooLarge = errors.New("a part of the recording is too large")
)

// Limits, in bytes.
const (
	MaxInit = 64 << 10 // of all that stands before the first media
	MaxHeld = 1 << 20  // kept back until it is known what a part begins with
)

// Part is a stretch of the recording. Data belongs to whoever gets it and does not change.
type Part struct {
	Data []byte
	// Init: it belongs to what every player must have first.
	Init bool
	// Key: a player that has had what is Init can begin with this part.
	Key bool
}

// format is one of the two containers.
type format interface {
	// next looks at what has been kept and takes n bytes off its front as one part. n = 0: more is needed.
	next(b []byte) (n int, p Part, err error)
}

// Splitter takes the bytes of one recording as they come. The zero value is ready.
type Splitter struct {
	held   []byte
	format format
	init   int // bytes of what was Init so far
	failed error
}

// magicSize is what tells the containers apart: an EBML header's identifier, or a box's size and type.
const magicSize = 8

// Push takes the bytes that follow, and returns the parts that are complete as far as they must be. It
// does not keep data.
func (s *Splitter) Push(data []byte) ([]Part, error) {
	if s.failed != nil {
		return nil, s.failed
	}
	s.held = append(s.held, data...)
	if s.format == nil && len(s.held) >= magicSize {
		f, err := formatOf(s.held)
		if err != nil {
			return nil, s.fail(err)
		}
		s.format = f
	}
	if s.format == nil {
		return nil, nil
	}
	return s.cut()
}

// cut gives out what the format can say something about. What belongs together is one part.
func (s *Splitter) cut() ([]Part, error) {
	var parts []Part
	from, at := 0, 0 // of the part that is being made
	var now Part
	give := func() {
		if at > from {
			now.Data = append([]byte(nil), s.held[from:at]...)
			parts = append(parts, now)
		}
		from = at
	}
	for at < len(s.held) {
		n, p, err := s.format.next(s.held[at:])
		if err != nil {
			give()
			return parts, s.fail(err)
		}
		if n == 0 {
			break
		}
		if p.Key || p.Init != now.Init {
			give()
			now = p
		}
		at += n
		if p.Init {
			if s.init += n; s.init > MaxInit {
				return parts, s.fail(fmt.Errorf("%w: a header of over %d bytes", ErrTooLarge, MaxInit))
			}
		}
	}
	give()
	// To the front, so that the memory of what has gone is used again.
	s.held = append(s.held[:0], s.held[at:]...)
	if len(s.held) > MaxHeld {
		return parts, s.fail(fmt.Errorf("%w: over %d bytes", ErrTooLarge, MaxHeld))
	}
	return parts, nil
}

func (s *Splitter) fail(err error) error {
	s.failed, s.held = err, nil
	return err
}

func formatOf(b []byte) (format, error) {
	switch {
	case b[0] == 0x1A && b[1] == 0x45 && b[2] == 0xDF && b[3] == 0xA3:
		return &webm{}, nil
	case string(b[4:8]) == "ftyp":
		return &mp4{tracks: map[uint32]*mp4Track{}}, nil
	}
	return nil, fmt.Errorf("%w: it begins with neither", ErrFormat)
}
