package lite

import (
	"crypto/tls"
	"errors"
	"time"
)

// Errors of handshakes.
var (
	// ErrBusy: the queue of handshakes is full.
	ErrBusy = errors.New("too many handshakes are waiting")
	// ErrHandshakeTimeout: the handshake was not done in time, in the queue or after it.
	ErrHandshakeTimeout = errors.New("the handshake took too long")
	// ErrHandshakeCancelled: cancelled by its owner, or the Handshaker was closed.
	ErrHandshakeCancelled = errors.New("the handshake was cancelled")
)

// Profile is an SRTP protection profile (RFC 5764 section 4.1.2, RFC 7714 section 14.2).
type Profile uint16

// The profiles that a leg speaks, in order of preference.
const (
	ProfileGCM Profile = 0x0007 // AEAD_AES_128_GCM
	ProfileCM  Profile = 0x0001 // AES128_CM_HMAC_SHA1_80
)

// String returns the registered name.
func (p Profile) String() string {
	switch p {
	case ProfileGCM:
		return "AEAD_AES_128_GCM"
	case ProfileCM:
		return "AES128_CM_HMAC_SHA1_80"
	}
	return "none"
}

// HandshakerConfig sets up a Handshaker.
type HandshakerConfig struct {
	// Send sends one datagram of a handshake at once. It is called from several
	// goroutines and must not keep b.
	Send func(b []byte, p Path)
	// Certificate is the process's own; when it holds none, NewHandshaker makes one.
	Certificate tls.Certificate
	// InFlight is how many handshakes run at once; 0 means 4 for each CPU, at least 16.
	InFlight int
	// Queue is how many more may wait; 0 means 1,024.
	Queue int
	// Timeout is for a handshake from Begin to its end, the time in the queue
	// included; 0 means 10 s.
	Timeout time.Duration
	// Patience is how long a running handshake waits for the peer's next datagram
	// before it gives its place away; 0 means 3 s.
	Patience time.Duration
}

// Handshaker runs DTLS handshakes as the server (RFC 5764). It is safe for concurrent use.
type Handshaker struct{}

// NewHandshaker starts a Handshaker; Close stops it.
func NewHandshaker(cfg HandshakerConfig) (*Handshaker, error) { return nil, nil }

// Fingerprint is that of our certificate, for the answer.
func (h *Handshaker) Fingerprint() Fingerprint { return Fingerprint{} }

// Begin queues a handshake with a peer whose certificate must match one of the
// fingerprints. done is called exactly once, from another goroutine, unless Begin
// itself fails with ErrBusy or ErrHandshakeCancelled; it must not block for long.
func (h *Handshaker) Begin(peer []Fingerprint, done func(Result)) (*Handshake, error) {
	return nil, ErrBusy
}

// Close cancels all handshakes, calls their done and waits for the goroutines.
func (h *Handshaker) Close() error { return nil }

// Handshake is one handshake that waits or runs.
type Handshake struct{}

// Feed gives it a datagram of the peer; answers go to the path of the newest one. It
// copies b and never blocks; a datagram too many is dropped, as a network would.
func (s *Handshake) Feed(b []byte, from Path) {}

// Cancel ends it; done is called with ErrHandshakeCancelled unless it ended before.
func (s *Handshake) Cancel() {}

// Result is what is left of a handshake: all that a leg needs, and no connection.
type Result struct {
	// Err is nil when the leg may connect. ErrFingerprint closes the leg; after any
	// other error the peer may try again.
	Err error
	// Profile is what was negotiated.
	Profile Profile

	keys        exportedKeys
	lastFlight  []byte
	closeNotify []byte
	alertKey    [16]byte
	alertIV     [4]byte
}

// exportedKeys are the master keys and salts of RFC 5764 section 4.2; salts of the GCM
// profile fill 12 of the 14 bytes.
type exportedKeys struct {
	clientKey, serverKey   [16]byte
	clientSalt, serverSalt [14]byte
}
