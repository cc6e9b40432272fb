package sfu

import (
	"testing"
	"time"

	"github.com/fanfare-relay/fanfare/sfu/lite"
)

// With many viewers due, the later ones are served under a later time than the first, and each of them once.
func TestAdvanceLooksAtTheClock(t *testing.T) {
	s := quiet(t, nil)
	w, sh := newWorker(s), &shard{stream: testEncoding(s, 8).pub.stream}
	began := time.Now()
	for range 4 * viewersAMoment {
		v := &viewer{shard: sh}
		v.leg = lite.New(lite.Config{}, began)
		w.viewers[v] = struct{}{}
		w.deadlines.set(v, began)
	}
	if now := w.advance(began); !now.After(began) {
		t.Error("all of them under one time")
	}
	for v := range w.viewers {
		if v.inHeap && !w.deadlines[v.heapAt].due.After(began) {
			t.Fatal("one was not served")
		}
	}
}
