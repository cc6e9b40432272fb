package sfu

import (
	"slices"
	"sync"

	"github.com/fanfare-relay/fanfare/media"
	"github.com/fanfare-relay/fanfare/sfu/lite"
)

// routes tells whose a datagram is: by the local ufrag of a connectivity check, by the
// addresses that passed one, or, from a new address, by the sender of a report.
type routes struct {
	mu      sync.RWMutex
	ufrags  map[string]route
	paths   map[lite.Path]*viewer
	senders map[media.SSRC]sender
}

// sender is who reports under an SSRC: viewer is nil while several do, as all Chromiums
// use the same few.
type sender struct {
	viewer *viewer
	legs   int
}

// route is the owner of a ufrag: a viewer, or pion for a publisher.
type route struct {
	viewer    *viewer
	publisher *publisher
}

func newRoutes() *routes {
	return &routes{ufrags: map[string]route{}, paths: map[lite.Path]*viewer{}, senders: map[media.SSRC]sender{}}
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

// addUfrag leads a ufrag to its owner. A viewer who has ended meanwhile gets none: nobody would
// take it back.
func (r *routes) addUfrag(ufrag string, to route) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if v := to.viewer; v != nil {
		if v.forgotten {
			return
		}
		v.ufrags = append(v.ufrags, ufrag)
	}
	r.ufrags[ufrag] = to
}

func (r *routes) removeUfrag(ufrag string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if v := r.ufrags[ufrag].viewer; v != nil {
		v.ufrags = slices.DeleteFunc(v.ufrags, func(u string) bool { return u == ufrag })
	}
	delete(r.ufrags, ufrag)
}

// addPath gives an address to a viewer. An address that changes hands (a NAT that reuses
// a port) belongs to the last one that proved itself.
func (r *routes) addPath(p lite.Path, v *viewer) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.paths[p] = v
}

// claimPath gives an address that nobody has to a viewer and tells whether it is the viewer's.
func (r *routes) claimPath(p lite.Path, v *viewer) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.paths[p] == nil {
		r.paths[p] = v
	}
	return r.paths[p] == v
}

// bySender finds the viewer who alone reports under an SSRC; nil when there is no such one.
func (r *routes) bySender(ssrc media.SSRC) *viewer {
	r.mu.RLock()
	defer r.mu.RUnlock()
	return r.senders[ssrc].viewer
}

func (r *routes) addSender(ssrc media.SSRC, v *viewer) {
	r.mu.Lock()
	defer r.mu.Unlock()
	s := r.senders[ssrc]
	s.legs++
	s.viewer = v
	if s.legs > 1 {
		s.viewer = nil
	}
	r.senders[ssrc] = s
}

// removeSender takes one claim back. A viewer that is left alone with an SSRC is not found
// by it again: that is rare, and finding it would need the list of all.
func (r *routes) removeSender(ssrc media.SSRC) {
	s := r.senders[ssrc]
	s.legs--
	s.viewer = nil
	if s.legs <= 0 {
		delete(r.senders, ssrc)
	} else {
		r.senders[ssrc] = s
	}
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
	for _, ssrc := range v.senders {
		r.removeSender(ssrc)
	}
	v.ufrags, v.senders, v.forgotten = nil, nil, true
}
