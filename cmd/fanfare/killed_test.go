package main

import (
	"context"
	"flag"
	"io"
	"net/http"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/fanfare-relay/fanfare/endpoint"
	"github.com/fanfare-relay/fanfare/media"
)

// asProgram makes this test binary behave as fanfare itself, for tests that need a process to kill.
const asProgram = "FANFARE_TEST_AS_PROGRAM"

func TestMain(m *testing.M) {
	if program := otherProgram(); program != nil {
		program()
		return
	}
	if os.Getenv(asProgram) != "" {
		fillDisk(os.Getenv(fullDisk))
		main()
		return
	}
	flag.Parse()
	// Most tests wait for what others do, and not for a processor.
	if err := flag.Set("test.parallel", "8"); err != nil {
		panic(err)
	}
	os.Exit(m.Run())
}

// fullDisk makes the program find no room on any disk: "now", "later" when its standard input ends, or when that
// says so ("told").
const fullDisk = "FANFARE_TEST_FULL_DISK"

// startProgram runs fanfare as a process of its own. It is killed at the end of the test.
func startProgram(t *testing.T, args ...string) *exec.Cmd {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), self, args...)
	cmd.Env = append(os.Environ(), asProgram+"=1")
	cmd.Stderr = &text{}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	return cmd
}

// kill ends a process as kill -9 does, and waits until it is gone.
func kill(t *testing.T, cmd *exec.Cmd) {
	t.Helper()
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait() // tells of the signal
}

// audience is a number of viewers that count their connections and remember key frames.
type audience struct {
	mu       sync.Mutex
	cond     *sync.Cond
	sessions int
	keys     []int       // key frames, by viewer
	last     []time.Time // arrival of the first packet of the newest key frame, by viewer
}

// seat starts n viewers; they leave with ctx.
func seat(ctx context.Context, t *testing.T, url string, n int) *audience {
	t.Helper()
	id, err := endpoint.NewIdentity()
	if err != nil {
		t.Fatal(err)
	}
	a := &audience{keys: make([]int, n), last: make([]time.Time, n)}
	a.cond = sync.NewCond(&a.mu)
	context.AfterFunc(ctx, a.cond.Broadcast)
	var viewers sync.WaitGroup
	t.Cleanup(viewers.Wait)
	for i := range n {
		v := endpoint.NewViewer(endpoint.ViewerConfig{URL: url, OnFrame: func(f endpoint.Frame) { a.frame(i, f) }}, id)
		viewers.Go(func() {
			for ctx.Err() == nil {
				_ = v.Session(ctx, func() { a.connected() })
			}
		})
	}
	return a
}

func (a *audience) connected() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.sessions++
	a.cond.Broadcast()
}

func (a *audience) connections() int {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.sessions
}

func (a *audience) frame(i int, f endpoint.Frame) {
	if f.Kind != media.KindVideo || !f.Key {
		return
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.keys[i]++
	a.last[i] = f.First
	a.cond.Broadcast()
}

// await returns when every viewer has had a key frame that began after t, and tells the latest of them. A first picture
// may come before word that the session is up, which is waited for too.
func (a *audience) await(ctx context.Context, after time.Time) (latest time.Time, err error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for a.sessions < len(a.keys) || !a.allAfter(after) {
		if ctx.Err() != nil {
			return latest, context.Cause(ctx)
		}
		a.cond.Wait()
	}
	for _, at := range a.last {
		if at.After(latest) {
			latest = at
		}
	}
	return latest, nil
}

func (a *audience) allAfter(t time.Time) bool {
	for _, at := range a.last {
		if !at.After(t) {
			return false
		}
	}
	return true
}

// stamped is a log that knows when its lines were written.
type stamped struct {
	mu    sync.Mutex
	lines []stampedLine
}

type stampedLine struct {
	at   time.Time
	text string
}

func (s *stamped) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.lines = append(s.lines, stampedLine{time.Now(), string(p)})
	return len(p), nil
}

// after returns when the first line with all the words was written after t.
func (s *stamped) after(t time.Time, words ...string) (time.Time, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
lines:
	for _, l := range s.lines {
		if !l.at.After(t) {
			continue
		}
		for _, w := range words {
			if !strings.Contains(l.text, w) {
				continue lines
			}
		}
		return l.at, true
	}
	return time.Time{}, false
}

func (r *running) metrics() string {
	r.t.Helper()
	req, err := http.NewRequestWithContext(r.t.Context(), http.MethodGet, r.url+"/metrics", nil)
	if err != nil {
		r.t.Fatal(err)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		r.t.Fatal(err)
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		r.t.Fatal(err)
	}
	return string(b)
}

// TestPublisherKilled: a publisher that dies by kill -9 and comes back a second later is taken at its first POST;
// no viewer makes a new connection, and each gets a key frame of the new stream.
func TestPublisherKilled(t *testing.T) {
	log := &stamped{}
	s := startServer(t, "--dev", "--data", t.TempDir(), "--publish-key", "killed-publisher-key")
	s.log.also(log)
	url := s.url + "/whip/killed"
	publish := func() *exec.Cmd {
		return startProgram(t, "publish", "demo/demo.webm", "--to", url, "--key", "killed-publisher-key", "--loop")
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()

	first := publish()
	a := seat(ctx, t, s.url+"/whep/killed", 5)
	if _, err := a.await(ctx, time.Time{}); err != nil {
		t.Fatal("no picture: ", err)
	}
	kill(t, first)
	killed := time.Now()
	pause(ctx, time.Second) // as the requirement has it: it comes back one second later
	started := time.Now()
	second := publish()
	defer kill(t, second)
	key, err := a.await(ctx, started)
	if err != nil {
		t.Fatalf("no picture after the publisher came back: %v\n%s", err, s.log)
	}

	if n := a.connections(); n != 5 {
		t.Errorf("5 viewers made %d connections", n)
	}
	offers := regexp.MustCompile(`fanfare_offers_total\{.*role="publisher".*\} \d+`).FindAllString(s.metrics(), -1)
	if want := []string{`fanfare_offers_total{result="accepted",role="publisher"} 2`}; !slices.Equal(offers, want) {
		t.Errorf("the publisher was not taken at its first POST: %q", offers)
	}
	up, ok := log.after(killed, "publisher connected")
	if !ok {
		t.Fatalf("the log does not tell of the new publisher:\n%s", s.log)
	}
	t.Logf("figure: 0 of 5 viewers reconnected; key frame at the last viewer %d ms after the new stream started, %d ms after the new process",
		key.Sub(up).Milliseconds(), key.Sub(started).Milliseconds())
}
