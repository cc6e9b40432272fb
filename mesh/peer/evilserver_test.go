package peer

import (
	"bytes"
	"context"
	"encoding/base64"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/coder/websocket"

	"github.com/fanfare-relay/fanfare/mesh/seal"
	"github.com/fanfare-relay/fanfare/signalling/msg"
)

// evilServer is what a server can be that somebody has taken over: it stands between the peers and the
// real one, keeps all that goes by, and changes what is delivered.
type evilServer struct {
	t    testing.TB
	url  string // where the peers believe that the server is
	real string

	mu sync.Mutex
	// delivers makes of an envelope to a member what is delivered to it instead.
	delivers func(d msg.Deliver) []msg.Deliver
	// sends, where it is set, sees what a member sends, and tells whether it is kept back. It may
	// answer the member.
	sends func(from string, s msg.Send, answer func(msg.ServerMessage)) (kept bool)
	// tells, where it is set, makes of all else that the server says to a member what that is told instead.
	tells func(to string, m msg.ServerMessage) msg.ServerMessage
	// relays, where it is set, makes of what goes by the relay what arrives instead.
	relays  func(sealed []byte) [][]byte
	heard   []byte                             // every byte that peers sent, and what of it was base64
	joins   []string                           // what receivers showed to come in
	members map[string]func(msg.ServerMessage) // says something to one
	sides   int                                // that came to the relay
}

// become changes what the server does.
func (e *evilServer) become(change func(*evilServer)) {
	e.mu.Lock()
	defer e.mu.Unlock()
	change(e)
}

func newEvilServer(r *rig) *evilServer {
	e := &evilServer{t: r.t, real: r.url, delivers: honestly, members: map[string]func(msg.ServerMessage){}}
	listener := httptest.NewServer(http.HandlerFunc(e.serve))
	r.t.Cleanup(listener.Close)
	e.url = listener.URL
	return e
}

// honestly is how a good server delivers.
func honestly(d msg.Deliver) []msg.Deliver { return []msg.Deliver{d} }

func (e *evilServer) serve(w http.ResponseWriter, req *http.Request) {
	member, err := websocket.Accept(w, req, nil)
	if err != nil {
		return
	}
	ctx, cancel := context.WithCancel(req.Context())
	defer cancel()
	defer func() { _ = member.CloseNow() }()
	server, _, err := websocket.Dial(ctx, "ws"+strings.TrimPrefix(e.real, "http")+req.URL.Path, nil)
	if err != nil {
		return
	}
	defer func() { _ = server.CloseNow() }()
	member.SetReadLimit(msg.MaxRelayMessage)
	server.SetReadLimit(msg.MaxRelayMessage)
	name := &memberName{}
	up, down := func() { e.fromMember(ctx, member, server, name) }, func() { e.fromServer(ctx, server, member, name) }
	if strings.HasSuffix(req.URL.Path, "/relay") {
		up, down = func() { e.carry(ctx, member, server, e.overhear) }, func() { e.carry(ctx, server, member, e.tamper) }
		e.become(func(e *evilServer) { e.sides++ })
	}
	go func() {
		defer cancel()
		up()
	}()
	down()
}

// memberName is how the real server calls a member; known from its welcome on, before the member has
// anything to send.
type memberName struct{ atomic.Value }

func (n *memberName) get() string { name, _ := n.Load().(string); return name }

func (e *evilServer) fromMember(ctx context.Context, member, server *websocket.Conn, name *memberName) {
	answer := func(m msg.ServerMessage) { _ = writeAny(ctx, member, m) }
	for {
		_, data, err := member.Read(ctx)
		if err != nil {
			return
		}
		m, err := msg.DecodeClient(data)
		if err != nil {
			e.t.Errorf("a peer sent %q: %v", data, err)
			return
		}
		e.note(data, m)
		e.mu.Lock()
		sends := e.sends
		e.mu.Unlock()
		if s, ok := m.(msg.Send); ok && sends != nil && sends(name.get(), s, answer) {
			continue
		}
		if server.Write(ctx, websocket.MessageText, data) != nil {
			return
		}
	}
}

func (e *evilServer) note(data []byte, m msg.ClientMessage) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.heard = append(e.heard, data...)
	switch m := m.(type) {
	case msg.Send:
		sealed, _ := base64.RawURLEncoding.DecodeString(m.Sealed)
		e.heard = append(e.heard, sealed...)
	case msg.Hello:
		if m.Password != "" {
			e.joins = append(e.joins, m.Password)
		}
	}
}

