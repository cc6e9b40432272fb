package container

import (
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/fanfare-relay/fanfare/media"
)

// readAll returns the frames of a file by track.
func readAll(t *testing.T, name string) (Reader, [][]Frame) {
	t.Helper()
	r, err := Open(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = r.Close() })
	frames := make([][]Frame, len(r.Tracks()))
	for {
		f, err := r.Next()
		if errors.Is(err, io.EOF) {
			return r, frames
		}
		if err != nil {
			t.Fatal(err)
		}
		frames[f.Track] = append(frames[f.Track], f)
	}
}

func TestReaders(t *testing.T) {
	video := func(c media.Codec, profile string) Track {
		return Track{Codec: c, Width: 64, Height: 48, Profile: profile}
	}
	opus := Track{Codec: media.CodecOpus, Channels: 1}
	tests := []struct {
		name   string
		tracks []Track
		counts []int
		notes  []string
	}{
		{"vp8-opus.webm", []Track{video(media.CodecVP8, ""), opus}, []int{20, 101}, nil},
		{"vp8-live.webm", []Track{video(media.CodecVP8, ""), opus}, []int{20, 101}, nil},
		{"vp9-opus.webm", []Track{video(media.CodecVP9, "0"), opus}, []int{20, 101}, nil},
		{"av1-opus.webm", []Track{video(media.CodecAV1, "0"), opus}, []int{20, 101}, nil},
		{"h264-opus.mkv", []Track{video(media.CodecH264, "64000a"), opus}, []int{20, 101}, nil},
		{"h264-opus.mp4", []Track{video(media.CodecH264, "64000a"), opus}, []int{20, 101}, nil},
		{"h264-opus-fragmented.mp4", []Track{video(media.CodecH264, "64000a"), opus}, []int{20, 101}, nil},
		{"vp9-opus.mp4", []Track{video(media.CodecVP9, "0"), opus}, []int{20, 101}, nil},
		{"av1-opus.mp4", []Track{video(media.CodecAV1, "0"), opus}, []int{20, 101}, nil},
		{"av1.ivf", []Track{video(media.CodecAV1, "0"), opus}, []int{20, 101}, nil},
		{"av1.ogg", []Track{opus}, []int{101}, nil},
		{"vp8-vorbis.webm", []Track{video(media.CodecVP8, "")}, []int{20}, []string{"Vorbis sound is left out"}},
		{"h264-bframes-aac.mp4", []Track{video(media.CodecH264, "64000a")}, []int{20}, []string{"AAC sound is left out", "B-frames"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r, frames := readAll(t, tt.name)
			if len(r.Tracks()) != len(tt.tracks) {
				t.Fatalf("tracks %v, want %v", r.Tracks(), tt.tracks)
			}
			for i, want := range tt.tracks {
				if got := r.Tracks()[i]; got != want {
					t.Errorf("track %+v, want %+v", got, want)
				}
				if len(frames[i]) != tt.counts[i] {
					t.Errorf("%d frames of track %d, want %d", len(frames[i]), i, tt.counts[i])
				}
			}
			if tt.tracks[0].Codec.Kind() == media.KindVideo {
				checkPicture(t, frames[0])
			}
			if len(r.Notes()) != len(tt.notes) {
				t.Fatalf("notes %q, want %q", r.Notes(), tt.notes)
			}
			for i, n := range tt.notes {
				if !strings.Contains(r.Notes()[i], n) {
					t.Errorf("note %q, want %q", r.Notes()[i], n)
				}
			}
		})
	}
}

// checkPicture: ten pictures a second, a key frame each second.
func checkPicture(t *testing.T, frames []Frame) {
	t.Helper()
	seen := map[time.Duration]bool{}
	keys := 0
	for i, f := range frames {
		if f.Key != (i%10 == 0) {
			t.Errorf("frame %d: key %v", i, f.Key)
		}
		if f.Key {
			keys++
		}
		seen[f.PTS.Round(50*time.Millisecond)] = true
	}
	first := frames[0].PTS.Round(50 * time.Millisecond)
	for i := range frames {
		if at := first + time.Duration(i)*100*time.Millisecond; !seen[at] {
			t.Errorf("no frame at %v (first %v)", at, first)
		}
	}
	if keys != 2 {
		t.Errorf("%d key frames, want 2", keys)
	}
}

// TestSameFramesEverywhere: the same coded pictures come out of each container alike.
func TestSameFramesEverywhere(t *testing.T) {
	for _, group := range [][]string{
		{"h264-opus.mkv", "h264-opus.mp4", "h264-opus-fragmented.mp4"},
		{"av1-opus.webm", "av1-opus.mp4", "av1.ivf"},
		{"vp9-opus.webm", "vp9-opus.mp4"},
	} {
		_, want := readAll(t, group[0])
		for _, name := range group[1:] {
			_, got := readAll(t, name)
			for track := range want {
				for i, f := range got[track] {
					w := want[track][i]
					if !bytes.Equal(f.Data, w.Data) || (f.PTS-w.PTS).Abs() > 15*time.Millisecond {
						t.Errorf("%s differs from %s: track %d frame %d at %v, want %v", name, group[0], track, i, f.PTS, w.PTS)
						break
					}
				}
			}
		}
	}
}

func TestOpenRefuses(t *testing.T) {
	tests := []struct {
		name string
		data []byte
		want error
		text string
	}{
		{"empty", nil, ErrNotMedia, "not a video"},
		{"text", []byte("Dear diary, this is not a film at all."), ErrNotMedia, "not a video"},
		{"zeros", make([]byte, 4096), ErrNotMedia, "not a video"},
		{"hevc", file(t, "hevc-aac.mp4"), ErrNotCarried, "HEVC picture"},
		{"aac", file(t, "aac.mp4"), ErrNoTrack, "AAC sound"},
		{"no index", append([]byte("\x00\x00\x00\x10ftypisom\x00\x00\x00\x00"), make([]byte, 8)...), ErrDamaged, ""},
		{"header only", file(t, "vp8-opus.webm")[:200], ErrNoTrack, ""},
		{"ivf cut off", []byte("DKIF\x00\x00\x20\x00VP80"), ErrDamaged, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := New(bytes.NewReader(tt.data), int64(len(tt.data)))
			if !errors.Is(err, tt.want) || !strings.Contains(err.Error(), tt.text) {
				t.Errorf("%v, want %v with %q", err, tt.want, tt.text)
			}
		})
	}
}

func file(t testing.TB, name string) []byte {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// TestCutOff: a file that stops anywhere gives the frames before, and no error of the program.
func TestCutOff(t *testing.T) {
	for _, name := range []string{"vp8-opus.webm", "h264-opus.mp4", "h264-opus-fragmented.mp4", "av1.ivf", "av1.ogg"} {
		whole := file(t, name)
		for cut := len(whole) - 1; cut > 0; cut -= 97 {
			drain(whole[:cut])
		}
	}
}

// drain reads everything and returns the number of frames and bytes.
func drain(b []byte) (frames, size int) {
	r, err := New(bytes.NewReader(b), int64(len(b)))
	if err != nil {
		return 0, 0
	}
	for {
		f, err := r.Next()
		if err != nil {
			return frames, size
		}
		frames++
		size += len(f.Data)
		if frames > 1<<16 {
			return frames, size
		}
	}
}

func FuzzReaders(f *testing.F) {
	names, _ := filepath.Glob("testdata/*.*")
	for _, n := range names {
		if b, err := os.ReadFile(n); err == nil && !strings.HasSuffix(n, ".md") && !strings.HasSuffix(n, ".sh") {
			f.Add(b)
		}
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		drain(b)
	})
}
