package signalling

import (
	"encoding/json"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/fanfare-relay/fanfare/media"
	"github.com/fanfare-relay/fanfare/signalling/store"
)

// problem is an answer to a request that cannot be served (RFC 9457). Name is stable and ends
// the member "type"; Title is the same for every problem of a name; Detail is for people.
type problem struct {
	Status int
	Name   string
	Title  string
	Detail string
	// RetryAfter becomes a header of whole seconds when it is not zero.
	RetryAfter time.Duration
	// Challenge asks for a bearer token (RFC 6750 section 3).
	Challenge string
}

// problemPrefix makes an absolute URI of a problem's name, as RFC 9457 section 3.1.1 advises.
const problemPrefix = "urn:fanfare:problem:"

// Error implements error, so that judging functions can return a problem.
func (p *problem) Error() string { return p.Name + ": " + p.Detail }

// with returns the problem with another detail.
func (p problem) with(detail string) *problem {
	p.Detail = detail
	return &p
}

// after returns the problem with a time to wait.
func (p problem) after(d time.Duration) *problem {
	p.RetryAfter = d
	return &p
}

// The problems. docs/PROTOCOL.md lists them; a test compares.
var (
	problemMethod      = problem{Status: http.StatusMethodNotAllowed, Name: "method", Title: "Method not allowed", Detail: "This address does not take that method; see the Allow header."}
	problemMediaType   = problem{Status: http.StatusUnsupportedMediaType, Name: "media-type", Title: "Unsupported media type"}
	problemTooLarge    = problem{Status: http.StatusRequestEntityTooLarge, Name: "too-large", Title: "Body too large", Detail: "A body of at most 64 KiB is taken here."}
	problemSlow        = problem{Status: http.StatusRequestTimeout, Name: "slow-body", Title: "Body too slow", Detail: "The body did not arrive within 10 seconds."}
	problemKey         = problem{Status: http.StatusUnauthorized, Name: "key", Title: "Key missing or wrong", Detail: "Publishing needs the publish key or the stream's key, as Authorization: Bearer.", Challenge: "Bearer"}
	problemPassword    = problem{Status: http.StatusUnauthorized, Name: "password", Title: "Password missing or wrong", Detail: "This stream asks for its password, as Authorization: Bearer.", Challenge: "Bearer"}
	problemSessionKey  = problem{Status: http.StatusUnauthorized, Name: "session-key", Title: "Token missing or wrong", Detail: "This session asks for the token that it was made with, as Authorization: Bearer.", Challenge: "Bearer"}
	problemForeign     = problem{Status: http.StatusForbidden, Name: "not-yours", Title: "Another owner's stream", Detail: "A stream of this name belongs to another key. Choose another name, or use that key."}
	problemRemoved     = problem{Status: http.StatusForbidden, Name: "removed", Title: "Removed by the owner", Detail: "The owner of this stream has removed you."}
	problemName        = problem{Status: http.StatusBadRequest, Name: "name", Title: "Not a stream's name", Detail: "A name has 1 to 64 characters: letters of the English alphabet, digits, - and _."}
	problemStream      = problem{Status: http.StatusNotFound, Name: "stream", Title: "No such stream", Detail: "There is no stream of this name. Check the link, or ask whoever sent it."}
	problemSession     = problem{Status: http.StatusNotFound, Name: "session", Title: "No such session", Detail: "There is no such session any more."}
	problemGone        = problem{Status: http.StatusGone, Name: "gone", Title: "The session was ended for good"}
	problemPage        = problem{Status: http.StatusNotFound, Name: "not-found", Title: "Nothing here", Detail: "There is nothing at this address."}
	problemEmpty       = problem{Status: http.StatusBadRequest, Name: "empty-body", Title: "Empty body", Detail: "The body is empty; it should be an SDP offer."}
	problemOffer       = problem{Status: http.StatusBadRequest, Name: "offer", Title: "The offer cannot be served"}
	problemPlayout     = problem{Status: http.StatusBadRequest, Name: "playout", Title: "Not a delay of playout", Detail: "The query's playout takes two times such as 0,200ms or 300ms,1s: from none to 40.95s, the shorter one first."}
	problemFragment    = problem{Status: http.StatusBadRequest, Name: "fragment", Title: "The fragment cannot be used"}
	problemWish        = problem{Status: http.StatusBadRequest, Name: "wish", Title: "Not a wish for the picture", Detail: "The body should be one JSON object with maxHeight, a number of lines from 0 to 65,536, and hidden."}
	problemBody        = problem{Status: http.StatusBadRequest, Name: "body", Title: "The body broke off", Detail: "The body could not be read to its end."}
	problemNoMatch     = problem{Status: http.StatusPreconditionRequired, Name: "if-match", Title: "If-Match is missing", Detail: "PATCH needs If-Match with the session's entity tag, or * for an ICE restart."}
	problemMismatch    = problem{Status: http.StatusPreconditionFailed, Name: "etag", Title: "The entity tag is not current", Detail: "The ICE session has been restarted since; use its new entity tag."}
	problemNoRestart   = problem{Status: http.StatusUnprocessableEntity, Name: "no-restart", Title: "No ICE restart for this session", Detail: "This session cannot restart ICE; make a new one by POST, it takes over."}
	problemRate        = problem{Status: http.StatusTooManyRequests, Name: "rate", Title: "Too many requests", Detail: "There were too many requests from your address. Wait a moment, then try again."}
	problemUnfinished  = problem{Status: http.StatusTooManyRequests, Name: "unfinished", Title: "Too many unfinished sessions", Detail: "Too many sessions from your address are still connecting. Wait a moment, then try again.", RetryAfter: 5 * time.Second}
	problemBusy        = problem{Status: http.StatusServiceUnavailable, Name: "busy", Title: "The server is busy", Detail: "Too many sessions are being set up. Wait a moment, then try again.", RetryAfter: 5 * time.Second}
	problemShutdown    = problem{Status: http.StatusServiceUnavailable, Name: "shutdown", Title: "The server stops", Detail: "The server is being stopped or restarted.", RetryAfter: 2 * time.Second}
	problemStorage     = problem{Status: http.StatusInsufficientStorage, Name: "storage", Title: "The server cannot store it", Detail: "The server could not write to its data folder; its disk may be full. Tell whoever runs it."}
	problemRecording   = problem{Status: http.StatusNotFound, Name: "no-recording", Title: "Not sent by plain HTTP", Detail: "The uploader does not send this stream by plain HTTP, or has not begun yet.", RetryAfter: 2 * time.Second}
	problemAddress     = problem{Status: http.StatusNotFound, Name: "address", Title: "Not an address to fetch from", Detail: "This address is none of this server, or its time is over."}
	problemOrder       = problem{Status: http.StatusConflict, Name: "piece", Title: "Not the next piece", Detail: "This is not the next piece of the recording; begin a new one."}
	problemRecorded    = problem{Status: http.StatusBadRequest, Name: "recorded", Title: "Not a recording", Detail: "Recordings are WebM, or MP4 with fragments."}
	problemLength      = problem{Status: http.StatusLengthRequired, Name: "length", Title: "Length required", Detail: "A file must come with its length, as Content-Length."}
	problemSpool       = problem{Status: http.StatusServiceUnavailable, Name: "spool", Title: "No room", Detail: "There is no room in the server's memory for this now.", RetryAfter: 10 * time.Second}
	problemNoHTTP      = problem{Status: http.StatusNotImplemented, Name: "plain-http", Title: "No plain HTTP", Detail: "This server does not take plain HTTP."}
	problemInternal    = problem{Status: http.StatusInternalServerError, Name: "internal", Title: "A fault of the server", Detail: "Something went wrong on the server. Its log says more."}
	problemMetricsKey  = problem{Status: http.StatusUnauthorized, Name: "metrics", Title: "Key missing or wrong", Detail: "Figures are told on the server's own machine, or with the publish key as Authorization: Bearer.", Challenge: "Bearer"}
	problemOrigin      = problem{Status: http.StatusForbidden, Name: "origin", Title: "Another site's page", Detail: "Pages of other sites may not connect here."}
	problemNoWebSocket = problem{Status: http.StatusUpgradeRequired, Name: "websocket", Title: "A WebSocket is expected", Detail: "This address speaks WebSocket only."}
)

