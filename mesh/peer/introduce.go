package peer

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"maps"
	"slices"
	"time"

	"github.com/fanfare-relay/fanfare/mesh/seal"
	"github.com/fanfare-relay/fanfare/signalling/msg"
)

const (
	askEvery     = 10 * time.Second
	secondPause  = 2 * time.Second // the head start of the one who has to offer first
	longestRetry = 15 * time.Second
	maxPairs     = 512 // keys of others that are remembered
)

// hello is the first message of each connection to the server.
func (s *swarm) hello(resume string) msg.Hello {
	h := msg.Hello{
		Version: msg.Version, Room: msg.RoomRef{Kind: msg.RoomFiles, Name: s.cfg.Link.Room},
		Role: msg.RoleSubscriber, Resume: resume,
	}
	if s.cfg.Share == nil {
		h.Password = base64.RawURLEncoding.EncodeToString(s.keys.Join[:])
		id := sha256.Sum256(s.cfg.Identity.fingerprint[:])
		h.Viewer = base64.RawURLEncoding.EncodeToString(id[:16])
		return h
	}
	h.Role, h.Token = msg.RolePublisher, s.cfg.Share.Owner
	h.Files = &msg.FilesTerms{
		Verifier: base64.RawURLEncoding.EncodeToString(s.keys.Verifier[:]),
		Members:  msg.MaxFilesMembers,
		Life:     min(msg.MaxFilesLife, max(msg.MinFilesLife, int(time.Until(s.cfg.Share.Expires).Seconds()))),
	}
	return h
}

// roomEnded: the server has nothing more for us. Those who are connected go on without it.
func (s *swarm) roomEnded(err error) {
	s.online = false
	var refused *RoomError
	if s.done || errors.Is(err, context.Canceled) && s.ctx.Err() != nil {
		return
	}
	if errors.As(err, &refused) && len(s.links) > 0 && (refused.Code == msg.CodeExpired || refused.Code == msg.CodeClosed) {
		return
	}
	s.end(roomReason(err, refused))
}

func roomReason(err error, refused *RoomError) error {
	if refused == nil {
		return err
	}
	switch refused.Code {
	case msg.CodeExpired:
		return ErrExpired
	case msg.CodeClosed:
		return ErrClosed
	}
	return refused
}

// heard takes a message of the server; nil says that the connection is lost.
func (s *swarm) heard(m msg.ServerMessage) {
	switch m := m.(type) {
	case nil:
		if s.online {
			s.online = false
			s.cfg.Tell(Lost{})
		}
	case msg.Welcome:
		s.welcomed(m)
	case msg.Files:
		s.named(m.Owner)
	case msg.Members:
		s.membersChanged(m)
	case msg.Deliver:
		if sealed, err := base64.RawURLEncoding.Strict().DecodeString(m.Sealed); err == nil && len(sealed) > 0 {
			s.deliver(m.From, sealed)
		}
	case msg.Undelivered:
		s.undelivered(m)
	case msg.ShortCode:
		s.codeGiven(m)
	case msg.CodeEnded:
		s.codeEnded(m)
	case msg.Error:
		s.cfg.Log.Debug("the server refuses", "code", m.Code, "text", m.Text)
	}
}

func (s *swarm) welcomed(w msg.Welcome) {
	back := s.endpoint != ""
	renamed := w.Endpoint != s.endpoint
	if renamed {
		for _, a := range s.attempts { // they are bound to the name that we had
			s.giveUp(a)
		}
	}
	for _, m := range s.members {
		m.told = m.told && !renamed
		s.takeUpAgain(m)
	}
	s.online, s.endpoint = true, w.Endpoint
	if w.Files != nil {
		s.relayToken = w.Files.Relay
	}
	s.servers = s.cfg.Transport.iceServers(s.cfg.Link.Server, w)
	s.askAt = time.Time{}
	if w.Files != nil {
		s.named(w.Files.Owner)
	}
	switch {
	case back:
		s.cfg.Tell(Back{})
	default:
		s.cfg.Tell(Opened{})
	}
	s.askForCode()
}

// takeUpAgain: perhaps the network is another one, and who could not be reached may be now.
func (s *swarm) takeUpAgain(m *member) {
	m.pause = 0
	if m.dh == nil {
		return
	}
	if soon := time.Now().Add(s.headStart(*m.dh)); soon.Before(m.next) {
		m.next = soon
	}
}

func (s *swarm) membersChanged(m msg.Members) {
	if m.All {
		for id := range s.members {
			if !slices.ContainsFunc(m.Joined, func(j msg.Member) bool { return j.Endpoint == id }) {
				delete(s.members, id)
			}
		}
	}
	for _, id := range m.Left {
		delete(s.members, id)
		s.leftRoom(id)
	}
	for _, j := range m.Joined { // these first, as room for others is made of those who are not listed
		if one := s.members[j.Endpoint]; one != nil {
			one.listed = true
		}
	}
	// The server says in the order of what happens who has come: whoever was heard of before, and is not in that, has left.
	maps.DeleteFunc(s.members, func(_ string, one *member) bool { return !one.listed })
	for _, j := range m.Joined {
		if j.Endpoint == s.endpoint {
			continue
		}
		if one := s.member(j.Endpoint); one != nil {
			one.listed, one.publisher = true, j.Role == msg.RolePublisher
		}
		if j.Role == msg.RolePublisher {
			s.named(j.Endpoint)
		}
	}
	for id, one := range s.members {
		one.neighbour = slices.Contains(m.Neighbours, id)
		if !one.told {
			s.tellKey(one)
		}
	}
	s.connect(time.Now())
}

