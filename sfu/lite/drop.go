package lite

import "errors"

// Errors of sealing. They are fixed values, so that refusing costs nothing.
var (
	// ErrNotConnected: there are no keys, or the leg has ended.
	ErrNotConnected = errors.New("the leg is not connected")
	// ErrIndexUsed: the sequence number was used already, or is too old to know.
	ErrIndexUsed = errors.New("the packet index was used already")
	// ErrIndexUnused: the packet was not sent, or too long ago, or its source is not repeated.
	ErrIndexUnused = errors.New("the packet index has not been used")
	// ErrNotTheSame: another packet went out under this number.
	ErrNotTheSame = errors.New("the packet is not the one that was sent")
	// ErrTooManySources: more than MaxSources SSRCs.
	ErrTooManySources = errors.New("too many sources on one leg")
	// ErrBadPacket: shorter than the fixed header.
	ErrBadPacket = errors.New("the packet is too short")
	// ErrKeyExhausted: all indices of the key are used (RFC 3711 section 9.2).
	ErrKeyExhausted = errors.New("the key is exhausted")
)

// DropReason says why a datagram was thrown away. It is a metric's label.
type DropReason uint8

// The reasons to throw a datagram away.
const (
	DropNone             DropReason = iota
	DropUnknown                     // neither STUN, DTLS, RTP nor RTCP
	DropClosed                      // the leg has ended
	DropSTUNMalformed               // cannot be parsed, or no FINGERPRINT or a wrong one
	DropSTUNType                    // no Binding request
	DropSTUNUsername                // not for this leg's credentials
	DropSTUNIntegrity               // MESSAGE-INTEGRITY missing or wrong
	DropSTUNRole                    // role conflict, answered with 487
	DropSTUNAttribute               // an attribute that must be understood and is not, answered with 420
	DropUncheckedAddress            // DTLS or SRTCP from an address that passed no check
	DropDTLSMalformed               // no whole record
	DropDTLSUnexpected              // no ClientHello to begin with, or data after the handshake
	DropDTLSRepeat                  // the last flight was repeated a moment ago
	DropDTLSAlert                   // an alert that is not authentic or means nothing
	DropRTP                         // viewers send no RTP
	DropNotConnected                // SRTCP before the keys are there
	DropRTCPShort                   // too short for its headers
	DropRTCPAuth                    // not authentic
	DropRTCPReplay                  // seen before, or too old to know
	DropRTCPSenders                 // too many sender SSRCs
	NumDropReasons                  // how many there are
)

var dropNames = [NumDropReasons]string{
	"none", "unknown", "closed", "stun_malformed", "stun_type", "stun_username", "stun_integrity",
	"stun_role", "stun_attribute", "unchecked_address", "dtls_malformed", "dtls_unexpected",
	"dtls_repeat", "dtls_alert", "rtp", "not_connected", "rtcp_short", "rtcp_auth", "rtcp_replay",
	"rtcp_senders",
}

// String returns the name for metrics, in snake case.
func (d DropReason) String() string {
	if d < NumDropReasons {
		return dropNames[d]
	}
	return dropNames[DropUnknown]
}
