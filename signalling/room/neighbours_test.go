package room

import (
	"fmt"
	"maps"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/fanfare-relay/fanfare/signalling/msg"
)

// people makes n members, each k of them behind one address; k of 0 is one for each.
func people(n, k int) []msg.Member {
	var all []msg.Member
	for i := range n {
		near := fmt.Sprint("own", i)
		if k > 0 {
			near = fmt.Sprint("shared", i/k)
		}
		all = append(all, msg.Member{Endpoint: fmt.Sprintf("endpoint-%02d", i), Near: near, Order: i + 1})
	}
	return all
}

func TestNeighboursKnowEachOther(t *testing.T) {
	for _, k := range []int{0, 3, 9, 64} {
		for _, n := range []int{0, 1, 2, 3, 8, 9, 10, 11, 12, 13, 17, 24, 33, 50, msg.MaxFilesMembers} {
			for seed := range uint64(2) {
				members := people(n, k)
				g := Neighbours(members, seed)
				checkGraph(t, fmt.Sprintf("%d members, %d an address, seed %d", n, k, seed), members, g)
				slices.Reverse(members)
				if diff := cmp.Diff(g, Neighbours(members, seed)); diff != "" {
					t.Fatalf("the order of %d members matters:\n%s", n, diff)
				}
			}
		}
	}
}

func checkGraph(t *testing.T, what string, members []msg.Member, g map[string][]string) {
	t.Helper()
	least, sum := min(len(members)-1, 3), 0 // a few at the end find nobody who has a place
	for _, m := range members {
		of := g[m.Endpoint]
		sum += len(of)
		if len(of) < least || len(of) > maxNeighbours || len(members) <= maxNeighbours+1 && len(of) != len(members)-1 {
			t.Fatalf("%s: %s has %d neighbours", what, m.Endpoint, len(of))
		}
		if slices.Contains(of, m.Endpoint) || !slices.IsSorted(of) || len(slices.Compact(slices.Clone(of))) != len(of) {
			t.Fatalf("%s: %s is told %v", what, m.Endpoint, of)
		}
		for _, other := range of {
			if !slices.Contains(g[other], m.Endpoint) {
				t.Fatalf("%s: %s knows %s, which does not know it", what, m.Endpoint, other)
			}
		}
	}
	if mean := float64(sum) / float64(max(len(members), 1)); len(members) > maxNeighbours+1 && mean < maxNeighbours-0.7 {
		t.Fatalf("%s: %.1f neighbours on the average", what, mean)
	}
	if len(members) > 0 && len(reached(members[0].Endpoint, g)) != len(members) {
		t.Fatalf("%s: not all can be reached", what)
	}
}

func reached(from string, g map[string][]string) map[string]bool {
	seen, next := map[string]bool{from: true}, []string{from}
	for len(next) > 0 {
		id := next[0]
		next = next[1:]
		for _, other := range g[id] {
			if !seen[other] {
				seen[other] = true
				next = append(next, other)
			}
		}
	}
	return seen
}

// TestNeighboursBehindOneAddress: they come first, but for the two of the ring.
func TestNeighboursBehindOneAddress(t *testing.T) {
	members := people(60, 4)
	near := map[string]string{}
	for _, m := range members {
		near[m.Endpoint] = m.Near
	}
	for seed := range uint64(5) {
		g := Neighbours(members, seed)
		for i, m := range members {
			for _, other := range members[i/4*4 : i/4*4+4] {
				if other.Endpoint != m.Endpoint && !slices.Contains(g[m.Endpoint], other.Endpoint) {
					t.Fatalf("seed %d: %s does not know %s behind the same address", seed, m.Endpoint, other.Endpoint)
				}
			}
		}
	}
}

// TestNeighboursAreStable: whoever comes or goes moves few links of the others.
func TestNeighboursAreStable(t *testing.T) {
	for _, k := range []int{0, 4, 64} {
		moved, trials := 0, 0
		for seed := range uint64(8) {
			members := people(50, k)
			before := Neighbours(members, seed)
			gone := members[seed]
			after := Neighbours(slices.Delete(slices.Clone(members), int(seed), int(seed)+1), seed)
			moved += linksMoved(before, after, gone.Endpoint)
			trials++
		}
		// Eight links have lost an end, so that at least four new ones are needed.
		if mean := float64(moved) / float64(trials); mean > 30 {
			t.Errorf("%d an address: of 200 links %.1f moved", k, mean)
		} else {
			t.Logf("%d an address: of 200 links %.1f moved", k, mean)
		}
	}
}

// linksMoved counts links that are in one graph only, those of the one who has gone left out.
func linksMoved(before, after map[string][]string, gone string) int {
	links := map[string]int{}
	for _, g := range []map[string][]string{before, after} {
		for _, a := range slices.Sorted(maps.Keys(g)) {
			for _, b := range g[a] {
				if a < b && a != gone && b != gone {
					links[a+" "+b]++
				}
			}
		}
	}
	moved := 0
	for _, n := range links {
		if n == 1 {
			moved++
		}
	}
	return moved
}

// TestNeighboursOfOneOutside: an uploader elsewhere has its share of a class behind one address.
func TestNeighboursOfOneOutside(t *testing.T) {
	for n := maxNeighbours + 2; n <= msg.MaxFilesMembers; n += 6 {
		members := people(n, n-1)
		if of := Neighbours(members, uint64(n))[members[n-1].Endpoint]; len(of) != maxNeighbours {
			t.Errorf("of %d, the one outside knows %d", n, len(of))
		}
	}
}

func TestNeighboursDependOnTheSeed(t *testing.T) {
	members := people(30, 0)
	if cmp.Equal(Neighbours(members, 1), Neighbours(members, 2)) {
		t.Error("two seeds, one graph")
	}
}

func BenchmarkNeighbours(b *testing.B) {
	members := people(msg.MaxFilesMembers, 4)
	for b.Loop() {
		Neighbours(members, 1)
	}
}
