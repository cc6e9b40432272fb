package msg

import (
	"errors"
	"fmt"
	"unicode"
	"unicode/utf8"
)

// Errors of decoding and checking. CodeOf maps them to wire codes.
var (
	// ErrBadMessage: no message of this protocol, or one whose members break its rules.
	ErrBadMessage = errors.New("not a message of this protocol")
	// ErrTooLarge: over MaxMessage, MaxSealed, MaxTitle or another length.
	ErrTooLarge = errors.New("over a limit of this protocol")
)

// maxSecret bounds keys, passwords and resume tokens, in bytes. bcrypt reads 72 bytes of a
// password; a longer one would be cut in silence, so passwords have a limit of their own.
const (
	maxSecret  = 512
	maxAddress = 64 // an endpoint identifier
	// MaxPassword is the longest viewer password, in bytes.
	MaxPassword = 72
	// MaxRoster is the longest list of peers that is told; the newest are in it.
	MaxRoster = 500
	// ViewerLength is the length of a viewer identifier: 128 bits in base64url.
	ViewerLength = 22
)

// CodeOf maps an error of this package to its wire code; CodeInternal for all others.
func CodeOf(err error) Code {
	switch {
	case errors.Is(err, ErrTooLarge):
		return CodeTooLarge
	case errors.Is(err, ErrBadMessage):
		return CodeBadMessage
	default:
		return CodeInternal
	}
}

// ValidName tells whether a text can name a stream or a room: 1 to MaxName of [A-Za-z0-9_-].
func ValidName(name string) bool {
	return len(name) >= 1 && len(name) <= MaxName && urlSafe(name)
}

// Check implements ClientMessage. The version is not judged here: a newer page may have
// members that this server does not know, and must still learn that it has to reload.
func (m Hello) Check() error {
	switch {
	case m.Room.Kind != RoomStream && m.Room.Kind != RoomFiles:
		return bad("room.kind")
	case m.Room.Name != "" && !ValidName(m.Room.Name):
		return bad("room.name")
	case m.Role != RolePublisher && m.Role != RoleSubscriber:
		return bad("role")
	case m.Viewer != "" && (len(m.Viewer) != ViewerLength || !urlSafe(m.Viewer)):
		return bad("viewer")
	case len(m.Token) > maxSecret:
		return large("token")
	case len(m.Password) > MaxPassword:
		return large("password")
	case len(m.Resume) > maxSecret:
		return large("resume")
	}
	return m.checkFiles()
}

// Check implements ClientMessage.
func (m SetState) Check() error {
	switch m.State {
	case StateLive, StatePaused, StateSeeking:
	default:
		return bad("state")
	}
	if utf8.RuneCountInString(m.Title) > MaxTitle {
		return large("title")
	}
	for _, r := range m.Title {
		// Control and direction-changing characters could make a title lie about itself.
		if unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r) {
			return bad("title")
		}
	}
	return nil
}

// Check implements ClientMessage.
func (Stop) Check() error { return nil }

// Check implements ClientMessage.
func (m Remove) Check() error { return checkEndpoint("endpoint", m.Endpoint) }

// Check implements ClientMessage.
func (ChangeLink) Check() error { return nil }

// Check implements ClientMessage.
func (m SetAccess) Check() error {
	if m.Password != nil && len(*m.Password) > MaxPassword {
		return large("password")
	}
	return nil
}

// Check implements ClientMessage.
func (m Send) Check() error {
	if err := checkEndpoint("to", m.To); err != nil {
		return err
	}
	switch {
	case m.Sealed == "" || !urlSafe(m.Sealed):
		return bad("sealed")
	case len(m.Sealed) > MaxSealed:
		return large("sealed")
	}
	return nil
}

// Check implements ClientMessage.
func (Ping) Check() error { return nil }

func checkEndpoint(member, id string) error {
	if id == "" || len(id) > maxAddress || !urlSafe(id) {
		return bad(member)
	}
	return nil
}

// urlSafe tells whether a text is of the base64url alphabet (RFC 4648 section 5), unpadded.
func urlSafe(s string) bool {
	for i := range len(s) {
		c := s[i]
		switch {
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9', c == '-', c == '_':
		default:
			return false
		}
	}
	return true
}

func bad(member string) error   { return fmt.Errorf("%w: member %q", ErrBadMessage, member) }
func large(member string) error { return fmt.Errorf("%w: member %q", ErrTooLarge, member) }
