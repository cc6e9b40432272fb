package sfu

import (
	"time"

	"github.com/pion/rtcp"

	"github.com/fanfare-relay/fanfare/media"
	"github.com/fanfare-relay/fanfare/media/report"
)

// asked is a viewer's last question for the round trip (RFC 3611 section 4.4). A receiver that sends nothing
// has no other way to learn it, and Chromium needs it before it says when a picture was captured. The answer
// (section 4.5) goes with the next sender report, so that asking often is answered no oftener. The zero value
// was not asked.
type asked struct {
	ssrc   media.SSRC // who asked
	middle uint32     // of the timestamp in the question
	at     time.Time
}

// note takes a question out of an extended report.
func (a *asked) note(xr *rtcp.ExtendedReport, now time.Time) {
	for _, block := range xr.Reports {
		if b, ok := block.(*rtcp.ReceiverReferenceTimeReportBlock); ok {
			*a = asked{ssrc: media.SSRC(xr.SenderSSRC), middle: report.NTP(b.NTPTimestamp).Middle(), at: now}
		}
	}
}

// append appends the answer to a compound packet, once.
func (a *asked) append(dst []byte, from media.SSRC, now time.Time) []byte {
	if a.at.IsZero() {
		return dst
	}
	since := uint32(report.Fixed(now.Sub(a.at)) >> 16) // in units of 1/65536 s
	answer := &rtcp.ExtendedReport{SenderSSRC: uint32(from), Reports: []rtcp.ReportBlock{
		&rtcp.DLRRReportBlock{Reports: []rtcp.DLRRReport{{SSRC: uint32(a.ssrc), LastRR: a.middle, DLRR: since}}},
	}}
	*a = asked{}
	return appendRTCP(dst, answer)
}
