package sfu

import (
	"context"
	"fmt"
	"time"

	"github.com/fanfare-relay/fanfare/media"
	"github.com/fanfare-relay/fanfare/sfu/lite"
)

// Patch applies a trickle-ice-sdpfrag. Candidates are taken note of and not needed: the
// peer's checks teach its addresses. A viewer may restart ICE; for a publisher that is
// media.ErrNoRestart. Other errors wrap media.ErrNoSuchSession or ErrBadFragment.
func (s *SFU) Patch(_ context.Context, id media.SessionID, text string) (media.PatchAnswer, error) {
	f, err := parseFragment(text)
	if err != nil {
		return media.PatchAnswer{}, err
	}
	r, err := s.restart(id, &f)
	if err != nil || r == nil {
		return media.PatchAnswer{}, err
	}
	s.routes.addUfrag(r.local.Ufrag, route{viewer: r.viewer})
	r.viewer.shard.worker.post(command{kind: commandRestart, viewer: r.viewer, local: r.local, remote: r.remote})
	return media.PatchAnswer{
		Restarted: true, ETag: r.etag,
		Fragment: writeFragment(r.kind, r.mids[0], r.local, candidateLines(s.addresses.list(time.Now()))),
	}, nil
}

// restart checks a fragment and gives the session new credentials if it asks for that. It
// returns a copy of the session then, else nil. The old credentials hold until the viewer
// has moved over.
func (s *SFU) restart(id media.SessionID, f *fragment) (*session, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	sess := s.sessions[id]
	if sess == nil || sess.reason != "" {
		return nil, media.ErrNoSuchSession
	}
	if err := f.checkMids(sess.mids); err != nil || !f.restarts(sess.remote) {
		return nil, err
	}
	if sess.viewer == nil {
		return nil, media.ErrNoRestart
	}
	sess.local, sess.remote, sess.etag = lite.NewCredentials(), f.ice, newToken()
	renewed := *sess
	return &renewed, nil
}

// Close ends one session and says so to its peer. The event follows when it is gone.
func (s *SFU) Close(id media.SessionID, reason media.CloseReason) error {
	s.mu.Lock()
	sess := s.sessions[id]
	if sess == nil || sess.reason != "" {
		s.mu.Unlock()
		return media.ErrNoSuchSession
	}
	sess.reason = reason
	s.mu.Unlock()
	sess.end(reason)
	return nil
}

// CloseStream ends every session of the stream. Its name is free at once.
func (s *SFU) CloseStream(name string, reason media.CloseReason) {
	s.mu.Lock()
	st := s.streams[name]
	delete(s.streams, name)
	var list []*session
	for _, sess := range s.sessions {
		if sess.stream == st && sess.reason == "" {
			sess.reason = reason
			list = append(list, sess)
		}
	}
	s.mu.Unlock()
	for _, sess := range list {
		sess.end(reason)
	}
}

func (sess *session) end(reason media.CloseReason) {
	if sess.publisher != nil {
		sess.publisher.end(reason)
		return
	}
	sess.viewer.shard.worker.post(command{kind: commandRemove, viewer: sess.viewer, reason: reason})
}

// publisherConnected and the functions below it are called by the sessions' own goroutines.
func (s *SFU) publisherConnected(p *publisher) {
	if s.markConnected(p.id) {
		s.log.Info("publisher connected", "stream", p.stream.name, "session", p.id.Short())
		s.tell(media.Event{Kind: media.EventConnected, Session: p.id, Stream: p.stream.name, Role: media.RolePublisher})
	}
}

func (s *SFU) viewerConnected(v *viewer) {
	if s.markConnected(v.id) {
		s.log.Info("viewer connected", "stream", v.stream.name, "session", v.id.Short(), "srtp", v.leg.Profile())
		s.tell(media.Event{Kind: media.EventConnected, Session: v.id, Stream: v.stream.name, Role: media.RoleSubscriber})
	}
}

// markConnected takes the session out of the unfinished ones, once.
func (s *SFU) markConnected(id media.SessionID) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	sess := s.sessions[id]
	if sess == nil || sess.connected {
		return false
	}
	sess.connected = true
	s.unfinished--
	s.connected[sess.role-media.RolePublisher]++
	if sess.role == media.RoleSubscriber {
		now := time.Now()
		s.admission.connected(now.Sub(sess.began), now)
	}
	return true
}

func (s *SFU) publisherGone(p *publisher, reason media.CloseReason) {
	s.routes.removeUfrag(p.ufrag)
	s.muxConn.forget(p)
	p.stream.pub.CompareAndSwap(p, nil)
	s.gone(p.id, reason)
}

func (s *SFU) viewerGone(v *viewer, reason media.CloseReason) { s.gone(v.id, reason) }

// gone forgets a session and tells why it ended.
func (s *SFU) gone(id media.SessionID, reason media.CloseReason) {
	s.mu.Lock()
	sess := s.sessions[id]
	if sess == nil {
		s.mu.Unlock()
		return
	}
	delete(s.sessions, id)
	if sess.connected {
		s.connected[sess.role-media.RolePublisher]--
	} else {
		s.unfinished--
	}
	if sess.role == media.RoleSubscriber {
		sess.stream.viewers--
	}
	s.leave(sess.stream)
	s.mu.Unlock()
	who := "publisher"
	if sess.role == media.RoleSubscriber {
		who = "viewer"
	}
	s.log.Info(who+" gone", "stream", sess.stream.name, "session", id.Short(), "reason", string(reason))
	s.tell(media.Event{
		Kind: media.EventDisconnected, Session: id, Stream: sess.stream.name, Role: sess.role, Reason: reason})
}

// tellMedia says what a publisher's track carries now.
func (p *publisher) tellMedia(info media.TrackInfo, at time.Time) {
	p.up() // pion's word of the connection may come behind the first packet
	p.sfu.cfg.OnEvent(media.Event{
		Kind: media.EventMedia, Session: p.id, Stream: p.stream.name, Role: media.RolePublisher, Track: info, At: at})
}

func (s *SFU) tell(e media.Event) {
	e.At = time.Now()
	s.cfg.OnEvent(e)
}

func (s *SFU) countHandshake(err error) {
	if err != nil {
		s.handshakesFailed.Add(1)
		s.log.Debug("handshake failed", "err", fmt.Sprint(err))
		return
	}
	s.handshakesDone.Add(1)
}
