package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/fanfare-relay/fanfare/endpoint"
	"github.com/fanfare-relay/fanfare/media"
	"github.com/fanfare-relay/fanfare/media/container"
)

// soundWait is how long after the first picture the recording waits for sound before it begins without.
const soundWait = time.Second

// recorder writes what a viewer receives into a file. Another codec or size in the middle begins another
// file, because players expect one of each in a file. It is used by one goroutine at a time.
type recorder struct {
	name  string // as the person gave it
	say   func(string)
	parts int
	first *os.File // made at once, so that a bad path is told before anything is received

	file    *os.File
	path    string
	out     container.Writer
	codec   media.Codec
	info    container.Info
	tracks  []container.Track
	zero    time.Time // captured time of the first picture
	clocks  [2]trackClock
	waiting []endpoint.Frame // until the tracks are known
	started bool
	failed  error // why it records no more
	count   int
}

// trackClock turns RTP timestamps into times of the file: by their differences, which are exact, as long as they
// agree with the frames' captured times.
type trackClock struct {
	seen bool
	ts   uint32
	at   time.Duration
}

// clockSlack is how far timestamps may stray from the captured times before these are followed: what ears and
// eyes notice between sound and picture.
const clockSlack = 40 * time.Millisecond

func (c *trackClock) next(f endpoint.Frame, captured time.Duration) time.Duration {
	at := captured
	if c.seen {
		at = c.at + time.Duration(int32(f.Timestamp-c.ts))*time.Second/time.Duration(f.Codec.ClockRate())
		if (at - captured).Abs() > clockSlack {
			at = captured
		}
		at = max(at, c.at+time.Millisecond)
	}
	*c = trackClock{true, f.Timestamp, at}
	return at
}

func newRecorder(name string, say func(string)) (*recorder, error) {
	f, err := os.Create(name)
	if err != nil {
		return nil, fmt.Errorf("cannot record: %w", err)
	}
	return &recorder{name: name, say: say, first: f}, nil
}

// frame takes the next frame. Behind an error there are no further ones: the same is returned again.
func (r *recorder) frame(f endpoint.Frame) error {
	if r.failed == nil {
		r.failed = r.take(f)
	}
	return r.failed
}

func (r *recorder) take(f endpoint.Frame) error {
	if f.Kind == media.KindVideo && f.Key {
		info := container.Inspect(f.Codec, f.Data)
		if r.started && (f.Codec != r.codec || info.Width != r.info.Width || info.Height != r.info.Height) {
			if err := r.finish(); err != nil {
				return err
			}
			r.say(fmt.Sprintf("The stream is now %v %dx%d; the recording goes on in another file.", f.Codec, info.Width, info.Height))
		}
	}
	if r.started {
		return r.write(f)
	}
	r.waiting = append(r.waiting, f)
	return r.tryStart(false)
}

// tryStart begins a file when the tracks are known: a key frame is there, and sound too or not to be expected. Force
// begins with what there is.
func (r *recorder) tryStart(force bool) error {
	key := slices.IndexFunc(r.waiting, func(f endpoint.Frame) bool { return f.Kind == media.KindVideo && f.Key })
	if key < 0 && !force {
		// Sound alone does not pile up: what is older than the wait will not be recorded, unless nothing else comes.
		if last := r.waiting[len(r.waiting)-1]; r.parts > 0 || last.Captured.Sub(r.waiting[0].Captured) < 3*soundWait {
			return nil
		}
		force = true
	}
	sound := slices.ContainsFunc(r.waiting, func(f endpoint.Frame) bool { return f.Kind == media.KindAudio })
	last := r.waiting[len(r.waiting)-1]
	if !force && !sound && last.Captured.Sub(r.waiting[key].Captured) < soundWait {
		return nil
	}
	r.tracks, r.zero = nil, r.waiting[max(key, 0)].Captured
	var keyData []byte
	if key >= 0 {
		r.codec, keyData = r.waiting[key].Codec, r.waiting[key].Data
		r.info = container.Inspect(r.codec, keyData)
		r.tracks = append(r.tracks, container.Track{Codec: r.codec})
	}
	if sound {
		r.tracks = append(r.tracks, container.Track{Codec: media.CodecOpus, Channels: 2})
	}
	if err := r.open(keyData); err != nil {
		return err
	}
	waiting := r.waiting
	r.waiting, r.started, r.clocks = nil, true, [2]trackClock{}
	for i, f := range waiting {
		if i < key && f.Kind == media.KindVideo {
			continue // cannot be decoded
		}
		if err := r.write(f); err != nil {
			return err
		}
	}
	return nil
}

func (r *recorder) open(key []byte) error {
	r.parts++
	r.file, r.path = r.first, r.name
	r.first = nil
	if r.parts > 1 {
		r.path = partName(r.name, r.parts, r.codec)
		f, err := os.Create(r.path)
		if err != nil {
			return fmt.Errorf("cannot record: %w", err)
		}
		r.file = f
	}
	out, err := container.NewWriter(r.path, r.file, r.tracks, key)
	if err != nil {
		_ = r.file.Close()
		if errors.Is(err, container.ErrWrongContainer) {
			_ = os.Remove(r.path)
		}
		return fmt.Errorf("cannot record into %s: %w", filepath.Base(r.path), err)
	}
	r.out = out
	return nil
}

// partName makes "film-2.webm" of "film.webm", with the ending that fits the codec.
func partName(name string, part int, codec media.Codec) string {
	ext := filepath.Ext(name)
	base := strings.TrimSuffix(name, ext) + "-" + strconv.Itoa(part)
	for _, e := range []string{ext, ".webm", ".mp4"} {
		if codec == media.CodecUnknown || slices.Contains(container.FileFor(e), codec) {
			return base + e
		}
	}
	return base + ext
}

func (r *recorder) write(f endpoint.Frame) error {
	track := slices.IndexFunc(r.tracks, func(t container.Track) bool { return t.Codec == f.Codec })
	if track < 0 {
		return nil
	}
	at := r.clocks[track].next(f, f.Captured.Sub(r.zero))
	if at < 0 {
		return nil // sound from before the first picture, which is at 0
	}
	out := container.Frame{Track: track, PTS: at, Key: f.Key, Data: f.Data}
	if f.Kind == media.KindAudio {
		out.Duration = container.OpusDuration(f.Data)
	}
	r.count++
	if err := r.out.WriteFrame(out); err != nil {
		return fmt.Errorf("cannot record into %s: %w", filepath.Base(r.path), err)
	}
	return nil
}

// finish ends the file that is open.
func (r *recorder) finish() error {
	if !r.started {
		return nil
	}
	r.started = false
	err := errors.Join(r.out.Close(), r.file.Close())
	if err != nil {
		return fmt.Errorf("cannot record into %s: %w", filepath.Base(r.path), err)
	}
	r.say("Recorded " + r.path)
	return nil
}

// close ends the recording. A file into which nothing came is removed.
func (r *recorder) close() error {
	if !r.started && len(r.waiting) > 0 && r.failed == nil {
		if err := r.tryStart(true); err != nil {
			return err
		}
	}
	if r.first != nil {
		return errors.Join(r.first.Close(), os.Remove(r.name))
	}
	return r.finish()
}
