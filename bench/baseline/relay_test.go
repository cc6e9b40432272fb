package main

import (
	"bufio"
	"context"
	"io"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/fanfare-relay/fanfare/endpoint"
)

// start runs a baseline and returns its address; it has ended in good order when the test ends.
func start(t *testing.T) (home string) {
	t.Helper()
	ctx, stop := context.WithCancel(context.Background())
	said, say := io.Pipe()
	ended := make(chan error, 1)
	go func() { ended <- run(ctx, say, "127.0.0.1:0", "127.0.0.1:0", time.Second) }()
	t.Cleanup(func() {
		stop()
		if err := <-ended; err != nil {
			t.Errorf("ended with %v", err)
		}
	})
	line, err := bufio.NewReader(said).ReadString('\n')
	home, ok := strings.CutPrefix(strings.TrimSpace(line), "Home")
	if err != nil || !ok {
		t.Fatalf("it said %q, %v", line, err)
	}
	return strings.TrimSuffix(strings.TrimSpace(home), "/")
}

// publish plays a clip in a loop until the test ends.
func publish(t *testing.T, url string) {
	t.Helper()
	clip := endpoint.FileClip(filepath.Join("..", "..", "media", "container", "testdata", "vp8-opus.webm"))
	p, err := endpoint.NewPublisher(endpoint.PublisherConfig{URL: url, Bearer: "any key", Loop: true, Clips: []endpoint.Clip{clip}})
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- p.Run(ctx) }()
	t.Cleanup(func() { stop(); <-ended })
}

// Two viewers get a whole key frame, the second one because it is asked for or comes by itself.
func TestRelay(t *testing.T) {
	home := start(t)
	publish(t, home+"/whip/any")
	id, err := endpoint.NewIdentity()
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithTimeout(t.Context(), time.Minute)
	defer stop()
	for range 2 {
		v := endpoint.NewViewer(endpoint.ViewerConfig{URL: home + "/whep/any"}, id)
		session, leave := context.WithCancel(ctx)
		ended := make(chan error, 1)
		go func() { ended <- v.Session(session, nil) }()
		select {
		case <-v.KeyFrame():
		case err := <-ended:
			t.Fatal(err)
		}
		leave()
		<-ended
	}
}

func TestRefusals(t *testing.T) {
	home := start(t)
	for _, c := range []struct {
		method, path, body string
		status             int
	}{
		{"POST", "/whip/s", "", http.StatusBadRequest},
		{"POST", "/whep/s", "v=0", http.StatusBadRequest},
		{"POST", "/whep/s", strings.Repeat("x", maxOffer+1), http.StatusBadRequest},
		{"GET", "/whep/s", "", http.StatusMethodNotAllowed},
		{"DELETE", "/session/1000", "", http.StatusNotFound},
		{"PATCH", "/session/1000", "", http.StatusNotFound},
	} {
		req, err := http.NewRequestWithContext(t.Context(), c.method, home+c.path, strings.NewReader(c.body))
		if err != nil {
			t.Fatal(err)
		}
		res, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		_ = res.Body.Close()
		if res.StatusCode != c.status {
			t.Errorf("%s %s: %d, want %d", c.method, c.path, res.StatusCode, c.status)
		}
	}
}

func TestPortsInUse(t *testing.T) {
	home := start(t)
	taken := strings.TrimPrefix(home, "http://")
	if err := run(t.Context(), io.Discard, taken, "127.0.0.1:0", time.Second); err == nil {
		t.Error("two listen at one address")
	}
	if err := run(t.Context(), io.Discard, "127.0.0.1:0", "nonsense", time.Second); err == nil {
		t.Error("an address that is none was taken")
	}
}
