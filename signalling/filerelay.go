package signalling

import (
	"context"
	"errors"
	"io"
	"net/http"
	"sync"
	"time"

	"github.com/coder/websocket"
	"github.com/go-chi/chi/v5"

	"github.com/fanfare-relay/fanfare/signalling/msg"
	"github.com/fanfare-relay/fanfare/signalling/relay"
	"github.com/fanfare-relay/fanfare/signalling/token"
)

// Limits of one side of the relay (docs/PROTOCOL.md, section 3.5).
const (
	relayWait = 30 * time.Second // for the other side
	relayIdle = 60 * time.Second // without a byte
	relayRead = 32 << 10         // bytes in memory for each direction of a pair
)

var (
	partingAlone  = parting{websocket.StatusPolicyViolation, "the other side did not come"}
	partingOther  = parting{websocket.StatusGoingAway, "the other side has gone"}
	partingText   = parting{websocket.StatusUnsupportedData, "binary messages only"}
	partingIdle   = parting{websocket.StatusPolicyViolation, "idle"}
	partingPutOut = parting{websocket.StatusPolicyViolation, "put out of the room"}
)

// fileRelay joins members of rooms of files who have no direct path. A nil one is switched off.
type fileRelay struct {
	mu    sync.Mutex
	table *relay.Table
	sides map[*relay.Seat]*side
}

// side is one end of a pair: its connection, which its own goroutine closes.
type side struct {
	conn *websocket.Conn
	seat *relay.Seat
	pair *pair
	met  chan *side // holds one: the other side
	// second is who came to one that waited.
	second bool
}

// pair is what two sides share: the end, said once.
type pair struct {
	once sync.Once
	over chan struct{}
	why  parting     // to be read when over is closed
	idle *time.Timer // ends it
}

func newPair() *pair {
	p := &pair{over: make(chan struct{})}
	p.idle = time.AfterFunc(relayIdle, func() { p.end(partingIdle) })
	return p
}

func (p *pair) end(why parting) {
	p.once.Do(func() {
		p.why = why
		close(p.over)
	})
}

func newFileRelay(rate int) *fileRelay {
	if rate <= 0 {
		return nil
	}
	return &fileRelay{table: relay.NewTable(rate), sides: map[*relay.Seat]*side{}}
}

// serveRelay is /f/{room}/relay.
func (s *Server) serveRelay(w http.ResponseWriter, r *http.Request) {
	if s.relay == nil {
		s.serveNotFound(w, r)
		return
	}
	conn := s.upgrade(w, r)
	if conn == nil {
		return
	}
	defer s.sockets.Done()
	defer func() { _ = conn.CloseNow() }() // closed already, as a rule
	me, refusal := s.seat(r.Context(), conn, chi.URLParam(r, "room"), s.proxies.who(r))
	if refusal != nil {
		_ = writeText(conn, *refusal) // it may have gone
		_ = conn.Close(partingRefused.code, partingRefused.reason)
		return
	}
	if me != nil {
		s.join(me)
	}
}

// seat reads the first message and finds the place; nil without a refusal when there is nobody to talk to.
func (s *Server) seat(ctx context.Context, conn *websocket.Conn, name string, from who) (*side, *msg.Error) {
	conn.SetReadLimit(msg.MaxMessage)
	late := time.AfterFunc(helloWithin, func() { _ = conn.Close(partingSilent.code, partingSilent.reason) })
	kind, data, err := conn.Read(ctx)
	late.Stop()
	if err != nil {
		return nil, nil
	}
	conn.SetReadLimit(msg.MaxRelayMessage)
	m, err := msg.DecodeClient(data)
	first, ok := m.(msg.Relay)
	if err != nil || !ok || kind != websocket.MessageText {
		return nil, &msg.Error{Code: msg.CodeBadMessage, Text: "The first message must be a relay message."}
	}
	now := time.Now()
	if d := s.meters.hello.take(from.household, now); d > 0 {
		return nil, tooFast(d)
	}
	c, err := s.gate.signer.Open(first.Token, token.KindRelay, now)
	if err != nil || c.Room != string(msg.RoomFiles) || c.Stream != name {
		return nil, &msg.Error{Code: msg.CodeUnauthorised, Text: "This token is not for this room, or no longer."}
	}
	if !s.hub.isMember(name, c.Endpoint) {
		return nil, &msg.Error{Code: msg.CodeNotFound, Text: "You are not in this room. Connect to it first."}
	}
	return s.relay.come(conn, name, first.Pair, c.Endpoint)
}

