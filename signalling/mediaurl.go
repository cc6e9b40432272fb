package signalling

import (
	"context"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/go-chi/chi/v5"

	"github.com/fanfare-relay/fanfare/media"
	"github.com/fanfare-relay/fanfare/signalling/msg"
	"github.com/fanfare-relay/fanfare/signalling/room"
	"github.com/fanfare-relay/fanfare/signalling/token"
)

// The media types of WHIP and WHEP.
const (
	typeSDP      = "application/sdp"
	typeFragment = "application/trickle-ice-sdpfrag"
)

// Limits of a body (SECURITY section 2).
const (
	maxBody    = 64 << 10
	bodyWithin = 10 * time.Second
)

// cors lets pages of other sites use the media addresses: authority is in the Authorization
// header alone, never in a cookie, so that a foreign page can do nothing in a viewer's name.
func cors(w http.ResponseWriter, r *http.Request, methods string) {
	h := w.Header()
	h.Set("Access-Control-Allow-Origin", "*")
	h.Set("Access-Control-Expose-Headers", "Location, ETag, Link, Retry-After, Accept-Post, Accept-Patch")
	if r.Method == http.MethodOptions {
		h.Set("Access-Control-Allow-Methods", methods)
		h.Set("Access-Control-Allow-Headers", "Authorization, Content-Type, If-Match")
		h.Set("Access-Control-Max-Age", "7200")
	}
}

// endpoint is /whip/{stream} or /whep/{stream}. GET, HEAD and PUT are refused on WHIP as RFC 9725
// section 4.2 asks; WHEP answers HEAD.
func (s *Server) endpoint(role media.Role) http.Handler {
	methods := "OPTIONS, POST"
	if role == media.RoleSubscriber {
		methods = "HEAD, OPTIONS, POST"
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		cors(w, r, methods)
		w.Header().Set("Accept-Post", typeSDP)
		switch {
		case r.Method == http.MethodPost:
			s.post(w, r, role)
		case r.Method == http.MethodOptions:
			s.linkSTUN(w, r)
			w.WriteHeader(http.StatusNoContent)
		case r.Method == http.MethodHead && role == media.RoleSubscriber:
			s.linkSTUN(w, r)
			w.WriteHeader(http.StatusOK)
		default:
			w.Header().Set("Allow", methods)
			problemMethod.write(w)
		}
	})
}

// offer is a POST on its way through the judges.
type offer struct {
	role   media.Role
	stream string
	from   who
	bearer string
	body   string
	// options are a publisher's.
	options media.PublishOptions
	grant   grant
	made    bool // the stream was made for this offer
}

// post judges an offer in the promised order (method, content type, size, key, name, body),
// hands it to the data plane, and answers 201.
func (s *Server) post(w http.ResponseWriter, r *http.Request, role media.Role) {
	o := offer{role: role, stream: chi.URLParam(r, "stream"), from: s.proxies.who(r), bearer: bearer(r)}
	answer, p := s.accept(w, r, &o)
	s.figures.offer(role, p)
	if p != nil {
		s.log.Debug("offer refused", "role", role, "address", o.from.address, "problem", p.Name)
		p.write(w)
		return
	}
	s.log.Info("offer accepted", "role", role, "stream", o.stream, "session", answer.Session.Short(), "address", o.from.address)
	h := w.Header()
	h.Set("Content-Type", typeSDP)
	h.Set("Location", fmt.Sprintf("/%s/%s/%s", pathOf(role), o.stream, answer.Session))
	h.Set("ETag", quote(answer.ETag))
	h.Set("Accept-Patch", typeFragment)
	h.Set("Cache-Control", "no-store")
	s.linkSTUN(w, r)
	w.WriteHeader(http.StatusCreated)
	_, _ = io.WriteString(w, answer.SDP) // a client that is gone never connects
}

func (s *Server) accept(w http.ResponseWriter, r *http.Request, o *offer) (media.Answer, *problem) {
	if p := rightType(r, typeSDP); p != nil {
		return media.Answer{}, p
	}
	body, p := startBody(w, r)
	if p != nil {
		return media.Answer{}, p
	}
	now := time.Now()
	if p := s.judge(o, now); p != nil {
		s.count(o, p, now)
		return media.Answer{}, p
	}
	o.body, p = body.finish()
	if p == nil && strings.TrimSpace(o.body) == "" {
		p = problemEmpty.with(problemEmpty.Detail)
	}
	if p == nil && o.role == media.RolePublisher {
		o.options, p = publishOptions(r)
	}
	var answer media.Answer
	if p == nil {
		answer, p = s.open(r.Context(), o)
	}
	if p != nil {
		s.count(o, p, now)
		s.undo(o)
	}
	return answer, p
}

// publishOptions reads the query of a publisher's address.
func publishOptions(r *http.Request) (o media.PublishOptions, p *problem) {
	text := r.URL.Query().Get("playout")
	if text == "" {
		return o, nil
	}
	d, err := media.ParsePlayoutDelay(text)
	if err != nil {
		return o, problemPlayout.with(problemPlayout.Detail)
	}
	o.PlayoutDelay = &d
	return o, nil
}

// judge asks for key and name, in this order, after the rates.
func (s *Server) judge(o *offer, now time.Time) *problem {
	if o.role == media.RoleSubscriber {
		return s.judgeOfferedView(o, now)
	}
	if d := s.meters.refused.wait(o.from.household, now); d > 0 {
		return problemRate.after(d)
	}
	if d := s.meters.whip.take(o.from.household, now); d > 0 {
		return problemRate.after(d)
	}
	var p *problem
	if o.grant, p = s.gate.publisherKey(o.bearer, now); p != nil {
		return p
	}
	o.made, p = s.gate.publisherStream(o.grant, o.stream, now)
	return p
}

