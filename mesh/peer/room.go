package peer

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/coder/websocket"
	"golang.org/x/time/rate"

	"github.com/fanfare-relay/fanfare/signalling/msg"
)

// RoomError is the server's refusal, in its words.
type RoomError struct {
	Code msg.Code
	Text string
}

func (e *RoomError) Error() string { return e.Text }

// room is the connection to the server: it comes back when it is lost, and hands on what is said.
type room struct {
	server string // origin
	log    *slog.Logger
	// hello makes the first message of each connection; resume is that of the last welcome.
	hello func(resume string) msg.Hello
	// take gets every message of the server, in order; nil for a connection that was lost.
	take func(msg.ServerMessage)

	mu     sync.Mutex
	queue  []msg.ClientMessage
	filled chan struct{} // has room for one
	limit  *rate.Limiter
	resume string
	joined bool // once
}

// Limits of the way to the server. The server allows 40 messages a second in bursts of 400.
const (
	envelopesASecond = 35
	envelopesAtOnce  = 350
	roomQueue        = 4096
	dialWithin       = 15 * time.Second
	shortestPause    = 300 * time.Millisecond
	longestPause     = 15 * time.Second
	absentWithin     = 2 * time.Minute // a room that is not there any more after it was
)

func newRoom(server string, log *slog.Logger, hello func(string) msg.Hello, take func(msg.ServerMessage)) *room {
	return &room{
		server: server, log: log, hello: hello, take: take,
		filled: make(chan struct{}, 1), limit: rate.NewLimiter(envelopesASecond, envelopesAtOnce),
	}
}

// send queues a message. While there is no connection it waits for the next; what is too much is
// dropped, since whoever waits for an answer asks again.
func (r *room) send(m msg.ClientMessage) {
	r.mu.Lock()
	if len(r.queue) < roomQueue {
		r.queue = append(r.queue, m)
	}
	r.mu.Unlock()
	select {
	case r.filled <- struct{}{}:
	default:
	}
}

func (r *room) next() (msg.ClientMessage, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.queue) == 0 {
		return nil, false
	}
	m := r.queue[0]
	r.queue = r.queue[1:]
	return m, true
}

// run stays connected until ctx ends or the server refuses for good, which is a *RoomError.
func (r *room) run(ctx context.Context) error {
	pause, lost := shortestPause, time.Time{}
	for {
		began := time.Now()
		err := r.session(ctx)
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		r.take(nil)
		if time.Since(began) > longestPause || lost.IsZero() {
			pause, lost = shortestPause, time.Now()
		}
		if final := r.final(err, time.Since(lost)); final != nil {
			return final
		}
		r.log.Debug("the connection to the server is lost", "error", err, "again_in", pause)
		timer := time.NewTimer(pause/2 + rand.N(pause)) // not all at once after a restart of the server
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return context.Cause(ctx)
		}
		pause = min(2*pause, longestPause)
	}
}

// final tells whether trying again is of no use. A room that was there may be opened again by its
// uploader, after a server has lost its memory.
func (r *room) final(err error, absent time.Duration) error {
	var refused *RoomError
	if !errors.As(err, &refused) {
		if !r.joined && absent > dialWithin {
			return fmt.Errorf("the server cannot be reached: %w", err)
		}
		return nil
	}
	switch refused.Code {
	case msg.CodeRate, msg.CodeShutdown, msg.CodeInternal:
		return nil
	case msg.CodeNotFound:
		if r.joined && absent < absentWithin {
			return nil
		}
	}
	return refused
}

func socketURL(server string) string {
	return "ws" + strings.TrimPrefix(server, "http") + "/ws"
}

// session is one connection, from hello to its end.
func (r *room) session(ctx context.Context) error {
	dialing, cancel := context.WithTimeout(ctx, dialWithin)
	defer cancel()
	socket, response, err := websocket.Dial(dialing, socketURL(r.server), &websocket.DialOptions{HTTPClient: &http.Client{}})
	if err != nil {
		if response != nil && response.StatusCode != http.StatusSwitchingProtocols {
			return fmt.Errorf("%s answers %s", r.server, response.Status)
		}
		return err
	}
	defer func() { _ = socket.CloseNow() }() // closed in good order where that can be
	socket.SetReadLimit(msg.MaxMessage)
	if err := writeMessage(dialing, socket, r.hello(r.resume)); err != nil {
		return err
	}
	live, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	var writer sync.WaitGroup
	defer writer.Wait()
	defer stop(nil)
	first := true
	for {
		m, err := readServer(live, socket)
		if err != nil {
			if ctx.Err() != nil {
				_ = socket.Close(websocket.StatusNormalClosure, "")
			}
			return err
		}
		switch m := m.(type) {
		case msg.Error:
			if first || m.Code == msg.CodeRemoved || m.Code == msg.CodeExpired || m.Code == msg.CodeClosed {
				return &RoomError{m.Code, m.Text}
			}
		case msg.Goodbye:
			return &RoomError{m.Code, m.Text}
		case msg.Replaced:
			return &RoomError{msg.CodeRemoved, "another fanfare has taken over this transfer"}
		case msg.Welcome:
			if first {
				first = false
				r.welcomed(m)
				writer.Go(func() { stop(r.write(live, socket)) })
			}
		}
		r.take(m)
	}
}

// welcomed drops what waited for a connection under another name: nobody could open it.
func (r *room) welcomed(w msg.Welcome) {
	r.mu.Lock()
	r.queue = nil
	r.mu.Unlock()
	r.resume, r.joined = w.Resume, true
}

func (r *room) write(ctx context.Context, socket *websocket.Conn) error {
	for {
		m, ok := r.next()
		if !ok {
			select {
			case <-r.filled:
				continue
			case <-ctx.Done():
				return ctx.Err()
			}
		}
		if err := r.limit.Wait(ctx); err != nil {
			return err
		}
		if err := writeMessage(ctx, socket, m); err != nil {
			return err
		}
	}
}

func writeMessage(ctx context.Context, socket *websocket.Conn, m msg.ClientMessage) error {
	data, err := msg.Encode(m)
	if err != nil {
		return err
	}
	return socket.Write(ctx, websocket.MessageText, data)
}

// readServer reads the next message; one of a newer server that we do not know is passed over.
func readServer(ctx context.Context, socket *websocket.Conn) (msg.ServerMessage, error) {
	for {
		kind, data, err := socket.Read(ctx)
		if err != nil {
			return nil, err
		}
		if kind != websocket.MessageText {
			return nil, errors.New("the server speaks another protocol")
		}
		if m, err := msg.DecodeServer(data); err == nil {
			return m, nil
		}
	}
}
