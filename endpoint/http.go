package endpoint

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
	"unicode"
)

// HTTPError is a refusal by the server. It wraps the sentinel that fits its status.
type HTTPError struct {
	Status int
	// Code is the member "code" of the problem document, or the last part of its type, "" when there is none.
	Code string
	// Text is the server's own words (RFC 9457: detail, else title).
	Text string
	// RetryAfter is 0 when the server did not say.
	RetryAfter time.Duration
}

// Error is one line for people.
func (e *HTTPError) Error() string {
	s := fmt.Sprintf("%v (HTTP %d", e.Unwrap(), e.Status)
	if e.Text != "" {
		s += ": " + e.Text
	}
	return s + ")"
}

// Unwrap returns the sentinel.
func (e *HTTPError) Unwrap() error {
	switch e.Status {
	case http.StatusUnauthorized, http.StatusForbidden:
		return ErrUnauthorised
	case http.StatusNotFound:
		return ErrNotFound
	case http.StatusGone:
		return ErrEnded
	case http.StatusTooManyRequests, http.StatusServiceUnavailable:
		return ErrBusy
	case http.StatusBadGateway, http.StatusGatewayTimeout, http.StatusInternalServerError:
		return ErrUnreachable
	default:
		return ErrRefused
	}
}

// maxBody bounds what is read of an answer.
const maxBody = 256 << 10

// resource is an accepted session: where it is, and the answer.
type resource struct {
	url    string
	etag   string
	answer string
}

// signal is the HTTP side of WHIP and WHEP, which is the same.
type signal struct {
	client   *http.Client
	endpoint string
	bearer   string
}

// newSignal prepares requests. Only 307 and 308 are followed (RFC 9725 section 4.5): they repeat the POST;
// others would turn it into a GET. The key goes along, but never from https to http.
func newSignal(endpoint, bearer string) *signal {
	s := &signal{endpoint: endpoint, bearer: bearer}
	transport := http.DefaultTransport.(*http.Transport).Clone()
	// Sessions are rare; idle connections would only keep the server busy.
	transport.IdleConnTimeout = 5 * time.Second
	s.client = &http.Client{Timeout: 20 * time.Second, Transport: transport, CheckRedirect: s.redirect}
	return s
}

func (s *signal) redirect(req *http.Request, via []*http.Request) error {
	status := req.Response.StatusCode
	if status != http.StatusTemporaryRedirect && status != http.StatusPermanentRedirect {
		return fmt.Errorf("%w: it answers with the redirection %d, which WHIP does not know", ErrRefused, status)
	}
	if len(via) > 5 {
		return fmt.Errorf("%w: it redirects in circles", ErrRefused)
	}
	if s.bearer != "" && (req.URL.Scheme == "https" || via[0].URL.Scheme == "http") {
		req.Header.Set("Authorization", "Bearer "+s.bearer)
	}
	return nil
}

func (s *signal) close() { s.client.CloseIdleConnections() }

