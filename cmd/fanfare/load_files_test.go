package main

import (
	"encoding/json"
	"io"
	"os/exec"
	"strings"
	"testing"
)

// TestLoadFilesTimeOver: when the time ends before everybody has everything, what was measured is marked as partial.
func TestLoadFilesTimeOver(t *testing.T) {
	t.Parallel()
	server, url := startServeProcess(t, nil, "--listen", "127.0.0.1:0", "--data", t.TempDir())
	defer kill(t, server)
	var never io.WriteCloser // answers whether somebody is let in
	sender := startTransfer(t, t.TempDir(), func(cmd *exec.Cmd) {
		var err error
		if never, err = cmd.StdinPipe(); err != nil {
			t.Fatal(err)
		}
	}, "send", "--text", "see you at eight", "--to", url, "--approve", "--no-code")
	defer never.Close()
	link := sender.event("link")["link"].(string)
	sender.drain()
	for _, as := range []string{"--json", "--up-rate=1M"} {
		code, out, said := command(t, link, "load", "files", "-", "-n", "2", "--for", "200ms", as)
		var r filesReport
		marked := strings.HasPrefix(out, "PARTIAL         the time was over")
		if as == "--json" {
			marked = json.Unmarshal([]byte(out), &r) == nil && r.TimeOver && !r.Interrupted && r.Receivers == 2
		}
		if code != 0 || !marked {
			t.Errorf("%s: code %d, %s%s", as, code, out, said)
		}
	}
}
