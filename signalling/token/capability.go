package token

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"time"
)

// Errors of Signer.
var (
	// ErrBadCapability: no capability, of another server, or changed on its way.
	ErrBadCapability = errors.New("not a token of this server")
	// ErrExpired: it was good once.
	ErrExpired = errors.New("the token has expired")
	// ErrField: a capability cannot hold a text this long.
	ErrField = errors.New("a member of the token is too long")
)

// Kind says what a capability opens. One kind is never taken for another.
type Kind uint8

// The kinds of capability.
const (
	KindMedia  Kind = iota + 1 // WHIP or WHEP for one stream
	KindResume                 // an endpoint identifier after a lost connection
	KindRelay                  // the relay of sealed bytes in a room of files
	KindPlay                   // a stream or file by plain HTTP, in the path of its address
)

// Role is the side of the stream that a capability is for.
type Role uint8

// The roles.
const (
	RolePublisher Role = iota + 1
	RoleSubscriber
)

// Capability is what the server vouches for. Nothing in it is secret; only its mark is.
type Capability struct {
	Kind     Kind
	Role     Role
	Room     string // kind of the room, "stream" or "files"
	Stream   string // name of the stream or room
	Endpoint string
	Viewer   string // the page's viewer identifier, may be empty
	// Proof is the hash of what was shown for it: a key, or the stored form of a password, zero
	// when nothing was asked for. When that is no longer valid, neither is the capability.
	Proof   Hash
	Expires time.Time
}

// SecretSize is the length of the server's secret in bytes.
const SecretSize = 32

// NewSecret returns a random server secret.
func NewSecret() []byte {
	b := make([]byte, SecretSize)
	_, _ = rand.Read(b)
	return b
}

// Signer makes and opens capabilities with HMAC-SHA256 under the server's secret. It is
// immutable, so safe for concurrent use.
type Signer struct{ secret []byte }

// NewSigner takes the server's secret. Whoever has it can make any capability.
func NewSigner(secret []byte) Signer { return Signer{secret: append([]byte(nil), secret...)} }

const (
	capabilityVersion = 1
	maxField          = 255 // one length byte
	maxCapability     = 2048
)

// Sign writes a capability as base64url text of
//
//	version(1) kind(1) role(1) expiry(8, seconds) proof(32) 4 × [length(1) text] mac(32)
//
// It fails with ErrField when a text is longer than 255 bytes.
func (s Signer) Sign(c Capability) (string, error) {
	b := []byte{capabilityVersion, byte(c.Kind), byte(c.Role)}
	b = binary.BigEndian.AppendUint64(b, uint64(c.Expires.Unix()))
	b = append(b, c.Proof[:]...)
	for _, field := range []string{c.Room, c.Stream, c.Endpoint, c.Viewer} {
		if len(field) > maxField {
			return "", fmt.Errorf("%w: %d bytes", ErrField, len(field))
		}
		b = append(append(b, byte(len(field))), field...)
	}
	return base64.RawURLEncoding.EncodeToString(append(b, s.mac(b)...)), nil
}

// Open checks the mark first, in constant time, then the kind and the expiry.
func (s Signer) Open(text string, kind Kind, now time.Time) (Capability, error) {
	if len(text) > maxCapability {
		return Capability{}, ErrBadCapability
	}
	b, err := base64.RawURLEncoding.Strict().DecodeString(text)
	if err != nil || len(b) < sha256.Size {
		return Capability{}, ErrBadCapability
	}
	body, mark := b[:len(b)-sha256.Size], b[len(b)-sha256.Size:]
	if !hmac.Equal(mark, s.mac(body)) {
		return Capability{}, ErrBadCapability
	}
	c, ok := parse(body)
	if !ok || c.Kind != kind {
		return Capability{}, ErrBadCapability
	}
	if !now.Before(c.Expires) {
		return Capability{}, ErrExpired
	}
	return c, nil
}

func (s Signer) mac(body []byte) []byte {
	m := hmac.New(sha256.New, s.secret)
	m.Write(body)
	return m.Sum(nil)
}

func parse(b []byte) (Capability, bool) {
	var c Capability
	const fixed = 3 + 8 + len(c.Proof)
	if len(b) < fixed || b[0] != capabilityVersion {
		return c, false
	}
	c.Kind, c.Role = Kind(b[1]), Role(b[2])
	c.Expires = time.Unix(int64(binary.BigEndian.Uint64(b[3:])), 0)
	copy(c.Proof[:], b[11:])
	b = b[fixed:]
	for _, field := range []*string{&c.Room, &c.Stream, &c.Endpoint, &c.Viewer} {
		if len(b) < 1 {
			return c, false
		}
		end := 1 + int(b[0])
		if len(b) < end {
			return c, false
		}
		*field, b = string(b[1:end]), b[end:]
	}
	return c, len(b) == 0
}
