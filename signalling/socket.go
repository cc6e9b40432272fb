package signalling

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"github.com/coder/websocket"
	"golang.org/x/time/rate"

	"github.com/fanfare-relay/fanfare/signalling/msg"
)

// Limits of one WebSocket (SECURITY section 2).
const (
	helloWithin     = 10 * time.Second
	writeWithin     = 5 * time.Second
	pingEvery       = 15 * time.Second
	pongWithin      = 10 * time.Second
	messagesASecond = 20
	messageBurst    = 200
	// In a room of files: a swarm of ten trickles its candidates in a few seconds.
	filesMessagesASecond = 40
	filesMessageBurst    = 400
)

// socket is one endpoint's connection. Its reader is the goroutine of the HTTP handler, its
// writer one more; the room's goroutine puts messages into the outbox and never waits.
type socket struct {
	conn *websocket.Conn
	log  *slog.Logger
	out  *outbox
	once sync.Once
	// dead is closed when the connection is of no use any more.
	dead chan struct{}

	endpoint string
	welcome  welcome
}

// frame is a message, or the word to close after what stands before it.
type frame struct {
	data     []byte
	close    *parting
	envelope bool
}

type parting struct {
	code   websocket.StatusCode
	reason string // at most 123 bytes (RFC 6455 section 5.5)
}

var (
	partingDone     = parting{websocket.StatusNormalClosure, "done"}
	partingRefused  = parting{websocket.StatusPolicyViolation, "refused"}
	partingRate     = parting{websocket.StatusPolicyViolation, "too many messages"}
	partingSilent   = parting{websocket.StatusPolicyViolation, "no hello in time"}
	partingBinary   = parting{websocket.StatusUnsupportedData, "text messages only"}
	partingShutdown = parting{websocket.StatusGoingAway, "the server stops"}
)

func newSocket(conn *websocket.Conn, log *slog.Logger) *socket {
	conn.SetReadLimit(msg.MaxMessage)
	return &socket{conn: conn, log: log, out: newOutbox(), dead: make(chan struct{})}
}

// send queues a message; an endpoint that lets its queue fill up is closed.
func (s *socket) send(m msg.ServerMessage) { s.push(frame{data: s.encode(m)}) }

// carry queues an envelope unless the endpoint is slow; then the sender may try again.
func (s *socket) carry(m msg.Deliver) bool {
	return s.out.carry(frame{data: s.encode(m)})
}

// finish closes the connection when all before has been sent.
func (s *socket) finish(p parting) { s.push(frame{close: &p}) }

func (s *socket) push(f frame) {
	if !s.out.push(f) {
		s.kill("queue full")
	}
}

func (s *socket) encode(m msg.ServerMessage) []byte {
	data, err := msg.Encode(m)
	if err != nil {
		// Server messages hold text, numbers and booleans; there is nothing that JSON cannot say.
		panic("signalling: " + err.Error())
	}
	return data
}

// kill drops the connection without ceremony.
func (s *socket) kill(why string) {
	s.once.Do(func() {
		s.log.Debug("websocket dropped", "endpoint", s.endpoint, "reason", why)
		close(s.dead)
	})
}

// write sends what is queued, and pings, until the connection is finished or dead.
func (s *socket) write() {
	defer func() { _ = s.conn.CloseNow() }() // already closed, or there is nobody to tell
	ping := time.NewTicker(pingEvery)
	defer ping.Stop()
	for {
		select {
		case <-s.dead:
			return
		case <-s.out.wake:
			f, ok := s.out.pop()
			if !ok {
				continue
			}
			if f.close != nil {
				_ = s.conn.Close(f.close.code, f.close.reason) // the other side may be gone already
				return
			}
			if err := s.writeOne(f.data); err != nil {
				s.kill("write: " + err.Error())
				return
			}
		case <-ping.C:
			if err := s.ping(); err != nil {
				s.kill("no pong")
				return
			}
		}
	}
}

func (s *socket) writeOne(data []byte) error {
	ctx, cancel := context.WithTimeout(context.Background(), writeWithin)
	defer cancel()
	return s.conn.Write(ctx, websocket.MessageText, data)
}

func (s *socket) ping() error {
	ctx, cancel := context.WithTimeout(context.Background(), pongWithin)
	defer cancel()
	return s.conn.Ping(ctx)
}

// errNotText is a binary message.
var errNotText = errors.New("a binary message")

// readHello reads the first message. Who is silent is closed with a reason; a deadline of the
// read itself would drop the connection without one.
func (s *socket) readHello() (msg.Hello, error) {
	late := time.AfterFunc(helloWithin, func() { s.finish(partingSilent) })
	defer late.Stop()
	m, err := s.readOne(context.Background())
	if err != nil {
		return msg.Hello{}, err
	}
	h, ok := m.(msg.Hello)
	if !ok {
		return h, msg.ErrBadMessage
	}
	return h, nil
}

func (s *socket) readOne(ctx context.Context) (msg.ClientMessage, error) {
	kind, data, err := s.conn.Read(ctx)
	if err != nil {
		return nil, err
	}
	if kind != websocket.MessageText {
		return nil, errNotText
	}
	return msg.DecodeClient(data)
}

// read hands messages to take until the connection ends, and tells whether the page itself went:
// browsers close with "going away" when a page is left or reloaded.
func (s *socket) read(take func(msg.ClientMessage) bool) (pageGone bool) {
	limit := s.limiter()
	for {
		m, err := s.readOne(context.Background())
		if !limit.Allow() {
			s.send(msg.Error{Code: msg.CodeRate, Text: "That was too fast. Please connect again.", RetryAfter: 5})
			s.finish(partingRate)
			return s.drain()
		}
		switch {
		case err == nil:
			if !s.handle(m, take) {
				return s.drain()
			}
		case errors.Is(err, msg.ErrBadMessage), errors.Is(err, msg.ErrTooLarge):
			s.send(msg.Error{Code: msg.CodeOf(err), Text: "The server does not understand this message."})
		case errors.Is(err, errNotText):
			s.finish(partingBinary)
			return s.drain()
		default:
			return websocket.CloseStatus(err) == websocket.StatusGoingAway
		}
	}
}

// limiter bounds what the endpoint sends, by the kind of its room.
func (s *socket) limiter() *rate.Limiter {
	if s.welcome.room.Kind == msg.RoomFiles {
		return rate.NewLimiter(filesMessagesASecond, filesMessageBurst)
	}
	return rate.NewLimiter(messagesASecond, messageBurst)
}

func (s *socket) handle(m msg.ClientMessage, take func(msg.ClientMessage) bool) bool {
	if p, ok := m.(msg.Ping); ok {
		// Answered here and not by the room: its queue would be part of the measurement.
		s.send(msg.Pong{Sent: p.Sent, Server: float64(time.Now().UnixMicro()) / 1000})
		return true
	}
	if !take(m) {
		s.send(msg.Error{Code: msg.CodeRate, Text: "The server has too much to do. Please connect again.", RetryAfter: 5})
		s.finish(partingRate)
		return false
	}
	return true
}

// drain reads on without acting, so that the closing handshake can be done.
func (s *socket) drain() bool {
	for {
		if _, _, err := s.conn.Read(context.Background()); err != nil {
			return false
		}
	}
}
