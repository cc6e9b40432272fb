package sfu

import (
	"time"

	"github.com/fanfare-relay/fanfare/media"
	"github.com/fanfare-relay/fanfare/media/estimate"
	"github.com/fanfare-relay/fanfare/media/pace"
)

// probing is a burst of repeats that is on its way to a viewer, to find out whether its line
// carries more (estimate.Probe).
type probing struct {
	packets, bytes int // still to be sent
	bucket         pace.Bucket
	next           time.Time // when to go on
}

func (p *probing) active() bool { return p.packets > 0 || p.bytes > 0 }

// newProbing begins what the estimator wants. current is what is being sent anyway.
func newProbing(p estimate.Probe, current media.Bitrate, now time.Time) probing {
	return probing{
		packets: p.Packets, bytes: p.Bytes, next: now,
		bucket: pace.NewBucket(max(p.Rate-current, p.Rate/4), probeAtOnce),
	}
}

const (
	// probeAtOnce is the part of a probe that leaves in one piece, in bytes.
	probeAtOnce = 2500
	// probeReach is how many of the newest packets are looked at for one to repeat.
	probeReach = 16
)

// lineDeadline is when probe has something to do.
func (v *viewer) lineDeadline() (time.Time, bool) {
	if !v.connected || !v.estimates {
		return time.Time{}, false
	}
	if v.probing.active() {
		return v.probing.next, true
	}
	return v.estimator.Deadline()
}

// probe begins a probe when one is wanted, and goes on with the one that has begun.
func (w *worker) probe(v *viewer, now time.Time) {
	if !v.estimates {
		return
	}
	t := v.picture()
	if wanted, ok := v.estimator.Probe(now); ok {
		v.probing = newProbing(wanted, v.sending(), now)
	}
	p := &v.probing
	for p.active() && !p.next.After(now) {
		n := 0
		if t != nil {
			n = w.repeatNewest(v, t, p.packets, now)
		}
		if n == 0 {
			*p = probing{} // nothing to repeat: the estimator gives it up by itself
			return
		}
		p.packets, p.bytes = max(p.packets-1, 0), max(p.bytes-n, 0)
		p.bucket.Take(n, now)
		p.next = p.bucket.Deadline(n)
	}
}

// picture is the viewer's video track, or nil.
func (v *viewer) picture() *egress {
	for i := range v.tracks {
		if v.tracks[i].kind == media.KindVideo {
			return &v.tracks[i]
		}
	}
	return nil
}

// sending is about what the viewer is sent.
func (v *viewer) sending() media.Bitrate {
	rung, _ := v.selector.Current()
	return rung.Bitrate + soundRate
}

// repeatNewest sends one of the newest packets again by RTX, and returns its bytes; 0 when there is
// none that can be repeated. The receiver throws it away, and tells when it came.
func (w *worker) repeatNewest(v *viewer, t *egress, skip int, now time.Time) int {
	if t.enc == nil || t.rtx == 0 || t.own.transport == 0 {
		return 0
	}
	for i := range uint64(probeReach) {
		back := 1 + (uint64(skip)+i)%probeReach
		if back > t.pos {
			continue
		}
		p, err := t.enc.ring.At(t.pos - back)
		if err != nil || len(p.Payload) == 0 {
			continue
		}
		f, ok := t.formatFor(t.enc, p.PayloadType)
		if !ok || f.rtx == 0 || !f.numbered() {
			continue
		}
		place, ok := t.rewriter.Placed(t.enc.source, p.ExtSeq)
		if ok && w.sendRTX(v, t, &t.feed, p, f, place, now) {
			w.tally.Probes++
			return len(p.Payload)
		}
	}
	return 0
}
