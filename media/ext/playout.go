package ext

import (
	"time"

	"github.com/fanfare-relay/fanfare/media"
)

// playoutUnit is the unit of the extension, whose twelve bits media.MaxPlayoutDelay fills.
const playoutUnit = 10 * time.Millisecond

// PlayoutDelay is what URIPlayoutDelay carries (WebRTC, docs/native-code/rtp-hdrext/playout-delay): the
// least and the most that a player is to wait from the capture of a picture until it shows it, in
// units of 10 ms.
//
//	| MIN delay 12 | MAX delay 12 |
//
// Delays are cut to what the units can say: 0 to media.MaxPlayoutDelay, and down to whole units.
func PlayoutDelay(d media.PlayoutDelay) [3]byte {
	lo, hi := playoutUnits(d.Least), playoutUnits(d.Most)
	return [3]byte{byte(lo >> 4), byte(lo<<4) | byte(hi>>8), byte(hi)}
}

func playoutUnits(d time.Duration) uint16 {
	return uint16(min(max(d, 0), media.MaxPlayoutDelay) / playoutUnit)
}
