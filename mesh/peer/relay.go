package peer

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"time"

	"github.com/coder/websocket"

	"github.com/fanfare-relay/fanfare/mesh/seal"
	"github.com/fanfare-relay/fanfare/signalling/msg"
)

// The server's relay (docs/MESH.md, section 9): the way to a peer where there is no direct one.

const (
	relayAfter  = time.Second      // the head start of the direct path
	relayWithin = 40 * time.Second // the other side may come up to 30 s later
	relayQueue  = 64               // messages read ahead
	betterEvery = time.Minute      // how often a relayed pair tries the direct path again
)

// relayLate opens the relay for attempts whose direct path is late.
func (s *swarm) relayLate(now time.Time) {
	for _, a := range s.attempts {
		if a.lane > 0 || a.agreed.IsZero() || a.relaying || s.relayToken == "" || s.works(a.peer) || now.Sub(a.agreed) < relayAfter {
			continue
		}
		a.relaying = true
		token := s.relayToken
		s.tasks.Go(func() { s.throughRelay(a, token) })
	}
}

// throughRelay makes a link of an attempt by the relay, unless a direct one comes first.
func (s *swarm) throughRelay(a *attempt, token string) {
	ctx, drop := context.WithCancel(s.ctx)
	r, err := openRelay(ctx, s.cfg.Link, token, a)
	if err != nil {
		drop()
		s.cfg.Log.Debug("no relay", "to", a.to, "error", err)
		return
	}
	theirs, err := s.greet(ctx, a, r, relayLane)
	if err != nil {
		drop()
		r.close()
		s.cfg.Log.Debug("no greeting by the relay", "to", a.to, "error", err)
		return
	}
	s.post(func() {
		if s.works(a.peer) || s.done || time.Now().Before(s.banned[a.peer]) || s.revoked.Has(a.token.Serial) {
			drop()
			s.tasks.Go(r.close)
			return
		}
		s.link(a, theirs, r, ctx, drop)
		if m := s.members[a.to]; m != nil {
			m.next = time.Now().Add(betterEvery)
		}
	})
}

// works tells whether something comes by the link to a peer.
func (s *swarm) works(dh seal.PublicKey) bool {
	l := s.links[dh]
	return l != nil && !l.conn.silent()
}

// betterWay tells whether to try the direct path again beside a relayed link.
func (s *swarm) betterWay(l *link, now time.Time) bool {
	_, through := l.conn.(*relay)
	return through && !s.cfg.Transport.RelayOnly && l.pair.Lower() && now.Sub(l.since) >= betterEvery
}

// relay is a connection through the server: one WebSocket, whose messages are sealed and name their
// channel.
type relay struct {
	socket  *websocket.Conn
	ctx     context.Context
	drop    context.CancelFunc
	ports   [relayLaneChannel + 1]*relayPort
	ended   chan struct{} // closed when nothing more comes; what has come is still to be read
	gone    chan struct{}
	closing sync.Once

	sending sync.Mutex
	out     sealer
	in      sealer // of the reader
}

var errRelay = errors.New("the server's relay does not take us")

// openRelay meets the other side of an attempt at the server.
func openRelay(ctx context.Context, link seal.Link, token string, a *attempt) (*relay, error) {
	meeting, cancel := context.WithTimeout(ctx, relayWithin)
	defer cancel()
	address := "ws" + strings.TrimPrefix(link.Server, "http") + "/f/" + link.Room + "/relay"
	socket, _, err := websocket.Dial(meeting, address, nil)
	if err != nil {
		return nil, err
	}
	r, err := newRelay(ctx, socket, a)
	if err != nil {
		_ = socket.CloseNow()
		return nil, err
	}
	hello := msg.Relay{Token: token, Pair: base64.RawURLEncoding.EncodeToString(a.id[:])}
	if err := writeMessage(meeting, socket, hello); err != nil {
		r.close()
		return nil, err
	}
	m, err := readServer(meeting, socket)
	if err != nil {
		r.close()
		return nil, err
	}
	if said, ok := m.(msg.Relayed); !ok || said.Peer != a.to {
		r.close()
		return nil, fmt.Errorf("%w: %v", errRelay, m)
	}
	go r.read() // ends with the socket
	return r, nil
}

func newRelay(ctx context.Context, socket *websocket.Conn, a *attempt) (*relay, error) {
	r := &relay{socket: socket, ended: make(chan struct{}), gone: make(chan struct{})}
	// Who reads by a context that ends tears the connection, and a goodbye that the server has not handed on yet is lost:
	// when the link's context ends the relay is closed in good order.
	r.ctx, r.drop = context.WithCancel(context.WithoutCancel(ctx))
	context.AfterFunc(ctx, r.close)
	var err error
	r.out, r.in, err = relaySealers(a.pair, a.id)
	for i := range r.ports {
		r.ports[i] = &relayPort{relay: r, number: byte(i), queue: make(chan []byte, relayQueue)}
	}
	socket.SetReadLimit(msg.MaxRelayMessage)
	return r, err
}

func (r *relay) channels() (control, lane channel) {
	return channel{r.ports[0], noGauge{}}, channel{r.ports[1], noGauge{}}
}

func (r *relay) lostC() <-chan struct{} { return r.gone }
func (r *relay) relayed() bool          { return true }
func (r *relay) silent() bool           { return false }

func (r *relay) close() {
	r.closing.Do(func() {
		parted := make(chan struct{})
		go func() {
			_ = r.socket.Close(websocket.StatusNormalClosure, "") // the other side may be gone already
			close(parted)
		}()
		select {
		case <-parted:
		case <-time.After(partingTime): // the server takes nothing, or sends what never ends
			_ = r.socket.CloseNow()
		}
		r.drop()
		close(r.gone)
	})
}

// read hands messages to the channels until one does not open: then the server has tampered. Whoever reads the
// channels to their end closes the relay.
func (r *relay) read() {
	defer close(r.ended)
	for {
		kind, sealed, err := r.socket.Read(r.ctx)
		if err != nil || kind != websocket.MessageBinary {
			return
		}
		channel, frame, err := r.in.open(sealed)
		if err != nil {
			return
		}
		select {
		case r.ports[channel].queue <- frame:
		case <-r.ctx.Done():
			return
		}
	}
}

// relayPort is one of the two channels.
type relayPort struct {
	relay  *relay
	number byte
	queue  chan []byte
}

// Read gives one message. What came before the end is read before the end: it may be a goodbye.
func (p *relayPort) Read(b []byte) (int, error) {
	select {
	case message := <-p.queue:
		return whole(b, message)
	case <-p.relay.ended:
	case <-p.relay.gone:
	}
	select {
	case message := <-p.queue:
		return whole(b, message)
	default:
		return 0, io.EOF
	}
}

func whole(b, message []byte) (int, error) {
	if len(message) > len(b) {
		return 0, io.ErrShortBuffer
	}
	return copy(b, message), nil
}

// Write sends one message. It waits while the server takes no more.
func (p *relayPort) Write(b []byte) (int, error) {
	r := p.relay
	r.sending.Lock()
	defer r.sending.Unlock()
	if err := r.socket.Write(r.ctx, websocket.MessageBinary, r.out.seal(p.number, b)); err != nil {
		return 0, err
	}
	return len(b), nil
}

// noGauge is that of a way whose Write waits by itself.
type noGauge struct{}

func (noGauge) BufferedAmount() uint64               { return 0 }
func (noGauge) SetBufferedAmountLowThreshold(uint64) {}
func (noGauge) OnBufferedAmountLow(func())           {}
