package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math"
	"net"
	"net/http"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// viewerOffer is an offer of a viewer that will never send a datagram.
const viewerOffer = "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\na=group:BUNDLE 0\r\n" +
	"m=video 9 UDP/TLS/RTP/SAVPF 96\r\nc=IN IP4 0.0.0.0\r\na=mid:0\r\na=recvonly\r\na=rtcp-mux\r\na=rtpmap:96 VP8/90000\r\n" +
	"a=ice-ufrag:abcd\r\na=ice-pwd:0123456789abcdef0123456789\r\na=setup:actpass\r\na=fingerprint:sha-256 " +
	"AB:AB:AB:AB:AB:AB:AB:AB:AB:AB:AB:AB:AB:AB:AB:AB:AB:AB:AB:AB:AB:AB:AB:AB:AB:AB:AB:AB:AB:AB:AB:AB\r\n"

// postOffer posts the offer as the client of a proxy.
func postOffer(ctx context.Context, through *http.Client, url, client string) (*http.Response, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, url, strings.NewReader(viewerOffer))
	if err != nil {
		return nil, err
	}
	req.Header.Set("Content-Type", "application/sdp")
	req.Header.Set("X-Forwarded-For", client)
	res, err := through.Do(req)
	if err != nil {
		return nil, err
	}
	_, err = io.Copy(io.Discard, res.Body)
	return res, errors.Join(err, res.Body.Close())
}

// figure reads one number of /metrics.
func (r *running) figure(name string) float64 {
	r.t.Helper()
	m := regexp.MustCompile(`(?m)^` + regexp.QuoteMeta(name) + ` (\S+)$`).FindStringSubmatch(r.metrics())
	if m == nil {
		return -1
	}
	n, err := strconv.ParseFloat(m[1], 64)
	if err != nil {
		r.t.Fatal(err)
	}
	return n
}

// await reads a number of /metrics until it is as wanted.
func (r *running) await(ctx context.Context, name string, ok func(float64) bool) {
	r.t.Helper()
	for v := r.figure(name); !ok(v); v = r.figure(name) {
		if !pause(ctx, 50*time.Millisecond) {
			r.t.Fatalf("%s stays at %v", name, v)
		}
	}
}

// flood is what came of many offers. Answers are counted by status.
type flood struct {
	mu      sync.Mutex
	answers map[int]int
	sent    int
	most    float64 // sessions that were unfinished at once
}

const unfinished = "fanfare_sessions_unfinished"

// flood sends offers, several at once, until there are n or one has the status last. How many are unfinished is
// looked at all the while.
func (r *running) flood(ctx context.Context, path string, client func(i int) string, n, last int) *flood {
	r.t.Helper()
	f := &flood{answers: map[int]int{}}
	through := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 8}}
	defer through.CloseIdleConnections()
	var senders sync.WaitGroup
	for range 8 {
		senders.Go(func() {
			for i, more := f.next(n, last); more; i, more = f.next(n, last) {
				res, err := postOffer(ctx, through, r.url+path, client(i))
				if err != nil {
					r.t.Errorf("offer %d: %v", i, err)
					return
				}
				f.note(r.t, res)
			}
		})
	}
	sent := make(chan struct{})
	go func() {
		defer close(sent)
		senders.Wait()
	}()
	defer func() { <-sent }()
	for {
		f.most = max(f.most, r.figure(unfinished))
		select {
		case <-sent:
			return f
		default:
		}
	}
}

// next numbers the next offer; more is false when there have been enough.
func (f *flood) next(n, last int) (i int, more bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.sent++
	return f.sent - 1, f.sent <= n && f.answers[last] == 0
}

func (f *flood) note(t *testing.T, res *http.Response) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.answers[res.StatusCode]++
	if res.StatusCode >= 400 && res.Header.Get("Retry-After") == "" {
		t.Errorf("%d without Retry-After", res.StatusCode)
	}
}

