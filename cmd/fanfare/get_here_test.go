package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestGetAgainAfterItDied: get dies when everything is in its place, before it has ended. The same command then says
// that all is here and ends well, with the server and the uploader gone; nothing is fetched twice. What was changed
// meanwhile is not taken for right, and is left alone.
func TestGetAgainAfterItDied(t *testing.T) {
	t.Parallel()
	from := randomFile(t, filepath.Join(t.TempDir(), "film.bin"), 3<<20)
	config, out := t.TempDir(), t.TempDir()
	server, url := startServeProcess(t, nil, "--listen", "127.0.0.1:0", "--data", t.TempDir())
	sender := startTransfer(t, config, nil, "send", from, "--to", url)
	link := sender.event("link")["link"].(string)
	sender.drain()
	receiver := startTransfer(t, config, nil, "get", link, "--out", out, "--seed") // so that it does not end by itself
	receiver.event("finished")
	receiver.kill()
	changed := filepath.Join(t.TempDir(), "changed")
	if err := os.CopyFS(changed, os.DirFS(out)); err != nil {
		t.Fatal(err)
	}
	writeInto(t, filepath.Join(changed, "film.bin"), "a note")
	code, printed, said := command(t, "", "get", link, "--out", changed)
	if beside := filepath.Join(changed, "film (2).bin"); code != 0 || strings.TrimSpace(printed) != beside || !strings.Contains(said, "It was changed since") {
		t.Errorf("changed: %d %q %q", code, printed, said)
	} else if !bytes.Equal(sumOf(t, from), sumOf(t, beside)) {
		t.Error("what was fetched beside it is another file")
	}
	if b, err := os.ReadFile(filepath.Join(changed, "film.bin")); err != nil || !bytes.Contains(b, []byte("a note")) {
		t.Errorf("what the person wrote is gone: %v", err)
	}

	sender.kill()
	kill(t, server)
	place := filepath.Join(out, "film.bin")
	code, printed, said = command(t, "", "get", link, "--out", out)
	if code != 0 || strings.TrimSpace(printed) != place || !strings.Contains(said, "Everything is here already") {
		t.Fatalf("%d %q %q", code, printed, said)
	}
	if !bytes.Equal(sumOf(t, from), sumOf(t, place)) {
		t.Error("another file")
	}
	if all, err := os.ReadDir(out); err != nil || len(all) != 1 {
		t.Errorf("in the folder are %v, %v", all, err)
	}
}

func writeInto(t *testing.T, name, text string) {
	t.Helper()
	f, err := os.OpenFile(name, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, err := f.WriteAt([]byte(text), 1<<20); err != nil {
		t.Fatal(err)
	}
}
