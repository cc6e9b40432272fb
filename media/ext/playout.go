package ext

import "time"

// playoutUnit is the unit of the extension, in which playoutMost is the largest value.
const (
	playoutUnit = 10 * time.Millisecond
	playoutMost = 1<<12 - 1
)

// MaxPlayoutDelay is the longest delay that PlayoutDelay can say.
const MaxPlayoutDelay = playoutMost * playoutUnit

// PlayoutDelay is what URIPlayoutDelay carries (WebRTC, docs/native-code/rtp-hdrext/playout-delay): the
// least and the most that a player is to wait from the capture of a picture until it shows it, in
// units of 10 ms.
//
//	| MIN delay 12 | MAX delay 12 |
//
// Delays are cut to what the units can say: 0 to MaxPlayoutDelay, and down to whole units.
func PlayoutDelay(least, most time.Duration) [3]byte {
	lo, hi := playoutUnits(least), playoutUnits(most)
	return [3]byte{byte(lo >> 4), byte(lo<<4) | byte(hi>>8), byte(hi)}
}

func playoutUnits(d time.Duration) uint16 {
	return uint16(min(max(d, 0), MaxPlayoutDelay) / playoutUnit)
}
