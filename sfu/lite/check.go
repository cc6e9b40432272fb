package lite

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha1" //nolint:gosec // only as a source of transaction IDs
	"encoding/binary"
	"net/netip"
	"slices"
	"time"

	"github.com/pion/stun/v3"
)

// receiveSTUN handles ICE: the peer's checks, and its answers to our probes.
func (l *Leg) receiveSTUN(b []byte, from Path, now time.Time, out *Out) DropReason {
	m := &out.request
	// The library takes bytes behind the message, as streams have them.
	if stun.Decode(b, m) != nil || int(m.Length) != len(b)-stunHeader || stun.Fingerprint.Check(m) != nil {
		return DropSTUNMalformed
	}
	switch m.Type {
	case stun.BindingRequest:
		return l.receiveCheck(m, from, now, out)
	case stun.BindingSuccess:
		return l.receiveProbeAnswer(m, from, now, out)
	case stun.NewType(stun.MethodBinding, stun.ClassIndication):
		return DropNone // a keepalive; it grants no consent
	}
	return DropSTUNType
}

// check is what an authentic Binding request says.
type check struct {
	username              []byte
	nominates, controlled bool
	unknown               []stun.AttrType
}

// readCheck reads the attributes before MESSAGE-INTEGRITY only: what follows it is not
// authentic (RFC 8489 section 14.5). Of two USERNAMEs the first counts (section 14), as for LocalUfrag.
func readCheck(m *stun.Message) (c check) {
	for _, a := range m.Attributes {
		switch {
		case a.Type == stun.AttrMessageIntegrity:
			return c
		case a.Type == stun.AttrUsername:
			if c.username == nil {
				c.username = a.Value
			}
		case a.Type == stun.AttrUseCandidate:
			c.nominates = true
		case a.Type == stun.AttrICEControlled:
			c.controlled = true
		case a.Type == stun.AttrPriority || !a.Type.Required():
		case a.Type == stun.AttrXORMappedAddress:
			// The library also calls 0x8020 so, its number of before RFC 5389, which need not be understood. Itself
			// it is known, and ignored where nobody expects it (section 6.3).
		case len(c.unknown) < 8 && !slices.Contains(c.unknown, a.Type):
			c.unknown = append(c.unknown, a.Type)
		}
	}
	return c
}

// receiveCheck handles a Binding request (RFC 8445 section 7.3). Nothing that is not
// authentic is answered, so that the port is of no use to others.
func (l *Leg) receiveCheck(m *stun.Message, from Path, now time.Time, out *Out) DropReason {
	c := readCheck(m)
	creds, fresh := &l.current, true
	if !creds.matches(c.username) {
		creds, fresh = l.former, false
		if creds == nil || !creds.matches(c.username) {
			return DropSTUNUsername
		}
	}
	integrity := stun.NewShortTermIntegrity(creds.local.Pwd)
	if integrity.Check(m) != nil {
		return DropSTUNIntegrity
	}
	switch {
	case len(c.unknown) > 0:
		l.reply(out, from, integrity, stun.BindingError, stun.CodeUnknownAttribute, stun.UnknownAttributes(c.unknown))
		return DropSTUNAttribute
	case c.controlled:
		// A lite agent is always the controlled one; the peer has to switch.
		l.reply(out, from, integrity, stun.BindingError, stun.CodeRoleConflict)
		return DropSTUNRole
	}
	l.reply(out, from, integrity, stun.BindingSuccess,
		&stun.XORMappedAddress{IP: from.Remote.Addr().AsSlice(), Port: int(from.Remote.Port())})
	l.trust(from, now, out)
	if c.nominates {
		l.nominated = true
		l.moveMedia(from, out)
		if fresh && l.former != nil {
			out.event(Event{Kind: EventUfragGone, Ufrag: l.former.local.Ufrag})
			l.former = nil
		}
	}
	return DropNone
}

// reply answers the request that is in out.request.
func (l *Leg) reply(out *Out, to Path, key stun.MessageIntegrity, with ...stun.Setter) {
	setters := append([]stun.Setter{&out.request}, with...)
	setters = append(setters, key, stun.Fingerprint)
	if out.response.Build(setters...) == nil {
		out.send(out.keep(out.response.Raw), to)
	}
}

// credentialPair is both sides' credentials of one ICE session.
type credentialPair struct{ local, remote Credentials }

// matches compares with USERNAME, "receiver:sender" (RFC 8445 section 7.2.2).
func (p *credentialPair) matches(username []byte) bool {
	local, remote, found := bytes.Cut(username, []byte{':'})
	return found && string(local) == p.local.Ufrag && string(remote) == p.remote.Ufrag
}

// Probing: a lite agent need not send checks, but it may, and a browser answers them. An
// authentic report from an address that never passed a check means that the peer's NAT
// gave it a new port. Firefox comes to check from there after some seconds only (its
// consent checks are 5 s apart); our own check proves the address in one round trip.
const probeInterval = 250 * time.Millisecond

// probe is a check of ours that waits for its answer.
type probe struct {
	to   Path // none when it was answered
	id   [stun.TransactionIDSize]byte
	sent time.Time
	n    uint32
}

