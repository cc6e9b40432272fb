package main

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/fanfare-relay/fanfare/endpoint"
	"github.com/fanfare-relay/fanfare/media"
	"github.com/fanfare-relay/fanfare/media/container"
)

// TestRecordingBeginsWithThePicture: before the first sender reports, captured times are guesses by arrival. Those of
// picture and sound then move by some hundred milliseconds against each other, and back before the first picture.
// Sound from before it is left out, no picture is, and no two frames of a track are at one time.
func TestRecordingBeginsWithThePicture(t *testing.T) {
	const late = 190 * time.Millisecond
	for name, guess := range map[string]func(f container.Frame) time.Duration{
		"in agreement": func(container.Frame) time.Duration { return 0 },
		"the first picture was late": func(f container.Frame) time.Duration {
			if f.Track == 0 && f.PTS < 50*time.Millisecond {
				return late
			}
			return 0
		},
		"reports come": func(f container.Frame) time.Duration {
			if f.PTS < 300*time.Millisecond {
				return late
			}
			return 0
		},
		"sound was late": func(f container.Frame) time.Duration { return time.Duration(f.Track) * late },
	} {
		for _, lag := range []time.Duration{-100 * time.Millisecond, 0, 400 * time.Millisecond} {
			t.Run(fmt.Sprintf("%s, sound arrives after %v", name, lag), func(t *testing.T) {
				source, _ := fileFrames(t, testClip("vp9-opus.webm"))
				checkBeginning(t, arrivals(source, guess, lag), source)
			})
		}
	}
}

// arrivals are the frames of a clip as a viewer hands them out, sound after a lag, with captured times that are off by
// guess.
func arrivals(clip []container.Frame, guess func(container.Frame) time.Duration, lag time.Duration) (out []endpoint.Frame) {
	order := slices.Clone(clip)
	arrival := func(f container.Frame) time.Duration { return f.PTS + time.Duration(f.Track)*lag }
	slices.SortStableFunc(order, func(a, b container.Frame) int { return cmp.Compare(arrival(a), arrival(b)) })
	begin := time.Unix(1000, 0)
	for _, f := range order {
		codec := []media.Codec{media.CodecVP9, media.CodecOpus}[f.Track]
		out = append(out, endpoint.Frame{
			Kind: codec.Kind(), Codec: codec, Key: f.Key, Data: f.Data, Captured: begin.Add(f.PTS + guess(f)),
			Timestamp: uint32(f.PTS * time.Duration(codec.ClockRate()) / time.Second),
		})
	}
	return out
}

func checkBeginning(t *testing.T, frames []endpoint.Frame, clip []container.Frame) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "x.webm")
	r, err := newRecorder(path, func(string) {})
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range frames {
		if err := r.frame(f); err != nil {
			t.Fatal(err)
		}
	}
	if err := r.close(); err != nil {
		t.Fatal(err)
	}
	got, _ := fileFrames(t, path)
	last, pictures := [2]time.Duration{-1, -1}, 0
	for _, f := range got {
		if f.PTS <= last[f.Track] {
			t.Errorf("track %d has a frame at %v after one at %v", f.Track, f.PTS, last[f.Track])
		}
		last[f.Track] = f.PTS
		if f.Track == 0 {
			pictures++
		}
	}
	want := 0
	for _, f := range clip {
		if f.Track == 0 {
			want++
		}
	}
	if pictures != want || len(got) < len(clip)*3/4 {
		t.Errorf("%d pictures of %d, %d frames of %d in all", pictures, want, len(got), len(clip))
	}
}

// TestRecordingRefused: a codec that the file does not hold is told once, and no other file is begun with what comes
// before the viewer has ended.
func TestRecordingRefused(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.mp4")
	var said []string
	r, err := newRecorder(path, func(s string) { said = append(said, s) })
	if err != nil {
		t.Fatal(err)
	}
	clip, _ := fileFrames(t, testClip("vp8-opus.webm"))
	var failed error
	for _, f := range arrivals(clip, func(container.Frame) time.Duration { return 0 }, 0) {
		if f.Codec == media.CodecVP9 {
			f.Codec = media.CodecVP8
		}
		err := r.frame(f)
		if failed != nil && err != failed {
			t.Errorf("%v, and then %v", failed, err)
		}
		failed = err
	}
	if !errors.Is(failed, container.ErrWrongContainer) {
		t.Errorf("refused because of %v", failed)
	}
	if err := r.close(); err != nil {
		t.Error(err)
	}
	if files, err := os.ReadDir(filepath.Dir(path)); len(files) > 0 || len(said) > 0 || err != nil {
		t.Errorf("left behind %v, said %q, %v", files, said, err)
	}
}
