// Package layer chooses what one viewer is sent of a stream that comes in several qualities:
// which encoding (RFC 8853), and up to which spatial and temporal layer inside it.
//
// It owns the order of the qualities and the rules for going down and up. It never forwards,
// never asks for key frames, never waits: it is given the ladder, an estimate, the viewer's wish
// and now, and hands back a rung. When a rung can be entered is the caller's matter.
package layer

import "github.com/fanfare-relay/fanfare/media"

// Limits of what an encoding may hold. They are those of the scalability modes of browsers.
const (
	MaxSpatial  = 3
	MaxTemporal = 4
)

// Encoding is one encoding of a picture as it comes in now.
type Encoding struct {
	// ID names it; the caller chooses the numbers.
	ID uint32
	// Width and Height in pixels, 0 while unknown.
	Width, Height int
	// Rates is what each layer alone takes, by spatial and temporal id. An encoding that does
	// not tell its layers has everything in the first.
	Rates [MaxSpatial][MaxTemporal]media.Bitrate
	// Total is what it takes while its layers have not been measured: then it is one rung, with
	// all of them.
	Total media.Bitrate
}

// Rung is one quality.
type Rung struct {
	Encoding uint32
	// Layer is the highest layer to be sent.
	Layer media.Layer
	// Bitrate is what it takes, with all layers below.
	Bitrate media.Bitrate
	// Width and Height in pixels, 0 while unknown.
	Width, Height int
}

// same tells whether two rungs are the same quality, whatever it takes at the moment.
func (r Rung) same(o Rung) bool { return r.Encoding == o.Encoding && r.Layer == o.Layer }

// AppendLadder appends the qualities of the encodings, which are given from the smallest to the
// largest. A picture that takes more than a larger one is among them: nobody is sent it by the way,
// but who asks for that size gets it.
func AppendLadder(dst []Rung, encodings []Encoding) []Rung {
	for i := range encodings {
		dst = encodings[i].appendRungs(dst)
	}
	return dst
}

// appendRungs appends the encoding's layers: of each spatial one all temporal ones.
func (e *Encoding) appendRungs(dst []Rung) []Rung {
	if e.Rates == ([MaxSpatial][MaxTemporal]media.Bitrate{}) {
		return append(dst, Rung{Encoding: e.ID, Layer: media.Layer{Spatial: MaxSpatial - 1, Temporal: MaxTemporal - 1},
			Bitrate: e.Total, Width: e.Width, Height: e.Height})
	}
	spatial, temporal := e.layers()
	for s := range spatial {
		for t := range temporal {
			dst = append(dst, Rung{
				Encoding: e.ID, Layer: media.Layer{Spatial: int8(s), Temporal: int8(t)}, Bitrate: e.upTo(s, t),
				Width: e.Width >> (spatial - 1 - s), Height: e.Height >> (spatial - 1 - s),
			})
		}
	}
	return dst
}

// layers returns how many spatial and temporal layers carry anything; at least one each.
func (e *Encoding) layers() (spatial, temporal int) {
	spatial, temporal = 1, 1
	for s := range e.Rates {
		for t, rate := range e.Rates[s] {
			if rate > 0 {
				spatial, temporal = max(spatial, s+1), max(temporal, t+1)
			}
		}
	}
	return spatial, temporal
}

func (e *Encoding) upTo(spatial, temporal int) (sum media.Bitrate) {
	for s := range spatial + 1 {
		for t := range temporal + 1 {
			sum += e.Rates[s][t]
		}
	}
	return sum
}
