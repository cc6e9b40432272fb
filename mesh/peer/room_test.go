package peer

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/coder/websocket"

	"github.com/fanfare-relay/fanfare/signalling/msg"
)

// pipes is a listener in memory, for the clock of a bubble.
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

// roomAt is a room at a server that does what the test says, in virtual time. lost counts the connections
// that ended.
func roomAt(t *testing.T, serve http.HandlerFunc) (r *room, lost *int) {
	p := &pipes{make(chan net.Conn), make(chan struct{})}
	server := &http.Server{Handler: serve}
	go func() { _ = server.Serve(p) }() // ends with Close below
	lost = new(int)
	r = newRoom("http://pipe", slog.New(slog.DiscardHandler), func(string) msg.Hello {
		return msg.Hello{Version: msg.Version, Room: msg.RoomRef{Kind: msg.RoomFiles, Name: "room"}, Role: msg.RoleSubscriber}
	}, func(m msg.ServerMessage) {
		if m == nil {
			*lost++
		}
	})
	r.client = &http.Client{Transport: &http.Transport{DialContext: p.dial}}
	t.Cleanup(func() {
		r.client.CloseIdleConnections()
		_ = server.Close()
	})
	return r, lost
}

// takeAll reads what a peer says until the connection ends, and answers nothing, not even a ping, where
// deaf is set.
func takeAll(w http.ResponseWriter, req *http.Request, deaf bool, first msg.ServerMessage) {
	socket, err := websocket.Accept(w, req, &websocket.AcceptOptions{OnPingReceived: func(context.Context, []byte) bool { return !deaf }})
	if err != nil {
		return
	}
	defer func() { _ = socket.CloseNow() }()
	for n := 0; err == nil; n++ {
		_, _, err = socket.Read(req.Context())
		if n == 0 && err == nil && first != nil { // after hello
			err = writeAny(req.Context(), socket, first)
		}
	}
}

// TestSilentServer: a server that takes the connection and never answers is given up after a while.
func TestSilentServer(t *testing.T) {
	for name, serve := range map[string]http.HandlerFunc{
		"no answer":  func(_ http.ResponseWriter, req *http.Request) { <-req.Context().Done() },
		"no welcome": func(w http.ResponseWriter, req *http.Request) { takeAll(w, req, false, nil) },
		"an error":   func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusBadGateway) },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r, _ := roomAt(t, serve)
				ctx, stop := context.WithTimeout(t.Context(), time.Minute)
				defer stop()
				if err := r.run(ctx); !errors.Is(err, ErrUnreachable) {
					t.Errorf("%v", err)
				}
			})
		})
	}
}

// TestServerFallsSilent: one that said welcome and then is gone without a word counts as lost; one that has
// nothing to say does not.
func TestServerFallsSilent(t *testing.T) {
	for deaf, want := range map[bool]bool{true: true, false: false} {
		synctest.Test(t, func(t *testing.T) {
			welcome := msg.Welcome{Endpoint: "me", Room: msg.RoomRef{Kind: msg.RoomFiles, Name: "room"}}
			r, lost := roomAt(t, func(w http.ResponseWriter, req *http.Request) { takeAll(w, req, deaf, welcome) })
			ctx, stop := context.WithTimeout(t.Context(), time.Minute)
			defer stop()
			if err := r.run(ctx); !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("%v", err)
			}
			// The end of the test is no loss.
			if (*lost > 0) != want {
				t.Errorf("deaf %v: lost %d times", deaf, *lost)
			}
		})
	}
}
