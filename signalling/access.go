package signalling

import (
	"errors"
	"net/http"
	"net/netip"
	"strings"
	"time"

	"github.com/fanfare-relay/fanfare/signalling/msg"
	"github.com/fanfare-relay/fanfare/signalling/room"
	"github.com/fanfare-relay/fanfare/signalling/store"
	"github.com/fanfare-relay/fanfare/signalling/token"
)

// capabilityLife bounds what a page may do with an old token. It is as long as a long evening:
// a page learns a new one whenever it connects, and a token dies with its key or password.
const capabilityLife = 12 * time.Hour

// gate judges keys, names and passwords. It answers with problems, and knows no rates.
type gate struct {
	store  *store.Store
	signer token.Signer
	extra  []Key // that are not in the store
	// comparing bounds how many passwords are hashed at a time: each takes some 50 ms of a core.
	comparing chan struct{}
}

func newGate(s *store.Store, extra []Key) *gate {
	return &gate{store: s, signer: token.NewSigner(s.Secret()), extra: extra, comparing: make(chan struct{}, 2)}
}

// grant is what a request was let in with.
type grant struct {
	endpoint string // of the page, when a capability was shown
	viewer   string
	proof    token.Hash
	bound    string // the stream key's stream, "" for publish keys
	only     string // the capability's stream, "" when a key was shown
}

// publisherKey judges what a publisher shows, before any stream is looked at: a publish key,
// a stream key, or a capability that was made from one.
func (g *gate) publisherKey(bearer string, now time.Time) (grant, *problem) {
	if bearer == "" {
		return grant{}, problemKey.with(problemKey.Detail)
	}
	if c, err := g.signer.Open(bearer, token.KindMedia, now); err == nil {
		if c.Role != token.RolePublisher || c.Room != string(msg.RoomStream) {
			return grant{}, problemKey.with("This token is for watching, not for publishing.")
		}
		bound, p := g.key(c.Proof)
		return grant{endpoint: c.Endpoint, proof: c.Proof, bound: bound, only: c.Stream}, p
	} else if errors.Is(err, token.ErrExpired) {
		return grant{}, problemKey.with("This token has expired; the page must connect anew.")
	}
	hash := token.HashKey(bearer)
	bound, p := g.key(hash)
	return grant{proof: hash, bound: bound}, p
}

// key finds a key by its hash and tells the stream that it is bound to.
func (g *gate) key(hash token.Hash) (stream string, p *problem) {
	for _, extra := range g.extra {
		if extra.Hash.Equal(hash) {
			return extra.Stream, nil
		}
	}
	k, found, err := g.store.Key(hash)
	if err != nil {
		return "", problemOf(err)
	}
	if !found {
		return "", problemKey.with(problemKey.Detail)
	}
	return k.Stream, nil
}

// publisherStream judges whether the key may publish the stream, and makes the stream when
// there is none. Made tells so, for the caller who fails later.
func (g *gate) publisherStream(gr grant, name string, now time.Time) (made bool, p *problem) {
	if !msg.ValidName(name) {
		return false, problemName.with(problemName.Detail)
	}
	if (gr.bound != "" && gr.bound != name) || (gr.only != "" && gr.only != name) {
		return false, problemForeign.with("This key belongs to another stream.")
	}
	rec, found, err := g.store.Stream(name)
	switch {
	case err != nil:
		return false, problemOf(err)
	case found && (rec.Owner.Equal(gr.proof) || gr.bound == name):
		return false, nil
	case found && gr.bound == "" && gr.only == "":
		return false, g.inherit(gr, name, rec)
	case found:
		return false, problemForeign.with(problemForeign.Detail)
	case gr.only != "":
		// A page's token outlives its stream when the link was changed: it makes no new one.
		return false, problemStream.with(problemStream.Detail)
	}
	err = g.store.CreateStream(name, store.Stream{Owner: gr.proof, Created: now})
	if errors.Is(err, store.ErrStreamExists) {
		return g.publisherStream(gr, name, now) // another request was a moment faster
	}
	if err != nil {
		return false, problemOf(err)
	}
	return true, nil
}

// inherit gives a stream whose owner's key is worthless, since it was revoked or the operator no
// longer gives it by flag, to another publish key: else its link would be lost for ever.
func (g *gate) inherit(gr grant, name string, rec store.Stream) *problem {
	if _, p := g.key(rec.Owner); p == nil || p.Name != problemKey.Name {
		return problemForeign.with(problemForeign.Detail)
	}
	err := g.store.UpdateStream(name, func(now *store.Stream) {
		if now.Owner.Equal(rec.Owner) {
			now.Owner = gr.proof
		}
	})
	if err != nil {
		return problemOf(err)
	}
	if !g.owns(gr, name) {
		return problemForeign.with(problemForeign.Detail) // another key was a moment faster
	}
	return nil
}

