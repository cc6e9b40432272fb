package seq

import (
	"errors"
	"time"

	"github.com/fanfare-relay/fanfare/media"
)

// Reasons for which an input packet has no place in the output.
var (
	// ErrOtherSource: the packet is not of the current source.
	ErrOtherSource = errors.New("packet of a source that is not current")
	// ErrBefore: the packet is older than the point where its source was switched on, or older
	// than the history.
	ErrBefore = errors.New("packet is older than the start of its source")
	// ErrDropped: the packet was left out, its number has been given to another.
	ErrDropped = errors.New("packet was left out before")
)

// Source names one encoding of one publisher session. The caller chooses the numbers;
// they only must differ.
type Source uint32

// Start is the point where a source is switched on for a viewer, usually the first packet
// of a key frame.
type Start struct {
	Source Source
	// Seq is the extended input sequence number of the first packet that belongs to the
	// viewer. Later packets may arrive before it.
	Seq uint64
	// Timestamp is the input RTP timestamp of that packet, Out the timestamp that the
	// viewer is to see for it; see Rewriter.TimestampAfter.
	Timestamp, Out uint32
	// Patch holds for the payloads of the source from here on.
	Patch media.Patch
}

// Place is where an input packet goes in the output of one viewer.
type Place struct {
	// Seq is the sequence number to write.
	Seq uint16
	// Ext is Seq, extended to 64 bits; it counts on over every switch.
	Ext uint64
	// TimestampOffset is to be added to the packet's timestamp, modulo 2^32.
	TimestampOffset uint32
	// Patch is to be applied to the packet's payload.
	Patch media.Patch
}

// Origin is where an output packet came from.
type Origin struct {
	Source Source
	// Seq is the extended input sequence number.
	Seq uint64
	// Place is the one that the packet had.
	Place Place
}

// span is a run of input numbers with one distance to the output. A drop or a switch ends
// it. The spans stand in the order of their output numbers, without gaps.
type span struct {
	in, end  uint64 // input numbers [in, end); the current one has no end yet
	out      uint64 // extended output number of in
	tsOffset uint32
	source   Source
	patch    media.Patch
	// follows is set when a drop began this span: the one before it is of the same switch.
	follows bool
}

// DefaultHistory is the number of drops and switches that a Rewriter remembers. At thirty
// frames a second of which every second is left out it covers four seconds; more costs 40
// bytes each and lets older packets be asked for again.
const DefaultHistory = 64

// Rewriter renumbers the packets of one viewer's track. Packets that were left out leave
// no gap, a new source goes on where the old one ended, late packets get the place that
// was kept for them, and output numbers can be traced back for retransmission.
//
// It is owned by the worker that owns the viewer. Use NewRewriter.
type Rewriter struct {
	// What each packet looks at comes first, side by side: with many viewers it lies in cold memory.
	current span   // of the current source
	highIn  uint64 // highest input number placed in, or dropped from, the current source
	highOut uint64 // highest output number given out
	lastTS  uint32 // timestamp written with the highest output number
	started bool

	spans []span // those before the current one: a ring once it has reached limit; first is the oldest
	first int
	limit int // of spans
}

// NewRewriter returns a rewriter whose first output number is start (choose it at random:
// RFC 3550 section 5.1), and that remembers history drops and switches (at least 2;
// 0 means DefaultHistory).
func NewRewriter(start uint16, history int) Rewriter {
	if history <= 0 {
		history = DefaultHistory
	}
	return Rewriter{limit: max(history, 2) - 1, highOut: base + uint64(start) - 1}
}

// Switch makes s.Source current. The output goes on at the number after the last one.
func (r *Rewriter) Switch(s Start) {
	if r.started {
		cur := &r.current
		cur.end = max(cur.in, r.highIn+1)
		r.highOut = max(r.highOut, cur.out+(cur.end-cur.in)-1)
		r.keep()
	}
	r.started = true
	r.highIn = s.Seq - 1
	r.current = span{in: s.Seq, out: r.highOut + 1, tsOffset: s.Out - s.Timestamp, source: s.Source, patch: s.Patch}
}

// Next returns the place of the packet. It may be called again for the same packet.
// The errors are ErrOtherSource, ErrBefore and ErrDropped; none is a fault.
func (r *Rewriter) Next(src Source, ext uint64, ts uint32) (Place, error) {
	s := &r.current
	if !r.started || s.source != src {
		return Place{}, ErrOtherSource
	}
	if ext < s.in {
		return r.late(src, ext)
	}
	r.highIn = max(r.highIn, ext)
	p := s.place(ext)
	if p.Ext > r.highOut {
		r.highOut, r.lastTS = p.Ext, ts+s.tsOffset
	}
	return p, nil
}

