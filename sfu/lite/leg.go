package lite

import (
	"time"

	"github.com/fanfare-relay/fanfare/media"
)

// Times and limits of a leg.
const (
	// DefaultConnectTimeout is how long a leg may take to connect.
	DefaultConnectTimeout = 15 * time.Second
	// DefaultConsentTimeout is how long an address is trusted without an authentic
	// check (RFC 7675 section 5.1) or report.
	DefaultConsentTimeout = 30 * time.Second
	// MaxAddresses is how many addresses of the peer a leg knows at once.
	MaxAddresses = 8
)

// Config describes a leg. Strings are copied, so that they may be parts of an offer.
type Config struct {
	// Local are our ICE credentials, as in our answer. The ufrag must be unique among
	// the legs of one socket.
	Local Credentials
	// Remote are the peer's, from its offer.
	Remote Credentials
	// ConnectTimeout and ConsentTimeout are used in place of the defaults when not 0.
	ConnectTimeout, ConsentTimeout time.Duration
	// Repeats are our sources whose packets SealAgain may send again, for a peer that takes no
	// RTX. Each costs 8 KiB once connected.
	Repeats []media.SSRC
}

// state is where a leg is in its life.
type state uint8

const (
	stateNew         state = iota // no handshake is running
	stateHandshaking              // one is
	stateConnected
	stateClosed
)

// Leg is one viewer's connection. Make it with New; the zero value is of no use. A leg
// belongs to one goroutine.
type Leg struct {
	// What every packet looks at comes first; see Memory.
	state state
	srtp  *srtpSession // nil before the leg is connected

	nominated bool  // the peer has nominated at least once
	attempts  uint8 // handshakes that failed

	current credentialPair
	former  *credentialPair // of before an ICE restart, until the next nomination

	addresses []address // those that passed a check
	media     Path      // where media goes, or will go
	probe     *probe    // nil until one was sent

	deadline time.Time // to connect
	consent  time.Duration
	repeats  []media.SSRC

	dtls *afterHandshake // nil before the leg is connected
}

// New makes a leg for an accepted offer at the time now.
func New(cfg Config, now time.Time) *Leg {
	connect, consent := cfg.ConnectTimeout, cfg.ConsentTimeout
	if connect == 0 {
		connect = DefaultConnectTimeout
	}
	if consent == 0 {
		consent = DefaultConsentTimeout
	}
	return &Leg{
		current:  credentialPair{local: cfg.Local.clone(), remote: cfg.Remote.clone()},
		deadline: now.Add(connect),
		consent:  consent,
		repeats:  cfg.Repeats,
	}
}

// Receive takes one datagram from the peer, of any kind. b is not kept and not changed.
// It returns why the datagram was thrown away, or DropNone; nothing in b is fatal.
func (l *Leg) Receive(b []byte, from Path, now time.Time, out *Out) DropReason {
	if l.state == stateClosed {
		return DropClosed
	}
	from = unmapped(from)
	switch Classify(b) {
	case KindSTUN:
		return l.receiveSTUN(b, from, now, out)
	case KindDTLS:
		return l.receiveDTLS(b, from, now, out)
	case KindRTCP:
		return l.receiveRTCP(b, from, now, out)
	case KindRTP:
		return DropRTP
	}
	return DropUnknown
}

// Reason says what happens at a deadline.
type Reason uint8

// The reasons of deadlines.
const (
	// ReasonConnect: the leg ends because it never connected.
	ReasonConnect Reason = iota + 1
	// ReasonConsent: an address is forgotten because nothing authentic came from it; the leg
	// ends with its last address.
	ReasonConsent
)

// Deadline returns when Advance must be called at the latest, and what happens then.
// It is false when the leg has ended. It changes with every check: a caller that
// keeps timers may let an old one run out and ask again then.
func (l *Leg) Deadline() (time.Time, Reason, bool) {
	switch l.state {
	case stateClosed:
		return time.Time{}, 0, false
	case stateConnected:
		oldest := l.addresses[0].heard
		for _, a := range l.addresses[1:] {
			if a.heard.Before(oldest) {
				oldest = a.heard
			}
		}
		return oldest.Add(l.consent), ReasonConsent, true
	}
	return l.deadline, ReasonConnect, true
}

// Advance does what is due at now. Calling it early does no harm.
func (l *Leg) Advance(now time.Time, out *Out) {
	switch l.state {
	case stateNew, stateHandshaking:
		if !now.Before(l.deadline) {
			l.end(media.CloseUnfinished, out)
		}
	case stateConnected:
		l.expire(now, out)
	}
}

// expire forgets addresses without consent; the last one takes the leg with it.
func (l *Leg) expire(now time.Time, out *Out) {
	for i := len(l.addresses) - 1; i >= 0; i-- {
		switch {
		case now.Sub(l.addresses[i].heard) < l.consent:
		case len(l.addresses) == 1:
			l.end(media.CloseTimeout, out)
			return
		default:
			l.forget(i, out)
		}
	}
}

// Restart begins an ICE restart (RFC 8445 section 9): checks with the new credentials
// are taken from now on. Those of before stay valid until the peer nominates a path
// under the new ones, or until another restart; then EventUfragGone tells the old local
// ufrag. Media is not interrupted.
func (l *Leg) Restart(local, remote Credentials, out *Out) {
	if l.state == stateClosed {
		return
	}
	if l.former != nil {
		out.event(Event{Kind: EventUfragGone, Ufrag: l.former.local.Ufrag})
	}
	former := l.current
	l.former = &former
	l.current = credentialPair{local: local.clone(), remote: remote.clone()}
}

// Close ends the leg on our side: out gets the close_notify when there is one, and
// EventClosed with reason. Closing twice does nothing.
func (l *Leg) Close(reason media.CloseReason, out *Out) {
	if l.state == stateConnected {
		out.send(out.keep(l.dtls.closeNotify), l.media)
	}
	l.end(reason, out)
}

// end is Close without telling the peer. Keys go at once.
func (l *Leg) end(reason media.CloseReason, out *Out) {
	if l.state == stateClosed {
		return
	}
	l.state = stateClosed
	l.srtp, l.dtls, l.addresses, l.probe = nil, nil, nil, nil
	out.event(Event{Kind: EventClosed, Close: reason})
}

// Closed tells whether the leg has ended.
func (l *Leg) Closed() bool { return l.state == stateClosed }

// Connected tells whether the keys are there and the leg has not ended.
func (l *Leg) Connected() bool { return l.state == stateConnected }

// Path is where media goes; false before the leg is connected and after it ended.
func (l *Leg) Path() (Path, bool) { return l.media, l.state == stateConnected }

// Profile is the SRTP profile of a connected leg, else 0.
func (l *Leg) Profile() Profile {
	if l.srtp == nil {
		return 0
	}
	return l.srtp.profile
}
