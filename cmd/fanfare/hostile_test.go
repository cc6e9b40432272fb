package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"log/slog"
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

// offerFrom posts the offer as the client of a proxy.
func offerFrom(t *testing.T, url, client string) *http.Response {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url, strings.NewReader(viewerOffer))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/sdp")
	req.Header.Set("X-Forwarded-For", client)
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	_, _ = io.Copy(io.Discard, res.Body)
	_ = res.Body.Close()
	return res
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

// TestOffersThatNeverConnect: a flood from one address is bounded, and a viewer from elsewhere is served meanwhile; a
// flood from many is bounded in all; both are forgotten, and the memory is as it was.
func TestOffersThatNeverConnect(t *testing.T) {
	t.Parallel()
	const unfinished = "fanfare_sessions_unfinished"
	server, url := startServeProcess(t, func(cmd *exec.Cmd) { cmd.Args = without(cmd.Args, "--dev") },
		"--listen", "127.0.0.1:0", "--trusted-proxy", "127.0.0.1", "--data", t.TempDir(), "--publish-key", testKey, "--demo")
	defer kill(t, server)
	s := &running{t: t, url: url}
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	waitFor(t, func() bool { return s.figure("fanfare_publishers_connected") == 1 })
	memory, goroutines := s.figure("process_resident_memory_bytes"), s.figure("go_goroutines")

	answers := map[int]int{}
	flood := func(client func(i int) string) {
		for i := range 1000 {
			res := offerFrom(t, url+"/whep/demo", client(i))
			answers[res.StatusCode]++
			if res.StatusCode >= 400 && res.Header.Get("Retry-After") == "" {
				t.Errorf("%d without Retry-After", res.StatusCode)
			}
		}
	}
	flood(func(int) string { return "203.0.113.1" })
	if want := map[int]int{http.StatusCreated: 64, http.StatusTooManyRequests: 936}; fmt.Sprint(answers) != fmt.Sprint(want) {
		t.Errorf("1,000 offers from one address: %v, want %v", answers, want)
	}
	a := seat(ctx, t, url+"/whep/demo", 1)
	if _, err := a.await(ctx, time.Time{}); err != nil || a.connections() != 1 {
		t.Errorf("a viewer meanwhile: %v, %d connections", err, a.connections())
	}
	clear(answers)
	flood(func(i int) string { return fmt.Sprintf("198.51.100.%d", i%50) })
	if answers[http.StatusServiceUnavailable] == 0 || s.figure(unfinished) > 512 {
		t.Errorf("1,000 offers from 50 addresses: %v, %v unfinished", answers, s.figure(unfinished))
	}
	waitFor(t, func() bool { return s.figure(unfinished) == 0 })
	if left := s.figure("go_goroutines"); left > goroutines+10 {
		t.Errorf("%v goroutines became %v", goroutines, left)
	}
	grown := s.figure("process_resident_memory_bytes") - memory
	if grown > 96<<20 { // most of it is the garbage of 2,000 requests, and more under the race detector
		t.Errorf("%.0f MiB of memory stay", grown/(1<<20))
	}
	t.Logf("figure: 2,000 offers that never connect leave %.1f MiB", grown/(1<<20))
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
	res := offerFrom(t, s.url+"/whep/canary", "203.0.113.1")
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
