package room

import (
	"cmp"
	"slices"
	"time"

	"github.com/fanfare-relay/fanfare/media"
	"github.com/fanfare-relay/fanfare/signalling/msg"
	"github.com/fanfare-relay/fanfare/signalling/overlay"
)

// ways is who gets the picture of this room from whom. While the owner has chosen nothing but the server there is
// no planner and nobody is told anything: pages go to the server by themselves.
//
// A way is told to its two ends only, and envelopes pass between the ends of ways alone. So nobody becomes a peer
// who was not let in, and whoever is put out is none from then on.
type ways struct {
	// chosen is the owner's word; nil while its page has said nothing.
	chosen *msg.SetTopology
	owner  msg.Facts
	// serverRoom is for how many viewers the server is meant; 0: for all.
	serverRoom int
	known      map[string]*known
	arrivals   int
	planner    *overlay.Planner
	wished     overlay.Wish // what the planner was told last
	open       map[int]*way
	shown      map[string]*way // of those, the one that a viewer shows; by viewer
	late       map[int]late    // over, as their sources hear later; by way
	last       int
	plan       throttle
	told       msg.Plan
	toldWhy    string // whyServer as it was when the plan was made
	// spared: the owner was told that the server's copy is not needed. idle is since when that is so.
	spared bool
	idle   time.Time
}

// known is a viewer whose page takes part.
type known struct {
	facts msg.Facts
	order int
}

// way is one that was told and is not over.
type way struct {
	id      int
	viewer  string
	subject string // whose page the viewer is
	from    overlay.Source
	source  string // the endpoint that offers; "" for the server
	relays  int    // as the viewer was told
}

// newWays: numbers of ways begin with the time, so that those of before a restart mean nothing.
func newWays(serverRoom int, now time.Time) ways {
	return ways{
		serverRoom: serverRoom, known: map[string]*known{}, open: map[int]*way{}, shown: map[string]*way{},
		late: map[int]late{},
		last: int(now.UnixMilli()),
		plan: throttle{every: countEvery},
	}
}

// facts takes what an endpoint tells of itself.
func (r *Room) facts(endpoint string, f msg.Facts, now time.Time) {
	w := &r.ways
	w.plan.dirty = true
	if endpoint == r.owner {
		w.owner = f
		return
	}
	k := w.known[endpoint]
	switch {
	case k != nil:
		k.facts = f
	case len(w.known) >= msg.MaxPlanned:
		return // the server has room; it tells its facts again
	default:
		w.arrivals++
		k = &known{facts: f, order: w.arrivals}
		w.known[endpoint] = k
		if w.planner != nil {
			r.arrive(endpoint, now)
			return
		}
	}
	if w.planner != nil {
		r.feed(overlay.Arrive{Viewer: r.viewerOf(endpoint)}, now)
	}
}

// viewerOf is a viewer as the planner sees it.
func (r *Room) viewerOf(endpoint string) overlay.Viewer {
	f := r.ways.known[endpoint].facts
	// A line that nothing has limited is known once it carries what one who passes on needs at least.
	enough := overlay.LeastFanout
	return overlay.Viewer{
		ID: endpoint, RTT: time.Duration(f.RoundTrip) * time.Millisecond, Device: overlay.Device(f.Device),
		Uplink: r.uplink(f, enough), Hidden: f.Hidden, Metered: f.Metered, Refuses: f.Refuses,
	}
}

// uplink is what a line was seen to carry; 0 while nothing has limited it and that is less than so many copies
// need: then it may well carry them.
func (r *Room) uplink(f msg.Facts, copies int) media.Bitrate {
	if f.AtLeast && float64(f.Uplink)*overlay.Share < float64(copies*r.ways.owner.Bitrate) {
		return 0
	}
	return media.Bitrate(f.Uplink)
}

// steer sees to it that there is a planner when one is needed, and that it knows what the owner wants.
func (r *Room) steer(now time.Time) {
	w := &r.ways
	if why := r.whyServer(); why != w.toldWhy {
		w.toldWhy, w.plan.dirty = why, true
	}
	if r.phase != phaseOn {
		r.dropWays()
		return
	}
	r.endLate(func(l late) bool { return !now.Before(l.at) })
	wish := r.wish()
	if w.planner == nil {
		if wish.Topology == overlay.SFU {
			return
		}
		w.planner = overlay.NewPlanner()
		for _, id := range r.inOrder() {
			r.arrive(id, now)
		}
	}
	if wish != w.wished {
		w.wished = wish
		r.feed(wish, now)
	}
	if at, ok := w.planner.Deadline(); ok && !now.Before(at) {
		r.feed(overlay.Tick{}, now)
	}
}

// wish is the owner's, while its own page publishes: what another program sends it cannot pass on.
func (r *Room) wish() overlay.Wish {
	w := &r.ways
	wish := overlay.Wish{
		Topology: overlay.SFU, Bitrate: media.Bitrate(w.owner.Bitrate),
		Uplink: r.uplink(w.owner, len(w.known)), ServerRoom: w.serverRoom,
	}
	if w.chosen != nil && r.ownerPublishes() {
		wish.Topology, wish.Fanout = overlay.Topology(w.chosen.Topology), w.chosen.Fanout
	}
	return wish
}

func (r *Room) ownerPublishes() bool {
	s, ok := r.sessions[r.publisher]
	return ok && r.owner != "" && s.endpoint == r.owner
}

