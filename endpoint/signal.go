package endpoint

import (
	"context"
	"net/http"
)

// Signal speaks WHIP and WHEP over HTTP for clients that bring a transport of their own. It is safe for concurrent use, and
// each request has a connection of its own, as so many browsers would.
type Signal struct{ signal *signal }

// Accepted is a session that a server has made.
type Accepted struct {
	// Answer is the server's SDP.
	Answer  string
	session resource
}

// NewSignal prepares requests to an endpoint; bearer is a key or password, "" for none.
func NewSignal(endpoint, bearer string) *Signal {
	s := &Signal{newSignal(endpoint, bearer)}
	s.signal.client.Transport.(*http.Transport).DisableKeepAlives = true
	return s
}

// Post sends an offer. Its errors are those of this package; a refusal by the server is an *HTTPError.
func (s *Signal) Post(ctx context.Context, offer string) (Accepted, error) {
	r, err := s.signal.post(ctx, offer)
	return Accepted{r.answer, r}, err
}

// Delete ends a session.
func (s *Signal) Delete(ctx context.Context, a Accepted) error {
	return s.signal.remove(ctx, a.session)
}