// only tells whether every answer had one of the two statuses, and both were given.
func (f *flood) only(a, b int) bool {
	return len(f.answers) == 2 && f.answers[a] > 0 && f.answers[b] > 0
}

// TestOffersThatNeverConnect: a flood from one address is bounded, and a viewer from elsewhere is served meanwhile; a
// flood from many is bounded in all; both are forgotten, and the memory is as it was. How many are taken in all depends
// on how long the flood takes, because those that do not connect make room after a while; how many at once does not.
func TestOffersThatNeverConnect(t *testing.T) {
	t.Parallel()
	server, url := startServeProcess(t, func(cmd *exec.Cmd) { cmd.Args = without(cmd.Args, "--dev") },
		"--listen", "127.0.0.1:0", "--trusted-proxy", "127.0.0.1", "--data", t.TempDir(), "--publish-key", testKey, "--demo")
	defer kill(t, server)
	s := &running{t: t, url: url}
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	s.await(ctx, "fanfare_publishers_connected", func(n float64) bool { return n == 1 })
	const resident, target = "process_resident_memory_bytes", "go_memstats_next_gc_bytes"
	memory, heap, goroutines := s.figure(resident), s.figure(target), s.figure("go_goroutines")

	one := s.flood(ctx, "/whep/demo", func(int) string { return "203.0.113.1" }, 1000, 0)
	if !one.only(http.StatusCreated, http.StatusTooManyRequests) || one.answers[http.StatusCreated] < 64 || one.most > 64 {
		t.Errorf("1,000 offers from one address: %v, %v unfinished at once, want 64", one.answers, one.most)
	}
	a := seat(ctx, t, url+"/whep/demo", 1)
	if _, err := a.await(ctx, time.Time{}); err != nil || a.connections() != 1 {
		t.Errorf("a viewer meanwhile: %v, %d connections", err, a.connections())
	}
	many := s.flood(ctx, "/whep/demo", func(i int) string { return fmt.Sprintf("198.51.100.%d", i%50) }, math.MaxInt, http.StatusServiceUnavailable)
	if !many.only(http.StatusCreated, http.StatusServiceUnavailable) || many.most > 512 {
		t.Errorf("offers from 50 addresses: %v, %v unfinished at once, want 512", many.answers, many.most)
	}
	s.await(ctx, unfinished, func(n float64) bool { return n == 0 })
	s.await(ctx, "go_goroutines", func(n float64) bool { return n <= goroutines+10 })
	// The target of the garbage collector is twice what was in use when it last ran; a server that has been up for a while
	// uses some MiB more than a fresh one, flood or not. What the process holds says less:
	// the garbage of the flood is in it, and several times as much under the race detector.
	s.await(ctx, target, func(n float64) bool { return n <= heap+16<<20 })
	t.Logf("figure: %d offers that never connect leave %.1f MiB, %.1f MiB of them in use",
		one.sent+many.sent, (s.figure(resident)-memory)/(1<<20), (s.figure(target)-heap)/2/(1<<20))
}

func without(args []string, flag string) (out []string) {
	for _, a := range args {
		if a != flag {
			out = append(out, a)
		}
	}
	return out
}

// TestViewerWhoseNetworkDrops: a viewer that falls silent is let go after a while; the others notice nothing.
func TestViewerWhoseNetworkDrops(t *testing.T) {
	t.Parallel()
	s := startServer(t, "--data", t.TempDir(), "--demo", "--dev")
	const viewers = "fanfare_viewers_connected"
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	a := seat(ctx, t, s.url+"/whep/demo", 1)
	if _, err := a.await(ctx, time.Time{}); err != nil {
		t.Fatal(err)
	}
	dropped := startProgram(t, "watch", s.url+"/w/demo")
	waitFor(t, func() bool { return s.figure(viewers) == 2 })
	kill(t, dropped) // it says no goodbye, as a phone in a tunnel
	for s.figure(viewers) != 1 {
		if !pause(ctx, 200*time.Millisecond) {
			t.Fatal("the silent viewer is still counted")
		}
	}
	if !strings.Contains(s.log.String(), "reason=timeout") {
		t.Errorf("the log does not say why it went:\n%s", s.log)
	}
	if _, err := a.await(ctx, time.Now()); err != nil || a.connections() != 1 {
		t.Errorf("the other viewer: %v, %d connections", err, a.connections())
	}
}

