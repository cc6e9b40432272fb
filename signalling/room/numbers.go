package room

import (
	"strconv"
	"time"

	"github.com/fanfare-relay/fanfare/signalling/msg"
)

const (
	// fewNumbers is among how many of the smallest free numbers one is chosen: small ones are read
	// out easily, and a little chance keeps a late guest of one room from the door of the next.
	fewNumbers = 8
	// numberRest is how long a number that was given back leads nowhere.
	numberRest = time.Minute
)

// Numbers are the numbers of short codes, for the whole server. The zero value is ready; it belongs
// to one goroutine at a time.
type Numbers struct{ taken map[int]numberOf }

// numberOf is a number in use, or one that rests: then room is "".
type numberOf struct {
	room  string
	until time.Time
}

// Take gives the room a number until then; chance chooses it. It returns false when none is free.
func (n *Numbers) Take(room string, until time.Time, chance uint64, now time.Time) (number string, ok bool) {
	var free []int
	for i := 1; i <= msg.MaxCodeNumber && len(free) < fewNumbers; i++ {
		if now.Before(n.taken[i].until) {
			continue
		}
		delete(n.taken, i)
		free = append(free, i)
	}
	if len(free) == 0 {
		return "", false
	}
	if n.taken == nil {
		n.taken = map[int]numberOf{}
	}
	got := free[chance%uint64(len(free))]
	n.taken[got] = numberOf{room, until}
	return strconv.Itoa(got), true
}

// Find returns the room that the number leads to.
func (n *Numbers) Find(number string, now time.Time) (room string, ok bool) {
	i, err := strconv.Atoi(number)
	t := n.taken[i]
	return t.room, err == nil && t.room != "" && now.Before(t.until)
}

// Free gives the number of this room back.
func (n *Numbers) Free(room, number string, now time.Time) {
	if i, err := strconv.Atoi(number); err == nil && n.taken[i].room == room {
		n.taken[i] = numberOf{until: now.Add(numberRest)}
	}
}
