package signalling

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/coder/websocket"

	"github.com/fanfare-relay/fanfare/media"
	"github.com/fanfare-relay/fanfare/signalling/msg"
	"github.com/fanfare-relay/fanfare/signalling/room"
)

// pipes is a listener in memory, whose deadlines run on the clock of the bubble.
type pipes struct {
	conns  chan net.Conn
	closed chan struct{}
}

func (p *pipes) Accept() (net.Conn, error) {
	select {
	case c := <-p.conns:
		return c, nil
	case <-p.closed:
		return nil, net.ErrClosed
	}
}

func (p *pipes) Close() error   { close(p.closed); return nil }
func (p *pipes) Addr() net.Addr { return &net.UnixAddr{Name: "pipe"} }

func (p *pipes) dial(context.Context, string, string) (net.Conn, error) {
	here, there := net.Pipe()
	p.conns <- there
	return here, nil
}

// bubble runs a test on a rig in virtual time.
func bubble(t *testing.T, test func(t *testing.T, r *rig, p *pipes)) { bubbleWith(t, test) }

// bubbleWith also changes the server's settings.
func bubbleWith(t *testing.T, test func(t *testing.T, r *rig, p *pipes), change ...func(*Config)) {
	synctest.Test(t, func(t *testing.T) {
		st := openStore(t, t.TempDir())
		r := newServer(t, st, change...)
		p := &pipes{make(chan net.Conn), make(chan struct{})}
		srv := &http.Server{Handler: r.srv.Handler()}
		go func() { _ = srv.Serve(p) }() // ends with Close below
		r.patience = time.Hour
		r.url, r.client = "http://pipe", &http.Client{Transport: &http.Transport{DialContext: p.dial}}
		defer func() { // also when the test is given up
			if err := r.srv.Close(context.Background()); err != nil {
				t.Error(err)
			}
			r.client.CloseIdleConnections()
			_ = srv.Close() // closes the listener
			if err := st.Close(); err != nil {
				t.Error(err)
			}
		}()
		test(t, r, p)
	})
}

// TestSlowBody: a body that does not come, or comes byte by byte, is given up after 10 s.
func TestSlowBody(t *testing.T) {
	for name, pause := range map[string]time.Duration{"never": time.Hour, "a byte a second": time.Second} {
		for _, length := range []string{"Content-Length: 500", "Transfer-Encoding: chunked"} {
			t.Run(name+", "+length, func(t *testing.T) {
				bubble(t, func(t *testing.T, r *rig, p *pipes) {
					conn, _ := p.dial(t.Context(), "", "")
					defer func() { _ = conn.Close() }()
					begin, done := time.Now(), make(chan struct{})
					defer close(done)
					go func() {
						_, err := fmt.Fprintf(conn, "POST /whip/a HTTP/1.1\r\nHost: pipe\r\nContent-Type: application/sdp\r\nAuthorization: Bearer %s\r\n%s\r\n\r\n", r.key, length)
						for err == nil {
							select {
							case <-time.After(pause):
							case <-done:
								return
							}
							_, err = io.WriteString(conn, map[bool]string{true: "v", false: "1\r\nv\r\n"}[strings.HasPrefix(length, "Content")])
						}
					}()
					res, err := http.ReadResponse(bufio.NewReader(conn), nil)
					if err != nil {
						t.Fatal(err)
					}
					defer func() { _ = res.Body.Close() }()
					if took := time.Since(begin); res.StatusCode != http.StatusRequestTimeout || took != bodyWithin || !res.Close {
						t.Errorf("%d after %v, close %v", res.StatusCode, took, res.Close)
					}
					checkProblem(t, res, "slow-body")
				})
			})
		}
	}
}

// TestBodiesThatNeverEnd: two hundred at once are all given up after 10 s, and leave nothing behind; meanwhile others
// are served.
func TestBodiesThatNeverEnd(t *testing.T) {
	bubble(t, func(t *testing.T, r *rig, p *pipes) {
		begin := time.Now()
		var given sync.WaitGroup
		for range 200 {
			conn, _ := p.dial(t.Context(), "", "")
			given.Go(func() {
				defer func() { _ = conn.Close() }()
				_, err := fmt.Fprintf(conn, "POST /whip/a HTTP/1.1\r\nHost: pipe\r\nContent-Type: application/sdp\r\nAuthorization: Bearer %s\r\nContent-Length: 9999\r\n\r\nv=0", r.key)
				if err != nil {
					t.Error(err)
					return
				}
				res, err := http.ReadResponse(bufio.NewReader(conn), nil)
				if err != nil {
					t.Error(err)
					return
				}
				_ = res.Body.Close()
				if took := time.Since(begin); res.StatusCode != http.StatusRequestTimeout && res.StatusCode != http.StatusTooManyRequests || took > bodyWithin {
					t.Errorf("%d after %v", res.StatusCode, took)
				}
			})
		}
		if res := r.ask(http.MethodGet, "/healthz", nil); res.StatusCode != http.StatusOK || time.Since(begin) != 0 {
			t.Errorf("another request: %d after %v", res.StatusCode, time.Since(begin))
		}
		given.Wait()
		if n := r.plane.count(); n != 0 {
			t.Errorf("%d sessions were made", n)
		}
		if _, found, err := r.store.Stream("a"); found || err != nil {
			t.Errorf("a stream was made: %v %v", found, err)
		}
	})
}

