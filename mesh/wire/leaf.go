package wire

import (
	"encoding/binary"
	"fmt"
)

// Leaves are Count leaves of a piece from First on.
type Leaves struct {
	Piece        uint32
	First, Count uint16
}

func (l Leaves) check() error {
	if l.Piece >= MaxPieces || l.Count == 0 || int(l.First)+int(l.Count) > PieceLeaves {
		return fmt.Errorf("%d leaves from %d on, of piece %d: %w", l.Count, l.First, l.Piece, ErrValue)
	}
	return nil
}

func (l Leaves) body(dst []byte) []byte {
	dst = binary.BigEndian.AppendUint32(dst, l.Piece)
	dst = binary.BigEndian.AppendUint16(dst, l.First)
	return binary.BigEndian.AppendUint16(dst, l.Count)
}

func (r *reader) leaves() Leaves {
	return Leaves{Piece: r.u32(), First: r.u16(), Count: r.u16()}
}

// Want asks for leaves and permits to send them.
type Want struct{ Leaves }

// Type of the frame.
func (Want) Type() Type { return TypeWant }

// Cancel takes a Want back.
type Cancel struct{ Leaves }

// Type of the frame.
func (Cancel) Type() Type { return TypeCancel }

// Reject answers a Want in the place of leaves.
type Reject struct {
	Leaves
	Reason RejectReason
}

// RejectReason says why leaves do not come.
type RejectReason uint8

// The reasons.
const (
	NotHeld    RejectReason = iota + 1 // does not have it
	Busy                               // ask again later
	Unreadable                         // cannot read it now
	Changed                            // the source has changed
)

// Type of the frame.
func (Reject) Type() Type { return TypeReject }

func (f Reject) check() error {
	if f.Reason < NotHeld || f.Reason > Changed {
		return fmt.Errorf("reason %d: %w", f.Reason, ErrValue)
	}
	return f.Leaves.check()
}

func (f Reject) body(dst []byte) []byte { return append(f.Leaves.body(dst), byte(f.Reason)) }

// Leaf is a leaf or a part of one.
type Leaf struct {
	Piece  uint32
	Leaf   uint16
	Size   uint32 // bytes of the whole leaf, 1 to LeafSize
	Offset uint32 // of this part in the leaf
	// Root of the piece, its signature and the proof's nodes, HashSize bytes each from the bottom, come
	// with the part of offset 0; in the others they are zero.
	Root      [HashSize]byte
	Signature [SignatureSize]byte
	Nodes     []byte
	Bytes     []byte // at least one
}

// Lengths of a LEAF's fields in bytes: of those that all parts have, with the type, and of those that
// come before the nodes in the part of offset 0.
const (
	leafHead  = 1 + 4 + 2 + 4 + 4 + 1
	leafProof = HashSize + SignatureSize
)

// Type of the frame.
func (Leaf) Type() Type { return TypeLeaf }

// Whole tells whether the frame holds all of its leaf.
func (f Leaf) Whole() bool { return f.Offset == 0 && len(f.Bytes) == int(f.Size) }

func (f Leaf) check() error {
	if len(f.Bytes) == 0 || len(f.Nodes)%HashSize != 0 {
		return ErrLength
	}
	if f.Piece >= MaxPieces || f.Leaf >= PieceLeaves || f.Size > LeafSize || len(f.Nodes) > MaxNodes*HashSize ||
		uint64(f.Offset)+uint64(len(f.Bytes)) > uint64(f.Size) {
		return fmt.Errorf("leaf %d of piece %d, %d nodes, %d bytes from %d on, of %d: %w",
			f.Leaf, f.Piece, len(f.Nodes)/HashSize, len(f.Bytes), f.Offset, f.Size, ErrValue)
	}
	if f.Offset > 0 && (len(f.Nodes) > 0 || f.Root != [HashSize]byte{} || f.Signature != [SignatureSize]byte{}) {
		return fmt.Errorf("a proof with the part from %d on: %w", f.Offset, ErrValue)
	}
	return nil
}

func (f Leaf) body(dst []byte) []byte {
	dst = binary.BigEndian.AppendUint32(dst, f.Piece)
	dst = binary.BigEndian.AppendUint16(dst, f.Leaf)
	dst = binary.BigEndian.AppendUint32(dst, f.Size)
	dst = binary.BigEndian.AppendUint32(dst, f.Offset)
	dst = append(dst, byte(len(f.Nodes)/HashSize))
	if f.Offset == 0 {
		dst = append(dst, f.Root[:]...)
		dst = append(dst, f.Signature[:]...)
		dst = append(dst, f.Nodes...)
	}
	return append(dst, f.Bytes...)
}

// leaf reads a LEAF. Nodes and Bytes are parts of the message.
func (r *reader) leaf() Leaf {
	f := Leaf{Piece: r.u32(), Leaf: r.u16(), Size: r.u32(), Offset: r.u32()}
	nodes := int(r.u8())
	if r.err == nil && (nodes > MaxNodes || f.Offset > 0 && nodes > 0) {
		r.err = fmt.Errorf("%d nodes in the part from %d on: %w", nodes, f.Offset, ErrValue)
	}
	if f.Offset == 0 {
		copy(f.Root[:], r.take(HashSize))
		copy(f.Signature[:], r.take(SignatureSize))
		f.Nodes = r.take(nodes * HashSize)
	}
	f.Bytes = r.all()
	return f
}