func (e *evilServer) fromServer(ctx context.Context, server, member *websocket.Conn, name *memberName) {
	for {
		_, data, err := server.Read(ctx)
		if err != nil {
			return
		}
		m, err := msg.DecodeServer(data)
		if err != nil {
			e.t.Errorf("the server sent %q: %v", data, err)
			return
		}
		if w, ok := m.(msg.Welcome); ok {
			name.Store(w.Endpoint)
			e.become(func(e *evilServer) {
				e.members[w.Endpoint] = func(m msg.ServerMessage) { _ = writeAny(ctx, member, m) }
			})
		}
		for _, m := range e.instead(name.get(), m) {
			if writeAny(ctx, member, m) != nil {
				return
			}
		}
	}
}

// instead is what a member is told in the place of a message of the real server.
func (e *evilServer) instead(to string, m msg.ServerMessage) (all []msg.ServerMessage) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if d, ok := m.(msg.Deliver); ok {
		for _, d := range e.delivers(d) {
			all = append(all, d)
		}
		return all
	}
	if e.tells != nil {
		m = e.tells(to, m)
	}
	return []msg.ServerMessage{m}
}

// says tells a member something of its own, in this order.
func (e *evilServer) says(to string, all ...msg.ServerMessage) {
	e.mu.Lock()
	say := e.members[to]
	e.mu.Unlock()
	for _, m := range all {
		say(m)
	}
}

// carry hands on what is said on the server's relay, in one direction.
func (e *evilServer) carry(ctx context.Context, from, to *websocket.Conn, change func([]byte) [][]byte) {
	for {
		kind, data, err := from.Read(ctx)
		if err != nil {
			return
		}
		all := [][]byte{data}
		if kind == websocket.MessageBinary {
			all = change(data)
		}
		for _, data := range all {
			if to.Write(ctx, kind, data) != nil {
				return
			}
		}
	}
}

// overhear keeps what a member says on the relay.
func (e *evilServer) overhear(sealed []byte) [][]byte {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.heard = append(e.heard, sealed...)
	return [][]byte{sealed}
}

// tamper changes what a member is about to get by the relay.
func (e *evilServer) tamper(sealed []byte) [][]byte {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.relays == nil {
		return [][]byte{sealed}
	}
	return e.relays(sealed)
}

func writeAny(ctx context.Context, to *websocket.Conn, m msg.Message) error {
	data, err := msg.Encode(m)
	if err != nil {
		return err
	}
	return to.Write(ctx, websocket.MessageText, data)
}

// knows tells whether the server has seen some bytes.
func (e *evilServer) knows(b []byte) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	return bytes.Contains(e.heard, b)
}

// join is what a receiver has shown it, "" before one came.
func (e *evilServer) join() string {
	e.mu.Lock()
	defer e.mu.Unlock()
	if len(e.joins) == 0 {
		return ""
	}
	return e.joins[0]
}

// everything delivers each envelope, and then what can be made of it and of those before: the same
// again, older ones, others' names, another key, flipped bits, a tail more and less.
func (e *evilServer) everything(own seal.PublicKey) func(msg.Deliver) []msg.Deliver {
	random := rand.New(rand.NewPCG(1, 2))
	var before []msg.Deliver
	return func(d msg.Deliver) []msg.Deliver {
		all := []msg.Deliver{d, d}
		sealed, err := base64.RawURLEncoding.DecodeString(d.Sealed)
		if err != nil {
			e.t.Errorf("%q: %v", d.Sealed, err)
			return all
		}
		add := func(from string, b []byte) {
			all = append(all, msg.Deliver{From: from, Sealed: base64.RawURLEncoding.EncodeToString(b)})
		}
		for range min(3, len(before)) {
			old := before[random.IntN(len(before))]
			all = append(all, old, msg.Deliver{From: d.From, Sealed: old.Sealed}, msg.Deliver{From: old.From, Sealed: d.Sealed})
		}
		flipped := bytes.Clone(sealed)
		flipped[random.IntN(len(flipped))] ^= 1 << random.IntN(8)
		add(d.From, flipped)
		add(d.From, sealed[:len(sealed)-1])
		add(d.From, append(bytes.Clone(sealed), 0))
		add(ghost, sealed)
		if sealed[0] == seal.KindPair && len(sealed) > 1+len(own) {
			add(d.From, slices.Concat(sealed[:1], own[:], sealed[1+len(own):]))
		}
		before = append(before, d)
		return all
	}
}

// ghost is a member that is nobody.
const ghost = "ghost"

// addsMembers has everybody hear of somebody who is not there, and be told to connect to it.
func addsMembers(_ string, m msg.ServerMessage) msg.ServerMessage {
	if all, ok := m.(msg.Members); ok {
		all.Joined = append(all.Joined, msg.Member{Endpoint: ghost, Role: msg.RoleSubscriber, Order: 1000, Near: ghost})
		all.Neighbours = append(all.Neighbours, ghost)
		return all
	}
	return m
}
