package overlay

import (
	"cmp"
	"maps"
	"slices"
)

// Build makes the plan for some facts. was is what each viewer has now; as much of it stays as the facts
// allow. chosen is the topology of the plan before, which Auto leaves with reluctance; "" for none.
func Build(f Facts, was map[string]Source, chosen Topology) Plan {
	topology, why := choose(&f, chosen)
	b := newBuilder(&f, topology, chosen)
	if topology != SFU {
		b.keep(was)
		b.fill()
		for b.promote() {
			b.fill()
		}
	}
	p := b.plan()
	p.Topology, p.Why = topology, sentence(&f, topology, why, p)
	return p
}

// builder grows a plan from the uploader downwards. Who is not placed in the end is served by the SFU.
type builder struct {
	facts    *Facts
	ids      []string // sorted
	viewers  map[string]Viewer
	capacity map[string]int      // how many each may pass on to, the Uploader too
	children map[string][]string // by parent; of viewers that are not placed too: what they bring along
	parent   map[string]string   // of those in children
	deepest  int
}

func newBuilder(f *Facts, topology, before Topology) *builder {
	b := &builder{
		facts: f, viewers: map[string]Viewer{}, capacity: map[string]int{}, children: map[string][]string{},
		parent: map[string]string{}, deepest: MaxDepth,
	}
	for _, v := range f.Viewers {
		b.viewers[v.ID] = v
	}
	b.ids = slices.Sorted(maps.Keys(b.viewers))
	if topology == Star {
		b.deepest = 1
		b.capacity[Uploader] = f.starRoom(before)
		return b
	}
	for id, v := range b.viewers {
		b.capacity[id] = f.capacity(v)
	}
	// One copy is left for the server, which takes over when a viewer that passes on is lost.
	b.capacity[Uploader] = max(min(f.fanout(), f.copies(f.Uplink, Share, MostStar)-1), 0)
	return b
}

// starRoom is how many viewers the uploader serves by itself. A star of all needs no copy for the server.
func (f *Facts) starRoom(before Topology) int {
	n, room := len(f.Viewers), f.copies(f.Uplink, Share, MostStar)
	if f.Wish == Auto && f.starFits(before) || f.unreached() == 0 && n <= room {
		return n
	}
	return max(room-1, 0)
}

// keep takes over what may stay, from the uploader down; then the links below viewers that lost their place,
// so that they move together.
func (b *builder) keep(was map[string]Source) {
	for _, id := range b.ids {
		at, ok := was[id]
		if !ok || at.Via != Direct && at.Via != Relayed {
			continue
		}
		if from := at.end(); b.known(from) && from != id && b.facts.reaches(from, id) && len(b.children[from]) < b.capacity[from] {
			b.link(from, id)
		}
	}
	for _, id := range b.ids { // a ring, or too deep
		if b.parent[id] != "" && (b.ringed(id) || b.depth(id) > b.deepest) {
			b.unlink(id)
		}
	}
}

func (b *builder) known(id string) bool {
	_, ok := b.viewers[id]
	return ok || id == Uploader
}

func (b *builder) link(from, id string) {
	b.parent[id] = from
	b.children[from] = append(b.children[from], id)
}

func (b *builder) unlink(id string) {
	from := b.parent[id]
	delete(b.parent, id)
	b.children[from] = slices.DeleteFunc(b.children[from], func(c string) bool { return c == id })
}

func (b *builder) ringed(id string) bool {
	at := b.parent[id]
	for range len(b.ids) {
		if at == "" || at == Uploader {
			return false
		}
		at = b.parent[at]
	}
	return true
}

// depth counts the steps up to the uploader, or to the viewer that has no place.
func (b *builder) depth(id string) (n int) {
	for at := id; b.parent[at] != ""; at = b.parent[at] {
		n++
	}
	return n
}

func (b *builder) placed(id string) bool {
	for id != "" && id != Uploader {
		id = b.parent[id]
	}
	return id == Uploader
}

