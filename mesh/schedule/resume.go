package schedule

// HoldLeaf tells that a leaf of a piece that is not whole is here from the start. Call it before the
// first peer joins, and not for the last one that a piece lacks: Hold is for whole pieces.
func (s *Scheduler) HoldLeaf(i, l int) {
	if s.pieces[i].held || s.Completes(i, l) {
		return
	}
	pc := s.begin(i)
	if pc.leaves[l].here {
		return
	}
	pc.leaves[l].here = true
	pc.missing--
	pc.unasked--
	s.place(i)
}

// Completes tells whether a leaf is all that a piece lacks.
func (s *Scheduler) Completes(piece, leaf int) bool {
	pc := &s.pieces[piece]
	return pc.missing == 1 && (pc.leaves == nil || !pc.leaves[leaf].here)
}

// Restart tells that the leaves of a piece that were here are not what was shared, and are wanted again.
// What others were asked for still comes.
func (s *Scheduler) Restart(piece int) {
	pc := &s.pieces[piece]
	for l := range pc.leaves {
		if one := &pc.leaves[l]; one.here {
			one.here = false
			pc.missing++
			pc.unasked++
		}
	}
	s.place(piece)
}
