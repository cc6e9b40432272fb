package peer

import (
	"context"
	"crypto/rand"
	"fmt"
	"slices"
	"time"

	"github.com/fanfare-relay/fanfare/mesh/seal"
	"github.com/fanfare-relay/fanfare/mesh/wire"
	"github.com/fanfare-relay/fanfare/signalling/msg"
)

// attempt is a connection in the making.
type attempt struct {
	id    seal.Attempt
	peer  seal.PublicKey
	to    string // endpoint
	pair  seal.Pair
	lane  int  // 0 for the first connection of a pair
	ours  bool // we made the offer
	token *seal.Token
	conn  *conn
	until time.Time
	steps chan func(*conn) error // run in order by the attempt's goroutine
	drop  context.CancelFunc
	ctx   context.Context

	agreed    time.Time // when the answer was sent or taken; zero before
	relaying  bool      // the relay was opened for it
	described bool      // our description was sent
	found     []string  // addresses of ours that wait for it
}

// earlyOffer came before we had a token to answer it with.
type earlyOffer struct {
	dh    seal.PublicKey
	offer seal.Offer
}

const (
	attemptWithin = 15 * time.Second
	helloWithin   = 10 * time.Second
	maxSteps      = 64 // candidates of one peer, and a few
	maxAttempts   = 128
	maxSeen       = 64 // offers of a peer that are remembered, docs/MESH.md, section 2
)

// connect offers to the neighbours that we have no connection to.
func (s *swarm) connect(now time.Time) {
	if s.token == nil || !s.online || s.done {
		return
	}
	for _, m := range s.members {
		if !m.neighbour || m.dh == nil || now.Before(m.next) || now.Before(s.banned[*m.dh]) || s.attemptTo(m.endpoint, 0) != nil {
			continue
		}
		if l := s.links[*m.dh]; l != nil && !l.conn.silent() && !s.betterWay(l, now) {
			continue
		}
		m.pause = min(longestRetry, max(time.Second, 2*m.pause))
		m.next = now.Add(attemptWithin + m.pause)
		s.offer(m, 0)
	}
}

// attemptTo finds the attempt with an endpoint, of which there is one for a lane. It does not go by the key: whoever
// calls another's key its own would keep us from that other.
func (s *swarm) attemptTo(endpoint string, lane int) *attempt {
	for _, a := range s.attempts {
		if a.to == endpoint && a.lane == lane {
			return a
		}
	}
	return nil
}

// offer begins an attempt of ours; false when there is none.
func (s *swarm) offer(m *member, lane int) bool {
	id, err := seal.NewAttempt(rand.Reader)
	if err != nil {
		return false
	}
	a, err := s.begin(attempt{id: id, peer: *m.dh, to: m.endpoint, lane: lane, ours: true})
	if err != nil {
		s.cfg.Log.Debug("no attempt", "error", err)
		return false
	}
	token := *s.token
	a.steps <- func(c *conn) error {
		sdp, err := c.offer()
		if err == nil {
			s.post(func() { s.describe(a, seal.Offer{Attempt: id, Lane: uint8(lane), Token: token, SDP: sdp}) })
		}
		return err
	}
	return true
}

// begin makes the connection of an attempt and the goroutine that works on it.
func (s *swarm) begin(begun attempt) (a *attempt, err error) {
	if len(s.attempts) >= maxAttempts {
		return nil, fmt.Errorf("%d attempts are under way", len(s.attempts))
	}
	a = &begun
	if a.pair, err = s.pair(a.peer); err != nil {
		return nil, err
	}
	a.until, a.steps = time.Now().Add(attemptWithin), make(chan func(*conn) error, maxSteps)
	a.ctx, a.drop = context.WithCancel(s.ctx)
	a.conn, err = newConn(s.network, s.cfg.Identity, s.servers, func(candidate string) {
		s.post(func() { s.found(a, candidate) })
	})
	if err != nil {
		a.drop()
		return nil, err
	}
	s.attempts[a.id] = a
	s.tasks.Go(func() { s.work(a) })
	return a, nil
}

