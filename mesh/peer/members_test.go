package peer

import (
	"crypto/rand"
	"encoding/base64"
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"github.com/fanfare-relay/fanfare/mesh/seal"
	"github.com/fanfare-relay/fanfare/signalling/msg"
)

// quiet is a receiver that is not run: the test says what it hears, and reads what it would send.
type quiet struct {
	*someone
	signing seal.SigningKey
	sent    int // messages that were read
}

func newQuiet(t *testing.T) *quiet {
	t.Helper()
	r := &rig{t: t, url: "http://files.example.org"}
	signing, err := seal.NewSigningKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	link := seal.Link{Server: r.url, Room: "room", Key: signing.Public().Hash()}
	id := r.identity()
	p, err := New(Config{Link: link, Identity: id, Fetch: &Fetch{Name: "ann"}})
	if err != nil {
		t.Fatal(err)
	}
	return &quiet{someone: &someone{Peer: p, t: t, name: "ann", link: link}, signing: signing}
}

// card has a member deliver a card of the uploader, be it the uploader or not.
func (q *quiet) card(from string, uploader Identity) {
	q.t.Helper()
	card, err := seal.NewCard(q.signing, q.link.Room, uploader.dh.Public())
	if err != nil {
		q.t.Fatal(err)
	}
	q.group(from, card)
}

func (q *quiet) group(from string, m seal.Message) {
	q.t.Helper()
	sealed, err := q.swarm.keys.Seal(rand.Reader, from, q.swarm.endpoint, m)
	if err != nil {
		q.t.Fatal(err)
	}
	q.swarm.deliver(from, sealed)
}

// asks gives the endpoint that was asked last, since the last look, and whether the uploader of this identity can
// open that; "" for none.
func (q *quiet) asks(uploader Identity) (to string, opens bool) {
	q.t.Helper()
	queue := q.swarm.room.queue
	for _, m := range queue[q.sent:] {
		sent, ok := m.(msg.Send)
		if !ok {
			continue
		}
		sealed, err := base64.RawURLEncoding.DecodeString(sent.Sealed)
		if err != nil || sealed[0] != seal.KindPair {
			continue
		}
		pair, err := uploader.dh.Pair(q.swarm.cfg.Identity.dh.Public(), q.link.Secret, q.link.Room)
		if err != nil {
			q.t.Fatal(err)
		}
		_, err = pair.Open(q.swarm.endpoint, sent.To, sealed)
		to, opens = sent.To, err == nil
	}
	q.sent = len(queue)
	return to, opens
}

// TestCardsOfOthers: a card counts from the member alone that the server calls the uploader. Who has the link can
// seal the uploader's card again, or an older one, and leads nobody astray.
func TestCardsOfOthers(t *testing.T) {
	q := newQuiet(t)
	now, before, back := (&rig{t: t}).identity(), (&rig{t: t}).identity(), (&rig{t: t}).identity()
	want := func(what, endpoint string, uploader Identity) {
		t.Helper()
		if to, opens := q.asks(uploader); to != endpoint || endpoint != "" && !opens {
			t.Errorf("%s: asks %q, opened: %v; want %q", what, to, opens, endpoint)
		}
	}
	q.swarm.heard(msg.Welcome{Endpoint: "ann", Files: &msg.Files{}})
	q.card("mal", now)
	want("a card of somebody, and nobody is the uploader", "", now)
	q.card("up", now)
	want("the uploader's card, before the server's word", "", now)
	q.swarm.heard(msg.Members{All: true, Joined: []msg.Member{
		{Endpoint: "mal", Role: msg.RoleSubscriber}, {Endpoint: "up", Role: msg.RolePublisher},
	}})
	want("the server's word", "up", now)
	q.card("mal", now)
	q.card("mal", before)
	want("what another has sealed again", "", now)
	q.swarm.askAt = time.Time{}
	q.swarm.askAgain(time.Now())
	want("the next time", "up", now)
	q.group("mal", seal.Card{Key: q.signing.Public(), DH: before.dh.Public()})
	if q.swarm.done {
		t.Errorf("a bad card of somebody ends the receiver: %v", q.swarm.err)
	}

	q.card("up2", back) // word of the new uploader comes with that of the old one's leaving
	q.swarm.heard(msg.Members{Joined: []msg.Member{{Endpoint: "up2", Role: msg.RolePublisher}}, Left: []string{"up"}})
	want("an uploader that is back under another name", "up2", back)
	q.group("up2", seal.Card{Key: q.signing.Public(), DH: before.dh.Public()})
	if !q.swarm.done || q.swarm.err != ErrStranger {
		t.Errorf("a bad card of the uploader: %v", q.swarm.err)
	}
}

