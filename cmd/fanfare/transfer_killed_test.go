package main

import (
	"bytes"
	"flag"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/fanfare-relay/fanfare/mesh/manifest"
)

var (
	transferKills  = flag.Int("kills", 3, "how many processes TestTransferKilled kills")
	transferMiB    = flag.Int("kills-mib", 64, "size of the file of TestTransferKilled, in MiB")
	transferUpRate = flag.String("kills-rate", "12M", "bytes a second of its sender, so that there is a middle to kill in")
)

// killing is one transfer whose processes die and are started again as before.
type killing struct {
	t                 *testing.T
	config, out, data string
	from, link, url   string
	total             int64
	server            *exec.Cmd
	sender, receiver  *transfer
	repeats           float64 // bytes that came again while a receiver lived
	lost, most        int64   // bytes that were on disk when receivers died, and were not used: in all, and most at once
}

// TestTransferKilled: receiver, sender and server die by kill -9 in turns in the middle of one transfer. The
// result is the same, and for each of them at most one piece is fetched again: of what was on disk when a receiver
// died, and of what came twice otherwise.
func TestTransferKilled(t *testing.T) {
	t.Parallel()
	k := &killing{t: t, config: t.TempDir(), out: t.TempDir(), data: t.TempDir(), total: int64(*transferMiB) << 20}
	k.from = randomFile(t, filepath.Join(t.TempDir(), "film.bin"), int(k.total))
	k.server, k.url = startServeProcess(t, nil, "--listen", "127.0.0.1:0", "--data", k.data)
	k.send()
	k.receiver = k.get()
	kills := []func(){k.killReceiver, k.killSender, k.killServer}
	for i := range *transferKills {
		k.receiver.reaches(float64(k.total) * float64(i+1) / float64(*transferKills+1))
		kills[i%len(kills)]()
	}
	finished := k.receiver.event("finished")
	k.countRepeats()
	if err := k.receiver.end(); err != nil {
		t.Fatalf("get: %v\n%s", err, k.receiver.said)
	}
	name := finished["names"].([]any)[0].(string)
	if !bytes.Equal(sumOf(t, k.from), sumOf(t, name)) {
		t.Error("the result is another file")
	}
	k.sender.kill()
	kill(t, k.server)
	pieces := func(bytes float64) float64 { return bytes / float64(k.piece()) }
	again := pieces(float64(k.lost)+k.repeats) / float64(*transferKills)
	if again > 1 {
		t.Errorf("%.2f pieces were fetched again for each kill", again)
	}
	t.Logf("figure: processes killed = %d", *transferKills)
	t.Logf("figure: pieces fetched again for each process that was killed = %.3f", again)
	t.Logf("figure: most pieces fetched again for one receiver that was killed = %.3f", pieces(float64(k.most)))
}

// countRepeats adds what a receiver says that it got twice, when it is over.
func (k *killing) countRepeats() {
	if again, ok := k.receiver.last["again"].(float64); ok {
		k.repeats += again
	}
}

// piece is how many bytes a piece has.
func (k *killing) piece() int64 {
	return manifest.Manifest{Files: []manifest.File{{Path: "film.bin", Size: k.total}}}.Layout().Piece()
}

func (k *killing) send() {
	k.sender = startTransfer(k.t, k.config, nil, "send", k.from, "--to", k.url, "--up-rate", *transferUpRate)
	link := k.sender.event("link")["link"].(string)
	if k.link != "" && link != k.link {
		k.t.Errorf("%s became %s", k.link, link)
	}
	k.link = link
}

func (k *killing) get() *transfer {
	return startTransfer(k.t, k.config, nil, "get", k.link, "--out", k.out)
}

func (k *killing) killSender() {
	k.sender.kill()
	k.send()
}

func (k *killing) killServer() {
	kill(k.t, k.server)
	var again string
	k.server, again = startServeProcess(k.t, nil, "--listen", strings.TrimPrefix(k.url, "http://"), "--data", k.data)
	if again != k.url {
		k.t.Fatalf("%s became %s", k.url, again)
	}
}

func (k *killing) killReceiver() {
	k.receiver.kill()
	k.countRepeats()
	stored := k.stored()
	k.receiver = k.get()
	here := int64(k.receiver.event("resumed")["here"].(float64))
	if lost := stored - here; lost > k.piece() {
		k.t.Errorf("%d bytes were on disk when it died and %d are used: more than a piece of %d is fetched again", stored, here, k.piece())
	}
	k.lost += max(0, stored-here)
	k.most = max(k.most, stored-here)
}

// stored counts the leaves that are right on disk. The file is random, so what was not written is wrong.
func (k *killing) stored() (right int64) {
	k.t.Helper()
	source, err := os.Open(k.from)
	if err != nil {
		k.t.Fatal(err)
	}
	defer source.Close()
	got, err := os.Open(k.unfinished())
	if err != nil {
		k.t.Fatal(err)
	}
	defer got.Close()
	want, have := make([]byte, manifest.LeafSize), make([]byte, manifest.LeafSize)
	for at := int64(0); at < k.total; at += manifest.LeafSize {
		n, err := io.ReadFull(source, want)
		if err != nil && err != io.ErrUnexpectedEOF {
			k.t.Fatal(err)
		}
		if m, err := got.ReadAt(have[:n], at); m < n {
			k.t.Fatalf("the file on disk ends at %d: %v", at+int64(m), err)
		}
		if bytes.Equal(want[:n], have[:n]) {
			right += int64(n)
		}
	}
	return right
}

// unfinished finds the file that is being fetched.
func (k *killing) unfinished() (name string) {
	k.t.Helper()
	err := filepath.WalkDir(k.out, func(p string, d fs.DirEntry, err error) error {
		if err == nil && d.Name() == filepath.Base(k.from) {
			name = p
		}
		return err
	})
	if err != nil || name == "" {
		k.t.Fatalf("nothing is being fetched in %s: %v", k.out, err)
	}
	return name
}
