// Package overlay plans who gets the picture from whom: by the relay (SFU), straight from the uploader
// (star), or passed on by other viewers (tree); and how to get from one plan to the next without a gap.
//
// Build is the plan for some facts, Changes what differs between two plans, Planner the state machine that
// carries plans out: make before break, and back to the SFU when a viewer that passes on leaves or stalls.
// All are plain values: the same facts in any order give the same plan, and time is told to them. The
// package sends nothing, measures nothing and knows no connection; whoever runs it does.
package overlay

import (
	"slices"
	"strings"
	"time"

	"github.com/fanfare-relay/fanfare/media"
)

// Topology is a way in which viewers get the picture.
type Topology string

// The topologies. Auto is a wish only; a plan is one of the others.
const (
	SFU  Topology = "sfu"
	Star Topology = "star"
	Tree Topology = "tree"
	Auto Topology = "auto"
)

// Limits of what is planned.
const (
	// LeastFanout and MostFanout bound how many viewers one viewer passes the picture on to. A browser encodes
	// anew for each, so a third is for strong machines only.
	LeastFanout, MostFanout = 2, 3
	// MaxDepth bounds how often the picture is passed on: the uploader's own viewers are at depth 1. Each step
	// decodes and encodes again, which costs delay and quality.
	MaxDepth = 3
	// MostStar is how many viewers Auto lets the uploader serve alone: its browser encodes once for each.
	MostStar = 4
)

// Share is the part of an uplink that may be used: the rest is for repeats, bursts and what else the line does.
const Share = 0.8

// Device is the kind of machine that a viewer uses.
type Device string

// The kinds. Only desktops pass anything on; what is not known is none.
const (
	Desktop Device = "desktop"
	Tablet  Device = "tablet"
	Phone   Device = "phone"
	Unknown Device = ""
)

// Viewer is what is known of a viewer.
type Viewer struct {
	ID  string
	RTT time.Duration // to the server
	// Uplink is what its line was seen to carry; 0: nobody knows, which counts as enough for one copy.
	Uplink media.Bitrate
	Device Device
	// Hidden: its tab is in the background, where browsers slow pictures down. Metered: its line is paid by the
	// byte. Refuses: the person does not want to pass anything on.
	Hidden, Metered, Refuses bool
}

// relays tells whether the viewer may pass on at all.
func (v Viewer) relays() bool {
	return v.Device == Desktop && !v.Hidden && !v.Metered && !v.Refuses
}

// Facts is all that a plan depends on.
type Facts struct {
	Wish Topology
	// Fanout is how many a viewer of a tree passes on to, LeastFanout to MostFanout; others are put within.
	Fanout int
	// Bitrate is that of one copy of the stream, Uplink the uploader's line; 0: not known.
	Bitrate, Uplink media.Bitrate
	// ServerRoom is how many viewers the server can or may serve; 0: as many as there are.
	ServerRoom int
	Viewers    []Viewer // in any order, each ID once
	// Barred are pairs between which no direct connection comes up.
	Barred []Pair
	// Resting are viewers that stalled lately and pass nothing on for now.
	Resting []string
}

// Pair is two ends of a direct connection, in any order. Uploader stands for itself.
type Pair struct{ A, B string }

// Uploader is the name of the uploader in a Pair. No endpoint is called so.
const Uploader = "(uploader)"

func (f *Facts) reaches(a, b string) bool {
	return !slices.Contains(f.Barred, Pair{a, b}) && !slices.Contains(f.Barred, Pair{b, a})
}

func (f *Facts) fanout() int { return min(max(f.Fanout, LeastFanout), MostFanout) }

// copies is how many copies of the stream a share of a line carries; unknown is told for a line that nobody
// measured.
func (f *Facts) copies(line media.Bitrate, share float64, unknown int) int {
	if line <= 0 || f.Bitrate <= 0 {
		return unknown
	}
	return int(min(float64(line)*share/float64(f.Bitrate), 1<<20))
}

// capacity is how many viewers a viewer may pass on to.
func (f *Facts) capacity(v Viewer) int {
	if !v.relays() || slices.Contains(f.Resting, v.ID) {
		return 0
	}
	return min(f.fanout(), f.copies(v.Uplink, Share, 1))
}

// Source is where a viewer gets the picture from. It is comparable. The zero value is nowhere.
type Source struct {
	Via Via
	// Viewer passes it on; "" but for Relayed.
	Viewer string
}

// Via is the kind of a Source.
type Via string

// The kinds of sources.
const (
	Nowhere Via = ""
	Server  Via = "sfu"
	Direct  Via = "direct"
	Relayed Via = "relayed"
)

// String is "sfu", "uploader", the viewer's ID, or "nowhere".
func (s Source) String() string {
	switch s.Via {
	case Direct:
		return "uploader"
	case Relayed:
		return s.Viewer
	case Nowhere:
		return "nowhere"
	}
	return string(s.Via)
}

// end is the name of the source's end in a Pair.
func (s Source) end() string {
	if s.Via == Direct {
		return Uploader
	}
	return s.Viewer
}

// Place is where one viewer gets the picture. Depth is 0 by the server, 1 from the uploader, more when
// viewers pass it on.
type Place struct {
	Viewer string
	From   Source
	Depth  int
}

// Plan is who gets the picture from whom. Every viewer of the facts has one place.
type Plan struct {
	Topology Topology
	// Why says in words why it is so.
	Why string
	// Places are sorted by viewer.
	Places []Place
	// Copies is how many times the uploader sends the stream: to viewers, and to the server when that serves
	// anybody.
	Copies int
	// Depth is the greatest of all places.
	Depth int
}

// Of returns a viewer's source, the zero Source for a stranger.
func (p Plan) Of(viewer string) Source {
	i, ok := slices.BinarySearchFunc(p.Places, viewer, func(at Place, id string) int { return strings.Compare(at.Viewer, id) })
	if !ok {
		return Source{}
	}
	return p.Places[i].From
}
