package signalling

import (
	"sync"
	"time"

	"github.com/fanfare-relay/fanfare/media"
	"github.com/fanfare-relay/fanfare/signalling/msg"
	"github.com/fanfare-relay/fanfare/signalling/room"
	"github.com/fanfare-relay/fanfare/signalling/token"
)

// hub knows the rooms that are in use and the media sessions, and hands facts to the room that
// they concern, in order. It owns the rooms' goroutines.
type hub struct {
	start func(*liveRoom) // runs the room's goroutine

	// mu guards all below. Nothing slow happens under it: it is taken by the data plane's events.
	mu       sync.Mutex
	rooms    map[roomKey]*liveRoom
	sessions map[media.SessionID]*session
	// early keeps events of sessions whose POST is just being answered.
	early      map[media.SessionID][]media.Event
	unfinished map[string]int // by client
	ended      map[media.Role]*endings
	closing    bool
	running    sync.WaitGroup
}

type roomKey struct {
	kind msg.RoomKind
	name string
}

// session is what HTTP must know of a media session.
type session struct {
	stream    string
	role      media.Role
	etag      string
	bearer    token.Hash // of what the POST was authorised with, zero when nothing was shown
	client    string
	connected bool
	gone      chan struct{}     // closed when the data plane has said that it is
	ended     media.CloseReason // why it was ended for good, "" while it is there; see endings
}

// letter is one fact for a room, or a socket's word. At most one member beside in is set.
type letter struct {
	in room.Input
	// hello comes with a Join: the socket to answer on.
	hello *socket
	// from is the socket that in comes from; a room that has a newer one ignores it.
	from *socket
}

// maxInbox bounds what endpoints may leave unread with a room; facts of the data plane and
// leaves are always taken.
const maxInbox = 4096

func newHub(start func(*liveRoom)) *hub {
	return &hub{
		start: start, rooms: map[roomKey]*liveRoom{}, sessions: map[media.SessionID]*session{},
		early: map[media.SessionID][]media.Event{}, unfinished: map[string]int{},
		// Apart, so that a crowd of viewers does not push a publisher out.
		ended: map[media.Role]*endings{media.RolePublisher: {}, media.RoleSubscriber: {}},
	}
}

// post hands a letter to the room, which is made for those who come in, and not for words on
// what has gone already. It returns false when the server is closing, or when the room has too
// much to read.
func (h *hub) post(key roomKey, l letter) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.postLocked(key, l)
}

func (h *hub) postLocked(key roomKey, l letter) bool {
	if h.closing {
		return false
	}
	r, ok := h.rooms[key]
	if !ok && !comesIn(l.in) {
		return true
	}
	if !ok {
		r = &liveRoom{key: key, wake: make(chan struct{}, 1), sockets: map[string]*socket{}, members: map[string]bool{}}
		h.rooms[key] = r
		h.running.Go(func() { h.start(r) })
	}
	if _, chatter := l.in.(room.Receive); chatter && len(r.inbox) >= maxInbox {
		return false
	}
	r.inbox = append(r.inbox, l)
	r.wakeUp()
	return true
}

func comesIn(in room.Input) bool {
	switch in.(type) {
	case room.Join, room.Open:
		return true
	}
	return false
}

// enter counts a socket; false when the server is closing and none may come in.
func (h *hub) enter(sockets *sync.WaitGroup) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.closing {
		return false
	}
	sockets.Add(1)
	return true
}

// inUse tells whether somebody is in the room.
func (h *hub) inUse(key roomKey) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	_, ok := h.rooms[key]
	return ok
}

// present notes a member of a room of files; absent, that it has gone.
func (h *hub) present(r *liveRoom, endpoint string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	r.members[endpoint] = true
}

func (h *hub) absent(r *liveRoom, endpoint string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(r.members, endpoint)
}

// isMember tells whether the endpoint is in the room of files now.
func (h *hub) isMember(name, endpoint string) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	r, ok := h.rooms[roomKey{msg.RoomFiles, name}]
	return ok && r.members[endpoint]
}

// take empties a room's inbox.
func (h *hub) take(r *liveRoom) (letters []letter, closing bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	letters, r.inbox = r.inbox, nil
	return letters, h.closing
}

