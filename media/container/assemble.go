package container

import (
	"time"

	"github.com/pion/rtp"

	"github.com/fanfare-relay/fanfare/media"
)

// Limits of an Assembler.
const (
	// assemblerSlots is how many packets are held while one is missing: half a second of a fast stream.
	// Power of two.
	assemblerSlots = 1024
	// maxFramePackets bounds one frame; with MaxPayload it is a little above maxFrame/8.
	maxFramePackets = 4096
)

// Assembled is one whole frame out of packets.
type Assembled struct {
	// Timestamp is the RTP timestamp.
	Timestamp uint32
	Key       bool
	// Data is in canonical form, see Frame.Data.
	Data []byte
	// First and Last are the arrivals of the first and the last packet.
	First, Last time.Time
}

// Assembler puts packets of one RTP stream in order and joins them into frames. A packet that stays
// missing for Wait is given up: its frame is dropped, and pictures wait for the next key frame, because
// what follows cannot be decoded. It is a value without clock; not safe for concurrent use.
type Assembler struct {
	// Codec of the payloads. Wait is how long a gap may stay open.
	Codec media.Codec
	Wait  time.Duration

	slots   []slot // assemblerSlots of them, from the first packet on
	started bool
	next    uint64 // extended number of the next packet in order
	newest  uint64
	gapAt   time.Time // since when next is missing, zero when it is not
	frame   []slot    // packets of the frame being joined
	torn    bool      // the frame being joined lacks its start
	needKey bool
	dropped uint64
}

type slot struct {
	used    bool
	ext     uint64
	ts      uint32
	marker  bool
	payload []byte
	at      time.Time
}

// Push takes a packet that arrived at now, in any order. The payload is kept. Doubles and packets that
// come too late are ignored. Frames that became whole are appended to dst.
func (a *Assembler) Push(dst []Assembled, p *rtp.Packet, now time.Time) []Assembled {
	if !a.started {
		a.started, a.needKey, a.torn = true, a.Codec.Kind() == media.KindVideo, true
		a.slots = make([]slot, assemblerSlots)
		a.next = 1<<32 | uint64(p.SequenceNumber)
		a.newest = a.next - 1
	}
	ext := a.extend(p.SequenceNumber)
	if ext < a.next {
		return dst
	}
	if ext > a.newest+1<<14 { // a jump this wide is another source: start anew there
		a.forget(ext)
	}
	for ext-a.next >= assemblerSlots && a.next <= a.newest {
		dst = a.giveUp(dst)
	}
	if ext-a.next >= assemblerSlots { // all before it came, or was given up: nothing to wait for
		a.forget(ext)
	}
	s := &a.slots[ext%assemblerSlots]
	if s.used && s.ext == ext {
		return dst
	}
	*s = slot{used: true, ext: ext, ts: p.Timestamp, marker: p.Marker, payload: p.Payload, at: now}
	a.newest = max(a.newest, ext)
	dst = a.drain(dst)
	if a.next > a.newest {
		a.gapAt = time.Time{}
	} else if a.gapAt.IsZero() {
		a.gapAt = now
	}
	return dst
}

// Deadline is when Expire has something to do.
func (a *Assembler) Deadline() (time.Time, bool) {
	if a.gapAt.IsZero() {
		return time.Time{}, false
	}
	return a.gapAt.Add(a.Wait), true
}

// Expire gives up packets that have been missing for too long.
func (a *Assembler) Expire(dst []Assembled, now time.Time) []Assembled {
	for {
		at, ok := a.Deadline()
		if !ok || now.Before(at) {
			return dst
		}
		dst = a.giveUp(dst)
		a.gapAt = time.Time{}
		if a.next <= a.newest {
			a.gapAt = now
		}
	}
}

// NeedKey tells whether pictures wait for a key frame.
func (a *Assembler) NeedKey() bool { return !a.started || a.needKey }

// Dropped is the number of frames that arrived in part or could not be decoded for want of another.
func (a *Assembler) Dropped() uint64 { return a.dropped }

// extend finds the extended number nearest to the newest one (RFC 3550 appendix A.1).
func (a *Assembler) extend(seq uint16) uint64 {
	return uint64(int64(a.newest) + int64(int16(seq-uint16(a.newest))))
}

func (a *Assembler) forget(next uint64) {
	clear(a.slots)
	a.next, a.newest = next, next-1
	a.loss()
}

// giveUp skips the missing packets up to the next one that is there.
func (a *Assembler) giveUp(dst []Assembled) []Assembled {
	a.loss()
	for a.next <= a.newest {
		a.next++
		if s := &a.slots[a.next%assemblerSlots]; s.used && s.ext == a.next {
			break
		}
	}
	return a.drain(dst)
}

// loss drops the frame being joined.
func (a *Assembler) loss() {
	if len(a.frame) > 0 {
		a.dropped++
	}
	a.frame, a.torn = a.frame[:0], true
	a.needKey = a.Codec.Kind() == media.KindVideo
}

func (a *Assembler) drain(dst []Assembled) []Assembled {
	for {
		s := &a.slots[a.next%assemblerSlots]
		if !s.used || s.ext != a.next {
			return dst
		}
		dst = a.ordered(dst, *s)
		*s = slot{}
		a.next++
	}
}

// ordered takes the next packet in order. A frame ends with the marker, or where the timestamp changes.
func (a *Assembler) ordered(dst []Assembled, s slot) []Assembled {
	if len(s.payload) == 0 { // padding only
		return dst
	}
	if a.Codec.Kind() == media.KindAudio {
		a.frame = append(a.frame[:0], s)
		return a.finish(dst)
	}
	if len(a.frame) > 0 && a.frame[0].ts != s.ts {
		dst = a.finish(dst)
	}
	if len(a.frame) == 0 && a.torn {
		if !startsFrame(a.Codec, s.payload) {
			return dst
		}
		a.torn = false
	}
	a.frame = append(a.frame, s)
	if s.marker || len(a.frame) >= maxFramePackets {
		dst = a.finish(dst)
	}
	return dst
}

// finish joins the frame and lets it out when it can be decoded.
func (a *Assembler) finish(dst []Assembled) []Assembled {
	f := a.frame
	out := Assembled{Timestamp: f[0].ts, First: f[0].at, Last: f[0].at}
	for i := range f {
		if f[i].at.After(out.Last) {
			out.Last = f[i].at
		}
		if f[i].at.Before(out.First) {
			out.First = f[i].at
		}
	}
	data, ok := joinPayloads(a.Codec, f)
	a.frame = a.frame[:0]
	out.Data, out.Key = data, ok && IsKey(a.Codec, data)
	if !ok || a.needKey && !out.Key {
		a.dropped++
		a.needKey = a.Codec.Kind() == media.KindVideo
		return dst
	}
	a.needKey = false
	return append(dst, out)
}
