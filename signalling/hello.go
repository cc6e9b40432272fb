package signalling

import (
	"time"

	"github.com/fanfare-relay/fanfare/signalling/msg"
	"github.com/fanfare-relay/fanfare/signalling/token"
)

// welcome is what the shell adds to the room's Admit.
type welcome struct {
	room       msg.RoomRef
	role       msg.Role
	resume     string
	mediaToken string
	mediaURL   string
	stun       string
	relay      string // of rooms of files
	entry      bool   // into the antechamber of a room of files
}

// admit judges a hello: who may come in, into which room, and under which identifier.
func (s *Server) admit(h msg.Hello, from who, host string, now time.Time) (id string, w welcome, refusal *msg.Error) {
	if h.Version != msg.Version {
		return "", w, &msg.Error{Code: msg.CodeVersion, Text: "This page is older or newer than the server. Please reload it."}
	}
	if d := s.meters.hello.take(from.household, now); d > 0 {
		return "", w, tooFast(d)
	}
	w = welcome{room: h.Room, role: h.Role}
	var gr grant
	var p *problem
	if h.Role == msg.RolePublisher {
		gr, p = s.admitPublisher(&w, h, from, now)
	} else {
		gr, p = s.admitSubscriber(&w, h, from, now)
	}
	if p != nil {
		return "", w, wireError(p)
	}
	id, err := s.issue(&w, h, gr, now)
	if err != nil {
		return "", w, wireError(problemOf(err))
	}
	w.stun = s.stun(host)
	return id, w, nil
}

func (s *Server) admitPublisher(w *welcome, h msg.Hello, from who, now time.Time) (grant, *problem) {
	if d := s.meters.refused.wait(from.household, now); d > 0 {
		return grant{}, problemRate.after(d)
	}
	gr, p := s.judgePublisher(w, h, from, now)
	if p != nil && p.Status < 500 {
		s.meters.refused.spend(from.household, now)
	}
	return gr, p
}

func (s *Server) judgePublisher(w *welcome, h msg.Hello, from who, now time.Time) (grant, *problem) {
	if h.Room.Kind == msg.RoomFiles {
		return s.admitUploader(w, h, from, now)
	}
	gr, p := s.gate.publisherKey(h.Token, now)
	if p == nil && gr.only != "" {
		p = problemKey.with(problemKey.Detail) // a token for media opens no room
	}
	if p == nil {
		if w.room.Name == "" {
			w.room.Name = gr.bound
		}
		if w.room.Name == "" {
			w.room.Name = token.NewName()
		}
		_, p = s.gate.publisherStream(gr, w.room.Name, now)
	}
	return gr, p
}

func (s *Server) admitSubscriber(w *welcome, h msg.Hello, from who, now time.Time) (grant, *problem) {
	if h.Room.Kind == msg.RoomFiles {
		return s.admitReceiver(w, h, from, now)
	}
	resume := s.resumes(h, now) // it was let in before; the password of then must be that of today
	proof, p := s.judgeViewer(w.room.Name, showing{resume, h.Password, h.Viewer}, from, now)
	return grant{proof: proof}, p
}

// judgeViewer is gate.viewer with guesses counted.
func (s *Server) judgeViewer(name string, show showing, from who, now time.Time) (token.Hash, *problem) {
	return s.gate.viewer(name, show, from.household, guesses{
		may: func() *problem {
			if d := s.meters.wrong.wait(from.household, now); d > 0 {
				return problemRate.after(d)
			}
			return nil
		},
		wrong: func() { s.meters.wrong.spend(from.household, now) },
	})
}

// resumes opens the Resume of an earlier Welcome, when it is one for this viewer, room and role.
func (s *Server) resumes(h msg.Hello, now time.Time) *token.Capability {
	c := s.gate.open(h.Resume, token.KindResume, h.Room, h.Role, now)
	if c == nil || c.Viewer != h.Viewer {
		return nil
	}
	return c
}

// issue gives the endpoint its identifier, the old one when it resumes, and its tokens.
func (s *Server) issue(w *welcome, h msg.Hello, gr grant, now time.Time) (id string, err error) {
	id = token.NewID()
	if w.entry {
		return id, nil
	}
	h.Room.Name = w.room.Name
	if c := s.resumes(h, now); c != nil {
		id = c.Endpoint
	}
	c := token.Capability{
		Role: tokenRole(h.Role), Room: string(w.room.Kind), Stream: w.room.Name,
		Endpoint: id, Viewer: h.Viewer, Proof: gr.proof,
	}
	if w.room.Kind == msg.RoomFiles {
		return id, s.issueFiles(w, c, now)
	}
	if w.resume, err = s.gate.sign(token.KindResume, c, now); err != nil {
		return id, err
	}
	w.mediaURL = "/whep/" + w.room.Name
	if h.Role == msg.RolePublisher {
		w.mediaURL = "/whip/" + w.room.Name
	}
	w.mediaToken, err = s.gate.sign(token.KindMedia, c, now)
	return id, err
}

// wireError says a problem on /ws.
func wireError(p *problem) *msg.Error {
	codes := map[string]msg.Code{
		problemKey.Name: msg.CodeUnauthorised, problemPassword.Name: msg.CodePassword, problemForeign.Name: msg.CodeForbidden,
		problemRemoved.Name: msg.CodeRemoved, problemName.Name: msg.CodeBadMessage, problemStream.Name: msg.CodeNotFound,
		problemRate.Name: msg.CodeRate, problemShutdown.Name: msg.CodeShutdown, problemBusy.Name: msg.CodeFull,
	}
	code, ok := codes[p.Name]
	if !ok {
		code = msg.CodeInternal
	}
	return &msg.Error{Code: code, Text: p.Detail, RetryAfter: seconds(p.RetryAfter)}
}

func tooFast(d time.Duration) *msg.Error { return wireError(problemRate.after(d)) }
