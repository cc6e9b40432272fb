package main

import (
	"bufio"
	"context"
	"io"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"
	"time"
)

// startServeProcess runs a server as a process of its own and returns when it has said where it is.
func startServeProcess(t *testing.T, change func(*exec.Cmd), args ...string) (cmd *exec.Cmd, url string) {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd = exec.CommandContext(t.Context(), self, append([]string{"serve", "--dev", "--udp", "127.0.0.1:0"}, args...)...)
	cmd.Env = append(os.Environ(), asProgram+"=1")
	said := &text{}
	cmd.Stderr = said
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if change != nil {
		change(cmd)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		if m := regexp.MustCompile(`Home +(\S+)/$`).FindStringSubmatch(lines.Text()); m != nil {
			go func() { _, _ = io.Copy(io.Discard, out) }() // ends with the process
			return cmd, m[1]
		}
	}
	t.Fatalf("serve ended: %v %s", cmd.Wait(), said)
	return nil, ""
}

// TestServerKilled: the server dies by kill -9 and is started again; publisher and viewer come back by themselves,
// under the same link.
func TestServerKilled(t *testing.T) {
	t.Parallel()
	data := t.TempDir()
	server, url := startServeProcess(t, nil, "--listen", "127.0.0.1:0", "--data", data, "--publish-key", testKey)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	var said text
	published := make(chan int, 1)
	go func() {
		args := []string{"publish", testClip("vp8-opus.webm"), "--loop", "--to", url + "/w/night", "--key", testKey}
		published <- run(ctx, args, stdio{strings.NewReader(""), &text{}, &said})
	}()
	a := seat(ctx, t, url+"/whep/night", 1)
	if _, err := a.await(ctx, time.Time{}); err != nil {
		t.Fatalf("no picture: %v\n%s", err, said.String())
	}
	kill(t, server)
	killed := time.Now()
	server, again := startServeProcess(t, nil, "--listen", strings.TrimPrefix(url, "http://"), "--data", data, "--publish-key", testKey)
	defer kill(t, server)
	if again != url {
		t.Fatalf("%s became %s", url, again)
	}
	at, err := a.await(ctx, killed)
	if err != nil {
		t.Fatalf("no picture after the server came back: %v\n%s", err, said.String())
	}
	t.Logf("figure: the viewer had a picture %d ms after the server was killed", at.Sub(killed).Milliseconds())
	cancel()
	if code := <-published; code != 0 {
		t.Errorf("publish ended with %d: %s", code, said.String())
	}
}
