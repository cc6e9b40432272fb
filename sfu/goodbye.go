package sfu

import (
	"time"

	"github.com/fanfare-relay/fanfare/sfu/lite"
)

// hear notes a datagram of the publisher's.
func (p *publisher) hear(b []byte, now time.Time) {
	p.heard.Store(now.UnixNano())
	p.srtp.hear(b)
	if lite.IsSealedAlert(b) {
		p.alerted.Store(now.UnixNano())
		p.poke()
	}
}

const (
	// goodbyeSilence is longer than pion lets a silent publisher alone: it looks every
	// iceKeepAlive, and checks one that has been silent for as long. A publisher who is still there
	// answers. Shorter would let viewers hear sooner that nobody is there.
	goodbyeSilence = 2*iceKeepAlive + time.Second
	// goodbyeTrail is how long datagrams that were sent before an alert may come after it.
	goodbyeTrail = time.Second
)

// goodbye decides when a session has ended that may have said so: a browser whose tab is closed
// sends an alert and nothing after it. pion keeps quiet about alerts and the keys to itself, so
// one is a hint only, and what counts is the silence behind it. ICE alone takes half a minute.
func goodbye(alerted, heard time.Time) (at time.Time, ok bool) {
	if alerted.IsZero() || heard.Sub(alerted) > goodbyeTrail {
		return time.Time{}, false
	}
	return heard.Add(goodbyeSilence), true
}
