package main

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"strconv"
	"testing"
)

var memoryMiB = flag.Int64("memory-mib", 64, "size of what TestSparseFile fetches, in MiB")

// TestSparseFile: a file that is nearly all holes arrives as it is, and a receiver's memory does not grow
// with what it fetches: it logs the highest resident memory of `fanfare get` less that at its start.
func TestSparseFile(t *testing.T) {
	t.Parallel()
	total := *memoryMiB << 20
	from := filepath.Join(t.TempDir(), "sparse.bin")
	f, err := os.Create(from)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.WriteAt([]byte("the only words in it"), total/2); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(f.Truncate(total), f.Close()); err != nil {
		t.Fatal(err)
	}
	config, out := t.TempDir(), t.TempDir()
	server, url := startServeProcess(t, nil, "--listen", "127.0.0.1:0", "--data", t.TempDir())
	defer kill(t, server)
	sender := startTransfer(t, config, nil, "send", from, "--to", url)
	link := sender.event("link")["link"].(string)
	sender.drain()
	receiver := startTransfer(t, config, nil, "get", link, "--out", out)
	receiver.await("a first line", func(map[string]any) bool { return true })
	start := residentOf(t, receiver.cmd.Process.Pid, "VmRSS")
	highest := start
	receiver.await("finished", func(line map[string]any) bool {
		if line["type"] == "progress" {
			highest = max(highest, residentOf(t, receiver.cmd.Process.Pid, "VmHWM"))
		}
		return line["type"] == "finished"
	})
	if err := receiver.end(); err != nil {
		t.Fatalf("get: %v\n%s", err, receiver.said)
	}
	if !bytes.Equal(sumOf(t, from), sumOf(t, filepath.Join(out, "sparse.bin"))) {
		t.Error("another file")
	}
	if runtime.GOOS == "linux" {
		t.Logf("figure: MiB fetched = %d", total>>20)
		t.Logf("figure: MiB at the start = %.1f", float64(start)/(1<<20))
		t.Logf("figure: MiB above the start = %.1f", float64(highest-start)/(1<<20))
	}
}

// residentOf reads a line of proc_pid_status(5) in bytes; 0 where there is none.
func residentOf(t *testing.T, pid int, what string) int64 {
	t.Helper()
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0
	}
	m := regexp.MustCompile(`(?m)^` + what + `:\s+(\d+) kB$`).FindSubmatch(b)
	if m == nil {
		return 0
	}
	kib, err := strconv.ParseInt(string(m[1]), 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	return kib << 10
}
