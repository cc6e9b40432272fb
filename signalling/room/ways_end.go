package room

import (
	"time"

	"github.com/fanfare-relay/fanfare/signalling/msg"
	"github.com/fanfare-relay/fanfare/signalling/overlay"
)

// late is a way that is over, of a viewer that has lost its connection to the server and perhaps nothing else: its
// picture goes on until it is back and has another one.
type late struct {
	source  string
	subject string    // whose page the viewer is
	at      time.Time // when the source is told
}

// grace is how long that may take: a page comes back within five seconds, and begins with the server.
const grace = 10 * time.Second

func (r *Room) endWay(w *way) {
	r.loseWay(w)
	r.tellEnd(w.viewer, w.id)
	r.tellEnd(w.source, w.id)
}

// tellEnd tells one end. An end that is away hears nothing: when it is back, whatever is not named anew is over.
func (r *Room) tellEnd(end string, way int) {
	if _, there := r.members[end]; there {
		r.send(end, msg.EndWay{Way: way})
	}
}

// nameWays tells a source that is back which of the ways of before go on.
func (r *Room) nameWays(source string) {
	for _, id := range sorted(r.ways.open) {
		if w := r.ways.open[id]; w.source == source {
			r.send(source, msg.Serve{Way: w.id, To: w.viewer})
		}
	}
}

// endLate tells the sources of those that are to end now.
func (r *Room) endLate(due func(late) bool) {
	for _, id := range sorted(r.ways.late) {
		if l := r.ways.late[id]; due(l) {
			delete(r.ways.late, id)
			r.tellEnd(l.source, id)
		}
	}
}

// loseWay forgets a way.
func (r *Room) loseWay(w *way) {
	delete(r.ways.open, w.id)
	if r.ways.shown[w.viewer] == w {
		delete(r.ways.shown, w.viewer)
	}
	r.roster.dirty, r.ways.plan.dirty = true, true
}

// forgetWays drops all ways of an endpoint whose connection is gone or new. Who got the picture from it keeps
// what it has until the next way shows more; who gave it is told that it is not needed, at once or after some time.
func (r *Room) forgetWays(endpoint string, after time.Duration, now time.Time) {
	for _, id := range sorted(r.ways.open) {
		switch w := r.ways.open[id]; endpoint {
		case w.viewer:
			if after == 0 || w.source == "" {
				r.endWay(w)
				break
			}
			r.loseWay(w)
			r.ways.late[id] = late{source: w.source, subject: w.subject, at: now.Add(after)}
		case w.source:
			if w.from.Via == overlay.Relayed {
				r.loseWay(w)
			}
		}
	}
	if _, ok := r.ways.known[endpoint]; !ok {
		return
	}
	delete(r.ways.known, endpoint)
	r.ways.plan.dirty = true
	if r.ways.planner != nil {
		r.feed(overlay.Leave{Viewer: endpoint}, now)
		r.retell()
	}
}

// dropWays ends all ways at once: there is nothing more to get by them.
func (r *Room) dropWays() {
	r.endLate(func(late) bool { return true })
	if r.ways.planner == nil {
		return
	}
	r.ways.planner, r.ways.wished = nil, overlay.Wish{}
	for _, id := range sorted(r.ways.open) {
		r.endWay(r.ways.open[id])
	}
	r.ways.plan.dirty = true
}
