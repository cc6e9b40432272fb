package pace_test

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/fanfare-relay/fanfare/media"
	"github.com/fanfare-relay/fanfare/media/pace"
)

var epoch = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

func TestBucket(t *testing.T) {
	b := pace.NewBucket(8_000_000, 3000) // a byte a microsecond
	ms := func(n int) time.Time { return epoch.Add(time.Duration(n) * time.Millisecond) }
	steps := []struct {
		name string
		n    int
		at   time.Time
		want bool
	}{
		{"the burst", 2000, ms(0), true},
		{"not beyond it", 1200, ms(0), false},
		{"refusing costs nothing", 1000, ms(0), true},
		{"empty", 1, ms(0), false},
		{"filled again", 1000, ms(1), true},
		{"a clock that goes back", 1, ms(0), false},
		{"no more than a burst is saved", 3001, ms(100), true},
		{"and the byte beyond is paid for", 3000, ms(103), false},
		{"in full", 2999, ms(103), true},
	}
	for _, s := range steps {
		if got := b.Take(s.n, s.at); got != s.want {
			t.Fatalf("%s: Take(%d) = %v", s.name, s.n, got)
		}
	}
	if at := b.Deadline(1000); !at.Equal(ms(104)) {
		t.Errorf("Deadline = %v", at.Sub(epoch))
	}
	b.SetRate(4_000_000, ms(103))
	if at := b.Deadline(1000); !at.Equal(ms(105)) {
		t.Errorf("Deadline at half the rate = %v", at.Sub(epoch))
	}
	if at := b.Deadline(1 << 30); !at.Equal(ms(109)) {
		t.Errorf("Deadline of more than a burst = %v", at.Sub(epoch))
	}
}

// Whatever is asked for, no stretch of time carries more than the burst, the rate and one packet;
// and at its deadline a packet may leave.
func FuzzBucket(f *testing.F) {
	f.Add(uint64(1), int64(2_400_000), 10_000)
	f.Add(uint64(2), int64(-1), 0)
	f.Add(uint64(3), int64(1<<62), 1<<62)
	f.Fuzz(func(t *testing.T, seed uint64, rate int64, burst int) {
		rng := rand.New(rand.NewPCG(seed, 0))
		b := pace.NewBucket(media.Bitrate(rate), burst)
		bits := float64(min(max(rate, 1), 1e9))
		room := float64(min(max(burst, 1), 125_000_000))
		now, taken := epoch, 0.0
		for range 200 {
			n := rng.IntN(1500)
			if !b.Take(n, now) {
				at := b.Deadline(n)
				if !at.After(now) {
					t.Fatalf("refused, with a deadline %v ago", now.Sub(at))
				}
				now = at
				if !b.Take(n, now) {
					t.Fatalf("refused at its deadline")
				}
			}
			taken += float64(n)
			if most := room + bits/8*now.Sub(epoch).Seconds() + 1500; taken > most*1.000001 {
				t.Fatalf("%v bytes left, at most %v", taken, most)
			}
			now = now.Add(time.Duration(rng.Int64N(int64(time.Second / 100))))
		}
	})
}

// Who is asked seldom saves up as much as comes in, once the burst is that large.
func TestSetBurst(t *testing.T) {
	now := time.Unix(0, 0)
	b := pace.NewBucket(80_000, 1000) // 10 bytes a millisecond
	b.Take(1000, now)
	now = now.Add(300 * time.Millisecond)
	if b.Take(1001, now) && b.Take(1, now) {
		t.Error("more than a burst was saved")
	}
	b.SetBurst(3000, now)
	now = now.Add(300 * time.Millisecond)
	if !b.Take(1500, now) || !b.Take(1400, now) || b.Take(1000, now) {
		t.Error("what came in was not saved")
	}
	b.SetBurst(500, now)
	now = now.Add(time.Second)
	if !b.Take(400, now) || b.Take(200, now) {
		t.Error("more than the smaller burst was saved")
	}
}

func TestBucketAllocatesNothing(t *testing.T) {
	b, now := pace.NewBucket(2_400_000, 5000), epoch
	if n := testing.AllocsPerRun(1000, func() {
		now = now.Add(time.Millisecond)
		if !b.Take(1200, now) {
			b.Deadline(1200)
		}
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func BenchmarkTake(b *testing.B) {
	bucket, now := pace.NewBucket(2_400_000, 5000), epoch
	b.ReportAllocs()
	for b.Loop() {
		now = now.Add(time.Millisecond)
		bucket.Take(1200, now)
	}
}
