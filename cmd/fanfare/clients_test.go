package main

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/fanfare-relay/fanfare/endpoint"
	"github.com/fanfare-relay/fanfare/media"
	"github.com/fanfare-relay/fanfare/media/container"
)

const testKey = "a key for tests, long enough"

func testClip(name string) string {
	return filepath.Join("..", "..", "media", "container", "testdata", name)
}

func fileFrames(t *testing.T, path string) (frames []container.Frame, tracks []container.Track) {
	t.Helper()
	r, err := container.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	for {
		f, err := r.Next()
		if err != nil {
			return frames, r.Tracks()
		}
		frames = append(frames, f)
	}
}

// TestPublishedFramesArrive publishes files through the whole server and compares what a viewer gets with the
// file, frame by frame from the first key frame on.
func TestPublishedFramesArrive(t *testing.T) {
	t.Parallel()
	s := startServer(t, "--data", t.TempDir(), "--publish-key", testKey, "--dev")
	for _, name := range []string{"vp8-opus.webm", "vp9-opus.webm", "av1-opus.webm", "av1.ivf", "h264-opus.mp4", "h264-opus.mkv"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			stream := strings.NewReplacer(".", "-").Replace(name)
			frames := view(t, s.url+"/w/"+stream, func() {
				if code, out, errs := command(t, testKey, "publish", testClip(name), "--to", s.url, "--stream", stream, "--key", "-"); code != 0 {
					t.Errorf("publish ended with %d: %s", code, errs)
				} else if !strings.Contains(out, "Watch at "+s.url+"/w/"+stream) {
					t.Errorf("publish says %q", out)
				}
			})
			want, tracks := fileFrames(t, testClip(name))
			for track, info := range tracks {
				compareTrack(t, info.Codec, track, want, frames)
			}
		})
	}
}

// view returns every frame that a viewer gets while publish runs. The stream is made by the publisher, so the viewer
// joins as soon as the server knows it.
func view(t *testing.T, page string, publish func()) (frames []endpoint.Frame) {
	t.Helper()
	address, err := endpoint.ViewAddress(page, "")
	if err != nil {
		t.Fatal(err)
	}
	id, err := endpoint.NewIdentity()
	if err != nil {
		t.Fatal(err)
	}
	v := endpoint.NewViewer(endpoint.ViewerConfig{URL: address.Endpoint, OnFrame: func(f endpoint.Frame) { frames = append(frames, f) }}, id)
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		for ctx.Err() == nil {
			_ = v.Session(ctx, nil)
		}
	}()
	publish()
	cancel()
	<-ended
	return frames
}

// compareTrack: what came is the end of the file's track, whole; pictures begin with a key frame.
func compareTrack(t *testing.T, c media.Codec, track int, file []container.Frame, got []endpoint.Frame) {
	t.Helper()
	var want [][]byte
	var keys []bool
	for _, f := range file {
		if f.Track == track {
			want, keys = append(want, f.Data), append(keys, f.Key)
		}
	}
	var have [][]byte
	for _, f := range got {
		if f.Codec == c {
			have = append(have, f.Data)
		}
	}
	first := len(want) - len(have)
	if len(have) == 0 || first < 0 {
		t.Fatalf("%v: %d frames of %d came", c, len(have), len(want))
	}
	if !keys[first] || first > len(want)*3/4 {
		t.Errorf("%v: begins with frame %d of %d, key %v", c, first, len(want), keys[first])
	}
	for i := range have {
		if !bytes.Equal(have[i], want[first+i]) {
			t.Fatalf("%v: frame %d differs", c, first+i)
		}
	}
}

// TestRecord records the stream of a looping publisher, ends both in good order, and plays the recording.
func TestRecord(t *testing.T) {
	t.Parallel()
	s := startServer(t, "--data", t.TempDir(), "--publish-key", testKey, "--dev")
	for clip, file := range map[string]string{"vp9-opus.webm": "x.webm", "h264-opus.mp4": "x.mp4"} {
		t.Run(file, func(t *testing.T) {
			t.Parallel()
			link := s.url + "/w/" + strings.ReplaceAll(file, ".", "-")
			ctx, stop := context.WithCancel(t.Context())
			ended := make(chan int, 1)
			var publisher, said text
			go func() {
				ended <- run(ctx, []string{"publish", testClip(clip), "--loop", "--to", link, "--key", testKey}, stdio{strings.NewReader(""), &said, &publisher})
			}()
			waitFor(t, func() bool { return strings.Contains(said.String(), link) })
			path := filepath.Join(t.TempDir(), file)
			code, out, errs := command(t, "", "watch", link, "--out", path, "--for", "2500ms", "--stats")
			if code != 0 || !strings.Contains(errs, "Recorded "+path) {
				t.Fatalf("watch ended with %d: %s", code, errs)
			}
			stop()
			if code := <-ended; code != 0 {
				t.Errorf("publish ended with %d: %s", code, publisher.String())
			}
			checkRecording(t, path, testClip(clip))
			checkFigures(t, out)
		})
	}
}

