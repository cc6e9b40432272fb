package peer

import (
	"time"

	"github.com/fanfare-relay/fanfare/mesh/seal"
	"github.com/fanfare-relay/fanfare/mesh/wire"
)

// When a receiver that has everything and is not to seed leaves (docs/MESH.md, section 7): at once while
// the uploader is there, who hears of it first and then does not count on it. When the uploader has left,
// it did so because receivers have the pieces: then who has everything stays for those who lack some.

const (
	// lingerTime is between saying that one leaves and leaving, and after the last leaf that was sent: an
	// uploader that left before it heard of it is noticed within that time.
	lingerTime = 500 * time.Millisecond
	// longestLinger is for those who go on asking though the uploader is there.
	longestLinger = 5 * time.Second
	// idleNeeded is how long a receiver stays that nobody asks for anything.
	idleNeeded = 30 * time.Second
)

// parting is what there is to know for leaving.
type parting struct {
	uploader bool          // is there, and stays
	needed   int           // others that lack something
	far      time.Duration // the longest round trip to one of them
	handed   int           // leaves that are being sent
	served   time.Time
	leaving  time.Time // since when others were told; zero before
}

// stays tells whether a receiver that has everything has a reason to be there.
func (p parting) stays(now time.Time) bool {
	return !p.uploader && p.needed > 0 && (p.handed > 0 || now.Sub(p.served) < idleNeeded)
}

// over tells whether it is time to go for one that has told others that it leaves.
func (p parting) over(now time.Time) bool {
	linger := lingerTime + 2*p.far
	if now.Sub(p.leaving) < linger {
		return false
	}
	return p.handed == 0 && now.Sub(p.served) >= linger || now.Sub(p.leaving) >= linger+longestLinger
}

// leave ends a peer that has everything when nobody needs it.
func (s *swarm) leave(now time.Time) {
	p := parting{handed: s.handed, served: s.servedAt, leaving: s.leavingAt}
	if s.picked != nil {
		p.handed++
	}
	p.uploader, p.needed = s.around()
	for _, l := range s.links {
		p.far = max(p.far, l.rtt)
	}
	switch stays := p.stays(now); {
	case stays && s.leavingAt.IsZero():
	case stays:
		s.announce(time.Time{})
	case s.leavingAt.IsZero():
		s.announce(now)
	case p.over(now):
		s.end(nil)
	}
}

// announce tells others since when this peer is leaving; the zero time takes it back.
func (s *swarm) announce(leavingAt time.Time) {
	s.leavingAt = leavingAt
	if s.sched == nil {
		return
	}
	stat := s.stat()
	for _, l := range s.links {
		s.say(l, stat)
	}
}

// around tells whether the uploader is connected, and how many others are that lack something.
func (s *swarm) around() (uploader bool, needed int) {
	for _, l := range s.links {
		switch {
		case l.dead:
		case l.token.Rights&seal.Uploader != 0:
			uploader = l.stat.State != wire.Leaving
		case l.lacks():
			needed++
		}
	}
	return uploader, needed
}

// nobodyLacks tells whether there are receivers that have what they want, and none that lack something.
func (s *swarm) nobodyLacks() bool {
	some := false
	for _, l := range s.links {
		if l.dead || l.token.Rights&seal.Uploader != 0 {
			continue
		}
		if l.lacks() {
			return false
		}
		some = some || l.complete
	}
	return some
}

// fares takes a peer's word on how it fares.
func (l *link) fares(f wire.Stat, now time.Time) {
	l.stat, l.statAt = f, now
	if f.State != wire.Leaving { // which is said by who has everything and by who has not
		l.complete = f.State == wire.Complete
	}
}

// hasNothing tells whether a peer has said by this link what it has, and has nothing, also of what it was sent. One that
// has said nothing may have all, from an earlier link.
func (l *link) hasNothing() bool {
	return !l.statAt.IsZero() && !l.complete && l.sent == 0 && l.stat.Held == 0
}

// lacks tells whether a peer stays and does not have all that it wants.
func (l *link) lacks() bool { return !l.complete && l.stat.State != wire.Leaving }
