package peer

import (
	"encoding/base64"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/fanfare-relay/fanfare/mesh/pake"
	"github.com/fanfare-relay/fanfare/mesh/seal"
	"github.com/fanfare-relay/fanfare/signalling/msg"
)

// secretName is looked for in all that a server sees.
const secretName = "minutes-of-the-closed-session.txt"

// middle is a room whose server is evil.
type middle struct {
	*rig
	evil   *evilServer
	sender *someone
	from   string
	own    Identity // of the server's own peers
}

func newMiddle(t *testing.T, change func(*Config)) *middle {
	t.Helper()
	r := newRig(t)
	m := &middle{rig: r, evil: newEvilServer(r), own: r.identity()}
	m.from = random(t, filepath.Join(t.TempDir(), secretName), 300_000)
	m.evil.delivers, m.evil.tells = m.evil.everything(m.own.dh.Public()), addsMembers
	r.url = m.evil.url // peers know no other
	m.sender = r.share(change, m.from)
	await[Opened](m.sender)
	return m
}

// wayIn is how receivers come in.
type wayIn struct {
	name          string
	approve, code bool
}

var waysIn = []wayIn{{name: "by the link"}, {name: "by approval", approve: true}, {name: "by the code", code: true}}

func (w wayIn) middle(t *testing.T) *middle {
	t.Helper()
	return newMiddle(t, func(c *Config) { c.Share.Rule.Approve, c.Share.Code = w.approve, w.code })
}

// link is what a receiver has then. The server lets the short code through; what it cannot do to that is a test of its own.
func (w wayIn) link(m *middle) seal.Link {
	m.t.Helper()
	if !w.code {
		return m.sender.link
	}
	return m.redeem(m.code())
}

// code is the one that the person is told.
func (m *middle) code() pake.Code {
	m.t.Helper()
	code, err := pake.ParseCode(await[Code](m.sender).Text)
	if err != nil {
		m.t.Fatal(err)
	}
	return code
}

// letIn is what the uploader's person does for a receiver.
func (w wayIn) letIn(m *middle) {
	m.t.Helper()
	if w.approve {
		m.sender.Decide(await[Asked](m.sender).Key, true)
	}
}

// redeem gets the link for a code while the server does no harm.
func (m *middle) redeem(code pake.Code) seal.Link {
	m.t.Helper()
	var delivers func(msg.Deliver) []msg.Deliver
	m.evil.become(func(e *evilServer) { delivers, e.delivers = e.delivers, honestly })
	link, err := Redeem(m.t.Context(), m.url, code, m.log)
	if err != nil || link != m.sender.link {
		m.t.Fatalf("the code gives %v: %v", link, err)
	}
	m.evil.become(func(e *evilServer) { e.delivers = delivers })
	return link
}

// intrude has the server send in a peer of its own. It has what receivers have shown, and takes it for
// the secret; for want of a card that it can open it is told who the uploader is.
func (m *middle) intrude(name string) *someone {
	m.t.Helper()
	for m.evil.join() == "" {
		pauseFor(m.t, time.Millisecond)
	}
	join, err := base64.RawURLEncoding.DecodeString(m.evil.join())
	if err != nil {
		m.t.Fatal(err)
	}
	link := m.sender.link
	link.Secret = seal.Secret(join[:16])
	cfg := Config{Link: link, Identity: m.own, Fetch: &Fetch{Name: name}}
	s := m.prepare(name, cfg, nil)
	s.swarm.keys.Join = [32]byte(join) // the server lets in whom it likes
	s.swarm.uploader, s.swarm.uploaderAt = m.sender.swarm.cfg.Identity.dh.Public(), endpointOf(m.sender)
	s.run()
	return s
}

// endpointOf is how the server calls a peer.
func endpointOf(s *someone) (name string) {
	s.swarm.call(func() { name = s.swarm.endpoint })
	return name
}

// guests are the keys that were let in.
func (m *middle) guests() (keys []seal.PublicKey) {
	m.sender.swarm.call(func() {
		for key, g := range m.sender.swarm.door.guests {
			if g.serial != 0 && g.refused == "" {
				keys = append(keys, key)
			}
		}
	})
	return keys
}

