package sfu

import (
	"time"

	"github.com/fanfare-relay/fanfare/media"
	"github.com/fanfare-relay/fanfare/media/estimate"
)

// hearFirst looks at what the first feedback says of the beginning. Firefox makes its receiver anew some 10 ms
// after the handshake, and what has come until then is lost in it: often just the key frame, of which it knows
// nothing and so asks for no repeat, and all that is behind it is of no use. It wants a key frame at once,
// which alone may also mean that one is still on its way. With the feedback it is sure, and is answered as
// soon as both have come.
func (w *worker) hearFirst(v *viewer, b []byte, now time.Time) {
	first, ok := firstArrived(b)
	if !ok {
		return
	}
	v.heard = true
	for i := range v.tracks {
		t := &v.tracks[i]
		if t.kind != media.KindVideo || t.enc == nil {
			continue
		}
		t.missed = int16(first-t.number) > 0 && int16(v.transportSeq-first) > 0
		if t.missed && t.wanted {
			w.giveKey(v, t, now)
		}
	}
}

// firstArrived is the first packet that a feedback tells the arrival of.
func firstArrived(b []byte) (number uint16, ok bool) {
	statuses, err := estimate.ParseFeedback(b)
	if err != nil {
		return 0, false
	}
	for st, ok := statuses.Next(); ok; st, ok = statuses.Next() {
		if st.Received {
			return st.Seq, true
		}
	}
	return 0, false
}