// tellKey says who we are to a member: the uploader by its card to all, others by their key to those
// whom they will be connected to.
func (s *swarm) tellKey(m *member) {
	var about seal.Message = seal.Key{DH: s.cfg.Identity.dh.Public()}
	switch {
	case s.cfg.Share != nil:
		card, err := seal.NewCard(s.cfg.Share.Key, s.cfg.Link.Room, s.cfg.Identity.dh.Public())
		if err != nil {
			s.cfg.Log.Warn("cannot sign", "error", err)
			return
		}
		about = card
	case !m.neighbour, m.publisher && s.token == nil:
		return // the uploader learns our key when we ask; one that came back is not asked again
	}
	sealed, err := s.keys.Seal(rand.Reader, s.endpoint, m.endpoint, about)
	if err != nil {
		s.cfg.Log.Warn("cannot seal", "error", err)
		return
	}
	m.told = true
	s.envelope(m.endpoint, sealed)
}

func (s *swarm) envelope(to string, sealed []byte) {
	s.room.send(msg.Send{To: to, Sealed: base64.RawURLEncoding.EncodeToString(sealed)})
}

// tell seals a message for one peer.
func (s *swarm) tell(dh seal.PublicKey, to string, m seal.Message) {
	pair, err := s.pair(dh)
	if err == nil {
		var sealed []byte
		if sealed, err = pair.Seal(rand.Reader, s.endpoint, to, m); err == nil {
			s.envelope(to, sealed)
			return
		}
	}
	s.cfg.Log.Debug("cannot seal", "type", m.Type(), "error", err)
}

func (s *swarm) pair(dh seal.PublicKey) (seal.Pair, error) {
	if p, ok := s.pairs[dh]; ok {
		return p, nil
	}
	p, err := s.cfg.Identity.dh.Pair(dh, s.cfg.Link.Secret, s.cfg.Link.Room)
	if err != nil {
		return p, err
	}
	if len(s.pairs) >= maxPairs { // somebody makes keys without end
		clear(s.pairs)
	}
	s.pairs[dh] = p
	return p, nil
}

// deliver opens an envelope. One that does not open is dropped without an answer.
func (s *swarm) deliver(from string, sealed []byte) {
	switch sealed[0] {
	case seal.KindPAKE:
		s.codeMessage(from, sealed)
	case seal.KindGroup:
		m, err := s.keys.Open(from, s.endpoint, sealed)
		if err != nil {
			return
		}
		switch m := m.(type) {
		case seal.Card:
			s.card(from, m)
		case seal.Key:
			s.keyClaimed(from, m.DH)
		}
	case seal.KindPair:
		dh, err := seal.Sender(sealed)
		if err != nil {
			return
		}
		pair, err := s.pair(dh)
		if err != nil {
			return
		}
		m, err := pair.Open(from, s.endpoint, sealed)
		if err != nil {
			return
		}
		s.keyProved(from, dh)
		s.message(from, dh, m)
	}
}

// askAgain asks the uploader until there is an answer.
func (s *swarm) askAgain(now time.Time) {
	if s.cfg.Fetch == nil || s.token != nil || !s.online || s.uploader == (seal.PublicKey{}) || s.uploaderAt == "" || now.Before(s.askAt) {
		return
	}
	s.askAt = now.Add(askEvery)
	s.tell(s.uploader, s.uploaderAt, seal.Ask{
		Fingerprint: s.cfg.Identity.fingerprint, Name: s.cfg.Fetch.Name, Password: s.cfg.Fetch.Password,
	})
}

// message takes what a peer has sealed for us.
func (s *swarm) message(from string, dh seal.PublicKey, m seal.Message) {
	fromUploader := s.cfg.Fetch != nil && dh == s.uploader
	switch m := m.(type) {
	case seal.Ask:
		if s.cfg.Share != nil {
			s.asked(from, dh, m)
		}
	case seal.Wait:
		if fromUploader && s.token == nil && !s.waits {
			s.waits = true
			s.cfg.Tell(Waits{})
		}
	case seal.Admit:
		if fromUploader {
			s.admitted(m.Token)
		}
	case seal.Refused:
		// What was given is taken back from who is removed, and from who only looks when the places are taken.
		if fromUploader && (s.token == nil || m.Reason == seal.ReasonRemoved || m.Reason == seal.ReasonFull) {
			s.end(refusal(m.Reason))
		}
	case seal.Offer:
		s.offered(from, dh, m)
	case seal.Answer:
		s.answered(dh, m)
	case seal.Candidate:
		s.candidate(dh, m)
	}
}

func refusal(r seal.Reason) error {
	switch r {
	case seal.ReasonFull:
		return ErrFull
	case seal.ReasonPassword:
		return ErrPassword
	case seal.ReasonExpired:
		return ErrExpired
	case seal.ReasonRemoved:
		return ErrRemoved
	case seal.ReasonClosed:
		return ErrClosed
	}
	return ErrDenied
}

// admitted takes our token, if it is ours and good. Offers that came too early are looked at now.
func (s *swarm) admitted(t seal.SignedToken) {
	token, err := t.Verify(s.cfg.Link.Key, s.cfg.Link.Room, time.Now(), seal.Receive)
	if err != nil || token.DH != s.cfg.Identity.dh.Public() || token.Fingerprint != s.cfg.Identity.fingerprint {
		return
	}
	first := s.token == nil
	s.token, s.waits = &t, false
	if !first {
		return
	}
	s.cfg.Tell(Admitted{})
	early := s.early
	s.early = nil
	for from, o := range early {
		s.offered(from, o.dh, o.offer)
	}
	for _, m := range s.members { // we are the one who comes: no head start for others
		m.next = time.Time{}
	}
	s.connect(time.Now())
}
