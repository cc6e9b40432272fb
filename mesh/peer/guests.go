package peer

import (
	"crypto/rand"
	"encoding/binary"
	"slices"
	"time"

	"github.com/fanfare-relay/fanfare/mesh/seal"
	"github.com/fanfare-relay/fanfare/mesh/wire"
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
		s.reinstate(v.serial)
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
		if g.refused != "" { // it may be here by a token of an earlier run
			s.putBack([]seal.PublicKey{dh})
		}
	}
}

// remove revokes, and puts out of the room.
func (s *swarm) remove(dh seal.PublicKey) (Removed, error) {
	if s.door == nil || s.door.guests[dh] == nil {
		return Removed{}, errNoKey
	}
	g := s.door.guests[dh]
	removed := Removed{Key: dh, Serial: s.door.remove(dh), Earlier: slices.Clone(g.earlier)}
	at := g.endpoint
	s.tell(dh, at, seal.Refused{Reason: seal.ReasonRemoved})
	s.room.send(msg.Remove{Endpoint: at})
	var err error
	if !s.relist(append(slices.Clone(s.revoked.Serials), g.tokens()...)) {
		err = ErrManyRemoved
	}
	if l := s.links[dh]; l != nil {
		s.bye(l, wire.NotAdmitted, "")
	}
	return removed, err
}

// stayOutside takes up who was removed in earlier runs.
func (s *swarm) stayOutside(removed []Removed) {
	var serials []uint32
	for _, one := range removed {
		s.door.outside(one)
		serials = append(serials, s.door.guests[one.Key].tokens()...)
	}
	s.relist(serials[:min(len(serials), seal.MaxRevoked)])
}

// takesPlace notes that a receiver says for the first time how it fares.
func (s *swarm) takesPlace(l *link) {
	if s.door != nil {
		s.putBack(s.door.takes(l.peer))
	}
}

// putBack closes again what the tokens of those open who only look, since no place is left, or who were refused.
func (s *swarm) putBack(out []seal.PublicKey) {
	serials := slices.Clone(s.revoked.Serials)
	for _, dh := range out {
		g := s.door.guests[dh]
		serials = append(serials, g.tokens()...)
		reason := wire.NotAdmitted
		if g.refused == "" {
			reason = wire.TooManyPeers
			s.tell(dh, g.endpoint, seal.Refused{Reason: seal.ReasonFull})
		}
		if other := s.links[dh]; other != nil {
			s.bye(other, reason, "")
		}
	}
	if !s.relist(serials) && !s.untold {
		s.untold = true
		s.cfg.Tell(Untold{})
	}
}

// reinstate makes a token good again that was taken back, since there is a place.
func (s *swarm) reinstate(serial uint32) {
	if s.revoked.Has(serial) {
		s.relist(slices.DeleteFunc(slices.Clone(s.revoked.Serials), func(one uint32) bool { return one == serial }))
	}
}

// relist tells all which tokens were taken back. It fails when those are too many for a list: none is left
// out for another, since whoever is left out is let in again.
func (s *swarm) relist(serials []uint32) bool {
	slices.Sort(serials)
	serials = slices.Compact(serials)
	if slices.Equal(serials, s.revoked.Serials) {
		return true
	}
	if len(serials) > seal.MaxRevoked {
		return false
	}
	// Higher than any that an earlier run told.
	version := max(s.revoked.Version+1, uint32(time.Now().Unix()))
	next := seal.Revocations{Version: version, Serials: serials}
	list, err := next.Sign(s.cfg.Share.Key, s.cfg.Link.Room)
	if err != nil {
		s.cfg.Log.Warn("cannot sign a revocation", "error", err)
		return false
	}
	s.revoke(next, list)
	return true
}
