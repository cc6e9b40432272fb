package endpoint

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/fanfare-relay/fanfare/media"
	"github.com/fanfare-relay/fanfare/media/container"
)

func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m, goleak.IgnoreAnyFunction("net/http.(*persistConn).readLoop"), goleak.IgnoreAnyFunction("net/http.(*persistConn).writeLoop"))
}

// clip is a file of media/container's tests.
func clip(name string) Clip {
	return FileClip(filepath.Join("..", "media", "container", "testdata", name))
}

func fileFrames(t *testing.T, c Clip) [2][]container.Frame {
	t.Helper()
	r, err := c.Open()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	var out [2][]container.Frame
	for {
		f, err := r.Next()
		if err != nil {
			return out
		}
		k := kindIndex(r.Tracks()[f.Track].Codec.Kind())
		out[k] = append(out[k], f)
	}
}

// watch starts a viewer that is connected when watch returns. It sends its frames to the channel.
func watch(t *testing.T, ctx context.Context, url string) (*Viewer, <-chan Frame) {
	t.Helper()
	id, err := NewIdentity()
	if err != nil {
		t.Fatal(err)
	}
	frames := make(chan Frame, 4096)
	v := NewViewer(ViewerConfig{URL: url, OnFrame: func(f Frame) { frames <- f }}, id)
	up, done := make(chan struct{}), make(chan error, 1)
	ctx, cancel := context.WithCancel(ctx)
	go func() { done <- v.Session(ctx, func() { close(up) }) }()
	t.Cleanup(func() {
		cancel()
		<-done
	})
	select {
	case <-up:
	case err := <-done:
		done <- err
		t.Fatal(err)
	}
	return v, frames
}

func TestPublishAndView(t *testing.T) {
	for _, tt := range []struct {
		name string
		fmtp string
	}{
		{"vp8-opus.webm", ""},
		{"vp9-opus.webm", "profile-id=0"},
		{"av1-opus.mp4", ""},
		{"h264-opus.mp4", "level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=64001f"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			c := clip(tt.name)
			r, err := c.Open()
			if err != nil {
				t.Fatal(err)
			}
			codec := r.Tracks()[0].Codec
			_ = r.Close()
			relay := newTestRelay(t, codec, tt.fmtp)
			v, frames := watch(t, t.Context(), relay.URL+"/whep/s")
			p, err := NewPublisher(PublisherConfig{URL: relay.URL + "/whip/s", Clips: []Clip{c}})
			if err != nil {
				t.Fatal(err)
			}
			if err := p.Run(t.Context()); err != nil {
				t.Fatal(err)
			}
			expect(t, fileFrames(t, c), frames)
			checkStats(t, p.Stats(), v.Stats(), codec)
			if tm := v.Timing(); tm.FirstKeyFrame < tm.FirstPacket || tm.FirstPacket == 0 {
				t.Errorf("timing %+v", tm)
			}
		})
	}
}

// expect compares the frames that came, each kind in order, until all have come.
func expect(t *testing.T, want [2][]container.Frame, frames <-chan Frame) {
	t.Helper()
	var at [2]int
	for at[0] < len(want[0]) || at[1] < len(want[1]) {
		f := receive(t, frames)
		k := kindIndex(f.Kind)
		w := want[k][at[k]]
		if !bytes.Equal(f.Data, w.Data) || f.Key != w.Key {
			t.Fatalf("%v frame %d differs", f.Kind, at[k])
		}
		if k == 0 && at[0] == 0 && f.Captured.IsZero() {
			t.Error("a frame without a time")
		}
		at[k]++
	}
}

// receive takes one frame. The limit only keeps a failing test from hanging.
func receive(t *testing.T, frames <-chan Frame) Frame {
	t.Helper()
	select {
	case f := <-frames:
		return f
	case <-time.After(20 * time.Second):
		t.Fatal("no frame came")
		return Frame{}
	}
}

func checkStats(t *testing.T, out []OutboundStats, in []InboundStats, codec media.Codec) {
	t.Helper()
	if len(out) != 2 || len(in) != 2 {
		t.Fatalf("stats %v %v", out, in)
	}
	if out[0].Codec != codec.String() || out[0].FramesSent != 20 || out[0].KeyFramesSent != 2 {
		t.Errorf("sent %+v", out[0])
	}
	if in[0].Codec != codec.String() || in[0].FramesReceived != 20 || in[0].KeyFramesReceived != 2 || in[0].FrameWidth != 64 {
		t.Errorf("received %+v", in[0])
	}
	if in[0].PacketsReceived != out[0].PacketsSent || in[0].BytesReceived != out[0].BytesSent {
		t.Errorf("sent %+v, received %+v", out[0], in[0])
	}
	if _, err := json.Marshal(in); err != nil {
		t.Error(err)
	}
}

