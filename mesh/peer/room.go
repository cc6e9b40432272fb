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

// ErrUnreachable ends a peer that never got an answer of the server.
var ErrUnreachable = errors.New("the server cannot be reached")

var errSilent = errors.New("it does not answer")

// room is the connection to the server: it comes back when it is lost, and hands on what is said.
type room struct {
	server string // origin
	client *http.Client
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
	welcomeWithin    = 15 * time.Second // from the beginning of the dial on
	aliveEvery       = 20 * time.Second // a server that says nothing is asked
	aliveWithin      = 15 * time.Second
	shortestPause    = 300 * time.Millisecond
	longestPause     = 15 * time.Second
	absentWithin     = 2 * time.Minute // a room that is not there any more after it was
)

func newRoom(server string, log *slog.Logger, hello func(string) msg.Hello, take func(msg.ServerMessage)) *room {
	return &room{
		server: server, client: &http.Client{}, log: log, hello: hello, take: take,
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

// run stays connected until ctx ends or the server refuses for good, which is a *RoomError, or never
// answers, which is ErrUnreachable.
func (r *room) run(ctx context.Context) error {
	pause, lost := shortestPause, time.Now()
	for {
		began := time.Now()
		welcomed, err := r.session(ctx)
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		r.take(nil)
		if welcomed {
			lost = time.Now()
		}
		if welcomed && time.Since(began) > longestPause {
			pause = shortestPause
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
	never := !r.joined && absent >= welcomeWithin
	if !errors.As(err, &refused) {
		if never {
			return fmt.Errorf("%w: %w", ErrUnreachable, err)
		}
		return nil
	}
	switch refused.Code {
	case msg.CodeRate, msg.CodeShutdown, msg.CodeInternal:
		if !never {
			return nil
		}
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

// session is one connection, from hello to its end. It tells whether the server has said welcome.
func (r *room) session(ctx context.Context) (welcomed bool, err error) {
	live, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	late := time.AfterFunc(welcomeWithin, func() { stop(errSilent) })
	defer late.Stop()
	socket, err := r.dial(live)
	if err != nil {
		return false, err
	}
	defer func() { _ = socket.CloseNow() }() // closed in good order where that can be
	var others sync.WaitGroup
	defer others.Wait()
	defer stop(nil)
	for {
		m, err := readServer(live, socket)
		if err != nil {
			if ctx.Err() != nil {
				_ = socket.Close(websocket.StatusNormalClosure, "")
			}
			return welcomed, silence(live, err)
		}
		switch m := m.(type) {
		case msg.Error:
			if !welcomed || m.Code == msg.CodeRemoved || m.Code == msg.CodeExpired || m.Code == msg.CodeClosed {
				return welcomed, &RoomError{m.Code, m.Text}
			}
		case msg.Goodbye:
			return welcomed, &RoomError{m.Code, m.Text}
		case msg.Replaced:
			return welcomed, &RoomError{msg.CodeRemoved, "another fanfare has taken over this transfer"}
		case msg.Welcome:
			if !welcomed {
				welcomed = true
				late.Stop()
				r.welcomed(m)
				others.Go(func() { stop(r.write(live, socket)) })
				others.Go(func() { stop(stayAlive(live, socket)) })
			}
		}
		r.take(m)
	}
}

// dial connects and says hello.
func (r *room) dial(ctx context.Context) (*websocket.Conn, error) {
	socket, response, err := websocket.Dial(ctx, socketURL(r.server), &websocket.DialOptions{HTTPClient: r.client})
	if err != nil {
		if response != nil && response.StatusCode != http.StatusSwitchingProtocols {
			return nil, fmt.Errorf("%s answers %s", r.server, response.Status)
		}
		return nil, silence(ctx, err)
	}
	socket.SetReadLimit(msg.MaxMessage)
	if err := writeMessage(ctx, socket, r.hello(r.resume)); err != nil {
		_ = socket.CloseNow() // of no use
		return nil, silence(ctx, err)
	}
	return socket, nil
}

// silence is errSilent where that is why the connection was given up, or else what went wrong.
func silence(ctx context.Context, err error) error {
	if errors.Is(context.Cause(ctx), errSilent) {
		return errSilent
	}
	return err
}

// stayAlive notices a server that is gone without a word.
func stayAlive(ctx context.Context, socket *websocket.Conn) error {
	tick := time.NewTicker(aliveEvery)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return ctx.Err()
		}
		asking, done := context.WithTimeout(ctx, aliveWithin)
		err := socket.Ping(asking)
		done()
		if err != nil {
			return errSilent
		}
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
