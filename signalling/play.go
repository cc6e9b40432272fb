package signalling

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"os"
	"regexp"
	"strconv"
	"sync"
	"time"

	"github.com/go-chi/chi/v5"

	"github.com/fanfare-relay/fanfare/media"
	"github.com/fanfare-relay/fanfare/signalling/msg"
	"github.com/fanfare-relay/fanfare/signalling/room"
	"github.com/fanfare-relay/fanfare/signalling/spool"
	"github.com/fanfare-relay/fanfare/signalling/token"
)

// Streams by plain HTTP: the uploader's page posts what its recorder makes, piece by piece, viewers get it
// as one answer without end (docs/PROTOCOL.md, section 2.5).

// Limits of it.
const (
	maxPiece     = 1 << 20          // bytes of one piece
	pieceWithin  = 10 * time.Second // for one to arrive
	playLife     = time.Minute      // of an address to play from
	playWithin   = 10 * time.Second // for a player to take what it is sent
	playsAtATime = 256              // answers of any length, and
	playsEach    = 64               // of them to one client: a class fits in
)

// typeRecording is what a recorder says that it makes: a container and names of codecs.
var typeRecording = regexp.MustCompile(`^(video|audio)/(webm|mp4)(; ?codecs="?[A-Za-z0-9., _-]{1,80}"?)?$`)

// plays are the answers of any length that are under way: to viewers, and with files.
type plays struct {
	each int // at most to one client

	mu   sync.Mutex
	open map[media.SessionID]play
	of   map[string]int // by client
}

type play struct {
	client string
	end    context.CancelFunc
}

func newPlays(each int) plays {
	return plays{each: each, open: map[media.SessionID]play{}, of: map[string]int{}}
}

// begin takes a place, or says why there is none.
func (p *plays) begin(id media.SessionID, client string, end context.CancelFunc) *problem {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case p.of[client] >= p.each:
		return problemRate.after(playWithin)
	case len(p.open) >= playsAtATime:
		return problemBusy.with(problemBusy.Detail)
	}
	p.open[id] = play{client: client, end: end}
	p.of[client]++
	return nil
}

// end ends one; false when it is none of these.
func (p *plays) end(id media.SessionID) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	one, ok := p.open[id]
	if !ok {
		return false
	}
	one.end()
	delete(p.open, id)
	if p.of[one.client]--; p.of[one.client] == 0 {
		delete(p.of, one.client)
	}
	return true
}

// playRoutes are there where the operator gives them memory; elsewhere they say so.
func (s *Server) playRoutes(r chi.Router) {
	if s.cfg.HTTPMemory <= 0 {
		for _, path := range []string{"/play/*", "/record/*", "/spool", "/spool/*"} {
			r.HandleFunc(path, func(w http.ResponseWriter, _ *http.Request) { problemNoHTTP.write(w) })
		}
		return
	}
	r.HandleFunc("/play/{stream}", s.playURL)
	r.HandleFunc("/play/{stream}/{capability}", s.playStream)
	r.HandleFunc("/record/{stream}/{recording}", s.recordingURL)
	r.HandleFunc("/record/{stream}/{recording}/{piece}", s.pieceURL)
	r.HandleFunc("/spool", s.spoolURL)
	r.HandleFunc("/spool/{capability}", s.spooledURL)
}

// answerTo answers by one of the methods, or says which there are.
func (s *Server) answerTo(w http.ResponseWriter, r *http.Request, methods string, do map[string]func() *problem) {
	cors(w, r, methods)
	handle, ok := do[r.Method]
	switch {
	case r.Method == http.MethodOptions:
		w.WriteHeader(http.StatusNoContent)
	case !ok:
		w.Header().Set("Allow", methods)
		problemMethod.write(w)
	default:
		if p := handle(); p != nil {
			p.write(w)
		}
	}
}

