// Package report does the arithmetic of RTCP reports (RFC 3550 section 6.4, appendices A.3
// and A.8): what a receiver says about a publisher, what a sender says to a viewer, the round
// trip, and how the clock of a publisher lies to the clock of this machine, so that the sound
// and the picture of one publisher stay in step for every viewer.
//
// It owns no clock, no timer and no lock, and sends nothing. A value belongs to one goroutine;
// Mapping alone may be copied to others.
package report

import "time"

// NTP is a 64-bit NTP timestamp (RFC 3550 section 4): seconds since 1900 with 32 bits of fraction.
type NTP uint64

// ntpEpoch is the number of seconds from 1900 to 1970.
const ntpEpoch = 2208988800

// NTPOf returns the NTP timestamp of a time, rounded to the nearest unit (0.23 ns).
func NTPOf(t time.Time) NTP {
	ns := uint64(t.Nanosecond())
	return NTP(uint64(t.Unix()+ntpEpoch)<<32 + (ns<<32+500_000_000)/1_000_000_000)
}

// Time returns the time, to the nanosecond. The timestamp is taken to be of the era that began
// in 1900; it ends in 2036, and times after that are taken to be of the next.
func (n NTP) Time() time.Time {
	sec := int64(n >> 32)
	if sec < ntpEpoch { // before 1970: the era that begins in February 2036
		sec += 1 << 32
	}
	ns := (uint64(n)&0xffffffff*1_000_000_000 + 1<<31) >> 32
	return time.Unix(sec-ntpEpoch, int64(ns))
}

// Middle returns the middle 32 bits, as used for LSR: units of 1/65536 s.
func (n NTP) Middle() uint32 { return uint32(n >> 16) }

// Sub returns n minus m, which must lie within 68 years of each other.
func (n NTP) Sub(m NTP) time.Duration {
	d := int64(n - m)
	return time.Duration(d>>32)*time.Second + time.Duration(uint64(d)&0xffffffff*uint64(time.Second)>>32)
}

// Add returns n plus d, to a unit.
func (n NTP) Add(d time.Duration) NTP { return n + NTP(Fixed(d)) }

// Fixed returns d in units of 2^-32 seconds, as a 64-bit fixed-point number, rounded towards 0.
func Fixed(d time.Duration) int64 {
	sec, rest := d/time.Second, d%time.Second
	return int64(sec)<<32 + int64(rest)<<32/int64(time.Second)
}