// sendProbe asks whether the peer is at an address, at most four times a second.
func (l *Leg) sendProbe(to Path, now time.Time, out *Out) {
	if l.probe == nil {
		l.probe = &probe{}
	} else if now.Sub(l.probe.sent) < probeInterval {
		return
	}
	if former := l.probe.to; former != to {
		if former.Remote.IsValid() && !l.knows(former) {
			out.event(Event{Kind: EventAddressGone, Path: former})
		}
		out.event(Event{Kind: EventProbe, Path: to})
	}
	l.probe.to, l.probe.sent = to, now
	l.probe.n++
	l.probe.id = l.transactionID(l.probe.n)
	err := out.response.Build(
		stun.BindingRequest, stun.NewTransactionIDSetter(l.probe.id),
		stun.NewUsername(l.current.remote.Ufrag+":"+l.current.local.Ufrag),
		tieBreaker(l.probe.id[:8]),
		stun.NewShortTermIntegrity(l.current.remote.Pwd), stun.Fingerprint)
	if err == nil {
		out.send(out.keep(out.response.Raw), to)
	}
}

// tieBreaker is ICE-CONTROLLED (RFC 8445 section 16.1); its value matters only in a role
// conflict, which we never give in to.
type tieBreaker []byte

// AddTo implements stun.Setter, with the PRIORITY that every check carries: that of a
// peer-reflexive candidate (RFC 8445 section 5.1.2.1).
func (t tieBreaker) AddTo(m *stun.Message) error {
	var priority [4]byte
	binary.BigEndian.PutUint32(priority[:], 110<<24|65535<<8|255)
	m.Add(stun.AttrPriority, priority[:])
	m.Add(stun.AttrICEControlled, t)
	return nil
}

// transactionID makes the n-th ID of a leg. It cannot be guessed without our password,
// and needs no source of random numbers inside the value.
func (l *Leg) transactionID(n uint32) (id [stun.TransactionIDSize]byte) {
	mac := hmac.New(sha1.New, []byte(l.current.local.Pwd))
	mac.Write(binary.BigEndian.AppendUint32(nil, n))
	copy(id[:], mac.Sum(nil))
	return id
}

// receiveProbeAnswer takes the answer to the newest probe. It was made with the peer's
// password for an ID that only we and the peer know, from the address that we asked.
func (l *Leg) receiveProbeAnswer(m *stun.Message, from Path, now time.Time, out *Out) DropReason {
	p := l.probe
	if p == nil || from != p.to || m.TransactionID != p.id {
		return DropSTUNType
	}
	if stun.NewShortTermIntegrity(l.current.remote.Pwd).Check(m) != nil {
		return DropSTUNIntegrity
	}
	p.to = Path{} // answered once
	l.trust(from, now, out)
	l.moveMedia(from, out)
	return DropNone
}

// address is one address of the peer that passed a check, with the time of its last authentic
// check or report.
type address struct {
	path  Path
	heard time.Time
}

func (l *Leg) find(p Path) int {
	return slices.IndexFunc(l.addresses, func(a address) bool { return a.path == p })
}

// knows tells whether the address passed a check.
func (l *Leg) knows(p Path) bool { return l.find(p) >= 0 }

// hear notes an authentic check or report from an address; it is false for one that passed no
// check. Reports count because a peer that sends them need not check: pion does so only when
// nothing else has passed.
func (l *Leg) hear(p Path, now time.Time) bool {
	i := l.find(p)
	if i >= 0 {
		l.addresses[i].heard = now
	}
	return i >= 0
}

// trust notes an authentic check. When the table is full, the address that was checked
// longest ago makes room, but never the one that gets the media.
func (l *Leg) trust(p Path, now time.Time, out *Out) {
	if l.hear(p, now) {
		return
	}
	if len(l.addresses) == MaxAddresses {
		l.forget(l.stalest(), out)
	}
	l.addresses = append(l.addresses, address{path: p, heard: now})
	out.event(Event{Kind: EventAddress, Path: p})
	if !l.media.Remote.IsValid() {
		l.media = p
	}
}

// stalest is the index of the address with the oldest check among those without media.
func (l *Leg) stalest() int {
	best := -1
	for i, a := range l.addresses {
		if a.path != l.media && (best < 0 || a.heard.Before(l.addresses[best].heard)) {
			best = i
		}
	}
	return best
}

// forget removes the i-th address. If it had the media, this goes to the address that
// was checked last.
func (l *Leg) forget(i int, out *Out) {
	gone := l.addresses[i].path
	l.addresses = slices.Delete(l.addresses, i, i+1)
	out.event(Event{Kind: EventAddressGone, Path: gone})
	if l.probe != nil && l.probe.to == gone {
		l.probe.to = Path{}
	}
	if gone == l.media && len(l.addresses) > 0 {
		newest := slices.MaxFunc(l.addresses, func(a, b address) int { return a.heard.Compare(b.heard) })
		l.moveMedia(newest.path, out)
	}
}

// moveMedia sends media to p from now on.
func (l *Leg) moveMedia(p Path, out *Out) {
	if l.media == p {
		return
	}
	l.media = p
	if l.state == stateConnected {
		out.event(Event{Kind: EventPath, Path: p})
	}
}

// unmapped gives a path's addresses the one form in which they can be compared.
func unmapped(p Path) Path {
	return Path{
		Remote: netip.AddrPortFrom(p.Remote.Addr().Unmap(), p.Remote.Port()),
		Local:  p.Local.Unmap(),
	}
}
