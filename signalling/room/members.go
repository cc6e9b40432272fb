package room

import (
	"cmp"
	"maps"
	"slices"
	"time"

	"github.com/fanfare-relay/fanfare/media"
	"github.com/fanfare-relay/fanfare/signalling/msg"
)

func (r *Room) join(in Join, now time.Time) {
	m, back := r.members[in.Endpoint]
	if !back {
		if len(r.members) >= maxMembers {
			r.refuse(in.Endpoint, msg.CodeFull, "This room is full. Please try again later.")
			r.emit(CloseEndpoint{in.Endpoint})
			return
		}
		m = &member{since: now}
	}
	// Whoever comes again begins anew: its page may have lost the connections that it had.
	delete(r.members, in.Endpoint)
	r.forgetWays(in.Endpoint, grace, now)
	r.members[in.Endpoint] = m
	m.role, m.viewer, m.address = in.Role, in.Viewer, in.Address
	if r.owns(m) {
		r.takeOver(in.Endpoint, now)
	}
	r.admit(in.Endpoint, m)
	r.nameWays(in.Endpoint)
	delete(r.figures.asked, in.Endpoint) // its page may be another one
	r.askViewers()
	r.roster.dirty = true
}

func (r *Room) owns(m *member) bool { return m.role == msg.RolePublisher }

// takeOver makes the endpoint the owner. The older owner's media goes on until the newer one
// publishes, so that viewers see no gap.
func (r *Room) takeOver(endpoint string, now time.Time) {
	if r.owner == endpoint {
		return
	}
	r.replaceOwner(now)
	r.owner, r.declared = endpoint, msg.StateLive
}

// replaceOwner tells the owner that a newer one took over, and closes it.
func (r *Room) replaceOwner(now time.Time) {
	if r.owner == "" {
		return
	}
	r.send(r.owner, msg.Replaced{})
	r.drop(r.owner, now)
}

// drop closes an endpoint's connection and forgets it.
func (r *Room) drop(endpoint string, now time.Time) {
	r.emit(CloseEndpoint{endpoint})
	r.forget(endpoint, 0, now)
}

// forget forgets an endpoint; after: see forgetWays.
func (r *Room) forget(endpoint string, after time.Duration, now time.Time) {
	delete(r.members, endpoint)
	if r.owner == endpoint {
		r.owner = ""
		r.ways.chosen, r.ways.owner = nil, msg.Facts{}
		r.wantFigures(false)
	}
	r.forgetFigures(endpoint)
	r.roster.dirty = true
	r.forgetWays(endpoint, after, now)
}

func (r *Room) admit(endpoint string, m *member) {
	// What all others were told last, even where more is known by now: the next telling is
	// about the difference to that, and would pass a newcomer by who knows better.
	state := r.told
	a := Admit{Endpoint: endpoint, Stream: &state, Viewers: r.toldCount}
	if r.owns(m) {
		access := r.access
		a.Access = &access
	}
	r.emit(a)
}

func (r *Room) leave(in Leave, now time.Time) {
	if _, ok := r.members[in.Endpoint]; !ok {
		return
	}
	if !in.Page {
		r.forget(in.Endpoint, grace, now)
		return // its media may go on; the page comes back with its Resume
	}
	r.forget(in.Endpoint, 0, now)
	for _, id := range sorted(r.sessions) {
		s := r.sessions[id]
		if s.endpoint != in.Endpoint {
			continue
		}
		// A vanished publisher is lost, not finished: viewers are asked to wait.
		reason := media.CloseByClient
		if s.role == media.RolePublisher {
			reason = media.CloseTimeout
		}
		r.emit(CloseSession{id, reason})
	}
}

// askLines asks what viewers get, now and then while there is an owner to tell and somebody who watches. The next question
// waits for the answer to the last one.
func (r *Room) askLines(now time.Time) {
	switch {
	case r.closed || r.owner == "" || len(r.watching) == 0:
		r.measure = time.Time{}
	case r.measuring:
	case r.measure.IsZero():
		r.measure = now.Add(measureEvery)
	case !now.Before(r.measure):
		r.measure, r.measuring = time.Time{}, true
		r.emit(Measure{})
	}
}

// measured notes what viewers get, for the owner's list, and tells the owner what the server does.
func (r *Room) measured(in Measured) {
	r.measuring = false
	r.sendOwner(serverFigures(in.Relaying))
	for id, s := range r.sessions {
		if line, ok := in.Lines[id]; ok && line != s.line && s.role == media.RoleSubscriber {
			s.line = line
			r.roster.dirty = true
		}
	}
}

func serverFigures(d media.Relaying) msg.ServerFigures {
	f := msg.ServerFigures{
		In: int(d.In), Out: int(d.Out), Repeats: int(d.Repeats),
		Datagrams: int(d.Datagrams), Messages: int(d.Messages), Calls: int(d.Calls),
		Dropped: make([]msg.Dropped, len(d.Dropped)), Delays: make([]int, len(d.Delays)),
	}
	for i, n := range d.Dropped {
		f.Dropped[i] = msg.Dropped{Reason: n.Reason, Packets: int(n.Packets)}
	}
	for i, n := range d.Delays {
		f.Delays[i] = int(n)
	}
	return f
}

// flushRoster tells the list to the owner.
func (r *Room) flushRoster(now time.Time) {
	// Without a reader dirty stays set: an owner who comes gets the list at once.
	if r.owner == "" || !r.roster.fire(now) {
		return
	}
	r.sendOwner(msg.Roster{Peers: r.peers()})
}

// peers lists members and players, in order of their coming, the newest msg.MaxRoster of them.
func (r *Room) peers() []msg.Peer {
	byLabel := make(map[string]msg.Peer, len(r.members))
	for id, m := range r.members {
		byLabel[id] = msg.Peer{Endpoint: id, Role: m.role, Since: m.since.UnixMilli()}
	}
	for _, s := range r.sessions {
		p, ok := byLabel[s.label]
		if !ok {
			if s.role == media.RolePublisher || !s.connected {
				continue
			}
			p = msg.Peer{Endpoint: s.label, Role: msg.RoleSubscriber, Since: s.since.UnixMilli()}
		}
		p.Watching = p.Watching || s.connected
		if l := s.line; l != (media.ViewerLine{}) {
			p.Line, p.Height, p.Bound = int64(l.Estimate), l.Height, string(l.Bound)
		}
		byLabel[s.label] = p
	}
	for _, id := range r.withoutServer() {
		if p, ok := byLabel[id]; ok {
			p.Watching = true
			byLabel[id] = p
		}
	}
	list := slices.SortedFunc(maps.Values(byLabel), func(a, b msg.Peer) int {
		return cmp.Or(cmp.Compare(a.Since, b.Since), cmp.Compare(a.Endpoint, b.Endpoint))
	})
	return list[max(0, len(list)-msg.MaxRoster):]
}

func sorted[K cmp.Ordered, V any](m map[K]V) []K { return slices.Sorted(maps.Keys(m)) }
