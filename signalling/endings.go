package signalling

import (
	"time"

	"github.com/fanfare-relay/fanfare/media"
)

// Bounds of what is remembered of sessions that were ended for good. Whoever was cut off asks
// within seconds, or when the laptop wakes up; one ending takes some 300 bytes.
const (
	endingKept = time.Hour
	maxEndings = 2048
)

// endings remembers why sessions were ended by somebody's decision: their clients are told to
// stay away (410), while the client of a session that merely broke may come back (404). The
// oldest are forgotten first. The zero value is ready.
type endings struct {
	byID  map[media.SessionID]ending
	order []media.SessionID // oldest first
}

type ending struct {
	session session
	at      time.Time
}

// forGood tells whether the client of a session with this end must stay away.
func forGood(r media.CloseReason) bool {
	switch r {
	case media.CloseReplaced, media.CloseRemoved, media.CloseEnded, media.CloseLinkMoved:
		return true
	}
	return false
}

// note remembers the end of a session if it is one for good.
func (e *endings) note(id media.SessionID, s session, why media.CloseReason, now time.Time) {
	if !forGood(why) {
		return
	}
	if e.byID == nil {
		e.byID = map[media.SessionID]ending{}
	}
	for len(e.order) > 0 && (len(e.order) >= maxEndings || now.Sub(e.byID[e.order[0]].at) > endingKept) {
		delete(e.byID, e.order[0])
		e.order = e.order[1:] // append below gives the array up when it is used up
	}
	s.ended = why
	e.byID[id] = ending{s, now}
	e.order = append(e.order, id)
}

func (e *endings) find(id media.SessionID, now time.Time) (session, bool) {
	end, ok := e.byID[id]
	if !ok || now.Sub(end.at) > endingKept {
		return session{}, false
	}
	return end.session, true
}

// gone is the answer to those who ask for a session that was ended for good.
func gone(why media.CloseReason) *problem {
	switch why {
	case media.CloseReplaced:
		return problemGone.with("A newer publisher has taken this stream over.")
	case media.CloseRemoved:
		return problemGone.with(problemRemoved.Detail)
	case media.CloseLinkMoved:
		return problemGone.with("The owner has changed the link to this stream.")
	default:
		return problemGone.with("The owner has ended this stream.")
	}
}