// owns tells whether the grant may speak for a stream that is there.
func (g *gate) owns(gr grant, name string) bool {
	if gr.only != "" && gr.only != name {
		return false
	}
	rec, found, err := g.store.Stream(name)
	return err == nil && found && (rec.Owner.Equal(gr.proof) || gr.bound == name)
}

// showing is what a viewer shows.
type showing struct {
	capability *token.Capability // see gate.open, nil when there is none
	password   string
	viewer     string // the page's viewer identifier, may be empty
}

// open reads a capability, or returns nil when it is none for this room and role, or no longer.
func (g *gate) open(text string, kind token.Kind, ref msg.RoomRef, role msg.Role, now time.Time) *token.Capability {
	c, err := g.signer.Open(text, kind, now)
	if err != nil || c.Room != string(ref.Kind) || c.Stream != ref.Name || c.Role != tokenRole(role) {
		return nil
	}
	return &c
}

// guesses counts the passwords of one client: may is asked before one is compared, and may
// refuse; wrong is told of one that was.
type guesses struct {
	may   func() *problem
	wrong func()
}

// viewer judges whether somebody may watch the stream with what they show: nothing for an open
// stream, else the password, or a capability made while the password was this one. client is
// the household of the address. The proof belongs into capabilities made from this.
func (g *gate) viewer(name string, show showing, client string, by guesses) (proof token.Hash, p *problem) {
	if !msg.ValidName(name) {
		return proof, problemName.with(problemName.Detail)
	}
	rec, found, err := g.store.Stream(name)
	if err != nil {
		return proof, problemOf(err)
	}
	if !found {
		return proof, problemStream.with(problemStream.Detail)
	}
	if p := g.notRemoved(name, show.viewer, client); p != nil {
		return proof, p
	}
	proof = passwordProof(rec)
	if len(rec.Password) == 0 || (show.capability != nil && show.capability.Proof.Equal(proof)) {
		return proof, nil
	}
	return proof, g.password(rec, show.password, by)
}

func (g *gate) notRemoved(stream, viewer, client string) *problem {
	removed, err := g.store.Removed(stream, room.Subject(viewer, client))
	if err != nil {
		return problemOf(err)
	}
	if removed {
		return problemRemoved.with(problemRemoved.Detail)
	}
	return nil
}

// password compares, a few at a time. The rate is asked once it is a guess's turn: many that come
// at once must not all find the budget untouched.
func (g *gate) password(rec store.Stream, password string, by guesses) *problem {
	if password == "" || len(password) > msg.MaxPassword {
		return problemPassword.with(problemPassword.Detail)
	}
	g.comparing <- struct{}{}
	defer func() { <-g.comparing }()
	if p := by.may(); p != nil {
		return p
	}
	if !rec.PasswordMatches(password) {
		by.wrong()
		return problemPassword.with("This is not the stream's password.")
	}
	return nil
}

// passwordProof changes with the password, so that old tokens die with the old one.
func passwordProof(rec store.Stream) token.Hash {
	if len(rec.Password) == 0 {
		return token.Hash{}
	}
	return token.HashKey(string(rec.Password))
}

// sign makes a capability text; its members are within limits by msg.Check.
func (g *gate) sign(kind token.Kind, c token.Capability, now time.Time) (string, error) {
	return g.signFor(capabilityLife, kind, c, now)
}

func (g *gate) signFor(life time.Duration, kind token.Kind, c token.Capability, now time.Time) (string, error) {
	c.Kind, c.Expires = kind, now.Add(life)
	return g.signer.Sign(c)
}

// bearer reads Authorization: Bearer (RFC 6750 section 2.1); "" when there is none.
func bearer(r *http.Request) string {
	scheme, text, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	if !strings.EqualFold(scheme, "Bearer") {
		return ""
	}
	return strings.TrimSpace(text)
}

func tokenRole(r msg.Role) token.Role {
	if r == msg.RolePublisher {
		return token.RolePublisher
	}
	return token.RoleSubscriber
}

// who is a request's client: the household for counting, the address for the log.
type who struct {
	address   netip.Addr
	household string
}

func (p proxies) who(r *http.Request) who {
	a := p.client(r)
	return who{address: a, household: household(a)}
}
