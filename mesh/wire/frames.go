package wire

import (
	"encoding/binary"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Hello is the first frame on each control channel, both ways.
type Hello struct {
	Version uint8
	// Seed: the sender has nothing to ask for. It is bit 0 of the flags; the others are zero.
	Seed bool
	// Largest message that the sender takes, in bytes: MinMessage to MaxMessage.
	Largest uint32
	Attempt [16]byte
	MAC     [32]byte
}

// Type of the frame.
func (Hello) Type() Type { return TypeHello }

func (f Hello) check() error {
	if f.Version != Version || f.Largest < MinMessage || f.Largest > MaxMessage {
		return fmt.Errorf("version %d, messages of %d bytes: %w", f.Version, f.Largest, ErrValue)
	}
	return nil
}

func (f Hello) body(dst []byte) []byte {
	var flags byte
	if f.Seed {
		flags = 1
	}
	dst = append(dst, f.Version, flags)
	dst = binary.BigEndian.AppendUint32(dst, f.Largest)
	dst = append(dst, f.Attempt[:]...)
	return append(dst, f.MAC[:]...)
}

func (r *reader) hello() Hello {
	f := Hello{Version: r.u8()}
	flags := r.u8()
	if r.err == nil && flags > 1 {
		r.err = fmt.Errorf("flags 0x%02x: %w", flags, ErrValue)
	}
	f.Seed = flags == 1
	f.Largest = r.u32()
	copy(f.Attempt[:], r.take(len(f.Attempt)))
	copy(f.MAC[:], r.take(len(f.MAC)))
	return f
}

// Manifest is a part of the manifest's blob; parts come in order.
type Manifest struct {
	Total  uint32 // bytes of the blob
	Offset uint32 // of this part
	Bytes  []byte // at least one
}

// Type of the frame.
func (Manifest) Type() Type { return TypeManifest }

func (f Manifest) check() error {
	if len(f.Bytes) == 0 {
		return ErrLength
	}
	if f.Total <= SignatureSize || f.Total > MaxBlob || uint64(f.Offset)+uint64(len(f.Bytes)) > uint64(f.Total) {
		return fmt.Errorf("%d bytes from %d on, of %d: %w", len(f.Bytes), f.Offset, f.Total, ErrValue)
	}
	return nil
}

func (f Manifest) body(dst []byte) []byte {
	dst = binary.BigEndian.AppendUint32(dst, f.Total)
	dst = binary.BigEndian.AppendUint32(dst, f.Offset)
	return append(dst, f.Bytes...)
}

// Bitfield shows the pieces that may be asked for, all at once.
type Bitfield struct {
	Pieces uint32
	Bits   []byte // the first piece in the highest bit; spare bits zero
}

// Type of the frame.
func (Bitfield) Type() Type { return TypeBitfield }

// Has tells whether a piece is shown.
func (f Bitfield) Has(piece uint32) bool {
	return piece < f.Pieces && f.Bits[piece/8]&(0x80>>(piece%8)) != 0
}

func (f Bitfield) check() error {
	if f.Pieces > MaxPieces {
		return fmt.Errorf("%d pieces: %w", f.Pieces, ErrValue)
	}
	if len(f.Bits) != int(f.Pieces+7)/8 {
		return ErrLength
	}
	if spare := f.Pieces % 8; spare > 0 && f.Bits[len(f.Bits)-1]<<spare != 0 {
		return fmt.Errorf("bits behind the last piece: %w", ErrValue)
	}
	return nil
}

func (f Bitfield) body(dst []byte) []byte {
	return append(binary.BigEndian.AppendUint32(dst, f.Pieces), f.Bits...)
}

// Range is Count pieces from First on.
type Range struct{ First, Count uint32 }

// Have shows more pieces that may be asked for.
type Have struct{ Ranges []Range }

// Type of the frame.
func (Have) Type() Type { return TypeHave }

func (f Have) check() error {
	if len(f.Ranges) == 0 || len(f.Ranges) > MaxRanges {
		return ErrLength
	}
	for _, x := range f.Ranges {
		if x.Count == 0 || uint64(x.First)+uint64(x.Count) > MaxPieces {
			return fmt.Errorf("%d pieces from %d on: %w", x.Count, x.First, ErrValue)
		}
	}
	return nil
}

func (f Have) body(dst []byte) []byte {
	for _, x := range f.Ranges {
		dst = binary.BigEndian.AppendUint32(dst, x.First)
		dst = binary.BigEndian.AppendUint32(dst, x.Count)
	}
	return dst
}

func (r *reader) have() Have {
	const size = 8
	n := len(r.rest) / size
	if n > MaxRanges {
		r.err = ErrLength
		return Have{}
	}
	ranges := make([]Range, n)
	for i := range ranges {
		ranges[i] = Range{First: r.u32(), Count: r.u32()}
	}
	return Have{Ranges: ranges}
}

// Stat tells how the sender fares.
type Stat struct {
	Held     uint32 // pieces
	Up, Down uint32 // bytes a second
	State    State
}

// State is what a peer does, for the people who look on.
type State uint8

// The states.
const (
	Running  State = iota // receiving or seeding
	Paused                // by the person
	DiskFull              // nothing can be stored
	Waiting               // for a peer
	Hidden                // and slowed by the browser
	Complete
	Leaving // is gone in a moment
)

// Type of the frame.
func (Stat) Type() Type { return TypeStat }

func (f Stat) check() error {
	if f.Held > MaxPieces || f.State > Leaving {
		return fmt.Errorf("%d pieces, state %d: %w", f.Held, f.State, ErrValue)
	}
	return nil
}

func (f Stat) body(dst []byte) []byte {
	dst = binary.BigEndian.AppendUint32(dst, f.Held)
	dst = binary.BigEndian.AppendUint32(dst, f.Up)
	dst = binary.BigEndian.AppendUint32(dst, f.Down)
	return append(dst, byte(f.State))
}

// Revoke carries a list of revoked tokens (docs/MESH.md, section 4) as it was signed. Only its shape
// is checked: its length, and that the serials ascend.
type Revoke struct{ List []byte }

// Type of the frame.
func (Revoke) Type() Type { return TypeRevoke }

func (f Revoke) check() error {
	const room, head, serial = 16, 16 + 4 + 2, 4
	if len(f.List) < head+SignatureSize {
		return ErrLength
	}
	count := int(binary.BigEndian.Uint16(f.List[room+4:]))
	if count > MaxRevoked {
		return fmt.Errorf("%d serials: %w", count, ErrValue)
	}
	if len(f.List) != head+count*serial+SignatureSize {
		return ErrLength
	}
	// Serial 0 is the uploader, who cannot be removed.
	for i, last := 0, uint32(0); i < count; i++ {
		next := binary.BigEndian.Uint32(f.List[head+i*serial:])
		if next <= last {
			return fmt.Errorf("serial %d after %d: %w", next, last, ErrValue)
		}
		last = next
	}
	return nil
}

func (f Revoke) body(dst []byte) []byte { return append(dst, f.List...) }

// Bye is the last frame of a connection.
type Bye struct {
	Reason ByeReason
	Text   string // for a person; valid UTF-8 without control characters, at most MaxText bytes
}

// ByeReason says why a connection ends.
type ByeReason uint8

// The reasons.
const (
	Done ByeReason = iota
	GoesAway
	NotAdmitted // or revoked
	BrokeProtocol
	BadLeaf
	SourceChanged
	TooManyPeers
)

// Type of the frame.
func (Bye) Type() Type { return TypeBye }

func (f Bye) check() error {
	if len(f.Text) > MaxText {
		return ErrLength
	}
	if f.Reason > TooManyPeers || !utf8.ValidString(f.Text) || strings.ContainsFunc(f.Text, unicode.IsControl) {
		return fmt.Errorf("reason %d, %q: %w", f.Reason, f.Text, ErrValue)
	}
	return nil
}

func (f Bye) body(dst []byte) []byte { return append(append(dst, byte(f.Reason)), f.Text...) }

// Ping asks for a Pong with the same value.
type Ping struct{ Value uint64 }

// Type of the frame.
func (Ping) Type() Type               { return TypePing }
func (Ping) check() error             { return nil }
func (f Ping) body(dst []byte) []byte { return binary.BigEndian.AppendUint64(dst, f.Value) }

// Pong answers a Ping. Clock is that of whoever answers, in microseconds from any beginning: it tells how long the way there takes
// more than at other times, whatever the way back takes.
type Pong struct{ Value, Clock uint64 }

// Type of the frame.
func (Pong) Type() Type { return TypePong }
func (f Pong) check() error {
	if f.Clock >= 1<<53 {
		return ErrValue
	}
	return nil
}
func (f Pong) body(dst []byte) []byte {
	return binary.BigEndian.AppendUint64(binary.BigEndian.AppendUint64(dst, f.Value), f.Clock)
}
