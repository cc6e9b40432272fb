package crowd

import (
	"encoding/binary"
	"math/rand/v2"
	"net/netip"
	"time"

	"github.com/pion/stun/v3"
)

// Times of ICE.
const (
	checkFirst = 50 * time.Millisecond // until the first repeat of a check; twice as long with each further one
	checkMax   = 800 * time.Millisecond
	// consentEvery is the mean time between checks of a connection that stands; each is 0.8 to 1.2 of it
	// (RFC 7675 section 5.1), and without an answer for consentLost it is gone.
	consentEvery = 5 * time.Second
	consentLost  = 30 * time.Second
)

// datagram is something to send. The zero address means the selected one.
type datagram struct {
	to netip.AddrPort
	b  []byte
}

// agent is the controlling side of ICE (RFC 8445) with one local candidate: it checks all addresses of the server, nominates
// the first that answers, keeps asking for consent, and answers the checks of servers that are full agents. A server
// that is lite looks the same to it.
type agent struct {
	local, remote credentials
	tie           uint64
	chance        *rand.Rand
	pairs         []pair
	selected      int       // index of the pair that is used, -1 while there is none
	nominated     bool      // the server has answered the nomination
	heard         time.Time // the newest authentic answer
	roundTrip     time.Duration
}

// pair is one address of the server.
type pair struct {
	to   netip.AddrPort
	id   [stun.TransactionIDSize]byte // of the newest check
	sent time.Time
	next time.Time
	wait time.Duration
}

func newAgent(local, remote credentials, candidates []netip.AddrPort, seed [32]byte) *agent {
	a := &agent{local: local, remote: remote, chance: rand.New(rand.NewChaCha8(seed)), selected: -1}
	a.tie = a.chance.Uint64()
	for _, c := range candidates {
		a.pairs = append(a.pairs, pair{to: c})
	}
	return a
}

// tick sends what is due at now and returns when to call again.
func (a *agent) tick(now time.Time, out *[]datagram) time.Time {
	next := now.Add(time.Hour)
	for i := range a.pairs {
		if a.selected >= 0 && i != a.selected {
			continue
		}
		p := &a.pairs[i]
		if !now.Before(p.next) {
			a.check(p, now, out)
		}
		if p.next.Before(next) {
			next = p.next
		}
	}
	return next
}

// check sends a check and sets when the next is due.
func (a *agent) check(p *pair, now time.Time, out *[]datagram) {
	for i := 0; i < len(p.id); i += 4 {
		binary.BigEndian.PutUint32(p.id[i:], a.chance.Uint32())
	}
	p.sent = now
	if a.nominated {
		p.wait = consentEvery*4/5 + time.Duration(a.chance.Int64N(int64(consentEvery*2/5)))
	} else {
		p.wait = min(max(2*p.wait, checkFirst), checkMax)
	}
	p.next = now.Add(p.wait)
	var priority, tie [8]byte
	binary.BigEndian.PutUint32(priority[:], 110<<24|65535<<8|255) // peer reflexive
	binary.BigEndian.PutUint64(tie[:], a.tie)
	set := []stun.Setter{
		stun.NewTransactionIDSetter(p.id), stun.BindingRequest, stun.NewUsername(a.remote.ufrag + ":" + a.local.ufrag),
		stun.RawAttribute{Type: stun.AttrICEControlling, Value: tie[:]},
		stun.RawAttribute{Type: stun.AttrPriority, Value: priority[:4]},
	}
	if a.selected >= 0 {
		set = append(set, stun.RawAttribute{Type: stun.AttrUseCandidate})
	}
	set = append(set, stun.NewShortTermIntegrity(a.remote.pwd), stun.Fingerprint)
	if m, err := stun.Build(set...); err == nil {
		*out = append(*out, datagram{p.to, m.Raw})
	}
}

// receive takes a STUN message that came at now. from is where it came from.
func (a *agent) receive(b []byte, from netip.AddrPort, now time.Time, out *[]datagram) {
	m := &stun.Message{Raw: b}
	if m.Decode() != nil {
		return
	}
	switch m.Type {
	case stun.BindingRequest:
		a.answer(m, from, out)
	case stun.BindingSuccess:
		a.answered(m, now, out)
	}
}

// answer answers a check of a full agent.
func (a *agent) answer(m *stun.Message, from netip.AddrPort, out *[]datagram) {
	name, err := m.Get(stun.AttrUsername)
	if err != nil || string(name) != a.local.ufrag+":"+a.remote.ufrag {
		return
	}
	key := stun.NewShortTermIntegrity(a.local.pwd)
	if key.Check(m) != nil {
		return
	}
	mapped := &stun.XORMappedAddress{IP: from.Addr().AsSlice(), Port: int(from.Port())}
	reply, err := stun.Build(stun.NewTransactionIDSetter(m.TransactionID), stun.BindingSuccess, mapped, key, stun.Fingerprint)
	if err == nil {
		*out = append(*out, datagram{from, reply.Raw})
	}
}

// answered takes an answer to one of the checks. The first selects its address and nominates it at once.
func (a *agent) answered(m *stun.Message, now time.Time, out *[]datagram) {
	for i := range a.pairs {
		p := &a.pairs[i]
		if p.id != m.TransactionID || p.sent.IsZero() || stun.NewShortTermIntegrity(a.remote.pwd).Check(m) != nil {
			continue
		}
		a.heard, a.roundTrip = now, now.Sub(p.sent)
		switch {
		case a.selected < 0:
			a.selected = i
			p.wait = 0
			a.check(p, now, out)
		case i == a.selected && !a.nominated:
			a.nominated = true
			p.next = now.Add(consentEvery)
		}
		return
	}
}

// lost tells whether consent has run out. It never does before there was any.
func (a *agent) lost(now time.Time) bool {
	return !a.heard.IsZero() && now.Sub(a.heard) > consentLost
}

// to returns the address that is used, or the zero value.
func (a *agent) to() netip.AddrPort {
	if a.selected < 0 {
		return netip.AddrPort{}
	}
	return a.pairs[a.selected].to
}
