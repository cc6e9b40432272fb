package main

import (
	"bufio"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"os/exec"
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

// TestLoad: "fanfare load" publishes to this relay and views it, by the same commands as with any other server.
func TestLoad(t *testing.T) {
	home := start(t)
	fanfare := filepath.Join(t.TempDir(), "fanfare")
	if out, err := exec.Command("go", "build", "-o", fanfare, "../../cmd/fanfare").CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	publish := exec.CommandContext(t.Context(), fanfare, "load", "whip", home+"/whip/any", "--token", "any key", "--bitrate", "300k")
	said, err := publish.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := publish.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() {
		_ = publish.Process.Signal(os.Interrupt)
		_ = publish.Wait()
	}()
	if line, err := bufio.NewReader(said).ReadString('\n'); err != nil || !strings.Contains(line, "Live.") {
		t.Fatalf("the publisher says %q, %v", line, err)
	}
	out, err := exec.CommandContext(t.Context(), fanfare, "load", "whep", home+"/whep/any", "-n", "2", "--for", "1s", "--settle", "0s", "--json").Output()
	var report struct{ Connected, Failed, PacketsReceivedSteady int }
	if err != nil || json.Unmarshal(out, &report) != nil || report.Connected != 2 || report.Failed != 0 || report.PacketsReceivedSteady == 0 {
		t.Errorf("%v: %s", err, out)
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
