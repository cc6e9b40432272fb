package lite

// windowSize is how far back a source remembers what it has sent: a burst of a high
// bitrate that the publisher had to repeat comes this late.
const windowSize = 1024

// source is the packet indices that were used with one outgoing SSRC.
type source struct {
	begun bool
	top   uint64 // the highest index so far
	used  [windowSize / 64]uint64
	tags  *[windowSize]uint64 // under which tag each went out; nil: nothing goes out again
}

// known is the state of an SSRC that is in use, else nil.
func (s *srtpSession) known(ssrc uint32) *source {
	for i := range s.sources {
		if s.ssrcs[i] == ssrc {
			return &s.sources[i]
		}
	}
	return nil
}

// allowRepeats makes the SSRC's packets ones that may be sealed again.
func (s *srtpSession) allowRepeats(ssrc uint32) {
	if src := s.source(ssrc); src != nil && src.tags == nil {
		src.tags = new([windowSize]uint64)
	}
}

// source finds or adds the state of an SSRC; nil when there are too many.
func (s *srtpSession) source(ssrc uint32) *source {
	if src := s.known(ssrc); src != nil {
		return src
	}
	if len(s.sources) == MaxSources {
		return nil
	}
	s.ssrcs[len(s.sources)] = ssrc
	s.sources = append(s.sources, source{})
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
	if index, ok = s.extend(seq); !ok {
		return 0, false
	}
	if index <= s.top {
		if s.marked(index) {
			return 0, false
		}
		s.mark(index)
		return index, true
	}
	for i := uint64(1); i <= min(index-s.top, windowSize); i++ {
		s.clear(s.top + i)
	}
	// After a jump the whole window is clear; otherwise all between is.
	s.top = index
	s.mark(index)
	return index, true
}

// extend gives seq the 48-bit index that is nearest to the highest one so far (RFC 3711 section
// 3.3.1). It is false before the window.
func (s *source) extend(seq uint16) (index uint64, ok bool) {
	step := int64(int16(seq - uint16(s.top)))
	at := int64(s.top) + step
	if at < 0 || step <= -windowSize || at >= 1<<48 {
		return 0, false
	}
	return uint64(at), true
}

// sent returns the index of a number that was used within the window.
func (s *source) sent(seq uint16) (index uint64, ok bool) {
	if !s.begun {
		return 0, false
	}
	index, ok = s.extend(seq)
	return index, ok && index <= s.top && s.marked(index)
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
