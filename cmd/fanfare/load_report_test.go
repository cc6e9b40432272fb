package main

import (
	"testing"
	"time"
)

// The time of joining ends where the measurement begins; a packet's price is of the measurement alone.
func TestServerReport(t *testing.T) {
	at := time.Date(2026, 11, 26, 0, 0, 0, 0, time.UTC)
	start := reading{at: at, user: time.Second, system: time.Second, rss: 10 << 10}
	before := reading{at: at.Add(10 * time.Second), user: 2 * time.Second, system: 4 * time.Second, rss: 30 << 10}
	after := reading{at: at.Add(14 * time.Second), user: 3 * time.Second, system: 5 * time.Second, rss: 50 << 10}
	s := serverReport{RSSStart: start.rss}
	s.fill(start, before, after, 4, 1_000_000)
	want := serverReport{
		CPUJoining: 4, CPUSeconds: 2, CPUPerPacket: 2, CPUUser: 1, CPUSystem: 1, CPUShare: 0.5,
		RSSStart: 10 << 10, RSSJoined: 30 << 10, RSSEnd: 50 << 10, RSSPerViewer: 10 << 10,
	}
	if s != want {
		t.Errorf("got %+v, want %+v", s, want)
	}
}
