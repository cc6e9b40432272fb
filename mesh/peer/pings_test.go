package peer

import (
	"testing"
	"time"

	"golang.org/x/time/rate"

	"github.com/fanfare-relay/fanfare/mesh/wire"
)

// TestPings: each is answered once, in any order; the oldest are forgotten when too many wait.
func TestPings(t *testing.T) {
	var p pings
	if p.answer(0) {
		t.Error("an answer to nothing")
	}
	for _, value := range []uint64{7, 8, 8, 9} {
		p.ask(value)
	}
	for i, c := range []struct {
		value uint64
		want  bool
	}{{9, true}, {9, false}, {8, true}, {6, false}, {8, true}, {8, false}, {7, true}} {
		if got := p.answer(c.value); got != c.want {
			t.Errorf("answer %d, %d, counts: %v", i, c.value, got)
		}
	}
	for value := range uint64(maxPings + 2) {
		p.ask(value)
	}
	if p.answer(0) || p.answer(1) || !p.answer(2) || !p.answer(maxPings+1) || len(p.asked) != maxPings-2 {
		t.Errorf("%d are kept", len(p.asked))
	}
}

// TestPongsNobodyAskedFor: what three peers say in answer to nothing, or again and again to one PING, moves neither the
// round trip nor the rate.
func TestPongsNobodyAskedFor(t *testing.T) {
	s := holding(0, []neighbour{{lies: 1 << 20, sent: 4 << 20}, {}, {}, {}})
	now := time.Unix(1e9, 0)
	s.started = now.Add(-time.Hour)
	s.pace(now)
	first := s.limit.Limit()
	if first == rate.Inf {
		t.Fatal("the line is not to be found out")
	}
	says := func(l *link, value, waited time.Duration, at time.Time) {
		if err := s.handle(l, wire.Pong{Value: uint64(value), Clock: uint64((value + waited).Microseconds())}, at); err != nil {
			t.Fatal(err)
		}
	}
	for _, l := range s.slots[:3] {
		l.there.Over(0, now) // at other times the way takes nothing
	}
	for k := range 40 {
		now = now.Add(time.Second / 4)
		says(s.slots[k%3], now.Add(-time.Millisecond).Sub(s.started), 350*time.Millisecond, now)
	}
	for _, l := range s.slots[:3] {
		s.ping(l, now)
	}
	value := now.Sub(s.started)
	for k := range 40 {
		now = now.Add(time.Second / 4)
		says(s.slots[k%3], value, 350*time.Millisecond, now)
	}
	if s.limit.Limit() != first {
		t.Errorf("%.0f bytes a second, %.0f before", s.limit.Limit(), first)
	}
	for i, l := range s.slots[:3] {
		if l.rtt != 50*time.Millisecond {
			t.Errorf("the round trip to %d is %v", i, l.rtt)
		}
	}
	s.ping(s.slots[0], now)
	says(s.slots[0], now.Sub(s.started), 0, now.Add(20*time.Millisecond))
	if rtt := s.slots[0].rtt; rtt != 20*time.Millisecond {
		t.Errorf("the round trip to one that answers is %v", rtt)
	}
}