// TestSlowHeader: a request whose header does not come to an end is cut off.
func TestSlowHeader(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		here, there := net.Pipe()
		listener := &oneConn{conn: there, done: make(chan struct{})}
		srv := newHTTPServer(http.NotFoundHandler(), slog.New(slog.DiscardHandler))
		served := make(chan struct{})
		go func() {
			defer close(served)
			_ = srv.Serve(listener) // ends with Close
		}()
		begin := time.Now()
		var writer sync.WaitGroup
		writer.Go(func() {
			_, err := io.WriteString(here, "GET / HTTP/1.1\r\nHost: pipe\r\n")
			for err == nil {
				time.Sleep(time.Second)
				_, err = io.WriteString(here, "X-More: 1\r\n")
			}
		})
		_, err := io.Copy(io.Discard, bufio.NewReader(here))
		if took := time.Since(begin); err != nil || took < headerWithin || took > headerWithin+time.Second {
			t.Errorf("cut off after %v: %v", took, err)
		}
		_ = here.Close()
		_ = srv.Close()
		writer.Wait()
		<-served
	})
}

// oneConn is a listener with one connection.
type oneConn struct {
	conn net.Conn
	done chan struct{}
}

func (l *oneConn) Accept() (net.Conn, error) {
	if c := l.conn; c != nil {
		l.conn = nil
		return c, nil
	}
	<-l.done
	return nil, net.ErrClosed
}

func (l *oneConn) Close() error   { close(l.done); return nil }
func (l *oneConn) Addr() net.Addr { return &net.UnixAddr{Name: "pipe"} }

// TestNoSecretInAnyLog sends canaries through the whole server and through the clients, and looks for them in all that
// they write, with the log as talkative as it gets.
func TestNoSecretInAnyLog(t *testing.T) {
	t.Parallel()
	const key, wrong = "canary-key-0123456789", "canary-wrong-0123456789"
	s := startServer(t, "--data", t.TempDir(), "--dev", "--publish-key", key, "--log-level", "debug")
	_, out, said := command(t, key, "publish", testClip("vp8-opus.webm"), "--to", s.url+"/w/canary", "--key", "-")
	all := out + said
	for _, args := range [][]string{
		{"publish", testClip("vp8-opus.webm"), "--to", s.url + "/w/canary", "--key", wrong},
		{"publish", testClip("vp8-opus.webm"), "--to", s.url + "/studio#key=" + wrong},
		{"watch", s.url + "/w/canary", "--password", wrong, "--for", "300ms"},
	} {
		_, out, said := command(t, "", args...)
		all += out + said
	}
	res, err := postOffer(t.Context(), http.DefaultClient, s.url+"/whep/canary", "203.0.113.1")
	if err != nil {
		t.Fatal(err)
	}
	location := res.Header.Get("Location")
	session := location[strings.LastIndexByte(location, '/')+1:]
	if len(session) < 20 {
		t.Fatalf("no session: %d %q", res.StatusCode, location)
	}
	all += s.log.String()
	for _, secret := range []string{key, wrong, session, "0123456789abcdef0123456789"} {
		if strings.Contains(all, secret) {
			t.Errorf("%q is in\n%s", secret, all)
		}
	}
	if !strings.Contains(all, session[:8]) || !strings.Contains(all, "offer refused") {
		t.Errorf("the log is empty of what it should say:\n%s", all)
	}
}
