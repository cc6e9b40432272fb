package container

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/fanfare-relay/fanfare/media"
)

// TestWriters: what was written is read again alike, closed or not, and ffmpeg decodes it without a word where it is installed.
func TestWriters(t *testing.T) {
	for _, tt := range []struct{ in, out string }{
		{"vp8-opus.webm", "x.webm"}, {"vp9-opus.webm", "x.webm"}, {"av1-opus.webm", "x.webm"},
		{"h264-opus.mkv", "x.mp4"}, {"av1.ogg", "sound.webm"},
	} {
		t.Run(tt.in, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), tt.out)
			want := record(t, tt.in, path, true)
			got := readRecording(t, path)
			compareFrames(t, want, got, 0)
			decode(t, path)
			record(t, tt.in, path, false)
			if got = readRecording(t, path); len(got) < len(want)/3 {
				t.Errorf("%d of %d frames in a file that was not closed", len(got), len(want))
			}
			compareFrames(t, want[:len(got)], got, len(want))
		})
	}
}

// record copies a clip into a recording and returns its frames.
func record(t *testing.T, name, path string, finish bool) (frames []Frame) {
	t.Helper()
	r, err := Open("testdata/" + name)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	for {
		f, err := r.Next()
		if err != nil {
			break
		}
		frames = append(frames, f)
	}
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	first := slices.IndexFunc(frames, func(f Frame) bool { return f.Track == 0 })
	w, err := NewWriter(path, f, append([]Track(nil), r.Tracks()...), frames[first].Data)
	if err != nil {
		t.Fatal(err)
	}
	for _, fr := range frames {
		if err := w.WriteFrame(fr); err != nil {
			t.Fatal(err)
		}
	}
	if finish {
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
	}
	return frames
}

func readRecording(t *testing.T, path string) (frames []Frame) {
	t.Helper()
	r, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	for {
		f, err := r.Next()
		if err != nil {
			return frames
		}
		frames = append(frames, f)
	}
}

// compareFrames compares each track; files may lay sound and picture of one time either way round.
func compareFrames(t *testing.T, want, got []Frame, partOf int) {
	t.Helper()
	if partOf == 0 && len(got) != len(want) {
		t.Fatalf("%d frames, want %d", len(got), len(want))
	}
	next := [2]int{}
	byTrack := func(frames []Frame, track int) (out []Frame) {
		for _, f := range frames {
			if f.Track == track {
				out = append(out, f)
			}
		}
		return out
	}
	for track := range next {
		w, g := byTrack(want, track), byTrack(got, track)
		for i := range min(len(w), len(g)) {
			if !bytes.Equal(g[i].Data, w[i].Data) || (g[i].PTS-w[i].PTS).Abs() > time.Millisecond || g[i].Key != w[i].Key {
				t.Fatalf("track %d frame %d at %v differs from that at %v", track, i, g[i].PTS, w[i].PTS)
			}
		}
	}
}

func decode(t *testing.T, path string) {
	t.Helper()
	ffmpeg, err := exec.LookPath("ffmpeg")
	if err != nil {
		return
	}
	out, err := exec.Command(ffmpeg, "-v", "warning", "-i", path, "-f", "null", "-").CombinedOutput()
	if err != nil || len(out) > 0 {
		t.Errorf("ffmpeg: %v\n%s", err, out)
	}
	probe, err := exec.Command(ffmpeg, "-hide_banner", "-i", path).CombinedOutput()
	if !strings.Contains(string(probe), "Duration: 00:00:02.") {
		t.Errorf("%v: no duration in\n%s", err, probe)
	}
}

func TestWriterRefuses(t *testing.T) {
	frames := record(t, "vp8-opus.webm", filepath.Join(t.TempDir(), "x.webm"), true)
	key := frames[slices.IndexFunc(frames, func(f Frame) bool { return f.Track == 0 })].Data
	for _, tt := range []struct {
		name  string
		codec media.Codec
		key   []byte
		want  error
	}{
		{"x.mp4", media.CodecVP8, key, ErrWrongContainer},
		{"x.avi", media.CodecVP8, key, ErrWrongContainer},
		{"x.webm", media.CodecVP8, key[:3], ErrDamaged},
		{"x.mp4", media.CodecH264, nil, ErrDamaged},
	} {
		f, err := os.CreateTemp(t.TempDir(), "")
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		if _, err := NewWriter(tt.name, f, []Track{{Codec: tt.codec}}, tt.key); !errors.Is(err, tt.want) {
			t.Errorf("%s with %v: %v, want %v", tt.name, tt.codec, err, tt.want)
		}
	}
}

// TestBlocksBeforeTheirCluster: a group begins with a picture, and sound from just before comes after it. Its time is
// rounded down as all are, or two frames would be at one time.
func TestBlocksBeforeTheirCluster(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.webm")
	frames := record(t, "vp8-opus.webm", path, true)
	key := frames[slices.IndexFunc(frames, func(f Frame) bool { return f.Track == 0 })].Data
	file, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	w, err := NewWriter(path, file, []Track{{Codec: media.CodecVP8}, {Codec: media.CodecOpus, Channels: 2}}, key)
	if err != nil {
		t.Fatal(err)
	}
	at := []time.Duration{2_000_400, 1_999_300, 2_000_300} // µs
	for i, us := range at {
		if err := w.WriteFrame(Frame{Track: min(i, 1), PTS: us * time.Microsecond, Key: true, Data: key}); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	got := readRecording(t, path)
	if len(got) != len(at) || got[0].PTS != 2*time.Second || got[1].PTS != 1999*time.Millisecond || got[2].PTS != 2*time.Second {
		t.Errorf("%d frames at %v, %v, %v", len(got), got[0].PTS, got[1].PTS, got[2].PTS)
	}
}
