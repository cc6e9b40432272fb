package signalling

import (
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/fanfare-relay/fanfare/media"
)

const (
	typeJSON     = "application/json"
	layerMethods = "GET, HEAD, OPTIONS, POST"
	// maxHeight is more than any screen has lines.
	maxHeight = 1 << 16
)

// wish is the body of a POST to a viewer's layers.
type wish struct {
	MaxHeight int  `json:"maxHeight"`
	Hidden    bool `json:"hidden"`
}

// picture is the answer; its members are those of media.Picture.
type picture struct {
	Qualities []quality     `json:"qualities"`
	Current   *quality      `json:"current,omitempty"`
	Estimate  media.Bitrate `json:"estimate,omitempty"`
	Bound     media.Bound   `json:"bound,omitempty"`
}

type quality struct {
	RID     media.RID     `json:"rid,omitempty"`
	Width   int           `json:"width"`
	Height  int           `json:"height"`
	Bitrate media.Bitrate `json:"bitrate"`
}

func pictureOf(p media.Picture) picture {
	out := picture{Qualities: make([]quality, len(p.Qualities)), Estimate: p.Estimate, Bound: p.Bound}
	for i, q := range p.Qualities {
		out.Qualities[i] = quality(q)
	}
	if p.Current != nil {
		current := quality(*p.Current)
		out.Current = &current
	}
	return out
}

// layersURL is /whep/{stream}/{session}/layers: what a viewer wants of the picture, and what it gets.
func (s *Server) layersURL(w http.ResponseWriter, r *http.Request) {
	cors(w, r, layerMethods)
	w.Header().Set("Accept-Post", typeJSON)
	var p *problem
	switch r.Method {
	case http.MethodPost:
		p = s.postWish(w, r)
	case http.MethodGet, http.MethodHead:
		p = s.getPicture(w, r)
	case http.MethodOptions:
		w.WriteHeader(http.StatusNoContent)
	default:
		w.Header().Set("Allow", layerMethods)
		p = &problemMethod
	}
	if p != nil {
		p.write(w)
	}
}

// postWish is judged in the order of all requests: content type, size, key, session, body.
func (s *Server) postWish(w http.ResponseWriter, r *http.Request) *problem {
	if p := rightType(r, typeJSON); p != nil {
		return p
	}
	body, p := startBody(w, r)
	if p != nil {
		return p
	}
	id, info, p := s.findSession(r, media.RoleSubscriber, time.Now())
	if p != nil {
		return p
	}
	text, p := body.finish()
	if p != nil {
		return p
	}
	wanted, p := parseWish(text)
	if p != nil {
		return p
	}
	if err := s.cfg.Media.Wish(id, wanted); err != nil {
		return s.sessionProblem(r, info, err)
	}
	return s.writePicture(w, r, id, info)
}

func (s *Server) getPicture(w http.ResponseWriter, r *http.Request) *problem {
	id, info, p := s.findSession(r, media.RoleSubscriber, time.Now())
	if p != nil {
		return p
	}
	return s.writePicture(w, r, id, info)
}

func (s *Server) writePicture(w http.ResponseWriter, r *http.Request, id media.SessionID, info session) *problem {
	p, err := s.cfg.Media.Picture(r.Context(), id)
	if err != nil {
		return s.sessionProblem(r, info, err)
	}
	w.Header().Set("Content-Type", typeJSON)
	w.Header().Set("Cache-Control", "no-store")
	_ = json.NewEncoder(w).Encode(pictureOf(p)) // a client that is gone asks again
	return nil
}

func parseWish(text string) (media.Wish, *problem) {
	var v wish
	d := json.NewDecoder(strings.NewReader(text))
	d.DisallowUnknownFields()
	if err := d.Decode(&v); err != nil {
		return media.Wish{}, problemWish.with(problemWish.Detail)
	}
	if _, err := d.Token(); err != io.EOF || v.MaxHeight < 0 || v.MaxHeight > maxHeight {
		return media.Wish{}, problemWish.with(problemWish.Detail)
	}
	return media.Wish(v), nil
}
