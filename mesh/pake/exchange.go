package pake

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"

	"github.com/fanfare-relay/fanfare/mesh/seal"
)

// Errors of an exchange. Each ends it.
var (
	// ErrWrongCode: the two sides did not have the same code, or somebody stood between them.
	ErrWrongCode = errors.New("the code is not right; ask for a new one")
	// ErrProtocol: a message that is not of this exchange, or not the one that is next.
	ErrProtocol = errors.New("not the next message of this exchange")
)

// The steps: the second byte of a message, after seal.KindPAKE.
const (
	stepRefuse  = 0 // either way: one byte of reason
	stepShareA  = 1 // receiver → uploader: pA
	stepShareB  = 2 // uploader → receiver: pB, cB
	stepConfirm = 3 // receiver → uploader: cA
	stepHand    = 4 // uploader → receiver: the sealed secrets
	stepDone    = 5
)

const (
	headSize     = 2
	nonceSize    = 12
	secretsSize  = len(seal.Secret{}) + len(seal.KeyHash{})
	handoverSize = headSize + nonceSize + secretsSize + 16
	identityA    = "receiver"
	identityB    = "uploader"
)

// Between tells where an exchange runs: it works only when both sides were told the same.
type Between struct {
	Room               string
	Receiver, Uploader string // endpoints, as the server tells them
}

func (b Between) additional() []byte {
	return []byte("fanfare code v1\x00" + b.Room + "\x00" + b.Receiver + "\x00" + b.Uploader)
}

func (b Between) check() error {
	for _, name := range []string{b.Room, b.Receiver, b.Uploader} {
		if !seal.ValidName(name) {
			return fmt.Errorf("%w: %.80q", seal.ErrAddress, name)
		}
	}
	return nil
}

// Handover is what a code is exchanged for: all that a link has besides its address.
type Handover struct {
	Secret seal.Secret
	Key    seal.KeyHash
}

// String hides the secrets.
func (Handover) String() string { return "(secrets)" }

// side is what the two roles have in common.
type side struct {
	next    byte // the step that may come, stepDone after the end
	w, own  scalar
	share   [pointSize]byte
	between Between
	keys    keys
}

// start makes the own share; blind is M for the receiver, N for the uploader.
func start(random io.Reader, code Code, between Between, blind string) (side, error) {
	if err := between.check(); err != nil {
		return side{}, err
	}
	s := side{w: secretScalar(code.password(), code.salt()), between: between}
	var err error
	if s.own, err = randomScalar(random); err != nil {
		return side{}, err
	}
	s.share = share(s.own, s.w, blind)
	return s, nil
}

// randomScalar tries 32 random bytes until they are from 1 to the order less 1. All but one in 2³²
// are.
func randomScalar(random io.Reader) (scalar, error) {
	order := mustHex(hexOrder)
	for range 8 {
		var s scalar
		if _, err := io.ReadFull(random, s[:]); err != nil {
			return scalar{}, fmt.Errorf("%w: %w", ErrRandom, err)
		}
		if s != (scalar{}) && bytes.Compare(s[:], order) < 0 {
			return s, nil
		}
	}
	return scalar{}, fmt.Errorf("%w: they make no number", ErrRandom)
}

// take checks that a message is the next one, of this length, and returns what follows its head.
// The exchange ends with the first message that is not.
func (s *side) take(message []byte, length int) ([]byte, error) {
	next := s.next
	s.next = stepDone
	if isRefusal(message) {
		return nil, reasonError(message[headSize])
	}
	if len(message) != length || message[0] != seal.KindPAKE || message[1] != next {
		return nil, ErrProtocol
	}
	return message[headSize:], nil
}

// finish computes the keys from both shares and K.
func (s *side) finish(pA, pB, k []byte) {
	s.keys = schedule(transcript([]byte(identityA), []byte(identityB), pA, pB, k, s.w[:]), s.between.additional())
}

// aead is the cipher of the hand-over.
func (s *side) aead() cipher.AEAD {
	key, err := hkdf.Key(sha256.New, s.keys.ke[:], []byte(s.between.Room), "fanfare code v1 hand-over", 32)
	if err != nil { // only for more than 255 hashes
		panic(err)
	}
	block, err := aes.NewCipher(key)
	if err != nil { // only for another length
		panic(err)
	}
	gcm, err := cipher.NewGCM(block)
	if err != nil { // only for another block size
		panic(err)
	}
	return gcm
}

