package lite

import "errors"

// ErrFingerprint: the peer's certificate is not the one that its offer named.
var ErrFingerprint = errors.New("the certificate does not match the offer's fingerprint")

// ErrBadFingerprint: the text is no fingerprint that can be checked.
var ErrBadFingerprint = errors.New("not a usable fingerprint")

// Fingerprint is the hash of a certificate (RFC 8122 section 5).
type Fingerprint struct {
	// Algorithm is "sha-256", "sha-384" or "sha-512".
	Algorithm string
	// Value is the hash, 32, 48 or 64 bytes.
	Value []byte
}

// ParseFingerprint reads the value of an a=fingerprint line, "sha-256 AB:CD:…". Errors
// wrap ErrBadFingerprint.
func ParseFingerprint(text string) (Fingerprint, error) { return Fingerprint{}, ErrBadFingerprint }

// String is the value of an a=fingerprint line.
func (f Fingerprint) String() string { return "" }
