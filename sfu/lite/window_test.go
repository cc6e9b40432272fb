package lite

import (
	"math/rand/v2"
	"testing"
)

func TestSourceWindow(t *testing.T) {
	type step struct {
		seq   uint16
		index uint64
		ok    bool
	}
	for name, steps := range map[string][]step{
		"in order":         {{5, 5, true}, {6, 6, true}, {7, 7, true}},
		"twice":            {{5, 5, true}, {5, 0, false}, {6, 6, true}, {5, 0, false}},
		"out of order":     {{5, 5, true}, {9, 9, true}, {7, 7, true}, {7, 0, false}, {8, 8, true}},
		"before the first": {{5, 5, true}, {4, 4, true}, {4, 0, false}},
		"below zero":       {{5, 5, true}, {65535, 0, false}},
		"rollover":         {{65535, 65535, true}, {0, 65536, true}, {65534, 65534, true}, {65535, 0, false}, {1, 65537, true}},
		"window's edge":    {{5000, 5000, true}, {6000, 6000, true}, {4977, 4977, true}, {4976, 0, false}, {5000, 0, false}},
		"jump":             {{5, 5, true}, {30005, 30005, true}, {5, 0, false}, {30004, 30004, true}, {30005 - 1023, 30005 - 1023, true}},
		"half way round":   {{0, 0, true}, {32767, 32767, true}, {65534, 65534, true}, {32765, 65536 + 32765, true}},
	} {
		var s source
		for i, st := range steps {
			if index, ok := s.use(st.seq); ok != st.ok || index != st.index {
				t.Errorf("%s, step %d: %d, %v; want %d, %v", name, i, index, ok, st.index, st.ok)
			}
		}
	}
}

// TestNoIndexTwice drives the window at random against a set of everything ever used.
func TestNoIndexTwice(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	var s source
	used := map[uint64]bool{}
	at := 40000
	for range 200_000 {
		switch rng.IntN(20) {
		case 0:
			at += rng.IntN(3000)
		case 1:
			at += rng.IntN(30000)
		default:
			at++
		}
		index, ok := s.use(uint16(at - rng.IntN(1200)))
		if ok && used[index] {
			t.Fatalf("index %d was used twice", index)
		}
		if ok {
			used[index] = true
		}
	}
	if len(used) < 50_000 {
		t.Errorf("only %d indices were granted", len(used))
	}
}

func TestSenderWindow(t *testing.T) {
	s := sender{top: 100, seen: 1}
	for _, r := range []struct {
		index         uint32
		fresh, newest bool
	}{
		{100, false, false}, {99, true, false}, {99, false, false}, {101, true, true}, {37, false, false},
		{38, true, false}, {38, false, false}, {500, true, true}, {499, true, false}, {101, false, false},
		{1 << 30, true, true}, {500, false, false},
	} {
		if got := s.fresh(r.index); got != r.fresh {
			t.Errorf("index %d: fresh %v", r.index, got)
		}
		if r.fresh {
			if got := s.accept(r.index); got != r.newest {
				t.Errorf("index %d: newest %v", r.index, got)
			}
		}
	}
}