// height is how many steps lie below a viewer.
func (b *builder) height(id string) (n int) {
	for _, c := range b.children[id] {
		n = max(n, 1+b.height(c))
	}
	return n
}

// fill places those without a place: who brings most along first, then who can pass on to most.
func (b *builder) fill() {
	for progress := true; progress; {
		progress = false
		for _, id := range b.waiting() {
			if b.parent[id] != "" || b.placed(id) {
				continue
			}
			if b.place(id) {
				progress = true
			} else if len(b.children[id]) > 0 { // no room for all of them together
				for _, c := range slices.Clone(b.children[id]) {
					b.unlink(c)
				}
				progress = true
			}
		}
	}
}

// waiting are the viewers at the top of what has no place.
func (b *builder) waiting() (list []string) {
	for _, id := range b.ids {
		if b.parent[id] == "" {
			list = append(list, id)
		}
	}
	slices.SortStableFunc(list, func(x, y string) int {
		return cmp.Or(
			cmp.Compare(b.height(y), b.height(x)),
			cmp.Compare(b.capacity[y], b.capacity[x]),
			cmp.Compare(b.viewers[x].RTT, b.viewers[y].RTT))
	})
	return list
}

// place puts a viewer, with all below it, under the best parent: the shallowest, then the nearest.
func (b *builder) place(id string) bool {
	best, found := "", false
	for _, from := range append([]string{Uploader}, b.ids...) {
		if b.fits(from, id) && (!found || b.better(from, best)) {
			best, found = from, true
		}
	}
	if found {
		b.link(best, id)
	}
	return found
}

func (b *builder) fits(from, id string) bool {
	return from != id && len(b.children[from]) < b.capacity[from] && b.placed(from) &&
		b.depth(from)+1+b.height(id) <= b.deepest && b.facts.reaches(from, id)
}

func (b *builder) better(from, than string) bool {
	return cmp.Or(
		cmp.Compare(b.depth(from), b.depth(than)),
		cmp.Compare(len(b.children[from]), len(b.children[than])),
		cmp.Compare(b.viewers[from].RTT, b.viewers[than].RTT),
		cmp.Compare(from, than)) < 0
}

// promote makes room for a viewer that has none and could pass on: it takes the place of one that cannot,
// which moves below it. That is one change more, and at least one viewer less on the server.
func (b *builder) promote() bool {
	for _, id := range b.waiting() {
		if b.capacity[id] == 0 || b.height(id) > 0 {
			continue
		}
		for _, leaf := range b.leaves() {
			from := b.parent[leaf]
			if b.depth(leaf) < b.deepest && b.facts.reaches(from, id) && b.facts.reaches(id, leaf) {
				b.unlink(leaf)
				b.link(from, id)
				b.link(id, leaf)
				return true
			}
		}
	}
	return false
}

// leaves are placed viewers that can pass nothing on, the shallowest first.
func (b *builder) leaves() (list []string) {
	for _, id := range b.ids {
		if b.placed(id) && b.capacity[id] == 0 {
			list = append(list, id)
		}
	}
	slices.SortStableFunc(list, func(x, y string) int { return cmp.Compare(b.depth(x), b.depth(y)) })
	return list
}

func (b *builder) plan() (p Plan) {
	onServer := 0
	for _, id := range b.ids {
		at := Place{Viewer: id, From: Source{Via: Server}}
		if b.placed(id) {
			at.Depth = b.depth(id)
			at.From = Source{Via: Direct}
			if from := b.parent[id]; from != Uploader {
				at.From = Source{Via: Relayed, Viewer: from}
			}
		}
		if at.From.Via == Server {
			onServer = 1
		}
		p.Depth = max(p.Depth, at.Depth)
		p.Places = append(p.Places, at)
	}
	p.Copies = len(b.children[Uploader]) + onServer
	return p
}
