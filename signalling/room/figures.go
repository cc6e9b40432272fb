package room

import (
	"time"

	"github.com/fanfare-relay/fanfare/signalling/msg"
)

// figuresEvery is how soon a viewer's page may tell again what it sees. Pages do once a second; what comes sooner is left out, so that
// nobody fills the owner's line.
const figuresEvery = 800 * time.Millisecond

// figures is who of the viewers tells the owner what it sees. Nobody is asked unless the owner wants to know, and nobody is heard who
// was not asked.
type figures struct {
	wanted bool
	asked  map[string]time.Time // by endpoint: not before then
}

// wantFigures takes the owner's word, or its leaving.
func (r *Room) wantFigures(wanted bool) {
	f := &r.figures
	if wanted == f.wanted {
		return
	}
	f.wanted = wanted
	if wanted {
		r.askViewers()
		return
	}
	for _, id := range sorted(f.asked) {
		r.send(id, msg.FiguresWanted{Wanted: false})
	}
	clear(f.asked)
}

// askViewers asks as many viewers as may be.
func (r *Room) askViewers() {
	f := &r.figures
	if !f.wanted {
		return
	}
	for _, id := range sorted(r.members) {
		if len(f.asked) >= msg.MaxReporters {
			return
		}
		if _, asked := f.asked[id]; !asked && !r.owns(r.members[id]) {
			f.asked[id] = time.Time{}
			r.send(id, msg.FiguresWanted{Wanted: true})
		}
	}
}

// forgetFigures makes room for another viewer.
func (r *Room) forgetFigures(endpoint string) {
	if _, asked := r.figures.asked[endpoint]; asked {
		delete(r.figures.asked, endpoint)
		r.askViewers()
	}
}

// tellFigures hands on what a viewer's page tells.
func (r *Room) tellFigures(endpoint string, m msg.Figures, now time.Time) {
	next, asked := r.figures.asked[endpoint]
	if !asked || now.Before(next) {
		return
	}
	r.figures.asked[endpoint] = now.Add(figuresEvery)
	r.sendOwner(msg.ViewerFigures{Endpoint: endpoint, Figures: m})
}
