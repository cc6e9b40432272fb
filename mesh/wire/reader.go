package wire

import "encoding/binary"

// reader takes fields from the front of a message. After the first that is not there it gives zeros
// and keeps the error.
type reader struct {
	rest []byte
	err  error
}

// take gives the next n bytes, a part of the message; nil where there are fewer.
func (r *reader) take(n int) []byte {
	if r.err == nil && n > len(r.rest) {
		r.err = ErrLength
	}
	if r.err != nil {
		return nil
	}
	b := r.rest[:n:n]
	r.rest = r.rest[n:]
	return b
}

// all gives what is left.
func (r *reader) all() []byte { return r.take(len(r.rest)) }

func (r *reader) u8() uint8 {
	if b := r.take(1); b != nil {
		return b[0]
	}
	return 0
}

func (r *reader) u16() uint16 {
	if b := r.take(2); b != nil {
		return binary.BigEndian.Uint16(b)
	}
	return 0
}

func (r *reader) u32() uint32 {
	if b := r.take(4); b != nil {
		return binary.BigEndian.Uint32(b)
	}
	return 0
}

func (r *reader) u64() uint64 {
	if b := r.take(8); b != nil {
		return binary.BigEndian.Uint64(b)
	}
	return 0
}

// end checks a frame after its last field: nothing may follow, and its values must be allowed.
func (r *reader) end(f Frame) error {
	if r.err != nil {
		return r.err
	}
	if len(r.rest) > 0 {
		return ErrLength
	}
	return f.check()
}

// frame reads the fields of a frame of one of the known types.
func (r *reader) frame(t Type) Frame {
	switch t {
	case TypeHello:
		return r.hello()
	case TypeManifest:
		return Manifest{Total: r.u32(), Offset: r.u32(), Bytes: r.all()}
	case TypeBitfield:
		return Bitfield{Pieces: r.u32(), Bits: r.all()}
	case TypeHave:
		return r.have()
	case TypeWant:
		return Want{r.leaves()}
	case TypeCancel:
		return Cancel{r.leaves()}
	case TypeLeaf:
		return r.leaf()
	case TypeReject:
		return Reject{Leaves: r.leaves(), Reason: RejectReason(r.u8())}
	case TypeStat:
		return Stat{Held: r.u32(), Up: r.u32(), Down: r.u32(), State: State(r.u8())}
	case TypeRevoke:
		return Revoke{List: r.all()}
	case TypeBye:
		return Bye{Reason: ByeReason(r.u8()), Text: string(r.all())}
	case TypePing:
		return Ping{Value: r.u64()}
	default:
		return Pong{Value: r.u64(), Clock: r.u64()}
	}
}
