// Package relay decides about the relay of sealed bytes in rooms of files (docs/PROTOCOL.md, section
// 3.5): who is joined to whom, who has too many pairs, and how long a sender must wait so that
// rooms and the server keep to their rates. It is a value without goroutines, locks, clocks or IO.
//
// It never sees a byte that is relayed, and never judges who may come.
package relay

import "time"

// The most pairs, waiting ones included.
const (
	MaxOfMember = 16
	MaxOfRoom   = 128
	MaxInAll    = 512
	// serverShare is how many busy rooms the server carries at their full rate.
	serverShare = 4
)

// Outcome is what becomes of one who comes.
type Outcome uint8

// The outcomes.
const (
	Waits  Outcome = iota // for the other
	Joined                // to the other, who waited
	Taken                 // two are joined by this name already, or this endpoint waits there itself
	Full                  // too many pairs
)

// Seat is one side of a pair.
type Seat struct {
	Room, Endpoint string

	pair  string
	other *Seat // nil while it waits
	gone  bool
}

// Other is the other side, nil while the seat waits.
func (s *Seat) Other() *Seat { return s.other }

// Table is the state of the relay. It belongs to one goroutine at a time.
type Table struct {
	rate   int
	server Budget
	rooms  map[string]*room
	pairs  int
}

// room is the share of one room; it is there while the room has pairs.
type room struct {
	budget Budget
	pairs  map[string]*Seat // by name: the first of the two
	of     map[string]int   // by endpoint
}

// NewTable makes a table: rate is what all pairs of one room may move, in bytes a second; the
// server moves four times that.
func NewTable(rate int) *Table {
	return &Table{rate: rate, server: NewBudget(rate * serverShare), rooms: map[string]*room{}}
}

// Come gives an endpoint of a room a seat at the pair of that name. The seat is nil when it gets
// none; else Go must follow.
func (t *Table) Come(name, pair, endpoint string) (*Seat, Outcome) {
	r, ok := t.rooms[name]
	if !ok {
		r = &room{budget: NewBudget(t.rate), pairs: map[string]*Seat{}, of: map[string]int{}}
	}
	first, waits := r.pairs[pair]
	switch {
	case waits && (first.other != nil || first.Endpoint == endpoint):
		return nil, Taken
	case r.of[endpoint] >= MaxOfMember, !waits && (len(r.pairs) >= MaxOfRoom || t.pairs >= MaxInAll):
		return nil, Full
	}
	t.rooms[name] = r
	r.of[endpoint]++
	seat := &Seat{Room: name, Endpoint: endpoint, pair: pair}
	if !waits {
		r.pairs[pair] = seat
		t.pairs++
		return seat, Waits
	}
	seat.other, first.other = first, seat
	return seat, Joined
}

// Go gives the seat back, and ends the pair for both. The other side must be told, and must Go too.
func (t *Table) Go(s *Seat) {
	if s.gone {
		return
	}
	s.gone = true
	r := t.rooms[s.Room]
	if r.of[s.Endpoint]--; r.of[s.Endpoint] == 0 {
		delete(r.of, s.Endpoint)
	}
	// The name may belong to a newer pair by now.
	if at := r.pairs[s.pair]; at == s || at != nil && at == s.other {
		delete(r.pairs, s.pair)
		t.pairs--
	}
	if len(r.of) == 0 {
		delete(t.rooms, s.Room)
	}
}

// Take spends n bytes of the room and of the server, and returns how long the sender must wait
// before it reads on.
func (t *Table) Take(s *Seat, n int, now time.Time) time.Duration {
	if s.gone {
		return 0
	}
	return max(t.rooms[s.Room].budget.Take(n, now), t.server.Take(n, now))
}

// Pairs counts the pairs, waiting ones included.
func (t *Table) Pairs() int { return t.pairs }
