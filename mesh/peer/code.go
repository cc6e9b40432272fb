package peer

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"log/slog"
	"strconv"
	"time"

	"github.com/fanfare-relay/fanfare/mesh/pake"
	"github.com/fanfare-relay/fanfare/mesh/seal"
	"github.com/fanfare-relay/fanfare/signalling/msg"
)

// exchange is one receiver that tries the short code.
type exchange struct {
	step  *pake.Uploader
	until time.Time
}

// exchangeWithin is how long a receiver may take (docs/MESH.md, section 3).
const exchangeWithin = 30 * time.Second

// askForCode asks for what the person wants once: whatever the server says, that makes one set of words, which can
// be guessed at five times.
func (s *swarm) askForCode() {
	if s.cfg.Share != nil && s.cfg.Share.Code && s.guard == nil {
		s.codeAsks++
		s.room.send(msg.OpenCode{})
	}
}

// codeGiven: the server has a number for a short code of ours. It says so again after each failure, and may say what
// it likes: a number that nobody asked for is passed over.
func (s *swarm) codeGiven(m msg.ShortCode) {
	number, err := strconv.ParseUint(m.Number, 10, 32)
	switch {
	case err != nil:
		return
	case s.guard == nil && s.codeAsks > 0:
		code, err := pake.NewCode(uint32(number), rand.Reader)
		if err != nil {
			s.cfg.Log.Warn("no code", "error", err)
			return
		}
		s.guard = pake.NewGuard(code, time.Now())
	case s.codeMoves:
		s.guard.Renumber(uint32(number))
		s.codeMoves = false
	default:
		return
	}
	s.cfg.Tell(Code{Text: s.guard.Code().String(), Until: s.guard.Expires()})
}

func (s *swarm) codeEnded(m msg.CodeEnded) {
	if s.guard == nil || strconv.FormatUint(uint64(s.guard.Code().Number()), 10) != m.Number {
		return
	}
	if m.Reason != msg.CodeEndAsked {
		s.cfg.Tell(CodeEnded{Guessed: m.Reason == msg.CodeEndFailures})
		return
	}
	// The number was of the room's time before us, and our request has ended it: the next one is the answer.
	if s.codeAsks > 0 {
		s.codeAsks--
		s.codeMoves = true
	}
}

// codeMessage takes a message of the exchange from somebody in the antechamber.
func (s *swarm) codeMessage(from string, m []byte) {
	if s.guard == nil || s.cfg.Share == nil {
		return
	}
	one := s.codes[from]
	if one == nil || len(m) > 1 && m[1] == 1 { // begins, perhaps anew
		if one != nil {
			s.codeFailed(from, one)
		}
		give := pake.Handover{Secret: s.cfg.Link.Secret, Key: s.cfg.Link.Key}
		between := pake.Between{Room: s.cfg.Link.Room, Receiver: from, Uploader: s.endpoint}
		step, err := s.guard.Begin(rand.Reader, between, give, time.Now())
		if err != nil {
			s.envelope(from, pake.Refusal(err))
			return
		}
		one = &exchange{step, time.Now().Add(exchangeWithin)}
		s.codes[from] = one
	}
	reply, done, err := one.step.Step(m)
	if reply != nil {
		s.envelope(from, reply)
	}
	if done {
		delete(s.codes, from)
	} else if err != nil {
		delete(s.codes, from)
		s.room.send(msg.CodeFailed{Endpoint: from})
	}
}

func (s *swarm) codeFailed(from string, one *exchange) {
	one.step.Abandon()
	delete(s.codes, from)
	s.room.send(msg.CodeFailed{Endpoint: from})
}

func (s *swarm) expireCodes(now time.Time) {
	for from, one := range s.codes {
		if now.After(one.until) {
			s.codeFailed(from, one)
		}
	}
}

// leftRoom: somebody who tried the code may be gone.
func (s *swarm) leftRoom(endpoint string) {
	if one := s.codes[endpoint]; one != nil {
		s.codeFailed(endpoint, one)
	}
}

var errAway = errors.New("the one who made this code does not answer; ask whether the transfer is still open")

// Redeem exchanges a short code for the link that it stands for. It tries once: a wrong code is one
// failure of it, and only the person may try another. The errors are those of package pake, a
// *RoomError, or of the way to the server.
func Redeem(ctx context.Context, server string, code pake.Code, log *slog.Logger) (seal.Link, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, 2*exchangeWithin, errAway)
	defer cancel()
	x := &redeemer{code: code, result: make(chan error, 1)}
	x.room = newRoom(server, log, func(string) msg.Hello {
		return msg.Hello{
			Version: msg.Version, Room: msg.RoomRef{Kind: msg.RoomFiles}, Role: msg.RoleSubscriber,
			Code: strconv.FormatUint(uint64(code.Number()), 10),
		}
	}, x.take)
	live, stop := context.WithCancel(ctx)
	ended := make(chan error, 1)
	go func() { ended <- x.room.run(live) }()
	var err error
	select {
	case err = <-x.result:
		stop()
		<-ended
	case err = <-ended:
		stop()
	}
	if err != nil {
		return seal.Link{}, err
	}
	return seal.Link{Server: server, Room: x.between.Room, Secret: x.got.Secret, Key: x.got.Key}, nil
}

// redeemer is the receiver's side of the exchange.
type redeemer struct {
	room    *room
	code    pake.Code
	between pake.Between
	step    *pake.Receiver
	got     *pake.Handover
	result  chan error
}

// take runs in the room's goroutine.
func (x *redeemer) take(m msg.ServerMessage) {
	switch m := m.(type) {
	case msg.Welcome:
		if m.Files == nil || m.Files.Owner == "" {
			x.end(errAway)
			return
		}
		x.between = pake.Between{Room: m.Room.Name, Receiver: m.Endpoint, Uploader: m.Files.Owner}
		step, first, err := pake.NewReceiver(rand.Reader, x.code, x.between)
		if err != nil {
			x.end(err)
			return
		}
		x.step = step
		x.send(first)
	case msg.Deliver:
		sealed, err := base64.RawURLEncoding.Strict().DecodeString(m.Sealed)
		if err != nil || x.step == nil || m.From != x.between.Uploader || len(sealed) == 0 || sealed[0] != seal.KindPAKE {
			return
		}
		reply, got, err := x.step.Step(sealed)
		if reply != nil {
			x.send(reply)
		}
		if got != nil {
			x.got = got
		}
		if err != nil || got != nil {
			x.end(err)
		}
	case msg.Undelivered:
		x.end(errAway)
	}
}

func (x *redeemer) send(b []byte) {
	x.room.send(msg.Send{To: x.between.Uploader, Sealed: base64.RawURLEncoding.EncodeToString(b)})
}

func (x *redeemer) end(err error) {
	select {
	case x.result <- err:
	default:
	}
}
