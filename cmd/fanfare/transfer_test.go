package main

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"errors"
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
func startTransfer(t *testing.T, config string, change func(*exec.Cmd), args ...string) *transfer {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	x := &transfer{t: t, said: &text{}, lines: make(chan map[string]any, 4096)}
	x.cmd = exec.CommandContext(t.Context(), self, append(args, "--json", "--verbose")...)
	x.cmd.Env = append(os.Environ(), asProgram+"=1", "XDG_CONFIG_HOME="+config, "HOME="+config)
	x.cmd.Stderr = x.said
	if change != nil {
		change(x.cmd)
	}
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

// end waits until it has ended by itself.
func (x *transfer) end() error {
	for range x.lines {
	}
	return x.cmd.Wait()
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
	f, err := os.Create(name)
	if err != nil {
		t.Fatal(err)
	}
	_, err = io.CopyN(f, rand.NewChaCha8([32]byte{1, byte(size)}), int64(size))
	if err := errors.Join(err, f.Close()); err != nil {
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

// TestTransferByCommand is what a person does: list, pick, fetch by code, and what goes wrong.
func TestTransferByCommand(t *testing.T) {
	t.Parallel()
	from, config := t.TempDir(), t.TempDir()
	for _, name := range []string{"a.txt", "b.jpg", "c.jpg"} {
		randomFile(t, filepath.Join(from, name), 50_000+len(name))
	}
	server, url := startServeProcess(t, nil, "--listen", "127.0.0.1:0", "--data", t.TempDir())
	defer kill(t, server)
	sender := startTransfer(t, config, nil, "send", from, "--to", url, "--text", "see you at eight")
	link := sender.event("link")["link"].(string)
	code := sender.event("code")["code"].(string)
	sender.drain()

	status, out, said := command(t, link, "get", "-", "--list")
	if status != 0 || !strings.Contains(out, "see you at eight\n") || !strings.Contains(out, "b.jpg") {
		t.Errorf("--list: %d %q %q", status, out, said)
	}
	dir := t.TempDir()
	status, out, said = command(t, "", "get", code, "--from", url, "--out", dir, "--only", "*.jpg")
	if status != 0 || !strings.Contains(out, filepath.Join(dir, filepath.Base(from))) {
		t.Fatalf("by code: %d %q %q", status, out, said)
	}
	if later := "To go on later: fanfare get '" + link + "' --out '" + dir + "' --only '*.jpg'"; !strings.Contains(said, later) {
		t.Errorf("by code it does not say %q: %q", later, said)
	}
	for _, name := range []string{"b.jpg", "c.jpg"} {
		if got := filepath.Join(dir, filepath.Base(from), name); !bytes.Equal(sumOf(t, filepath.Join(from, name)), sumOf(t, got)) {
			t.Errorf("%s is another file", name)
		}
	}
	if entries, err := os.ReadDir(filepath.Join(dir, filepath.Base(from))); err != nil || len(entries) != 2 {
		t.Errorf("%d files of the two picked: %v", len(entries), err)
	}

	wrong := []struct {
		name string
		args []string
		code int
		want string
	}{
		{"not whole", []string{link[:len(link)-3]}, exitUsage, "the link is not whole"},
		{"code without a server", []string{code}, exitUsage, "--from"},
		{"not a code", []string{"7-foo"}, exitUsage, "a number and three words"},
		{"another secret", []string{strings.Replace(link, "#v1."+link[strings.Index(link, "#v1.")+4:][:1], "#v1."+other(link), 1)}, exitFailed, "copy it again"},
		{"no such room", []string{strings.Replace(link, "/f/", "/f/x", 1)}, exitFailed, "the link"},
		{"no file fits", []string{link, "--only", "*.mp3", "--out", t.TempDir()}, exitUsage, "--list"},
	}
	for _, w := range wrong {
		status, _, said := command(t, "", append([]string{"get"}, w.args...)...)
		if status != w.code || !strings.Contains(said, w.want) {
			t.Errorf("%s: %d %q", w.name, status, said)
		}
	}

	if status, _, said := command(t, "", "send", "--to", url); status != exitUsage {
		t.Errorf("nothing to send: %d %q", status, said)
	}
	if status, _, said := command(t, "", "send", filepath.Join(from, "nothing"), "--to", url); status != exitFailed || !strings.Contains(said, "no such file") {
		t.Errorf("no such file: %d %q", status, said)
	}
}

// TestLimitedSenders: one that lets in two ends when both have everything, though neither stays.
func TestLimitedSenders(t *testing.T) {
	t.Parallel()
	config := t.TempDir()
	file := randomFile(t, filepath.Join(t.TempDir(), "a.txt"), 50_000)
	server, url := startServeProcess(t, nil, "--listen", "127.0.0.1:0", "--data", t.TempDir())
	defer kill(t, server)
	limited := startTransfer(t, config, nil, "send", file, "--to", url, "--max-receivers", "2", "--no-code")
	link := limited.event("link")["link"].(string)
	for i := range 2 {
		status, _, said := command(t, link, "get", "-", "--out", t.TempDir())
		if status != 0 {
			t.Fatalf("of a limited sender: %d %q", status, said)
		}
		if i == 0 { // both people have the same words before their eyes
			words := limited.event("words")["words"].(string)
			if len(strings.Fields(words)) != 4 || !strings.Contains(said, "Check words: "+words+".") {
				t.Errorf("check words: %q at the sender; the receiver says %q", words, said)
			}
		}
	}
	if err := limited.end(); err != nil {
		t.Errorf("the sender ends with %v\n%s", err, limited.said)
	}

	// So does one that shares a text alone: to have been shown it is to have everything, but not to have seen that it is there.
	note := startTransfer(t, config, nil, "send", "--text", "the door is open", "--to", url, "--max-receivers", "1", "--no-code")
	link = note.event("link")["link"].(string)
	if status, out, said := command(t, link, "get", "-", "--list"); status != 0 || !strings.HasSuffix(out, "16 B  a text, which is shown without --list\n") {
		t.Errorf("--list of a text: %d %q %q", status, out, said)
	}
	if status, out, said := command(t, link, "get", "-", "--out", t.TempDir()); status != 0 || out != "the door is open\n" {
		t.Errorf("a text: %d %q %q", status, out, said)
	}
	if err := note.end(); err != nil {
		t.Errorf("the sender of a text ends with %v\n%s", err, note.said)
	}
}

// TestRemoveByCommand: the person lets somebody in and removes it again.
func TestRemoveByCommand(t *testing.T) {
	t.Parallel()
	config := t.TempDir()
	file := randomFile(t, filepath.Join(t.TempDir(), "file"), 50_000)
	server, url := startServeProcess(t, nil, "--listen", "127.0.0.1:0", "--data", t.TempDir())
	defer kill(t, server)
	var typed io.WriteCloser
	sender := startTransfer(t, config, func(cmd *exec.Cmd) {
		var err error
		if typed, err = cmd.StdinPipe(); err != nil {
			t.Fatal(err)
		}
	}, "send", file, "--to", url, "--approve", "--no-code")
	link := sender.event("link")["link"].(string)
	types := func(line string) {
		if _, err := io.WriteString(typed, line+"\n"); err != nil {
			t.Error(err)
		}
	}
	eve := startTransfer(t, config, nil, "get", link, "--out", t.TempDir(), "--name", "eve", "--seed")
	sender.event("asked")
	types("yes")
	eve.event("finished")
	startTransfer(t, config, nil, "get", link, "--out", t.TempDir(), "--name", "ann").drain()
	sender.event("asked")
	types("remove eve")
	if who := sender.event("removed")["name"]; who != "eve" {
		t.Errorf("%v was removed", who)
	}
	if err := eve.end(); err == nil || !strings.Contains(eve.said.String(), "removed you") {
		t.Errorf("eve ends with %v\n%s", err, eve.said)
	}
	types("y") // the question about ann is still open
	if who := sender.event("admitted")["name"]; who != "ann" {
		t.Errorf("%v was let in", who)
	}
}

// other is a first character of the secret that the link does not have.
func other(link string) string {
	if link[strings.Index(link, "#v1.")+4] == 'A' {
		return "B"
	}
	return "A"
}
