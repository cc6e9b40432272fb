// Package msg is the closed set of messages on /ws, their limits and the wire error codes.
//
// Each message is one JSON object in one WebSocket text message with the member "type".
// The TypeScript twin (web/src/signal/msg.gen.ts) is generated from this package;
// docs/PROTOCOL.md shows each message by an example that a test reads.
//
// It does no IO and keeps no state.
package msg

// Version of this protocol; a Hello with another one is refused with CodeVersion.
const Version = 1

// Limits.
const (
	MaxMessage = 64 << 10 // bytes of one WebSocket message
	MaxSealed  = 48 << 10 // characters of one sealed envelope (base64url)
	MaxName    = 64       // characters of a stream's or room's name
	MaxTitle   = 120      // characters of a title
)

// RoomKind tells what a room is for.
type RoomKind string

// The kinds of room.
const (
	RoomStream RoomKind = "stream" // one publisher, many subscribers, media through the relay
	RoomFiles  RoomKind = "files"  // peers of a file swarm
)

// Role is what an endpoint asks to be in a room.
type Role string

// The roles.
const (
	RolePublisher  Role = "publisher"
	RoleSubscriber Role = "subscriber"
)

// StreamState is what the stream does now, as told to people.
type StreamState string

// The states of a stream.
const (
	StateIdle    StreamState = "idle"    // not live yet
	StateLive    StreamState = "live"    //
	StatePaused  StreamState = "paused"  // the uploader paused the file
	StateSeeking StreamState = "seeking" // the uploader moves in the file
	StateAway    StreamState = "away"    // the publisher's connection is lost: back in a moment
	StateEnded   StreamState = "ended"   // the uploader stopped
)

// Code is a stable error or notice code; the text beside it is for people.
type Code string

// The wire codes.
const (
	CodeBadMessage   Code = "bad-message"  // not a message of this protocol
	CodeVersion      Code = "version"      // the page is older or newer than the server: reload
	CodeUnauthorised Code = "unauthorised" // no or wrong key
	CodePassword     Code = "password"     // the stream wants a password, or this one is wrong
	CodeForbidden    Code = "forbidden"    // this role may not do that
	CodeRemoved      Code = "removed"      // the owner removed this viewer
	CodeNotFound     Code = "not-found"    // no such room or endpoint
	CodeRate         Code = "rate"         // too fast; RetryAfter says when
	CodeTooLarge     Code = "too-large"    // over a limit
	CodeFull         Code = "full"         // the room or the server is full
	CodeInternal     Code = "internal"     // our fault
	CodeShutdown     Code = "shutdown"     // the server stops or restarts
	CodeExpired      Code = "expired"      // the room's time is over
	CodeClosed       Code = "closed"       // the uploader closed the room
)

// RoomRef names a room.
type RoomRef struct {
	Kind RoomKind `json:"kind"`
	// Name is the stream's or room's name. A publisher may leave it empty: the server
	// makes an unguessable one.
	Name string `json:"name"`
}

// Hello is the first message of an endpoint.
type Hello struct {
	Version int     `json:"version"`
	Room    RoomRef `json:"room"`
	Role    Role    `json:"role"`
	// Token is the publish key or a stream key (publishers).
	Token string `json:"token,omitempty"`
	// Password is the viewer password, where the stream has one; in a room of files it is "join".
	Password string `json:"password,omitempty"`
	// Viewer is a random identifier (base64url, 22 characters) that the page keeps, so that
	// a removed viewer stays removed.
	Viewer string `json:"viewer,omitempty"`
	// Resume is the Resume of an earlier Welcome: the endpoint gets its old identifier back.
	Resume string `json:"resume,omitempty"`
	// Files opens a room of files (publishers); without it, only one that is open is entered.
	Files *FilesTerms `json:"files,omitempty"`
	// Code is the number of a short code, in place of the room's name and of "join".
	Code string `json:"code,omitempty"`
}

// SetState is the publisher's word on what the stream does: live, paused or seeking.
type SetState struct {
	State StreamState `json:"state"`
	Title string      `json:"title,omitempty"`
}

// Stop ends the stream for everyone (owner).
type Stop struct{}

// Remove removes an endpoint from the room for good (owner).
type Remove struct {
	Endpoint string `json:"endpoint"`
}

// ChangeLink gives the stream a new name; the old one ends (owner). The answer is Moved.
type ChangeLink struct{}

// SetAccess changes who may watch (owner). Absent members stay as they are.
type SetAccess struct {
	// Password: empty removes it.
	Password *string `json:"password,omitempty"`
	// Embed allows other sites to embed the watch page.
	Embed *bool `json:"embed,omitempty"`
}

