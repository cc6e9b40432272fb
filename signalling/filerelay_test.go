package signalling

import (
	"bytes"
	"context"
	"errors"
	"math/rand/v2"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/coder/websocket"

	"github.com/fanfare-relay/fanfare/signalling/msg"
	"github.com/fanfare-relay/fanfare/signalling/relay"
)

const pairName = "Yk1hK0fXn2vG7mQ9sLw3Ag"

// withRelay switches the relay on, at so many bytes a second.
func withRelay(rate int) func(*Config) { return func(c *Config) { c.FileRelay = rate } }

// dialRelay opens a side and says the first message, unless it is nil.
func (r *rig) dialRelay(room string, first msg.ClientMessage) *page {
	r.t.Helper()
	conn, _, err := websocket.Dial(r.t.Context(), r.url+"/f/"+room+"/relay", &websocket.DialOptions{HTTPClient: r.client})
	if err != nil {
		r.t.Fatal(err)
	}
	r.t.Cleanup(func() { _ = conn.CloseNow() })
	conn.SetReadLimit(msg.MaxRelayMessage)
	p := &page{r.t, conn, r.patience}
	if first != nil {
		p.say(first)
	}
	return p
}

// twoOnTheRelay makes a room of an uploader and a receiver and joins them.
func (r *rig) twoOnTheRelay(room string) (up, down *page, a, b *page) {
	r.t.Helper()
	up, uw := r.join(r.uploaderHello(room))
	down, dw := r.join(receiverHello(room))
	a, b = r.pairUp(room, uw, dw, pairName)
	return up, down, a, b
}

func (r *rig) pairUp(room string, one, other msg.Welcome, pair string) (a, b *page) {
	r.t.Helper()
	a = r.dialRelay(room, msg.Relay{Token: one.Files.Relay, Pair: pair})
	b = r.dialRelay(room, msg.Relay{Token: other.Files.Relay, Pair: pair})
	var both sync.WaitGroup // who does not read holds up the other, on a pipe
	for _, side := range []struct {
		page *page
		peer string
	}{{a, other.Endpoint}, {b, one.Endpoint}} {
		both.Go(func() {
			m, err := side.page.next()
			if got, ok := m.(msg.Relayed); !ok || got.Peer != side.peer {
				r.t.Errorf("told %+v %v, want %s", m, err, side.peer)
			}
		})
	}
	both.Wait()
	return a, b
}

// reason reads to the end and returns why the server closed.
func (p *page) reason() (websocket.StatusCode, string) {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.t.Context(), p.patience)
	defer cancel()
	for {
		if _, _, err := p.conn.Read(ctx); err != nil {
			var closed websocket.CloseError
			if !errors.As(err, &closed) {
				p.t.Fatalf("not closed in order: %v", err)
			}
			return closed.Code, closed.Reason
		}
	}
}

func (p *page) endsWith(want parting) {
	p.t.Helper()
	if code, reason := p.reason(); code != want.code || reason != want.reason {
		p.t.Errorf("closed with %v %q, want %v %q", code, reason, want.code, want.reason)
	}
}

func TestRelayCarriesBothWays(t *testing.T) {
	r := serve(t, withRelay(64<<20))
	_, _, a, b := r.twoOnTheRelay("a")
	noise := rand.NewChaCha8([32]byte{1})
	var messages [][]byte
	for _, n := range []int{0, 1, 1000, relayRead, relayRead + 1, 65_565, msg.MaxRelayMessage, 0, 7} {
		m := make([]byte, n)
		_, _ = noise.Read(m)
		messages = append(messages, m)
	}
	var all sync.WaitGroup
	for _, way := range [][2]*page{{a, b}, {b, a}} {
		all.Go(func() {
			for _, m := range messages {
				if err := way[0].conn.Write(t.Context(), websocket.MessageBinary, m); err != nil {
					t.Error(err)
				}
			}
		})
		all.Go(func() {
			for i, want := range messages {
				kind, got, err := way[1].conn.Read(t.Context())
				if err != nil || kind != websocket.MessageBinary || !bytes.Equal(got, want) {
					t.Errorf("message %d: %d of %d bytes, %v", i, len(got), len(want), err)
					return
				}
			}
		})
	}
	all.Wait()
	_ = a.conn.Close(websocket.StatusNormalClosure, "")
	b.endsWith(partingOther)
}