// TestClaimedKeys: who calls another's key its own keeps nobody from that other.
func TestClaimedKeys(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	sender := r.share(nil, small(t))
	await[Opened](sender)
	ann, bob := r.seed("ann", sender), r.identity()
	pair, err := bob.dh.Pair(ann.swarm.cfg.Identity.dh.Public(), ann.link.Secret, ann.link.Room)
	if err != nil {
		t.Fatal(err)
	}
	ann.swarm.call(func() {
		s := ann.swarm
		own, before := s.endpoint, len(s.attempts)
		claim := func(from string) {
			sealed, err := s.keys.Seal(rand.Reader, from, own, seal.Key{DH: bob.dh.Public()})
			if err != nil {
				t.Fatal(err)
			}
			s.deliver(from, sealed)
			s.connect(time.Now().Add(secondPause))
		}
		subscriber := func(name string) msg.Member { return msg.Member{Endpoint: name, Role: msg.RoleSubscriber} }
		s.heard(msg.Members{Joined: []msg.Member{subscriber("mal"), subscriber("bob")}, Neighbours: []string{"mal", "bob"}})
		claim("mal")
		claim("bob")
		if s.attemptTo("mal", 0) == nil || s.attemptTo("bob", 0) == nil {
			t.Error("while nobody has proved whose the key is, both are tried")
		}
		claim("mal") // and no more of it for the same again
		if made := len(s.attempts) - before; made != 2 {
			t.Errorf("%d attempts", made)
		}
		sealed, err := pair.Seal(rand.Reader, "bob", own, seal.Candidate{})
		if err != nil {
			t.Fatal(err)
		}
		s.deliver("bob", sealed)
		if s.attemptTo("mal", 0) != nil || s.attemptTo("bob", 0) == nil {
			t.Error("once bob has shown that the key is his, he alone is tried")
		}
		claim("mal")
		if m := s.memberOf(bob.dh.Public()); m == nil || m.endpoint != "bob" || s.attemptTo("mal", 0) != nil {
			t.Errorf("the key is taken for that of %+v", m)
		}
	})
}

// TestManyKeysOfOne: a member that calls one key after another its own has one attempt for all of them.
func TestManyKeysOfOne(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	sender := r.share(nil, small(t))
	await[Opened](sender)
	ann := r.seed("ann", sender)
	var keys []seal.PublicKey
	for range 10 {
		keys = append(keys, r.identity().dh.Public())
	}
	ann.swarm.call(func() {
		s := ann.swarm
		s.heard(msg.Members{Joined: []msg.Member{{Endpoint: "mal", Role: msg.RoleSubscriber}}, Neighbours: []string{"mal"}})
		before := len(s.attempts)
		for _, key := range keys {
			s.keyClaimed("mal", key)
			s.connect(time.Now().Add(secondPause))
		}
		if made := len(s.attempts) - before; made != 1 {
			t.Errorf("%d attempts", made)
		}
		for i := range 2 * maxMembers {
			s.keyClaimed(string(rune('a'+i%26))+string(rune('a'+i/26)), keys[0])
		}
		if len(s.members) > maxMembers {
			t.Errorf("%d members", len(s.members))
		}
	})
}

