package manifest

import "sort"

const (
	minPiece = 64 << 10
	maxPiece = 4 << 20
	// minPieces is how many pieces a swarm wants: with fewer, peers wait for each other.
	minPieces = 512
)

// PieceSize is the length of a piece for files of total bytes: the largest power of two from 64 KiB
// to 4 MiB that gives at least 512 pieces, or else 64 KiB.
func PieceSize(total int64) int64 {
	piece := int64(maxPiece)
	for piece > minPiece && ceil(total, piece) < minPieces {
		piece /= 2
	}
	return piece
}

// Layout is how the stream of all files is cut: in pieces, these in leaves. Both count from 0; only
// the last piece and the last leaf may be shorter. A Layout does not change.
type Layout struct {
	total, piece int64
	ends         []int64 // of file i in the stream; never falling
}

// Layout cuts the files of a manifest that was checked.
func (m Manifest) Layout() Layout {
	l := Layout{ends: make([]int64, len(m.Files))}
	for i, f := range m.Files {
		l.total += f.Size
		l.ends[i] = l.total
	}
	l.piece = PieceSize(l.total)
	return l
}

// Total is the length of the stream in bytes.
func (l Layout) Total() int64 { return l.total }

// Piece is the length of a piece in bytes, but for the last.
func (l Layout) Piece() int64 { return l.piece }

// Pieces is the number of pieces; 0 where all files are empty.
func (l Layout) Pieces() int { return int(ceil(l.total, l.piece)) }

// PieceStart is where a piece begins in the stream.
func (l Layout) PieceStart(piece int) int64 { return int64(piece) * l.piece }

// PieceLen is the length of a piece in bytes; 0 for one that is not there.
func (l Layout) PieceLen(piece int) int {
	if piece < 0 || piece >= l.Pieces() {
		return 0
	}
	return int(min(l.piece, l.total-l.PieceStart(piece)))
}

// Leaves is the number of leaves of a piece, at most 64; 0 for a piece that is not there.
func (l Layout) Leaves(piece int) int { return int(ceil(int64(l.PieceLen(piece)), LeafSize)) }

// LeafStart is where a leaf begins in the stream.
func (l Layout) LeafStart(piece, leaf int) int64 { return l.PieceStart(piece) + int64(leaf)*LeafSize }

// LeafLen is the length of a leaf in bytes; 0 for one that is not there.
func (l Layout) LeafLen(piece, leaf int) int {
	if leaf < 0 || leaf >= l.Leaves(piece) {
		return 0
	}
	return min(LeafSize, l.PieceLen(piece)-leaf*LeafSize)
}

// Span is a run of bytes in one file.
type Span struct {
	File   int   // its index in the manifest
	Offset int64 // in the file
	Length int64 // more than 0
}

// AppendSpans appends the runs of files that make up length bytes of the stream from offset on, in
// order. What lies outside the stream is left out; empty files have no runs.
func (l Layout) AppendSpans(dst []Span, offset, length int64) []Span {
	if offset < 0 || offset >= l.total || length <= 0 {
		return dst
	}
	end := l.total
	if length < end-offset {
		end = offset + length
	}
	first := sort.Search(len(l.ends), func(i int) bool { return l.ends[i] > offset })
	for i := first; offset < end; i++ {
		if stop := min(end, l.ends[i]); stop > offset {
			dst = append(dst, Span{File: i, Offset: offset - l.FileStart(i), Length: stop - offset})
			offset = stop
		}
	}
	return dst
}

// FileStart is where a file begins in the stream.
func (l Layout) FileStart(file int) int64 {
	if file == 0 {
		return 0
	}
	return l.ends[file-1]
}

// FilePieces gives the pieces that hold a file, from first to the one before end; none, as first ==
// end, for an empty file. Pieces at the border of two files hold a bit of each.
func (l Layout) FilePieces(file int) (first, end int) {
	start, stop := l.FileStart(file), l.ends[file]
	if start == stop {
		return 0, 0
	}
	return int(start / l.piece), int(ceil(stop, l.piece))
}

// ceil is a ÷ b, rounded up.
func ceil(a, b int64) int64 { return a/b + min(a%b, 1) }
