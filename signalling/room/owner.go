package room

import (
	"time"

	"github.com/fanfare-relay/fanfare/media"
	"github.com/fanfare-relay/fanfare/signalling/msg"
)

const helloAgain = "This connection has said hello already."

// receive carries out what an endpoint asks for.
func (r *Room) receive(in Receive, now time.Time) {
	m, ok := r.members[in.Endpoint]
	if !ok {
		return // it was removed while its message was under way
	}
	switch body := in.Message.(type) {
	case msg.Send:
		r.carry(in.Endpoint, body)
		return
	case msg.Facts:
		r.facts(in.Endpoint, body, now)
		return
	case msg.WayState:
		r.wayState(in.Endpoint, body, now)
		return
	case msg.Figures:
		r.tellFigures(in.Endpoint, body, now)
		return
	case msg.Ping:
		return // answered by the shell, which has the clock
	case msg.Hello:
		r.refuse(in.Endpoint, msg.CodeBadMessage, helloAgain)
		return
	case msg.SetFiles, msg.OpenCode, msg.EndCode, msg.CodeFailed, msg.Relay:
		r.refuse(in.Endpoint, msg.CodeBadMessage, "A stream has no files.")
		return
	}
	if !r.owns(m) {
		r.refuse(in.Endpoint, msg.CodeForbidden, "Only the owner of the stream can do that.")
		return
	}
	r.order(in.Endpoint, in.Message, now)
}

// order carries out the word of the owner.
func (r *Room) order(owner string, m msg.ClientMessage, now time.Time) {
	switch m := m.(type) {
	case msg.SetState:
		r.declared = m.State
		if m.Title != r.now.Title {
			r.now.Title = m.Title
			r.emit(SaveTitle{m.Title})
		}
	case msg.Stop:
		r.end()
	case msg.Remove:
		r.remove(owner, m.Endpoint, now)
	case msg.ChangeLink:
		r.emit(ChangeLink{By: owner})
	case msg.SetAccess:
		r.emit(SaveAccess{By: owner, Set: m})
	case msg.AskFigures:
		r.wantFigures(m.Wanted)
	case msg.SetTopology:
		r.ways.chosen, r.ways.plan.dirty = &m, true
		// Whoever says it wants to hear what it comes to, and sends the server a full copy until it hears otherwise.
		r.ways.told, r.ways.spared = msg.Plan{}, false
	}
}

// carry hands an envelope on between the two ends of a way, and between nobody else.
func (r *Room) carry(from string, m msg.Send) {
	if _, ok := r.members[m.To]; !ok || !r.joined(from, m.To) {
		r.send(from, msg.Undelivered{To: m.To, Code: msg.CodeNotFound})
		return
	}
	r.emit(Carry{From: from, To: m.To, Sealed: m.Sealed})
}

// remove ends everything that belongs to the viewer: this endpoint, the same viewer's other
// tabs, their sessions, or a player known by its label alone.
func (r *Room) remove(owner, target string, now time.Time) {
	subject, ok := r.subjectOf(target)
	if target == owner || !ok {
		r.refuse(owner, msg.CodeNotFound, "There is no such viewer any more.")
		return
	}
	r.emit(Remember{subject})
	// Whoever is put out gets nothing from then on, and may be away just now. Others who are away keep their picture.
	r.endLate(func(l late) bool { return l.subject == subject })
	for _, id := range sorted(r.sessions) {
		s := r.sessions[id]
		if s.role == media.RoleSubscriber && (s.label == target || Subject(s.viewer, s.address) == subject) {
			r.emit(CloseSession{id, media.CloseRemoved})
		}
	}
	for _, id := range sorted(r.members) {
		m := r.members[id]
		if id != owner && (id == target || Subject(m.viewer, m.address) == subject) {
			r.refuse(id, msg.CodeRemoved, "The owner of this stream has removed you.")
			r.drop(id, now)
		}
	}
}

func (r *Room) subjectOf(target string) (string, bool) {
	if m, ok := r.members[target]; ok {
		return Subject(m.viewer, m.address), true
	}
	for _, id := range sorted(r.sessions) {
		s := r.sessions[id]
		if s.label == target && s.role == media.RoleSubscriber {
			return Subject(s.viewer, s.address), true
		}
	}
	return "", false
}

// linkChanged ends the room under its old name. Only the owner learns the new one: who else
// may know it is for the owner to say.
func (r *Room) linkChanged(in LinkChanged) {
	r.dropWays()
	r.emit(CloseStream{media.CloseLinkMoved})
	for _, id := range sorted(r.members) {
		if id == r.owner {
			r.send(id, msg.Moved{Name: in.Name, URL: in.URL})
		} else {
			r.send(id, msg.Goodbye{Code: msg.CodeNotFound, Text: "The owner has changed the link to this stream. Ask them for the new one."})
		}
		r.emit(CloseEndpoint{id})
	}
	clear(r.members)
	clear(r.sessions)
	clear(r.watching)
	r.owner, r.publisher, r.phase, r.closed = "", "", phaseEnded, true
}

// turnAway answers those who were let in just before the link was changed.
func (r *Room) turnAway(in Input) {
	switch in := in.(type) {
	case Join:
		r.refuse(in.Endpoint, msg.CodeNotFound, "The owner has changed the link to this stream.")
		r.emit(CloseEndpoint{in.Endpoint})
	case Open:
		r.emit(CloseSession{in.Session, media.CloseLinkMoved})
	}
}
