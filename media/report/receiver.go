package report

import (
	"time"

	"github.com/pion/rtcp"

	"github.com/fanfare-relay/fanfare/media"
)

// Receiver keeps the statistics of one received stream (RFC 3550 appendices A.3 and A.8).
// Use NewReceiver.
type Receiver struct {
	rate     uint32
	cycle    uint64 // where the count of cycles is 0
	first    uint64 // extended sequence numbers
	highest  uint64
	received uint64
	jitter   uint32 // in timestamp units, times 16
	transit  uint32
	epoch    time.Time // origin of arrival times in transit

	expectedPrior, receivedPrior uint64
	lsr                          uint32
	srArrival                    time.Time
}

// NewReceiver returns a receiver for a track with the clock rate in Hz.
func NewReceiver(clockRate uint32) Receiver { return Receiver{rate: clockRate} }

// Observe notes a packet: its extended sequence number, RTP timestamp and arrival. Repeats are none
// of this stream's (RFC 4588 section 4: they come on a source of their own).
func (r *Receiver) Observe(ext uint64, ts uint32, arrival time.Time) {
	if r.received == 0 {
		r.epoch, r.cycle, r.first, r.highest = arrival, ext&^0xffff, ext, ext
	}
	r.received++
	r.first = min(r.first, ext)
	r.highest = max(r.highest, ext)
	transit := uint32(units(arrival.Sub(r.epoch), r.rate)) - ts
	if r.received > 1 {
		d := int32(transit - r.transit)
		if d < 0 {
			d = -d
		}
		r.jitter += uint32(d) - (r.jitter+8)>>4
	}
	r.transit = transit
}

// ObserveReport notes a sender report of the stream.
func (r *Receiver) ObserveReport(ntp NTP, arrival time.Time) {
	r.lsr, r.srArrival = ntp.Middle(), arrival
}

// Report returns the reception report for the stream, and begins a new interval for the
// fraction lost. ok is false before the first packet.
func (r *Receiver) Report(ssrc media.SSRC, now time.Time) (rep rtcp.ReceptionReport, ok bool) {
	if r.received == 0 {
		return rep, false
	}
	expected := r.highest - r.first + 1
	rep = rtcp.ReceptionReport{
		SSRC:               uint32(ssrc),
		FractionLost:       r.fraction(expected),
		TotalLost:          cumulative(int64(expected) - int64(r.received)),
		LastSequenceNumber: uint32(r.highest - r.cycle),
		Jitter:             r.jitter >> 4,
	}
	if r.lsr != 0 {
		rep.LastSenderReport = r.lsr
		rep.Delay = uint32(units(now.Sub(r.srArrival), 1<<16))
	}
	return rep, true
}

// fraction returns the share of packets lost since the last report, in 1/256.
func (r *Receiver) fraction(expected uint64) uint8 {
	exp, got := expected-r.expectedPrior, r.received-r.receivedPrior
	r.expectedPrior, r.receivedPrior = expected, r.received
	if exp == 0 || got >= exp { // duplicates count as received
		return 0
	}
	return uint8(min((exp-got)<<8/exp, 255))
}

// cumulative clamps to 24 bits signed, as the field is.
func cumulative(lost int64) uint32 {
	return uint32(min(max(lost, -0x800000), 0x7fffff)) & 0xffffff
}