func message(step byte, parts ...[]byte) []byte {
	return append([]byte{seal.KindPAKE, step}, bytes.Join(parts, nil)...)
}

// Receiver is the side that typed the code: A of RFC 9382.
type Receiver struct{ side }

// NewReceiver begins an exchange; the message is to be sent to the uploader. It fails with
// ErrRandom or seal.ErrAddress.
func NewReceiver(random io.Reader, code Code, between Between) (*Receiver, []byte, error) {
	s, err := start(random, code, between, hexM)
	if err != nil {
		return nil, nil, err
	}
	s.next = stepShareB
	return &Receiver{s}, message(stepShareA, s.share[:]), nil
}

// Step takes a message of the uploader. What it returns besides an error is to be sent, even with
// one; the hand-over comes with the last message and ends the exchange, as an error does.
//
// After ErrWrongCode nobody may try the same code again by itself: whoever stood between has had
// one guess for each try, and the uploader does not see these.
func (r *Receiver) Step(m []byte) (reply []byte, got *Handover, err error) {
	if r.next == stepDone {
		return nil, nil, ErrProtocol
	}
	if r.next == stepShareB {
		reply, err = r.confirm(m)
	} else {
		got, err = r.unseal(m)
	}
	if err != nil && !isRefusal(m) {
		reply = Refusal(err)
	}
	return reply, got, err
}

func (r *Receiver) confirm(m []byte) ([]byte, error) {
	body, err := r.take(m, headSize+pointSize+confirmSize)
	if err != nil {
		return nil, err
	}
	pB, cB := body[:pointSize], body[pointSize:]
	k, ok := agree(r.own, r.w, pB, hexN)
	if !ok {
		return nil, ErrProtocol
	}
	r.finish(r.share[:], pB, k)
	if !hmac.Equal(cB, r.keys.cB[:]) {
		return nil, ErrWrongCode
	}
	r.next = stepHand
	return message(stepConfirm, r.keys.cA[:]), nil
}

func (r *Receiver) unseal(m []byte) (*Handover, error) {
	body, err := r.take(m, handoverSize)
	if err != nil {
		return nil, err
	}
	plain, err := r.aead().Open(nil, body[:nonceSize], body[nonceSize:], r.between.additional())
	if err != nil {
		return nil, ErrProtocol
	}
	var h Handover
	copy(h.Key[:], plain[copy(h.Secret[:], plain):])
	return &h, nil
}

// Uploader is the side that shows the code: B of RFC 9382. Guard.Begin makes one.
type Uploader struct {
	side
	nonce [nonceSize]byte
	give  Handover
	guard *Guard
}

// Step takes a message of the receiver. What it returns besides an error is to be sent, even with
// one; done is set when the secrets are in it. An error ends the exchange and is a failure of the
// code.
func (u *Uploader) Step(m []byte) (reply []byte, done bool, err error) {
	if u.next == stepDone {
		return nil, false, ErrProtocol
	}
	if u.next == stepShareA {
		reply, err = u.answer(m)
	} else {
		reply, err = u.hand(m)
		done = err == nil
	}
	switch {
	case done:
		u.guard.confirmed()
	case err != nil:
		u.guard.failure()
		if !isRefusal(m) {
			reply = Refusal(err)
		}
	}
	return reply, done, err
}

// Abandon ends an exchange whose receiver is gone or silent; it is a failure of the code unless
// the exchange had ended.
func (u *Uploader) Abandon() {
	if u.next != stepDone {
		u.next = stepDone
		u.guard.failure()
	}
}

func (u *Uploader) answer(m []byte) ([]byte, error) {
	pA, err := u.take(m, headSize+pointSize)
	if err != nil {
		return nil, err
	}
	k, ok := agree(u.own, u.w, pA, hexM)
	if !ok {
		return nil, ErrProtocol
	}
	u.finish(pA, u.share[:], k)
	u.next = stepConfirm
	return message(stepShareB, u.share[:], u.keys.cB[:]), nil
}

func (u *Uploader) hand(m []byte) ([]byte, error) {
	cA, err := u.take(m, headSize+confirmSize)
	if err != nil {
		return nil, err
	}
	if !hmac.Equal(cA, u.keys.cA[:]) {
		return nil, ErrWrongCode
	}
	plain := append(u.give.Secret[:], u.give.Key[:]...)
	sealed := u.aead().Seal(nil, u.nonce[:], plain, u.between.additional())
	return message(stepHand, u.nonce[:], sealed), nil
}