// waitFor lets others run until something is so.
func waitFor(t *testing.T, ok func() bool) {
	t.Helper()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	limit := time.After(20 * time.Second)
	for !ok() {
		select {
		case <-tick.C:
		case <-limit:
			t.Fatal("it never came")
		}
	}
}

func checkRecording(t *testing.T, path, clip string) {
	t.Helper()
	got, tracks := fileFrames(t, path)
	want, source := fileFrames(t, clip)
	if len(tracks) != 2 || tracks[0].Codec != source[0].Codec || tracks[0].Width != 64 || !got[0].Key {
		t.Errorf("recorded %+v", tracks)
	}
	known := map[string]bool{}
	for _, f := range want {
		known[string(f.Data)] = true
	}
	last := [2]time.Duration{-1, -1}
	for _, f := range got {
		if !known[string(f.Data)] || f.PTS <= last[f.Track] {
			t.Fatalf("a frame at %v that is not in the clip, or after %v", f.PTS, last[f.Track])
		}
		last[f.Track] = f.PTS
	}
}

// TestCodecChange: the second file has another codec. The publisher takes its own stream over, the viewer keeps its
// connection, and the recording goes on in another file.
func TestCodecChange(t *testing.T) {
	t.Parallel()
	s := startServer(t, "--data", t.TempDir(), "--publish-key", testKey, "--dev")
	link := s.url + "/w/change"
	path := filepath.Join(t.TempDir(), "x.webm")
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan int, 1)
	var published, said text
	go func() {
		args := []string{"publish", testClip("vp8-opus.webm"), testClip("h264-opus.mp4"), "--loop", "--to", link, "--key", testKey}
		ended <- run(ctx, args, stdio{strings.NewReader(""), &published, &said})
	}()
	var errs text
	defer func() {
		if t.Failed() {
			t.Logf("viewer: %s\npublisher: %s\n%s", errs.String(), published.String(), said.String())
		}
	}()
	waitFor(t, func() bool { return strings.Contains(published.String(), link) })
	watching, stopWatching := context.WithCancel(t.Context())
	watched := make(chan int, 1)
	go func() {
		// Who happens to join while the other file plays is refused, since x.webm does not hold it, and comes again.
		for refused := 1; ; refused++ {
			code := run(watching, []string{"watch", link, "--out", path}, stdio{strings.NewReader(""), &text{}, &errs})
			if strings.Count(errs.String(), "H264 goes into .mp4") < refused {
				watched <- code
				return
			}
		}
	}()
	waitFor(t, func() bool {
		return strings.Contains(errs.String(), "now VP8") || strings.Contains(errs.String(), "now H264")
	})
	waitFor(t, func() bool { return strings.Count(errs.String(), "Recorded") >= 2 })
	stopWatching()
	if code := <-watched; code != 0 {
		t.Errorf("watch ended with %d: %s", code, errs.String())
	}
	stop()
	<-ended
	if strings.Contains(errs.String(), "interrupted") || strings.Contains(said.String(), "interrupted") {
		t.Errorf("viewer: %s\npublisher: %s", errs.String(), said.String())
	}
	for _, part := range []string{path, strings.TrimSuffix(path, ".webm") + "-2.mp4"} {
		frames, tracks := fileFrames(t, part)
		if len(frames) == 0 || container.FileFor(part)[0].Kind() != tracks[0].Codec.Kind() {
			t.Errorf("%s holds %d frames of %+v", part, len(frames), tracks)
		}
	}
}

func checkFigures(t *testing.T, out string) {
	t.Helper()
	lines := strings.Split(strings.TrimSpace(out), "\n")
	var f watchFigures
	if err := json.Unmarshal([]byte(lines[len(lines)-1]), &f); err != nil {
		t.Fatal(err)
	}
	if len(f.Tracks) != 2 || f.Tracks[0].FramesReceived == 0 || f.Join.FirstKeyFrame == 0 {
		t.Errorf("figures %+v", f)
	}
}

