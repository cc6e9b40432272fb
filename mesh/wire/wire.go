// Package wire owns the frames between two peers, byte by byte (docs/MESH.md, section 6): one message
// of a data channel is one frame. It also puts together what comes in parts.
//
// It checks all that a frame alone can break: lengths, counts, ranges, spare bits, the channel. What
// needs to know more (was it asked for, does the piece exist, is the hash right) is not decided here.
// Whatever Parse takes, Append makes again byte for byte: each frame has one form.
package wire

import (
	"errors"
	"fmt"
)

// Limits of docs/MESH.md, sections 5, 6 and 8.
const (
	// Version of the frames, in HELLO.
	Version = 1
	// LeafSize is the most bytes that a leaf has.
	LeafSize = 64 << 10
	// PieceLeaves is the most leaves that a piece has.
	PieceLeaves = 64
	// MaxPieces is the most pieces that a manifest has.
	MaxPieces = 1 << 18
	// MaxNodes is the most hashes in the proof of a leaf among PieceLeaves.
	MaxNodes = 6
	// HashSize is the length of a hash in bytes, of the root of a piece and of each node of a proof.
	HashSize = 32
	// SignatureSize is the length of a signature in bytes.
	SignatureSize = 64
	// MinMessage and MaxMessage bound the largest message that a peer can say it takes, in bytes. No
	// frame is larger than MaxMessage.
	MinMessage = 16 << 10
	MaxMessage = 256 << 10
	// MaxBlob is the length of a manifest with its signature in bytes.
	MaxBlob = 4 << 20
	// MaxRanges is the most ranges in one HAVE.
	MaxRanges = 1024
	// MaxRevoked is the most serials in a list of revoked tokens.
	MaxRevoked = 1000
	// MaxText is the length of the text of BYE in bytes.
	MaxText = 200
)

// What can be wrong with a frame. Errors of Parse wrap one of these; each ends the connection.
var (
	ErrType    = errors.New("unknown type of frame")
	ErrChannel = errors.New("a frame that does not belong on this channel")
	ErrLength  = errors.New("a frame of the wrong length")
	ErrValue   = errors.New("a value that is not allowed")
)

// Channel is where a frame came from.
type Channel uint8

// The channels of a pair of peers.
const (
	Control     Channel = iota // the control channel of the first peer connection
	SideControl                // that of a further one: HELLO alone
	Lane                       // the lane of any connection: LEAF alone
)

// Type is the first byte of a frame.
type Type uint8

// The types of frames.
const (
	TypeHello    Type = 0x01
	TypeManifest Type = 0x02
	TypeBitfield Type = 0x03
	TypeHave     Type = 0x04
	TypeWant     Type = 0x05
	TypeCancel   Type = 0x06
	TypeLeaf     Type = 0x07
	TypeReject   Type = 0x08
	TypeStat     Type = 0x09
	TypeRevoke   Type = 0x0a
	TypeBye      Type = 0x0b
	TypePing     Type = 0x0c
	TypePong     Type = 0x0d
)

// String is the name in docs/MESH.md.
func (t Type) String() string {
	names := [...]string{
		TypeHello: "HELLO", TypeManifest: "MANIFEST", TypeBitfield: "BITFIELD", TypeHave: "HAVE", TypeWant: "WANT",
		TypeCancel: "CANCEL", TypeLeaf: "LEAF", TypeReject: "REJECT", TypeStat: "STAT", TypeRevoke: "REVOKE",
		TypeBye: "BYE", TypePing: "PING", TypePong: "PONG",
	}
	if t == 0 || int(t) >= len(names) {
		return fmt.Sprintf("frame 0x%02x", uint8(t))
	}
	return names[t]
}

// on tells whether frames of a type belong on a channel.
func (t Type) on(c Channel) bool {
	switch c {
	case Lane:
		return t == TypeLeaf
	case SideControl:
		return t == TypeHello
	}
	return t != TypeLeaf
}

// Frame is one of the types of this package: Hello, Manifest, Bitfield, Have, Want, Cancel, Leaf,
// Reject, Stat, Revoke, Bye, Ping and Pong.
type Frame interface {
	// Type is the frame's first byte.
	Type() Type
	// check tells what a receiver would refuse.
	check() error
	// body appends what follows the first byte.
	body(dst []byte) []byte
}

// Append appends a frame as one message. It panics for a frame that Parse would refuse, since a
// program that makes one is wrong: what comes from a person or a peer is bounded before.
func Append(dst []byte, f Frame) []byte {
	if err := f.check(); err != nil {
		panic(fmt.Sprintf("wire: %v: %v", f.Type(), err))
	}
	return f.body(append(dst, byte(f.Type())))
}

// Parse reads a message that came on a channel. Slices in the frame are parts of b, except the ranges
// of HAVE; nothing is copied. Errors wrap ErrType, ErrChannel, ErrLength or ErrValue.
func Parse(b []byte, from Channel) (Frame, error) {
	t, err := typeOf(b, from)
	if err != nil {
		return nil, err
	}
	r := reader{rest: b[1:]}
	f := r.frame(t)
	if err := r.end(f); err != nil {
		return nil, fmt.Errorf("%v: %w", t, err)
	}
	return f, nil
}

// ParseLeaf is Parse for a message of a lane, without an allocation for a good one.
func ParseLeaf(b []byte) (Leaf, error) {
	if _, err := typeOf(b, Lane); err != nil {
		return Leaf{}, err
	}
	r := reader{rest: b[1:]}
	f := r.leaf()
	err := r.err
	if err == nil {
		err = f.check()
	}
	if err != nil {
		return Leaf{}, fmt.Errorf("%v: %w", TypeLeaf, err)
	}
	return f, nil
}

func typeOf(b []byte, from Channel) (Type, error) {
	if len(b) == 0 || len(b) > MaxMessage {
		return 0, fmt.Errorf("%d bytes: %w", len(b), ErrLength)
	}
	t := Type(b[0])
	if t < TypeHello || t > TypePong {
		return 0, fmt.Errorf("%v: %w", t, ErrType)
	}
	if !t.on(from) {
		return 0, fmt.Errorf("%v: %w", t, ErrChannel)
	}
	return t, nil
}
