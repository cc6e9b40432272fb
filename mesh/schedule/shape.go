package schedule

// Shape tells how what is shared is cut (docs/MESH.md, section 5), in bytes. The last piece and
// its last leaf may be shorter. At most 2³¹ pieces.
type Shape struct {
	Size, Piece, Leaf int64
}

// Pieces is the number of pieces.
func (s Shape) Pieces() int { return int((s.Size + s.Piece - 1) / s.Piece) }

// PieceBytes is the size of one piece.
func (s Shape) PieceBytes(piece int) int64 { return min(s.Piece, s.Size-int64(piece)*s.Piece) }

// Leaves is the number of leaves of one piece.
func (s Shape) Leaves(piece int) int { return int((s.PieceBytes(piece) + s.Leaf - 1) / s.Leaf) }

// LeafBytes is the size of one leaf.
func (s Shape) LeafBytes(piece, leaf int) int64 {
	return min(s.Leaf, s.PieceBytes(piece)-int64(leaf)*s.Leaf)
}
