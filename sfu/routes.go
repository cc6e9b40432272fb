package sfu

import (
	"sync"

	"github.com/fanfare-relay/fanfare/sfu/lite"
)

// routes tells whose a datagram is: by the local ufrag of a connectivity check, or by the
// addresses that passed one.
type routes struct {
	mu     sync.RWMutex
	ufrags map[string]route
	paths  map[lite.Path]*viewer
}

// route is the owner of a ufrag: a viewer, or pion for a publisher.
type route struct {
	viewer    *viewer
	publisher bool
}

func newRoutes() *routes {
	return &routes{ufrags: map[string]route{}, paths: map[lite.Path]*viewer{}}
}

// byUfrag finds the owner of a check without allocating.
func (r *routes) byUfrag(ufrag []byte) (route, bool) {
	r.mu.RLock()
	defer r.mu.RUnlock()
	to, ok := r.ufrags[string(ufrag)]
	return to, ok
}

func (r *routes) byPath(p lite.Path) *viewer {
	r.mu.RLock()
	defer r.mu.RUnlock()
	return r.paths[p]
}

func (r *routes) addUfrag(ufrag string, to route) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.ufrags[ufrag] = to
	if to.viewer != nil {
		to.viewer.ufrags = append(to.viewer.ufrags, ufrag)
	}
}

func (r *routes) removeUfrag(ufrag string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.ufrags, ufrag)
}

// addPath gives an address to a viewer. An address that changes hands (a NAT that reuses
// a port) belongs to the last one that proved itself.
func (r *routes) addPath(p lite.Path, v *viewer) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.paths[p] = v
}

func (r *routes) removePath(p lite.Path, v *viewer) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.paths[p] == v {
		delete(r.paths, p)
	}
}

// forget removes everything that leads to a viewer whose leg has ended.
func (r *routes) forget(v *viewer) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, p := range v.paths {
		if r.paths[p] == v {
			delete(r.paths, p)
		}
	}
	for _, u := range v.ufrags {
		delete(r.ufrags, u)
	}
	v.ufrags = nil
}
