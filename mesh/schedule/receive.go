package schedule

import "time"

// busyPause is how long a peer is left alone that was too busy to answer, or could not read.
const busyPause = time.Second

// grace is how long leaves may still come after a CANCEL.
const grace = 10 * time.Second

type withdrawnLeaf struct {
	piece, leaf int
	until       time.Time
}

// Expectation tells what to make of a leaf that a peer begins to send.
type Expectation uint8

// Unasked data ends the connection; Withdrawn data crossed a CANCEL and is passed over, or used
// if it is still missing.
const (
	Unasked Expectation = iota
	Asked
	Withdrawn
)

// Expects tells whether a leaf was asked of a peer.
func (s *Scheduler) Expects(p Peer, piece, leaf int, now time.Time) Expectation {
	if !s.exists(piece, leaf, 1) {
		return Unasked
	}
	if pc := &s.pieces[piece]; pc.leaves != nil && pc.leaves[leaf].askers.has(p) {
		return Asked
	}
	for _, w := range s.peers[p].withdrawn {
		if w.piece == piece && w.leaf == leaf && now.Before(w.until) {
			return Withdrawn
		}
	}
	return Unasked
}

func (s *Scheduler) exists(piece, first, count int) bool {
	return piece >= 0 && piece < len(s.pieces) && first >= 0 && count >= 1 && count <= s.cfg.Leaves(piece)-first
}

// LeafArrived tells that a leaf came from a peer, is verified, and can be read again. It returns
// whether it was news.
func (s *Scheduler) LeafArrived(p Peer, piece, leaf int, now time.Time) bool {
	if !s.exists(piece, leaf, 1) || s.pieces[piece].held {
		return false
	}
	pc := s.begin(piece)
	l := &pc.leaves[leaf]
	if l.here {
		return false
	}
	if l.askers == 0 { // it crossed a CANCEL
		pc.unasked--
	}
	for q := range l.askers.all() {
		s.paid(q, s.cfg.LeafBytes(piece, leaf))
		if q != p {
			s.withdraw(q, piece, leaf, now)
			continue
		}
		from := &s.peers[p]
		from.heard = now
		from.arrivals.add(s.cfg.LeafBytes(piece, leaf), now, from.asked > 0)
	}
	l.here, l.askers = true, 0
	if pc.missing--; pc.missing == 0 {
		s.complete(piece)
	}
	s.place(piece)
	return true
}

// begin makes room for a piece's leaves.
func (s *Scheduler) begin(i int) *piece {
	pc := &s.pieces[i]
	if pc.leaves == nil {
		pc.leaves = make([]leaf, s.cfg.Leaves(i))
		pc.begun = len(s.begun)
		s.begun = append(s.begun, i)
	}
	return pc
}

// complete notes that a piece is whole, and shows it to everybody.
func (s *Scheduler) complete(i int) {
	pc := &s.pieces[i]
	if pc.leaves != nil {
		last := s.begun[len(s.begun)-1]
		s.begun[pc.begun] = last
		s.pieces[last].begun = pc.begun
		s.begun = s.begun[:len(s.begun)-1]
	}
	pc.held, pc.leaves, pc.missing, pc.unasked = true, nil, 0, 0
	s.held++
	if pc.wanted {
		s.missing--
	}
	s.place(i)
	if !s.cfg.UniqueFirst {
		for p := range s.here.all() {
			s.out = append(s.out, Action{Kind: Have, Peer: p, First: i, Count: 1})
		}
	}
}

// paid takes bytes from what a peer owes.
func (s *Scheduler) paid(p Peer, bytes int64) {
	s.peers[p].asked -= bytes
	s.asked -= bytes
}

// withdraw cancels a leaf at a peer.
func (s *Scheduler) withdraw(p Peer, piece, leaf int, now time.Time) {
	w := s.peers[p].withdrawn
	for len(w) > 0 && !now.Before(w[0].until) {
		w = w[1:]
	}
	s.peers[p].withdrawn = append(w, withdrawnLeaf{piece, leaf, now.Add(grace)})
	if n := len(s.out); n > 0 {
		if a := &s.out[n-1]; a.Kind == Cancel && a.Peer == p && a.Piece == piece && a.First+a.Count == leaf {
			a.Count++
			return
		}
	}
	s.out = append(s.out, Action{Kind: Cancel, Peer: p, Piece: piece, First: leaf, Count: 1})
}
