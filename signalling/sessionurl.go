package signalling

import (
	"errors"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/go-chi/chi/v5"

	"github.com/fanfare-relay/fanfare/media"
	"github.com/fanfare-relay/fanfare/signalling/msg"
	"github.com/fanfare-relay/fanfare/signalling/room"
	"github.com/fanfare-relay/fanfare/signalling/token"
)

// sessionMethods are what a session's URL takes. GET, HEAD, PUT and POST are refused (RFC 9725
// section 4.2).
const sessionMethods = "DELETE, OPTIONS, PATCH"

// sessionURL is /whip/{stream}/{session} or /whep/{stream}/{session}.
func (s *Server) sessionURL(role media.Role) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		cors(w, r, sessionMethods)
		w.Header().Set("Accept-Patch", typeFragment)
		var p *problem
		switch r.Method {
		case http.MethodDelete:
			p = s.deleteSession(w, r, role)
		case http.MethodPatch:
			p = s.patchSession(w, r, role)
		case http.MethodOptions:
			w.WriteHeader(http.StatusNoContent)
		default:
			w.Header().Set("Allow", sessionMethods)
			p = &problemMethod
		}
		if p != nil {
			p.write(w)
		}
	})
}

// findSession finds the session of a URL, judges the token, and tells what became of a
// session that was ended for good.
func (s *Server) findSession(r *http.Request, role media.Role, now time.Time) (media.SessionID, session, *problem) {
	id := media.SessionID(chi.URLParam(r, "session"))
	info, ok := s.hub.session(id, chi.URLParam(r, "stream"), role)
	if !ok {
		return id, info, problemSession.with(problemSession.Detail)
	}
	p := s.judgeSession(r, info, now)
	if p == nil && info.ended != "" {
		p = gone(info.ended)
	}
	return id, info, p
}

// judgeSession: whoever has the URL of a session that was made with a token must show that
// token, or one that could make it anew.
func (s *Server) judgeSession(r *http.Request, info session, now time.Time) *problem {
	if info.bearer.IsZero() {
		return nil // its 128 random bits are the only secret there is
	}
	shown := bearer(r)
	if shown != "" && token.HashKey(shown).Equal(info.bearer) {
		return nil
	}
	return s.judgeAgain(shown, info.stream, info.role, s.proxies.who(r), now)
}

// goneWithin is how long the data plane takes at most from ending a session to saying so.
const goneWithin = 2 * time.Second

// sessionProblem is problemOf for a session that was found. One that the data plane is just
// ending is waited for, since only then is it known why.
func (s *Server) sessionProblem(r *http.Request, info session, err error) *problem {
	if !errors.Is(err, media.ErrNoSuchSession) {
		return problemOf(err)
	}
	late := time.NewTimer(goneWithin)
	defer late.Stop()
	select {
	case <-info.gone:
	case <-late.C:
	case <-r.Context().Done():
	}
	if _, _, p := s.findSession(r, info.role, time.Now()); p != nil {
		return p
	}
	return problemSession.with(problemSession.Detail)
}

// judgeAgain takes a newer token of the same page, or the key that the token was made from.
func (s *Server) judgeAgain(shown, stream string, role media.Role, from who, now time.Time) *problem {
	refused := problemSessionKey.with(problemSessionKey.Detail)
	if d := s.meters.refused.wait(from.household, now); d > 0 {
		return problemRate.after(d)
	}
	if role == media.RolePublisher {
		gr, p := s.gate.publisherKey(shown, now)
		if p == nil && s.gate.owns(gr, stream) {
			return nil
		}
	} else {
		ref := msg.RoomRef{Kind: msg.RoomStream, Name: stream}
		if s.gate.open(shown, token.KindMedia, ref, msg.RoleSubscriber, now) != nil {
			return nil
		}
	}
	s.meters.refused.spend(from.household, now)
	return refused
}

// deleteSession ends a session. To the room a publisher's DELETE is the end of the stream.
func (s *Server) deleteSession(w http.ResponseWriter, r *http.Request, role media.Role) *problem {
	id, info, p := s.findSession(r, role, time.Now())
	if p != nil {
		return p
	}
	s.hub.post(roomKey{msg.RoomStream, info.stream}, letter{in: room.Delete{Session: id}})
	if err := s.cfg.Media.Close(id, media.CloseByClient); err != nil {
		return s.sessionProblem(r, info, err)
	}
	s.log.Info("session deleted", "role", role, "stream", info.stream, "session", id.Short())
	w.WriteHeader(http.StatusOK)
	return nil
}

// patchSession takes candidates (204) or an ICE restart (200 with the server's fragment).
// Judged in the order: content type, size, key, session, precondition, body.
func (s *Server) patchSession(w http.ResponseWriter, r *http.Request, role media.Role) *problem {
	if p := rightType(r, typeFragment); p != nil {
		return p
	}
	body, p := startBody(w, r)
	if p != nil {
		return p
	}
	id, info, p := s.findSession(r, role, time.Now())
	if p != nil {
		return p
	}
	if p := precondition(r.Header.Get("If-Match"), info.etag); p != nil {
		return p
	}
	fragment, p := body.finish()
	if p != nil {
		return p
	}
	if strings.TrimSpace(fragment) == "" {
		return problemFragment.with("The body is empty; it should be a fragment of SDP.")
	}
	answer, err := s.cfg.Media.Patch(r.Context(), id, fragment)
	if err != nil {
		return s.sessionProblem(r, info, err)
	}
	if !answer.Restarted {
		w.WriteHeader(http.StatusNoContent)
		return nil
	}
	s.hub.restarted(id, answer.ETag)
	w.Header().Set("Content-Type", typeFragment)
	w.Header().Set("ETag", quote(answer.ETag))
	w.WriteHeader(http.StatusOK)
	_, _ = io.WriteString(w, answer.Fragment) // a client that is gone asks again
	return nil
}

// precondition judges If-Match (RFC 9110 section 13.1.1, RFC 9725 section 4.3.1): missing is
// 428, another tag than the current one 412; * is for those who restart ICE.
func precondition(header, etag string) *problem {
	if header == "" {
		return problemNoMatch.with(problemNoMatch.Detail)
	}
	for tag := range strings.SplitSeq(header, ",") {
		if tag = strings.TrimSpace(tag); tag == "*" || tag == quote(etag) {
			return nil
		}
	}
	return problemMismatch.with(problemMismatch.Detail)
}
