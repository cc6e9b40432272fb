package main

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// transfer is send or get as a process of its own that writes --json.
type transfer struct {
	t     *testing.T
	cmd   *exec.Cmd
	lines chan map[string]any
	said  *text
	last  map[string]any // the last line of progress
}

// startTransfer runs send or get. All of a test's processes share a configuration folder, as those of
// one person do.
func startTransfer(t *testing.T, config string, args ...string) *transfer {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	x := &transfer{t: t, said: &text{}, lines: make(chan map[string]any, 4096)}
	x.cmd = exec.CommandContext(t.Context(), self, append(args, "--json", "--verbose")...)
	x.cmd.Env = append(os.Environ(), asProgram+"=1", "XDG_CONFIG_HOME="+config, "HOME="+config)
	x.cmd.Stderr = x.said
	out, err := x.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := x.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go x.read(out)
	return x
}

func (x *transfer) read(out io.Reader) {
	defer close(x.lines)
	lines := bufio.NewScanner(out)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var line map[string]any
		if json.Unmarshal(lines.Bytes(), &line) == nil {
			x.lines <- line
		}
	}
}

// await returns the first line that fits.
func (x *transfer) await(what string, fits func(map[string]any) bool) map[string]any {
	x.t.Helper()
	for line := range x.lines {
		if line["type"] == "progress" {
			x.last = line
		}
		if fits(line) {
			return line
		}
	}
	x.t.Fatalf("%v ended without %s: %v\n%s", x.cmd.Args[1], what, x.cmd.Wait(), x.said)
	return nil
}

func (x *transfer) event(kind string) map[string]any {
	x.t.Helper()
	return x.await(kind, func(line map[string]any) bool { return line["type"] == kind })
}

// reaches waits until so many bytes are verified.
func (x *transfer) reaches(bytes float64) {
	x.t.Helper()
	x.await("progress", func(line map[string]any) bool { held, _ := line["held"].(float64); return held >= bytes })
}

// drain forgets what a process says from now on, so that it does not wait for us.
func (x *transfer) drain() {
	go func() {
		for range x.lines {
		}
	}()
}

// kill ends it as kill -9 does, and reads what it had said.
func (x *transfer) kill() {
	x.t.Helper()
	if err := x.cmd.Process.Kill(); err != nil {
		x.t.Fatal(err)
	}
	for line := range x.lines {
		if line["type"] == "progress" {
			x.last = line
		}
	}
	_ = x.cmd.Wait() // tells of the signal
}

func randomFile(t *testing.T, name string, size int) string {
	t.Helper()
	b := make([]byte, size)
	_, _ = rand.NewChaCha8([32]byte{1, byte(size)}).Read(b)
	if err := os.WriteFile(name, b, 0o666); err != nil {
		t.Fatal(err)
	}
	return name
}

func sumOf(t *testing.T, name string) []byte {
	t.Helper()
	f, err := os.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		t.Fatal(err)
	}
	return h.Sum(nil)
}

// TestTransferKilled: receiver, sender and server die by kill -9 in the middle of one transfer and are started
// again as before. The result is the same, and at most one piece is fetched again.
func TestTransferKilled(t *testing.T) {
	t.Parallel()
	const total, piece = 64 << 20, 128 << 10
	from := randomFile(t, filepath.Join(t.TempDir(), "film.bin"), total)
	config, out, data := t.TempDir(), t.TempDir(), t.TempDir()
	server, url := startServeProcess(t, nil, "--listen", "127.0.0.1:0", "--data", data)
	// The rate leaves time to kill in the middle.
	send := func() *transfer { return startTransfer(t, config, "send", from, "--to", url, "--up-rate", "12M") }
	sender := send()
	link := sender.event("link")["link"].(string)
	sender.drain()
	get := func() *transfer { return startTransfer(t, config, "get", link, "--out", out) }

	receiver := get()
	receiver.reaches(total / 5)
	receiver.kill()
	held := receiver.last["held"].(float64)
	receiver = get()
	here := receiver.event("resumed")["here"].(float64)
	if here < held-piece {
		t.Errorf("%.0f bytes were verified before the kill, %.0f after it", held, here)
	}

	receiver.reaches(2 * total / 5)
	if err := sender.cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = sender.cmd.Wait() // tells of the signal
	sender = send()
	if again := sender.event("link"); again["link"] != link {
		t.Errorf("%s became %v", link, again["link"])
	}
	sender.drain()

	receiver.reaches(3 * total / 5)
	kill(t, server)
	server, again := startServeProcess(t, nil, "--listen", strings.TrimPrefix(url, "http://"), "--data", data)
	defer kill(t, server)
	if again != url {
		t.Fatalf("%s became %s", url, again)
	}
	finished := receiver.event("finished")
	for range receiver.lines { // to its end
	}
	if err := receiver.cmd.Wait(); err != nil {
		t.Fatalf("get: %v\n%s", err, receiver.said)
	}
	name := finished["names"].([]any)[0].(string)
	if !bytes.Equal(sumOf(t, from), sumOf(t, name)) {
		t.Error("the result is another file")
	}
	t.Logf("figure: %.0f of %.0f bytes were there after the receiver was killed", here, held)
}
