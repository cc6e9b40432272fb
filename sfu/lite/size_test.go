package lite

import (
	"runtime"
	"testing"
)

// TestLegIsSmall: what a connected viewer keeps, after its media has begun to flow. The
// offer's text must not be among it.
func TestLegIsSmall(t *testing.T) {
	profiles(t, func(t *testing.T, p Profile) {
		const n = 200
		legs := make([]*Leg, n)
		heap := func() uint64 {
			var m runtime.MemStats
			runtime.GC()
			runtime.GC()
			runtime.ReadMemStats(&m)
			return m.HeapAlloc
		}
		before := heap()
		for i := range legs {
			legs[i] = usedLeg(t, p)
		}
		each := (int64(heap()) - int64(before)) / n
		t.Logf("%d bytes", each)
		if each > 8<<10 {
			t.Errorf("a leg keeps %d bytes", each)
		}
		runtime.KeepAlive(legs)
	})
}

// usedLeg has sent from three sources, and got reports from two senders. Its credentials
// are cut from a long text.
func usedLeg(t *testing.T, p Profile) *Leg {
	v := connected(t, p)
	offer := string(make([]byte, 100<<10)) + "ufrag"
	v.leg.Restart(Credentials{offer[len(offer)-5:], offer[:30]}, Credentials{offer[:5], offer[:30]}, &v.out)
	for ssrc := range uint32(3) {
		header, payload := rtpPacket(t, ssrc, 1, 100)
		if _, err := v.leg.SealRTP(nil, header, payload); err != nil {
			t.Fatal(err)
		}
	}
	for ssrc := range uint32(2) {
		v.leg.Receive(v.sealed(t, ssrc), v.path, start(), &v.out)
	}
	return v.leg
}

// TestReceiveAllocations: reports cost nothing with GCM.
func TestReceiveAllocations(t *testing.T) {
	v := connected(t, ProfileGCM)
	var reports [][]byte
	for range 300 {
		reports = append(reports, v.sealed(t, 1))
	}
	next := 0
	allocs := testing.AllocsPerRun(len(reports)-1, func() {
		v.out.Reset()
		if got := v.leg.Receive(reports[next], v.path, start(), &v.out); got != DropNone {
			t.Fatal(got)
		}
		next++
	})
	if allocs != 0 {
		t.Errorf("%v allocations", allocs)
	}
}
