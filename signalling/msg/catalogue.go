package msg

//go:generate go run ./gen -out ../../web/src/signal/msg.gen.ts

// Message is one member of the closed set; Type is its "type" on the wire.
type Message interface {
	Type() string
}

// ClientMessage is what an endpoint may send.
type ClientMessage interface {
	Message
	// Check tells whether the members keep the limits; the error wraps ErrBadMessage or ErrTooLarge.
	Check() error
	fromClient()
}

// ServerMessage is what the server may send.
type ServerMessage interface {
	Message
	fromServer()
}

// ClientMessages lists one zero value of each message that an endpoint may send.
func ClientMessages() []ClientMessage {
	return []ClientMessage{
		Hello{}, SetState{}, Stop{}, Remove{}, ChangeLink{}, SetAccess{}, Send{}, Ping{},
		SetFiles{}, OpenCode{}, EndCode{}, CodeFailed{}, Relay{},
		SetTopology{}, Facts{}, WayState{}, AskFigures{}, Figures{},
	}
}

// ServerMessages lists one zero value of each message that the server may send.
func ServerMessages() []ServerMessage {
	return []ServerMessage{
		Welcome{}, State{}, Viewers{}, Access{}, Roster{}, Deliver{}, Notice{}, Replaced{},
		Moved{}, Error{}, Goodbye{}, Pong{}, Files{}, Members{}, Undelivered{}, ShortCode{}, CodeEnded{}, Relayed{},
		Way{}, Serve{}, EndWay{}, Plan{}, ServerCopy{}, FiguresWanted{}, ViewerFigures{}, ServerFigures{},
	}
}

// The wire names.

func (Hello) Type() string      { return "hello" }
func (SetState) Type() string   { return "set-state" }
func (Stop) Type() string       { return "stop" }
func (Remove) Type() string     { return "remove" }
func (ChangeLink) Type() string { return "change-link" }
func (SetAccess) Type() string  { return "set-access" }
func (Send) Type() string       { return "send" }
func (Ping) Type() string       { return "ping" }
func (SetFiles) Type() string   { return "set-files" }
func (OpenCode) Type() string   { return "open-code" }
func (EndCode) Type() string    { return "end-code" }
func (CodeFailed) Type() string { return "code-failed" }
func (Relay) Type() string      { return "relay" }

func (SetTopology) Type() string { return "set-topology" }
func (Facts) Type() string       { return "facts" }
func (WayState) Type() string    { return "way-state" }
func (AskFigures) Type() string  { return "ask-figures" }
func (Figures) Type() string     { return "figures" }

func (Welcome) Type() string     { return "welcome" }
func (State) Type() string       { return "state" }
func (Viewers) Type() string     { return "viewers" }
func (Access) Type() string      { return "access" }
func (Roster) Type() string      { return "roster" }
func (Deliver) Type() string     { return "deliver" }
func (Notice) Type() string      { return "notice" }
func (Replaced) Type() string    { return "replaced" }
func (Moved) Type() string       { return "moved" }
func (Error) Type() string       { return "error" }
func (Goodbye) Type() string     { return "goodbye" }
func (Pong) Type() string        { return "pong" }
func (Files) Type() string       { return "files" }
func (Members) Type() string     { return "members" }
func (Undelivered) Type() string { return "undelivered" }
func (ShortCode) Type() string   { return "code" }
func (CodeEnded) Type() string   { return "code-ended" }
func (Relayed) Type() string     { return "relayed" }

func (Way) Type() string    { return "way" }
func (Serve) Type() string  { return "serve" }
func (EndWay) Type() string { return "way-end" }
func (Plan) Type() string   { return "plan" }

func (ServerCopy) Type() string    { return "server-copy" }
func (FiguresWanted) Type() string { return "figures-wanted" }
func (ViewerFigures) Type() string { return "viewer-figures" }
func (ServerFigures) Type() string { return "server-figures" }

func (Hello) fromClient()      {}
func (SetState) fromClient()   {}
func (Stop) fromClient()       {}
func (Remove) fromClient()     {}
func (ChangeLink) fromClient() {}
func (SetAccess) fromClient()  {}
func (Send) fromClient()       {}
func (Ping) fromClient()       {}
func (SetFiles) fromClient()   {}
func (OpenCode) fromClient()   {}
func (EndCode) fromClient()    {}
func (CodeFailed) fromClient() {}
func (Relay) fromClient()      {}

func (SetTopology) fromClient() {}
func (Facts) fromClient()       {}
func (WayState) fromClient()    {}
func (AskFigures) fromClient()  {}
func (Figures) fromClient()     {}

func (Welcome) fromServer()     {}
func (State) fromServer()       {}
func (Viewers) fromServer()     {}
func (Access) fromServer()      {}
func (Roster) fromServer()      {}
func (Deliver) fromServer()     {}
func (Notice) fromServer()      {}
func (Replaced) fromServer()    {}
func (Moved) fromServer()       {}
func (Error) fromServer()       {}
func (Goodbye) fromServer()     {}
func (Pong) fromServer()        {}
func (Files) fromServer()       {}
func (Members) fromServer()     {}
func (Undelivered) fromServer() {}
func (ShortCode) fromServer()   {}
func (CodeEnded) fromServer()   {}
func (Relayed) fromServer()     {}

func (Way) fromServer()    {}
func (Serve) fromServer()  {}
func (EndWay) fromServer() {}
func (Plan) fromServer()   {}

func (ServerCopy) fromServer()    {}
func (FiguresWanted) fromServer() {}
func (ViewerFigures) fromServer() {}
func (ServerFigures) fromServer() {}
