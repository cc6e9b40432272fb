package manifest_test

import (
	"slices"
	"strconv"
	"testing"

	"github.com/fanfare-relay/fanfare/mesh/manifest"
	"github.com/fanfare-relay/fanfare/mesh/meshtest"
)

const (
	kib = 1 << 10
	mib = 1 << 20
	gib = 1 << 30
)

// layoutFile is mesh/testdata/layout.json.
type layoutFile struct {
	About  string      `json:"about"`
	Totals []totalCase `json:"totals"`
	Files  []filesCase `json:"files"`
}

type totalCase struct {
	Total     int64 `json:"total"`
	Piece     int64 `json:"piece"`
	Pieces    int   `json:"pieces"`
	LastPiece int   `json:"lastPiece"` // its length
	Leaves    int   `json:"leaves"`    // of the last piece
	LastLeaf  int   `json:"lastLeaf"`  // its length
}

type filesCase struct {
	Sizes      []int64     `json:"sizes"`
	FilePieces [][2]int    `json:"filePieces"` // [first, end)
	Spans      []spansCase `json:"spans"`
}

type spansCase struct {
	Offset int64      `json:"offset"`
	Length int64      `json:"length"`
	Spans  [][3]int64 `json:"spans"` // [file, offset in it, length]
}

func sized(sizes ...int64) manifest.Manifest {
	var m manifest.Manifest
	for i, size := range sizes {
		m.Files = append(m.Files, manifest.File{Path: strconv.Itoa(i), Size: size})
	}
	return m
}

func totalCaseOf(total int64) totalCase {
	l := sized(total).Layout()
	last := l.Pieces() - 1
	return totalCase{total, l.Piece(), l.Pieces(), l.PieceLen(last), l.Leaves(last), l.LeafLen(last, l.Leaves(last)-1)}
}

func filesCaseOf(sizes []int64, runs [][2]int64) filesCase {
	l := sized(sizes...).Layout()
	c := filesCase{Sizes: sizes}
	for i := range sizes {
		first, end := l.FilePieces(i)
		c.FilePieces = append(c.FilePieces, [2]int{first, end})
	}
	for _, run := range runs {
		s := spansCase{Offset: run[0], Length: run[1], Spans: [][3]int64{}}
		for _, span := range l.AppendSpans(nil, run[0], run[1]) {
			s.Spans = append(s.Spans, [3]int64{int64(span.File), span.Offset, span.Length})
		}
		c.Spans = append(c.Spans, s)
	}
	return c
}

func TestGoldenLayout(t *testing.T) {
	made := layoutFile{About: "How totals are cut; and for files of these sizes, the pieces that hold each (from the first to the one before the second), and the runs of files behind runs of the stream."}
	for _, total := range []int64{
		0, 1, 65535, 65536, 65537, 1_000_000, 32 * mib, 64*mib - 128*kib, 64*mib - 128*kib + 1, 64 * mib, 100_000_000,
		2*gib - 4*mib, 2*gib - 4*mib + 1, 2 * gib, 20 * gib, 1 << 40,
	} {
		made.Totals = append(made.Totals, totalCaseOf(total))
	}
	made.Files = append(made.Files,
		filesCaseOf([]int64{10, 0, 65536, 0, 0, 70000, 1}, [][2]int64{
			{0, 135547}, {0, 10}, {9, 2}, {10, 65536}, {65546, 1}, {65545, 2}, {135546, 1}, {135546, 5}, {135547, 1}, {0, 0}, {65536, 65536},
		}),
		filesCaseOf([]int64{0, 0, 5, 0}, [][2]int64{{0, 5}, {4, 1}, {5, 1}}),
		filesCaseOf([]int64{0}, [][2]int64{{0, 1}}),
		filesCaseOf([]int64{100 * mib, 3 * mib, 200 * mib}, [][2]int64{{100 * mib, 512 * kib}, {103*mib - 1, 2}, {302 * mib, 10 * mib}}),
	)
	meshtest.Golden(t, "layout.json", made)
}

func TestPieceSize(t *testing.T) {
	for _, c := range []struct{ total, want int64 }{
		{0, 64 * kib}, {1, 64 * kib}, {32 * mib, 64 * kib}, {64*mib - 128*kib, 64 * kib}, {64*mib - 128*kib + 1, 128 * kib}, {64 * mib, 128 * kib},
		{gib, 2 * mib}, {2 * gib, 4 * mib}, {1 << 40, 4 * mib},
	} {
		if got := manifest.PieceSize(c.total); got != c.want {
			t.Errorf("%d bytes: pieces of %d, want %d", c.total, got, c.want)
		}
	}
	if n := sized(1 << 40).Layout().Pieces(); n != manifest.MaxPieces {
		t.Errorf("%d pieces of the largest, want %d", n, manifest.MaxPieces)
	}
}

