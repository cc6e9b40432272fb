package lite

import (
	"crypto/rand"
	"encoding/base64"
	"strings"
)

// Credentials are the ICE user name fragment and password of one side (RFC 8839
// section 5.4).
type Credentials struct{ Ufrag, Pwd string }

// NewCredentials makes credentials of 72 and 192 random bits. Base64's alphabet is that of
// ice-char.
func NewCredentials() Credentials {
	var b [33]byte
	_, _ = rand.Read(b[:]) // never fails
	return Credentials{
		Ufrag: base64.RawStdEncoding.EncodeToString(b[:9]),
		Pwd:   base64.RawStdEncoding.EncodeToString(b[9:]),
	}
}

// Valid tells whether both have the characters and lengths of RFC 8839 section 5.4: 4 to
// 256 and 22 to 256 ice-chars.
func (c Credentials) Valid() bool {
	return iceChars(c.Ufrag, 4) && iceChars(c.Pwd, 22)
}

func iceChars(s string, least int) bool {
	if len(s) < least || len(s) > 256 {
		return false
	}
	for _, r := range s {
		alnum := r >= '0' && r <= '9' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z'
		if !alnum && r != '+' && r != '/' {
			return false
		}
	}
	return true
}

// clone frees the credentials from the text that they were cut from.
func (c Credentials) clone() Credentials {
	return Credentials{Ufrag: strings.Clone(c.Ufrag), Pwd: strings.Clone(c.Pwd)}
}
