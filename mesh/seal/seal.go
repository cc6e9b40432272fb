// Package seal owns the secrets of the file mesh (docs/MESH.md, sections 1, 2 and 4, and the mac
// of HELLO in section 6): the link, what is derived from its secret, envelopes and what they say,
// signatures, tokens and revocations.
//
// Everything here is a value. Random bytes and the time come from the caller; the package does no
// IO and remembers no conversation: which message may come next is for others to say.
//
// HKDF is RFC 5869, base64 RFC 4648 section 5, ECDSA FIPS 186-5 with the nonces of RFC 6979.
package seal

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
)

// Sizes, in bytes.
type (
	// Secret is S of the link: whoever knows it may ask to come in.
	Secret [16]byte
	// KeyHash is K of the link: the first half of the hash of the uploader's signing key.
	KeyHash [16]byte
	// PublicKey is an uncompressed point of P-256 (SEC 1, section 2.3.3). It is checked to be on
	// the curve where it is used.
	PublicKey [65]byte
	// Signature is r ‖ s of ECDSA on P-256 with SHA-256.
	Signature [64]byte
	// Fingerprint is the SHA-256 of a DTLS certificate.
	Fingerprint [32]byte
	// Attempt names one attempt at a connection; the offerer makes it at random.
	Attempt [16]byte
)

var (
	// ErrText: not base64url of the right length, or with spare bits set.
	ErrText = errors.New("not base64url of the right length")
	// ErrKey: bytes that are no key on P-256, or the own key in the place of another's.
	ErrKey = errors.New("not a usable key")
	// ErrRandom: the random source failed.
	ErrRandom = errors.New("no random bytes")
	// ErrAddress: a room or an endpoint that cannot be named so.
	ErrAddress = errors.New("not a name of a room or an endpoint")
)

// String hides the secret, so that none gets into a log by mistake.
func (Secret) String() string { return "(secret)" }

// NewSecret takes 16 bytes of random.
func NewSecret(random io.Reader) (Secret, error) {
	var s Secret
	return s, fill(random, s[:])
}

// NewAttempt takes 16 bytes of random.
func NewAttempt(random io.Reader) (Attempt, error) {
	var a Attempt
	return a, fill(random, a[:])
}

func fill(random io.Reader, into []byte) error {
	if _, err := io.ReadFull(random, into); err != nil {
		return fmt.Errorf("%w: %w", ErrRandom, err)
	}
	return nil
}

// Hash is K for this key.
func (k PublicKey) Hash() KeyHash {
	sum := sha256.Sum256(k[:])
	return KeyHash(sum[:len(KeyHash{})])
}

// Less tells the order of two keys: that of their bytes.
func (k PublicKey) Less(other PublicKey) bool { return bytes.Compare(k[:], other[:]) < 0 }

// The texts of JSON members: base64url without padding.

// MarshalText implements encoding.TextMarshaler.
func (k PublicKey) MarshalText() ([]byte, error) { return encodeText(k[:]), nil }

// UnmarshalText implements encoding.TextUnmarshaler.
func (k *PublicKey) UnmarshalText(text []byte) error { return decodeText(k[:], text) }

// MarshalText implements encoding.TextMarshaler.
func (s Signature) MarshalText() ([]byte, error) { return encodeText(s[:]), nil }

// UnmarshalText implements encoding.TextUnmarshaler.
func (s *Signature) UnmarshalText(text []byte) error { return decodeText(s[:], text) }

// MarshalText implements encoding.TextMarshaler.
func (f Fingerprint) MarshalText() ([]byte, error) { return encodeText(f[:]), nil }

// UnmarshalText implements encoding.TextUnmarshaler.
func (f *Fingerprint) UnmarshalText(text []byte) error { return decodeText(f[:], text) }

// MarshalText implements encoding.TextMarshaler.
func (a Attempt) MarshalText() ([]byte, error) { return encodeText(a[:]), nil }

// UnmarshalText implements encoding.TextUnmarshaler.
func (a *Attempt) UnmarshalText(text []byte) error { return decodeText(a[:], text) }

func encodeText(b []byte) []byte { return base64.RawURLEncoding.AppendEncode(nil, b) }

// decodeText fills into, or fails with ErrText. The length is compared first because the decoder
// passes over line breaks: with one of them too few bytes come out.
func decodeText(into, text []byte) error {
	if len(text) != base64.RawURLEncoding.EncodedLen(len(into)) {
		return fmt.Errorf("%w: %d characters", ErrText, len(text))
	}
	if n, err := base64.RawURLEncoding.Strict().Decode(into, text); err != nil || n != len(into) {
		return ErrText
	}
	return nil
}

// ValidName tells whether a text can name a room or an endpoint: 1 to 64 of [A-Za-z0-9_-].
// Without a NUL in a name, fields that are joined by one are read in one way only.
func ValidName(name string) bool {
	for i := range len(name) {
		switch c := name[i]; {
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9', c == '-', c == '_':
		default:
			return false
		}
	}
	return len(name) >= 1 && len(name) <= 64
}

func checkNames(names ...string) error {
	for _, name := range names {
		if !ValidName(name) {
			return fmt.Errorf("%w: %.80q", ErrAddress, name)
		}
	}
	return nil
}
