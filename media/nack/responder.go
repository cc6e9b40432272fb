package nack

import "time"

// ResponderConfig bounds what one viewer gets again. Zero fields get the defaults named here.
type ResponderConfig struct {
	// RTT is the round trip to the viewer that is assumed until SetRTT: 50 ms. A packet is sent
	// again once in that time.
	RTT time.Duration
	// MaxAge is the age from which a packet is of no use to the viewer any more: 2 s.
	MaxAge time.Duration
	// Window and Budget bound the bytes sent again: Budget bytes (256 KiB) in each Window
	// (1 s). A lossy viewer that asks for more gets a key frame sooner than the backlog.
	Window time.Duration
	Budget int
	// Requests is how many packets are looked up in each Window, whatever becomes of them: 4,096,
	// the whole history of a track. A viewer who asks for more asks without need.
	Requests int
}

func (c *ResponderConfig) setDefaults() {
	c.RTT = orElse(c.RTT, 50*time.Millisecond)
	c.MaxAge = orElse(c.MaxAge, 2*time.Second)
	c.Window = orElse(c.Window, time.Second)
	c.Budget = orElse(c.Budget, 256<<10)
	c.Requests = orElse(c.Requests, 4096)
}

// Verdict is the answer to one request for a packet.
type Verdict uint8

// The verdicts.
const (
	// Resend: send it.
	Resend Verdict = iota
	// TooSoon: it was sent again less than a round trip ago and may still arrive.
	TooSoon
	// TooLate: it is older than the viewer can use.
	TooLate
	// OverBudget: the viewer has had its share of this window.
	OverBudget
)

// String returns the verdict as a metric label.
func (v Verdict) String() string {
	switch v {
	case Resend:
		return "resend"
	case TooSoon:
		return "too_soon"
	case TooLate:
		return "too_late"
	default:
		return "over_budget"
	}
}

// remembered is the number of packets whose last resending is remembered; more requests
// within one round trip are answered twice at worst. It costs 24 bytes each, for viewers
// that have asked at all.
const remembered = 128

type resent struct {
	seq uint64
	at  time.Time
}

// Responder decides for one track of one viewer. Use NewResponder.
type Responder struct {
	cfg    ResponderConfig
	resent []resent // by seq modulo remembered; made with the first request
	start  time.Time
	spent  int
	asked  int // in this window
}

// NewResponder returns a responder.
func NewResponder(cfg ResponderConfig) Responder {
	cfg.setDefaults()
	return Responder{cfg: cfg}
}

// SetRTT tells the round trip to the viewer.
func (r *Responder) SetRTT(rtt time.Duration) {
	if rtt > 0 {
		r.cfg.RTT = rtt
	}
}

// SetBudget changes the bytes that may be sent again in each window, from now on: no more than
// the line has room for.
func (r *Responder) SetBudget(bytes int) { r.cfg.Budget = bytes }

// Asked tells whether the viewer has ever asked for a packet.
func (r *Responder) Asked() bool { return !r.start.IsZero() }

// Admit tells how many of n packets that are asked for at now may be looked up. The others are
// OverBudget.
func (r *Responder) Admit(n int, now time.Time) int {
	r.turn(now)
	n = min(n, r.cfg.Requests-r.asked)
	r.asked += n
	return n
}

// turn begins a new window when the last one is over.
func (r *Responder) turn(now time.Time) {
	if r.start.IsZero() || now.Sub(r.start) >= r.cfg.Window {
		r.start, r.spent, r.asked = now, 0, 0
	}
}

// Decide judges a request for the packet with the extended output number ext
// (seq.Origin.Place.Ext), of size bytes, that came from the publisher at arrival. With Resend
// the packet counts as sent again at now.
func (r *Responder) Decide(ext uint64, size int, arrival, now time.Time) Verdict {
	if now.Sub(arrival) > r.cfg.MaxAge {
		return TooLate
	}
	if r.resent == nil {
		r.resent = make([]resent, remembered)
	}
	slot := &r.resent[ext%remembered]
	if slot.seq == ext && !slot.at.IsZero() && now.Sub(slot.at) < r.cfg.RTT {
		return TooSoon
	}
	r.turn(now)
	if r.spent+size > r.cfg.Budget {
		return OverBudget
	}
	r.spent += size
	*slot = resent{seq: ext, at: now}
	return Resend
}
