package peer

import (
	"time"

	"github.com/fanfare-relay/fanfare/mesh/seal"
)

// Who is where (docs/MESH.md, section 2). Whoever has the link can make a card or a key its own and seal it for the
// room, also an old one of the uploader: what it says is the uploader's word, where it comes from proves nothing. So
// the uploader is where the server says, which carries the envelopes anyway; and a member's key is its own when it
// has sealed something by it.

// member is an endpoint of the room.
type member struct {
	endpoint  string
	listed    bool      // the server has named it
	since     time.Time // when it was first heard of
	publisher bool
	neighbour bool
	dh        *seal.PublicKey // once it has told
	proved    bool            // it has sealed something by that key
	card      *seal.Card      // the last good one that came from it
	told      bool            // our key or card
	next      time.Time       // when to offer to it
	pause     time.Duration   // after the next failure
}

// maxMembers bounds what a server can make us remember: more than a room has.
const maxMembers = 256

// member gives the member of an endpoint, also of one whose envelope was quicker than word of it; nil when there
// are too many.
func (s *swarm) member(endpoint string) *member {
	m := s.members[endpoint]
	if m == nil && (len(s.members) < maxMembers || s.forgetGhost()) {
		m = &member{endpoint: endpoint, since: time.Now()}
		s.members[endpoint] = m
	}
	return m
}

// forgetGhost makes room for another: of those whom the server has not named it forgets the one that was heard of first.
// Who comes, sends an envelope and leaves before others are told of it must not keep out those who stay.
func (s *swarm) forgetGhost() bool {
	var first *member
	for _, m := range s.members {
		if !m.listed && m.endpoint != s.uploaderAt && (first == nil || m.since.Before(first.since)) {
			first = m
		}
	}
	if first == nil {
		return false
	}
	delete(s.members, first.endpoint)
	return true
}

// named: the server calls an endpoint the uploader. Its card may have been quicker than that.
func (s *swarm) named(owner string) {
	if owner == "" { // it is away
		return
	}
	s.uploaderAt = owner
	if m := s.members[owner]; m != nil && m.card != nil {
		s.takeCard(m)
	}
}

// card is the uploader's word on who it is, if it comes from the uploader.
func (s *swarm) card(from string, c seal.Card) {
	m := s.member(from)
	if s.cfg.Share != nil || m == nil {
		return
	}
	if c.Verify(s.cfg.Link.Key, s.cfg.Link.Room) != nil {
		// Others who have the link may send anything. That of the uploader must be the link's.
		if from == s.uploaderAt && s.token == nil {
			s.end(ErrStranger)
		}
		return
	}
	m.card = &c
	if from == s.uploaderAt {
		s.takeCard(m)
	}
}

func (s *swarm) takeCard(m *member) {
	s.signer, s.uploader = m.card.Key, m.card.DH
	s.keyClaimed(m.endpoint, m.card.DH)
	if s.token == nil {
		s.askAt = time.Time{}
		s.askAgain(time.Now())
	}
}

// keyClaimed notes the key that a member calls its own, unless another has proved to have it.
func (s *swarm) keyClaimed(from string, dh seal.PublicKey) {
	m := s.member(from)
	if m == nil || m.has(dh) {
		return
	}
	for _, other := range s.members {
		if other.proved && other.has(dh) {
			return
		}
	}
	if m.dh == nil { // who calls one key after the other its own gets no turn by that
		m.next = time.Now().Add(s.headStart(dh))
	}
	m.dh, m.proved = &dh, false
}

// keyProved notes the key by which a member has sealed something for us: nobody else has it. One that had it before
// was the same peer under another name, or had only claimed it.
func (s *swarm) keyProved(from string, dh seal.PublicKey) {
	m := s.member(from)
	if m == nil || m.proved && m.has(dh) {
		return
	}
	for _, other := range s.members {
		if other != m && other.has(dh) {
			other.dh, other.proved = nil, false
		}
	}
	for _, a := range s.attempts {
		if a.peer == dh && a.to != from {
			s.giveUp(a)
		}
	}
	if !m.has(dh) {
		m.pause, m.next = 0, time.Now().Add(s.headStart(dh))
	}
	m.dh, m.proved = &dh, true
}

func (m *member) has(dh seal.PublicKey) bool { return m.dh != nil && *m.dh == dh }

// headStart keeps two from offering to each other at the same time.
func (s *swarm) headStart(dh seal.PublicKey) time.Duration {
	if s.cfg.Identity.dh.Public().Less(dh) {
		return 0
	}
	return secondPause
}