// problems lists them all, in the order of the document.
func problems() []problem {
	return []problem{
		problemMethod, problemMediaType, problemTooLarge, problemSlow, problemBody, problemKey, problemPassword,
		problemSessionKey, problemMetricsKey, problemForeign, problemRemoved, problemOrigin, problemName, problemStream,
		problemSession, problemGone, problemPage, problemEmpty, problemOffer, problemPlayout, problemFragment, problemWish, problemNoMatch, problemMismatch,
		problemNoRestart, problemNoWebSocket, problemRate, problemUnfinished, problemBusy, problemShutdown, problemStorage, problemInternal,
		problemRecording, problemAddress, problemOrder, problemRecorded, problemLength, problemSpool, problemNoHTTP,
	}
}

// problemOf maps errors of the data plane and of the store. Their texts are not passed on: they
// may name files, and they are not stable.
func problemOf(err error) *problem {
	var p *problem
	var busy media.BusyError
	switch {
	case errors.As(err, &p):
		return p
	case errors.Is(err, media.ErrBadOffer):
		return problemOffer.with("The server cannot take this offer: " + reason(err, media.ErrBadOffer) + ".")
	case errors.Is(err, media.ErrBadFragment):
		return problemFragment.with("The server cannot use this fragment: " + reason(err, media.ErrBadFragment) + ".")
	case errors.Is(err, media.ErrNoRestart):
		return problemNoRestart.with(problemNoRestart.Detail)
	case errors.Is(err, media.ErrNoSuchSession):
		return problemSession.with(problemSession.Detail)
	case errors.As(err, &busy):
		return problemBusy.after(busy.After)
	case errors.Is(err, media.ErrBusy):
		return problemBusy.with(problemBusy.Detail)
	case errors.Is(err, media.ErrClosed):
		return problemShutdown.with(problemShutdown.Detail)
	case errors.Is(err, store.ErrFull), errors.Is(err, store.ErrUnwritable):
		return problemStorage.with(problemStorage.Detail)
	}
	return problemInternal.with(problemInternal.Detail)
}