// retire forgets the room if nothing has come in since; then its goroutine must end.
func (h *hub) retire(r *liveRoom) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	if len(r.inbox) > 0 {
		return false
	}
	delete(h.rooms, r.key)
	return true
}

// close tells every room to say goodbye, and waits for them.
func (h *hub) close() {
	h.mu.Lock()
	h.closing = true
	for _, r := range h.rooms {
		r.wakeUp()
	}
	h.mu.Unlock()
	h.running.Wait()
}

// reserve counts a POST as an unfinished session of the client; false when it has too many.
// Every reserve is followed by opened or by release.
func (h *hub) reserve(client string, most int) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.unfinished[client] >= most {
		return false
	}
	h.unfinished[client]++
	return true
}

func (h *hub) release(client string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.releaseLocked(client)
}

func (h *hub) releaseLocked(client string) {
	if h.unfinished[client]--; h.unfinished[client] <= 0 {
		delete(h.unfinished, client)
	}
}

// opened notes an accepted offer, tells the room, and then what has already happened to it.
func (h *hub) opened(id media.SessionID, s *session, in room.Open) {
	h.mu.Lock()
	defer h.mu.Unlock()
	s.gone = make(chan struct{})
	h.sessions[id] = s
	h.postLocked(roomKey{msg.RoomStream, s.stream}, letter{in: in})
	early := h.early[id]
	delete(h.early, id)
	for _, e := range early {
		h.eventLocked(e)
	}
}

// event takes the data plane's word on a session. It does not block.
func (h *hub) event(e media.Event) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if _, known := h.sessions[e.Session]; !known {
		h.early[e.Session] = append(h.early[e.Session], e)
		return
	}
	h.eventLocked(e)
}

func (h *hub) eventLocked(e media.Event) {
	s, known := h.sessions[e.Session]
	if !known {
		return
	}
	finished := e.Kind == media.EventConnected || e.Kind == media.EventDisconnected
	if finished && !s.connected {
		s.connected = true
		h.releaseLocked(s.client)
	}
	if e.Kind == media.EventDisconnected {
		delete(h.sessions, e.Session)
		close(s.gone)
		h.ended[s.role].note(e.Session, *s, e.Reason, time.Now())
	}
	h.postLocked(roomKey{msg.RoomStream, s.stream}, letter{in: room.Happen{Event: e}})
}

// session finds a session of this stream and role, also one that was ended for good a while ago.
func (h *hub) session(id media.SessionID, stream string, role media.Role) (session, bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	var found session
	if s, ok := h.sessions[id]; ok {
		found = *s
	} else if found, ok = h.ended[role].find(id, time.Now()); !ok {
		return session{}, false
	}
	if found.stream != stream || found.role != role {
		return session{}, false
	}
	return found, true
}

func (h *hub) restarted(id media.SessionID, etag string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if s, ok := h.sessions[id]; ok {
		s.etag = etag
	}
}

// count tells how many rooms are in use and how many sessions there are of each role.
func (h *hub) count() (rooms int, sessions map[media.Role]int) {
	h.mu.Lock()
	defer h.mu.Unlock()
	sessions = map[media.Role]int{media.RolePublisher: 0, media.RoleSubscriber: 0}
	for _, s := range h.sessions {
		sessions[s.role]++
	}
	return len(h.rooms), sessions
}

// countFiles tells how many rooms of files are in use, and how many members they have.
func (h *hub) countFiles() (rooms, members int) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for key, r := range h.rooms {
		if key.kind == msg.RoomFiles {
			rooms++
			members += len(r.members)
		}
	}
	return rooms, members
}

// liveRoom is a room in use: the pure state, and the sockets of its endpoints. Its goroutine
// owns it, except for the inbox.
type liveRoom struct {
	key     roomKey
	wake    chan struct{}   // holds one: there is something to read
	inbox   []letter        // guarded by hub.mu
	members map[string]bool // of a room of files, without the antechamber; guarded by hub.mu
	state   roomState
	sockets map[string]*socket
}

func (r *liveRoom) wakeUp() {
	select {
	case r.wake <- struct{}{}:
	default:
	}
}
