package endpoint

import (
	"encoding/binary"
	"time"
)

// A stamp ends the payload of a packet that was made for measuring: eight bytes that no stream has by chance, then when
// the packet was sent, in nanoseconds of Unix time. It stands at the end because relays rewrite the beginning.
const (
	stampMark = 0x66616e666172650a
	// StampSize is its length in bytes.
	StampSize = 16
)

// PutStamp writes a stamp over the last StampSize bytes of b, which must be so long.
func PutStamp(b []byte, sent time.Time) {
	at := b[len(b)-StampSize:]
	binary.BigEndian.PutUint64(at, stampMark)
	binary.BigEndian.PutUint64(at[8:], uint64(sent.UnixNano()))
}

// ReadStamp returns when a payload was sent, false when it has no stamp.
func ReadStamp(b []byte) (time.Time, bool) {
	if len(b) < StampSize || binary.BigEndian.Uint64(b[len(b)-StampSize:]) != stampMark {
		return time.Time{}, false
	}
	return time.Unix(0, int64(binary.BigEndian.Uint64(b[len(b)-8:]))), true
}
