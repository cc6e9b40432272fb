package peer

import "slices"

// maxPings is how many PINGs of a link may wait for their answers before the oldest is forgotten.
const maxPings = 1024

// pings are the values of PINGs that went to a peer and were not answered, the oldest first. Only what was asked is
// believed, and once: answers make the estimate of our line (schedule.Uplink), and nobody may give more of them than
// others do. The zero value is none.
type pings struct{ asked []uint64 }

// ask notes a PING.
func (p *pings) ask(value uint64) {
	if len(p.asked) == maxPings {
		p.asked = slices.Delete(p.asked, 0, 1)
	}
	p.asked = append(p.asked, value)
}

// answer tells whether a PONG answers one of them, which it does once.
func (p *pings) answer(value uint64) bool {
	i := slices.Index(p.asked, value)
	if i < 0 {
		return false
	}
	p.asked = slices.Delete(p.asked, i, i+1)
	return true
}