// describe sends our description, and then the addresses that were found meanwhile.
func (s *swarm) describe(a *attempt, m seal.Message) {
	if s.attempts[a.id] != a {
		return
	}
	s.tell(a.peer, a.to, m)
	a.described = true
	if !a.ours {
		a.agreed = time.Now()
	}
	for _, candidate := range a.found {
		s.found(a, candidate)
	}
}

// found sends an address of ours, once the description is out.
func (s *swarm) found(a *attempt, candidate string) {
	switch {
	case s.attempts[a.id] != a:
	case !a.described:
		a.found = append(a.found, candidate)
	default:
		s.tell(a.peer, a.to, seal.Candidate{Attempt: a.id, Candidate: candidate})
	}
}

// work carries out the steps of an attempt, then waits for the connection and greets.
func (s *swarm) work(a *attempt) {
	err := a.negotiate()
	var theirs wire.Hello
	if err == nil {
		theirs, err = s.greet(a.ctx, a, a.conn, uint8(a.lane))
	}
	s.post(func() { s.attemptEnded(a, theirs, err) })
	if err != nil {
		a.conn.close()
	}
}

// negotiate runs steps until the channels are open. Candidates that come later have no use.
func (a *attempt) negotiate() error {
	for {
		select {
		case step := <-a.steps:
			if err := step(a.conn); err != nil {
				return err
			}
		case <-a.conn.ready:
			return nil
		case <-a.conn.gone:
			return fmt.Errorf("no way to the peer was found")
		case <-a.ctx.Done():
			return context.Cause(a.ctx)
		}
	}
}

// relayLane is what HELLO's mac says of the server's relay, in place of a lane's number.
const relayLane = 0xff

// greet exchanges HELLO, which proves that the two ends of a connection are those of the envelopes.
func (s *swarm) greet(ctx context.Context, a *attempt, over connection, lane uint8) (wire.Hello, error) {
	seed := false
	if !s.call(func() { seed = s.cfg.Share != nil || s.finished }) {
		return wire.Hello{}, context.Canceled
	}
	late := time.AfterFunc(helloWithin, over.close)
	defer late.Stop()
	defer context.AfterFunc(ctx, over.close)()
	h := seal.Hello{Attempt: a.id, Lane: lane, Offerer: s.cfg.Identity.fingerprint, Answerer: a.token.Fingerprint}
	if !a.ours {
		h.Offerer, h.Answerer = h.Answerer, h.Offerer
	}
	ours := wire.Hello{Version: wire.Version, Seed: seed, Largest: largestMessage, Attempt: a.id, MAC: a.pair.HelloMAC(h)}
	control, _ := over.channels()
	if _, err := control.Write(wire.Append(nil, ours)); err != nil {
		return wire.Hello{}, err
	}
	message, err := readMessage(control, make([]byte, largestMessage))
	if err != nil {
		return wire.Hello{}, err
	}
	f, err := wire.Parse(message, wire.Control)
	if err != nil {
		return wire.Hello{}, err
	}
	theirs, ok := f.(wire.Hello)
	if !ok || theirs.Attempt != a.id {
		return theirs, seal.ErrHello
	}
	return theirs, a.pair.CheckHello(h, theirs.MAC)
}

// attemptEnded makes a link of an attempt, or lets it be.
func (s *swarm) attemptEnded(a *attempt, theirs wire.Hello, err error) {
	if s.attempts[a.id] != a {
		a.conn.close()
		return
	}
	delete(s.attempts, a.id)
	if a.lane > 0 {
		s.laneEnded(a, err)
		return
	}
	// What the peer has done meanwhile on another way counts here, too.
	if err == nil && !s.done && !time.Now().Before(s.banned[a.peer]) && !s.revoked.Has(a.token.Serial) {
		s.link(a, theirs, a.conn, a.ctx, a.drop)
		return
	}
	s.cfg.Log.Debug("no connection", "to", a.to, "error", err)
	a.drop()
	s.tasks.Go(a.conn.close)
	if m := s.members[a.to]; m != nil {
		m.next = time.Now().Add(m.pause + s.headStart(a.peer))
	}
}

