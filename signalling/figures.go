package signalling

import (
	"net/http"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/fanfare-relay/fanfare/media"
)

// figures are what this package counts for /metrics.
type figures struct {
	registry *prometheus.Registry
	offers   *prometheus.CounterVec
	sockets  prometheus.Gauge
	// Of rooms of files.
	envelopes *prometheus.CounterVec
	relayed   prometheus.Counter
	// By plain HTTP.
	recorded, played prometheus.Counter
}

func newFigures(registry *prometheus.Registry, h *hub, relay *fileRelay) *figures {
	f := &figures{
		registry: registry,
		offers: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "fanfare_offers_total", Help: "WHIP and WHEP offers by role and by what became of them.",
		}, []string{"role", "result"}),
		sockets: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "fanfare_websockets", Help: "Open WebSockets.",
		}),
		envelopes: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "fanfare_envelopes_total", Help: "Sealed envelopes between endpoints, by what became of them.",
		}, []string{"result"}),
		relayed: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "fanfare_file_relay_bytes_total", Help: "Bytes that members of rooms of files sent to each other through this server.",
		}),
		recorded: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "fanfare_http_received_bytes_total", Help: "Bytes of streams and files that uploaders sent by plain HTTP.",
		}),
		played: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "fanfare_http_sent_bytes_total", Help: "Bytes of streams and files that were fetched by plain HTTP.",
		}),
	}
	registry.MustRegister(f.offers, f.sockets, f.envelopes, f.relayed, f.recorded, f.played, hubFigures{h, relay})
	return f
}

// offer counts one POST; a problem's name is its result.
func (f *figures) offer(role media.Role, p *problem) {
	result := "accepted"
	if p != nil {
		result = p.Name
	}
	f.offers.WithLabelValues(role.String(), result).Inc()
}

// hubFigures reads the hub when it is asked.
type hubFigures struct {
	hub   *hub
	relay *fileRelay
}

var (
	roomsFigure    = prometheus.NewDesc("fanfare_rooms", "Rooms in use.", nil, nil)
	sessionsFigure = prometheus.NewDesc("fanfare_sessions", "Media sessions by role, connected or connecting.", []string{"role"}, nil)
	filesFigure    = prometheus.NewDesc("fanfare_file_rooms", "Rooms of files in use.", nil, nil)
	membersFigure  = prometheus.NewDesc("fanfare_file_members", "Members of rooms of files.", nil, nil)
	pairsFigure    = prometheus.NewDesc("fanfare_file_relay_pairs", "Pairs on the relay of files, waiting ones included.", nil, nil)
)

// Describe implements prometheus.Collector.
func (f hubFigures) Describe(out chan<- *prometheus.Desc) {
	for _, desc := range []*prometheus.Desc{roomsFigure, sessionsFigure, filesFigure, membersFigure, pairsFigure} {
		out <- desc
	}
}

// Collect implements prometheus.Collector.
func (f hubFigures) Collect(out chan<- prometheus.Metric) {
	rooms, sessions := f.hub.count()
	out <- prometheus.MustNewConstMetric(roomsFigure, prometheus.GaugeValue, float64(rooms))
	files, members := f.hub.countFiles()
	out <- prometheus.MustNewConstMetric(filesFigure, prometheus.GaugeValue, float64(files))
	out <- prometheus.MustNewConstMetric(membersFigure, prometheus.GaugeValue, float64(members))
	out <- prometheus.MustNewConstMetric(pairsFigure, prometheus.GaugeValue, float64(f.relay.count()))
	for role, n := range sessions {
		out <- prometheus.MustNewConstMetric(sessionsFigure, prometheus.GaugeValue, float64(n), role.String())
	}
}

// serveMetrics tells figures to this machine, or to whoever has a publish key.
func (s *Server) serveMetrics(w http.ResponseWriter, r *http.Request) {
	if !isDirectLoopback(r) {
		if p := s.judgeMetrics(r); p != nil {
			p.write(w)
			return
		}
	}
	promhttp.HandlerFor(s.figures.registry, promhttp.HandlerOpts{}).ServeHTTP(w, r)
}

func (s *Server) judgeMetrics(r *http.Request) *problem {
	from, now := s.proxies.who(r), time.Now()
	if d := s.meters.refused.wait(from.household, now); d > 0 {
		return problemRate.after(d)
	}
	gr, p := s.gate.publisherKey(bearer(r), now)
	if p == nil && gr.bound == "" && gr.only == "" {
		return nil
	}
	s.meters.refused.spend(from.household, now)
	return problemMetricsKey.with(problemMetricsKey.Detail)
}

// serveHealth tells that the process answers.
func (s *Server) serveHealth(w http.ResponseWriter, _ *http.Request) { say(w, http.StatusOK, "ok") }

// serveReady tells whether new work is welcome: not while stopping, nor with a store that cannot be read.
func (s *Server) serveReady(w http.ResponseWriter, _ *http.Request) {
	select {
	case <-s.stopping.Done():
		problemShutdown.write(w)
		return
	default:
	}
	if err := s.cfg.Store.Ready(); err != nil {
		s.log.Error("not ready", "err", err)
		problemStorage.write(w)
		return
	}
	say(w, http.StatusOK, "ready")
}

func say(w http.ResponseWriter, status int, text string) {
	h := w.Header()
	h.Set("Content-Type", "text/plain; charset=utf-8")
	h.Set("Cache-Control", "no-store")
	h.Set("Content-Length", strconv.Itoa(len(text)+1))
	w.WriteHeader(status)
	_, _ = w.Write([]byte(text + "\n"))
}
