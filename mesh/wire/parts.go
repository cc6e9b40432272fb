package wire

import (
	"fmt"
	"iter"
)

// MaxParts is the most parts in which a leaf may come: a leaf of LeafSize fits in five messages of
// MinMessage.
const MaxParts = 8

// PartLen is the length of the parts in which a leaf goes to a peer that takes messages of largest
// bytes: the fewest parts, all of that length but the last. Nodes is the number of hashes in the
// proof, which goes with the first part.
func PartLen(size, nodes, largest int) int {
	room := largest - leafHead - leafProof - nodes*HashSize
	parts := (size + room - 1) / room
	return (size + parts - 1) / parts
}

// Parts puts one leaf together that was asked for. Its parts come in any order; all are of one length
// but the last, which may be shorter. It owns the bytes of the leaf and nothing else: it is bounded by
// the leaf's size, known from the manifest, and by MaxParts.
type Parts struct {
	// Root, Signature and Nodes are those of the part of offset 0, once it came.
	Root      [HashSize]byte
	Signature [SignatureSize]byte
	Nodes     []byte

	piece uint32
	leaf  uint16
	buf   []byte

	got  int   // bytes
	unit int   // length of all parts but the last; 0 while none of them came
	seen uint8 // bit i: part i came; but for the last
	last int   // where the last part begins; -1 while it has not come
}

// NewParts waits for the parts of a leaf whose length is that of buf, which it fills: more than 0, at
// most LeafSize bytes.
func NewParts(piece uint32, leaf uint16, buf []byte) Parts {
	return Parts{piece: piece, leaf: leaf, buf: buf, last: -1}
}

// Add takes a part and tells whether the leaf is whole. The part's bytes are copied. An error, which
// wraps ErrValue, means that the sender broke the protocol: another leaf, another size, parts of
// unequal length, that overlap, leave gaps or come twice.
func (p *Parts) Add(f Leaf) (whole bool, err error) {
	if f.Piece != p.piece || f.Leaf != p.leaf || int(f.Size) != len(p.buf) || f.check() != nil {
		return false, fmt.Errorf("leaf %d of piece %d, %d bytes: not what was asked for: %w", f.Leaf, f.Piece, f.Size, ErrValue)
	}
	if !p.place(int(f.Offset), len(f.Bytes)) {
		return false, fmt.Errorf("a part of %d bytes from %d on that does not fit to the others: %w", len(f.Bytes), f.Offset, ErrValue)
	}
	copy(p.buf[f.Offset:], f.Bytes)
	p.got += len(f.Bytes)
	if f.Offset == 0 {
		p.Root, p.Signature, p.Nodes = f.Root, f.Signature, append(p.Nodes[:0], f.Nodes...)
	}
	return p.got == len(p.buf), nil
}

// Bytes is the leaf, once it is whole.
func (p *Parts) Bytes() []byte { return p.buf }

// place notes a part, or tells that it does not fit to those that came before.
func (p *Parts) place(offset, length int) bool {
	if offset+length == len(p.buf) {
		if p.last >= 0 || !p.lastFits(offset, p.unit) {
			return false
		}
		p.last = offset
		return true
	}
	first := p.unit == 0
	if offset%length != 0 || (len(p.buf)-1)/length >= MaxParts || !first && length != p.unit ||
		first && p.last >= 0 && !p.lastFits(p.last, length) {
		return false
	}
	bit := uint8(1) << (offset / length)
	if p.seen&bit != 0 {
		return false
	}
	p.unit = length
	p.seen |= bit
	return true
}

// lastFits tells whether the last part may begin at offset where the others have unit bytes, or where
// none of them came yet and unit is 0: then one other at least, no shorter, must fit before it.
func (p *Parts) lastFits(offset, unit int) bool {
	switch {
	case unit > 0:
		return offset%unit == 0 && len(p.buf)-offset <= unit
	case offset > 0:
		return len(p.buf)-offset <= offset
	}
	return true // the whole leaf at once
}

// CutManifest gives the frames in which a blob goes to a peer that takes messages of largest bytes.
func CutManifest(blob []byte, largest int) iter.Seq[Manifest] {
	const head = 1 + 4 + 4
	return func(yield func(Manifest) bool) {
		for at := 0; at < len(blob); at += largest - head {
			part := blob[at:min(at+largest-head, len(blob))]
			if !yield(Manifest{Total: uint32(len(blob)), Offset: uint32(at), Bytes: part}) {
				return
			}
		}
	}
}

// Blob puts a manifest's blob together from frames in order. The zero Blob waits for the first. Its
// memory grows by what came, not by what was promised.
type Blob struct {
	bytes []byte
	total uint32
}

// Add takes the next frame and gives the blob once it is whole, nil before. An error wraps ErrValue:
// the frame is not the next, or its total is another.
func (b *Blob) Add(f Manifest) (blob []byte, err error) {
	if int(f.Offset) != len(b.bytes) || b.total > 0 && f.Total != b.total || f.check() != nil {
		return nil, fmt.Errorf("bytes from %d on, of %d, where %d of %d came: %w", f.Offset, f.Total, len(b.bytes), b.total, ErrValue)
	}
	b.total = f.Total
	b.bytes = append(b.bytes, f.Bytes...)
	if len(b.bytes) < int(b.total) {
		return nil, nil
	}
	return b.bytes, nil
}
