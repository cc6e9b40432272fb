package main

import (
	"bytes"
	"flag"
	"io"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
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
	receivers         []*transfer // all that there were
	deaths            []death
	repeats           int64 // bytes that came again until now
}

// death is a process that was killed, and how many bytes were fetched again for it.
type death struct {
	who   string
	again int64
}

// TestTransferKilled: receiver, sender and server die by kill -9 in turns in the middle of one transfer. The result is
// the same, and for each of them at most one piece is fetched again: of what was on disk when a receiver died, and of
// what came twice from there to the next death. There is one lane.
func TestTransferKilled(t *testing.T) {
	t.Parallel()
	k := &killing{t: t, config: t.TempDir(), out: t.TempDir(), data: t.TempDir(), total: int64(*transferMiB) << 20}
	k.from = randomFile(t, filepath.Join(t.TempDir(), "film.bin"), int(k.total))
	k.server, k.url = startServeProcess(t, nil, "--listen", "127.0.0.1:0", "--data", k.data)
	k.send()
	k.get()
	kills := []struct {
		who  string
		kill func() (again int64)
	}{{"receiver", k.killReceiver}, {"sender", k.killSender}, {"server", k.killServer}}
	for i := range *transferKills {
		k.receiver.reaches(float64(k.total) * float64(i+1) / float64(*transferKills+1))
		one := kills[i%len(kills)]
		k.countRepeats()
		k.deaths = append(k.deaths, death{one.who, one.kill()})
	}
	finished := k.receiver.event("finished")
	if err := k.receiver.end(); err != nil {
		t.Fatalf("get: %v\n%s", err, k.receiver.said)
	}
	k.countRepeats()
	name := finished["names"].([]any)[0].(string)
	if !bytes.Equal(sumOf(t, k.from), sumOf(t, name)) {
		t.Error("the result is another file")
	}
	k.sender.kill()
	kill(t, k.server)
	k.judge()
}

// judge holds each death by itself to one piece.
func (k *killing) judge() {
	most, sum := map[string]float64{}, 0.0
	for i, one := range k.deaths {
		pieces := float64(one.again) / float64(k.piece())
		sum += pieces
		most[one.who] = max(most[one.who], pieces)
		if pieces > 1 {
			k.t.Errorf("death %d, of the %s: %.3f pieces were fetched again", i+1, one.who, pieces)
		}
	}
	for i, one := range k.receivers {
		if shown, _ := one.last["again"].(float64); int64(shown) > k.cameAgain(one) {
			k.t.Errorf("receiver %d: %.0f bytes came again, of which it has said %d", i+1, shown, k.cameAgain(one))
		}
	}
	k.t.Logf("figure: processes killed = %d", len(k.deaths))
	k.t.Logf("figure: pieces fetched again for each process that was killed = %.3f", sum/float64(max(1, len(k.deaths))))
	for _, who := range slices.Sorted(maps.Keys(most)) {
		k.t.Logf("figure: most pieces fetched again for one %s that was killed = %.3f", who, most[who])
	}
}

// countRepeats puts what came again to the last death, or to the first that is to come.
func (k *killing) countRepeats() {
	repeats := int64(0)
	for _, one := range k.receivers {
		repeats += k.cameAgain(one)
	}
	if n := len(k.deaths); n > 0 {
		k.deaths[n-1].again += repeats - k.repeats
		k.repeats = repeats
	}
}

var leafAgain = regexp.MustCompile(`msg="a leaf came again" bytes=(\d+)`)

// cameAgain is how many bytes came again to a receiver, by its own words. It says so of each leaf at once, so that nothing
// of it is lost when it is killed.
func (k *killing) cameAgain(one *transfer) (sum int64) {
	for _, m := range leafAgain.FindAllStringSubmatch(one.said.String(), -1) {
		n, err := strconv.ParseInt(m[1], 10, 64)
		if err != nil {
			k.t.Fatal(err)
		}
		sum += n
	}
	return sum
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

func (k *killing) get() {
	k.receiver = startTransfer(k.t, k.config, nil, "get", k.link, "--out", k.out)
	k.receivers = append(k.receivers, k.receiver)
}

func (k *killing) killSender() (again int64) {
	k.sender.kill()
	k.send()
	return 0
}

func (k *killing) killServer() (again int64) {
	kill(k.t, k.server)
	var url string
	k.server, url = startServeProcess(k.t, nil, "--listen", strings.TrimPrefix(k.url, "http://"), "--data", k.data)
	if url != k.url {
		k.t.Fatalf("%s became %s", k.url, url)
	}
	return 0
}

// killReceiver counts of what was on disk what the next one does not use.
func (k *killing) killReceiver() (again int64) {
	k.receiver.kill()
	stored := k.stored()
	k.get()
	here := int64(k.receiver.event("resumed")["here"].(float64))
	return max(0, stored-here)
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
