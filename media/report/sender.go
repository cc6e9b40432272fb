package report

import (
	"time"

	"github.com/pion/rtcp"

	"github.com/fanfare-relay/fanfare/media"
)

// Sender counts what one viewer's track was sent. The zero value is ready.
type Sender struct {
	packets, octets uint32
}

// Sent notes a packet with payload bytes (RFC 3550 section 6.4.1: without header and padding).
func (s *Sender) Sent(payload int) {
	s.packets++
	s.octets += uint32(payload)
}

// Report returns the sender report for now, where rtp is the output timestamp at now:
// Mapping.RTP(now) of the source plus the viewer's timestamp offset.
func (s *Sender) Report(ssrc media.SSRC, now time.Time, rtp uint32) rtcp.SenderReport {
	return rtcp.SenderReport{
		SSRC:        uint32(ssrc),
		NTPTime:     uint64(NTPOf(now)),
		RTPTime:     rtp,
		PacketCount: s.packets,
		OctetCount:  s.octets,
	}
}

// RTT returns the round trip that a reception report tells (RFC 3550 section 6.4.1): now minus
// LSR minus DLSR. It is false when the reporter has had no sender report yet, or the numbers
// give no time between 0 and 1 minute; tiny negative ones, from rounding, are 0.
func RTT(lsr, dlsr uint32, now time.Time) (rtt time.Duration, ok bool) {
	if lsr == 0 {
		return 0, false
	}
	d := int32(NTPOf(now).Middle() - lsr - dlsr)
	if d < -66 || d > 60<<16 { // 66/65536 s is one millisecond
		return 0, false
	}
	return time.Duration(max(d, 0)) * time.Second >> 16, true
}
