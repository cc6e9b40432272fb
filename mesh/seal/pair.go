package seal

import (
	"crypto/ecdh"
	"crypto/hmac"
	"crypto/pbkdf2"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
)

// ErrHello: the mac of HELLO is wrong; the connection is not with whom the envelopes were.
var ErrHello = errors.New("the greeting is not of this pair and connection")

// AgreementKey is a peer's key pair for agreement, dh in docs/MESH.md.
type AgreementKey struct {
	private *ecdh.PrivateKey
	public  PublicKey
}

// NewAgreementKey takes its key from random.
func NewAgreementKey(random io.Reader) (AgreementKey, error) {
	return randomKey(random, ParseAgreementKey)
}

// ParseAgreementKey reads what Bytes wrote.
func ParseAgreementKey(scalar []byte) (AgreementKey, error) {
	private, err := ecdh.P256().NewPrivateKey(scalar)
	if err != nil {
		return AgreementKey{}, ErrKey
	}
	return AgreementKey{private: private, public: PublicKey(private.PublicKey().Bytes())}, nil
}

// Bytes is the private key, for keeping it.
func (a AgreementKey) Bytes() []byte { return a.private.Bytes() }

// Public is the key that others see.
func (a AgreementKey) Public() PublicKey { return a.public }

// String hides the key.
func (AgreementKey) String() string { return "(agreement key)" }

// pairKeys is the schedule of two peers, in the order of their public keys.
type pairKeys struct {
	sealUp, sealDown [32]byte // AES-256 from the lower key to the higher, and back
	macUp, macDown   [32]byte // HMAC of HELLO, the same ways
	export           [32]byte // for all other uses
}

// Pair is what two peers share: each seals with one key and opens with another, so that nothing
// can be sent back to whom it came from. It holds no state; copies are equal.
type Pair struct {
	own, other       PublicKey
	room             string
	sealing, opening [32]byte
	macOut, macIn    [32]byte
	export           [32]byte
}

// Pair derives the keys shared with another peer in a room. It fails with ErrKey when the other
// key is not on the curve or is the own one, and with ErrAddress.
func (a AgreementKey) Pair(other PublicKey, s Secret, room string) (Pair, error) {
	if err := checkNames(room); err != nil {
		return Pair{}, err
	}
	if other == a.public {
		return Pair{}, ErrKey // one's own envelope, come back
	}
	public, err := ecdh.P256().NewPublicKey(other[:])
	if err != nil {
		return Pair{}, ErrKey
	}
	x, err := a.private.ECDH(public)
	if err != nil {
		return Pair{}, ErrKey
	}
	p := Pair{own: a.public, other: other, room: room}
	if a.public.Less(other) {
		k := schedulePair(x, s, room, a.public, other)
		p.sealing, p.opening, p.macOut, p.macIn, p.export = k.sealUp, k.sealDown, k.macUp, k.macDown, k.export
	} else {
		k := schedulePair(x, s, room, other, a.public)
		p.sealing, p.opening, p.macOut, p.macIn, p.export = k.sealDown, k.sealUp, k.macDown, k.macUp, k.export
	}
	return p, nil
}

func schedulePair(x []byte, s Secret, room string, low, high PublicKey) pairKeys {
	var keys pairKeys
	var out [5 * 32]byte
	derive(out[:], append(x[:len(x):len(x)], s[:]...), room, "fanfare mesh v1 pair"+string(low[:])+string(high[:]))
	for i, key := range []*[32]byte{&keys.sealUp, &keys.sealDown, &keys.macUp, &keys.macDown, &keys.export} {
		copy(key[:], out[32*i:])
	}
	return keys
}

// Own is this side's key.
func (p Pair) Own() PublicKey { return p.own }

// Other is the other side's key.
func (p Pair) Other() PublicKey { return p.other }

// String hides the keys.
func (Pair) String() string { return "(pair)" }

// Lower tells whether this side has the lower key: when two offers cross, its own stands.
func (p Pair) Lower() bool { return p.own.Less(p.other) }

// Export derives n bytes for another use than envelopes and HELLO, the same on both sides. The
// label names the use, and the direction where there are two.
func (p Pair) Export(label string, n int) []byte {
	out := make([]byte, n)
	derive(out, p.export[:], p.room, label)
	return out
}

// checkRounds makes it dear to find a key pair whose check words are those of another.
const checkRounds = 100_000

// Check is what the two people may compare: four numbers of ten bits, shown as words of the list
// of codes. It takes some tens of milliseconds.
func (p Pair) Check() ([4]uint16, error) {
	b, err := pbkdf2.Key(sha256.New, string(p.Export("fanfare mesh v1 check", 32)), []byte(p.room), checkRounds, 5)
	if err != nil {
		return [4]uint16{}, fmt.Errorf("check words: %w", err)
	}
	var bits uint64
	for _, octet := range b {
		bits = bits<<8 | uint64(octet)
	}
	var out [4]uint16
	for i := range out {
		out[i] = uint16(bits >> (30 - 10*i) & 0x3ff)
	}
	return out, nil
}

// Hello is what the mac of HELLO is over.
type Hello struct {
	Attempt           Attempt
	Lane              uint8
	Offerer, Answerer Fingerprint // of their DTLS certificates
}

// HelloMAC is what this side sends in its HELLO.
func (p Pair) HelloMAC(h Hello) [32]byte { return h.mac(p.macOut) }

// CheckHello tells by nil that the other side's HELLO is of this pair and this connection, else
// ErrHello.
func (p Pair) CheckHello(h Hello, mac [32]byte) error {
	if want := h.mac(p.macIn); !hmac.Equal(want[:], mac[:]) {
		return ErrHello
	}
	return nil
}

func (h Hello) mac(key [32]byte) [32]byte {
	m := hmac.New(sha256.New, key[:])
	for _, part := range [][]byte{[]byte("fanfare hello v1\x00"), h.Attempt[:], {h.Lane}, h.Offerer[:], h.Answerer[:]} {
		m.Write(part)
	}
	return [32]byte(m.Sum(nil))
}