// come takes a seat and, when the other side waits, tells it.
func (f *fileRelay) come(conn *websocket.Conn, name, pairName, endpoint string) (*side, *msg.Error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	seat, outcome := f.table.Come(name, pairName, endpoint)
	switch outcome {
	case relay.Taken:
		return nil, &msg.Error{Code: msg.CodeForbidden, Text: "This pair is complete."}
	case relay.Full:
		return nil, &msg.Error{Code: msg.CodeFull, Text: "Too many pairs use the relay. Try again later.", RetryAfter: 5}
	}
	me := &side{conn: conn, seat: seat, met: make(chan *side, 1)}
	f.sides[seat] = me
	if outcome == relay.Waits {
		me.pair = newPair()
		return me, nil
	}
	other := f.sides[seat.Other()]
	me.pair, me.second = other.pair, true
	me.met <- other
	return me, nil
}

func (f *fileRelay) leave(me *side) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.table.Go(me.seat)
	delete(f.sides, me.seat)
}

// putOut ends all pairs of an endpoint. A relay that is off has none.
func (f *fileRelay) putOut(name, endpoint string) {
	if f == nil {
		return
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	for seat, side := range f.sides {
		if seat.Room == name && seat.Endpoint == endpoint {
			side.pair.end(partingPutOut)
		}
	}
}

// take spends bytes and returns how long to wait.
func (f *fileRelay) take(seat *relay.Seat, n int) time.Duration {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.table.Take(seat, n, time.Now())
}

func (f *fileRelay) count() int {
	if f == nil {
		return 0
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.table.Pairs()
}

// join waits for the other side, forwards until the pair is over, and closes its own connection.
// Bytes that come before the other side stay in the sender's hands: nothing is read until then.
func (s *Server) join(me *side) {
	if !s.hub.isMember(me.seat.Room, me.seat.Endpoint) {
		me.pair.end(partingPutOut) // just now, and putOut has not seen this side
	}
	stop := context.AfterFunc(s.stopping, func() { me.pair.end(partingShutdown) })
	defer stop()
	var forwarding sync.WaitGroup
	if other := me.meet(); other != nil {
		forwarding.Go(func() { me.pair.end(s.forward(me, other)) })
	}
	<-me.pair.over
	me.pair.idle.Stop()
	s.relay.leave(me)                                       // first, so that who hears of the end finds the place free
	_ = me.conn.Close(me.pair.why.code, me.pair.why.reason) // the client may be gone already
	forwarding.Wait()
}

// meet returns the other side when both have been told of each other, nil when the pair is over.
// Who came second tells both, before either forwards anything.
func (me *side) meet() *side {
	if me.second {
		other := <-me.met
		err := writeText(other.conn, msg.Relayed{Peer: me.seat.Endpoint})
		if err = errors.Join(err, writeText(me.conn, msg.Relayed{Peer: other.seat.Endpoint})); err != nil {
			me.pair.end(partingOther)
			return nil
		}
		me.pair.idle.Reset(relayIdle)
		other.met <- me
		return other
	}
	alone := time.NewTimer(relayWait)
	defer alone.Stop()
	select {
	case other := <-me.met:
		return other
	case <-alone.C:
		me.pair.end(partingAlone)
	case <-me.pair.over:
	}
	return nil
}

// forward carries messages from one side to the other until one of them fails, and says why both end.
// It reads no faster than the other side takes and the budgets allow, and keeps one piece of a
// message at a time.
func (s *Server) forward(from, to *side) parting {
	piece := make([]byte, relayRead)
	for {
		kind, r, err := from.conn.Reader(context.Background())
		if err != nil {
			return partingOther
		}
		if kind != websocket.MessageBinary {
			return partingText
		}
		w, err := to.conn.Writer(context.Background(), websocket.MessageBinary)
		if err == nil {
			err = s.forwardOne(from, w, r, piece)
		}
		if err != nil {
			return partingOther
		}
	}
}

// forwardOne carries one message.
func (s *Server) forwardOne(from *side, w io.WriteCloser, r io.Reader, piece []byte) error {
	for {
		n, err := r.Read(piece)
		if n > 0 {
			if _, err := w.Write(piece[:n]); err != nil {
				return err
			}
			s.figures.relayed.Add(float64(n))
			from.pair.idle.Reset(relayIdle)
			from.pair.pause(s.relay.take(from.seat, n))
		}
		if errors.Is(err, io.EOF) {
			return w.Close()
		}
		if err != nil {
			return err
		}
	}
}

// pause waits, but not beyond the end of the pair.
func (p *pair) pause(d time.Duration) {
	if d <= 0 {
		return
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-p.over:
	}
}

func writeText(conn *websocket.Conn, m msg.ServerMessage) error {
	data, err := msg.Encode(m)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), writeWithin)
	defer cancel()
	return conn.Write(ctx, websocket.MessageText, data)
}
