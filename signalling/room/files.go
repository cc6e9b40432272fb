package room

import (
	"time"

	"github.com/fanfare-relay/fanfare/signalling/msg"
)

// Times of a room of files.
const (
	// membersEvery bounds how often everybody is told who has come and gone.
	membersEvery = 500 * time.Millisecond
	// codesEvery keeps one room from using up the numbers, which rest when they are given back.
	codesEvery = 2 * time.Second
	// maxRemovedMembers bounds what one room remembers of those whom its uploader put out.
	maxRemovedMembers = 4096
	// An exchange takes two envelopes of a receiver, of some hundred bytes: whoever knows the number
	// alone must not flood the uploader.
	maxEntryEnvelopes = 8
	maxEntryEnvelope  = 1024 // characters
)

// FilesConfig is what is known of a room of files when its first endpoint comes.
type FilesConfig struct {
	Members int // the most at a time
	Expires time.Time
	Seed    uint64 // for the neighbours
}

// Files is the state of one room of files (docs/PROTOCOL.md, section 3.4). It belongs to one goroutine.
type Files struct {
	limit   int
	expires time.Time
	seed    uint64

	members map[string]*fileMember
	owner   string // the uploader's endpoint, "" while it is away
	came    int    // how many have come
	removed map[string]bool

	code    shortCode
	codes   throttle
	entries map[string]*entry // the antechamber

	told   map[string]msg.Member // what members know
	list   throttle
	change int // counts the changes of the list

	closed bool
	out    []Output
}

// fileMember is an endpoint of the room.
type fileMember struct {
	msg.Member
	viewer string
	saw    int // the change that it was told all after
}

// entry is an endpoint in the antechamber.
type entry struct {
	until time.Time
	sent  int // envelopes
}

// shortCode is the number that leads to the room; the zero value is none.
type shortCode struct {
	number   string
	until    time.Time
	failures int
}

// NewFiles makes a room of files.
func NewFiles(c FilesConfig) *Files {
	return &Files{
		limit: c.Members, expires: c.Expires, seed: c.Seed,
		members: map[string]*fileMember{}, removed: map[string]bool{}, entries: map[string]*entry{},
		told: map[string]msg.Member{}, list: throttle{every: membersEvery}, codes: throttle{every: codesEvery},
	}
}

// Step takes one fact and returns what to do about what has become due, and about the fact. The
// slice is good until the next call.
func (r *Files) Step(in Input, now time.Time) []Output {
	r.out = r.out[:0]
	r.expire(now)
	if r.closed {
		if join, ok := in.(Join); ok {
			r.turnAway(join.Endpoint, msg.CodeNotFound, "This room has ended.")
		}
		return r.out
	}
	switch in := in.(type) {
	case Join:
		r.join(in, now)
	case Leave:
		r.leave(in.Endpoint)
	case Receive:
		r.receive(in, now)
	case FilesSaved:
		r.limit, r.expires = in.Members, in.Expires
		r.sendAll(r.terms())
	case NumberTaken:
		r.numberTaken(in)
	}
	r.flush(now)
	return r.out
}

// Deadline says when the room wants a Tick, if ever.
func (r *Files) Deadline() (time.Time, bool) {
	if r.closed {
		return time.Time{}, false
	}
	at := r.expires
	if r.list.dirty && r.list.next.Before(at) {
		at = r.list.next
	}
	if r.code.number != "" && r.code.until.Before(at) {
		at = r.code.until
	}
	for _, e := range r.entries {
		if e.until.Before(at) {
			at = e.until
		}
	}
	return at, true
}

// Empty tells whether nobody needs the room any more, so that it can be forgotten. A short code
// keeps it: its uploader may come back within the code's time.
func (r *Files) Empty() bool {
	return r.closed || len(r.members) == 0 && len(r.entries) == 0 && r.code.number == ""
}

// expire acts on what has run out: the room, its short code, the time of those in the antechamber.
func (r *Files) expire(now time.Time) {
	if r.closed {
		return
	}
	if !now.Before(r.expires) {
		r.end(msg.CodeExpired, "The time of this room is over.")
		return
	}
	if r.code.number != "" && !now.Before(r.code.until) {
		r.endCode(msg.CodeEndExpired)
	}
	for _, id := range sorted(r.entries) {
		if !now.Before(r.entries[id].until) {
			delete(r.entries, id)
			r.turnAway(id, msg.CodeExpired, "That took too long. Please enter the code again.")
		}
	}
}

// end is the word of the clock, or of the uploader.
func (r *Files) end(why msg.Code, text string) {
	for _, id := range append(sorted(r.members), sorted(r.entries)...) {
		r.send(id, msg.Goodbye{Code: why, Text: text})
		r.emit(CloseEndpoint{id})
		r.emit(PutOut{id})
	}
	if r.code.number != "" {
		r.emit(FreeNumber{r.code.number})
	}
	clear(r.members)
	clear(r.entries)
	r.owner, r.code, r.closed = "", shortCode{}, true
	r.emit(EndRoom{why})
}

// terms are what holds now.
func (r *Files) terms() msg.Files {
	return msg.Files{Owner: r.owner, Expires: r.expires.UnixMilli(), Members: r.limit}
}

// turnAway refuses an endpoint and closes it.
func (r *Files) turnAway(to string, c msg.Code, text string) {
	r.refuse(to, c, text)
	r.emit(CloseEndpoint{to})
}

func (r *Files) emit(o Output)                          { r.out = append(r.out, o) }
func (r *Files) send(to string, m msg.ServerMessage)    { r.emit(Send{To: to, Message: m}) }
func (r *Files) refuse(to string, c msg.Code, t string) { r.send(to, msg.Error{Code: c, Text: t}) }

func (r *Files) sendOwner(m msg.ServerMessage) {
	if r.owner != "" {
		r.send(r.owner, m)
	}
}

// sendAll sends in order of identifier: no output depends on the order of a map.
func (r *Files) sendAll(m msg.ServerMessage) {
	for _, id := range sorted(r.members) {
		r.send(id, m)
	}
}