func TestSilentSocketIsClosed(t *testing.T) {
	bubble(t, func(t *testing.T, r *rig, _ *pipes) {
		begin := time.Now()
		p := r.dial()
		if code := p.closed(); code != websocket.StatusPolicyViolation || time.Since(begin) != helloWithin {
			t.Errorf("closed with %v after %v", code, time.Since(begin))
		}
	})
}

func TestEndpointThatDoesNotReadIsDropped(t *testing.T) {
	bubble(t, func(t *testing.T, r *rig, _ *pipes) {
		p := r.dial()
		p.say(r.ownerHello("a"))
		time.Sleep(writeWithin + time.Second)
		synctest.Wait()
		if r.srv.hub.inUse(roomKey{msg.RoomStream, "a"}) {
			t.Error("the endpoint is still in its room")
		}
	})
}

func TestEndpointThatDoesNotAnswerPingsIsDropped(t *testing.T) {
	bubble(t, func(t *testing.T, r *rig, _ *pipes) {
		p, _ := r.join(r.ownerHello("a"))
		await[msg.Roster](p)
		time.Sleep(pingEvery + pongWithin + time.Second)
		synctest.Wait()
		if r.srv.hub.inUse(roomKey{msg.RoomStream, "a"}) {
			t.Error("the endpoint is still in its room")
		}
	})
}

// TestHoldOfALostPublisher: viewers wait ten minutes, then the stream is over.
func TestHoldOfALostPublisher(t *testing.T) {
	bubble(t, func(t *testing.T, r *rig, _ *pipes) {
		published := r.publish("a")
		viewer, _ := r.join(viewerHello("a"))
		begin := time.Now()
		if err := r.plane.Close(sessionOf(published), media.CloseFailed); err != nil {
			t.Fatal(err)
		}
		viewer.awaitState(msg.StateAway)
		viewer.awaitState(msg.StateEnded)
		if took := time.Since(begin); took != room.Hold {
			t.Errorf("ended after %v", took)
		}
		_ = viewer.conn.CloseNow()
		synctest.Wait()
		if r.srv.hub.inUse(roomKey{msg.RoomStream, "a"}) {
			t.Error("the room is still in use")
		}
	})
}

func TestMeter(t *testing.T) {
	now := time.UnixMilli(0)
	m := newMeter(6, false)
	for range 6 {
		if d := m.take("a", now); d != 0 {
			t.Fatalf("must wait %v", d)
		}
	}
	if d := m.take("a", now); d < 9*time.Second || d > 10*time.Second {
		t.Errorf("an empty budget of 6 a minute: wait %v", d)
	}
	if d := m.take("b", now); d != 0 {
		t.Errorf("another client must wait %v", d)
	}
	now = now.Add(11 * time.Second)
	if d := m.take("a", now); d != 0 {
		t.Errorf("after 11 s: wait %v", d)
	}
	off := newMeter(1, true)
	for range 5 {
		if d := off.take("a", now); d != 0 {
			t.Errorf("without limits: wait %v", d)
		}
	}
}

func TestMeterForgets(t *testing.T) {
	now := time.UnixMilli(0)
	m := newMeter(1, false)
	for i := range maxClients + 10 {
		m.spend(fmt.Sprint(i), now)
	}
	if n := len(m.clients); n > maxClients {
		t.Errorf("%d clients are remembered", n)
	}
	m.spend("much later", now.Add(time.Hour))
	if n := len(m.clients); n > maxClients {
		t.Errorf("%d clients are remembered", n)
	}
}

// TestSecretsStayOutOfTheLog sends canaries by every way in and looks for them in the log and
// in answers.
func TestSecretsStayOutOfTheLog(t *testing.T) {
	r := serve(t, withRelay(1000))
	const canary = "canary-5up3rsecret"
	r.publish("a")
	owner, w := r.join(r.ownerHello("a"))
	secret := canary
	owner.say(msg.SetAccess{Password: &secret})
	await[msg.Access](owner)
	for _, path := range []string{"/whip/a", "/whep/a", "/whip/b"} {
		if text := describe(r.offer(path, canary)); strings.Contains(text, canary) {
			t.Errorf("%s answers with the secret: %s", path, text)
		}
	}
	h := viewerHello("a")
	h.Password = canary + "-wrong"
	p := r.dial()
	p.say(h)
	await[msg.Error](p)
	h = r.ownerHello("a")
	h.Token = canary
	p = r.dial()
	p.say(h)
	await[msg.Error](p)
	files := r.uploaderHello("files")
	up, fw := r.join(files)
	up.say(msg.OpenCode{})
	await[msg.ShortCode](up)
	h = receiverHello("files")
	h.Password = canary
	p = r.dial()
	p.say(h)
	await[msg.Error](p)
	h.Password, _ = joinOf("files")
	r.join(h)
	r.ask(http.MethodGet, "/metrics", nil, "X-Forwarded-For", "1.2.3.4", "Authorization", "Bearer "+canary)
	r.plane.failNext(fmt.Errorf("a fault"))
	r.offer("/whip/a", r.key)

	log := r.log.String()
	for what, text := range map[string]string{"canary": canary, "publish key": r.key, "media token": w.MediaToken, "resume": w.Resume,
		"secret of a room of files": h.Password, "verifier": files.Files.Verifier, "resume of files": fw.Resume, "relay token": fw.Files.Relay} {
		if strings.Contains(log, text) {
			t.Errorf("the log has the %s:\n%s", what, log)
		}
	}
	if !strings.Contains(log, "offer accepted") || !strings.Contains(log, "offer failed") {
		t.Errorf("the log is empty of what it should say:\n%s", log)
	}
}
