package peer

import (
	"context"
	"errors"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/fanfare-relay/fanfare/mesh/pake"
	"github.com/fanfare-relay/fanfare/mesh/seal"
	"github.com/fanfare-relay/fanfare/mesh/store"
	"github.com/fanfare-relay/fanfare/mesh/wire"
	"github.com/fanfare-relay/fanfare/signalling/msg"
)

func small(t *testing.T) string { return random(t, filepath.Join(t.TempDir(), "file"), 100_000) }

func TestPassword(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	sender := r.share(func(c *Config) { c.Share.Rule.Password = "sesame" }, small(t))
	await[Opened](sender)
	for password, want := range map[string]error{"": ErrPassword, "wrong": ErrPassword, "sesame": nil} {
		one := r.fetch("with "+password, sender.link, func(c *Config) { c.Fetch.Password = password })
		if err := one.wait(); !errors.Is(err, want) {
			t.Errorf("password %q: %v", password, err)
		}
	}
}

func TestApproval(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	sender := r.share(func(c *Config) { c.Share.Rule.Approve = true }, small(t))
	await[Opened](sender)
	for name, want := range map[string]error{"friend": nil, "stranger": ErrDenied} {
		one := r.fetch(name, sender.link, nil)
		await[Waits](one)
		asked := await[Asked](sender)
		if asked.Name != name {
			t.Errorf("%q asks as %q", name, asked.Name)
		}
		if here, there := sender.CheckWords(asked.Key), one.CheckWords(seal.PublicKey{}); here != there || len(strings.Fields(here)) != 4 {
			t.Errorf("check words of %s: %q and %q", name, here, there)
		}
		sender.Decide(asked.Key, want == nil)
		if err := one.wait(); !errors.Is(err, want) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestMost: whoever only looks at what there is takes no place, and is put back when the last one is taken.
func TestMost(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	sender := r.share(func(c *Config) { c.Share.Rule.Max = 1 }, small(t))
	await[Opened](sender)
	sees := make(chan struct{})
	looker := r.fetch("looker", sender.link, func(c *Config) {
		c.Fetch.Accept = func(ctx context.Context, _ Offered) (*store.Sink, error) {
			close(sees)
			<-ctx.Done()
			return nil, ctx.Err()
		}
	})
	<-sees
	if err := r.fetch("first", sender.link, nil).wait(); err != nil {
		t.Error(err)
	}
	if err := looker.wait(); !errors.Is(err, ErrFull) {
		t.Errorf("who only looks: %v", err)
	}
	if err := r.fetch("second", sender.link, nil).wait(); !errors.Is(err, ErrFull) {
		t.Errorf("the second: %v", err)
	}
}

// TestTokenOfEarlierRun: by a token that an earlier run gave nobody passes the limit, nor looks on behind it.
func TestTokenOfEarlierRun(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	sender := r.share(func(c *Config) { c.Share.Rule.Max = 1 }, small(t))
	await[Opened](sender)
	sender.puppet(1).say(wire.Stat{})
	for full := false; !full; pauseFor(t, time.Millisecond) {
		sender.swarm.call(func() { full = sender.swarm.door.full() })
	}
	late := sender.puppet(2)
	sender.swarm.call(func() {
		if !late.link.dead || !slices.Equal(sender.swarm.revoked.Serials, []uint32{2}) {
			t.Errorf("it is put back: %v; revoked are %d", late.link.dead, sender.swarm.revoked.Serials)
		}
	})
	if said := late.last(); len(said) != 1 || said[0] != wire.Frame(wire.Bye{Reason: wire.TooManyPeers}) {
		t.Errorf("it hears more than that: %+v", said)
	}
}

// TestRemoved: who was let in and is removed is dropped by the uploader and by the others.
func TestRemoved(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	sender := r.share(nil, small(t))
	await[Opened](sender)
	bob := r.seed("bob", sender)
	ann := r.seed("ann", sender)
	for len(ann.Status().Peers) < 2 {
		pauseFor(t, 10*time.Millisecond)
	}
	var removed Removed
	var err error
	for _, p := range sender.Status().Peers {
		if p.Name == "bob" {
			if removed, err = sender.Remove(p.Key); err != nil {
				t.Error(err)
			}
		}
	}
	var refused *RoomError
	if err := bob.wait(); !errors.Is(err, ErrRemoved) && !(errors.As(err, &refused) && refused.Code == msg.CodeRemoved) {
		t.Errorf("bob ends with %v", err)
	}
	for peers := ann.Status().Peers; len(peers) != 1 || !peers[0].Uploader; peers = ann.Status().Peers {
		pauseFor(t, 10*time.Millisecond)
	}
	if _, err := sender.Remove(seal.PublicKey{1}); err == nil {
		t.Error("somebody who never came can be removed")
	}
	// The uploader comes back as another process does, and knows only what it was told.
	sender.stop()
	<-sender.ended
	cfg := sender.swarm.cfg
	share := *cfg.Share
	share.Removed = []Removed{removed}
	cfg.Share = &share
	again := r.prepare("sender again", cfg, nil)
	again.run()
	await[Opened](again)
	again.swarm.call(func() {
		if !again.swarm.revoked.Has(removed.Serial) {
			t.Error("bob's token is good again")
		}
		if v := again.swarm.door.ask(removed.Key, "bob", "", drawSerial, time.Now()); v.refused != seal.ReasonRemoved {
			t.Errorf("bob, who comes back to a new process, hears %+v", v)
		}
	})
	for ok := false; !ok; pauseFor(t, 10*time.Millisecond) { // others have its list
		ann.swarm.call(func() { ok = ann.swarm.revoked.Has(removed.Serial) })
	}
}

func TestShortCode(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	sender := r.share(func(c *Config) { c.Share.Code = true }, small(t))
	text := await[Code](sender).Text
	code, err := pake.ParseCode(text)
	if err != nil {
		t.Fatal(err)
	}
	guess, err := pake.NewCode(code.Number(), zeros{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Redeem(t.Context(), r.url, guess, r.log); !errors.Is(err, pake.ErrWrongCode) {
		t.Errorf("a guess: %v", err)
	}
	link, err := Redeem(t.Context(), r.url, code, r.log)
	if err != nil {
		t.Fatal(err)
	}
	if link != sender.link {
		t.Error("the code gave another link")
	}
	if err := r.fetch("receiver", link, nil).wait(); err != nil {
		t.Error(err)
	}
}

// zeros is a random source that makes the first words of the list.
type zeros struct{}

func (zeros) Read(b []byte) (int, error) { clear(b); return len(b), nil }

// TestWrongLink: a link with another secret is not let in by the server, one with another key hears that it is not the uploader's.
func TestWrongLink(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	sender := r.share(nil, small(t))
	await[Opened](sender)
	secret := sender.link
	secret.Secret[0] ^= 1
	var refused *RoomError
	if err := r.fetch("secret", secret, nil).wait(); !errors.As(err, &refused) || refused.Code != msg.CodePassword {
		t.Errorf("another secret: %v", err)
	}
	key := sender.link
	key.Key[0] ^= 1
	if err := r.fetch("key", key, nil).wait(); !errors.Is(err, ErrStranger) {
		t.Errorf("another key: %v", err)
	}
}
