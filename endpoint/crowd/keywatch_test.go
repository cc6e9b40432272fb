package crowd

import (
	"math/rand/v2"
	"testing"
)

// TestKeyWatch: whole exactly with the last packet of the key frame, in whatever order they come and whatever comes between.
func TestKeyWatch(t *testing.T) {
	chance := rand.New(rand.NewPCG(1, 2))
	for round := range 200 {
		n := 1 + chance.IntN(60)
		first := uint16(65500 + round) // wraps in some rounds
		order := chance.Perm(n)
		var k keyWatch
		for done, i := range order {
			h := header{seq: first + uint16(i), ts: 1000, marker: i == n-1}
			if got := k.add(h, i == 0); got != (done == n-1) {
				t.Fatalf("round %d: whole is %v with %d of %d packets", round, got, done+1, n)
			}
			other := header{seq: first + uint16(n+done), ts: 4000 + uint32(done%5)*3000, marker: true}
			if k.add(other, false) {
				t.Fatal("a picture that builds on others counts as a key frame")
			}
		}
	}
}

// TestKeyWatchLoss: a key frame with a hole never counts, the next one does.
func TestKeyWatchLoss(t *testing.T) {
	var k keyWatch
	if k.add(header{seq: 1, ts: 1}, true) || k.add(header{seq: 3, ts: 1, marker: true}, false) {
		t.Error("a hole was not seen")
	}
	if k.add(header{seq: 4, ts: 2}, true) || !k.add(header{seq: 5, ts: 2, marker: true}, false) {
		t.Error("the next key frame does not count")
	}
	if k.add(header{seq: 5000, ts: 2}, true) {
		t.Error("a packet far away counts")
	}
}
