package main

import (
	"bufio"
	"context"
	"io"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestNewerPublisherWins: a second publisher takes the stream over. The older one ends with a line that says why and
// does not come back; the newer one and the viewer go on.
func TestNewerPublisherWins(t *testing.T) {
	t.Parallel()
	s := startServer(t, "--data", t.TempDir(), "--publish-key", testKey, "--dev")
	link := s.url + "/w/rivals"
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	publish := func(said *text) <-chan int {
		ended := make(chan int, 1)
		go func() {
			ended <- run(ctx, []string{"publish", testClip("vp8-opus.webm"), "--loop", "--to", link, "--key", testKey},
				stdio{strings.NewReader(""), &text{}, said})
		}()
		return ended
	}
	var oldSaid, newSaid text
	older := publish(&oldSaid)
	a := seat(ctx, t, s.url+"/whep/rivals", 1)
	if _, err := a.await(ctx, time.Time{}); err != nil {
		t.Fatalf("no picture: %v\n%s", err, oldSaid.String())
	}
	newer := publish(&newSaid)
	if code := <-older; code != exitFailed {
		t.Errorf("the older publisher ended with %d", code)
	}
	if said := oldSaid.String(); !strings.Contains(said, "A newer publisher has taken this stream over") || strings.Count(said, "\n") != 1 {
		t.Errorf("the older publisher says %q", said)
	}
	if _, err := a.await(ctx, time.Now()); err != nil {
		t.Errorf("no picture of the newer publisher: %v", err)
	}
	if strings.Contains(newSaid.String(), "interrupted") {
		t.Errorf("the newer publisher says %q", newSaid.String())
	}
	if n := a.connections(); n != 1 {
		t.Errorf("the viewer made %d connections", n)
	}
	cancel()
	<-newer
}

// TestWatchEndsWithTheStream: when the owner ends the stream, a recording is whole and the command has done its work.
func TestWatchEndsWithTheStream(t *testing.T) {
	t.Parallel()
	s := startServer(t, "--data", t.TempDir(), "--publish-key", testKey, "--dev")
	link := s.url + "/w/evening"
	var published text
	publishing, stop := context.WithCancel(t.Context())
	ended := make(chan int, 1)
	go func() {
		args := []string{"publish", testClip("vp8-opus.webm"), "--loop", "--to", link, "--key", testKey}
		ended <- run(publishing, args, stdio{strings.NewReader(""), &published, &text{}})
	}()
	waitFor(t, func() bool { return strings.Contains(published.String(), link) })
	figures, write := io.Pipe()
	go func() {
		defer stop()
		lines := bufio.NewScanner(figures)
		for lines.Scan() && strings.Contains(lines.Text(), `"firstKeyFrame":0,`) {
		}
		go func() { _, _ = io.Copy(io.Discard, figures) }() // ends with the command
	}()
	path := filepath.Join(t.TempDir(), "evening.webm")
	var said text
	code := run(t.Context(), []string{"watch", link, "--out", path, "--stats"}, stdio{strings.NewReader(""), write, &said})
	_ = write.Close()
	if code != 0 || !strings.Contains(said.String(), "The owner has ended this stream") || !strings.Contains(said.String(), "Recorded "+path) {
		t.Errorf("watch ended with %d: %s", code, said.String())
	}
	if code := <-ended; code != 0 {
		t.Errorf("publish ended with %d", code)
	}
}
