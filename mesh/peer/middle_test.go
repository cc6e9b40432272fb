package peer

import (
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
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
	m.evil.delivers = m.evil.everything(m.own.dh.Public())
	r.url = m.evil.url // peers know no other
	m.sender = r.share(change, m.from)
	await[Opened](m.sender)
	return m
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

// TestServerInTheMiddle: a server that repeats, swaps, alters and adds envelopes, and has a peer of its
// own in the room, neither learns nor hinders anything.
func TestServerInTheMiddle(t *testing.T) {
	t.Parallel()
	m := newMiddle(t, nil)
	ann := m.fetch("ann", m.sender.link, func(c *Config) { c.Fetch.Seed = true })
	intruder := m.intrude("ann")
	bob := m.fetch("bob", m.sender.link, func(c *Config) { c.Fetch.Seed = true })
	for _, one := range []*someone{ann, bob} {
		await[Finished](one)
		if got := sums(t, one.out)["/"+secretName]; got != sums(t, filepath.Dir(m.from))["/"+secretName] {
			t.Errorf("%s has another file", one.name)
		}
	}
	m.check(ann, bob)
	m.outside(intruder)
}

// TestServerDropsEnvelopes: a server that keeps back what peers seal for each other gets them to nothing.
func TestServerDropsEnvelopes(t *testing.T) {
	t.Parallel()
	m := newMiddle(t, nil)
	asked := make(chan struct{}, 100)
	m.evil.become(func(e *evilServer) {
		e.delivers = func(d msg.Deliver) []msg.Deliver {
			if b, _ := base64.RawURLEncoding.DecodeString(d.Sealed); b[0] == seal.KindPair {
				asked <- struct{}{}
				return nil
			}
			return []msg.Deliver{d}
		}
	})
	ann := m.fetch("ann", m.sender.link, nil)
	<-asked
	if st := ann.Status(); st.Stall != NoToken || len(st.Peers) > 0 {
		t.Errorf("%+v", st)
	}
	m.check()
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
	ann := m.fetch("ann", m.sender.link, func(c *Config) { c.Fetch.Seed = true })
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

// TestServerInTheMiddleOfACode: a server that stands in for the uploader, and one that repeats and
// alters what the two say, gives nobody another link, and learns none.
func TestServerInTheMiddleOfACode(t *testing.T) {
	t.Parallel()
	m := newMiddle(t, func(c *Config) { c.Share.Code = true })
	code, err := pake.ParseCode(await[Code](m.sender).Text)
	if err != nil {
		t.Fatal(err)
	}
	// It guesses the words, and plays the uploader.
	guess, err := pake.NewCode(code.Number(), zeros{})
	if err != nil {
		t.Fatal(err)
	}
	guard := pake.NewGuard(guess, time.Now())
	m.evil.become(func(e *evilServer) { e.sends = m.impersonate(guard) })
	if _, err := Redeem(t.Context(), m.url, code, m.log); !errors.Is(err, pake.ErrWrongCode) {
		t.Errorf("with the server in the uploader's place: %v", err)
	}
	m.evil.become(func(e *evilServer) { e.sends = nil })
	// Altered and repeated messages break the exchange or do nothing.
	if link, err := Redeem(t.Context(), m.url, code, m.log); err == nil && link != m.sender.link {
		t.Error("the code gave another link")
	}
	// It guesses as a receiver, until the code is dead.
	for n := 0; ; n++ {
		_, err := Redeem(t.Context(), m.evil.real, guess, m.log)
		if err == nil {
			t.Fatal("a guess opened the room")
		}
		if n > 5 {
			t.Fatalf("more than five guesses are taken: %v", err)
		}
		if refused := (*RoomError)(nil); errors.As(err, &refused) || errors.Is(err, pake.ErrSpent) {
			break
		}
	}
	m.check()
}

// TestServerThatGivesManyNumbers: whatever numbers a server says, the person is told one code, of which five guesses
// are taken in all.
func TestServerThatGivesManyNumbers(t *testing.T) {
	t.Parallel()
	m := newMiddle(t, func(c *Config) { c.Share.Code = true })
	code, err := pake.ParseCode(await[Code](m.sender).Text)
	if err != nil {
		t.Fatal(err)
	}
	replies := make(chan []byte, 16)
	m.evil.become(func(e *evilServer) {
		e.sends = func(_ string, s msg.Send, _ func(msg.ServerMessage)) bool {
			sealed, err := base64.RawURLEncoding.DecodeString(s.Sealed)
			if err != nil || sealed[0] != seal.KindPAKE {
				return false
			}
			replies <- sealed
			return true
		}
	})
	says := func(messages ...msg.ServerMessage) {
		m.sender.swarm.call(func() {
			for _, one := range messages {
				m.sender.swarm.heard(one)
			}
		})
	}
	between := pake.Between{Room: m.sender.link.Room, Uploader: endpointOf(m.sender)}
	for n := range 10 {
		between.Receiver = fmt.Sprint("guesser-", n)
		says(msg.ShortCode{Number: strconv.Itoa(n + 1)})
		guess, err := pake.NewCode(uint32(n+1), zeros{})
		if err != nil {
			t.Fatal(err)
		}
		step, first, err := pake.NewReceiver(rand.Reader, guess, between)
		if err != nil {
			t.Fatal(err)
		}
		says(msg.Deliver{From: between.Receiver, Sealed: base64.RawURLEncoding.EncodeToString(first)})
		want := pake.ErrWrongCode
		if n >= pake.MaxFailures {
			want = pake.ErrSpent
		}
		reply, _, err := step.Step(<-replies)
		if !errors.Is(err, want) {
			t.Errorf("guess %d: %v, want %v", n+1, err, want)
		}
		if reply != nil {
			says(msg.Deliver{From: between.Receiver, Sealed: base64.RawURLEncoding.EncodeToString(reply)})
		}
	}
	for len(m.sender.events) > 0 {
		if again, ok := (<-m.sender.events).(Code); ok {
			t.Errorf("the person is told %q, too", again.Text)
		}
	}
	// An answer to our own request can come after the word of an older number: the words stay, and what was tried.
	ended := func(number uint32) msg.CodeEnded {
		return msg.CodeEnded{Number: strconv.FormatUint(uint64(number), 10), Reason: msg.CodeEndAsked}
	}
	says(ended(code.Number()), msg.ShortCode{Number: "77"}, ended(77), msg.ShortCode{Number: "78"})
	_, words, _ := strings.Cut(code.String(), "-")
	if again := await[Code](m.sender).Text; again != "77-"+words {
		t.Errorf("under another number the code is %q, was %q", again, code)
	}
	m.sender.swarm.call(func() {
		if err := m.sender.swarm.guard.Alive(time.Now()); !errors.Is(err, pake.ErrSpent) {
			t.Errorf("another number makes the code good again: %v", err)
		}
		if number := m.sender.swarm.guard.Code().Number(); number != 77 {
			t.Errorf("a request has moved the code twice, to %d", number)
		}
	})
}

// impersonate answers a receiver's side of the exchange by a guess, and keeps it from the uploader.
func (m *middle) impersonate(guard *pake.Guard) func(string, msg.Send, func(msg.ServerMessage)) bool {
	var step *pake.Uploader
	return func(from string, s msg.Send, answer func(msg.ServerMessage)) bool {
		sealed, err := base64.RawURLEncoding.DecodeString(s.Sealed)
		if err != nil || sealed[0] != seal.KindPAKE {
			return false
		}
		if step == nil {
			between := pake.Between{Room: m.sender.link.Room, Receiver: from, Uploader: s.To}
			if step, err = guard.Begin(rand.Reader, between, pake.Handover{}, time.Now()); err != nil {
				m.t.Error(err)
				return true
			}
		}
		if reply, _, _ := step.Step(sealed); reply != nil {
			answer(msg.Deliver{From: s.To, Sealed: base64.RawURLEncoding.EncodeToString(reply)})
		}
		return true
	}
}
