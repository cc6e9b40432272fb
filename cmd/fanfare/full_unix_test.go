//go:build unix

package main

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"os"
	"os/exec"
	"os/signal"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/fanfare-relay/fanfare/signalling/store"
)

// fillDisk forbids this process to write to files, as a full disk does: its limit on their size becomes 0,
// or with "nearly" less than a new database needs.
func fillDisk(when string) {
	limit := func(size uint64) {
		signal.Ignore(syscall.SIGXFSZ) // writing fails then, and does not kill
		if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &syscall.Rlimit{Cur: size, Max: size}); err != nil {
			panic(err)
		}
	}
	switch when {
	case "now":
		limit(0)
	case "nearly":
		limit(8 << 10)
	case "later":
		go func() {
			_, _ = io.Copy(io.Discard, os.Stdin)
			limit(0)
		}()
	case "told":
		signal.Ignore(syscall.SIGXFSZ)
		go fillAndEmptyDisk()
	}
}

// fillAndEmptyDisk does what standard input says: "f" makes the disk full, "r" gives it room again.
func fillAndEmptyDisk() {
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_FSIZE, &limit); err != nil {
		panic(err)
	}
	for what := [1]byte{}; ; {
		if _, err := os.Stdin.Read(what[:]); err != nil {
			return
		}
		if limit.Cur = 0; what[0] == 'r' {
			limit.Cur = limit.Max
		}
		if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &limit); err != nil {
			panic(err)
		}
	}
}

// TestFullDiskAtTheStart: a server, and a new key, that cannot be kept.
func TestFullDiskAtTheStart(t *testing.T) {
	t.Parallel()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	serve := []string{"serve", "--dev", "--listen", "127.0.0.1:0", "--udp", "127.0.0.1:0"}
	for _, c := range []struct {
		room string
		args []string
	}{{"now", serve}, {"nearly", serve}, {"now", []string{"key", "new"}}} {
		data := t.TempDir()
		cmd := exec.CommandContext(t.Context(), self, append(c.args, "--data", data)...)
		cmd.Env = append(os.Environ(), asProgram+"=1", fullDisk+"="+c.room)
		var said bytes.Buffer
		cmd.Stderr = &said
		var ended *exec.ExitError
		if err := cmd.Run(); !errors.As(err, &ended) || ended.ExitCode() != exitFailed ||
			!strings.Contains(said.String(), "disk of the data folder is full") || strings.Count(said.String(), "\n") != 1 {
			t.Errorf("%v: %v %q", c, err, said.String())
		}
		// Half of a database must not stand in the way once there is room.
		again, err := store.Open(data)
		if err != nil {
			t.Errorf("%v: once there is room: %v", c, err)
			continue
		}
		_ = again.Close()
	}
}

// TestFullDiskWhileServing: what cannot be kept is refused, with words; what is live goes on.
func TestFullDiskWhileServing(t *testing.T) {
	t.Parallel()
	input, fill, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = input.Close() }()
	server, url := startServeProcess(t, func(cmd *exec.Cmd) {
		cmd.Env, cmd.Stdin = append(cmd.Env, fullDisk+"=later"), input
	}, "--listen", "127.0.0.1:0", "--data", t.TempDir(), "--publish-key", testKey)
	defer kill(t, server)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	var said text
	published := make(chan int, 1)
	go func() {
		args := []string{"publish", testClip("vp8-opus.webm"), "--loop", "--to", url + "/w/on", "--key", testKey}
		published <- run(ctx, args, stdio{strings.NewReader(""), &text{}, &said})
	}()
	a := seat(ctx, t, url+"/whep/on", 1)
	if _, err := a.await(ctx, time.Time{}); err != nil {
		t.Fatalf("no picture: %v\n%s", err, said.String())
	}
	_ = fill.Close()
	s := &running{t: t, url: url}
	var status int
	waitFor(t, func() bool {
		status = s.post("/whip/new", testKey, "no offer")
		return status != http.StatusBadRequest
	})
	if status != http.StatusInsufficientStorage {
		t.Errorf("a new stream: %d", status)
	}
	if _, err := a.await(ctx, time.Now()); err != nil || a.connections() != 1 || said.String() != "" {
		t.Errorf("the live stream: %v, %d connections, publisher %q", err, a.connections(), said.String())
	}
	cancel()
	<-published
}
