package schedule

import "time"

// window is how many bytes may be asked of a peer and not have come: twice what its line holds,
// so that it never runs dry, and at least two pieces, or its share where the budget is less.
func (s *Scheduler) window(p Peer) int64 {
	at := &s.peers[p]
	line := int64(at.arrivals.rate * at.roundTrip.Seconds())
	share := max(s.cfg.Leaf, s.cfg.Budget/int64(s.here.len()))
	return min(s.cfg.Pair, max(2*line, min(2*s.cfg.Piece, share)))
}

// room is how many bytes may be asked of a peer now; 0 unless it is worth a frame.
func (s *Scheduler) room(p Peer) int64 {
	window := s.window(p)
	room := min(window-s.peers[p].asked, s.cfg.Budget-s.asked)
	if room < max(s.cfg.Leaf, min(s.cfg.Piece, window/2)) {
		return 0
	}
	return room
}

// askable is the set of peers of whom something can be asked now.
func (s *Scheduler) askable() (set peerSet) {
	for p := range s.here.all() {
		if at := &s.peers[p]; at.useful > 0 && at.quiet.IsZero() && s.room(p) > 0 {
			set.add(p)
		}
	}
	return set
}

// wait is how many seconds a piece will take that is asked of a peer now.
func (s *Scheduler) wait(p Peer, usual float64) float64 {
	rate := s.peers[p].arrivals.rate
	if rate == 0 {
		rate = usual
	}
	return float64(s.peers[p].asked+s.cfg.Piece) / rate
}

// usualRate is the mean rate of the peers whose rate is known: a guess for the others.
func (s *Scheduler) usualRate() float64 {
	sum, known := 0.0, 0
	for p := range s.here.all() {
		if rate := s.peers[p].arrivals.rate; rate > 0 {
			sum += rate
			known++
		}
	}
	if known == 0 {
		return 1
	}
	return sum / float64(known)
}

// appendWants asks for pieces in order, each of the peer that will have sent it first, while
// there is room.
func (s *Scheduler) appendWants(dst []Action, now time.Time) []Action {
	for {
		from := s.askable()
		if from == 0 {
			return dst
		}
		i, found := s.pick(from)
		if !found {
			return dst
		}
		s.picked = i
		usual := s.usualRate()
		p := (s.pieces[i].shown & from).least(s.rand, func(p Peer) float64 { return s.wait(p, usual) })
		dst = s.ask(dst, p, i, now)
	}
}

// ask asks a peer for what nobody was asked for of a piece, as far as there is room.
func (s *Scheduler) ask(dst []Action, p Peer, i int, now time.Time) []Action {
	pc := s.begin(i)
	room := s.room(p)
	for l := 0; l < len(pc.leaves); l++ {
		bytes := s.cfg.LeafBytes(i, l)
		if !pc.leaves[l].open() {
			continue
		}
		if bytes > room {
			break
		}
		room -= bytes
		pc.unasked--
		s.owe(p, i, l, now)
		dst = appendWant(dst, p, i, l)
	}
	s.place(i)
	return dst
}

// owe notes that a leaf was asked of a peer.
func (s *Scheduler) owe(p Peer, i, l int, now time.Time) {
	at := &s.peers[p]
	if at.asked == 0 {
		at.heard = now
		at.arrivals.begin(now)
	}
	bytes := s.cfg.LeafBytes(i, l)
	at.asked += bytes
	s.asked += bytes
	s.pieces[i].leaves[l].askers.add(p)
}

// appendWant appends a WANT, or makes the last one longer.
func appendWant(dst []Action, p Peer, i, l int) []Action {
	if n := len(dst); n > 0 {
		if a := &dst[n-1]; a.Kind == Want && a.Peer == p && a.Piece == i && a.First+a.Count == l {
			a.Count++
			return dst
		}
	}
	return append(dst, Action{Kind: Want, Peer: p, Piece: i, First: l, Count: 1})
}

// Rejected tells that a peer will not send leaves that it was asked for.
func (s *Scheduler) Rejected(p Peer, piece, first, count int, reason Reason, now time.Time) error {
	if !s.exists(piece, first, count) {
		return ErrRange
	}
	if !s.here.has(p) {
		return nil
	}
	pc := &s.pieces[piece]
	for l := first; pc.leaves != nil && l < first+count; l++ {
		s.release(piece, l, p)
	}
	if reason == NotHere && pc.shown.has(p) {
		s.unseen(piece, p)
	} else {
		s.peers[p].quiet = now.Add(busyPause)
	}
	s.place(piece)
	return nil
}

// release notes that a peer no longer owes a leaf, if it did.
func (s *Scheduler) release(i, l int, p Peer) bool {
	pc := &s.pieces[i]
	one := &pc.leaves[l]
	if !one.askers.has(p) {
		return false
	}
	s.paid(p, s.cfg.LeafBytes(i, l))
	if one.askers.remove(p); one.askers == 0 {
		pc.unasked++
	}
	return true
}

// forget releases all that a peer owes of a piece.
func (s *Scheduler) forget(i int, p Peer) {
	for l := range s.pieces[i].leaves {
		s.release(i, l, p)
	}
	s.place(i)
}

// takeBack cancels all that a peer owes of a piece.
func (s *Scheduler) takeBack(i int, p Peer, now time.Time) {
	for l := range s.pieces[i].leaves {
		if s.release(i, l, p) {
			s.withdraw(p, i, l, now)
		}
	}
	s.place(i)
}

// releaseStalled takes back what is owed by peers that have sent nothing for long, and leaves
// them alone for a while, so that others are asked first. It ends such whiles that are over.
func (s *Scheduler) releaseStalled(now time.Time) {
	for p := range s.here.all() {
		at := &s.peers[p]
		if !now.Before(at.quiet) {
			at.quiet = time.Time{}
		}
		if at.asked == 0 || now.Sub(at.heard) < s.cfg.Stall {
			continue
		}
		for _, i := range s.begun {
			s.takeBack(i, p, now)
		}
		at.arrivals = meter{}
		at.quiet = now.Add(s.cfg.Stall / 4)
	}
}