func TestLoad(t *testing.T) {
	s := startServer(t, "--data", t.TempDir(), "--demo", "--dev")
	var said string
	waitFor(t, func() bool { // the demo needs a moment to be live
		code, out, _ := command(t, "", "watch", s.url+"/w/demo", "--for", "300ms", "--stats")
		said = out
		return code == 0
	})
	if said == "" {
		t.Error("no figures")
	}
	args := []string{"load", "whep", s.url + "/w/demo", "-n", "5", "--for", "300ms", "--settle", "0s", "--joins", "2", "--apart", "10ms", "--json"}
	if _, err := os.Stat("/proc/self/stat"); err == nil {
		args = append(args, "--pid", strconv.Itoa(os.Getpid()))
	}
	code, out, errs := command(t, "", args...)
	if code != 0 {
		t.Fatalf("ended with %d: %s", code, errs)
	}
	var r loadReport
	if err := json.Unmarshal([]byte(out), &r); err != nil {
		t.Fatal(err)
	}
	if r.Connected != 5 || r.Failed != 0 || r.PacketsReceived == 0 || r.SingleJoins.Count != 2 || r.SingleJoins.FirstKeyFrame.Median <= 0 {
		t.Errorf("report %s", out)
	}
	if r.Server != nil && r.Server.RSSEnd == 0 {
		t.Errorf("server %+v", r.Server)
	}
	if text := r.text(); !strings.Contains(text, "first whole key frame") || !strings.Contains(text, "5 had a picture") {
		t.Errorf("text\n%s", text)
	}
	if runtime.GOOS == "linux" {
		loadLight(t, args)
	}
}

// loadLight does the same with the light client.
func loadLight(t *testing.T, args []string) {
	t.Helper()
	code, out, errs := command(t, "", append(args, "--client", "light", "--verify", "all")...)
	if code != 0 {
		t.Fatalf("ended with %d: %s", code, errs)
	}
	var r loadReport
	if err := json.Unmarshal([]byte(out), &r); err != nil {
		t.Fatal(err)
	}
	if r.Client != clientLight || r.Connected != 5 || r.Failed+r.Lost != 0 || r.PacketsSteady == 0 || r.SingleJoins.Count != 2 ||
		r.Own.PacketsForged != 0 || r.Own.PacketsVerified < r.PacketsReceived {
		t.Errorf("report %s", out)
	}
	if text := r.text(); !strings.Contains(text, "packets a read") || !strings.Contains(text, "5 had a picture") {
		t.Errorf("text\n%s", text)
	}
}

// TestLoadStream: a stream that is made for measuring is carried like any other, and the light client tells its delay.
func TestLoadStream(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Log("the light client runs on Linux only")
		return
	}
	s := startServer(t, "--data", t.TempDir(), "--publish-key", testKey, "--dev")
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() {
		c := loadWhipCmd{URL: s.url + "/w/bench", Key: testKey, Publishers: 1, Ramp: 25, Bitrate: 5e5, KeyEvery: time.Second, JSON: true}
		ended <- c.Run(ctx, stdio{in: strings.NewReader(""), out: io.Discard, err: io.Discard})
	}()
	var r loadReport
	waitFor(t, func() bool { // it needs a moment to be live
		code, out, _ := command(t, "", "load", "whep", s.url+"/w/bench", "-n", "3", "--for", "500ms", "--settle", "500ms", "--client", "light", "--json")
		return code == 0 && json.Unmarshal([]byte(out), &r) == nil && r.Connected == 3
	})
	if r.Delay == nil || r.Delay.Count == 0 || r.Delay.P999 < r.Delay.Median || r.Own.PacketsForged != 0 {
		t.Errorf("%+v", r)
	}
	stop()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