func (s *Server) judgeOfferedView(o *offer, now time.Time) *problem {
	if d := s.meters.whep.take(o.from.household, now); d > 0 {
		return problemRate.after(d)
	}
	return s.judgeView(o, now)
}

// judgeView asks a viewer for what the stream asks for.
func (s *Server) judgeView(o *offer, now time.Time) *problem {
	show := showing{password: o.bearer}
	show.capability = s.gate.open(o.bearer, token.KindMedia, msg.RoomRef{Kind: msg.RoomStream, Name: o.stream}, msg.RoleSubscriber, now)
	if c := show.capability; c != nil {
		show.viewer = c.Viewer
		o.grant.endpoint, o.grant.viewer = c.Endpoint, c.Viewer
	}
	var p *problem
	o.grant.proof, p = s.judgeViewer(o.stream, show, o.from, now)
	return p
}

// count notes a publisher's refusals: who is refused often is guessing, or broken.
func (s *Server) count(o *offer, p *problem, now time.Time) {
	if o.role == media.RolePublisher && p.Status < 500 && p.Status != http.StatusTooManyRequests {
		s.meters.refused.spend(o.from.household, now)
	}
}

// undo takes back a stream that was made for an offer that then failed, unless somebody has come
// in meanwhile.
func (s *Server) undo(o *offer) {
	if !o.made || s.hub.inUse(roomKey{msg.RoomStream, o.stream}) {
		return
	}
	if err := s.cfg.Store.DropUnused(o.stream); err != nil {
		s.log.Error("the stream's record cannot be removed", "stream", o.stream, "err", err)
	}
}

// open hands the offer to the data plane and tells the room.
func (s *Server) open(ctx context.Context, o *offer) (media.Answer, *problem) {
	most := maxUnfinishedEach
	if s.cfg.Unlimited {
		most = int(^uint(0) >> 1)
	}
	client := o.from.household
	if !s.hub.reserve(client, most) {
		return media.Answer{}, problemUnfinished.with(problemUnfinished.Detail)
	}
	answer, err := s.hand(ctx, o)
	if err != nil {
		s.hub.release(client)
		p := problemOf(err)
		if p.Status == http.StatusInternalServerError {
			s.log.Error("offer failed", "role", o.role, "stream", o.stream, "err", err)
		}
		return media.Answer{}, p
	}
	info := &session{stream: o.stream, role: o.role, etag: answer.ETag, client: client}
	if o.bearer != "" {
		info.bearer = token.HashKey(o.bearer)
	}
	s.hub.opened(answer.Session, info, room.Open{
		Session: answer.Session, Role: o.role, Endpoint: o.grant.endpoint, Viewer: o.grant.viewer, Address: client,
	})
	return answer, nil
}

func (s *Server) hand(ctx context.Context, o *offer) (media.Answer, error) {
	if o.role == media.RolePublisher {
		return s.cfg.Media.Publish(ctx, o.stream, o.body, o.options)
	}
	return s.cfg.Media.Subscribe(ctx, o.stream, o.body)
}

// linkSTUN names the media port as an ICE server (RFC 9725 section 4.6).
func (s *Server) linkSTUN(w http.ResponseWriter, r *http.Request) {
	if stun := s.stun(r.Host); stun != "" && safeHost(stun) {
		w.Header().Add("Link", "<stun:"+stun+`>; rel="ice-server"`)
	}
}

// safeHost keeps a Host header from ending the link early.
func safeHost(host string) bool { return !strings.ContainsAny(host, "<>\"; ,\t") }

func rightType(r *http.Request, want string) *problem {
	got, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil || got != want {
		return problemMediaType.with("The body must be of type " + want + ".")
	}
	return nil
}

// incoming is a request's body. A declared length is judged before anything is read; a body
// without one has to be read to know its size, and size comes before the key.
type incoming struct {
	w    http.ResponseWriter
	r    *http.Request
	text string
	read bool
}

func startBody(w http.ResponseWriter, r *http.Request) (*incoming, *problem) {
	b := &incoming{w: w, r: r}
	if r.ContentLength > maxBody {
		return nil, problemTooLarge.with(problemTooLarge.Detail)
	}
	if r.ContentLength >= 0 {
		return b, nil
	}
	_, p := b.finish()
	return b, p
}

// finish reads the body to its end, within the limits.
func (b *incoming) finish() (string, *problem) {
	if b.read {
		return b.text, nil
	}
	b.read = true
	// Recorders of tests have no deadline to set; there is nobody slow behind them either.
	_ = http.NewResponseController(b.w).SetReadDeadline(time.Now().Add(bodyWithin))
	data, err := io.ReadAll(http.MaxBytesReader(b.w, b.r.Body, maxBody))
	var tooLarge *http.MaxBytesError
	switch {
	case errors.As(err, &tooLarge):
		return "", problemTooLarge.with(problemTooLarge.Detail)
	case errors.Is(err, os.ErrDeadlineExceeded):
		return "", problemSlow.with(problemSlow.Detail)
	case err != nil:
		return "", problemBody.with(problemBody.Detail)
	}
	b.text = string(data)
	// The deadline was the body's, not that of the next request on this connection.
	_ = http.NewResponseController(b.w).SetReadDeadline(time.Time{})
	return b.text, nil
}

func pathOf(role media.Role) string {
	if role == media.RolePublisher {
		return "whip"
	}
	return "whep"
}

func quote(etag string) string { return `"` + etag + `"` }
