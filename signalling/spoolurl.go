package signalling

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"os"
	"time"

	"github.com/go-chi/chi/v5"

	"github.com/fanfare-relay/fanfare/media"
	"github.com/fanfare-relay/fanfare/signalling/msg"
	"github.com/fanfare-relay/fanfare/signalling/spool"
	"github.com/fanfare-relay/fanfare/signalling/token"
)

// Files by plain HTTP, to compare with (docs/PROTOCOL.md, section 2.6): up whole, into memory, and down by
// whoever has the address, for ten minutes.

// A slow uploader keeps memory that others could have: at least slowest bytes in slowWithin, and all in uploadWithin.
const (
	slowest      = 80 << 10
	slowWithin   = 10 * time.Second
	uploadWithin = 15 * time.Minute
)

// roomSpool marks capabilities of files; no room has this kind.
const roomSpool = "spool"

// spoolURL is /spool: POST with a publish key stores a file.
func (s *Server) spoolURL(w http.ResponseWriter, r *http.Request) {
	s.answerTo(w, r, "OPTIONS, POST", map[string]func() *problem{http.MethodPost: func() *problem {
		now := time.Now()
		if r.ContentLength < 0 {
			return problemLength.with(problemLength.Detail)
		}
		gr, p := s.judgeSpooler(r, now)
		if p != nil {
			return p
		}
		body := &steady{body: r.Body, control: http.NewResponseController(w), until: now.Add(uploadWithin)}
		id, err := s.spool.Store(r.ContentLength, body)
		switch {
		case errors.Is(err, spool.ErrFull):
			return problemSpool.with(problemSpool.Detail)
		case errors.Is(err, os.ErrDeadlineExceeded):
			return problemSlow.with("A file must come with 80 KiB in 10 seconds at least, and within 15 minutes.")
		case err != nil:
			return problemBody.with(problemBody.Detail)
		}
		capability, err := s.gate.signFor(spool.FileLife, token.KindPlay, token.Capability{
			Role: token.RoleSubscriber, Room: roomSpool, Stream: id, Proof: gr.proof,
		}, now)
		if err != nil {
			return problemOf(err)
		}
		s.figures.recorded.Add(float64(r.ContentLength))
		made(w, "/spool/"+capability, map[string]any{"size": r.ContentLength})
		return nil
	}})
}

func (s *Server) judgeSpooler(r *http.Request, now time.Time) (grant, *problem) {
	from := s.proxies.who(r)
	if d := s.meters.refused.wait(from.household, now); d > 0 {
		return grant{}, problemRate.after(d)
	}
	gr, p := s.gate.publisherKey(bearer(r), now)
	if p != nil && p.Status < 500 {
		s.meters.refused.spend(from.household, now)
	}
	return gr, p
}

// spooledURL is /spool/{capability}: GET and HEAD with ranges; DELETE by whoever has the address, who is
// trusted with the file anyway.
func (s *Server) spooledURL(w http.ResponseWriter, r *http.Request) {
	fetch := func() *problem { return s.fetch(w, r) }
	s.answerTo(w, r, "DELETE, GET, HEAD, OPTIONS", map[string]func() *problem{
		http.MethodGet: fetch, http.MethodHead: fetch,
		http.MethodDelete: func() *problem {
			c, p := s.spooled(r)
			if p == nil && !s.spool.Forget(c.Stream) {
				p = problemAddress.with(problemAddress.Detail)
			}
			return p
		},
	})
}

// spooled judges the address: it is good as long as the key that it was made with.
func (s *Server) spooled(r *http.Request) (token.Capability, *problem) {
	c, err := s.gate.signer.Open(chi.URLParam(r, "capability"), token.KindPlay, time.Now())
	if err != nil || c.Room != roomSpool || !msg.ValidName(c.Stream) {
		return c, problemAddress.with(problemAddress.Detail)
	}
	_, p := s.gate.key(c.Proof)
	if p != nil && p.Status == http.StatusUnauthorized {
		p = problemAddress.with(problemAddress.Detail) // whoever fetches has no key to show, and needs none
	}
	return c, p
}

func (s *Server) fetch(w http.ResponseWriter, r *http.Request) *problem {
	c, p := s.spooled(r)
	if p != nil {
		return p
	}
	data, at, ok := s.spool.File(c.Stream)
	if !ok {
		return problemAddress.with(problemAddress.Detail)
	}
	id := media.SessionID("file-" + token.NewID())
	if p := s.plays.begin(id, s.proxies.who(r).household, func() {}); p != nil {
		return p
	}
	defer s.plays.end(id)
	h := w.Header()
	h.Set("Content-Type", "application/octet-stream")
	h.Set("Content-Disposition", "attachment") // it is never shown as a page of this server
	h.Set("Content-Security-Policy", "sandbox")
	h.Set("Cache-Control", "no-store")
	counted := &counting{ResponseWriter: w, control: http.NewResponseController(w)}
	http.ServeContent(counted, r, "", at, bytes.NewReader(data))
	s.figures.played.Add(float64(counted.n))
	return nil
}

// counting counts what an answer has, and gives it time as long as it moves.
type counting struct {
	http.ResponseWriter
	control *http.ResponseController
	n       int
}

// Write implements io.Writer.
func (c *counting) Write(b []byte) (int, error) {
	_ = c.control.SetWriteDeadline(time.Now().Add(playWithin)) // see pass
	n, err := c.ResponseWriter.Write(b)
	c.n += n
	return n, err
}

// steady reads a body that must come at a least rate, and to its end until a time. There is time for the answer
// behind it, however long it takes: the server's own deadline for that counts from the head of the request.
type steady struct {
	body    io.Reader
	control *http.ResponseController
	until   time.Time
	n       int // since the deadline was set
	set     bool
}

// Read implements io.Reader.
func (s *steady) Read(b []byte) (int, error) {
	if !s.set || s.n >= slowest {
		deadline := time.Now().Add(slowWithin)
		if s.until.Before(deadline) {
			deadline = s.until
		}
		_ = s.control.SetReadDeadline(deadline) // see incoming.finish
		_ = s.control.SetWriteDeadline(deadline.Add(playWithin))
		s.n, s.set = 0, true
	}
	n, err := s.body.Read(b)
	s.n += n
	return n, err
}
