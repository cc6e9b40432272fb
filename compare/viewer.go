package compare

import (
	"errors"
	"maps"
	"math/bits"
	"net"
	"slices"
	"sync"
	"time"

	"github.com/pion/rtcp"
	"github.com/pion/rtp"
	"github.com/pion/webrtc/v3"

	"github.com/fanfare-relay/fanfare/compare/emulate"
	"github.com/fanfare-relay/fanfare/compare/experiment"
	"github.com/fanfare-relay/fanfare/compare/report"
	"github.com/fanfare-relay/fanfare/media/nack"
	"github.com/fanfare-relay/fanfare/media/seq"
	"github.com/fanfare-relay/fanfare/signalling/overlay"
)

// viewer is one machine that watches, and passes on when it is told to.
type viewer struct {
	id    string
	host  *emulate.Host
	came  time.Time
	track *webrtc.TrackLocalStaticRTP // to those below it
	rtt   time.Duration
	asks  bool // for what was lost

	// Guarded by the stage's mu: legs from the server, made or being made; and when it first had a whole frame by another way.
	served int
	direct time.Time

	mu     sync.Mutex
	legs   map[overlay.Source]*connection
	frames map[uint32]*arrival
	first  time.Time // its first whole frame
	heard  time.Time // its newest packet
	left   time.Time
}

// arrival is what has come of a frame. When it was made is known from its source and not from the packets, whose times are those of a
// clock that may be set meanwhile.
type arrival struct {
	parts uint64 // which
	whole time.Time
}

func newViewer(id string, host *emulate.Host, p experiment.Point, now time.Time) (*viewer, error) {
	track, err := newTrack(id)
	return &viewer{
		id: id, host: host, came: now, heard: now, track: track, rtt: roundTrip(p), asks: p.Repair,
		legs: map[overlay.Source]*connection{}, frames: map[uint32]*arrival{},
	}, err
}

// receive reads one track until its connection ends; ready is called with its first whole frame.
func (v *viewer) receive(c *connection, t *webrtc.TrackRemote, ready func()) {
	a := asker{ssrc: uint32(t.SSRC()), lost: nack.NewReceiver(nack.ReceiverConfig{RTT: max(v.rtt, 20*time.Millisecond)})}
	seen := map[uint32]uint64{}
	buf := make([]byte, 2048)
	for {
		n, _, err := t.Read(buf)
		now := time.Now()
		var timeout net.Error // pion's own
		late := errors.As(err, &timeout) && timeout.Timeout()
		if err != nil && !late {
			return
		}
		if !late {
			var p rtp.Packet
			if p.Unmarshal(append([]byte(nil), buf[:n]...)) == nil {
				a.observe(p.SequenceNumber, now)
				if at, ok := readPart(p.Payload); ok {
					v.note(at, p.Payload, now)
					if ready != nil {
						seen[at.frame] |= 1 << at.index
						if bits.OnesCount64(seen[at.frame]) == at.parts {
							ready()
							ready, seen = nil, nil
						}
					}
				}
			}
		}
		if ask := a.due(now); len(ask) > 0 && v.asks {
			_ = c.WriteRTCP(ask) // a connection that has ended is noticed by Read
		}
		_ = t.SetReadDeadline(a.deadline())
	}
}

// note takes a part: what is new is passed on.
func (v *viewer) note(at part, payload []byte, now time.Time) {
	v.mu.Lock()
	f := v.frames[at.frame]
	if f == nil {
		f = &arrival{}
		v.frames[at.frame] = f
	}
	isNew := f.parts>>at.index&1 == 0
	f.parts |= 1 << at.index
	v.heard = now
	if isNew && bits.OnesCount64(f.parts) == at.parts {
		f.whole = now
		if v.first.IsZero() {
			v.first = now
		}
	}
	v.mu.Unlock()
	if isNew {
		_ = v.track.WriteRTP(at.packet(payload)) // to nobody when nobody is below it
	}
}

// asker asks for what is missing on one track.
type asker struct {
	ssrc uint32
	ext  seq.Extender
	lost *nack.Receiver
}

func (a *asker) observe(number uint16, now time.Time) { a.lost.Observe(a.ext.Extend(number), now) }

func (a *asker) due(now time.Time) []rtcp.Packet {
	due, _ := a.lost.AppendDue(nil, now)
	if len(due) == 0 {
		return nil
	}
	return []rtcp.Packet{&rtcp.TransportLayerNack{MediaSSRC: a.ssrc, Nacks: nack.AppendPairs(nil, due)}}
}

// deadline is when due may have something; the zero time for never.
func (a *asker) deadline() time.Time {
	at, _ := a.lost.Deadline()
	return at
}

// result is what came of the frames that were made between two moments while the viewer was there.
func (v *viewer) result(from, to time.Time, made []frame) report.Viewer {
	v.mu.Lock()
	defer v.mu.Unlock()
	r := report.Viewer{ID: v.id, LatencyMS: []float64{}}
	if !v.first.IsZero() {
		r.JoinMS = milliseconds(v.first.Sub(v.came))
	}
	from, to = v.watched(from, to)
	var came []time.Time
	for _, f := range made {
		a := v.frames[f.number]
		whole := a != nil && !a.whole.IsZero()
		if whole && a.whole.After(from) {
			came = append(came, a.whole) // of those that were made before or after, too: the picture moves by them
		}
		if f.made.Before(from) || !f.made.Before(to) {
			continue
		}
		r.Frames++
		r.Packets += f.parts
		if a != nil {
			r.Received += bits.OnesCount64(a.parts)
		}
		if whole {
			r.WholeFrames++
			r.LatencyMS = append(r.LatencyMS, milliseconds(a.whole.Sub(f.made)))
		}
	}
	r.GapMS = milliseconds(longestGap(from, to, came))
	return r
}

// watched is the part of a window in which a viewer watched: whoever comes in it does from its first frame on, and of whoever leaves
// what was under way is not lost. It is empty for who came and had nothing. The caller holds mu.
func (v *viewer) watched(from, to time.Time) (begin, end time.Time) {
	if v.came.After(from) {
		if from = v.first; from.IsZero() {
			return to, to
		}
	}
	if !v.left.IsZero() && v.left.Before(to) {
		to = v.left.Add(-2*v.rtt - 100*time.Millisecond)
	}
	return from, to
}

// missing is how many parts have not come of what was made in a window, and may yet come.
func (v *viewer) missing(from, to time.Time, made []frame) (n int) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if !v.left.IsZero() {
		return 0
	}
	from, to = v.watched(from, to)
	for _, f := range made {
		if f.made.Before(from) || !f.made.Before(to) {
			continue
		}
		n += f.parts
		if a := v.frames[f.number]; a != nil {
			n -= bits.OnesCount64(a.parts)
		}
	}
	return n
}

// longestGap is the longest time without a new frame that begins in a window; what ends it may have come after that.
func longestGap(from, to time.Time, came []time.Time) (longest time.Duration) {
	slices.SortFunc(came, time.Time.Compare)
	last := from
	for _, at := range came {
		if !last.Before(to) {
			return longest
		}
		longest = max(longest, at.Sub(last))
		last = at
	}
	return max(longest, to.Sub(last))
}

// leave ends all its connections.
func (v *viewer) leave(now time.Time) {
	v.mu.Lock()
	v.left = now
	legs := slices.Collect(maps.Values(v.legs))
	clear(v.legs)
	v.mu.Unlock()
	for _, c := range legs {
		c.close()
	}
}

// milliseconds are rounded to what the clock is worth.
func milliseconds(d time.Duration) float64 { return float64(d.Round(10*time.Microsecond)) / 1e6 }
