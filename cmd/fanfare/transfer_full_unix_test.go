//go:build unix

package main

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestTransferDiskFull: the disk fills up in the middle. The transfer says so and waits, and goes on by itself when
// there is room. It fills up again, the process dies, and the next run goes on with what was stored.
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

	stdin, disk, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer disk.Close()
	receiver := startTransfer(t, config, func(cmd *exec.Cmd) {
		cmd.Stdin = stdin
		cmd.Env = append(cmd.Env, fullDisk+"=told")
	}, "get", link, "--out", out)
	_ = stdin.Close() // the process has it
	becomes := func(what string) {
		t.Helper()
		if _, err := disk.WriteString(what); err != nil {
			t.Fatal(err)
		}
	}
	full := func(line map[string]any) bool { return line["stall"] == "disk" }
	receiver.reaches(total / 4)
	becomes("f")
	receiver.await("word of the full disk", full)
	becomes("r")
	receiver.reaches(total / 2)
	becomes("f")
	receiver.await("word of the full disk", full)
	receiver.kill()
	for _, words := range []string{"There is no room", "There is room again; going on."} {
		if !strings.Contains(receiver.said.String(), words) {
			t.Errorf("it did not say %q:\n%s", words, receiver.said)
		}
	}
	if _, err := os.Stat(filepath.Join(out, "film.bin")); err == nil {
		t.Error("a file that is not whole stands in its place")
	}

	receiver = startTransfer(t, config, nil, "get", link, "--out", out)
	if here := receiver.event("resumed")["here"].(float64); here < total/3 {
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
