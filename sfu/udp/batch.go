package udp

import "unsafe"

// MaxDatagram is the room for one datagram, in bytes: more than any path of the internet
// takes in one piece.
const MaxDatagram = 2048

const (
	// maxBatch bounds the datagrams of one batch.
	maxBatch = 96
	// arenaSize bounds their bytes.
	arenaSize = 128 << 10
)

// Batch collects the datagrams that one worker sends in a pass, and sends them with few
// system calls. It belongs to one goroutine; several batches may send on one Conn at once.
//
// Datagrams are built in the batch's own arena, one after another, so that a run of equal
// size for one path lies in one piece: b.Add(append(b.Room(), ...), path).
type Batch struct {
	conn   *Conn
	arena  []byte
	used   int // bytes of the arena that hold datagrams
	list   []outgoing
	sender *sender // nil where datagrams are sent one by one
	stats  BatchStats
	// sent is called behind each flush.
	sent func()
}

// outgoing is one datagram that waits in the arena.
type outgoing struct {
	start, end int
	path       Path
}

// BatchStats counts what a Batch did.
type BatchStats struct {
	Sent      uint64 // datagrams that the system took
	Refused   uint64 // datagrams that it did not take, dropped
	Calls     uint64 // system calls that sent
	Messages  uint64 // messages in which they went out: one datagram, or several (UDP_SEGMENT)
	Segmented uint64 // those of several
}

// NewBatch makes an empty batch.
func (c *Conn) NewBatch() *Batch {
	b := &Batch{conn: c, arena: make([]byte, arenaSize), list: make([]outgoing, 0, maxBatch)}
	b.sender = newSender(b)
	return b
}

// OnSent has f called whenever the system has been given all datagrams that were there, also when a full batch makes room.
func (b *Batch) OnSent(f func()) { b.sent = f }

// SetSegments switches segmented sends of all batches on or off. They are on at first where
// the system has them, and go off by themselves on a device that cannot do them.
func (c *Conn) SetSegments(on bool) { c.noSegments.Store(!on) }

// Room returns a slice of length 0 and capacity of at least MaxDatagram, to append the
// next datagram to. It flushes first when the batch is full. Without an Add the same room
// is given again.
func (b *Batch) Room() []byte {
	if len(b.list) == maxBatch || len(b.arena)-b.used < MaxDatagram {
		b.Flush()
	}
	return b.arena[b.used:b.used]
}

// Add takes the datagram d for the path. d must be the slice that Room returned last,
// appended to; one that outgrew its room is refused.
func (b *Batch) Add(d []byte, p Path) {
	if unsafe.SliceData(d) != &b.arena[b.used] {
		b.stats.Refused++
		return
	}
	b.list = append(b.list, outgoing{start: b.used, end: b.used + len(d), path: p})
	b.used += len(d)
}

// Len is the number of datagrams not yet sent.
func (b *Batch) Len() int { return len(b.list) }

// Flush sends what there is. A datagram that the system refuses is dropped and counted.
// It waits at most for a few milliseconds, when the socket's buffer is full.
func (b *Batch) Flush() {
	switch {
	case len(b.list) == 0:
		return
	case b.sender != nil:
		b.sender.flush()
	default:
		b.sendSingly(b.list)
	}
	b.list, b.used = b.list[:0], 0
	if b.sent != nil {
		b.sent()
	}
}

// sendSingly is the plain way, which works everywhere.
func (b *Batch) sendSingly(list []outgoing) {
	for i := range list {
		o := &list[i]
		b.stats.Calls++
		if _, err := b.conn.WriteMsg(b.arena[o.start:o.end], o.path); err != nil {
			b.stats.Refused++
		} else {
			b.stats.Sent++
			b.stats.Messages++
		}
	}
}

// Take returns what was counted since the last call of Take.
func (b *Batch) Take() BatchStats {
	s := b.stats
	b.stats = BatchStats{}
	return s
}
