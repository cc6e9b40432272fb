package store

import (
	"context"

	"github.com/fanfare-relay/fanfare/mesh/manifest"
)

// Recheck looks at what lies on disk: what is beyond the journal, and what the journal vouches for, since
// a hand may have been at the files and at the journal, and an earlier run may have ended before it had
// made good what it found wrong. Roots that the uploader has not signed are forgotten. It returns the
// number of bytes that were hashed. Of what is not wanted nothing is looked at, and nothing counts as
// whole. looked is told how many bytes were looked at, of how many; it may be nil.
func (s *Sink) Recheck(ctx context.Context, looked func(done, all int64)) (hashed int64, err error) {
	all := s.toCheck()
	buf := make([]byte, s.layout.Piece())
	var wrong []int
	for i := range s.whole {
		if ctx.Err() != nil {
			return hashed, context.Cause(ctx)
		}
		if !s.worthACheck(i) {
			continue
		}
		if looked != nil {
			looked(hashed, all)
		}
		b := buf[:s.layout.PieceLen(i)]
		hashed += int64(len(b))
		// A file that is gone has been made anew, so what cannot be read is wrong too.
		read := s.ReadPiece(i, b) == nil
		good := read && s.spec.Check.Genuine(i, s.roots[i], b)
		s.mu.Lock()
		before := s.whole[i]
		s.whole[i] = before && good
		s.doubt[i] = good && !before // nobody knows whether it was synced
		if read && !good && !before {
			s.begun[i] = begunLeaves(b)
		}
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

// toCheck is how many bytes Recheck has to look at, at most.
func (s *Sink) toCheck() (bytes int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i, known := range s.known {
		if known && s.wanted[i] {
			bytes += int64(s.layout.PieceLen(i))
		}
	}
	return bytes
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

// Begun are the leaves of a piece that is not whole which an earlier run seems to have written. That they are
// right shows when the piece has all of its leaves: Verify must be asked then, before Complete.
func (s *Sink) Begun(piece int) []int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.begun[piece]
}

// Verify tells whether what is on disk of a piece is what was shared. What an earlier run had begun of it is proven
// by that, or is nothing: none of it is Begun any more.
func (s *Sink) Verify(piece int) bool {
	s.mu.Lock()
	root, known := s.roots[piece], s.known[piece]
	delete(s.begun, piece)
	s.mu.Unlock()
	b := make([]byte, s.layout.PieceLen(piece))
	if !known || s.ReadPiece(piece, b) != nil || !s.spec.Check.Genuine(piece, root, b) {
		return false
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.doubt[piece] = true // nobody knows whether what the earlier run wrote of it was synced
	return true
}

// block is what a system writes at once: a leaf whose writing was cut short has whole blocks of zeros.
const block = 4 << 10

// begunLeaves finds the leaves of a piece that have no block of zeros; none when that is all of them, since the
// piece is wrong then.
func begunLeaves(b []byte) (leaves []int) {
	l := 0
	for ; len(b) > 0; l++ {
		leaf := b[:min(len(b), manifest.LeafSize)]
		b = b[len(leaf):]
		if written(leaf) {
			leaves = append(leaves, l)
		}
	}
	if len(leaves) == l {
		return nil
	}
	return leaves
}

func written(leaf []byte) bool {
	for len(leaf) > 0 {
		n := min(len(leaf), block)
		if zero(leaf[:n]) {
			return false
		}
		leaf = leaf[n:]
	}
	return true
}
