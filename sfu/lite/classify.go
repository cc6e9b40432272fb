package lite

// Kind is what a datagram looks like from its first bytes (RFC 7983 section 7, RFC 5761
// section 4).
type Kind uint8

// The kinds of datagram on the media port.
const (
	KindUnknown Kind = iota
	KindSTUN
	KindDTLS
	KindRTP
	KindRTCP
)

// Classify looks at the first bytes only; the rest may still be nonsense.
func Classify(b []byte) Kind {
	if len(b) < 2 {
		return KindUnknown
	}
	switch first := b[0]; {
	case first < 4:
		return KindSTUN
	case first >= 20 && first < 64:
		return KindDTLS
	case first >= 128 && first < 192:
		if b[1] >= 192 && b[1] < 224 {
			return KindRTCP
		}
		return KindRTP
	}
	return KindUnknown
}

// IsSTUN tells whether b looks like STUN.
func IsSTUN(b []byte) bool { return Classify(b) == KindSTUN }

// IsDTLS tells whether b looks like DTLS.
func IsDTLS(b []byte) bool { return Classify(b) == KindDTLS }

// IsRTP tells whether b looks like RTP or SRTP.
func IsRTP(b []byte) bool { return Classify(b) == KindRTP }

// IsRTCP tells whether b looks like RTCP or SRTCP.
func IsRTCP(b []byte) bool { return Classify(b) == KindRTCP }
