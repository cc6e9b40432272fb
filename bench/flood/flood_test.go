package main

import (
	"context"
	"net"
	"testing"
	"time"
)

// Every class comes, in every length, and the same seed gives the same.
func TestMaker(t *testing.T) {
	one, other := newMaker(5), newMaker(5)
	first, longest, shortest := map[byte]int{}, 0, 1<<20
	for range 4000 {
		a, b := one.next(), other.next()
		if string(a) != string(b) {
			t.Fatal("the same seed gives another datagram")
		}
		longest, shortest = max(longest, len(a)), min(shortest, len(a))
		if len(a) > 0 {
			first[a[0]]++
		}
	}
	for _, head := range beginnings {
		if first[head[0]] < 20 {
			t.Errorf("%#x began %d datagrams", head[0], first[head[0]])
		}
	}
	if longest < 1300 || shortest != 0 {
		t.Errorf("between %d and %d bytes", shortest, longest)
	}
}

// As many are sent as the rate and the time say, or the flood ends when it is told to.
func TestFlood(t *testing.T) {
	sink, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	defer sink.Close()
	sent, _, err := flood(context.Background(), sink.LocalAddr().String(), 1000, 50*time.Millisecond, newMaker(1))
	if err != nil || sent != 50 {
		t.Errorf("%d sent, %v", sent, err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if sent, _, err = flood(ctx, sink.LocalAddr().String(), 1, time.Hour, newMaker(1)); err == nil || sent > 1 {
		t.Errorf("%d sent after the end, %v", sent, err)
	}
}
