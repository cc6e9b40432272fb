// Package room decides what happens in one room: who is there, what the stream does, who is
// told what, and when. It is a value without goroutines, locks, clocks or IO: facts go in
// through Step with the time, orders for the shell come out, and Deadline says when the room
// wants to be called again.
//
// It never judges keys or passwords, never stores anything, and never sees media.
//
// A Room of a stream has at most one owner, the publisher's page; a newer one replaces it. The
// publisher's media session may also come from a program that has no endpoint here. Files is a
// room of files, Numbers are the numbers of short codes that lead to one.
package room

import (
	"time"

	"github.com/fanfare-relay/fanfare/media"
	"github.com/fanfare-relay/fanfare/signalling/msg"
)

// Times of the state machine.
const (
	// Hold is how long a stream whose publisher is lost stays "back in a moment". A longer one
	// forgives a longer power cut and keeps more viewers waiting for nobody.
	Hold = 10 * time.Minute
	// handover is how long a stream counts as live between the old publisher's end and the
	// new one's connection: the data plane gives an unfinished session 15 s.
	handover = 15 * time.Second
	// Counts and lists change with every viewer, states with every drag of a slider.
	countEvery = time.Second
	stateEvery = 200 * time.Millisecond
	// measureEvery is how often the owner is told what viewers get: soon enough to see somebody's line fail, and
	// seldom enough for a long list.
	measureEvery = 5 * time.Second
)

// maxMembers is the most endpoints that a stream's room takes.
const maxMembers = 10_000

// Config is what is known of a stream's room when its first endpoint or session comes.
type Config struct {
	Title  string
	Access msg.Access
	// State is StateIdle, StateEnded when it was live before, or StateAway when it was live as
	// the server went down.
	State msg.StreamState
	// ServerRoom is for how many viewers of one stream the server is meant, 0: for all that come.
	ServerRoom int
}

// Room is the state of one stream's room. It belongs to one goroutine.
type Room struct {
	access msg.Access

	members  map[string]*member
	sessions map[media.SessionID]*session
	watching map[string]int // connected subscribers by label; a page that reconnects has two
	owner    string         // the publisher's endpoint, "" while there is none
	players  int            // how many sessions without an endpoint were given a label

	phase     phase
	publisher media.SessionID // the newest publisher session, "" while there is none
	declared  msg.StreamState // live, paused or seeking: the owner's word
	giveUp    time.Time       // end of Hold or handover, zero when neither runs
	saved     bool            // what SaveLive said last
	closed    bool            // the link was changed
	told      msg.State       // what members know
	now       msg.State       // what is true; Since belongs to the state

	state, count, roster throttle
	toldCount            int
	measure              time.Time // when to ask what viewers get; zero while nobody wants to know, or is being asked
	measuring            bool      // Measured is to come

	ways    ways
	figures figures

	out []Output
}

// phase is the part of the state that follows from media; declared refines phaseOn.
type phase uint8

const (
	phaseIdle phase = iota
	phaseOn
	phaseAway
	phaseEnded
)

// member is an endpoint of the room.
type member struct {
	role    msg.Role
	viewer  string
	address string
	since   time.Time
}

// session is a media session of the room's stream.
type session struct {
	role      media.Role
	endpoint  string // "" for a player that is no page
	label     string // the endpoint, or a made-up name
	viewer    string
	address   string
	since     time.Time
	connected bool
	deleted   bool // the client said that it ends
	line      media.ViewerLine
}

// New makes a room.
func New(c Config, now time.Time) *Room {
	r := &Room{
		access:  c.Access,
		members: map[string]*member{}, sessions: map[media.SessionID]*session{}, watching: map[string]int{},
		declared: msg.StateLive,
		state:    throttle{every: stateEvery}, count: throttle{every: countEvery}, roster: throttle{every: countEvery},
		ways: newWays(c.ServerRoom, now), figures: figures{asked: map[string]time.Time{}},
	}
	switch c.State {
	case msg.StateAway:
		r.phase, r.giveUp, r.saved = phaseAway, now.Add(Hold), true
	case msg.StateEnded:
		r.phase = phaseEnded
	}
	r.now = msg.State{State: r.streamState(), Title: c.Title, Since: now.UnixMilli()}
	r.told = r.now
	return r
}

