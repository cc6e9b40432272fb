package relay

import (
	"fmt"
	"testing"
	"time"
)

func come(t *testing.T, table *Table, room, pair, endpoint string, want Outcome) *Seat {
	t.Helper()
	seat, got := table.Come(room, pair, endpoint)
	if got != want || (seat == nil) != (want == Taken || want == Full) {
		t.Fatalf("%s in %s at %s: outcome %d, want %d", endpoint, room, pair, got, want)
	}
	return seat
}

func TestPairs(t *testing.T) {
	table := NewTable(1000)
	a := come(t, table, "r", "p", "a", Waits)
	come(t, table, "r", "p", "a", Taken)          // itself
	other := come(t, table, "s", "p", "b", Waits) // another room
	b := come(t, table, "r", "p", "b", Joined)
	if a.Other() != b || b.Other() != a || other.Other() != nil {
		t.Error("joined to somebody else")
	}
	come(t, table, "r", "p", "c", Taken)
	if n := table.Pairs(); n != 2 {
		t.Errorf("%d pairs", n)
	}
	table.Go(a)
	again := come(t, table, "r", "p", "c", Waits) // the name is free when one has gone
	table.Go(b)                                   // and the late leaving of the other does not touch it
	table.Go(b)
	d := come(t, table, "r", "p", "d", Joined)
	for _, seat := range []*Seat{again, d, other} {
		table.Go(seat)
	}
	if len(table.rooms) != 0 || table.Pairs() != 0 {
		t.Errorf("left behind: %v, %d pairs", table.rooms, table.Pairs())
	}
}

func TestPairsAreLimited(t *testing.T) {
	table := NewTable(1000)
	var seats []*Seat
	for i := range MaxOfMember {
		seats = append(seats, come(t, table, "r", fmt.Sprint("a", i), "a", Waits))
	}
	come(t, table, "r", "one more", "a", Full)
	for i := MaxOfMember; i < MaxOfRoom; i++ {
		seats = append(seats, come(t, table, "r", fmt.Sprint("a", i), fmt.Sprint("e", i), Waits))
	}
	come(t, table, "r", "one more", "b", Full)
	// Whoever is waited for may still come.
	seats = append(seats, come(t, table, "r", "a0", "b", Joined))
	for i := MaxOfRoom; i < MaxInAll; i++ {
		seats = append(seats, come(t, table, fmt.Sprint("r", i/MaxOfRoom), fmt.Sprint("a", i), fmt.Sprint("e", i), Waits))
	}
	come(t, table, "fresh", "one more", "b", Full)
	if _, ok := table.rooms["fresh"]; ok {
		t.Error("a refused one has left a room behind")
	}
	for _, seat := range seats {
		table.Go(seat)
	}
	if len(table.rooms) != 0 || table.Pairs() != 0 {
		t.Errorf("left behind: %d rooms, %d pairs", len(table.rooms), table.Pairs())
	}
}

// drive lets senders spend chunks and wait as they are told, in virtual time, and returns what each
// has sent after so long.
func drive(table *Table, seats []*Seat, chunk int, d time.Duration) []int {
	start := time.UnixMilli(0)
	free, sent := make([]time.Time, len(seats)), make([]int, len(seats))
	for i := range free {
		free[i] = start
	}
	for {
		next := 0
		for i := range free {
			if free[i].Before(free[next]) {
				next = i
			}
		}
		now := free[next]
		if now.Sub(start) >= d {
			return sent
		}
		sent[next] += chunk
		free[next] = now.Add(max(table.Take(seats[next], chunk, now), time.Microsecond))
	}
}

func TestRates(t *testing.T) {
	const rate, chunk = 1_000_000, 32 << 10
	for _, tt := range []struct{ rooms, pairs, most int }{
		{1, 1, rate}, {1, 10, rate}, {3, 1, 3 * rate}, {10, 1, serverShare * rate}, {10, 3, serverShare * rate},
	} {
		table := NewTable(rate)
		var seats []*Seat
		for r := range tt.rooms {
			for p := range tt.pairs {
				seats = append(seats, come(t, table, fmt.Sprint(r), fmt.Sprint(p), fmt.Sprint(p), Waits))
			}
		}
		const d = 10 * time.Second
		sent := drive(table, seats, chunk, d)
		total, least, most := 0, sent[0], sent[0]
		for _, n := range sent {
			total, least, most = total+n, min(least, n), max(most, n)
		}
		allowed := float64(tt.most) * (d + burst).Seconds()
		if total > int(allowed)+chunk*len(seats) || float64(total) < 0.95*allowed {
			t.Errorf("%d rooms of %d: %d bytes in %v, allowed %.0f", tt.rooms, tt.pairs, total, d, allowed)
		}
		if most-least > 2*chunk+most/10 {
			t.Errorf("%d rooms of %d: one has sent %d, another %d", tt.rooms, tt.pairs, least, most)
		}
	}
}

func TestBudget(t *testing.T) {
	now := time.UnixMilli(0)
	b := NewBudget(1000)
	for _, step := range []struct {
		after time.Duration
		n     int
		wait  time.Duration
	}{
		{0, 250, 0},                                // what was saved up
		{0, 100, 100 * time.Millisecond},           // debt
		{0, 100, 200 * time.Millisecond},           // more debt
		{200 * time.Millisecond, 0, 0},             // paid
		{time.Hour, 250, 0},                        // no more is saved up than a quarter of a second
		{0, 1, time.Millisecond},                   //
		{-time.Hour, 0, time.Millisecond},          // a clock that goes back gives nothing
		{time.Hour + time.Millisecond, 0, 0},       //
		{0, 1 << 30, (1 << 30) * time.Millisecond}, // no overflow
	} {
		now = now.Add(step.after)
		if got := b.Take(step.n, now).Round(time.Millisecond); got != step.wait {
			t.Errorf("%d bytes after %v: wait %v, want %v", step.n, step.after, got, step.wait)
		}
	}
}

// FuzzTable: whoever comes and goes in any order, nothing is left behind and no limit is passed.
func FuzzTable(f *testing.F) {
	f.Add([]byte{1, 2, 17, 33, 128, 129, 130})
	f.Add([]byte("the quick brown fox jumps over the lazy dog"))
	f.Fuzz(func(t *testing.T, steps []byte) {
		table := NewTable(1000)
		var seats []*Seat
		for i, b := range steps {
			if b&0x80 != 0 && len(seats) > 0 {
				table.Go(seats[int(b&0x7f)%len(seats)])
				continue
			}
			if s, _ := table.Come(fmt.Sprint(b&1), fmt.Sprint(b>>1&7), fmt.Sprint(b>>4&7)); s != nil {
				seats = append(seats, s)
				table.Take(s, int(b), time.UnixMilli(int64(i)))
			}
			for _, s := range seats {
				if o := s.Other(); o != nil && (o.Other() != s || o.Room != s.Room || o.Endpoint == s.Endpoint) {
					t.Fatal("joined to somebody else")
				}
			}
		}
		for _, s := range seats {
			table.Go(s)
			table.Take(s, 1, time.UnixMilli(0))
		}
		if len(table.rooms) != 0 || table.Pairs() != 0 {
			t.Fatalf("left behind: %d rooms, %d pairs", len(table.rooms), table.Pairs())
		}
	})
}
