package room

import (
	"reflect"
	"time"

	"github.com/fanfare-relay/fanfare/media"
	"github.com/fanfare-relay/fanfare/signalling/msg"
	"github.com/fanfare-relay/fanfare/signalling/overlay"
)

// flushPlan tells the owner what its choice comes to.
func (r *Room) flushPlan(now time.Time) {
	w := &r.ways
	if !r.tellsPlan() || !w.plan.dirty || now.Before(w.plan.next) {
		return
	}
	plan := r.planNow()
	w.plan.dirty = !reflect.DeepEqual(plan, w.told)
	if w.plan.fire(now) {
		w.told = plan
		r.sendOwner(plan)
	}
}

// spareAfter is how long nobody may need the server's copy before the owner is told: viewers come and go, and
// each change costs the uploader a key frame.
const spareAfter = 5 * time.Second

// flushCopy tells the owner whether the server's copy is needed: at once when it is.
func (r *Room) flushCopy(now time.Time) {
	w := &r.ways
	if !r.tellsPlan() || r.serverNeeded() {
		w.idle = time.Time{}
		if w.spared && r.tellsPlan() {
			w.spared = false
			r.sendOwner(msg.ServerCopy{Wanted: true})
		}
		return
	}
	if w.idle.IsZero() {
		w.idle = now
	}
	if !w.spared && !now.Before(w.idle.Add(spareAfter)) {
		w.spared = true
		r.sendOwner(msg.ServerCopy{Wanted: false})
	}
}

// serverNeeded tells whether anybody gets the picture from the server, or is about to.
func (r *Room) serverNeeded() bool {
	if r.ways.planner == nil || len(r.ways.shown) == 0 {
		return true
	}
	for _, s := range r.sessions {
		if s.role == media.RoleSubscriber {
			return true
		}
	}
	for _, w := range r.ways.open {
		if w.source == "" {
			return true
		}
	}
	for id := range r.ways.known {
		if r.ways.shown[id] == nil {
			return true
		}
	}
	return false
}

// tellsPlan tells whether there is somebody to tell.
func (r *Room) tellsPlan() bool { return r.owner != "" && r.ways.chosen != nil }

// waysDeadline is when ways or the plan want to be called again; zero for never.
func (r *Room) waysDeadline() (at time.Time) {
	w := &r.ways
	if w.planner != nil {
		at, _ = w.planner.Deadline()
	}
	for _, l := range w.late {
		at = sooner(at, l.at)
	}
	if !r.tellsPlan() {
		return at
	}
	if w.plan.dirty {
		at = sooner(at, w.plan.next)
	}
	if !w.spared && !w.idle.IsZero() {
		at = sooner(at, w.idle.Add(spareAfter))
	}
	return at
}

// planNow is the plan with what viewers have told.
func (r *Room) planNow() msg.Plan {
	p := msg.Plan{Topology: msg.TopologySFU, Why: r.whyServer(), Copies: 1, Places: []msg.Place{}}
	if r.ways.planner != nil {
		if made := r.ways.planner.Plan(); made.Why != "" {
			p.Topology, p.Why = msg.Topology(made.Topology), made.Why
			p.Copies, p.Depth = made.Copies, made.Depth
		}
	}
	for _, id := range r.inOrder() {
		p.Places = append(p.Places, r.place(id))
	}
	return p
}

// whyServer is the reason where nothing is planned.
func (r *Room) whyServer() string {
	switch {
	case r.phase != phaseOn:
		return "By the server, once it is live."
	case !r.ownerPublishes():
		return "By the server: another program sends this stream, and only this page could send it to viewers directly."
	}
	return "By the server: the uploader chose it."
}

func (r *Room) place(viewer string) msg.Place {
	from := r.shownBy(viewer)
	at := msg.Place{Endpoint: viewer, Via: msg.ViaServer, Relays: r.relays(from, len(r.ways.known))}
	if from.Via != overlay.Nowhere {
		at.Via, at.From = msg.Via(from.Via), from.Viewer
	}
	if f := r.ways.known[viewer].facts; f.Delay > 0 {
		at.Delay, at.Measured = f.Delay, true
	} else {
		at.Delay = r.reckon(viewer, len(r.ways.known))
	}
	return at
}

// reckon adds up the steps on the way to a viewer, 0 when one of them is not known.
func (r *Room) reckon(viewer string, most int) int {
	k := r.ways.known[viewer]
	if k == nil || k.facts.Leg == 0 || most <= 0 {
		return 0
	}
	switch from := r.shownBy(viewer); from.Via {
	case overlay.Direct:
		return k.facts.Leg
	case overlay.Relayed:
		if above := r.reckon(from.Viewer, most-1); above > 0 {
			return above + k.facts.Leg
		}
		return 0
	}
	return k.facts.Leg + r.ways.owner.RoundTrip/2 // the uploader's own step to the server
}

// sooner is the earlier of two times, of which zero is none.
func sooner(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}
