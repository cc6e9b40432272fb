package store

import "context"

// Recheck looks at what lies on disk: what is beyond the journal, and what the journal vouches for, since
// a hand may have been at the files and at the journal, and an earlier run may have ended before it had
// made good what it found wrong. Roots that the uploader has not signed are forgotten. It returns the
// number of bytes that were hashed. Of what is not wanted nothing is looked at, and nothing counts as
// whole.
func (s *Sink) Recheck(ctx context.Context) (hashed int64, err error) {
	buf := make([]byte, s.layout.Piece())
	var wrong []int
	for i := range s.whole {
		if ctx.Err() != nil {
			return hashed, context.Cause(ctx)
		}
		if !s.worthACheck(i) {
			continue
		}
		b := buf[:s.layout.PieceLen(i)]
		hashed += int64(len(b))
		// A file that is gone has been made anew, so what cannot be read is wrong too.
		good := s.ReadPiece(i, b) == nil && s.spec.Check.Genuine(i, s.roots[i], b)
		s.mu.Lock()
		before := s.whole[i]
		s.whole[i] = before && good
		s.doubt[i] = good && !before // nobody knows whether it was synced
		s.mu.Unlock()
		if good {
			s.Complete(i)
		} else {
			wrong = append(wrong, i)
		}
	}
	if err := s.takeBackWrong(wrong); err != nil {
		return hashed, err
	}
	return hashed, s.Flush()
}

// worthACheck tells whether there is anything to be found of a piece, and forgets what is of no use.
func (s *Sink) worthACheck(piece int) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.wanted[piece] {
		s.whole[piece] = false
		return false
	}
	if s.known[piece] && !s.spec.Check.Signed(piece, s.roots[piece]) {
		s.known[piece], s.whole[piece] = false, false
	}
	return s.known[piece]
}
