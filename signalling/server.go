// Package signalling is everything that speaks HTTP: the pages, the rooms on /ws, media by
// WHIP (RFC 9725) and WHEP (draft-ietf-wish-whep-03), figures and health. Errors are problem
// documents (RFC 9457); docs/PROTOCOL.md describes the whole surface.
//
// It owns one goroutine a room and two a WebSocket, and waits for all of them in Close. It
// decides who may come in (package token and store know the keys); what happens inside a room
// is decided by package room. Media is text to it: the interface Media takes SDP and gives SDP.
// It never parses SDP, never touches a packet, and never logs a secret.
package signalling

import (
	"context"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/go-chi/chi/v5"
	"github.com/go-chi/chi/v5/middleware"

	"github.com/fanfare-relay/fanfare/media"
	"github.com/fanfare-relay/fanfare/signalling/spool"
	"github.com/fanfare-relay/fanfare/signalling/store"
	"github.com/fanfare-relay/fanfare/signalling/token"
	"github.com/fanfare-relay/fanfare/web"
)

// Server serves HTTP for one relay. It is safe for concurrent use.
type Server struct {
	cfg      Config
	log      *slog.Logger
	gate     *gate
	hub      *hub
	meters   meters
	proxies  proxies
	figures  *figures
	instance string
	started  time.Time
	// passwordCost is store.PasswordCost; tests make it cheap.
	passwordCost int

	numbers numbers
	relay   *fileRelay // nil when it is switched off
	spool   *spool.Spool
	plays   plays

	stopping context.Context // ends when Close begins
	stop     context.CancelFunc
	closing  sync.Once
	sockets  sync.WaitGroup
}

// New makes a server. Event must be given to the data plane, and Close must be called.
func New(cfg Config) (*Server, error) {
	cfg.setDefaults()
	if err := cfg.validate(); err != nil {
		return nil, err
	}
	s := &Server{
		cfg: cfg, log: cfg.Logger, gate: newGate(cfg.Store, cfg.Keys), meters: newMeters(cfg.Unlimited),
		proxies: cfg.TrustedProxies, instance: token.NewID(),
		started: time.Now(), passwordCost: store.PasswordCost, relay: newFileRelay(cfg.FileRelay),
	}
	s.stopping, s.stop = context.WithCancel(context.Background())
	s.spool = spool.New(cfg.HTTPMemory)
	s.plays = newPlays(playsEach)
	if cfg.Unlimited {
		s.plays = newPlays(playsAtATime)
	}
	s.hub = newHub(s.runRoom)
	s.figures = newFigures(cfg.Registry, s.hub, s.relay)
	if err := cfg.Store.ForgetRooms(time.Now()); err != nil {
		s.log.Error("rooms whose time is over cannot be removed", "err", err)
	}
	return s, nil
}

// Handler routes every request.
func (s *Server) Handler() http.Handler {
	r := chi.NewRouter()
	r.Use(s.recoverer, security, middleware.GetHead)
	r.Get("/ws", s.serveSocket)
	r.Handle("/whip/{stream}", s.endpoint(media.RolePublisher))
	r.Handle("/whip/{stream}/{session}", s.sessionURL(media.RolePublisher))
	r.Handle("/whep/{stream}", s.endpoint(media.RoleSubscriber))
	r.Handle("/whep/{stream}/{session}", s.sessionURL(media.RoleSubscriber))
	r.HandleFunc("/whep/{stream}/{session}/layers", s.layersURL)
	r.Get("/f/{room}/relay", s.serveRelay)
	s.playRoutes(r)
	r.Get("/metrics", s.serveMetrics)
	r.Get("/healthz", s.serveHealth)
	r.Get("/readyz", s.serveReady)
	r.Group(s.pages)
	r.NotFound(s.serveNotFound)
	r.MethodNotAllowed(s.serveMethodNotAllowed)
	return r
}

// pages are for browsers.
func (s *Server) pages(r chi.Router) {
	r.Get("/", s.page(web.PageHome))
	r.Get("/studio", s.page(web.PageStudio))
	r.Get("/w/{stream}", s.serveWatch)
	r.Get("/compare", s.page(web.PageCompare))
	r.Get("/f", s.page(web.PageSend))
	r.Get("/f/{room}", s.serveReceive)
	for _, path := range s.cfg.Site.AssetPaths() {
		r.Get(path, func(w http.ResponseWriter, req *http.Request) { s.cfg.Site.ServeAsset(w, req) })
	}
}

// security sets what holds for every answer; pages add their own policy.
func security(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Content-Type-Options", "nosniff")
		w.Header().Set("Referrer-Policy", "no-referrer")
		next.ServeHTTP(w, r)
	})
}

// recoverer keeps one request's fault from ending the process; the log has the trace.
func (s *Server) recoverer(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer func() {
			p := recover()
			if p == nil {
				return
			}
			if p == http.ErrAbortHandler {
				panic(p)
			}
			s.log.Error("fault while serving a request", "path", routeOf(r), "fault", p, "trace", trace())
			problemInternal.write(w)
		}()
		next.ServeHTTP(w, r)
	})
}

// stun is the address to tell to a client that reached this server as host.
func (s *Server) stun(host string) string {
	stunHost, port, err := net.SplitHostPort(s.cfg.STUN)
	if err != nil {
		return ""
	}
	if stunHost == "" {
		stunHost = hostname(host)
	}
	if stunHost == "" {
		return ""
	}
	return net.JoinHostPort(stunHost, port)
}

// hostname takes the port, and the brackets of an IPv6 address, off a Host header.
func hostname(host string) string {
	if name, _, err := net.SplitHostPort(host); err == nil {
		return name
	}
	if len(host) > 2 && host[0] == '[' && host[len(host)-1] == ']' {
		return host[1 : len(host)-1]
	}
	return host
}
