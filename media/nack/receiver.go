package nack

import "time"

// ReceiverConfig bounds what a Receiver asks for. Zero fields get the defaults named here.
type ReceiverConfig struct {
	// Reorder is how long a packet may be missing before it is asked for: 10 ms. Larger
	// values ask in vain less often, and repair later.
	Reorder time.Duration
	// RTT is the round trip to the publisher that is assumed until SetRTT: 100 ms.
	RTT time.Duration
	// MaxAge is how long a packet is asked for at all: 1 s.
	MaxAge time.Duration
	// MaxTries is how often a packet is asked for: 10.
	MaxTries int
	// MaxGap is the number of packets that may go missing at once and still be asked for: 256.
	// A larger gap costs a key frame instead.
	MaxGap int
}

func (c *ReceiverConfig) setDefaults() {
	c.Reorder = orElse(c.Reorder, 10*time.Millisecond)
	c.RTT = orElse(c.RTT, 100*time.Millisecond)
	c.MaxAge = orElse(c.MaxAge, time.Second)
	c.MaxTries = orElse(c.MaxTries, 10)
	c.MaxGap = orElse(c.MaxGap, 256)
}

func orElse[T int | time.Duration](v, def T) T {
	if v <= 0 {
		return def
	}
	return v
}

// minRepeat keeps a tiny round trip (loopback) from asking the same again and again before
// the publisher had its turn on the processor.
const minRepeat = 20 * time.Millisecond

// Observation is what a packet meant for the bookkeeping.
type Observation uint8

// What Observe says.
const (
	// InOrder: the next packet, or one behind a gap that is now being watched.
	InOrder Observation = iota
	// Recovered: a packet that was missing.
	Recovered
	// Stale: a duplicate, or a packet that had been given up.
	Stale
	// GapTooLarge: the packet stands behind more missing packets than are asked for. All that
	// was missing is forgotten; video needs a key frame.
	GapTooLarge
)

type missing struct {
	seq   uint64
	since time.Time
	next  time.Time // when it is asked for
	tries int
}

// Receiver watches one encoding for missing packets. Use NewReceiver.
type Receiver struct {
	cfg     ReceiverConfig
	missing []missing // rising
	highest uint64
	started bool
}

// NewReceiver returns a receiver.
func NewReceiver(cfg ReceiverConfig) *Receiver {
	cfg.setDefaults()
	return &Receiver{cfg: cfg, missing: make([]missing, 0, cfg.MaxGap)}
}

// SetRTT tells the round trip to the publisher; what is missing is asked for again after it.
func (r *Receiver) SetRTT(rtt time.Duration) { r.cfg.RTT = rtt }

// Observe notes the arrival of a packet, by its extended sequence number.
func (r *Receiver) Observe(ext uint64, now time.Time) Observation {
	switch {
	case !r.started:
		r.started, r.highest = true, ext
		return InOrder
	case ext == r.highest+1:
		r.highest = ext
		return InOrder
	case ext > r.highest:
		return r.gap(ext, now)
	}
	for i := range r.missing {
		if r.missing[i].seq == ext {
			r.missing = append(r.missing[:i], r.missing[i+1:]...)
			return Recovered
		}
	}
	return Stale
}

// gap starts to watch everything between the highest number and ext.
func (r *Receiver) gap(ext uint64, now time.Time) Observation {
	first := r.highest + 1
	r.highest = ext
	if ext-first > uint64(r.cfg.MaxGap-len(r.missing)) {
		r.missing = r.missing[:0]
		return GapTooLarge
	}
	for s := first; s < ext; s++ {
		r.missing = append(r.missing, missing{seq: s, since: now, next: now.Add(r.cfg.Reorder)})
	}
	return InOrder
}

// AppendDue appends the numbers to ask for now, in rising order, and tells how many were given
// up: for video that means a key frame is needed.
func (r *Receiver) AppendDue(dst []uint64, now time.Time) (due []uint64, lost int) {
	kept := r.missing[:0]
	for _, m := range r.missing {
		if now.Sub(m.since) >= r.cfg.MaxAge || (m.tries >= r.cfg.MaxTries && !now.Before(m.next)) {
			lost++
			continue
		}
		if !now.Before(m.next) {
			m.tries++
			m.next = now.Add(max(r.cfg.RTT+r.cfg.RTT/4, minRepeat))
			dst = append(dst, m.seq)
		}
		kept = append(kept, m)
	}
	r.missing = kept
	return dst, lost
}

// Deadline returns when AppendDue has something to do next; ok is false while nothing is missing.
func (r *Receiver) Deadline() (at time.Time, ok bool) {
	for _, m := range r.missing {
		t := m.next
		if end := m.since.Add(r.cfg.MaxAge); end.Before(t) {
			t = end
		}
		if !ok || t.Before(at) {
			at, ok = t, true
		}
	}
	return at, ok
}

// Missing returns the number of packets that are being waited for.
func (r *Receiver) Missing() int { return len(r.missing) }
