package seal

import (
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"time"
)

// The reasons to refuse a peer whose token is good in itself.
var (
	ErrRevoked  = errors.New("the uploader removed this peer")
	ErrHolder   = errors.New("the token is another peer's")
	ErrSDP      = errors.New("the SDP has not exactly one certificate by SHA-256")
	errNoDigest = fmt.Errorf("%w: a fingerprint that cannot be read", ErrSDP)
)

// Gate is what a peer judges others by, before it reads anything else of an offer or an answer.
type Gate struct {
	Room    string
	Key     KeyHash     // K of the link
	Revoked Revocations // the newest list that is known
}

// Admit tells whether a peer may connect: its token is good, gives what is needed and was not taken
// back; it sealed with the token's agreement key, dh; and its SDP has the token's certificate and no
// other. It fails with an error of SignedToken.Verify, then ErrRevoked, ErrSDP or ErrHolder.
func (g Gate) Admit(token SignedToken, dh PublicKey, sdp string, now time.Time, need Rights) (Token, error) {
	t, err := token.Verify(g.Key, g.Room, now, need)
	if err != nil {
		return Token{}, err
	}
	if g.Revoked.Has(t.Serial) {
		return Token{}, ErrRevoked
	}
	fingerprint, err := SDPFingerprint(sdp)
	if err != nil {
		return Token{}, err
	}
	if t.DH != dh || t.Fingerprint != fingerprint {
		return Token{}, ErrHolder
	}
	return t, nil
}

// SDPFingerprint is the one fingerprint of an SDP (RFC 8122, section 5), which may stand on several
// levels. Another hash than SHA-256 and a second certificate are refused with ErrSDP: a browser
// would take any of them. Attributes are found in any case, so that no reader is more tolerant.
func SDPFingerprint(sdp string) (Fingerprint, error) {
	var found []Fingerprint
	for line := range strings.FieldsFuncSeq(sdp, func(r rune) bool { return r == '\r' || r == '\n' }) {
		name, value, _ := strings.Cut(line, ":")
		if !strings.EqualFold(strings.Join(strings.Fields(name), ""), "a=fingerprint") {
			continue
		}
		f, err := parseFingerprint(value)
		if err != nil {
			return Fingerprint{}, err
		}
		found = append(found, f)
	}
	if len(found) == 0 {
		return Fingerprint{}, fmt.Errorf("%w: none", ErrSDP)
	}
	for _, f := range found {
		if f != found[0] {
			return Fingerprint{}, fmt.Errorf("%w: two", ErrSDP)
		}
	}
	return found[0], nil
}

// parseFingerprint reads "sha-256 AB:CD:…".
func parseFingerprint(value string) (Fingerprint, error) {
	var f Fingerprint
	hash, digits, _ := strings.Cut(value, " ")
	parts := strings.Split(digits, ":")
	if !strings.EqualFold(hash, "sha-256") || len(parts) != len(f) {
		return f, errNoDigest
	}
	for i, part := range parts {
		octet, err := hex.DecodeString(part)
		if err != nil || len(octet) != 1 {
			return f, errNoDigest
		}
		f[i] = octet[0]
	}
	return f, nil
}

// String is the fingerprint as SDP writes it, without the name of the hash.
func (f Fingerprint) String() string {
	parts := make([]string, len(f))
	for i, octet := range f {
		parts[i] = fmt.Sprintf("%02X", octet)
	}
	return strings.Join(parts, ":")
}
