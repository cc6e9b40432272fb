package pake

import (
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/fanfare-relay/fanfare/mesh/seal"
)

const (
	// MaxFailures is how many exchanges of one code may fail, over all receivers.
	MaxFailures = 5
	// CodeLife is how long a code is good.
	CodeLife = 10 * time.Minute
)

var (
	// ErrSpent: the code has had its time or its failures. Only the person makes a new one.
	ErrSpent = errors.New("the code is used up; ask for a new one")
	// ErrBusy: so many exchanges are under way that the next failures would be too many.
	ErrBusy = errors.New("several others are using the code just now; try again in a moment")
)

// Guard lets a code be tried a few times. Whoever tries a code learns by each exchange whether one
// guess was right, so a begun exchange counts as a failure until it is confirmed: with 30 bits in
// the words five guesses are right once in 200 million codes.
type Guard struct {
	code         Code
	expires      time.Time
	failed, open int
}

// NewGuard starts the life of a code.
func NewGuard(code Code, now time.Time) *Guard {
	return &Guard{code: code, expires: now.Add(CodeLife)}
}

// Code is the code to show.
func (g *Guard) Code() Code { return g.code }

// Renumber gives the code another number, since the server finds the room by that from now on. The words, what
// has been tried of them and their time stay.
func (g *Guard) Renumber(number uint32) { g.code.number = number }

// Expires is when the code ends by itself.
func (g *Guard) Expires() time.Time { return g.expires }

// Alive tells by nil that the code is still good at now, else ErrSpent.
func (g *Guard) Alive(now time.Time) error {
	if g.failed >= MaxFailures || !now.Before(g.expires) {
		return ErrSpent
	}
	return nil
}

// Begin starts an exchange with one receiver; its first message goes to Step. A receiver that
// begins anew gets a new exchange, after Abandon of its old one. It fails with ErrSpent, ErrBusy
// (Refusal tells the receiver), ErrRandom or seal.ErrAddress; then nothing is counted.
func (g *Guard) Begin(random io.Reader, between Between, give Handover, now time.Time) (*Uploader, error) {
	if err := g.Alive(now); err != nil {
		return nil, err
	}
	if g.failed+g.open >= MaxFailures {
		return nil, ErrBusy
	}
	s, err := start(random, g.code, between, hexN)
	if err != nil {
		return nil, err
	}
	s.next = stepShareA
	u := &Uploader{side: s, give: give, guard: g}
	if _, err := io.ReadFull(random, u.nonce[:]); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrRandom, err)
	}
	g.open++
	return u, nil
}

func (g *Guard) confirmed() { g.open-- }

func (g *Guard) failure() {
	g.open--
	g.failed++
}

// The reasons of a refusal.
const (
	reasonWrong    = 1
	reasonSpent    = 2
	reasonBusy     = 3
	reasonProtocol = 4
)

// Refusal is the message that tells the other side why there is no exchange. Nothing seals it:
// the server can forge one, as it can keep back any message.
func Refusal(err error) []byte {
	reason := byte(reasonProtocol)
	switch {
	case errors.Is(err, ErrWrongCode):
		reason = reasonWrong
	case errors.Is(err, ErrSpent):
		reason = reasonSpent
	case errors.Is(err, ErrBusy):
		reason = reasonBusy
	}
	return []byte{seal.KindPAKE, stepRefuse, reason}
}

func isRefusal(m []byte) bool {
	return len(m) == headSize+1 && m[0] == seal.KindPAKE && m[1] == stepRefuse
}

func reasonError(reason byte) error {
	switch reason {
	case reasonWrong:
		return ErrWrongCode
	case reasonSpent:
		return ErrSpent
	case reasonBusy:
		return ErrBusy
	default:
		return ErrProtocol
	}
}