// TestClientsRefuse: each bad input gets an exit code and one line that says what to do.
func TestClientsRefuse(t *testing.T) {
	t.Parallel()
	data := t.TempDir()
	s := startServer(t, "--data", data, "--publish-key", testKey, "--dev")
	_, other, _ := command(t, "", "key", "new", "--data", data)
	if code, _, errs := command(t, testKey, "publish", testClip("av1.ogg"), "--to", s.url+"/w/theirs", "--key", "-"); code != 0 {
		t.Fatal(errs)
	}
	closed, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	nobody := "http://" + closed.Addr().String()
	_ = closed.Close()
	diary := filepath.Join(t.TempDir(), "diary.webm")
	if err := os.WriteFile(diary, []byte("Dear diary, this is no film."), 0o600); err != nil {
		t.Fatal(err)
	}
	good := testClip("vp8-opus.webm")
	for _, tt := range []struct {
		name string
		args []string
		code int
		says string
	}{
		{"not a video", []string{"publish", diary, "--to", s.url, "--key", testKey}, 1, "diary.webm: not a video"},
		{"no such file", []string{"publish", diary + "x", "--to", s.url, "--key", testKey}, 1, "no such file"},
		{"a folder", []string{"publish", t.TempDir(), "--to", s.url, "--key", testKey}, 1, "not a regular file"},
		{"no playable track", []string{"publish", testClip("aac.mp4"), "--to", s.url, "--key", testKey}, 1, "no track that can be sent (found only AAC sound)"},
		{"HEVC", []string{"publish", testClip("hevc-aac.mp4"), "--to", s.url, "--key", testKey}, 1, "HEVC picture"},
		{"the second file is bad", []string{"publish", good, diary, "--to", s.url, "--key", testKey}, 1, "diary.webm"},
		{"wrong key", []string{"publish", good, "--to", s.url, "--key", "wrong"}, 1, "--key"},
		{"no key", []string{"publish", good, "--to", s.url}, 1, "--key"},
		{"somebody else's stream", []string{"publish", good, "--to", s.url + "/w/theirs", "--key", strings.TrimSpace(other)}, 1, "belongs to another key"},
		{"bad name", []string{"publish", good, "--to", s.url, "--stream", "ä b", "--key", testKey}, 1, "name"},
		{"refused", []string{"publish", good, "--to", nobody, "--key", testKey}, 1, "cannot be reached"},
		{"unknown host", []string{"publish", good, "--to", "http://nobody.invalid", "--key", testKey}, 1, "cannot be reached"},
		{"no address", []string{"publish", good, "--to", "ftp://h"}, 2, "no address of a server"},
		{"no --to", []string{"publish", good}, 2, "--to"},
		{"a page that is no endpoint", []string{"publish", good, "--to", s.url + "/a/b/c", "--key", testKey}, 1, ""},
		{"key file", []string{"publish", good, "--to", s.url, "--key", "@" + diary + "x"}, 1, "secret"},
		{"unknown stream", []string{"watch", s.url + "/w/nothing"}, 1, "check the link"},
		{"a server, no stream", []string{"watch", s.url}, 2, "--stream"},
		{"watch refused", []string{"watch", nobody + "/w/x"}, 1, "cannot be reached"},
		{"odd recording", []string{"watch", s.url + "/w/x", "--out", "x.avi"}, 2, ".webm or .mp4"},
		{"recording into nowhere", []string{"watch", s.url + "/w/x", "--out", diary + "/x.webm"}, 1, "cannot record"},
		{"load refused", []string{"load", "whep", nobody + "/w/x", "-n", "1"}, 1, "cannot be reached"},
		{"load nobody", []string{"load", "whep", s.url + "/w/x", "-n", "0"}, 2, "-n or --joins"},
		{"load a server", []string{"load", "whep", s.url}, 2, "link of a stream"},
		{"load whip rate", []string{"load", "whip", s.url + "/w/x", "--bitrate", "much"}, 2, "2.4M"},
		{"load whip key", []string{"load", "whip", s.url + "/w/x", "--key", "wrong-wrong-wrong"}, 1, "--key"},
		{"load whip nobody", []string{"load", "whip", s.url + "/w/x", "-n", "0"}, 2, "1 to 1000"},
		{"load loss", []string{"load", "whep", s.url + "/w/x", "--loss", "much"}, 2, "0 to 50"},
		{"load files link", []string{"load", "files", s.url + "/w/x"}, 2, "link"},
		{"load files nobody", []string{"load", "files", s.url + "/f/q1fWtdUkFzvGxmW8mVQnDg", "-n", "2"}, 2, ""},
		{"load rate", []string{"load", "whep", s.url + "/w/x", "--ramp", "fast"}, 2, "25/s"},
		{"load no rate", []string{"load", "whep", s.url + "/w/x", "--ramp", "nan"}, 2, "25/s"},
		{"load whip no rate", []string{"load", "whip", s.url + "/w/x", "--bitrate", "nan"}, 2, "2.4M"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			code, _, errs := command(t, "", tt.args...)
			line, more := strings.CutSuffix(errs, "\n")
			if code != tt.code || !more || strings.Contains(line, "\n") || !strings.Contains(line, tt.says) {
				t.Errorf("ended with %d, want %d: %q, want one line with %q", code, tt.code, errs, tt.says)
			}
			if strings.Contains(errs, testKey) {
				t.Errorf("the key is in %q", errs)
			}
		})
	}
}

// TestNothingCame: a stream that is known and not live is waited for; nothing in the time given is an error.
func TestNothingCame(t *testing.T) {
	t.Parallel()
	s := startServer(t, "--data", t.TempDir(), "--publish-key", testKey, "--dev")
	if code, _, errs := command(t, testKey, "publish", testClip("av1.ogg"), "--to", s.url+"/w/x", "--key", "-"); code != 0 {
		t.Fatal(errs)
	}
	path := filepath.Join(t.TempDir(), "x.webm")
	code, _, errs := command(t, "", "watch", s.url+"/w/x", "--for", "300ms", "--out", path)
	if code != 1 || !strings.Contains(errs, "nothing came") {
		t.Errorf("ended with %d: %s", code, errs)
	}
	if _, err := os.Stat(path); err == nil {
		t.Error("an empty recording stays behind")
	}
}