// playURL is /play/{stream}: a POST with the viewer's token makes an address to play from.
func (s *Server) playURL(w http.ResponseWriter, r *http.Request) {
	s.answerTo(w, r, "OPTIONS, POST", map[string]func() *problem{http.MethodPost: func() *problem {
		now := time.Now()
		o := offer{role: media.RoleSubscriber, stream: chi.URLParam(r, "stream"), from: s.proxies.who(r), bearer: bearer(r)}
		if d := s.meters.play.take(o.from.household, now); d > 0 {
			return problemRate.after(d)
		}
		if p := s.judgeView(&o, now); p != nil {
			return p
		}
		recording := s.spool.Recording(o.stream)
		if recording == nil || !recording.Started() {
			return problemRecording.with(problemRecording.Detail)
		}
		capability, err := s.gate.signFor(playLife, token.KindPlay, token.Capability{
			Role: token.RoleSubscriber, Room: string(msg.RoomStream), Stream: o.stream,
			Endpoint: o.grant.endpoint, Viewer: o.grant.viewer, Proof: o.grant.proof,
		}, now)
		if err != nil {
			return problemOf(err)
		}
		made(w, "/play/"+o.stream+"/"+capability, map[string]any{"type": recording.Kind})
		return nil
	}})
}

// made answers 201 with an address.
func made(w http.ResponseWriter, location string, about map[string]any) {
	h := w.Header()
	h.Set("Location", location)
	h.Set("Content-Type", "application/json")
	h.Set("Cache-Control", "no-store")
	w.WriteHeader(http.StatusCreated)
	_ = json.NewEncoder(w).Encode(about) // the client may have gone
}

// playStream is /play/{stream}/{capability}: the recording from its latest key frame, as it comes.
func (s *Server) playStream(w http.ResponseWriter, r *http.Request) {
	s.answerTo(w, r, "GET, OPTIONS", map[string]func() *problem{http.MethodGet: func() *problem {
		name, from, now := chi.URLParam(r, "stream"), s.proxies.who(r), time.Now()
		if d := s.meters.played.take(from.household, now); d > 0 {
			return problemRate.after(d)
		}
		c := s.gate.open(chi.URLParam(r, "capability"), token.KindPlay, msg.RoomRef{Kind: msg.RoomStream, Name: name}, msg.RoleSubscriber, now)
		if c == nil {
			return problemAddress.with(problemAddress.Detail)
		}
		if _, p := s.judgeViewer(name, showing{capability: c, viewer: c.Viewer}, from, now); p != nil {
			return p
		}
		recording := s.spool.Recording(name)
		if recording == nil {
			return problemRecording.with(problemRecording.Detail)
		}
		return s.serve(w, r, recording, name, *c, from.household)
	}})
}

// serve is a viewer's time with a recording. To the room it is a session like others: it is counted, and
// ends when the viewer is removed or the stream is over.
func (s *Server) serve(w http.ResponseWriter, r *http.Request, recording *spool.Recording, name string, c token.Capability, client string) *problem {
	ctx, cancel := context.WithCancel(r.Context())
	defer cancel()
	defer context.AfterFunc(s.stopping, cancel)()
	id := media.SessionID("http-" + token.NewID())
	if p := s.plays.begin(id, client, cancel); p != nil {
		return p
	}
	defer s.plays.end(id)
	about := media.Event{Session: id, Stream: name, Role: media.RoleSubscriber}
	s.hub.opened(id, &session{stream: name, role: media.RoleSubscriber, client: client, connected: true}, room.Open{
		Session: id, Role: media.RoleSubscriber, Endpoint: c.Endpoint, Viewer: c.Viewer, Address: client,
	})
	about.Kind = media.EventConnected
	s.hub.event(about)
	about.Kind, about.Reason = media.EventDisconnected, media.CloseByClient
	defer s.hub.event(about)
	h := w.Header()
	h.Set("Content-Type", recording.Kind)
	h.Set("Cache-Control", "no-store")
	s.pass(ctx, w, recording.Play())
	return nil
}

// pass sends what a player gets until it ends, or the other side takes no more.
func (s *Server) pass(ctx context.Context, w http.ResponseWriter, player *spool.Player) {
	control := http.NewResponseController(w)
	for {
		data, err := player.Next(ctx)
		if err != nil {
			return
		}
		// Recorders of tests have no deadline; nobody slow is behind them either.
		_ = control.SetWriteDeadline(time.Now().Add(playWithin))
		if _, err := w.Write(data); err != nil {
			return
		}
		if err := control.Flush(); err != nil {
			return
		}
		s.figures.played.Add(float64(len(data)))
	}
}