// reason is what an error says after its sentinel; the data plane keeps it short, stable and
// free of the offer's own text.
func reason(err, sentinel error) string {
	if _, after, ok := strings.Cut(err.Error(), sentinel.Error()+": "); ok {
		return after
	}
	return sentinel.Error()
}

// write sends the problem document.
func (p *problem) write(w http.ResponseWriter) {
	h := w.Header()
	h.Set("Content-Type", "application/problem+json")
	h.Set("Cache-Control", "no-store")
	if p.RetryAfter > 0 {
		h.Set("Retry-After", strconv.Itoa(seconds(p.RetryAfter)))
	}
	if p.Challenge != "" {
		h.Set("WWW-Authenticate", p.Challenge)
	}
	if p.Status == http.StatusRequestTimeout || p.Status == http.StatusRequestEntityTooLarge {
		h.Set("Connection", "close") // what is left of the body is not worth waiting for
	}
	w.WriteHeader(p.Status)
	// The client may be gone; there is nobody left to tell.
	_ = json.NewEncoder(w).Encode(map[string]any{
		"type": problemPrefix + p.Name, "title": p.Title, "status": p.Status, "detail": p.Detail,
	})
}

// seconds rounds up: coming back too early would be refused again.
func seconds(d time.Duration) int { return int((d + time.Second - 1) / time.Second) }
