package msg

import (
	"encoding/base64"
	"strconv"
)

// Limits of rooms of kind files (docs/MESH.md, section 8). Times are in seconds.
const (
	MaxFilesMembers = 64 // members of a room, the uploader included
	FilesLife       = 86400
	MaxFilesLife    = 604800
	MinFilesLife    = 60
	CodeLife        = 600 // of a short code
	MaxCodeFailures = 5   // after which a short code is dead
	MaxCodeNumber   = 9999
	EntryLife       = 60     // in the antechamber of a room
	MaxEntries      = 5      // at a time in the antechamber of a room
	MaxRelayMessage = 131072 // bytes of one message on the relay's WebSocket
)

// hashLength is a SHA-256 in base64url.
const hashLength = 43

// FilesTerms are what the uploader sets for a room of files. At the opening, absent members get
// their defaults; later they stay as they are.
type FilesTerms struct {
	// Verifier is the hash of "join" (docs/MESH.md, section 1), 43 characters of base64url. Until
	// there is one, nobody but the uploader comes in.
	Verifier string `json:"verifier,omitempty"`
	// Members is the most members at a time, the uploader included: 2 to 64, 64 by default.
	Members int `json:"members,omitempty"`
	// Life is how long the room is open from now on, in seconds: 60 to 604800, 86400 by default.
	Life int `json:"life,omitempty"`
}

// Files tells members of a room of files what holds for it: in Welcome, and when it has changed.
type Files struct {
	// Owner is the uploader's endpoint, absent while there is none.
	Owner string `json:"owner,omitempty"`
	// Expires is when the room ends, ms since the epoch by the server's clock.
	Expires int64 `json:"expires"`
	// Members is the most members at a time.
	Members int `json:"members"`
	// Entry is set in the antechamber, where nothing but the uploader can be reached.
	Entry bool `json:"entry,omitempty"`
	// Relay is the token for the first message on /f/{room}/relay, absent where there is no relay.
	Relay string `json:"relay,omitempty"`
	// TURN are servers that carry what has no direct path, absent where the operator has none.
	TURN []TURNServer `json:"turn,omitempty"`
}

// TURNServer is a server of RFC 8656, told to members alone.
type TURNServer struct {
	// URL is that of RFC 7065, for example "turn:turn.example.org:3478?transport=udp".
	URL        string `json:"url"`
	Username   string `json:"username"`
	Credential string `json:"credential"`
}

// SetFiles changes what holds for a room of files (uploader).
type SetFiles struct {
	Terms FilesTerms `json:"terms"`
}

// Member is one endpoint of a room of files.
type Member struct {
	Endpoint string `json:"endpoint"`
	Role     Role   `json:"role"`
	// Order counts those who have come, from 1 on.
	Order int `json:"order"`
	// Near is equal for members behind one public address, and tells nothing else.
	Near string `json:"near"`
}

// Members tells every member of a room of files who else is there: all of them after Welcome, then
// what has changed (at most twice a second). The receiver is in the list, too.
type Members struct {
	// All is set when Joined is the whole list, and not what has changed.
	All bool `json:"all,omitempty"`
	// Joined are members that came or changed; some may be known already.
	Joined []Member `json:"joined,omitempty"`
	// Left are endpoints that have gone from the server; peers may still be connected to them.
	Left []string `json:"left,omitempty"`
	// Neighbours are the members to connect to: the server's hint, symmetric, at most 8.
	Neighbours []string `json:"neighbours"`
}

// Undelivered tells the sender of an envelope that it did not arrive.
type Undelivered struct {
	To string `json:"to"`
	// Code is not-found when the other side has gone, rate when it is slow: send again in a moment.
	Code Code `json:"code"`
}

// OpenCode asks for a number for a short code (uploader). The answer is ShortCode; an older number ends.
type OpenCode struct{}

// EndCode ends the short code (uploader).
type EndCode struct{}

// CodeFailed tells that an endpoint in the antechamber did not know the words (uploader). It is put
// out, and after five the code is dead.
type CodeFailed struct {
	Endpoint string `json:"endpoint"`
}

// ShortCode tells the uploader the number by which the room is found.
type ShortCode struct {
	Number string `json:"number"`
	// Until is when it ends by itself, ms since the epoch by the server's clock.
	Until int64 `json:"until"`
	// Failures are the entries that did not know the words.
	Failures int `json:"failures,omitempty"`
}

// CodeEnd is why a short code has ended.
type CodeEnd string

// The reasons.
const (
	CodeEndAsked    CodeEnd = "asked"    // the uploader ended it, or asked for another
	CodeEndExpired  CodeEnd = "expired"  // ten minutes have passed
	CodeEndFailures CodeEnd = "failures" // five entries did not know the words
)

// CodeEnded tells the uploader that a short code is of no use any more.
type CodeEnded struct {
	Number string  `json:"number"`
	Reason CodeEnd `json:"reason"`
}

// Relay is the first message on /f/{room}/relay, the only one of text.
type Relay struct {
	// Token is that of Files.
	Token string `json:"token"`
	// Pair is known to the two who want to be joined, and to nobody else: 22 characters of base64url.
	Pair string `json:"pair"`
}

// Relayed tells both sides that they are joined: every binary message from now on goes to the other.
type Relayed struct {
	// Peer is the endpoint of the other side.
	Peer string `json:"peer"`
}

// Check tells whether the terms keep the limits.
func (t FilesTerms) Check() error {
	switch {
	case t.Verifier != "" && !isHash(t.Verifier):
		return bad("verifier")
	case t.Members != 0 && (t.Members < 2 || t.Members > MaxFilesMembers):
		return bad("members")
	case t.Life != 0 && (t.Life < MinFilesLife || t.Life > MaxFilesLife):
		return bad("life")
	}
	return nil
}

// isHash is strict: of several texts for one hash only the canonical one is taken.
func isHash(text string) bool {
	_, err := base64.RawURLEncoding.Strict().DecodeString(text)
	return err == nil && len(text) == hashLength
}

// ValidNumber tells whether a text is the number of a short code: 1 to 9999, written in one way.
func ValidNumber(text string) bool {
	n, err := strconv.Atoi(text)
	return err == nil && n >= 1 && n <= MaxCodeNumber && strconv.Itoa(n) == text
}

// checkFiles judges the members of a Hello that only rooms of files have.
func (m Hello) checkFiles() error {
	switch {
	case m.Files != nil && (m.Room.Kind != RoomFiles || m.Role != RolePublisher):
		return bad("files")
	case m.Files != nil:
		return m.Files.Check()
	case m.Code == "":
		return nil
	case m.Room.Kind != RoomFiles || m.Role != RoleSubscriber || m.Room.Name != "" || !ValidNumber(m.Code):
		return bad("code")
	}
	return nil
}

// Check implements ClientMessage.
func (m SetFiles) Check() error { return m.Terms.Check() }

// Check implements ClientMessage.
func (OpenCode) Check() error { return nil }

// Check implements ClientMessage.
func (EndCode) Check() error { return nil }

// Check implements ClientMessage.
func (m CodeFailed) Check() error { return checkEndpoint("endpoint", m.Endpoint) }

// Check implements ClientMessage.
func (m Relay) Check() error {
	switch {
	case m.Token == "" || len(m.Token) > maxSecret:
		return bad("token")
	case len(m.Pair) != ViewerLength || !urlSafe(m.Pair):
		return bad("pair")
	}
	return nil
}
