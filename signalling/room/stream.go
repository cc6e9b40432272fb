package room

import (
	"fmt"
	"time"

	"github.com/fanfare-relay/fanfare/media"
	"github.com/fanfare-relay/fanfare/signalling/msg"
)

// open notes a session whose offer was accepted; it counts when it is connected.
func (r *Room) open(in Open, now time.Time) {
	s := &session{
		role: in.Role, endpoint: in.Endpoint, label: in.Endpoint,
		viewer: in.Viewer, address: in.Address, since: now,
	}
	if s.label == "" {
		r.players++
		s.label = fmt.Sprintf("player-%d", r.players)
	}
	r.sessions[in.Session] = s
	if in.Role != media.RolePublisher {
		return
	}
	if s.endpoint != r.owner {
		// A page that only looks on, while another program publishes, stays the owner.
		if old, ok := r.sessions[r.publisher]; ok && old.endpoint == r.owner {
			r.replaceOwner(now)
		}
		r.declared = msg.StateLive
	}
	r.publisher = in.Session
	if r.phase == phaseOn {
		r.giveUp = now.Add(handover)
	}
}

// happen takes the data plane's word on a session. Words on sessions that this room has not
// opened, or has closed, mean nothing.
func (r *Room) happen(e media.Event, now time.Time) {
	s, ok := r.sessions[e.Session]
	if !ok {
		return
	}
	switch e.Kind {
	case media.EventConnected:
		r.connected(e.Session, s)
	case media.EventDisconnected:
		delete(r.sessions, e.Session)
		r.roster.dirty = true
		if s.role == media.RoleSubscriber && s.connected {
			r.unwatch(s.label)
		}
		if s.role == media.RolePublisher {
			r.lost(e, s, now)
		}
	case media.EventMedia:
		if e.Session == r.publisher {
			r.track(e.Track)
		}
	}
}

func (r *Room) connected(id media.SessionID, s *session) {
	if s.role == media.RoleSubscriber && !s.connected {
		r.watching[s.label]++
	}
	s.connected = true
	r.roster.dirty = true
	if id != r.publisher {
		return
	}
	r.phase, r.giveUp = phaseOn, time.Time{}
	// The new session may come without sound, or with another codec.
	r.now.Video, r.now.Audio, r.now.Width, r.now.Height = "", "", 0, 0
	r.saveLive(true)
}

func (r *Room) unwatch(label string) {
	if r.watching[label]--; r.watching[label] <= 0 {
		delete(r.watching, label)
	}
}

// lost decides what the end of a publisher's session means for the stream.
func (r *Room) lost(e media.Event, s *session, now time.Time) {
	if e.Session != r.publisher {
		return // an older one; the newest goes on
	}
	r.publisher = ""
	superseded := s.endpoint != "" && r.owner != "" && s.endpoint != r.owner
	switch {
	case r.phase != phaseOn && r.phase != phaseAway:
		// It never connected, or the stream was stopped before.
	case e.Reason == media.CloseReplaced:
		// The newer session is accepted and about to be told.
		r.giveUp = now.Add(handover)
	case s.deleted && s.connected && !superseded, e.Reason == media.CloseEnded:
		r.end() // a try that never connected, and is given up, says nothing of the stream
	default:
		r.away(now)
	}
}

// away asks viewers to wait. The hold runs from the first loss: a publisher who tries and
// fails does not make them wait for ever.
func (r *Room) away(now time.Time) {
	if r.phase != phaseAway {
		r.phase, r.giveUp = phaseAway, now.Add(Hold)
	}
}

// end is the owner's word, or that of the clock.
func (r *Room) end() {
	r.phase, r.giveUp, r.publisher = phaseEnded, time.Time{}, ""
	r.now.Video, r.now.Audio, r.now.Width, r.now.Height = "", "", 0, 0
	r.emit(CloseStream{media.CloseEnded})
	r.saveLive(false)
}

func (r *Room) saveLive(live bool) {
	if r.saved != live {
		r.saved = live
		r.emit(SaveLive{live})
	}
}

// expire acts on a hold or a handover that has run out.
func (r *Room) expire(now time.Time) {
	if r.giveUp.IsZero() || now.Before(r.giveUp) {
		return
	}
	r.giveUp = time.Time{}
	switch r.phase {
	case phaseOn:
		r.away(now)
	case phaseAway:
		r.end()
	}
}

func (r *Room) track(t media.TrackInfo) {
	switch t.Kind {
	case media.KindAudio:
		r.now.Audio = t.Codec.String()
	case media.KindVideo:
		r.now.Video = t.Codec.String()
		if t.Width > 0 && t.Height > 0 {
			r.now.Width, r.now.Height = t.Width, t.Height
		}
	}
}