// Placed returns the place that a packet of the current source got, without giving it one.
func (r *Rewriter) Placed(src Source, ext uint64) (Place, bool) {
	if !r.started || r.current.source != src || ext > r.highIn {
		return Place{}, false
	}
	if s := &r.current; ext >= s.in {
		return s.place(ext), true
	}
	p, err := r.late(src, ext)
	return p, err == nil
}

// late finds the place of a packet that is older than the newest span.
func (r *Rewriter) late(src Source, ext uint64) (Place, error) {
	for i := len(r.spans) - 1; i >= 0; i-- {
		s := r.at(i)
		switch {
		case s.source != src:
			return Place{}, ErrBefore
		case ext >= s.end:
			return Place{}, ErrDropped
		case ext >= s.in:
			return s.place(ext), nil
		}
	}
	return Place{}, ErrBefore
}

// Drop leaves the packet out; patch holds for the packets after it. A packet that comes
// late has a number already, which then stays unused. It tells whether the numbers closed up.
func (r *Rewriter) Drop(src Source, ext uint64, patch media.Patch) bool {
	s := &r.current
	if !r.started || s.source != src || ext <= r.highIn {
		return false
	}
	if ext == s.in && s.follows { // nothing lies between this drop and the last: widen that
		s.in, s.patch, r.highIn = ext+1, patch, ext
		return true
	}
	s.end, r.highIn = ext, ext
	r.keep()
	r.current = span{
		in: ext + 1, out: s.out + (ext - s.in), tsOffset: s.tsOffset,
		source: src, patch: patch, follows: true,
	}
	return true
}

// Origin finds out which input packet was sent as seq, taking the newest such. It is false
// for numbers not given out, or older than the history.
func (r *Rewriter) Origin(seq uint16) (Origin, bool) {
	if !r.started {
		return Origin{}, false
	}
	out := r.highOut - uint64(uint16(r.highOut)-seq)
	s := &r.current
	for i := len(r.spans) - 1; out < s.out; i-- {
		if i < 0 {
			return Origin{}, false
		}
		s = r.at(i)
	}
	in := s.in + (out - s.out)
	return Origin{Source: s.source, Seq: in, Place: s.place(in)}, true
}

// TimestampAfter returns the output timestamp that lies elapsed after the newest packet
// that was sent, in units of clockRate (Hz), and at least one unit.
func (r *Rewriter) TimestampAfter(elapsed time.Duration, clockRate uint32) uint32 {
	units := int64(elapsed) / int64(time.Second) * int64(clockRate)
	units += int64(elapsed) % int64(time.Second) * int64(clockRate) / int64(time.Second)
	return r.lastTS + uint32(max(units, 1))
}

// Source returns the current source; ok is false before the first Switch.
func (r *Rewriter) Source() (src Source, ok bool) {
	if !r.started {
		return 0, false
	}
	return r.current.source, true
}

// TimestampOffset returns what is added to the timestamps of the current source; sender
// reports need it.
func (r *Rewriter) TimestampOffset() uint32 {
	if !r.started {
		return 0
	}
	return r.current.tsOffset
}

// Highest returns the highest extended output number and its timestamp; ok is false before
// the first packet.
func (r *Rewriter) Highest() (ext uint64, ts uint32, ok bool) {
	oldest := &r.current
	if len(r.spans) > 0 {
		oldest = r.at(0)
	}
	return r.highOut, r.lastTS, r.started && r.highOut >= oldest.out
}

func (s *span) place(ext uint64) Place {
	out := s.out + (ext - s.in)
	return Place{Seq: uint16(out), Ext: out, TimestampOffset: s.tsOffset, Patch: s.patch}
}

// at returns the i-th span from the oldest of those before the current one.
func (r *Rewriter) at(i int) *span {
	i += r.first
	if i >= len(r.spans) {
		i -= len(r.spans)
	}
	return &r.spans[i]
}

// keep puts the current span with those before it; another is about to take its place.
func (r *Rewriter) keep() {
	if len(r.spans) < r.limit {
		r.spans = append(r.spans, r.current)
		return
	}
	r.spans[r.first] = r.current
	r.first = (r.first + 1) % len(r.spans)
}
