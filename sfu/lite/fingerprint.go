package lite

import (
	"bytes"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
)

// ErrFingerprint: the peer's certificate is not the one that its offer named.
var ErrFingerprint = errors.New("the certificate does not match the offer's fingerprint")

// ErrBadFingerprint: the text is no fingerprint that can be checked.
var ErrBadFingerprint = errors.New("not a usable fingerprint")

// The hash functions, from weak to strong.
const (
	sha256Name = "sha-256"
	sha384Name = "sha-384"
	sha512Name = "sha-512"
)

// Fingerprint is the hash of a certificate (RFC 8122 section 5).
type Fingerprint struct {
	// Algorithm is "sha-256", "sha-384" or "sha-512".
	Algorithm string
	// Value is the hash, 32, 48 or 64 bytes.
	Value []byte
}

// ParseFingerprint reads the value of an a=fingerprint line, "sha-256 AB:CD:…". Errors
// wrap ErrBadFingerprint; hash functions that are broken or unknown are errors too.
func ParseFingerprint(text string) (Fingerprint, error) {
	name, digits, found := strings.Cut(strings.TrimSpace(text), " ")
	f := Fingerprint{}
	size := 0
	switch strings.ToLower(name) {
	case sha256Name:
		f.Algorithm, size = sha256Name, sha256.Size
	case sha384Name:
		f.Algorithm, size = sha384Name, sha512.Size384
	case sha512Name:
		f.Algorithm, size = sha512Name, sha512.Size
	}
	if !found || size == 0 {
		return Fingerprint{}, fmt.Errorf("%w: hash function", ErrBadFingerprint)
	}
	if len(digits) != 3*size-1 {
		return Fingerprint{}, fmt.Errorf("%w: length", ErrBadFingerprint)
	}
	f.Value = make([]byte, size)
	for i := range f.Value {
		pair := digits[3*i:]
		if _, err := hex.Decode(f.Value[i:i+1], []byte(pair[:2])); err != nil || len(pair) > 2 && pair[2] != ':' {
			return Fingerprint{}, fmt.Errorf("%w: digits", ErrBadFingerprint)
		}
	}
	return f, nil
}

// String is the value of an a=fingerprint line.
func (f Fingerprint) String() string {
	var b strings.Builder
	b.WriteString(f.Algorithm)
	for i, x := range f.Value {
		sep := byte(':')
		if i == 0 {
			sep = ' '
		}
		b.WriteByte(sep)
		fmt.Fprintf(&b, "%02X", x)
	}
	return b.String()
}

// hashCertificate hashes a DER certificate; nil for an unknown function.
func hashCertificate(algorithm string, der []byte) []byte {
	switch algorithm {
	case sha256Name:
		h := sha256.Sum256(der)
		return h[:]
	case sha384Name:
		h := sha512.Sum384(der)
		return h[:]
	case sha512Name:
		h := sha512.Sum512(der)
		return h[:]
	}
	return nil
}

// matchFingerprint checks a certificate against an offer's fingerprints: with the
// strongest hash function among them only, and one of its values must match (RFC 8122
// section 5). Without a fingerprint nothing matches.
func matchFingerprint(der []byte, offered []Fingerprint) bool {
	strongest := ""
	for _, f := range offered {
		strongest = max(strongest, f.Algorithm) // the names sort by strength
	}
	hash := hashCertificate(strongest, der)
	for _, f := range offered {
		if hash != nil && f.Algorithm == strongest && bytes.Equal(f.Value, hash) {
			return true
		}
	}
	return false
}
