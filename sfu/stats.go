package sfu

import (
	"cmp"
	"slices"
	"sync/atomic"

	"github.com/fanfare-relay/fanfare/media"
	"github.com/fanfare-relay/fanfare/media/nack"
	"github.com/fanfare-relay/fanfare/sfu/lite"
)

// Counts are running totals, of one stream or of the whole relay.
type Counts struct {
	PacketsIn, BytesIn   uint64 // RTP packets of publishers and their payload bytes
	PacketsOut, BytesOut uint64 // RTP packets to viewers, repeats included, and their datagrams' bytes
	NACKsSent            uint64 // packets that publishers were asked for again
	RTXReceived          uint64 // repeats that came from publishers
	NACKsReceived        uint64 // packets that viewers asked for again
	RTXSent              uint64 // repeats that viewers got
	PLIsReceived         uint64 // key frames that viewers asked for (PLI and FIR)
	PLIsSent             uint64 // key frames that publishers were asked for
	Redundant            uint64 // packets of sound that carried the one before once more
	Parity               uint64 // parity packets that viewers got
	Probes               uint64 // repeats that nobody asked for, to measure lines
	RTCPIgnored          uint64 // packets of viewers' RTCP that mean nothing here
	KeyFrames            uint64 // that publishers sent
}

// StreamStats describes one stream.
type StreamStats struct {
	Counts
	Live    bool // a publisher's session is connected
	Viewers int  // sessions of viewers, connected or not
}

// Stats is a snapshot for metrics and tests.
type Stats struct {
	Counts
	// Sending is about the way from workers to the socket.
	Sending Sending
	Streams map[string]StreamStats
	// Publishers and Viewers count connected sessions, Unfinished those that were
	// answered and have not connected yet.
	Publishers, Viewers, Unfinished int
	// HandshakesDone and HandshakesFailed count viewers' DTLS handshakes.
	HandshakesDone, HandshakesFailed uint64
	// BindingAnswers counts answers to plain STUN Binding requests.
	BindingAnswers uint64
	// Drops counts packets that were not forwarded; LegDrops datagrams that a viewer's leg
	// threw away; NACKsRefused packets that a viewer asked for again and did not get.
	Drops        map[DropReason]uint64
	LegDrops     map[lite.DropReason]uint64
	NACKsRefused map[nack.Verdict]uint64
}

// verdicts is the number of verdicts of nack.Responder.
const verdicts = int(nack.OverBudget) + 1

// tally is what one goroutine counts between two flushes, without atomics.
type tally struct {
	Counts
	drops    [dropReasons]uint64
	legDrops [lite.NumDropReasons]uint64
	refused  [verdicts]uint64
	dirty    bool
}

func (t *tally) drop(r DropReason) {
	t.drops[r]++
	t.dirty = true
}

// counters are totals that any goroutine may add to and read. The fields of the tally
// stand in one array, so that a flush is one loop.
type counters struct {
	counts   [countFields]atomic.Uint64
	drops    [dropReasons]atomic.Uint64
	legDrops [lite.NumDropReasons]atomic.Uint64
	refused  [verdicts]atomic.Uint64
}

const countFields = 15

func (c *Counts) fields() [countFields]*uint64 {
	return [countFields]*uint64{
		&c.PacketsIn, &c.BytesIn, &c.PacketsOut, &c.BytesOut, &c.NACKsSent, &c.RTXReceived,
		&c.NACKsReceived, &c.RTXSent, &c.PLIsReceived, &c.PLIsSent, &c.Parity, &c.Probes, &c.Redundant, &c.RTCPIgnored, &c.KeyFrames,
	}
}

// flush adds the tally to all of the counters and empties it.
func (t *tally) flush(to ...*counters) {
	if !t.dirty {
		return
	}
	for _, c := range to {
		for i, f := range t.fields() {
			addTo(&c.counts[i], *f)
		}
		for i, n := range t.drops {
			addTo(&c.drops[i], n)
		}
		for i, n := range t.legDrops {
			addTo(&c.legDrops[i], n)
		}
		for i, n := range t.refused {
			addTo(&c.refused[i], n)
		}
	}
	*t = tally{}
}

func addTo(a *atomic.Uint64, n uint64) {
	if n != 0 {
		a.Add(n)
	}
}

func (c *counters) drop(r DropReason) { c.drops[r].Add(1) }

func (c *counters) snapshot() Counts {
	var out Counts
	for i, f := range out.fields() {
		*f = c.counts[i].Load()
	}
	return out
}

// dropped lists what was thrown away, in order of the reasons' names.
func (c *counters) dropped() []media.Dropped {
	var list []media.Dropped
	add := func(reason string, n uint64) {
		if n > 0 {
			list = append(list, media.Dropped{Reason: reason, Packets: n})
		}
	}
	for i := range c.drops {
		add(DropReason(i).String(), c.drops[i].Load())
	}
	for i := lite.DropNone + 1; i < lite.NumDropReasons; i++ {
		add(i.String(), c.legDrops[i].Load())
	}
	slices.SortFunc(list, func(a, b media.Dropped) int { return cmp.Compare(a.Reason, b.Reason) })
	return list
}

// Relaying tells what was done with a stream. It reads counters only and holds up no packet.
func (s *SFU) Relaying(name string) media.Relaying {
	sending := s.sending.snapshot()
	r := media.Relaying{
		Datagrams: sending.Sent, Messages: sending.Messages, Calls: sending.Calls, Delays: sending.Delays[:],
	}
	s.mu.Lock()
	st := s.streams[name]
	s.mu.Unlock()
	if st != nil {
		counts := st.counters.snapshot()
		r.In, r.Out, r.Repeats, r.Dropped = counts.PacketsIn, counts.PacketsOut, counts.RTXSent, st.counters.dropped()
	}
	return r
}

// Stats returns a snapshot. It reads counters only and holds up no packet.
func (s *SFU) Stats() Stats {
	st := Stats{
		Counts: s.total.snapshot(), Streams: map[string]StreamStats{},
		HandshakesDone: s.handshakesDone.Load(), HandshakesFailed: s.handshakesFailed.Load(),
		BindingAnswers: s.bindingAnswers.Load(), Sending: s.sending.snapshot(),
		Drops:        map[DropReason]uint64{},
		LegDrops:     map[lite.DropReason]uint64{},
		NACKsRefused: map[nack.Verdict]uint64{},
	}
	for i := range s.total.drops {
		st.Drops[DropReason(i)] = s.total.drops[i].Load()
	}
	for i := lite.DropNone + 1; i < lite.NumDropReasons; i++ {
		st.LegDrops[i] = s.total.legDrops[i].Load()
	}
	for i := nack.Resend + 1; int(i) < verdicts; i++ {
		st.NACKsRefused[i] = s.total.refused[i].Load()
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	st.Publishers, st.Viewers, st.Unfinished = s.connected[0], s.connected[1], s.unfinished
	for name, stream := range s.streams {
		pub := stream.pub.Load()
		st.Streams[name] = StreamStats{
			Counts: stream.counters.snapshot(), Viewers: stream.viewers,
			Live: pub != nil && pub.connected.Load(),
		}
	}
	return st
}
