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

var (
	memoryMiB = flag.Int64("memory-mib", 16, "size of what TestReceiverMemory fetches, in MiB")
	sparseMiB = flag.Int64("sparse-mib", 16, "size of what TestSparseFile fetches, in MiB")
)

// fetchOnce sends a file to one receiver and tells the receiver's resident memory, in bytes: when it had just started,
// and at its highest; 0 where the system does not tell.
func fetchOnce(t *testing.T, from string) (got string, start, highest int64) {
	t.Helper()
	config, out := t.TempDir(), t.TempDir()
	server, url := startServeProcess(t, nil, "--listen", "127.0.0.1:0", "--data", t.TempDir())
	defer kill(t, server)
	sender := startTransfer(t, config, nil, "send", from, "--to", url)
	link := sender.event("link")["link"].(string)
	sender.drain()
	receiver := startTransfer(t, config, nil, "get", link, "--out", out)
	receiver.await("a first line", func(map[string]any) bool { return true })
	start = residentOf(t, receiver.cmd.Process.Pid, "VmRSS")
	receiver.await("finished", func(line map[string]any) bool {
		highest = max(highest, start, residentOf(t, receiver.cmd.Process.Pid, "VmHWM"))
		return line["type"] == "finished"
	})
	if err := receiver.end(); err != nil {
		t.Fatalf("get: %v\n%s", err, receiver.said)
	}
	sender.kill()
	return filepath.Join(out, filepath.Base(from)), start, highest
}

// TestReceiverMemory: what a receiver needs of memory does not grow with what it fetches. The bytes are random: each of
// them is sent, verified and written. It holds the highest resident memory of `fanfare get`, less that at its start, to
// what is promised.
func TestReceiverMemory(t *testing.T) {
	t.Parallel()
	from := randomFile(t, filepath.Join(t.TempDir(), "random.bin"), int(*memoryMiB<<20))
	got, start, highest := fetchOnce(t, from)
	if !bytes.Equal(sumOf(t, from), sumOf(t, got)) {
		t.Error("another file")
	}
	const mib = 1 << 20
	if runtime.GOOS == "linux" {
		t.Logf("figure: MiB fetched = %d", *memoryMiB)
		t.Logf("figure: MiB at the start = %.1f", float64(start)/mib)
		t.Logf("figure: MiB above the start = %.1f", float64(highest-start)/mib)
		if above := highest - start; above > 96*mib {
			t.Errorf("%d MiB above the start", above/mib)
		}
	}
}

// TestSparseFile: a file that is nearly all holes arrives as it is, with its words where they were: where 32 bits of an
// offset end, too, and beyond, when it is large enough for that.
func TestSparseFile(t *testing.T) {
	t.Parallel()
	total := *sparseMiB << 20
	from := filepath.Join(t.TempDir(), "sparse.bin")
	f, err := os.Create(from)
	if err != nil {
		t.Fatal(err)
	}
	const words = "the only words near here"
	beyond := 0
	for _, at := range []int64{0, total / 3, total / 2, 1<<31 - 5, 1<<32 - 5, 1<<32 + 1<<20 + 3, 1<<32 + 300<<20, total - int64(len(words))} {
		if at > total-int64(len(words)) {
			continue
		}
		if at+int64(len(words)) > 1<<32 {
			beyond++
		}
		if _, err := f.WriteAt([]byte(words), at); err != nil {
			t.Fatal(err)
		}
	}
	if err := errors.Join(f.Truncate(total), f.Close()); err != nil {
		t.Fatal(err)
	}
	got, _, _ := fetchOnce(t, from)
	if !bytes.Equal(sumOf(t, from), sumOf(t, got)) {
		t.Error("another file")
	}
	t.Logf("figure: MiB fetched = %d", *sparseMiB)
	t.Logf("figure: words beyond 4 GiB = %d", beyond)
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