func TestRelayRefuses(t *testing.T) {
	r := serve(t, withRelay(1<<20))
	up, uw := r.join(r.uploaderHello("a"))
	gone, gw := r.join(receiverHello("a"))
	_, other := r.join(r.uploaderHello("b"))
	awaitThat(up, func(m msg.Members) bool { return !m.All && len(m.Joined) == 1 })
	_ = gone.conn.Close(websocket.StatusNormalClosure, "")
	awaitThat(up, func(m msg.Members) bool { return len(m.Left) == 1 })
	say := func(token, pair string) msg.ClientMessage { return msg.Relay{Token: token, Pair: pair} }
	r.dialRelay("a", say(uw.Files.Relay, pairName)) // waits

	for name, tt := range map[string]struct {
		first msg.ClientMessage
		code  msg.Code
	}{
		"another first":         {msg.Stop{}, msg.CodeBadMessage},
		"no token":              {say("nonsense", pairName), msg.CodeUnauthorised},
		"resume for a token":    {say(uw.Resume, pairName), msg.CodeUnauthorised},
		"another room's token":  {say(other.Files.Relay, pairName), msg.CodeUnauthorised},
		"who has left the room": {say(gw.Files.Relay, pairName), msg.CodeNotFound},
	} {
		p := r.dialRelay("a", tt.first)
		if e := await[msg.Error](p); e.Code != tt.code || e.Text == "" {
			t.Errorf("%s: %+v, want %s", name, e, tt.code)
		}
		p.endsWith(partingRefused)
	}
	p := r.dialRelay("a", nil)
	p.write(websocket.MessageBinary, []byte(`{"type":"relay","token":"a","pair":"`+pairName+`"}`))
	if e := await[msg.Error](p); e.Code != msg.CodeBadMessage {
		t.Errorf("binary first: %+v", e)
	}
}

// TestRelayIsForTwo: nobody is joined to itself, and no third comes between.
func TestRelayIsForTwo(t *testing.T) {
	r := serve(t, withRelay(1<<20))
	_, uw := r.join(r.uploaderHello("a"))
	_, bw := r.join(receiverHello("a"))
	_, cw := r.join(receiverHello("a"))
	r.pairUp("a", uw, bw, pairName)
	for _, w := range []msg.Welcome{uw, cw} {
		p := r.dialRelay("a", msg.Relay{Token: w.Files.Relay, Pair: pairName})
		if e := await[msg.Error](p); e.Code != msg.CodeForbidden {
			t.Errorf("told %+v", e)
		}
	}
	for range relay.MaxOfMember - 1 {
		r.dialRelay("a", msg.Relay{Token: uw.Files.Relay, Pair: newPairName()})
	}
	awaitCount(t, r, relay.MaxOfMember)
	p := r.dialRelay("a", msg.Relay{Token: uw.Files.Relay, Pair: newPairName()})
	if e := await[msg.Error](p); e.Code != msg.CodeFull {
		t.Errorf("one pair more: %+v", e)
	}
}

func newPairName() string {
	const letters = "abcdefghijklmnopqrstuvwxyz"
	name := make([]byte, msg.ViewerLength)
	for i := range name {
		name[i] = letters[rand.IntN(len(letters))]
	}
	return string(name)
}

// awaitCount waits until so many pairs have been seated: their first messages are under way.
func awaitCount(t *testing.T, r *rig, want int) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), r.patience)
	defer cancel()
	for tick := time.NewTicker(5 * time.Millisecond); r.srv.relay.count() != want; {
		select {
		case <-tick.C:
		case <-ctx.Done():
			t.Fatalf("%d pairs, want %d", r.srv.relay.count(), want)
		}
	}
}

