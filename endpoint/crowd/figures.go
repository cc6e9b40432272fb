package crowd

import "time"

// Figures are sums over all viewers that are there.
type Figures struct {
	Viewers int // that have a connection and have not left
	Lost    int // of those, whose session the server ended, or that heard nothing any more

	Datagrams uint64 // RTP packets of every kind, repeats and padding among them
	Bytes     uint64 // their payload with its tag
	Expected  uint64 // packets of the tracks that should have come, by sequence numbers
	Received  uint64 // of those, that came, repaired ones among them
	Missing   uint64 // that did not come within half a second, after repair
	Repaired  uint64 // that came after they had been missed
	Repeats   uint64 // RTX packets
	Twice     uint64 // that came again
	Asked     uint64 // packets asked for by NACK
	PLIs      uint64
	Frames    uint64 // pictures whose last packet came
	Fewest    uint64 // the same, of the viewer with the fewest

	Verified uint64 // packets that were decrypted and authentic
	Forged   uint64 // that were not
	Other    uint64 // datagrams that made no sense
	Cut      uint64 // that were too long for the buffer where all of it was needed

	Overflowed uint64 // datagrams that the kernel threw away because this client was too slow
	Reads      uint64 // recvmmsg calls that found something
	Taken      uint64 // datagrams of those
	Waits      uint64 // times that a busy server was left alone
}

// Figures adds up.
func (c *Crowd) Figures() Figures {
	now := time.Now()
	f := Figures{Waits: c.waits.Load()}
	for _, r := range c.readers {
		r.mu.Lock()
		f.Reads += r.reads
		f.Taken += r.taken
		for _, v := range r.viewers {
			f.add(v, now)
		}
		r.mu.Unlock()
	}
	return f
}

func (f *Figures) add(v *Viewer, now time.Time) {
	l := v.leg
	if f.Viewers == 0 || l.tracks[1].frames < f.Fewest {
		f.Fewest = l.tracks[1].frames
	}
	f.Viewers++
	select {
	case <-v.gone:
		f.Lost++
	default:
	}
	for i := range l.tracks {
		t := &l.tracks[i]
		f.Expected += t.expected()
		f.Received += t.received
		f.Missing += t.lostBy(now)
		f.Repaired += t.late
		f.Twice += t.duplicates
		f.Asked += t.asked
		f.Frames += t.frames
	}
	f.Datagrams += l.count.packets
	f.Bytes += l.count.bytes
	f.Repeats += l.count.repeats
	f.PLIs += l.count.plis
	f.Verified += l.count.verified
	f.Forged += l.count.forged
	f.Other += l.count.other
	f.Cut += l.count.cut
	f.Overflowed += overflowed(v.fd)
}
