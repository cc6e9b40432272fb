package lite

// windowSize is how far back a source remembers what it has sent: a burst of a high
// bitrate that the publisher had to repeat comes this late.
const windowSize = 1024

// source is the packet indices that were used with one outgoing SSRC.
type source struct {
	ssrc  uint32
	begun bool
	top   uint64 // the highest index so far
	used  [windowSize / 64]uint64
}

// source finds or adds the state of an SSRC; nil when there are too many.
func (s *srtpSession) source(ssrc uint32) *source {
	for i := range s.sources {
		if s.sources[i].ssrc == ssrc {
			return &s.sources[i]
		}
	}
	if len(s.sources) == MaxSources {
		return nil
	}
	s.sources = append(s.sources, source{ssrc: ssrc})
	return &s.sources[len(s.sources)-1]
}

// use extends seq to a 48-bit index by the highest one so far, and marks it as used. It
// is false when the index was used or nobody knows any more.
func (s *source) use(seq uint16) (index uint64, ok bool) {
	if !s.begun {
		s.begun, s.top = true, uint64(seq)
		s.mark(s.top)
		return s.top, true
	}
	step := int64(int16(seq - uint16(s.top)))
	switch at := int64(s.top) + step; {
	case at < 0 || step <= -windowSize || at >= 1<<48:
		return 0, false
	default:
		index = uint64(at)
	}
	if step <= 0 {
		if s.marked(index) {
			return 0, false
		}
		s.mark(index)
		return index, true
	}
	for i := uint64(1); i <= uint64(min(step, windowSize)); i++ {
		s.clear(s.top + i)
	}
	// After a jump the whole window is clear; otherwise all between is.
	s.top = index
	s.mark(index)
	return index, true
}

func (s *source) mark(i uint64)  { s.used[i%windowSize/64] |= 1 << (i % 64) }
func (s *source) clear(i uint64) { s.used[i%windowSize/64] &^= 1 << (i % 64) }
func (s *source) marked(i uint64) bool {
	return s.used[i%windowSize/64]&(1<<(i%64)) != 0
}

// sender is the replay window of one SSRC of the peer (RFC 3711 section 3.3.2, and 3.4
// for SRTCP, whose index counts by sender).
type sender struct {
	ssrc, top uint32
	seen      uint64 // bit i: top-i was seen
}

func (s *srtpSession) sender(ssrc uint32) *sender {
	for i := range s.senders {
		if s.senders[i].ssrc == ssrc {
			return &s.senders[i]
		}
	}
	return nil
}

// fresh tells whether the index was not seen, and is not too old to know.
func (s *sender) fresh(index uint32) bool {
	if index > s.top {
		return true
	}
	back := s.top - index
	return back < 64 && s.seen&(1<<back) == 0
}

// accept notes a fresh index after authentication; true when it is the highest so far.
func (s *sender) accept(index uint32) bool {
	if index <= s.top {
		s.seen |= 1 << (s.top - index)
		return false
	}
	s.seen = s.seen<<(index-s.top) | 1 // shifting by 64 or more gives 0
	s.top = index
	return true
}
