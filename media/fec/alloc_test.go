//go:build !race

package fec_test

import (
	"encoding/binary"
	"math/rand/v2"
	"testing"

	"github.com/fanfare-relay/fanfare/media/fec"
)

func TestNothingIsAllocated(t *testing.T) {
	rng := rand.New(rand.NewPCG(11, 12))
	e := fec.NewEncoder(ssrc, 2)
	header, payload := packet(t, 0, 0, rng)[:12], make([]byte, 1200)
	header[0] = 0x80
	out, number := make([]byte, 0, 2000), uint16(0)
	many := func() { // the mean is rounded down: a run has many packets, so that one allocation in it counts
		for range 50 {
			binary.BigEndian.PutUint16(header[2:], number)
			number++
			e.Add(header, payload, epoch)
			if i := e.Due(fec.Plan{Size: 5}, false, epoch); i >= 0 {
				e.Append(out[:0], i)
			}
		}
	}
	many() // the groups' memory
	if n := testing.AllocsPerRun(20, many); n != 0 {
		t.Errorf("%v allocations in 50 packets", n)
	}
}
