package schedule

import "time"

// What idle peers are for: nothing that they show is open, but others owe it.

// severalAskers is how many peers are asked for one leaf in the end game.
const severalAskers = 2

// appendIdle gives idle peers something to do: near the end what another owes is asked of them
// too; before that a piece is moved to them that waits at a busy one.
func (s *Scheduler) appendIdle(dst []Action, now time.Time) []Action {
	if s.missing == 0 {
		return dst
	}
	endgame := s.missing < 2*s.lanes()
	for p := range s.here.all() {
		switch at := &s.peers[p]; {
		case at.asked > 0 || !at.quiet.IsZero() || s.room(p) == 0:
		case endgame:
			dst = s.askAgain(dst, p, now)
		default:
			dst = s.move(dst, p, now)
		}
	}
	return dst
}

func (s *Scheduler) lanes() (sum int) {
	for p := range s.here.all() {
		sum += s.peers[p].lanes
	}
	return sum
}

// askAgain asks a peer for one piece that others owe, since at the end the slowest decides how
// long all of it takes. It asks from the piece's end, so that two who send it meet in the middle;
// what comes first is cancelled at the other.
func (s *Scheduler) askAgain(dst []Action, p Peer, now time.Time) []Action {
	if len(s.begun) == 0 {
		return dst
	}
	start := s.rand.IntN(len(s.begun))
	for k := range s.begun {
		i := s.begun[(start+k)%len(s.begun)]
		pc := &s.pieces[i]
		if !pc.wanted || !pc.shown.has(p) {
			continue
		}
		before, room := len(dst), s.room(p)
		for l := len(pc.leaves) - 1; l >= 0; l-- {
			one, bytes := &pc.leaves[l], s.cfg.LeafBytes(i, l)
			if one.here || one.askers == 0 || one.askers.len() >= severalAskers || one.askers.has(p) || bytes > room {
				continue
			}
			room -= bytes
			s.owe(p, i, l, now)
			dst = append(dst, Action{Kind: Want, Peer: p, Piece: i, First: l, Count: 1})
		}
		if len(dst) > before {
			return dst
		}
	}
	return dst
}

// move asks a peer for a piece that waits at the one that owes most, and cancels it there. That
// one must owe two pieces or more, so that it is left with work and nothing moves back.
func (s *Scheduler) move(dst []Action, to Peer, now time.Time) []Action {
	piece, from := -1, Peer(-1)
	for _, i := range s.begun {
		pc := &s.pieces[i]
		if !pc.wanted || !pc.shown.has(to) {
			continue
		}
		owes := s.owesWhole(i)
		if owes < 0 || s.peers[owes].asked < s.cfg.PieceBytes(i)+s.cfg.Piece {
			continue
		}
		if from < 0 || s.peers[owes].asked > s.peers[from].asked {
			piece, from = i, owes
		}
	}
	if piece < 0 {
		return dst
	}
	s.takeBack(piece, from, now)
	dst = append(dst, s.out...)
	s.out = s.out[:0]
	return s.ask(dst, to, piece, now)
}

// owesWhole is the one peer that owes all of a piece, or -1.
func (s *Scheduler) owesWhole(i int) Peer {
	leaves := s.pieces[i].leaves
	only := leaves[0].askers
	if only.len() != 1 {
		return -1
	}
	for l := range leaves {
		if leaves[l].askers != only {
			return -1
		}
	}
	return only.first()
}
