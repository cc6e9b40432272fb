package seal

import (
	"crypto/aes"
	"crypto/cipher"
	"errors"
	"fmt"
	"io"
)

// The kinds of envelope: the first byte.
const (
	KindPAKE  = 1 // a message of package pake
	KindGroup = 2 // to one member, openable by whoever has the link
	KindPair  = 3 // between two peers
)

const (
	nonceSize = 12
	tagSize   = 16
	groupHead = 1 + nonceSize
	pairHead  = 1 + len(PublicKey{}) + nonceSize
	// MaxEnvelope is the longest envelope in bytes: 48 Ki characters of base64 for the server.
	MaxEnvelope = 36 << 10
	// MaxPlain is the longest message inside, in bytes.
	MaxPlain = MaxEnvelope - pairHead - tagSize
)

var (
	// ErrEnvelope: no envelope of this kind.
	ErrEnvelope = errors.New("not an envelope of this kind")
	// ErrSealed: it does not open. It is for others, from others, of another room, or was changed.
	ErrSealed = errors.New("the envelope does not open")
)

// Seal puts a Card or a Key in an envelope that every holder of the link can open. from and to are
// endpoints, as the server tells them. It fails with ErrAddress, ErrRandom or an error of Encode.
func (k RoomKeys) Seal(random io.Reader, from, to string, m Message) ([]byte, error) {
	if !forGroup(m) {
		return nil, fmt.Errorf("%w: %s in a group envelope", ErrBadMessage, m.Type())
	}
	return sealUp(random, k.group, []byte{KindGroup}, label{KindGroup, k.room, from, to}, m)
}

// Open is the reverse: it gives a Card, not verified yet, or a Key. It fails with ErrAddress,
// ErrEnvelope, ErrSealed or an error of Decode.
func (k RoomKeys) Open(from, to string, envelope []byte) (Message, error) {
	if len(envelope) < groupHead+tagSize || len(envelope) > MaxEnvelope || envelope[0] != KindGroup {
		return nil, ErrEnvelope
	}
	m, err := open(k.group, envelope[1:], label{KindGroup, k.room, from, to})
	if err != nil {
		return nil, err
	}
	if !forGroup(m) {
		return nil, fmt.Errorf("%w: %s in a group envelope", ErrBadMessage, m.Type())
	}
	return m, nil
}

// forGroup tells which messages are said before a pair has keys.
func forGroup(m Message) bool {
	switch m.(type) {
	case Card, Key:
		return true
	}
	return false
}

// Sender is the key of whoever made an envelope of kind 3, as it claims: with it the Pair is
// found that opens it.
func Sender(envelope []byte) (PublicKey, error) {
	if len(envelope) < pairHead+tagSize || len(envelope) > MaxEnvelope || envelope[0] != KindPair {
		return PublicKey{}, ErrEnvelope
	}
	return PublicKey(envelope[1:]), nil
}

// Seal puts a message for the other side in an envelope. It fails with ErrAddress, ErrRandom or an
// error of Encode.
func (p Pair) Seal(random io.Reader, from, to string, m Message) ([]byte, error) {
	if forGroup(m) {
		return nil, fmt.Errorf("%w: a %s in an envelope of a pair", ErrBadMessage, m.Type())
	}
	head := append([]byte{KindPair}, p.own[:]...)
	return sealUp(random, p.sealing, head, label{KindPair, p.room, from, to}, m)
}

// Open opens an envelope of the other side. It fails with ErrAddress, ErrEnvelope, ErrSealed or an
// error of Decode.
func (p Pair) Open(from, to string, envelope []byte) (Message, error) {
	sender, err := Sender(envelope)
	if err != nil {
		return nil, err
	}
	if sender != p.other {
		return nil, ErrSealed
	}
	m, err := open(p.opening, envelope[pairHead-nonceSize:], label{KindPair, p.room, from, to})
	if err != nil {
		return nil, err
	}
	if forGroup(m) {
		return nil, fmt.Errorf("%w: a %s in an envelope of a pair", ErrBadMessage, m.Type())
	}
	return m, nil
}

// label is what an envelope is bound to besides its keys.
type label struct {
	kind           byte
	room, from, to string
}

func (l label) bytes() ([]byte, error) {
	if err := checkNames(l.room, l.from, l.to); err != nil {
		return nil, err
	}
	return fmt.Appendf(nil, "fanfare envelope v1\x00%c%s\x00%s\x00%s", l.kind, l.room, l.from, l.to), nil
}

// sealUp appends nonce and sealed message to the head.
func sealUp(random io.Reader, key [32]byte, head []byte, l label, m Message) ([]byte, error) {
	additional, err := l.bytes()
	if err != nil {
		return nil, err
	}
	plain, err := Encode(m)
	if err != nil {
		return nil, err
	}
	var nonce [nonceSize]byte
	if err := fill(random, nonce[:]); err != nil {
		return nil, err
	}
	return gcm(key).Seal(append(head, nonce[:]...), nonce[:], plain, additional), nil
}

// open takes nonce ‖ sealed.
func open(key [32]byte, sealed []byte, l label) (Message, error) {
	additional, err := l.bytes()
	if err != nil {
		return nil, err
	}
	plain, err := gcm(key).Open(nil, sealed[:nonceSize], sealed[nonceSize:], additional)
	if err != nil {
		return nil, ErrSealed
	}
	return Decode(plain)
}

func gcm(key [32]byte) cipher.AEAD {
	block, err := aes.NewCipher(key[:])
	if err != nil { // only for another length
		panic(err)
	}
	aead, err := cipher.NewGCM(block)
	if err != nil { // only for another block size
		panic(err)
	}
	return aead
}
