package report

import "time"

// Capture tells when the media of a track was captured, by the clock of the capture system: a pair of
// timestamps, from which the others follow. The zero value knows nothing.
type Capture struct {
	ntp       NTP
	rtp, rate uint32
}

// NewCapture begins with the media of an RTP timestamp that was captured at a time; rate is the track's
// clock rate in Hz.
func NewCapture(ntp NTP, rtp, rate uint32) Capture { return Capture{ntp: ntp, rtp: rtp, rate: rate} }

// At returns when the media of a timestamp was captured, which is near the capture's own (2^31 units
// each way); 0 when nothing is known.
func (c Capture) At(rtp uint32) NTP {
	if c.rate == 0 {
		return 0
	}
	return c.ntp.Add(span(int64(int32(rtp-c.rtp)), c.rate))
}

const (
	// captureAgain is how long a receiver is left to reckon on from the last time of capture that
	// it was told, and captureError how wrong it may become: what browsers themselves send by.
	captureAgain = time.Second
	captureError = time.Millisecond
)

// Captured decides which packets of one viewer's track say when they were captured. A receiver reckons
// between them by timestamps (abs-capture-time: a sender should not send it with every packet); where
// that goes wrong, at a change of source or while a group of the past is shown in fast motion, it is
// told at once. The zero value has told nothing.
type Captured struct {
	told Capture // with the timestamps that the viewer sees
	at   time.Time
}

// Due tells whether the packet is to say that it was captured at ntp. rtp is the timestamp that the
// viewer sees, in units of rate (Hz).
func (c *Captured) Due(ntp NTP, rtp, rate uint32, now time.Time) bool {
	wrong := ntp.Sub(c.told.At(rtp))
	if c.told.rate == rate && now.Sub(c.at) < captureAgain && wrong <= captureError && wrong >= -captureError {
		return false
	}
	c.told, c.at = NewCapture(ntp, rtp, rate), now
	return true
}