func TestRelayEndsWithMembership(t *testing.T) {
	r := serve(t, withRelay(1<<20))
	up, down, a, b := r.twoOnTheRelay("a")
	// A connection of the room that breaks does not take the relay along.
	awaitThat(up, func(m msg.Members) bool { return !m.All && len(m.Joined) == 1 })
	_ = down.conn.Close(websocket.StatusNormalClosure, "")
	awaitThat(up, func(m msg.Members) bool { return len(m.Left) == 1 })
	if err := a.conn.Write(t.Context(), websocket.MessageBinary, []byte("still here")); err != nil {
		t.Fatal(err)
	}
	if _, got, err := b.conn.Read(t.Context()); err != nil || string(got) != "still here" {
		t.Errorf("%q %v", got, err)
	}
	up.say(msg.Stop{})
	await[msg.Goodbye](up)
	a.endsWith(partingPutOut)
	b.endsWith(partingPutOut)

	up, uw := r.join(r.uploaderHello("c"))
	_, dw := r.join(receiverHello("c"))
	a, b = r.pairUp("c", uw, dw, pairName)
	up.say(msg.Remove{Endpoint: dw.Endpoint})
	b.endsWith(partingPutOut)
	a.endsWith(partingPutOut)
	awaitCount(t, r, 0)
}

