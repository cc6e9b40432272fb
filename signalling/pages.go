package signalling

import (
	"net/http"
	"net/url"
	"runtime/debug"
	"strings"

	"github.com/go-chi/chi/v5"

	"github.com/fanfare-relay/fanfare/signalling/msg"
	"github.com/fanfare-relay/fanfare/web"
)

func (s *Server) page(p web.Page) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		s.cfg.Site.ServePage(w, r, p, http.StatusOK, web.PageOptions{})
	}
}

// serveWatch gives the watch page for every possible name: whether there is such a stream, and
// whether this viewer may see it, is told on /ws. Other sites may embed it when the owner says so.
func (s *Server) serveWatch(w http.ResponseWriter, r *http.Request) {
	name := chi.URLParam(r, "stream")
	if !msg.ValidName(name) {
		s.serveNotFound(w, r)
		return
	}
	rec, _, err := s.cfg.Store.Stream(name)
	if err != nil {
		s.log.Error("the stream's record cannot be read", "stream", name, "err", err)
	}
	s.cfg.Site.ServePage(w, r, web.PageWatch, http.StatusOK, web.PageOptions{Embed: rec.Embed})
}

// serveReceive gives the receiving page for every possible room: whether there is such a one is told
// on /ws. Opening the address uses nothing up, so that a preview of it costs nobody anything.
func (s *Server) serveReceive(w http.ResponseWriter, r *http.Request) {
	if !msg.ValidName(chi.URLParam(r, "room")) {
		s.serveNotFound(w, r)
		return
	}
	s.cfg.Site.ServePage(w, r, web.PageReceive, http.StatusOK, web.PageOptions{})
}

// serveNotFound gives people a page and programs a problem document.
func (s *Server) serveNotFound(w http.ResponseWriter, r *http.Request) {
	if wantsPage(r) {
		s.cfg.Site.ServePage(w, r, web.PageNotFound, http.StatusNotFound, web.PageOptions{})
		return
	}
	problemPage.write(w)
}

func (s *Server) serveMethodNotAllowed(w http.ResponseWriter, _ *http.Request) {
	// All that is routed by method here is read only.
	w.Header().Set("Allow", "GET, HEAD")
	problemMethod.write(w)
}

func wantsPage(r *http.Request) bool {
	return (r.Method == http.MethodGet || r.Method == http.MethodHead) &&
		strings.Contains(r.Header.Get("Accept"), "text/html")
}

// routeOf is the pattern of a request's path: a name in a path may be all that protects a stream.
func routeOf(r *http.Request) string {
	if pattern := chi.RouteContext(r.Context()).RoutePattern(); pattern != "" {
		return pattern
	}
	return "(no route)"
}

func trace() string { return string(debug.Stack()) }

func hostOf(origin string) string {
	u, err := url.Parse(origin)
	if err != nil {
		return ""
	}
	return u.Host
}
