package room

import (
	"fmt"
	"testing"
	"time"

	"github.com/fanfare-relay/fanfare/signalling/msg"
)

func TestNumbers(t *testing.T) {
	var n Numbers
	now := time.UnixMilli(0)
	until := now.Add(10 * time.Minute)
	first, _ := n.Take("a", until, 0, now)
	second, _ := n.Take("b", until, 7, now)
	if first != "1" || second != "9" {
		t.Errorf("the smallest of 8 is %s, the largest of those left %s", first, second)
	}
	if room, ok := n.Find(first, now); room != "a" || !ok {
		t.Errorf("%s leads to %q %v", first, room, ok)
	}
	for _, other := range []string{"2", "", "x", "0", "-1"} {
		if room, ok := n.Find(other, now); ok {
			t.Errorf("%q leads to %q", other, room)
		}
	}
	n.Free("b", first, now) // not its own
	if _, ok := n.Find(first, now); !ok {
		t.Error("another room gave it back")
	}
	n.Free("a", first, now)
	if room, ok := n.Find(first, now); ok {
		t.Errorf("given back, it leads to %q", room)
	}
	if got, _ := n.Take("c", until, 0, now); got != "2" {
		t.Errorf("a number that rests was given: %s", got)
	}
	now = now.Add(numberRest)
	if got, _ := n.Take("d", until, 0, now); got != "1" {
		t.Errorf("after its rest: %s", got)
	}
	if _, ok := n.Find(second, until); ok {
		t.Error("it leads somewhere after its time")
	}
}

func TestNumbersRunOut(t *testing.T) {
	now := time.UnixMilli(0)
	n, seen := Numbers{taken: map[int]numberOf{}}, map[string]bool{}
	for i := 21; i <= msg.MaxCodeNumber; i++ {
		n.taken[i] = numberOf{"others", now.Add(time.Minute)}
	}
	for i := range 20 {
		number, ok := n.Take(fmt.Sprint(i), now.Add(time.Minute), uint64(i), now)
		if !ok || seen[number] || !msg.ValidNumber(number) {
			t.Fatalf("number %d: %q %v", i, number, ok)
		}
		seen[number] = true
	}
	if number, ok := n.Take("one more", now.Add(time.Minute), 0, now); ok {
		t.Errorf("got %q of none", number)
	}
	if _, ok := n.Take("later", now.Add(time.Hour), 0, now.Add(time.Minute)); !ok {
		t.Error("numbers whose time is over are not free")
	}
}
