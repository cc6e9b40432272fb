package ext

import "encoding/binary"

// Sizes of the extension, in bytes.
const (
	captureShort = 8
	captureLong  = 16
)

// CaptureTime is what URIAbsCaptureTime carries (WebRTC, docs/native-code/rtp-hdrext/abs-capture-time):
// when the media of a packet was captured, and how the clock that says so lies to that of whoever
// sends the packet.
//
//	|           absolute capture timestamp 64, UQ32.32            |
//	|   optional: estimated capture clock offset 64, Q32.32       |
type CaptureTime struct {
	// NTP is the time of the capture, by the clock of the capture system: seconds since 1900 with 32
	// bits of fraction.
	NTP uint64
	// Offset is the capture system's clock minus the sender's, whose sender reports the receiver
	// gets, in units of 2^-32 seconds. It says nothing unless Known.
	Offset int64
	Known  bool
}

// ParseCaptureTime reads the extension; false for bytes that are of neither size.
func ParseCaptureTime(b []byte) (c CaptureTime, ok bool) {
	switch len(b) {
	case captureLong:
		c.Offset, c.Known = int64(binary.BigEndian.Uint64(b[captureShort:])), true
		fallthrough
	case captureShort:
		c.NTP = binary.BigEndian.Uint64(b)
		return c, true
	}
	return c, false
}

// Append appends the extension: 16 bytes, or 8 while the offset is not known.
func (c CaptureTime) Append(dst []byte) []byte {
	dst = binary.BigEndian.AppendUint64(dst, c.NTP)
	if c.Known {
		dst = binary.BigEndian.AppendUint64(dst, uint64(c.Offset))
	}
	return dst
}
