package room

import (
	"time"

	"github.com/fanfare-relay/fanfare/media"
	"github.com/fanfare-relay/fanfare/signalling/msg"
)

// Input is a fact that the shell tells the room. The set is closed.
type Input interface{ input() }

// Join: an endpoint was let in. The shell has judged its key, its password and whether it was
// removed. An identifier that is in the room already means the same endpoint on a new connection.
type Join struct {
	Endpoint string
	Role     msg.Role // a publisher owns the stream
	Viewer   string   // the page's viewer identifier, may be empty
	Address  string   // who to remove when there is no viewer identifier
	// Near is equal for members of a room of files behind one public address.
	Near string
	// Entry: it came by the number of a short code, and gets into the antechamber only.
	Entry bool
}

// Leave: the connection of an endpoint is gone. Page is set when the page itself went, by
// reload or by closing, and not only its connection.
type Leave struct {
	Endpoint string
	Page     bool
}

// Receive: an endpoint sent a message that keeps the limits of package msg.
type Receive struct {
	Endpoint string
	Message  msg.ClientMessage
}

// Open: the data plane accepted an offer. Endpoint is empty for players that are no pages.
type Open struct {
	Session  media.SessionID
	Role     media.Role
	Endpoint string
	Viewer   string
	Address  string
}

// Delete: a client ended its session by its URL. The data plane's event follows; only this
// tells the word of a person from a page that vanished.
type Delete struct{ Session media.SessionID }

// Happen: the data plane tells of a session.
type Happen struct{ Event media.Event }

// AccessSaved answers SaveAccess.
type AccessSaved struct{ Access msg.Access }

// LinkChanged answers ChangeLink: the stream has a new name, this room is over.
type LinkChanged struct{ Name, URL string }

// FilesSaved answers SaveFiles: what holds now.
type FilesSaved struct {
	Members int
	Expires time.Time
}

// NumberTaken answers TakeNumber.
type NumberTaken struct {
	Number string
	Until  time.Time
}

// Measured answers Measure: what viewers get, by session, and what the server does with the stream.
type Measured struct {
	Lines    map[media.SessionID]media.ViewerLine
	Relaying media.Relaying
}

// SaveFailed: one of Remember, SaveTitle and SaveLive could not be stored.
type SaveFailed struct{}

// Tick: a deadline has passed.
type Tick struct{}

func (Join) input()        {}
func (Leave) input()       {}
func (Receive) input()     {}
func (Open) input()        {}
func (Delete) input()      {}
func (Happen) input()      {}
func (AccessSaved) input() {}
func (LinkChanged) input() {}
func (SaveFailed) input()  {}
func (Measured) input()    {}
func (Tick) input()        {}
func (FilesSaved) input()  {}
func (NumberTaken) input() {}

// Output is what the shell must do, in order. The set is closed.
type Output interface{ output() }

// Admit: welcome the endpoint with these facts; the shell adds tokens and addresses.
type Admit struct {
	Endpoint string
	Stream   *msg.State
	Viewers  int
	Access   *msg.Access // owners only
	Files    *msg.Files  // in rooms of files
}

// Send this message to that endpoint.
type Send struct {
	To      string
	Message msg.ServerMessage
}

// Carry an envelope. Unlike Send it may be refused when the receiver is slow, and then the
// sender is told so.
type Carry struct {
	From, To string
	Sealed   string
}

// CloseEndpoint closes an endpoint's connection after what was sent to it. No Leave follows.
type CloseEndpoint struct{ Endpoint string }

// CloseSession ends one session in the data plane.
type CloseSession struct {
	Session media.SessionID
	Reason  media.CloseReason
}

// CloseStream ends all sessions of the stream.
type CloseStream struct{ Reason media.CloseReason }

// Remember that this subject (see Subject) may not come back.
type Remember struct{ Subject string }

// SaveAccess stores who may watch; AccessSaved answers.
type SaveAccess struct {
	By  string
	Set msg.SetAccess
}

// SaveTitle stores the title.
type SaveTitle struct{ Title string }

// SaveLive stores whether the stream goes on: after a crash it is then "away", not "idle".
type SaveLive struct{ Live bool }

// Measure asks what each viewer gets and what the server does; Measured answers.
type Measure struct{}

// ChangeLink gives the stream a new name; LinkChanged answers.
type ChangeLink struct{ By string }

// SaveFiles stores what holds for a room of files; FilesSaved answers.
type SaveFiles struct {
	By    string
	Terms msg.FilesTerms
}

// TakeNumber wants a number for a short code; NumberTaken answers.
type TakeNumber struct{ By string }

// FreeNumber gives the number of a short code back.
type FreeNumber struct{ Number string }

// PutOut: an endpoint of a room of files whose connection was closed may not go on by other ways
// either.
type PutOut struct{ Endpoint string }

// EndRoom forgets a room of files for good.
type EndRoom struct{ Reason msg.Code }

func (Admit) output()         {}
func (Send) output()          {}
func (Carry) output()         {}
func (CloseEndpoint) output() {}
func (CloseSession) output()  {}
func (CloseStream) output()   {}
func (Remember) output()      {}
func (SaveAccess) output()    {}
func (SaveTitle) output()     {}
func (SaveLive) output()      {}
func (ChangeLink) output()    {}
func (Measure) output()       {}
func (SaveFiles) output()     {}
func (TakeNumber) output()    {}
func (FreeNumber) output()    {}
func (PutOut) output()        {}
func (EndRoom) output()       {}

// Subject is how a removed viewer is remembered: by the identifier that its page keeps, else
// by its address, which it may share with others.
func Subject(viewer, address string) string {
	if viewer != "" {
		return "viewer:" + viewer
	}
	return "address:" + address
}