// judgeRecorder asks for the key of a stream that is there.
func (s *Server) judgeRecorder(r *http.Request, stream string, now time.Time) *problem {
	from := s.proxies.who(r)
	if d := s.meters.refused.wait(from.household, now); d > 0 {
		return problemRate.after(d)
	}
	gr, p := s.gate.publisherKey(bearer(r), now)
	if p == nil && !s.gate.owns(gr, stream) {
		p = problemForeign.with(problemForeign.Detail)
	}
	if p != nil && p.Status < 500 {
		s.meters.refused.spend(from.household, now)
	}
	return p
}

// recordingURL is /record/{stream}/{recording}: DELETE ends it.
func (s *Server) recordingURL(w http.ResponseWriter, r *http.Request) {
	s.answerTo(w, r, "DELETE, OPTIONS", map[string]func() *problem{http.MethodDelete: func() *problem {
		stream := chi.URLParam(r, "stream")
		if p := s.judgeRecorder(r, stream, time.Now()); p != nil {
			return p
		}
		recording := s.spool.Recording(stream)
		if recording == nil || recording.ID != chi.URLParam(r, "recording") {
			return problemRecording.with(problemRecording.Detail)
		}
		recording.Close()
		w.WriteHeader(http.StatusOK)
		return nil
	}})
}

// pieceURL is /record/{stream}/{recording}/{piece}: POST adds the piece. Piece 0 begins the recording.
func (s *Server) pieceURL(w http.ResponseWriter, r *http.Request) {
	s.answerTo(w, r, "OPTIONS, POST", map[string]func() *problem{http.MethodPost: func() *problem {
		stream, id := chi.URLParam(r, "stream"), chi.URLParam(r, "recording")
		n, err := strconv.Atoi(chi.URLParam(r, "piece"))
		kind := r.Header.Get("Content-Type")
		switch {
		case err != nil || n < 0 || !msg.ValidName(id):
			return problemPage.with(problemPage.Detail)
		case !typeRecording.MatchString(kind):
			return problemMediaType.with("A piece of a recording is of type video/webm or video/mp4.")
		case r.ContentLength > maxPiece:
			return problemTooLarge.with("A piece of a recording has at most 1 MiB.")
		}
		if p := s.judgeRecorder(r, stream, time.Now()); p != nil {
			return p
		}
		data, p := readPiece(w, r)
		if p != nil {
			return p
		}
		if p := s.addPiece(stream, id, kind, n, data); p != nil {
			return p
		}
		s.figures.recorded.Add(float64(len(data)))
		w.WriteHeader(http.StatusNoContent)
		return nil
	}})
}

func readPiece(w http.ResponseWriter, r *http.Request) ([]byte, *problem) {
	control := http.NewResponseController(w)
	_ = control.SetReadDeadline(time.Now().Add(pieceWithin)) // see incoming.finish
	data, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxPiece))
	var tooLarge *http.MaxBytesError
	switch {
	case errors.As(err, &tooLarge):
		return nil, problemTooLarge.with("A piece of a recording has at most 1 MiB.")
	case errors.Is(err, os.ErrDeadlineExceeded):
		return nil, problemSlow.with(problemSlow.Detail)
	case err != nil:
		return nil, problemBody.with(problemBody.Detail)
	}
	_ = control.SetReadDeadline(time.Time{})
	return data, nil
}

func (s *Server) addPiece(stream, id, kind string, n int, data []byte) *problem {
	recording := s.spool.Recording(stream)
	if recording == nil || recording.ID != id {
		if n != 0 {
			return problemOrder.with(problemOrder.Detail)
		}
		var err error
		if recording, err = s.spool.Record(stream, id, kind); err != nil {
			return problemSpool.with(problemSpool.Detail)
		}
	}
	err := recording.Push(n, data)
	switch {
	case errors.Is(err, spool.ErrRecording):
		recording.Close()
		return problemRecorded.with(problemRecorded.Detail)
	case err != nil:
		return problemOrder.with(problemOrder.Detail)
	}
	return nil
}