// Send asks the server to carry a sealed envelope to another endpoint of the room.
type Send struct {
	To     string `json:"to"`
	Sealed string `json:"sealed"`
}

// Ping measures round trip and clock offset (NTP's way). Sent is the sender's clock in ms since the epoch.
type Ping struct {
	Sent float64 `json:"sent"`
}

// Welcome answers Hello.
type Welcome struct {
	Endpoint string  `json:"endpoint"`
	Room     RoomRef `json:"room"`
	Role     Role    `json:"role"`
	// Instance changes when the server restarts: sessions of an older one are gone.
	Instance string `json:"instance"`
	// Resume gets the same endpoint identifier again after a lost connection.
	Resume string `json:"resume"`
	// MediaToken is the bearer token for WHIP (publisher) or WHEP (subscriber).
	MediaToken string `json:"mediaToken"`
	// MediaURL is the path of the WHIP or WHEP resource: "/whip/{stream}" or "/whep/{stream}".
	MediaURL string `json:"mediaUrl"`
	// PublicURL is the origin that links and QR codes should have, for example "http://192.0.2.7:8080".
	PublicURL string `json:"publicUrl"`
	// STUN is the address (host:port) of the server's own STUN answerer; an empty host means the page's host.
	STUN   string `json:"stun,omitempty"`
	Stream *State `json:"stream,omitempty"`
	// Viewers is the number of connected viewers.
	Viewers int `json:"viewers"`
	// Access is told to owners only.
	Access *Access `json:"access,omitempty"`
	// Files is told in rooms of files.
	Files *Files `json:"files,omitempty"`
}

// State tells what the stream does now.
type State struct {
	State StreamState `json:"state"`
	Title string      `json:"title,omitempty"`
	// Since is when this state began, ms since the epoch by the server's clock.
	Since int64 `json:"since"`
	// Video and Audio are the codecs being published, "" when there is no such track.
	Video  string `json:"video,omitempty"`
	Audio  string `json:"audio,omitempty"`
	Width  int    `json:"width,omitempty"`
	Height int    `json:"height,omitempty"`
}

// Viewers tells the number of connected viewers.
type Viewers struct {
	Count int `json:"count"`
}

// Access tells the owner who may watch.
type Access struct {
	Password bool `json:"password"`
	Embed    bool `json:"embed"`
}

// Peer is one endpoint of the room, as told to the owner of a stream.
type Peer struct {
	Endpoint string `json:"endpoint"`
	Role     Role   `json:"role"`
	// Since is when it joined, ms since the epoch by the server's clock.
	Since int64 `json:"since"`
	// Watching is set while its media session is connected.
	Watching bool `json:"watching"`
	// Line is what its line is taken to carry in bit/s, as far as that is known.
	Line int64 `json:"line,omitempty"`
	// Height is that of the picture that it is sent; missing: not known, or none.
	Height int `json:"height,omitempty"`
	// Bound is what keeps its picture from being better: "line", "wish" or "source".
	Bound string `json:"bound,omitempty"`
}

// Roster is the whole list of endpoints, sent after Welcome and whenever it changes
// (at most once a second; what viewers get is looked at every five).
type Roster struct {
	Peers []Peer `json:"peers"`
}

// Deliver brings a sealed envelope from another endpoint.
type Deliver struct {
	From   string `json:"from"`
	Sealed string `json:"sealed"`
}

// Notice tells people something that is no error.
type Notice struct {
	Code string `json:"code"`
	Text string `json:"text"`
}

// Replaced tells a publisher that a newer one took the stream over; it must not come back by itself.
type Replaced struct{}

// Moved tells the owner the stream's new name after ChangeLink.
type Moved struct {
	Name string `json:"name"`
	URL  string `json:"url"`
}

// Error refuses a message or, before the connection closes, the endpoint.
type Error struct {
	Code Code   `json:"code"`
	Text string `json:"text"`
	// RetryAfter is in seconds, 0 when trying again does not help.
	RetryAfter int `json:"retryAfter,omitempty"`
}

// Goodbye is the last message before the server closes a connection in good order.
type Goodbye struct {
	Code Code   `json:"code"`
	Text string `json:"text"`
	// RetryAfter is in seconds.
	RetryAfter int `json:"retryAfter,omitempty"`
}

// Pong answers Ping at once.
type Pong struct {
	Sent float64 `json:"sent"`
	// Server is the server's clock in ms since the epoch when the answer was made.
	Server float64 `json:"server"`
}