func TestRelayEndsWithTheServer(t *testing.T) {
	r := serve(t, withRelay(1<<20))
	up, down, a, b := r.twoOnTheRelay("a")
	ended := make(chan error, 1)
	go func() { ended <- r.srv.Close(t.Context()) }()
	var all sync.WaitGroup // who does not read keeps the server waiting for its goodbye
	for _, p := range []*page{up, down} {
		all.Go(func() { p.closed() })
	}
	for _, p := range []*page{a, b} {
		all.Go(func() { p.endsWith(partingShutdown) })
	}
	all.Wait()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

func TestRelayTakesBinaryMessagesOnly(t *testing.T) {
	r := serve(t, withRelay(1<<20))
	_, _, a, b := r.twoOnTheRelay("a")
	a.write(websocket.MessageText, []byte("hello"))
	a.endsWith(partingText)
	b.endsWith(partingText)
}

func TestRelayTakesNoLongMessages(t *testing.T) {
	r := serve(t, withRelay(1<<20))
	_, _, a, b := r.twoOnTheRelay("a")
	b.conn.SetReadLimit(2 * msg.MaxRelayMessage)
	a.write(websocket.MessageBinary, make([]byte, msg.MaxRelayMessage+1000))
	if code, _ := a.reason(); code != websocket.StatusMessageTooBig {
		t.Errorf("closed with %v", code)
	}
	b.endsWith(partingOther)
}

func TestRelayThatIsOff(t *testing.T) {
	r := serve(t)
	_, w := r.join(r.uploaderHello("a"))
	if w.Files.Relay != "" {
		t.Error("there is a token for it")
	}
	if res := r.ask(http.MethodGet, "/f/a/relay", nil); res.StatusCode != http.StatusNotFound {
		t.Errorf("%s", describe(res))
	}
}

func TestRelayIsNoPage(t *testing.T) {
	r := serve(t, withRelay(1<<20))
	if res := r.ask(http.MethodGet, "/f/a/relay", nil); res.StatusCode != http.StatusUpgradeRequired {
		t.Errorf("%s", describe(res))
	}
	_, res, err := websocket.Dial(t.Context(), r.url+"/f/a/relay", &websocket.DialOptions{
		HTTPClient: r.client, HTTPHeader: http.Header{"Origin": {"https://evil.example"}},
	})
	if err == nil || res.StatusCode != http.StatusForbidden {
		t.Errorf("another site's page: %v", err)
	}
}

// TestRelayWithoutTheOther: 30 seconds alone, 10 without a first message, 60 without a byte.
func TestRelayWithoutTheOther(t *testing.T) {
	relayBubble(t, 1<<20, func(t *testing.T, r *rig, uw, dw msg.Welcome) {
		begin := time.Now()
		r.dialRelay("a", nil).endsWith(partingSilent)
		if took := time.Since(begin); took != helloWithin {
			t.Errorf("silent for %v", took)
		}
		begin = time.Now()
		r.dialRelay("a", msg.Relay{Token: uw.Files.Relay, Pair: pairName}).endsWith(partingAlone)
		if took := time.Since(begin); took != relayWait {
			t.Errorf("alone for %v", took)
		}
		a, b := r.pairUp("a", uw, dw, pairName)
		time.Sleep(relayIdle - time.Second)
		go func() { _ = a.conn.Write(t.Context(), websocket.MessageBinary, []byte("x")) }() // seen below
		if _, _, err := b.conn.Read(t.Context()); err != nil {
			t.Error(err)
		}
		begin = time.Now()
		var both sync.WaitGroup
		both.Go(func() { a.endsWith(partingIdle) })
		both.Go(func() { b.endsWith(partingIdle) })
		both.Wait()
		if took := time.Since(begin); took != relayIdle {
			t.Errorf("idle for %v", took)
		}
	})
}

// relayBubble runs a test on a room of two in virtual time, whose connections read all the while.
func relayBubble(t *testing.T, rate int, test func(t *testing.T, r *rig, uw, dw msg.Welcome)) {
	bubbleWith(t, func(t *testing.T, r *rig, _ *pipes) {
		up, uw := r.join(r.uploaderHello("a"))
		down, dw := r.join(receiverHello("a"))
		for _, p := range []*page{up, down} {
			go func() {
				for {
					if _, err := p.next(); err != nil {
						return
					}
				}
			}()
		}
		test(t, r, uw, dw)
	}, withRelay(rate))
}

// TestRelayKeepsItsRate: a second's worth a second, after the quarter that was saved up.
func TestRelayKeepsItsRate(t *testing.T) {
	const rate = 100_000
	relayBubble(t, rate, func(t *testing.T, r *rig, uw, dw msg.Welcome) {
		a, b := r.pairUp("a", uw, dw, pairName)
		begin := time.Now()
		go func() {
			for range 40 {
				_ = a.conn.Write(t.Context(), websocket.MessageBinary, make([]byte, rate/4))
			}
		}()
		for range 40 {
			if _, m, err := b.conn.Read(t.Context()); err != nil || len(m) != rate/4 {
				t.Fatalf("%d bytes, %v", len(m), err)
			}
		}
		// The last message arrives before its own bytes are paid for.
		if took := time.Since(begin); took < 9*time.Second || took > 10*time.Second {
			t.Errorf("ten seconds' worth took %v", took)
		}
	})
}

// TestRelayHoldsTheSenderBack: what the other side does not take stays with the sender, but for a
// piece and the buffers of the library.
func TestRelayHoldsTheSenderBack(t *testing.T) {
	relayBubble(t, 1<<30, func(t *testing.T, r *rig, uw, dw msg.Welcome) {
		a, b := r.pairUp("a", uw, dw, pairName)
		const size, messages = 8 << 10, 100
		var sent atomic.Int32
		go func() {
			for range messages {
				if a.conn.Write(t.Context(), websocket.MessageBinary, make([]byte, size)) != nil {
					return
				}
				sent.Add(1)
			}
		}()
		synctest.Wait()
		if n := sent.Load(); n*size > 2*relayRead {
			t.Errorf("%d bytes were taken from the sender, and nobody reads", n*size)
		}
		for range messages {
			if _, _, err := b.conn.Read(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
	})
}

// TestRelayWithOneWhoNeverReads: the pair ends, others do not notice.
func TestRelayWithOneWhoNeverReads(t *testing.T) {
	relayBubble(t, 1<<30, func(t *testing.T, r *rig, uw, dw msg.Welcome) {
		a, _ := r.pairUp("a", uw, dw, pairName)
		c, d := r.pairUp("a", uw, dw, strings.Repeat("p", msg.ViewerLength))
		stuck := make(chan error, 1)
		go func() {
			for {
				if err := a.conn.Write(t.Context(), websocket.MessageBinary, make([]byte, 8<<10)); err != nil {
					stuck <- err
					return
				}
			}
		}()
		for range 2 * relayIdle / time.Second {
			go func() { _ = c.conn.Write(t.Context(), websocket.MessageBinary, []byte("x")) }() // seen below
			if _, _, err := d.conn.Read(t.Context()); err != nil {
				t.Fatal(err)
			}
			time.Sleep(time.Second)
		}
		if err := <-stuck; err == nil {
			t.Error("it goes on")
		}
		if n := r.srv.relay.count(); n != 1 {
			t.Errorf("%d pairs", n)
		}
	})
}

// BenchmarkRelay reports what one pair moves when nothing but the machine limits it.
func BenchmarkRelay(b *testing.B) {
	r := listen(b, withRelay(1<<40))
	const size = 65_565
	_, _, from, to := r.twoOnTheRelay("a")
	b.SetBytes(size)
	message := make([]byte, size)
	go func() {
		for from.conn.Write(b.Context(), websocket.MessageBinary, message) == nil {
		}
	}()
	for b.Loop() {
		if _, _, err := to.conn.Read(b.Context()); err != nil {
			b.Fatal(err)
		}
	}
}