// TestGhosts: those who come, call a key their own and leave before the server names them fill no list. Who comes then
// is known by its envelope as by the server's word, and they are forgotten with the next of these.
func TestGhosts(t *testing.T) {
	q := newQuiet(t)
	s, bob := q.swarm, (&rig{t: t}).identity().dh.Public()
	joined := func(names ...string) (all []msg.Member) {
		for _, name := range names {
			all = append(all, msg.Member{Endpoint: name, Role: msg.RoleSubscriber})
		}
		return all
	}
	s.heard(msg.Welcome{Endpoint: "ann", Files: &msg.Files{}})
	s.heard(msg.Members{All: true, Joined: joined("eve")})
	for i := range 2 * maxMembers {
		q.group(fmt.Sprint("ghost-", i), seal.Key{DH: s.cfg.Identity.dh.Public()})
	}
	q.group("bob", seal.Key{DH: bob})
	if m := s.members["bob"]; m == nil || !m.has(bob) || s.members["eve"] == nil || len(s.members) > maxMembers {
		t.Errorf("of %d members bob is %+v, eve %+v", len(s.members), m, s.members["eve"])
	}
	s.heard(msg.Members{Joined: joined("bob")})
	if m := s.members["bob"]; m == nil || !m.has(bob) || len(s.members) != 2 {
		t.Errorf("of %d members bob is %+v after word of him", len(s.members), m)
	}
	for i := range maxMembers {
		s.heard(msg.Members{Joined: joined(fmt.Sprint("named-", i))})
	}
	q.group("late", seal.Key{DH: bob})
	if len(s.members) != maxMembers || s.members["late"] != nil || s.members["bob"] == nil {
		t.Errorf("%d members, who were named, and beside them %+v", len(s.members), s.members["late"])
	}
}

// TestGhostsMakeRoom: of those who were heard of by an envelope alone, whom the server names with others stays, however full the
// list is, and whom it does not name makes room.
func TestGhostsMakeRoom(t *testing.T) {
	q := newQuiet(t)
	s, bob := q.swarm, (&rig{t: t}).identity().dh.Public()
	named := func(names ...string) msg.Members {
		var m msg.Members
		for _, name := range names {
			m.Joined = append(m.Joined, msg.Member{Endpoint: name, Role: msg.RoleSubscriber})
		}
		return m
	}
	s.heard(msg.Welcome{Endpoint: "ann", Files: &msg.Files{}})
	for i := range maxMembers - 2 {
		s.heard(named(fmt.Sprint("named-", i)))
	}
	q.group("bob", seal.Key{DH: bob})
	q.group("ghost", seal.Key{DH: s.cfg.Identity.dh.Public()})
	s.heard(named("eve", "bob"))
	if m := s.members["bob"]; m == nil || !m.has(bob) || s.members["eve"] == nil || s.members["ghost"] != nil {
		t.Errorf("of %d members bob is %+v, eve %+v, the ghost %+v", len(s.members), m, s.members["eve"], s.members["ghost"])
	}
}

// TestHostileMember: a member that has the link, and seals an old card of the uploader, its card of now and another's
// key as its own for whoever comes, keeps nobody from the uploader nor from that other.
func TestHostileMember(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	from := small(t)
	sender := r.share(func(c *Config) { c.Share.Rule.Approve = true }, from)
	await[Opened](sender)
	stay := func(c *Config) { c.Fetch.Seed = true }
	bob := r.fetch("bob", sender.link, stay)
	sender.Decide(await[Asked](sender).Key, true)
	await[Finished](bob)
	mal := r.fetch("mal", sender.link, nil)
	await[Asked](sender)
	ann := r.fetch("ann", sender.link, stay)
	asked := await[Asked](sender)
	to, old := endpointOf(ann), r.identity()
	mal.swarm.call(func() {
		s := mal.swarm
		for _, dh := range []seal.PublicKey{old.dh.Public(), sender.swarm.cfg.Identity.dh.Public()} {
			card, err := seal.NewCard(sender.swarm.cfg.Share.Key, s.cfg.Link.Room, dh)
			if err != nil {
				t.Error(err)
			}
			for _, m := range []seal.Message{seal.Key{DH: bob.swarm.cfg.Identity.dh.Public()}, card} {
				sealed, err := s.keys.Seal(rand.Reader, s.endpoint, to, m)
				if err != nil {
					t.Error(err)
				}
				s.envelope(to, sealed)
			}
		}
	})
	for at, came := endpointOf(mal), false; !came; pauseFor(t, 5*time.Millisecond) {
		ann.swarm.call(func() {
			m := ann.swarm.members[at]
			came = m != nil && m.card != nil && m.card.DH != old.dh.Public()
		})
	}
	sender.Decide(asked.Key, true)
	await[Finished](ann)
	if want, got := sums(t, filepath.Dir(from))["/file"], sums(t, ann.out)["/file"]; got != want {
		t.Error("ann has another file")
	}
	for len(ann.Status().Peers) < 2 { // bob, too
		pauseFor(t, 10*time.Millisecond)
	}
}
