package crowd

import "time"

// Limits of a flow.
const (
	// maxJump is the gap that counts as another beginning instead of a loss (MAX_DROPOUT, RFC 3550 appendix A.1).
	maxJump = 3000
	// maxMissing bounds what is waited for; the oldest is given up for the newest.
	maxMissing = 512
	// giveUp is how long a packet is waited for. A browser shows the next picture by then.
	giveUp = time.Second
	// askAgain is the time from one request for a packet to the next, and maxAsks how many there are (as in browsers).
	askAgain = 50 * time.Millisecond
	maxAsks  = 10
	// settled is how long a packet must have been missing to count as lost in figures taken meanwhile.
	settled = 500 * time.Millisecond
)

// flow keeps account of one source's sequence numbers: what was to come, what came, what is missing.
// The zero value is ready.
type flow struct {
	started bool
	ssrc    uint32
	begin   uint64 // extended number of the first packet
	highest uint64
	before  uint64 // expected in flows that ended by a jump

	received   uint64 // distinct packets
	late       uint64 // of those, that came after having been missed
	duplicates uint64
	lost       uint64 // given up
	asked      uint64 // numbers asked for
	missing    []gap  // in order

	// The interarrival jitter of RFC 3550 appendix A.8, in units of the clock times 16, and what the last report said.
	jitter       uint32
	transit      uint32
	lastExpected uint64
	lastReceived uint64
}

type gap struct {
	seq   uint64
	since time.Time
	next  time.Time // when to ask
	asks  uint8
}

// arrival is what a packet was to its flow.
type arrival uint8

const (
	fresh     arrival = iota // the newest so far
	filled                   // had been missing
	duplicate                // had come before, or had been given up
)

// add notes a packet of the flow.
func (f *flow) add(seq uint16, now time.Time) arrival {
	if !f.started {
		f.start(seq)
		return fresh
	}
	delta := int64(int16(seq - uint16(f.highest)))
	if delta >= maxJump || delta <= -maxJump {
		f.lost += uint64(len(f.missing))
		f.before += f.highest - f.begin + 1
		f.missing = f.missing[:0]
		f.start(seq)
		return fresh
	}
	if delta <= 0 {
		return f.fill(uint64(int64(f.highest) + delta))
	}
	for i := int64(1); i < delta; i++ {
		f.miss(f.highest+uint64(i), now)
	}
	f.highest += uint64(delta)
	f.received++
	return fresh
}

// start begins at a number. Extended numbers begin high enough that none before them is negative.
func (f *flow) start(seq uint16) {
	f.started = true
	f.begin = 1<<16 | uint64(seq)
	f.highest = f.begin
	f.received++
}

func (f *flow) miss(seq uint64, now time.Time) {
	if len(f.missing) == maxMissing {
		f.missing = append(f.missing[:0], f.missing[1:]...)
		f.lost++
	}
	f.missing = append(f.missing, gap{seq: seq, since: now, next: now})
}

func (f *flow) fill(seq uint64) arrival {
	for i := range f.missing {
		if f.missing[i].seq == seq {
			f.missing = append(f.missing[:i], f.missing[i+1:]...)
			f.received++
			f.late++
			return filled
		}
	}
	f.duplicates++
	return duplicate
}

// asks appends the numbers to ask for now, and gives up those that are too old.
func (f *flow) asks(now time.Time, list []uint16) []uint16 {
	old := 0
	for old < len(f.missing) && now.Sub(f.missing[old].since) >= giveUp {
		old++
	}
	f.lost += uint64(old)
	f.missing = append(f.missing[:0], f.missing[old:]...)
	for i := range f.missing {
		g := &f.missing[i]
		if g.asks == maxAsks || now.Before(g.next) {
			continue
		}
		g.asks++
		g.next = now.Add(askAgain)
		f.asked++
		list = append(list, uint16(g.seq))
	}
	return list
}

// expected is the number of packets that should have come.
func (f *flow) expected() uint64 {
	if !f.started {
		return 0
	}
	return f.before + f.highest - f.begin + 1
}

// lostBy is the number that did not come, those left out that may still.
func (f *flow) lostBy(now time.Time) uint64 {
	n := f.lost
	for _, g := range f.missing {
		if now.Sub(g.since) >= settled {
			n++
		}
	}
	return n
}

// time updates the jitter. clock is in Hz.
func (f *flow) time(ts uint32, at time.Time, clock uint32) {
	transit := uint32(at.UnixMicro()*int64(clock)/1e6) - ts
	if f.transit != 0 {
		d := int32(transit - f.transit)
		if d < 0 {
			d = -d
		}
		f.jitter += uint32(d) - (f.jitter+8)>>4
	}
	f.transit = transit
}

// share is the fraction lost since the last call, in 256ths (RFC 3550 appendix A.3).
func (f *flow) share() uint8 {
	expected, received := f.expected()-f.lastExpected, f.received-f.lastReceived
	f.lastExpected, f.lastReceived = f.expected(), f.received
	if expected == 0 || received >= expected {
		return 0
	}
	return uint8(min((expected-received)<<8/expected, 255))
}
