package report

import "time"

// Track names one track of a publisher inside its Sync: for example 0 for sound, 1 for the
// picture, and one each for simulcast encodings.
type Track uint8

// MaxTracks bounds the tracks of a Sync.
const MaxTracks = 16

// Mapping says how the RTP timestamps of one track lie to this machine's clock. It is a
// value, safe to copy and to read from anywhere.
type Mapping struct {
	at   time.Time // this machine's time at which the media of rtp was captured, or arrived
	rtp  uint32
	rate uint32
}

// RTP returns the timestamp (units of the track's clock rate) that belongs to a time.
func (m Mapping) RTP(at time.Time) uint32 {
	return m.rtp + uint32(units(at.Sub(m.at), m.rate))
}

// Time returns the time that belongs to a timestamp near the mapping's own (2^31 units each way).
func (m Mapping) Time(rtp uint32) time.Time {
	return m.at.Add(span(int64(int32(rtp-m.rtp)), m.rate))
}

// units returns d in units of rate, rounded towards 0.
func units(d time.Duration, rate uint32) int64 {
	sec, rest := d/time.Second, d%time.Second
	return int64(sec)*int64(rate) + int64(rest)*int64(rate)/int64(time.Second)
}

// span returns n units of rate as a duration.
func span(n int64, rate uint32) time.Duration {
	if rate == 0 {
		return 0
	}
	r := int64(rate)
	return time.Duration(n/r)*time.Second + time.Duration(n%r*int64(time.Second)/r)
}

// offsetWindow is the number of sender reports over whose delays the least is taken: reports
// of two tracks every second or so, thus half a minute. More is steadier, less follows a clock
// that drifts sooner.
const offsetWindow = 64

// rttWindow is the number of round trips over which the least is taken: one comes with each report.
const rttWindow = offsetWindow

type syncTrack struct {
	rate     uint32
	arrival  Mapping // from the packet with the least delay so far; used before the first report
	hasRTP   bool
	ntp      NTP // of the newest sender report
	rtp      uint32
	reported bool
}

// Sync maps all tracks of one publisher to this machine's clock. The difference between the two
// clocks is one for all tracks, so whatever error it has, sound and picture share it and
// stay in step. The zero value is ready.
type Sync struct {
	tracks  [MaxTracks]syncTrack
	offsets [offsetWindow]time.Duration // arrival minus NTP, of the last reports
	n       int
	rtts    [rttWindow]time.Duration // of the last checks
	m       int
}

// ObservePacket notes the arrival of a packet; it serves until the track's first sender report.
// rate is the clock rate in Hz.
func (s *Sync) ObservePacket(t Track, rtp, rate uint32, arrival time.Time) {
	if t >= MaxTracks {
		return
	}
	tr := &s.tracks[t]
	tr.rate = rate
	if tr.reported {
		return
	}
	// A packet that came sooner than the mapping says had less delay: take it.
	if !tr.hasRTP || arrival.Before(tr.arrival.Time(rtp)) {
		tr.arrival, tr.hasRTP = Mapping{at: arrival, rtp: rtp, rate: rate}, true
	}
}

// ObserveReport notes a sender report of the track: its NTP and RTP timestamps, and when it arrived.
// Reports with the NTP time 0 (the sender has no clock, RFC 3550 section 6.4.1) are passed over.
func (s *Sync) ObserveReport(t Track, ntp NTP, rtp, rate uint32, arrival time.Time) {
	if t >= MaxTracks || ntp == 0 {
		return
	}
	tr := &s.tracks[t]
	tr.ntp, tr.rtp, tr.rate, tr.reported = ntp, rtp, rate, true
	s.offsets[s.n%offsetWindow] = arrival.Sub(ntp.Time())
	s.n++
}

// Forget ends a track, whose number may be given to another one. What its reports told of the clocks stays.
func (s *Sync) Forget(t Track) {
	if t < MaxTracks {
		s.tracks[t] = syncTrack{}
	}
}

// ObserveRTT notes a round trip to the publisher.
func (s *Sync) ObserveRTT(rtt time.Duration) {
	s.rtts[s.m%rttWindow] = rtt
	s.m++
}

// ClockOffset returns the publisher's clock minus this machine's; ok is false before the first
// sender report. A report that left at the publisher's time n arrives here at a = n - ClockOffset +
// delay, so ClockOffset = delay - (a - n). The report with the least a - n had the least delay, which is
// taken for half of the least round trip, or for nothing while no round trip is known. The error is
// half the difference of the two directions.
func (s *Sync) ClockOffset() (d time.Duration, ok bool) {
	if s.n == 0 {
		return 0, false
	}
	var rtt time.Duration
	for i, r := range s.rtts[:min(s.m, rttWindow)] {
		if i == 0 || r < rtt {
			rtt = r
		}
	}
	return rtt/2 - s.offset(), true
}

// offset returns the least difference between this clock and the publisher's: the report that
// came with the least delay.
func (s *Sync) offset() time.Duration {
	least := s.offsets[0]
	for _, o := range s.offsets[:min(s.n, offsetWindow)] {
		least = min(least, o)
	}
	return least
}

// Mapping returns the track's mapping; ok is false before its first packet or report.
func (s *Sync) Mapping(t Track) (m Mapping, ok bool) {
	if t >= MaxTracks {
		return Mapping{}, false
	}
	tr := &s.tracks[t]
	if tr.reported {
		return Mapping{at: tr.ntp.Time().Add(s.offset()), rtp: tr.rtp, rate: tr.rate}, true
	}
	return tr.arrival, tr.hasRTP
}
