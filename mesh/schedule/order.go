package schedule

// The order of open pieces: those that are wanted, that somebody shows, and that have leaves
// which nobody was asked for. They lie in buckets by class and number of copies, so that each
// change moves one piece from one bucket to another.

// Classes, in the order in which they are asked for.
const (
	classBegun  = iota // finished first, for a piece can be passed on only when it is whole
	classPlayed        // the window of a player
	classOther
	classes
)

func (s *Scheduler) bucketOf(i int) int {
	pc := &s.pieces[i]
	if pc.held || !pc.wanted || pc.unasked == 0 || pc.shown == 0 {
		return -1
	}
	class := classOther
	switch {
	case s.cfg.Order == Sequential:
		return i
	case pc.leaves != nil:
		class = classBegun
	case s.playing.has(i):
		class = classPlayed
	}
	return class*(MaxPeers+1) + pc.shown.len()
}

// place puts a piece where it belongs after something has changed, and keeps the peers' counts
// of open pieces.
func (s *Scheduler) place(i int) {
	pc := &s.pieces[i]
	to := s.bucketOf(i)
	if to == pc.bucket {
		return
	}
	if was := pc.bucket; was >= 0 {
		list := s.buckets[was]
		last := list[len(list)-1]
		list[pc.at] = last
		s.pieces[last].at = pc.at
		s.buckets[was] = list[:len(list)-1]
	}
	if to >= 0 {
		pc.at = len(s.buckets[to])
		s.buckets[to] = append(s.buckets[to], i)
	}
	change := 0
	switch {
	case pc.bucket < 0:
		change = 1
	case to < 0:
		change = -1
	}
	pc.bucket = to
	if change != 0 {
		for p := range pc.shown.all() {
			s.peers[p].useful += change
		}
	}
}

// seen notes that a peer has a piece.
func (s *Scheduler) seen(i int, p Peer) {
	pc := &s.pieces[i]
	if pc.shown == 0 {
		s.lonely--
	}
	if pc.bucket >= 0 {
		s.peers[p].useful++
	}
	pc.shown.add(p)
	s.peers[p].shows++
	pc.sentTo.remove(p)
	s.passedOn(i, p)
	s.place(i)
}

// unseen notes that a peer has it no more, or is gone.
func (s *Scheduler) unseen(i int, p Peer) {
	pc := &s.pieces[i]
	if pc.bucket >= 0 {
		s.peers[p].useful--
	}
	pc.shown.remove(p)
	s.peers[p].shows--
	if pc.shown == 0 {
		s.lonely++
	}
	s.place(i)
}

// pick returns the first open piece of the order that one of the peers shows; among equals chance
// decides, or, where there is one peer alone, which piece follows the last: who sends then reads runs
// instead of single pieces, and nobody else wants any. The very first piece is any: the sooner
// everybody has something to pass on, the better.
func (s *Scheduler) pick(from peerSet) (int, bool) {
	if s.held == 0 && len(s.begun) == 0 && s.cfg.Order == Rarest && s.playing.end == 0 {
		start := s.rand.IntN(len(s.pieces))
		for k := range s.pieces {
			i := (start + k) % len(s.pieces)
			if pc := &s.pieces[i]; pc.bucket >= 0 && pc.shown&from != 0 {
				return i, true
			}
		}
	}
	for bucket, list := range s.buckets {
		if len(list) == 0 {
			continue
		}
		if i := s.picked + 1; s.here.len() == 1 && i < len(s.pieces) && s.pieces[i].bucket == bucket {
			return i, true
		}
		start := s.rand.IntN(len(list))
		for k := range list {
			if i := list[(start+k)%len(list)]; s.pieces[i].shown&from != 0 {
				return i, true
			}
		}
	}
	return 0, false
}
