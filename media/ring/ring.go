// Package ring holds the recent history of one encoding: one writer, any number of readers,
// no locks. Live forwarding reads it in the order of arrival, so that packets which were
// recovered late are still forwarded; retransmission reads it by extended sequence number.
//
// Packets are values that are never changed after Append (but for Packet.Padded), and their memory is reclaimed by
// the garbage collector alone: a reader that was overtaken by the writer is told so
// (ErrLapped) and never sees a torn packet. The package wakes nobody and copies no payload.
package ring

import (
	"errors"
	"sync/atomic"

	"github.com/fanfare-relay/fanfare/media"
)

// What At says when there is no packet to give.
var (
	// ErrNotYet: the position has not been written.
	ErrNotYet = errors.New("position is not written yet")
	// ErrLapped: the position has been overwritten; go on at Tail or at a key frame.
	ErrLapped = errors.New("position has been overwritten")
)

// KeyFrame says where a key frame begins.
type KeyFrame struct {
	// Pos is the arrival position of the first packet of the frame that arrived.
	Pos uint64
	// First is the arrival position of the frame's first packet, ExtSeq its extended sequence
	// number. They differ from those of the packet at Pos when packets arrived out of order.
	First, ExtSeq uint64
	// Timestamp is the frame's RTP timestamp.
	Timestamp uint32
}

// Ring is the history. Append belongs to one goroutine; all other methods to anybody.
type Ring struct {
	byPos []atomic.Pointer[Packet]
	bySeq []atomic.Pointer[Packet]
	mask  uint64
	head  atomic.Uint64
	key   atomic.Pointer[KeyFrame]
}

// New returns a ring of at least capacity packets, rounded up to a power of two. Three
// hundred packets a second of video fill 1,024 in about three seconds.
func New(capacity int) *Ring {
	n := 1
	for n < capacity {
		n <<= 1
	}
	return &Ring{
		byPos: make([]atomic.Pointer[Packet], n),
		bySeq: make([]atomic.Pointer[Packet], n),
		mask:  uint64(n - 1),
	}
}

// Takes tells whether Append would take a packet with the extended sequence number: not one that
// is already there, or that is too old to be told from one that was.
func (r *Ring) Takes(ext uint64) bool {
	old := r.bySeq[ext&r.mask].Load()
	return old == nil || old.ExtSeq < ext
}

// Append publishes the packet, which the caller must not change afterwards. It is false, and nothing
// happens, for a packet that it does not take.
func (r *Ring) Append(p *Packet) bool {
	if !r.Takes(p.ExtSeq) {
		return false
	}
	head := r.head.Load()
	p.pos = head
	r.bySeq[p.ExtSeq&r.mask].Store(p)
	r.byPos[head&r.mask].Store(p)
	r.markShorter(p)
	r.head.Store(head + 1)
	if p.Descriptor.KeyFrame && p.Descriptor.FrameStart && p.Codec.Kind() == media.KindVideo {
		r.noteKey(p)
	}
	return true
}

// markShorter tells the packets of p's frame just before it that are one byte shorter than p (Packet.Padded).
func (r *Ring) markShorter(p *Packet) {
	for n := uint64(1); n <= p.pos && n < r.mask; n++ {
		q := r.byPos[(p.pos-n)&r.mask].Load()
		if q.Timestamp != p.Timestamp || len(q.Payload)+1 != len(p.Payload) || q.padded == nil {
			return
		}
		atomic.StoreUint32(&q.shorter, 1)
	}
}

// noteKey remembers where the key frame of p begins. A frame may show several starts (the
// parameter sets and the first slice of H.264), and they may come late.
func (r *Ring) noteKey(p *Packet) {
	old := r.key.Load()
	k := KeyFrame{Pos: r.firstOfFrame(p), First: p.pos, ExtSeq: p.ExtSeq, Timestamp: p.Timestamp}
	if old != nil && old.Timestamp == p.Timestamp {
		if old.ExtSeq <= p.ExtSeq {
			return
		}
		k.Pos = min(k.Pos, old.Pos)
	} else if old != nil && old.ExtSeq > p.ExtSeq {
		return
	}
	r.key.Store(&k)
}

// firstOfFrame looks back for packets of the same frame that arrived before its first one.
// The look back is bounded because reordering is: 64 packets are 200 ms of video.
func (r *Ring) firstOfFrame(p *Packet) uint64 {
	first := p.pos
	for n := uint64(1); n <= 64 && n <= p.pos && n < r.mask; n++ {
		if q := r.byPos[(p.pos-n)&r.mask].Load(); q.Timestamp == p.Timestamp {
			first = q.pos
		}
	}
	return first
}

// Head returns the position that the next packet will get.
func (r *Ring) Head() uint64 { return r.head.Load() }

// Tail returns the oldest position that may still be read.
func (r *Ring) Tail() uint64 {
	if head := r.head.Load(); head > r.mask {
		return head - r.mask - 1
	}
	return 0
}

// Cap returns the number of packets that the ring holds.
func (r *Ring) Cap() int { return len(r.byPos) }

// At returns the packet at an arrival position, or ErrNotYet or ErrLapped.
func (r *Ring) At(pos uint64) (*Packet, error) {
	if pos >= r.head.Load() {
		return nil, ErrNotYet
	}
	p := r.byPos[pos&r.mask].Load()
	if p.pos != pos {
		return nil, ErrLapped
	}
	return p, nil
}

// BySeq returns the packet with an extended sequence number, if it is still there.
func (r *Ring) BySeq(ext uint64) (*Packet, bool) {
	p := r.bySeq[ext&r.mask].Load()
	if p == nil || p.ExtSeq != ext {
		return nil, false
	}
	return p, true
}

// KeyFrame returns the newest key frame; ok is false when there was none, or when a part of its beginning has been
// overwritten, which KeyFrameLost tells. Sound has none: join it at Head.
func (r *Ring) KeyFrame() (k KeyFrame, ok bool) {
	p := r.key.Load()
	if p == nil || !r.holds(p) {
		return KeyFrame{}, false
	}
	return *p, true
}

// KeyFrameLost tells whether the newest key frame began at or after a position and has been overwritten: who waits
// for one from there waits for nothing.
func (r *Ring) KeyFrameLost(from uint64) bool {
	p := r.key.Load()
	return p != nil && p.First >= from && !r.holds(p)
}

// holds tells whether the beginning of a key frame is still there, by position and by number. Where numbers jump, the two
// go at different times.
func (r *Ring) holds(k *KeyFrame) bool {
	if k.Pos < r.Tail() {
		return false
	}
	_, ok := r.BySeq(k.ExtSeq)
	return ok
}
