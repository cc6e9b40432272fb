package schedule_test

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/fanfare-relay/fanfare/mesh/schedule"
)

// wants lists what is asked of a peer: piece, first leaf, number.
func wants(s *schedule.Scheduler, now time.Time) (asked [][3]int) {
	for _, a := range s.AppendNext(nil, now) {
		if a.Kind == schedule.Want {
			asked = append(asked, [3]int{a.Piece, a.First, a.Count})
		}
	}
	return asked
}

// What an earlier run has left of a piece is not asked for; when it turns out to be wrong, it is, and the piece is
// shown to nobody until it is whole.
func TestBegunPiece(t *testing.T) {
	now := time.Unix(1000, 0)
	s := schedule.New(schedule.DefaultConfig(schedule.Shape{Size: 40, Piece: 40, Leaf: 10}), rand.New(rand.NewPCG(1, 2)))
	s.HoldLeaf(0, 0)
	s.HoldLeaf(0, 0)
	s.HoldLeaf(0, 2)
	s.HoldLeaf(0, 1)
	s.HoldLeaf(0, 3) // that would be all: not its business
	if s.Held() != 0 || s.Completes(0, 2) || !s.Completes(0, 3) {
		t.Fatalf("held %d, completed by leaf 2: %v, by 3: %v", s.Held(), s.Completes(0, 2), s.Completes(0, 3))
	}
	s.PeerJoined(0, 1, 10*time.Millisecond)
	if err := s.Shown(0, 0, 1); err != nil {
		t.Fatal(err)
	}
	if got := wants(s, now); len(got) != 1 || got[0] != [3]int{0, 3, 1} {
		t.Fatalf("asks for %v", got)
	}
	s.Restart(0)
	if !s.LeafArrived(0, 0, 3, now) || s.Held() != 0 || s.Completes(0, 0) {
		t.Fatal("what was wrong still counts")
	}
	if got := wants(s, now); len(got) != 1 || got[0] != [3]int{0, 0, 3} {
		t.Fatalf("asks then for %v", got)
	}
	for l := range 3 {
		if s.Completes(0, l) != (l == 2) || !s.LeafArrived(0, 0, l, now) {
			t.Fatalf("leaf %d", l)
		}
	}
	if s.Held() != 1 || s.Missing() != 0 {
		t.Errorf("held %d, missing %d", s.Held(), s.Missing())
	}
}