// post sends an offer and returns the session.
func (s *signal) post(ctx context.Context, offer string) (resource, error) {
	res, err := s.do(ctx, http.MethodPost, s.endpoint, "application/sdp", offer)
	if err != nil {
		return resource{}, err
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusCreated {
		return resource{}, problem(res)
	}
	if kind, _, _ := mime.ParseMediaType(res.Header.Get("Content-Type")); kind != "application/sdp" {
		return resource{}, fmt.Errorf("%w: the answer is %q, not application/sdp; is this address a WHIP or WHEP endpoint?", ErrRefused, kind)
	}
	body, err := io.ReadAll(io.LimitReader(res.Body, maxBody))
	if err != nil {
		return resource{}, fmt.Errorf("%w: %w", ErrUnreachable, err)
	}
	r := resource{answer: string(body), etag: res.Header.Get("ETag")}
	if loc := res.Header.Get("Location"); loc != "" {
		if u, err := res.Request.URL.Parse(loc); err == nil {
			r.url = u.String()
		}
	}
	return r, nil
}

// remove ends a session. It returns nil when it was there.
func (s *signal) remove(ctx context.Context, r resource) error {
	if r.url == "" {
		return nil
	}
	res, err := s.do(ctx, http.MethodDelete, r.url, "", "")
	if err != nil {
		return err
	}
	defer res.Body.Close()
	if res.StatusCode/100 != 2 {
		return problem(res)
	}
	return nil
}

// ask asks by PATCH how a session is: nil when it is there, else the server's refusal, or that it cannot be reached.
// The fragment changes nothing. A DELETE would tell as much, and end the stream for its viewers.
func (s *signal) ask(ctx context.Context, r resource) error {
	if r.url == "" {
		return nil
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPatch, r.url, strings.NewReader("a=end-of-candidates\r\n"))
	if err != nil {
		return nil
	}
	req.Header.Set("Content-Type", "application/trickle-ice-sdpfrag")
	req.Header.Set("If-Match", r.etag)
	if s.bearer != "" {
		req.Header.Set("Authorization", "Bearer "+s.bearer)
	}
	res, err := s.client.Do(req)
	if err != nil {
		return transportError(ctx, err)
	}
	defer res.Body.Close()
	if res.StatusCode/100 != 2 {
		return problem(res)
	}
	return nil
}

// fate asks what became of a session that was lost: ErrEnded when the server has ended it for good (410), nil when it
// may be made anew.
func (s *signal) fate(ctx context.Context, r resource) error {
	if err := s.ask(ctx, r); errors.Is(err, ErrEnded) {
		return err
	}
	return nil
}

func (s *signal) do(ctx context.Context, method, target, contentType, body string) (*http.Response, error) {
	var reader io.Reader
	if body != "" {
		reader = bytes.NewReader([]byte(body))
	}
	req, err := http.NewRequestWithContext(ctx, method, target, reader)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrRefused, err)
	}
	if contentType != "" {
		req.Header.Set("Content-Type", contentType)
	}
	if s.bearer != "" {
		req.Header.Set("Authorization", "Bearer "+s.bearer)
	}
	res, err := s.client.Do(req)
	if err != nil {
		return nil, transportError(ctx, err)
	}
	return res, nil
}

// transportError keeps the words that help and drops the request line that url.Error puts before them.
func transportError(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	var u *url.Error
	if errors.As(err, &u) {
		err = u.Err
	}
	if errors.Is(err, ErrRefused) {
		return err
	}
	return fmt.Errorf("%w: %w", ErrUnreachable, err)
}

// problem turns an answer that is no success into an HTTPError.
func problem(res *http.Response) error {
	e := &HTTPError{Status: res.StatusCode, RetryAfter: retryAfter(res.Header.Get("Retry-After"), time.Now())}
	body, _ := io.ReadAll(io.LimitReader(res.Body, maxBody))
	kind, _, _ := mime.ParseMediaType(res.Header.Get("Content-Type"))
	switch kind {
	case "application/problem+json":
		var doc struct{ Type, Title, Detail, Code string }
		if json.Unmarshal(body, &doc) == nil {
			e.Text, e.Code = doc.Detail, doc.Code
			if e.Text == "" {
				e.Text = doc.Title
			}
			if e.Code == "" {
				e.Code = doc.Type[strings.LastIndexAny(doc.Type, "/:")+1:]
			}
		}
	case "text/plain":
		e.Text = string(body)
	}
	e.Text = line(e.Text)
	return e
}

// line makes one harmless line of at most 200 characters out of words from elsewhere.
func line(s string) string {
	s = strings.Join(strings.Fields(s), " ")
	s = strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return -1
		}
		return r
	}, s)
	if r := []rune(s); len(r) > 200 {
		s = string(r[:200]) + "…"
	}
	return s
}

// retryAfter reads the header (RFC 9110 section 10.2.3): seconds, or a date.
func retryAfter(v string, now time.Time) time.Duration {
	if n, err := strconv.Atoi(v); err == nil && n > 0 {
		return time.Duration(min(n, 86400)) * time.Second
	}
	if at, err := http.ParseTime(v); err == nil && at.After(now) {
		return at.Sub(now)
	}
	return 0
}
