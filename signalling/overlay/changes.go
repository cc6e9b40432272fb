package overlay

import (
	"cmp"
	"slices"
)

// Change is one viewer that gets the picture from elsewhere than before.
type Change struct {
	Viewer string
	// From and To are its sources before and after; From is Nowhere for one who came.
	From, To Source
	// After is the viewer that must have changed first, "" for none. Were it not so, two viewers that change
	// places could feed each other their own picture, with nothing new in it.
	After string
}

// Changes is what is to be done to get from what viewers have to a plan, in an order in which it can be
// done: the viewers nearest to the uploader first. Each is made before the old way is broken, so a viewer keeps
// its picture.
func Changes(was map[string]Source, to Plan) (list []Change) {
	moved := map[string]bool{}
	places := slices.Clone(to.Places)
	slices.SortStableFunc(places, func(a, b Place) int { return cmp.Compare(a.Depth, b.Depth) })
	above := map[string]string{} // the nearest viewer above that changes
	for _, at := range places {
		up := ""
		if at.From.Via == Relayed {
			if up = at.From.Viewer; !moved[up] {
				up = above[up]
			}
		}
		above[at.Viewer] = up
		if was[at.Viewer] != at.From {
			moved[at.Viewer] = true
			list = append(list, Change{at.Viewer, was[at.Viewer], at.From, up})
		}
	}
	return list
}
