package seal

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/binary"
	"errors"
	"fmt"
	"time"
)

// TokenSize is the length of a signed token in bytes.
const TokenSize = 256

// SignedToken is a token as it travels.
type SignedToken [TokenSize]byte

// Rights say what the holder of a token may do.
type Rights uint8

// The rights.
const (
	Receive   Rights = 1 << iota // ask for leaves
	PassOn                       // be asked for leaves
	Uploader                     // be the uploader; serial 0 and nobody else
	allRights = Receive | PassOn | Uploader
)

// The reasons to refuse a token, in the order in which they are looked for.
var (
	ErrTokenForm      = errors.New("not a token")
	ErrTokenRoom      = errors.New("the token is for another room")
	ErrTokenKey       = errors.New("the token is not of this link's uploader")
	ErrTokenSignature = errors.New("the token was changed")
	ErrTokenExpired   = errors.New("the token has expired")
	ErrTokenRights    = errors.New("the token does not give this right")
)

// maxExpiry is what a number of JavaScript holds without loss.
const maxExpiry = 1<<53 - 1

// Token admits one peer to a room: it binds its agreement key to its DTLS certificate.
type Token struct {
	Room        RoomID
	Serial      uint32 // of this admission; 0 is the uploader's own
	Expiry      uint64 // seconds since the epoch; good until then
	Rights      Rights
	DH          PublicKey
	Fingerprint Fingerprint
	Key         PublicKey // the uploader's, which must hash to K of the link
}

// RoomID is the room in tokens and revocations: the first half of the hash of its name.
type RoomID [16]byte

// IDOf is the RoomID of a room's name.
func IDOf(room string) RoomID {
	sum := sha256.Sum256([]byte(room))
	return RoomID(sum[:len(RoomID{})])
}

// Where the members are.
const (
	tokenVersion     = 1
	atRoom           = 1
	atSerial         = 17
	atExpiry         = 21
	atRights         = 29
	atDH             = 30
	atFingerprint    = 95
	atKey            = 127
	atTokenSignature = 192
)

// Sign writes the token and signs it; Key is set to the signer's. It fails with ErrTokenForm when
// Check would.
func (t Token) Sign(key SigningKey) (SignedToken, error) {
	t.Key = key.Public()
	if err := t.check(); err != nil {
		return SignedToken{}, err
	}
	var s SignedToken
	s[0] = tokenVersion
	copy(s[atRoom:], t.Room[:])
	binary.BigEndian.PutUint32(s[atSerial:], t.Serial)
	binary.BigEndian.PutUint64(s[atExpiry:], t.Expiry)
	s[atRights] = byte(t.Rights)
	copy(s[atDH:], t.DH[:])
	copy(s[atFingerprint:], t.Fingerprint[:])
	copy(s[atKey:], t.Key[:])
	signature, err := key.Sign([]byte(tokenContext), s[:atTokenSignature])
	copy(s[atTokenSignature:], signature[:])
	return s, err
}

const tokenContext = "fanfare token v1\x00"

// ParseToken reads a token without judging who signed it. It fails with ErrTokenForm.
func ParseToken(s SignedToken) (Token, error) {
	t := Token{
		Room:        RoomID(s[atRoom:]),
		Serial:      binary.BigEndian.Uint32(s[atSerial:]),
		Expiry:      binary.BigEndian.Uint64(s[atExpiry:]),
		Rights:      Rights(s[atRights]),
		DH:          PublicKey(s[atDH:]),
		Fingerprint: Fingerprint(s[atFingerprint:]),
		Key:         PublicKey(s[atKey:]),
	}
	if s[0] != tokenVersion {
		return Token{}, fmt.Errorf("%w: version %d", ErrTokenForm, s[0])
	}
	return t, t.check()
}

// check: the rights are known ones, and serial 0 is the uploader's and nobody else's.
func (t Token) check() error {
	switch {
	case t.Rights == 0 || t.Rights&^allRights != 0:
		return fmt.Errorf("%w: rights %#x", ErrTokenForm, uint8(t.Rights))
	case (t.Rights&Uploader != 0) != (t.Serial == 0):
		return fmt.Errorf("%w: serial %d with rights %#x", ErrTokenForm, t.Serial, uint8(t.Rights))
	case t.Expiry > maxExpiry:
		return fmt.Errorf("%w: expiry %d", ErrTokenForm, t.Expiry)
	}
	return nil
}

// Verify reads a token and tells whether it is good: of this room, of the uploader whose key
// hashes to k, not expired at now, with all the rights in need. Whether it was revoked is
// Revocations' to say, whether its holder is at the other end HELLO's.
func (s SignedToken) Verify(k KeyHash, room string, now time.Time, need Rights) (Token, error) {
	t, err := ParseToken(s)
	if err != nil {
		return Token{}, err
	}
	switch hash := t.Key.Hash(); {
	case t.Room != IDOf(room):
		return Token{}, ErrTokenRoom
	case subtle.ConstantTimeCompare(hash[:], k[:]) != 1:
		return Token{}, ErrTokenKey
	case Verify(t.Key, Signature(s[atTokenSignature:]), []byte(tokenContext), s[:atTokenSignature]) != nil:
		return Token{}, ErrTokenSignature
	case now.Unix() >= int64(t.Expiry): // no overflow: Expiry is at most maxExpiry
		return Token{}, ErrTokenExpired
	case t.Rights&need != need:
		return Token{}, ErrTokenRights
	}
	return t, nil
}

// MarshalText implements encoding.TextMarshaler: base64url, as in messages.
func (s SignedToken) MarshalText() ([]byte, error) { return encodeText(s[:]), nil }

// UnmarshalText implements encoding.TextUnmarshaler.
func (s *SignedToken) UnmarshalText(text []byte) error { return decodeText(s[:], text) }
