package estimate_test

import (
	"testing"
	"time"
)

// A line is squeezed from 10 Mbit/s to 300 kbit/s and let go: the target follows within two
// seconds, and is back for the top layer within twelve, by probing.
func TestSqueeze(t *testing.T) {
	for _, rtt := range []time.Duration{20 * time.Millisecond, 50 * time.Millisecond, 100 * time.Millisecond} {
		for seed := range uint64(5) {
			l := newLine(lineConfig{
				seed: seed, rate: 10_000_000, queue: 100 * time.Millisecond, rtt: rtt, jitter: 5 * time.Millisecond,
			})
			l.run(10*time.Second, nil)
			if got := l.est.Target(); got < 2_600_000 {
				t.Errorf("rtt %v, seed %d: %d before the squeeze", rtt, seed, got)
			}
			l.down.SetRate(300_000, l.now)
			l.run(2*time.Second, nil)
			if got := l.est.Target(); got >= 300_000 {
				t.Errorf("rtt %v, seed %d: %d two seconds into the squeeze", rtt, seed, got)
			}
			l.run(18*time.Second, nil)
			l.down.SetRate(10_000_000, l.now)
			back := time.Duration(0)
			l.run(12*time.Second, func(at time.Duration) {
				if back == 0 && l.est.Target() >= 2_600_000 {
					back = at
				}
			})
			if got := l.est.Target(); got < 2_600_000 {
				t.Errorf("rtt %v, seed %d: %d twelve seconds after the squeeze", rtt, seed, got)
			}
			t.Logf("rtt %v, seed %d: back after %v", rtt, seed, back-30*time.Second)
		}
	}
}

// Noting a packet costs no memory.
func TestSentAllocatesNothing(t *testing.T) {
	l := newLine(lineConfig{seed: 1, rate: 3_000_000, queue: 300 * time.Millisecond, rtt: 50 * time.Millisecond})
	l.run(5*time.Second, nil)
	if n := testing.AllocsPerRun(1000, func() {
		l.est.Sent(l.seq, 1140, l.now)
		l.seq++
		l.now = l.now.Add(time.Millisecond)
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}
