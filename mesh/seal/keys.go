package seal

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/hkdf"
	"crypto/sha256"
	"encoding/asn1"
	"errors"
	"fmt"
	"io"
	"math/big"
)

// ErrSignature: the signature is not of this key over this message.
var ErrSignature = errors.New("the signature is wrong")

// RoomKeys is what is derived from S for one room.
type RoomKeys struct {
	// Join is shown to the server to come in.
	Join [32]byte
	// Verifier is the hash of Join, which the server keeps.
	Verifier [32]byte
	group    [32]byte
	room     string
}

// Keys derives what S is good for in a room. It fails with ErrAddress.
func (s Secret) Keys(room string) (RoomKeys, error) {
	if err := checkNames(room); err != nil {
		return RoomKeys{}, err
	}
	k := RoomKeys{room: room}
	derive(k.Join[:], s[:], room, "fanfare mesh v1 join")
	derive(k.group[:], s[:], room, "fanfare mesh v1 group")
	k.Verifier = sha256.Sum256(k.Join[:])
	return k, nil
}

// String hides the keys.
func (RoomKeys) String() string { return "(keys of a room)" }

// derive fills into by HKDF with SHA-256 (RFC 5869).
func derive(into, key []byte, salt, info string) {
	out, err := hkdf.Key(sha256.New, key, []byte(salt), info, len(into))
	if err != nil { // only for more than 255 hashes
		panic(err)
	}
	copy(into, out)
}

// SigningKey is the uploader's: with it goes the right to say who comes in and what is shared.
type SigningKey struct {
	private *ecdsa.PrivateKey
	public  PublicKey
}

// NewSigningKey takes its key from random.
func NewSigningKey(random io.Reader) (SigningKey, error) {
	return randomKey(random, ParseSigningKey)
}

// ParseSigningKey reads what Bytes wrote: 32 bytes, a number from 1 to the order of the curve.
func ParseSigningKey(scalar []byte) (SigningKey, error) {
	private, err := ecdsa.ParseRawPrivateKey(elliptic.P256(), scalar)
	if err != nil {
		return SigningKey{}, ErrKey
	}
	public, err := private.PublicKey.Bytes()
	if err != nil {
		return SigningKey{}, ErrKey
	}
	return SigningKey{private: private, public: PublicKey(public)}, nil
}

// randomKey tries 32 random bytes until they are a key. All but one in 2³² are.
func randomKey[K any](random io.Reader, parse func([]byte) (K, error)) (K, error) {
	var none K
	for range 8 {
		var scalar [32]byte
		if err := fill(random, scalar[:]); err != nil {
			return none, err
		}
		if key, err := parse(scalar[:]); err == nil {
			return key, nil
		}
	}
	return none, fmt.Errorf("%w: they make no key", ErrRandom)
}

// Bytes is the private key, for keeping it.
func (k SigningKey) Bytes() ([]byte, error) { return k.private.Bytes() }

// Public is the key that others verify with.
func (k SigningKey) Public() PublicKey { return k.public }

// String hides the key.
func (SigningKey) String() string { return "(signing key)" }

// Sign signs the parts of a message, joined. Its nonce is that of RFC 6979, so it needs no random
// source, and one that fails cannot give the key away.
func (k SigningKey) Sign(message ...[]byte) (Signature, error) {
	der, err := k.private.Sign(nil, digest(message), crypto.SHA256)
	if err != nil {
		return Signature{}, fmt.Errorf("sign: %w", err)
	}
	var numbers struct{ R, S *big.Int }
	if rest, err := asn1.Unmarshal(der, &numbers); err != nil || len(rest) > 0 {
		return Signature{}, fmt.Errorf("sign: %w", err)
	}
	var s Signature
	numbers.R.FillBytes(s[:32])
	numbers.S.FillBytes(s[32:])
	return s, nil
}

// Verify tells by nil that the signature is the key's over the parts, joined; else ErrKey or
// ErrSignature. Of each signature there are two forms, s and its opposite: nothing may be
// recognised by a signature's bytes.
func Verify(key PublicKey, signature Signature, message ...[]byte) error {
	public, err := ecdsa.ParseUncompressedPublicKey(elliptic.P256(), key[:])
	if err != nil {
		return ErrKey
	}
	der, err := asn1.Marshal(struct{ R, S *big.Int }{
		new(big.Int).SetBytes(signature[:32]), new(big.Int).SetBytes(signature[32:]),
	})
	if err != nil || !ecdsa.VerifyASN1(public, digest(message), der) {
		return ErrSignature
	}
	return nil
}

func digest(message [][]byte) []byte {
	h := sha256.New()
	for _, part := range message {
		h.Write(part)
	}
	return h.Sum(nil)
}