// check: the server has learnt nothing and nobody is in but those who should be, and nobody honest was
// taken for bad.
func (m *middle) check(in ...*someone) {
	m.t.Helper()
	content, err := os.ReadFile(m.from)
	if err != nil {
		m.t.Fatal(err)
	}
	for _, b := range [][]byte{[]byte(secretName), content[:24], content[150_000:150_024], m.sender.link.Secret[:]} {
		if m.evil.knows(b) {
			m.t.Errorf("the server has seen %q", b)
		}
	}
	var want []seal.PublicKey
	for _, one := range in {
		want = append(want, one.swarm.cfg.Identity.dh.Public())
	}
	got := m.guests()
	if len(got) != len(want) || slices.ContainsFunc(want, func(k seal.PublicKey) bool { return !slices.Contains(got, k) }) {
		m.t.Errorf("%d peers were let in, want %d", len(got), len(want))
	}
	for _, one := range append(in, m.sender) {
		one.swarm.call(func() {
			if len(one.swarm.banned) > 0 {
				m.t.Errorf("%s takes somebody for bad", one.name)
			}
			if _, in := one.swarm.links[m.own.dh.Public()]; in {
				m.t.Errorf("%s is connected to the server's own peer", one.name)
			}
		})
	}
}

// outside: the server's own peer has got nothing.
func (m *middle) outside(s *someone) {
	m.t.Helper()
	if st := s.Status(); len(st.Peers) > 0 || st.Total > 0 {
		m.t.Errorf("the server's own peer has got %+v", st)
	}
	s.swarm.call(func() {
		if s.swarm.token != nil || s.swarm.shared != nil {
			m.t.Error("the server's own peer was let in")
		}
	})
}

// TestServerInTheMiddle: a server that repeats, swaps, alters and adds envelopes, tells of members that are none, and
// has a peer of its own in the room, neither learns nor hinders anything, however receivers come in.
func TestServerInTheMiddle(t *testing.T) {
	t.Parallel()
	for _, way := range waysIn {
		t.Run(way.name, func(t *testing.T) {
			t.Parallel()
			m := way.middle(t)
			link := way.link(m)
			ann := m.fetch("ann", link, seeds)
			intruder := m.intrude("ann")
			way.letIn(m)
			bob := m.fetch("bob", link, seeds)
			way.letIn(m)
			for _, one := range []*someone{ann, bob} {
				m.finishes(one)
			}
			m.check(ann, bob)
			m.outside(intruder)
		})
	}
}

func seeds(c *Config) { c.Fetch.Seed = true }

// finishes waits until somebody has everything, and compares it.
func (m *middle) finishes(one *someone) {
	m.t.Helper()
	await[Finished](one)
	if sums(m.t, one.out)["/"+secretName] != sums(m.t, filepath.Dir(m.from))["/"+secretName] {
		m.t.Errorf("%s has another file", one.name)
	}
}

// TestRepeatedEnvelopes: what a server delivers once more costs no connection.
func TestRepeatedEnvelopes(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	evil := newEvilServer(r)
	r.url = evil.url
	var delivered []msg.Deliver
	evil.delivers = func(d msg.Deliver) []msg.Deliver {
		delivered = append(delivered, d) // under the server's lock
		return []msg.Deliver{d}
	}
	sender := r.share(nil, small(t))
	await[Opened](sender)
	ann := r.seed("ann", sender)
	attempts := func(s *someone) (n int) {
		s.swarm.call(func() { n = len(s.swarm.attempts) })
		return n
	}
	for attempts(sender)+attempts(ann) > 0 {
		pauseFor(t, 5*time.Millisecond)
	}
	var all []msg.Deliver
	evil.become(func(*evilServer) { all = slices.Clone(delivered) })
	for _, one := range []*someone{sender, ann} {
		one.swarm.call(func() {
			for _, d := range all {
				one.swarm.heard(d)
			}
			if n := len(one.swarm.attempts); n > 0 {
				t.Errorf("%s makes %d connections", one.name, n)
			}
		})
	}
}

// TestServerInTheMiddleOfApproval: the person is asked about each once, however often the server
// repeats it and in whose name; who was refused stays outside.
func TestServerInTheMiddleOfApproval(t *testing.T) {
	t.Parallel()
	m := newMiddle(t, func(c *Config) { c.Share.Rule.Approve = true })
	ann := m.fetch("ann", m.sender.link, seeds)
	intruder := m.intrude("ann")
	m.sender.Decide(await[Asked](m.sender).Key, true)
	await[Finished](ann)
	eve := m.fetch("eve", m.sender.link, nil)
	asked := await[Asked](m.sender)
	if asked.Key != eve.swarm.cfg.Identity.dh.Public() {
		t.Errorf("the person is asked about %q again", asked.Name)
	}
	m.sender.Decide(asked.Key, false)
	if err := eve.wait(); !errors.Is(err, ErrDenied) {
		t.Errorf("eve ends with %v", err)
	}
	m.check(ann)
	m.outside(intruder)
	for len(m.sender.events) > 0 {
		if again, ok := (<-m.sender.events).(Asked); ok {
			t.Errorf("the person is asked about %q again", again.Name)
		}
	}
}
