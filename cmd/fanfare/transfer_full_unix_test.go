//go:build unix

package main

import (
	"bytes"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// TestTransferDiskFull: the disk fills up in the middle. The transfer says so and waits; nothing is lost, and
// when there is room again it goes on.
func TestTransferDiskFull(t *testing.T) {
	t.Parallel()
	const total = 8 << 20
	from := randomFile(t, filepath.Join(t.TempDir(), "film.bin"), total)
	config, out := t.TempDir(), t.TempDir()
	server, url := startServeProcess(t, nil, "--listen", "127.0.0.1:0", "--data", t.TempDir())
	defer kill(t, server)
	sender := startTransfer(t, config, nil, "send", from, "--to", url, "--up-rate", "4M")
	link := sender.event("link")["link"].(string)
	sender.drain()

	stdin, fill := io.Pipe()
	receiver := startTransfer(t, config, func(cmd *exec.Cmd) {
		cmd.Stdin = stdin
		cmd.Env = append(cmd.Env, fullDisk+"=later")
	}, "get", link, "--out", out)
	receiver.reaches(total / 4)
	_ = fill.Close() // never fails
	receiver.await("word of the full disk", func(line map[string]any) bool { return line["stall"] == "disk" })
	receiver.kill()
	if _, err := os.Stat(filepath.Join(out, "film.bin")); err == nil {
		t.Error("a file that is not whole stands in its place")
	}

	receiver = startTransfer(t, config, nil, "get", link, "--out", out)
	if here := receiver.event("resumed")["here"].(float64); here < total/8 {
		t.Errorf("only %.0f bytes were kept", here)
	}
	receiver.event("finished")
	if err := receiver.end(); err != nil {
		t.Fatalf("get: %v\n%s", err, receiver.said)
	}
	if !bytes.Equal(sumOf(t, from), sumOf(t, filepath.Join(out, "film.bin"))) {
		t.Error("the result is another file")
	}
}
