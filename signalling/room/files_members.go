package room

import (
	"cmp"
	"slices"
	"time"

	"github.com/fanfare-relay/fanfare/signalling/msg"
)

func (r *Files) join(in Join, now time.Time) {
	switch {
	case in.Entry:
		r.enter(in, now)
		return
	case r.removed[in.Endpoint], in.Viewer != "" && r.removed[in.Viewer]:
		r.turnAway(in.Endpoint, msg.CodeRemoved, "The uploader has removed you.")
		return
	}
	m, back := r.members[in.Endpoint]
	if !back {
		if in.Role != msg.RolePublisher && len(r.members) >= r.places() {
			r.turnAway(in.Endpoint, msg.CodeFull, "This room is full. Please try again later.")
			return
		}
		m = &fileMember{Member: msg.Member{Endpoint: in.Endpoint, Order: r.orderOf(in.Endpoint)}}
		r.members[in.Endpoint] = m
	}
	m.Role, m.Near, m.viewer = in.Role, in.Near, in.Viewer
	if m.Role == msg.RolePublisher {
		r.takeOver(in.Endpoint)
	}
	r.changed()
	r.welcome(m)
}

// orderOf is as before for whoever comes back before others have heard of its leaving.
func (r *Files) orderOf(endpoint string) int {
	if known, ok := r.told[endpoint]; ok {
		return known.Order
	}
	r.came++
	return r.came
}

func (r *Files) changed() {
	r.change++
	r.list.dirty = true
}

// places are for receivers, the uploader's while it is away not among them.
func (r *Files) places() int {
	if r.owner == "" {
		return r.limit - 1
	}
	return r.limit
}

// takeOver makes the endpoint the uploader. Whoever is in the antechamber was about to talk to
// the older one, whose half of the exchange is lost.
func (r *Files) takeOver(endpoint string) {
	if r.owner == endpoint {
		return
	}
	if r.owner != "" {
		r.send(r.owner, msg.Replaced{})
		r.putOut(r.owner)
	}
	r.owner = endpoint
}

// welcome tells a newcomer all there is to know at once.
func (r *Files) welcome(m *fileMember) {
	terms := r.terms()
	r.emit(Admit{Endpoint: m.Endpoint, Files: &terms})
	r.send(m.Endpoint, msg.Members{All: true, Joined: r.inOrder(), Neighbours: neighboursOf(m.Endpoint, r.neighbours())})
	m.saw = r.change
	if m.Endpoint == r.owner && r.code.number != "" {
		r.send(m.Endpoint, r.code.tell())
	}
}

// putOut closes an endpoint for good.
func (r *Files) putOut(endpoint string) {
	r.emit(CloseEndpoint{endpoint})
	r.emit(PutOut{endpoint})
	r.leave(endpoint)
}

func (r *Files) leave(endpoint string) {
	delete(r.entries, endpoint)
	if _, ok := r.members[endpoint]; !ok {
		return
	}
	delete(r.members, endpoint)
	r.changed()
	if endpoint == r.owner {
		r.owner = ""
		r.emptyAntechamber(msg.CodeNotFound, "The uploader has gone. Please try again in a moment.")
	}
}

// flush tells members what has changed, no more often than the throttle allows.
func (r *Files) flush(now time.Time) {
	if r.closed || !r.list.fire(now) {
		return
	}
	var change msg.Members
	for _, m := range r.inOrder() {
		if r.told[m.Endpoint] != m {
			change.Joined = append(change.Joined, m)
			r.told[m.Endpoint] = m
		}
	}
	for _, id := range sorted(r.told) {
		if _, ok := r.members[id]; !ok {
			change.Left = append(change.Left, id)
			delete(r.told, id)
		}
	}
	if len(change.Joined)+len(change.Left) == 0 {
		return
	}
	graph := r.neighbours()
	for _, id := range sorted(r.members) {
		if r.members[id].saw == r.change {
			continue // it has come since, and knows all
		}
		change.Neighbours = neighboursOf(id, graph)
		r.send(id, change)
	}
}

// inOrder lists the members in the order of their coming.
func (r *Files) inOrder() []msg.Member {
	all := make([]msg.Member, 0, len(r.members))
	for _, m := range r.members {
		all = append(all, m.Member)
	}
	slices.SortFunc(all, func(a, b msg.Member) int { return cmp.Compare(a.Order, b.Order) })
	return all
}

func (r *Files) neighbours() map[string][]string { return Neighbours(r.inOrder(), r.seed) }

// neighboursOf is never nil: on the wire a member alone has an empty list.
func neighboursOf(endpoint string, graph map[string][]string) []string {
	return append([]string{}, graph[endpoint]...)
}