// Step takes one fact and returns what to do about it and about what has become due. The
// slice is good until the next call.
func (r *Room) Step(in Input, now time.Time) []Output {
	r.out = r.out[:0]
	if r.closed {
		r.turnAway(in)
		return r.out
	}
	switch in := in.(type) {
	case Join:
		r.join(in, now)
	case Leave:
		r.leave(in, now)
	case Receive:
		r.receive(in, now)
	case Open:
		r.open(in, now)
	case Delete:
		if s, ok := r.sessions[in.Session]; ok {
			s.deleted = true
		}
	case Happen:
		r.happen(in.Event, now)
	case SaveFailed:
		r.sendOwner(msg.Notice{Code: "storage", Text: "The server cannot write to its data folder; its disk may be full. The stream goes on, but what you change may be forgotten."})
	case AccessSaved:
		r.access = in.Access
		r.sendOwner(in.Access)
	case LinkChanged:
		r.linkChanged(in)
	case Measured:
		r.measured(in)
	case Tick:
	}
	if !r.closed {
		r.expire(now)
		r.askLines(now)
		r.steer(now)
		r.flush(now)
	}
	return r.out
}

// Deadline says when the room wants a Tick, if ever.
func (r *Room) Deadline() (time.Time, bool) {
	if r.closed {
		return time.Time{}, false
	}
	at := sooner(sooner(r.giveUp, r.measure), r.waysDeadline())
	for _, t := range []*throttle{&r.state, &r.count, &r.roster} {
		if t == &r.roster && r.owner == "" {
			continue
		}
		if t.dirty && (at.IsZero() || t.next.Before(at)) {
			at = t.next
		}
	}
	return at, !at.IsZero()
}

// Empty tells whether nobody needs the room any more, so that it can be forgotten.
func (r *Room) Empty() bool {
	if r.closed {
		return true
	}
	return len(r.members) == 0 && len(r.sessions) == 0 && (r.phase == phaseIdle || r.phase == phaseEnded)
}

// streamState is what people are told.
func (r *Room) streamState() msg.StreamState {
	switch r.phase {
	case phaseOn:
		return r.declared
	case phaseAway:
		return msg.StateAway
	case phaseEnded:
		return msg.StateEnded
	default:
		return msg.StateIdle
	}
}

// flush tells members what has changed, no more often than the throttles allow.
func (r *Room) flush(now time.Time) {
	if s := r.streamState(); s != r.now.State {
		r.now.State, r.now.Since = s, now.UnixMilli()
	}
	r.state.dirty = r.now != r.told
	if r.state.fire(now) {
		r.told = r.now
		r.sendAll(r.told)
	}
	viewers := len(r.watching) + len(r.withoutServer())
	r.count.dirty = viewers != r.toldCount
	if r.count.fire(now) {
		r.toldCount = viewers
		r.sendAll(msg.Viewers{Count: viewers})
	}
	r.flushRoster(now)
	r.flushPlan(now)
	r.flushCopy(now)
}

func (r *Room) emit(o Output)                          { r.out = append(r.out, o) }
func (r *Room) send(to string, m msg.ServerMessage)    { r.emit(Send{To: to, Message: m}) }
func (r *Room) refuse(to string, c msg.Code, t string) { r.send(to, msg.Error{Code: c, Text: t}) }

func (r *Room) sendOwner(m msg.ServerMessage) {
	if r.owner != "" {
		r.send(r.owner, m)
	}
}

// sendAll sends in order of identifier: no output depends on the order of a map.
func (r *Room) sendAll(m msg.ServerMessage) {
	for _, id := range sorted(r.members) {
		r.send(id, m)
	}
}

// throttle lets something be told at once, and then not again before its time.
type throttle struct {
	every time.Duration
	dirty bool
	next  time.Time
}

func (t *throttle) fire(now time.Time) bool {
	if !t.dirty || now.Before(t.next) {
		return false
	}
	t.dirty, t.next = false, now.Add(t.every)
	return true
}
