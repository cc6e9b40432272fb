package peer

import (
	"crypto/rand"
	"encoding/binary"
	"slices"
	"time"

	"github.com/fanfare-relay/fanfare/mesh/seal"
	"github.com/fanfare-relay/fanfare/signalling/msg"
)

// asked answers one who wants to come in.
func (s *swarm) asked(from string, dh seal.PublicKey, a seal.Ask) {
	before := s.door.guests[dh]
	waited := before != nil && before.waiting
	v := s.door.ask(dh, a.Name, a.Password, drawSerial, time.Now())
	g := s.door.guests[dh]
	if g != nil {
		g.endpoint, g.fingerprint = from, a.Fingerprint
	}
	if v.wait && !waited {
		s.cfg.Tell(Asked{dh, a.Name, !s.door.rule.Approve})
	}
	s.answerGuest(from, dh, g, v)
}

func (s *swarm) answerGuest(to string, dh seal.PublicKey, g *guest, v verdict) {
	switch {
	case v.refused != "":
		s.tell(dh, to, seal.Refused{Reason: v.refused})
	case v.wait:
		s.tell(dh, to, seal.Wait{})
	default:
		token, err := seal.Token{
			Room: seal.IDOf(s.cfg.Link.Room), Serial: v.serial, Expiry: uint64(s.cfg.Share.Expires.Unix()),
			Rights: seal.Receive | seal.PassOn, DH: dh, Fingerprint: g.fingerprint,
		}.Sign(s.cfg.Share.Key)
		if err != nil {
			s.cfg.Log.Warn("cannot sign a token", "error", err)
			return
		}
		if !g.told {
			g.told = true
			s.cfg.Tell(Admitted{dh, g.name})
		}
		s.tell(dh, to, seal.Admit{Token: token})
	}
}

// completed hears that a receiver has all that it wants.
func (s *swarm) completed(l *link) {
	if s.door == nil {
		return
	}
	if g := s.door.guests[l.peer]; g != nil && !g.complete {
		g.complete = true
		s.cfg.Tell(Complete{l.peer, g.name})
	}
}

// drawSerial makes serials by chance, so that none comes twice after a restart.
func drawSerial() uint32 {
	var b [4]byte
	_, _ = rand.Read(b[:]) // never fails, says crypto/rand
	return max(1, binary.BigEndian.Uint32(b[:]))
}

func (s *swarm) decide(dh seal.PublicKey, yes bool) {
	if s.door == nil {
		return
	}
	if v, ok := s.door.decide(dh, yes, drawSerial); ok {
		g := s.door.guests[dh]
		s.answerGuest(g.endpoint, dh, g, v)
	}
}

// remove revokes, and puts out of the room.
func (s *swarm) remove(dh seal.PublicKey) {
	if s.door == nil {
		return
	}
	serial := s.door.remove(dh)
	if g := s.door.guests[dh]; g != nil {
		s.tell(dh, g.endpoint, seal.Refused{Reason: seal.ReasonRemoved})
		s.room.send(msg.Remove{Endpoint: g.endpoint})
	}
	if serial == 0 || s.revoked.Has(serial) || len(s.revoked.Serials) >= seal.MaxRevoked {
		return
	}
	next := seal.Revocations{Version: s.revoked.Version + 1, Serials: append(slices.Clone(s.revoked.Serials), serial)}
	slices.Sort(next.Serials)
	list, err := next.Sign(s.cfg.Share.Key, s.cfg.Link.Room)
	if err != nil {
		s.cfg.Log.Warn("cannot sign a revocation", "error", err)
		return
	}
	s.revoke(next, list)
}
