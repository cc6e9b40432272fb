package main

import (
	"context"
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestNumbered: several streams have several names, whatever the server's paths look like.
func TestNumbered(t *testing.T) {
	for _, c := range []struct {
		link  string
		i, of int
		want  string
	}{
		{"http://h/w/bench", 1, 1, "http://h/w/bench"},
		{"http://h/w/bench", 2, 3, "http://h/w/bench-2"},
		{"http://h/w/bench/#key=a/b", 2, 3, "http://h/w/bench-2#key=a/b"},
		{"http://h/bench/whip?x=1", 3, 3, "http://h/bench-3/whip?x=1"},
		{"http://h/bench{n}/whip", 3, 3, "http://h/bench3/whip"},
		{"http://h/{n}/whip", 1, 1, "http://h/1/whip"},
	} {
		if got := numbered(c.link, c.i, c.of); got != c.want {
			t.Errorf("%s: %s, want %s", c.link, got, c.want)
		}
	}
}

// TestLoadPublishers: several publishers at once, with a viewer on a bad line of one of them; then the server goes away, and what both
// sides had is told, marked.
func TestLoadPublishers(t *testing.T) {
	t.Parallel()
	s := startServer(t, "--data", t.TempDir(), "--publish-key", testKey, "--dev")
	type ended struct {
		code      int
		out, errs string
	}
	publishing := make(chan ended, 1)
	go func() {
		code, out, errs := command(t, "", "load", "whip", s.url+"/w/many", "-n", "3", "--token", testKey, "--bitrate", "300k", "--for", "10m", "--json")
		publishing <- ended{code, out, errs}
	}()
	var r loadReport
	waitFor(t, func() bool { // they need a moment to be live
		code, out, _ := command(t, "", "load", "whep", s.url+"/w/many-3", "-n", "2", "--for", "1s", "--settle", "0s", "--loss", "20%", "--json")
		return code == 0 && json.Unmarshal([]byte(out), &r) == nil && r.Connected == 2 && r.NACKCount > 0
	})
	if r.RetransmittedPacketsReceived == 0 || r.Interrupted || r.AllGone {
		t.Errorf("a line that loses a fifth, and nothing came again: %+v", r)
	}
	c := loadWhepCmd{For: 10 * time.Minute, Ramp: 25, Client: clientPion}
	l := &loader{self: ownMeter(), status: newStatus(io.Discard)}
	var err error
	if l.loadClient, err = c.newClient(s.url+"/whep/many-1", "", 2, l.delays.add); err != nil {
		t.Fatal(err)
	}
	watching := make(chan error, 1)
	go func() {
		r, err = l.run(t.Context(), 2, &c)
		watching <- err
	}()
	waitFor(t, func() bool {
		l.mu.Lock()
		defer l.mu.Unlock()
		return len(l.timings) == 2
	})
	s.stop()
	if err := <-watching; err != nil || !r.AllGone || r.Connected != 2 || r.Lost != 2 || r.PacketsReceived == 0 || r.Seconds > 590 {
		t.Errorf("viewers of a server that goes: %v, %+v", err, r)
	}
	p := <-publishing
	var sent publishReport
	if err := json.Unmarshal([]byte(p.out), &sent); err != nil || p.code != 0 || !sent.AllGone || sent.Live != 3 || sent.Lost != 3 || sent.PacketsSentSteady == 0 {
		t.Errorf("publishers of a server that goes: %v, %s%s", err, p.out, p.errs)
	}
	if text := sent.text(); !strings.HasPrefix(text, "PARTIAL") || !strings.Contains(text, "3 were live, 0 failed, 3 went away") {
		t.Errorf("text\n%s", text)
	}
}

// TestLoadInterrupted: what a person ends in the middle is told, marked.
func TestLoadInterrupted(t *testing.T) {
	t.Parallel()
	s := startServer(t, "--data", t.TempDir(), "--publish-key", testKey, "--dev")
	publishing, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	var out text
	go func() {
		c := loadWhipCmd{URL: s.url + "/w/one", Key: testKey, Publishers: 1, Ramp: 25, Bitrate: 3e5, KeyEvery: time.Second, For: 10 * time.Minute, JSON: true}
		ended <- c.Run(publishing, stdio{strings.NewReader(""), &out, io.Discard})
	}()
	var r loadReport
	waitFor(t, func() bool {
		watching, interrupt := context.WithTimeout(t.Context(), 3*time.Second)
		defer interrupt()
		c := loadWhepCmd{URL: s.url + "/w/one", For: 10 * time.Minute, Ramp: 25, Client: clientPion, JSON: true}
		viewers := 2
		c.Viewers = &viewers
		var out text
		return c.Run(watching, stdio{strings.NewReader(""), &out, io.Discard}) == nil && json.Unmarshal([]byte(out.String()), &r) == nil
	})
	if !r.Interrupted || r.Connected == 0 || !strings.HasPrefix(r.text(), "PARTIAL") {
		t.Errorf("not marked: %+v", r)
	}
	stop()
	if err := <-ended; err != nil {
		t.Fatal(err)
	}
	var sent publishReport
	if err := json.Unmarshal([]byte(out.String()), &sent); err != nil || !sent.Interrupted || sent.Live != 1 || sent.Lost != 0 {
		t.Errorf("not marked: %v %s", err, out.String())
	}
}

// TestLoadFiles: three receivers of a swarm get everything, and some of it from each other.
func TestLoadFiles(t *testing.T) {
	t.Parallel()
	s := startServer(t, "--data", t.TempDir(), "--open-files", "--dev")
	from := filepath.Join(t.TempDir(), "shared.bin")
	if err := os.WriteFile(from, []byte(strings.Repeat("fanfare ", 1<<17)), 0o600); err != nil {
		t.Fatal(err)
	}
	send := startTransfer(t, t.TempDir(), nil, "send", from, "--to", s.url, "--no-code", "--up-rate", "2M")
	link, ok := send.event("link")["link"].(string)
	if !ok {
		t.Fatal("no link")
	}
	code, out, errs := command(t, "", "load", "files", link, "-n", "3", "--for", "2m", "--json")
	var r filesReport
	if err := json.Unmarshal([]byte(out), &r); err != nil || code != 0 {
		t.Fatalf("%d: %v: %s%s", code, err, out, errs)
	}
	if r.Finished != 3 || r.Failed != 0 || r.Bytes != 1<<20 || r.BytesReceived != 3<<20 || r.Last <= 0 || r.LetIn.Max <= 0 {
		t.Errorf("%s", out)
	}
	if r.Copies < 0.3 || r.Copies > 3.1 {
		t.Errorf("%.2f copies from the uploader", r.Copies)
	}
	if text := r.text(); !strings.Contains(text, "3 have everything, 0 failed") {
		t.Errorf("text\n%s", text)
	}
	// Nobody has everything so soon: what there is is told.
	code, out, errs = command(t, "", "load", "files", link, "-n", "2", "--for", "1ms", "--json")
	if err := json.Unmarshal([]byte(out), &r); err != nil || code != 0 || r.Finished != 0 {
		t.Errorf("%d: %v: %s%s", code, err, out, errs)
	}
}