func TestLayoutOutside(t *testing.T) {
	l := sized(100_000).Layout()
	for name, got := range map[string]int{
		"piece -1": l.PieceLen(-1), "piece 2": l.PieceLen(2), "leaves of piece 2": l.Leaves(2), "leaf -1": l.LeafLen(0, -1),
		"leaf 1": l.LeafLen(0, 1), "leaf of piece -1": l.LeafLen(-1, 0), "spans before": len(l.AppendSpans(nil, -1, 5)),
		"spans of less than nothing": len(l.AppendSpans(nil, 0, -5)),
	} {
		if got != 0 {
			t.Errorf("%s: %d", name, got)
		}
	}
	if got := l.AppendSpans(nil, 5, 1<<63-1); !slices.Equal(got, []manifest.Span{{File: 0, Offset: 5, Length: 99_995}}) {
		t.Errorf("to the end of numbers: %v", got)
	}
}

// FuzzLayout: pieces, leaves and runs cover the stream once, and a file's pieces are those that hold it.
func FuzzLayout(f *testing.F) {
	f.Add(uint32(10), uint32(0), uint32(65536), uint16(3), int64(5), int64(100_000))
	f.Add(uint32(1<<31), uint32(1), uint32(1<<30), uint16(0), int64(1<<31), int64(2))
	f.Fuzz(func(t *testing.T, a, b, c uint32, d uint16, offset, length int64) {
		m := sized(int64(a), int64(b), 0, int64(c), int64(d))
		l := m.Layout()
		if l.Total() != m.Total() {
			t.Fatalf("%d bytes, want %d", l.Total(), m.Total())
		}
		coverPieces(t, l)
		coverSpans(t, l, m, offset, length)
		for i := range m.Files {
			first, end := l.FilePieces(i)
			for _, piece := range []int{first - 1, first, end - 1, end} {
				if piece < 0 || piece >= l.Pieces() {
					continue
				}
				holds := slices.ContainsFunc(l.AppendSpans(nil, l.PieceStart(piece), int64(l.PieceLen(piece))), func(s manifest.Span) bool { return s.File == i })
				if holds != (piece >= first && piece < end) {
					t.Fatalf("file %d, pieces %d to %d: piece %d holds it: %v", i, first, end, piece, holds)
				}
			}
		}
	})
}

func coverPieces(t *testing.T, l manifest.Layout) {
	t.Helper()
	var sum int64
	for piece := range l.Pieces() {
		if l.PieceStart(piece) != sum {
			t.Fatalf("piece %d begins at %d, want %d", piece, l.PieceStart(piece), sum)
		}
		sum += int64(l.PieceLen(piece))
	}
	if sum != l.Total() {
		t.Fatalf("pieces of %d bytes together, want %d", sum, l.Total())
	}
	if l.Pieces() == 0 {
		return
	}
	for _, piece := range []int{0, l.Pieces() - 1} {
		sum := 0
		for leaf := range l.Leaves(piece) {
			if l.LeafStart(piece, leaf) != l.PieceStart(piece)+int64(sum) || l.LeafLen(piece, leaf) < 1 || l.LeafLen(piece, leaf) > manifest.LeafSize {
				t.Fatalf("leaf %d of piece %d: %d bytes from %d on", leaf, piece, l.LeafLen(piece, leaf), l.LeafStart(piece, leaf))
			}
			sum += l.LeafLen(piece, leaf)
		}
		if sum != l.PieceLen(piece) || l.Leaves(piece) > 64 {
			t.Fatalf("piece %d: %d leaves of %d bytes together, want %d", piece, l.Leaves(piece), sum, l.PieceLen(piece))
		}
	}
}

func coverSpans(t *testing.T, l manifest.Layout, m manifest.Manifest, offset, length int64) {
	t.Helper()
	at := offset
	for _, s := range l.AppendSpans(nil, offset, length) {
		if s.Length <= 0 || s.Offset < 0 || s.Offset+s.Length > m.Files[s.File].Size || l.FileStart(s.File)+s.Offset != at {
			t.Fatalf("%+v where %d was to come", s, at)
		}
		at += s.Length
	}
	want := int64(0)
	if offset >= 0 && offset < l.Total() && length > 0 {
		want = min(length, l.Total()-offset)
	}
	if at-offset != want {
		t.Fatalf("%d bytes from %d on: runs of %d", length, offset, at-offset)
	}
}
