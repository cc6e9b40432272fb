// Package token makes and judges what people show to be let in: keys, which are random and
// kept for long, and capabilities, which the server signs and which expire soon.
//
// It owns their formats. It never stores anything and never decides what a key may do; that
// is known to package store and decided by package signalling.
package token

import (
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
)

// The readable beginnings of keys: a person who finds one in a note knows what it opens,
// and scanners of leaked secrets can look for them.
const (
	PublishKeyPrefix = "fanpub_"
	StreamKeyPrefix  = "fanstr_"
)

// NewPublishKey returns a random key that may publish new streams: 192 bits after the prefix.
func NewPublishKey() string { return PublishKeyPrefix + randomText(24) }

// NewStreamKey returns a random key for one stream: 192 bits after the prefix.
func NewStreamKey() string { return StreamKeyPrefix + randomText(24) }

// NewName returns an unguessable stream name: 128 bits, 22 characters of base64url.
func NewName() string { return randomText(16) }

// NewID returns a random identifier for an endpoint or a server instance, like NewName.
func NewID() string { return randomText(16) }

// randomText never fails: crypto/rand ends the process when the system has no randomness.
func randomText(bytes int) string {
	b := make([]byte, bytes)
	_, _ = rand.Read(b)
	return base64.RawURLEncoding.EncodeToString(b)
}

// Hash is what is stored of a key. Keys are random and long, so that one round of SHA-256
// cannot be turned back; passwords of people need more (store.HashPassword).
type Hash [sha256.Size]byte

// HashKey hashes the text of a key.
func HashKey(key string) Hash { return sha256.Sum256([]byte(key)) }

// Equal compares in constant time.
func (h Hash) Equal(other Hash) bool { return subtle.ConstantTimeCompare(h[:], other[:]) == 1 }

// IsZero tells whether there is no hash.
func (h Hash) IsZero() bool { return h == Hash{} }

// String returns the hash in hexadecimal, for file names and for the database.
func (h Hash) String() string { return hex.EncodeToString(h[:]) }

var errBadHash = errors.New("not a SHA-256 hash in hexadecimal")

// MarshalText implements encoding.TextMarshaler.
func (h Hash) MarshalText() ([]byte, error) { return []byte(h.String()), nil }

// UnmarshalText implements encoding.TextUnmarshaler.
func (h *Hash) UnmarshalText(text []byte) error {
	if len(text) != hex.EncodedLen(len(h)) {
		return fmt.Errorf("%w: %d characters", errBadHash, len(text))
	}
	if _, err := hex.Decode(h[:], text); err != nil {
		return errBadHash
	}
	return nil
}