func (s *swarm) giveUp(a *attempt) {
	delete(s.attempts, a.id)
	a.drop() // its goroutine closes the connection
	if l := s.links[a.peer]; l != nil && a.lane > 0 {
		l.lanes.Failed()
	}
}

func (s *swarm) expireAttempts(now time.Time) {
	for _, a := range s.attempts {
		if now.After(a.until) {
			s.giveUp(a)
		}
	}
}

// undelivered: the server could not carry something to a member.
func (s *swarm) undelivered(u msg.Undelivered) {
	for _, a := range s.attempts {
		if a.to == u.To {
			s.giveUp(a)
		}
	}
	if m := s.members[u.To]; m != nil {
		m.told = m.told && u.Code != msg.CodeRate
		m.next = time.Now().Add(time.Second)
	}
}

// admits judges a peer before anything else of its offer or answer is looked at.
func (s *swarm) admits(dh seal.PublicKey, signed seal.SignedToken, sdp string) (seal.Token, error) {
	now := time.Now()
	gate := seal.Gate{Room: s.cfg.Link.Room, Key: s.cfg.Link.Key, Revoked: s.revoked}
	token, err := gate.Admit(signed, dh, sdp, now, seal.PassOn)
	if err == nil && now.Before(s.banned[dh]) {
		err = errBadLeaf
	}
	if err == nil {
		s.signer = token.Key
	}
	return token, err
}

// offered answers an offer of a peer that was let in.
func (s *swarm) offered(from string, dh seal.PublicKey, o seal.Offer) {
	if s.token == nil {
		if len(s.early) < maxAttempts && s.early != nil {
			s.early[from] = earlyOffer{dh, o}
		}
		return
	}
	if slices.Contains(s.seen[dh], o.Attempt) {
		return // somebody repeats it
	}
	token, err := s.admits(dh, o.Token, o.SDP)
	if err != nil || !s.takesLane(dh, int(o.Lane)) || s.attempts[o.Attempt] != nil || s.done {
		s.cfg.Log.Debug("an offer is passed over", "from", from, "lane", o.Lane, "error", err)
		return
	}
	s.remember(dh, o.Attempt)
	if a := s.attemptTo(from, int(o.Lane)); a != nil {
		if a.peer == dh && a.ours && a.pair.Lower() {
			return // ours stands
		}
		s.giveUp(a)
	}
	a, err := s.begin(attempt{id: o.Attempt, peer: dh, to: from, lane: int(o.Lane)})
	if err != nil {
		s.cfg.Log.Debug("no attempt", "error", err)
		return
	}
	a.token = &token
	mine := *s.token
	a.steps <- func(c *conn) error {
		sdp, err := c.answer(o.SDP)
		if err == nil {
			s.post(func() { s.describe(a, seal.Answer{Attempt: o.Attempt, Token: mine, SDP: sdp}) })
		}
		return err
	}
}

// remember keeps a repeated offer from costing a connection.
func (s *swarm) remember(dh seal.PublicKey, id seal.Attempt) {
	seen := append(s.seen[dh], id)
	s.seen[dh] = seen[max(0, len(seen)-maxSeen):]
}

// answered goes on with an attempt of ours.
func (s *swarm) answered(dh seal.PublicKey, m seal.Answer) {
	a := s.attempts[m.Attempt]
	if a == nil || !a.ours || a.peer != dh || a.token != nil {
		return
	}
	token, err := s.admits(dh, m.Token, m.SDP)
	if err != nil {
		s.cfg.Log.Debug("an answer is refused", "error", err)
		s.giveUp(a)
		return
	}
	a.token, a.agreed = &token, time.Now()
	s.step(a, func(c *conn) error { return c.accept(m.SDP) })
}

func (s *swarm) candidate(dh seal.PublicKey, m seal.Candidate) {
	a := s.attempts[m.Attempt]
	if a == nil || a.peer != dh || a.token == nil {
		return
	}
	s.step(a, func(c *conn) error {
		_ = c.candidate(m.Candidate) // one that cannot be used is no harm
		return nil
	})
}

// step queues work for an attempt; what is too much for it is dropped.
func (s *swarm) step(a *attempt, f func(*conn) error) {
	select {
	case a.steps <- f:
	default:
	}
}
