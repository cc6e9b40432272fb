package seal

import (
	"errors"
	"fmt"
	"unicode"
	"unicode/utf8"
)

// Limits of messages.
const (
	MaxSDP       = 24 << 10 // bytes
	MaxCandidate = 512      // bytes
	MaxName      = 64       // characters
	MaxPassword  = 256      // bytes
	MaxLane      = 3
)

var (
	// ErrBadMessage: no message of the mesh, or one whose members break its rules.
	ErrBadMessage = errors.New("not a message of the mesh")
	// ErrTooLarge: over MaxPlain, MaxSDP or another length.
	ErrTooLarge = errors.New("over a limit of the mesh")
)

// Message is one of the closed set that travels in envelopes; Type is its "type" in JSON.
type Message interface {
	Type() string
	// Check tells whether the members keep the limits; the error wraps ErrBadMessage or ErrTooLarge.
	Check() error
}

// Messages lists one zero value of each message.
func Messages() []Message {
	return []Message{Card{}, Key{}, Ask{}, Wait{}, Admit{}, Refused{}, Offer{}, Answer{}, Candidate{}}
}

// Card is the uploader's, in a group envelope: its keys, before anybody has asked for anything.
type Card struct {
	Key       PublicKey `json:"key"`
	DH        PublicKey `json:"dh"`
	Signature Signature `json:"signature"`
}

// Key is a receiver's agreement key, in a group envelope to a peer that does not know it yet: an offer
// cannot be sealed for somebody whose key one does not have. It gives no right; the token does.
type Key struct {
	DH PublicKey `json:"dh"`
}

// Ask asks the uploader to be let in.
type Ask struct {
	Fingerprint Fingerprint `json:"fingerprint"`
	// Name is what the uploader's person is shown; it may be empty.
	Name string `json:"name"`
	// Password is what the person typed, where one is asked for.
	Password string `json:"password,omitempty"`
}

// Wait tells who asked that the uploader's person has to approve.
type Wait struct{}

// Admit lets in who asked.
type Admit struct {
	Token SignedToken `json:"token"`
}

// Reason says why a peer is not let in, or no longer.
type Reason string

// The reasons.
const (
	ReasonDenied   Reason = "denied"   // by the uploader's person
	ReasonFull     Reason = "full"     // as many receivers as are wanted
	ReasonPassword Reason = "password" // one is asked for, or this one is wrong
	ReasonExpired  Reason = "expired"  // the room is over
	ReasonRemoved  Reason = "removed"  // let in once, and taken back
	ReasonClosed   Reason = "closed"   // the uploader lets nobody in any more
)

// Refused does not let in who asked.
type Refused struct {
	Reason Reason `json:"reason"`
}

// Offer opens an attempt at a connection; Lane is 0 for the first connection of a pair.
type Offer struct {
	Attempt Attempt     `json:"attempt"`
	Lane    uint8       `json:"lane"`
	Token   SignedToken `json:"token"`
	SDP     string      `json:"sdp"`
}

// Answer answers the Offer of that attempt.
type Answer struct {
	Attempt Attempt     `json:"attempt"`
	Token   SignedToken `json:"token"`
	SDP     string      `json:"sdp"`
}

// Candidate adds an ICE candidate to an attempt; an empty one says that there are no more.
type Candidate struct {
	Attempt   Attempt `json:"attempt"`
	Candidate string  `json:"candidate"`
}

// The wire names.

func (Card) Type() string      { return "card" }
func (Key) Type() string       { return "key" }
func (Ask) Type() string       { return "ask" }
func (Wait) Type() string      { return "wait" }
func (Admit) Type() string     { return "token" }
func (Refused) Type() string   { return "refused" }
func (Offer) Type() string     { return "offer" }
func (Answer) Type() string    { return "answer" }
func (Candidate) Type() string { return "candidate" }

const cardContext = "fanfare card v1\x00"

// NewCard signs the uploader's agreement key for a room.
func NewCard(key SigningKey, room string, dh PublicKey) (Card, error) {
	signature, err := key.Sign([]byte(cardContext), []byte(room), []byte{0}, dh[:])
	return Card{Key: key.Public(), DH: dh, Signature: signature}, err
}

// Verify tells by nil that the card is of the uploader whose key hashes to k, else ErrKey (another
// key than the link names) or ErrSignature.
func (c Card) Verify(k KeyHash, room string) error {
	if c.Key.Hash() != k {
		return ErrKey
	}
	return Verify(c.Key, c.Signature, []byte(cardContext), []byte(room), []byte{0}, c.DH[:])
}

// Check implements Message.
func (Card) Check() error { return nil }

// Check implements Message.
func (Key) Check() error { return nil }

// Check implements Message.
func (m Ask) Check() error {
	if len(m.Password) > MaxPassword {
		return large("password")
	}
	return checkName(m.Name)
}

// Check implements Message.
func (Wait) Check() error { return nil }

// Check implements Message.
func (Admit) Check() error { return nil }

// Check implements Message.
func (m Refused) Check() error {
	switch m.Reason {
	case ReasonDenied, ReasonFull, ReasonPassword, ReasonExpired, ReasonRemoved, ReasonClosed:
		return nil
	}
	return bad("reason")
}

// Check implements Message.
func (m Offer) Check() error {
	if m.Lane > MaxLane {
		return bad("lane")
	}
	return checkSDP(m.SDP)
}

// Check implements Message.
func (m Answer) Check() error { return checkSDP(m.SDP) }

// Check implements Message.
func (m Candidate) Check() error {
	if len(m.Candidate) > MaxCandidate {
		return large("candidate")
	}
	for _, r := range m.Candidate {
		if unicode.IsControl(r) { // a line break would begin another line of SDP
			return bad("candidate")
		}
	}
	return nil
}

func checkSDP(sdp string) error {
	switch {
	case sdp == "":
		return bad("sdp")
	case len(sdp) > MaxSDP:
		return large("sdp")
	}
	return nil
}

// checkName refuses what could make a name on the uploader's screen lie about itself.
func checkName(name string) error {
	if utf8.RuneCountInString(name) > MaxName {
		return large("name")
	}
	for _, r := range name {
		if unicode.IsControl(r) || unicode.In(r, unicode.Bidi_Control, unicode.Zl, unicode.Zp) {
			return bad("name")
		}
	}
	return nil
}

func bad(member string) error   { return fmt.Errorf("%w: member %q", ErrBadMessage, member) }
func large(member string) error { return fmt.Errorf("%w: member %q", ErrTooLarge, member) }
