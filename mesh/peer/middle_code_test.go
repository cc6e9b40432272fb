package peer

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/fanfare-relay/fanfare/mesh/pake"
	"github.com/fanfare-relay/fanfare/mesh/seal"
	"github.com/fanfare-relay/fanfare/signalling/msg"
)

// TestServerInTheMiddleOfACode: a server that stands in for the uploader, and one that repeats and
// alters what the two say, gives nobody another link, and learns none.
func TestServerInTheMiddleOfACode(t *testing.T) {
	t.Parallel()
	m := newMiddle(t, func(c *Config) { c.Share.Code = true })
	code := m.code()
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
	if link, err := Redeem(t.Context(), m.url, code, m.log); err == nil && link != m.sender.link || err != nil && !exchangeEnded(err) {
		t.Errorf("the code gives %v: %v", link, err)
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

// exchangeEnded tells whether the other side, or the room, has ended an exchange.
func exchangeEnded(err error) bool {
	for _, one := range []error{pake.ErrWrongCode, pake.ErrProtocol, pake.ErrBusy, pake.ErrSpent, errAway} {
		if errors.Is(err, one) {
			return true
		}
	}
	var refused *RoomError
	return errors.As(err, &refused)
}

// TestServerDropsAnExchange: a server that keeps back what the two say, from the first word on or from a later one, has nobody
// get a link, and learns none. The code stays good for the next.
func TestServerDropsAnExchange(t *testing.T) {
	t.Parallel()
	m := newMiddle(t, func(c *Config) { c.Share.Code = true })
	code := m.code()
	const said = 4 // docs/MESH.md, section 3
	for n := range said {
		ctx, giveUp := context.WithCancel(t.Context())
		passed := 0
		m.evil.become(func(e *evilServer) {
			e.delivers = func(d msg.Deliver) []msg.Deliver {
				if b, _ := base64.RawURLEncoding.DecodeString(d.Sealed); b[0] != seal.KindPAKE {
					return honestly(d)
				}
				if passed++; passed <= n {
					return honestly(d)
				}
				giveUp()
				return nil
			}
		})
		if link, err := Redeem(ctx, m.url, code, m.log); !errors.Is(err, context.Canceled) {
			t.Errorf("after %d messages the code gives %v: %v", n, link, err)
		}
		giveUp()
	}
	m.redeem(code)
	m.check()
}

// TestServerThatGivesManyNumbers: whatever numbers a server says, the person is told one code, of which five guesses
// are taken in all.
func TestServerThatGivesManyNumbers(t *testing.T) {
	t.Parallel()
	m := newMiddle(t, func(c *Config) { c.Share.Code = true })
	code := m.code()
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
