package room

import (
	"cmp"
	"hash/fnv"
	"slices"

	"github.com/fanfare-relay/fanfare/signalling/msg"
)

const (
	// maxNeighbours is how many each has at most: up to nine members know each other all. A swarm of
	// 50 loses less than a hundredth of its rate by it (simulated), and a peer connection costs a
	// browser some MiB.
	maxNeighbours = 8
	// maxNear is how many of them are chosen for being behind the same address.
	maxNear = 4
)

// Neighbours proposes who should be connected to whom. It is symmetric, connected, depends on the
// members and the seed alone, and changes little when one comes or goes: every link has a rank of
// its own by chance, and the best that still fit are taken. First comes a ring through all; then some
// behind the same address; then those who are not; then anybody. Were all of the first kind taken at
// once, a class behind one address would leave the uploader outside with the ring alone.
func Neighbours(members []msg.Member, seed uint64) map[string][]string {
	g := graph{spots: ring(members, seed), links: make([][]int, len(members)), near: make([]int, len(members))}
	for _, l := range g.ranked() {
		if g.fits(l) {
			g.links[l.a] = append(g.links[l.a], l.b)
			g.links[l.b] = append(g.links[l.b], l.a)
		}
	}
	out := make(map[string][]string, len(members))
	for i, of := range g.links {
		for _, j := range of {
			out[g.spots[i].id] = append(out[g.spots[i].id], g.spots[j].id)
		}
		slices.Sort(out[g.spots[i].id])
	}
	return out
}

// graph links the spots of the ring, by their index.
type graph struct {
	spots []spot
	links [][]int
	near  []int // how many links of classNear each has
}

// spot is a member's place on the ring.
type spot struct {
	id, near string
	place    uint64
}

// link is one that may be taken; rank is smallest for the first.
type link struct {
	class class
	rank  uint64
	a, b  int
}

type class uint8

const (
	classRing class = iota
	classNear
	classFar
	classRest
)

func ring(members []msg.Member, seed uint64) []spot {
	spots := make([]spot, len(members))
	for i, m := range members {
		spots[i] = spot{m.Endpoint, m.Near, place(m.Endpoint, seed)}
	}
	slices.SortFunc(spots, func(a, b spot) int {
		return cmp.Or(cmp.Compare(a.place, b.place), cmp.Compare(a.id, b.id))
	})
	return spots
}

// ranked lists every possible link, the best first; those of the ring and between near ones come twice.
func (g graph) ranked() []link {
	n := len(g.spots)
	links := make([]link, 0, n*(n+1))
	for i, a := range g.spots {
		links = append(links, link{classRing, uint64(i), i, (i + 1) % n})
		for j, b := range g.spots[:i] {
			rank := mix(a.place ^ mix(b.place))
			if a.near != b.near {
				links = append(links, link{classFar, rank, i, j})
				continue
			}
			links = append(links, link{classNear, rank, i, j}, link{classRest, rank, i, j})
		}
	}
	slices.SortFunc(links, func(a, b link) int {
		return cmp.Or(cmp.Compare(a.class, b.class), cmp.Compare(a.rank, b.rank), cmp.Compare(a.a, b.a), cmp.Compare(a.b, b.b))
	})
	return links
}

// fits tells whether both have a place for the link, and notes what it is taken for. Of few members
// everybody has a place for all.
func (g graph) fits(l link) bool {
	if l.a == l.b || slices.Contains(g.links[l.a], l.b) || len(g.links[l.a]) >= maxNeighbours || len(g.links[l.b]) >= maxNeighbours {
		return false
	}
	if l.class == classNear {
		if g.near[l.a] >= maxNear || g.near[l.b] >= maxNear {
			return false
		}
		g.near[l.a]++
		g.near[l.b]++
	}
	return true
}

func place(id string, seed uint64) uint64 {
	h := fnv.New64a()
	_, _ = h.Write([]byte(id)) // never fails
	return mix(h.Sum64() ^ seed)
}

// mix spreads every bit over all (the finaliser of splitmix64): FNV alone leaves like identifiers
// with like sums.
func mix(x uint64) uint64 {
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}