// TestLoopAndPLI: the loop goes on without a step in the numbers, and a PLI brings a key frame at once.
func TestLoopAndPLI(t *testing.T) {
	t.Parallel()
	relay := newTestRelay(t, media.CodecVP8, "")
	_, frames := watch(t, t.Context(), relay.URL+"/whep/s")
	p, err := NewPublisher(PublisherConfig{URL: relay.URL + "/whip/s", Clips: []Clip{clip("vp8-opus.webm")}, Loop: true})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- p.Run(ctx) }()
	// Key frames are ten pictures apart. A request that comes late, on a busy machine, may find the publisher
	// at the next one anyway, so there is one in each group until a group has been cut short.
	keys, group, short, last := 0, 0, false, uint32(0)
	for keys < 4 || !short {
		f := receive(t, frames)
		if f.Kind != media.KindVideo {
			continue
		}
		if last != 0 && int32(f.Timestamp-last) <= 0 {
			t.Fatal("time stepped back")
		}
		last = f.Timestamp
		if f.Key {
			short = short || keys > 0 && group < 10
			keys, group = keys+1, 0
		}
		if group++; group == 2 {
			relay.askKey()
		}
		if keys > 30 {
			t.Fatalf("%d groups of ten pictures: no request was answered", keys-1)
		}
	}
	cancel()
	if err := <-done; !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	relay.mu.Lock()
	defer relay.mu.Unlock()
	if len(relay.deleted) != 1 {
		t.Errorf("sessions deleted: %v", relay.deleted)
	}
}

// TestComeBack: a stream that was live comes back when its session is gone and the server refuses for a while.
func TestComeBack(t *testing.T) {
	t.Parallel()
	relay := newTestRelay(t, media.CodecVP8, "")
	_, frames := watch(t, t.Context(), relay.URL+"/whep/s")
	p, err := NewPublisher(PublisherConfig{URL: relay.URL + "/whip/s", Clips: []Clip{clip("vp8-opus.webm")}, Loop: true, patience: time.Second})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- p.Run(ctx) }()
	<-relay.posted
	for receive(t, frames).Kind != media.KindVideo {
	}
	relay.mu.Lock()
	relay.refuse = []http.HandlerFunc{
		func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusBadGateway) },
		func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusServiceUnavailable) },
	}
	_ = relay.publisher.Close()
	relay.mu.Unlock()
	<-relay.posted
	back := time.Now()
	for f := receive(t, frames); f.Kind != media.KindVideo || !f.Key || f.First.Before(back); f = receive(t, frames) {
	}
	cancel()
	<-done
}

// TestForgotten: a publisher that hears nothing asks for its session. As long as the server knows it, it goes on; when the
// server was restarted it comes back, long before the connection itself gives up.
func TestForgotten(t *testing.T) {
	t.Parallel()
	relay := newTestRelay(t, media.CodecVP8, "")
	_, frames := watch(t, t.Context(), relay.URL+"/whep/s")
	p, err := NewPublisher(PublisherConfig{
		URL: relay.URL + "/whip/s", Clips: []Clip{clip("vp8-opus.webm")}, Loop: true, patience: time.Hour, silence: 50 * time.Millisecond,
	})
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- p.Run(ctx) }()
	<-relay.posted
	receive(t, frames)
	for relay.questions() < 3 {
		receive(t, frames)
	}
	if len(relay.posted) != 0 {
		t.Error("it came back though the session is there")
	}
	relay.mu.Lock()
	_ = relay.publisher.Close()
	relay.mu.Unlock()
	<-relay.posted
	stop()
	<-done
}

// TestReplaced: a publisher whose session was ended for good does not come back, and it deletes nothing.
func TestReplaced(t *testing.T) {
	t.Parallel()
	relay := newTestRelay(t, media.CodecVP8, "")
	_, frames := watch(t, t.Context(), relay.URL+"/whep/s")
	p, err := NewPublisher(PublisherConfig{URL: relay.URL + "/whip/s", Clips: []Clip{clip("vp8-opus.webm")}, Loop: true, patience: time.Second})
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- p.Run(t.Context()) }()
	<-relay.posted
	receive(t, frames)
	relay.mu.Lock()
	relay.replaced = true
	_ = relay.publisher.Close()
	relay.mu.Unlock()
	if err := <-done; !errors.Is(err, ErrEnded) || !strings.Contains(err.Error(), "newer") {
		t.Error(err)
	}
	if len(relay.posted) != 0 || len(relay.deleted) != 0 {
		t.Errorf("posted again %d times, deleted %v", len(relay.posted), relay.deleted)
	}
}

