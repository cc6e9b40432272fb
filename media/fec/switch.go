package fec

import "time"

const (
	// useful is how long after its first sending a packet is still of use to somebody who watches live.
	useful = 200 * time.Millisecond
	// noticing is what a receiver takes to find a packet missing and to ask for it, beside the line.
	noticing = 15 * time.Millisecond
	// enough is the share of packets lost from which parity pays where a repeat comes too late; often
	// that from which it pays where the repeat of a repeat does, since many repeats are lost then. little
	// is that below which parity ends again, after quiet.
	enough = 0.01
	often  = 0.03
	little = 0.002
	quiet  = 15 * time.Second
	// A group has so many packets that of ten about three groups lose one. Of larger groups more lose two,
	// which nothing repairs; smaller ones cost more.
	perGroup          = 0.3
	smallest, largest = 3, 10
	// patient is the most that small frames wait for others.
	patient = 100 * time.Millisecond
)

// Switch decides whether one viewer's picture gets parity packets, and how many, by its reports. The
// zero value has none.
type Switch struct {
	on   bool
	loss float64 // smoothed: it rises at once and falls slowly
	rtt  time.Duration
	last time.Time
}

// Observe takes what a receiver report tells: the share of packets lost (0 to 1), and the round trip, 0
// while it is not known.
func (s *Switch) Observe(lost float64, rtt time.Duration, now time.Time) {
	s.loss, s.rtt = max(lost, s.loss+(lost-s.loss)/4), rtt
	switch least := s.least(); {
	case least > 1:
		s.on = false
	case s.loss >= least:
		s.on, s.last = true, now
	case s.loss >= little:
		s.last = now
	case s.on && now.Sub(s.last) >= quiet:
		s.on = false
	}
}

// least is the share of packets lost from which parity pays. A lost packet is missed half a round trip
// after it was sent, asked for, and there again a round trip and a half after it was sent; the repeat
// of a lost repeat a round trip later. Where that is soon enough, asking is cheaper.
func (s *Switch) least() float64 {
	switch {
	case s.rtt*3/2+noticing > useful:
		return enough
	case s.rtt*5/2+noticing > useful:
		return often
	}
	return 2 // of one: never
}

// Plan is how groups are to be made. They wait no longer than what is left when half a round trip is
// taken from the time in which packets are of use.
func (s *Switch) Plan() Plan {
	if !s.on {
		return Plan{}
	}
	return Plan{
		Size:     min(max(int(perGroup/max(s.loss, enough)), smallest), largest),
		Patience: min(max(useful-s.rtt/2-noticing, 0), patient),
	}
}