func (r *Room) inOrder() []string {
	list := sorted(r.ways.known)
	slices.SortStableFunc(list, func(a, b string) int { return cmp.Compare(r.ways.known[a].order, r.ways.known[b].order) })
	return list
}

// arrive tells the planner of a viewer that has, or will have by itself, the picture from the server.
func (r *Room) arrive(endpoint string, now time.Time) {
	byServer := overlay.Source{Via: overlay.Server}
	for _, o := range r.ways.planner.Step(overlay.Arrive{Viewer: r.viewerOf(endpoint)}, now) {
		if c, ok := o.(overlay.Connect); !ok || c.Viewer != endpoint || c.From != byServer {
			r.obey(o, now)
		}
	}
	r.feed(overlay.Ready{Viewer: endpoint, From: byServer}, now)
}

func (r *Room) feed(in overlay.Input, now time.Time) {
	for _, o := range r.ways.planner.Step(in, now) {
		r.obey(o, now)
	}
}

// obey carries out what the planner says.
func (r *Room) obey(o overlay.Output, now time.Time) {
	switch o := o.(type) {
	case overlay.Connect:
		r.connect(o, now)
	case overlay.Release:
		for _, id := range sorted(r.ways.open) {
			if w := r.ways.open[id]; w.viewer == o.Viewer && w.from == o.From {
				r.endWay(w)
			}
		}
	case overlay.Explain:
		r.ways.plan.dirty = true
	}
}

// connect tells both ends. A source that is not there cannot serve, which the planner learns at once.
func (r *Room) connect(c overlay.Connect, now time.Time) {
	source := ""
	switch c.From.Via {
	case overlay.Direct:
		source = r.owner
	case overlay.Relayed:
		source = c.From.Viewer
	}
	if _, there := r.members[source]; c.From.Via != overlay.Server && !there {
		r.feed(overlay.Failed(c), now)
		return
	}
	r.ways.last++
	w := &way{id: r.ways.last, viewer: c.Viewer, from: c.From, source: source}
	w.relays = r.relays(w.from, len(r.ways.known))
	if m, there := r.members[w.viewer]; there {
		w.subject = Subject(m.viewer, m.address)
	}
	r.ways.open[w.id] = w
	r.tellWay(w)
	if source != "" {
		r.send(source, msg.Serve{Way: w.id, To: w.viewer})
	}
}

func (r *Room) tellWay(w *way) {
	r.send(w.viewer, msg.Way{Way: w.id, Via: msg.Via(w.from.Via), From: w.source, Relays: w.relays})
}

// wayState takes a viewer's word on a way, or its source's word that it has failed. Words on ways that are over
// mean nothing.
func (r *Room) wayState(endpoint string, m msg.WayState, now time.Time) {
	w := r.ways.open[m.Way]
	if w == nil || endpoint != w.viewer && (endpoint != w.source || m.State != msg.WayFailed) {
		return
	}
	switch m.State {
	case msg.WayReady:
		r.ready(w, now)
	case msg.WayFailed:
		r.feed(overlay.Failed{Viewer: w.viewer, From: w.from}, now)
	case msg.WaySilent:
		// Browsers send about one picture a second from a tab in the background: no viewer is to blame.
		if r.ways.shown[w.viewer] == w && r.declared == msg.StateLive && !r.ways.owner.Hidden {
			r.feed(overlay.Silent{Viewer: w.viewer, Since: now.Add(-time.Duration(m.For) * time.Millisecond)}, now)
		}
	case msg.WayAlive:
		if r.ways.shown[w.viewer] == w {
			r.feed(overlay.Alive{Viewer: w.viewer}, now)
		}
	}
}

func (r *Room) ready(w *way, now time.Time) {
	if r.ways.shown[w.viewer] == w {
		return
	}
	r.ways.shown[w.viewer] = w
	r.roster.dirty = true
	r.feed(overlay.Ready{Viewer: w.viewer, From: w.from}, now)
	r.retell()
}

// retell tells those viewers whose picture is passed on by more or fewer than they know.
func (r *Room) retell() {
	r.ways.plan.dirty = true
	for _, viewer := range sorted(r.ways.shown) {
		w := r.ways.shown[viewer]
		if n := r.relays(w.from, len(r.ways.known)); n != w.relays {
			w.relays = n
			r.tellWay(w)
		}
	}
}

// relays counts the viewers that pass a picture on from this source; most bounds a ring, which there is not.
func (r *Room) relays(from overlay.Source, most int) int {
	if from.Via != overlay.Relayed || most <= 0 {
		return 0
	}
	return 1 + r.relays(r.shownBy(from.Viewer), most-1)
}

// shownBy is where a viewer's picture comes from; the zero Source: from the server.
func (r *Room) shownBy(viewer string) overlay.Source {
	if w := r.ways.shown[viewer]; w != nil {
		return w.from
	}
	return overlay.Source{}
}

// joined tells whether an envelope may pass: the two are the ends of one way.
func (r *Room) joined(a, b string) bool {
	for _, w := range r.ways.open {
		if w.source != "" && (w.viewer == a && w.source == b || w.viewer == b && w.source == a) {
			return true
		}
	}
	return false
}

// withoutServer are viewers that show the picture without a session of their own.
func (r *Room) withoutServer() (list []string) {
	for _, viewer := range sorted(r.ways.shown) {
		if r.ways.shown[viewer].source != "" && r.watching[viewer] == 0 {
			list = append(list, viewer)
		}
	}
	return list
}