func TestRefusals(t *testing.T) {
	problem := func(status int, body string) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			if r.Header.Get("Authorization") != "Bearer sesame" {
				t.Error("no key")
			}
			w.Header().Set("Content-Type", "application/problem+json")
			w.WriteHeader(status)
			_, _ = io.WriteString(w, body)
		}
	}
	for _, tt := range []struct {
		name   string
		answer http.HandlerFunc
		want   error
		text   string
	}{
		{"key", problem(401, `{"type":"urn:x:key","title":"Key","detail":"Publishing needs the key."}`), ErrUnauthorised, "Publishing needs the key."},
		{"name", problem(400, `{"title":"Not a\n name\u001b[31m"}`), ErrRefused, "Not a name[31m)"},
		{"gone", problem(410, `{}`), ErrEnded, "410"},
		{"not found", problem(404, `nonsense`), ErrNotFound, "404"},
		{"redirection", func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/x", http.StatusFound) }, ErrRefused, "302"},
		{"a page", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(201) }, ErrRefused, "WHIP or WHEP"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			relay := newTestRelay(t, media.CodecVP8, "")
			relay.refuse = []http.HandlerFunc{tt.answer}
			p, err := NewPublisher(PublisherConfig{URL: relay.URL + "/whip/s", Bearer: "sesame", Clips: []Clip{clip("vp8-opus.webm")}})
			if err != nil {
				t.Fatal(err)
			}
			if err := p.Run(t.Context()); !errors.Is(err, tt.want) || !strings.Contains(err.Error(), tt.text) {
				t.Errorf("%v, want %v with %q", err, tt.want, tt.text)
			}
		})
	}
}

// TestRedirect: a 307 repeats the POST with its key; Retry-After is waited for.
func TestRedirect(t *testing.T) {
	relay := newTestRelay(t, media.CodecVP8, "")
	keys := make(chan string, 4)
	relay.refuse = []http.HandlerFunc{
		func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Retry-After", "0")
			w.WriteHeader(http.StatusServiceUnavailable)
		},
		func(w http.ResponseWriter, r *http.Request) {
			keys <- r.Header.Get("Authorization")
			http.Redirect(w, r, "/whip/s", http.StatusTemporaryRedirect)
		},
		func(w http.ResponseWriter, r *http.Request) {
			keys <- r.Header.Get("Authorization")
			w.WriteHeader(http.StatusForbidden)
		},
	}
	p, err := NewPublisher(PublisherConfig{URL: relay.URL + "/whip/s", Bearer: "k", Clips: []Clip{clip("vp8-opus.webm")}})
	if err != nil {
		t.Fatal(err)
	}
	if err := p.Run(t.Context()); !errors.Is(err, ErrUnauthorised) {
		t.Fatal(err)
	}
	if a, b := <-keys, <-keys; a != "Bearer k" || b != "Bearer k" {
		t.Errorf("keys %q %q", a, b)
	}
}

func TestUnreachable(t *testing.T) {
	relay := newTestRelay(t, media.CodecVP8, "")
	url := relay.URL
	relay.Close()
	p, err := NewPublisher(PublisherConfig{URL: url + "/whip/s", Clips: []Clip{clip("vp8-opus.webm")}})
	if err != nil {
		t.Fatal(err)
	}
	if err := p.Run(t.Context()); !errors.Is(err, ErrUnreachable) || strings.Contains(err.Error(), "Post") {
		t.Error(err)
	}
}

func TestSeveralClips(t *testing.T) {
	t.Parallel()
	relay := newTestRelay(t, media.CodecVP8, "")
	_, frames := watch(t, t.Context(), relay.URL+"/whep/s")
	clips := []Clip{clip("vp8-opus.webm"), clip("vp8-vorbis.webm")}
	var notes []string
	p, err := NewPublisher(PublisherConfig{
		URL: relay.URL + "/whip/s", Clips: clips, Notes: func(_, n string) { notes = append(notes, n) },
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := p.Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	want, second := fileFrames(t, clips[0]), fileFrames(t, clips[1])
	want[1] = append(want[1], second[1]...)
	expect(t, want, frames)
	if len(relay.posted) != 1 {
		t.Errorf("%d sessions for clips of one codec", len(relay.posted))
	}
	if len(notes) != 1 || !strings.Contains(notes[0], "Vorbis") {
		t.Errorf("notes %q", notes)
	}
}
