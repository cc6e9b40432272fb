//go:build !race

package sfu

import (
	"testing"
	"time"

	"github.com/fanfare-relay/fanfare/media/fec"
)

// A packet that is protected costs no allocation once the groups have their memory.
func TestProtectAllocatesNothing(t *testing.T) {
	e := fec.NewEncoder(7, parityGroups)
	header, payload, out := make([]byte, rtpHeader), make([]byte, 1200), make([]byte, 0, maxDatagram)
	header[0] = 0x80
	number, now := byte(0), time.Unix(1000, 0)
	one := func() {
		number++
		header[3] = number
		clearNumber(header, 3)
		e.Add(header, payload, now)
		if i := e.Due(fec.Plan{Size: 5}, false, now); i >= 0 {
			e.Append(out[:0], i)
		}
	}
	many := func() { // the mean is rounded down: a run has many packets, so that one allocation in it counts
		for range 50 {
			one()
		}
	}
	many()
	if n := testing.AllocsPerRun(20, many); n != 0 {
		t.Errorf("%v allocations in 50 packets", n)
	}
}
