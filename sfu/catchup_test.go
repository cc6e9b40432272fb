package sfu

import (
	"testing"
	"time"

	"github.com/fanfare-relay/fanfare/media/mediatest"
	"github.com/fanfare-relay/fanfare/media/ring"
)

func TestWarp(t *testing.T) {
	const second = 90000
	for _, c := range []struct {
		name           string
		key, edge      uint32
		ts, want       uint32
		after          time.Duration
		compressesThis bool
	}{
		{"the key frame stands at the edge", 1000, 1000 + 3*second, 1000, 1000 + 3*second, 0, true},
		{"a quarter of the way", 1000, 1000 + 3*second, 1000 + second, 1000 + 3*second + second/4, 250 * time.Millisecond, true},
		{"the old edge", 1000, 1000 + 3*second, 1000 + 3*second, 1000 + 3*second + 3*second/4, 750 * time.Millisecond, true},
		{"where both meet", 1000, 1000 + 3*second, 1000 + 4*second, 1000 + 4*second, 0, false},
		{"live", 1000, 1000 + 3*second, 1000 + 9*second, 1000 + 9*second, 0, false},
		{"a late packet of before", 1000, 1000 + 3*second, 900, 900, 0, false},
		{"wrap", 0xffffff00, second, 100, second - 1 + (100+0x100)/4, (100 + 0x100) / 4 * time.Second / second, true},
		{"nothing to catch up with", 1000, 1000, 1500, 1500, 0, false},
		{"an edge before the key frame", 5000, 1000, 5500, 5500, 0, false},
		{"too long", 1000, 1000 + 11*second, 2000, 2000, 0, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWarp(c.key, c.edge, second)
			if got := w.apply(c.ts); got != c.want {
				t.Errorf("apply(%d) = %d, want %d", c.ts, got, c.want)
			}
			if after, ok := w.covers(c.ts, second); after != c.after || ok != c.compressesThis {
				t.Errorf("covers(%d) = %v, %v", c.ts, after, ok)
			}
		})
	}
}

// Of two frames the later one is shown later, and never before the live edge of the start. Where each is shown, and when it
// is sent, is what the model says, also of a group that begins later.
func FuzzWarp(f *testing.F) {
	f.Add(uint32(0), uint32(450000), uint32(0), uint32(3000), false)
	f.Add(uint32(1000), uint32(270_001), uint32(90_001), uint32(2), false) // a unit is left out
	f.Add(uint32(1000), uint32(270_002), uint32(360_003), uint32(1), true) // two are, around where the live pictures are met
	f.Add(uint32(1000), uint32(270_000), uint32(359_999), uint32(0), true)
	f.Add(uint32(1000), uint32(270_001), uint32(269_999), uint32(1), false)    // around the end of what was there
	f.Add(uint32(0xffff_ff00), uint32(90_000), uint32(255), uint32(4), false)  // the source's numbers begin again
	f.Add(uint32(7), uint32(2), uint32(0), uint32(89_999), false)              // too short to be compressed
	f.Add(uint32(7), uint32(3), uint32(1), uint32(89_999), false)              // just long enough
	f.Add(uint32(7), uint32(900_000), uint32(1_199_999), uint32(1), false)     // as long as it may be
	f.Add(uint32(7), uint32(900_001), uint32(100), uint32(3000), false)        // longer
	f.Add(uint32(7), uint32(480_001), uint32(100), uint32(3000), true)         // longer, of sound
	f.Add(uint32(5000), uint32(0xffff_f060), uint32(500), uint32(3000), false) // an edge before the key frame
	f.Fuzz(func(t *testing.T, key, length, ts, step uint32, sound bool) {
		clockRate := uint32(90_000)
		if sound {
			clockRate = 48_000
		}
		if int32(length) >= 0 {
			length %= 1_000_000
		}
		ts, step = ts%2_000_000, step%90_000
		w := newWarp(key, key+length, clockRate)
		exact := newModelWarp(int64(int32(length)), int64(clockRate))
		for _, d := range []int64{0, int64(ts), int64(ts + step)} {
			checkWarp(t, w, exact, exact.rounded(), 3, d, clockRate)
		}
		a, b := w.apply(key+ts), w.apply(key+ts+step)
		if rise := b - a; rise > step || step >= catchupSpeed && rise == 0 {
			t.Fatalf("%d further on shows %d further on", step, rise)
		}
		if w.span > 0 && a-w.edge > 1<<31 {
			t.Fatalf("%d is shown at %d, before the edge %d", key+ts, a, w.edge)
		}
		// Begun later, the rest is shown no sooner, in the same order, and the key frame where it was.
		l := w.later(step)
		if l.apply(key) != w.apply(key) || l.apply(key+ts)-a > 1<<31 || l.apply(key+ts+1)-l.apply(key+ts) > 1<<31 {
			t.Fatalf("%d later: %d is shown at %d, not %d", step, key+ts, l.apply(key+ts), a)
		}
		checkLater(t, l, exact, int64(step), int64(ts), clockRate)
	})
}

// checkLater compares a warp that begins later with the model. Both lengths are rounded, so that it may be off by two units
// more. One of fewer than three units is none, and does not begin.
func checkLater(t *testing.T, l warp, exact modelWarp, by, ts int64, clockRate uint32) {
	t.Helper()
	rounded := exact.rounded()
	if rounded.length.Sign() > 0 {
		exact = exact.later(by)
	}
	rounded = rounded.later(by).rounded()
	for _, d := range []int64{0, ts} {
		checkWarp(t, l, exact, rounded, 5, d, clockRate)
	}
}

// A viewer joins in the middle of a group of five seconds, and shortly before the next picture: 30 frames a
// second of 10 KB, after a key frame of 100 KB. What it gets is simulated in steps of a millisecond.
func TestCatchupPace(t *testing.T) {
	const step = time.Second / 30
	e := testEncoding(quiet(t, nil), 4096)
	source, start := testSource(), time.Unix(1000, 0)
	send := func(i int) {
		size := 10_000
		if i == 0 {
			size = 100_000
		}
		take(t, e, start.Add(time.Duration(i)*step), source.Next(mediatest.Frame{Key: i == 0, Size: size})...)
	}
	frames := 0
	for ; frames < 150; frames++ {
		send(frames)
	}
	joined := start.Add(time.Duration(frames-1)*step + 30*time.Millisecond)
	v := testEgress()
	v.choose(e, joined)
	if !v.tryStart(joined) || e.askedAt.Load() != 0 {
		t.Fatal("not started from the history")
	}
	rate := float64(e.bitrate()) / 8
	var sent, edgeAt int
	for ms := 0; ms < 3000; ms++ {
		now := joined.Add(time.Duration(ms) * time.Millisecond)
		for start.Add(time.Duration(frames) * step).Before(now) {
			send(frames)
			frames++
		}
		for {
			p, err := v.enc.ring.At(v.pos)
			if err != nil {
				v.catchup.active = false
				edgeAt = max(edgeAt, 1)
				break
			}
			at, ok := v.catchup.admit(p, now)
			if !ok {
				if !at.After(now) || at.After(now.Add(200*time.Millisecond)) {
					t.Fatalf("at %d ms: wait until %v", ms, at.Sub(now))
				}
				break
			}
			v.pos++
			sent += len(p.Payload)
			checkShown(t, &v, p, start, now)
		}
		if edgeAt == 1 {
			edgeAt = ms
		}
		if edgeAt == 0 {
			if most := catchupSpeed*rate*float64(ms+1)/1000 + catchupAtOnce + 2000; float64(sent) > most {
				t.Fatalf("%d bytes in %d ms, more than %v times the rate", sent, ms, catchupSpeed)
			}
		}
	}
	if edgeAt < 1500 || edgeAt > 1900 {
		t.Errorf("the live edge was reached after %d ms; five seconds at four times the speed take 1667", edgeAt)
	}
	if n := e.ring.Head() - v.pos; n != 0 {
		t.Errorf("%d packets behind", n)
	}
}

// Who is there when a stream begins is let in at its first packet, of which no rate can be told, and is at
// the live edge all the same: 100 KB of key frame, 2.4 Mbit/s from then on.
func TestCatchupOfAStreamThatBegins(t *testing.T) {
	const step = time.Second / 30
	w := quiet(t, nil)
	e := testEncoding(w, 4096)
	source, now := testSource(), time.Unix(1000, 0)
	key := source.Next(mediatest.Frame{Key: true, Size: 100_000})
	take(t, e, now, key[0])
	v := testEgress()
	v.choose(e, now)
	if !v.tryStart(now) {
		t.Fatal("not started")
	}
	take(t, e, now, key[1:]...)
	for i := range 30 {
		for end := now.Add(step); now.Before(end); now = now.Add(time.Millisecond) {
			v.catchup.follow(e.bitrate(), 0, now)
			for p, err := v.enc.ring.At(v.pos); err == nil; p, err = v.enc.ring.At(v.pos) {
				if _, ok := v.catchup.admit(p, now); !ok {
					break
				}
				v.pos++
			}
		}
		if i < 29 {
			take(t, e, now, source.Next(mediatest.Frame{Size: 10_000})...)
		}
	}
	if n := e.ring.Head() - v.pos; n != 0 {
		t.Errorf("%d packets behind after a second", n)
	}
}

// At 20 Mbit/s, too, a viewer at whom the worker looks only when the pace said so is at the live edge in time.
func TestCatchupOfAHighRate(t *testing.T) {
	const step = time.Second / 30
	e := testEncoding(quiet(t, nil), 16384)
	source, now := testSource(), time.Unix(1000, 0)
	take(t, e, now, source.Next(mediatest.Frame{Key: true, Size: 83_000})...)
	for range 59 {
		now = now.Add(step)
		take(t, e, now, source.Next(mediatest.Frame{Size: 83_000})...)
	}
	v := testEgress()
	v.choose(e, now)
	if !v.tryStart(now) {
		t.Fatal("not started")
	}
	for range 24 { // two seconds at four times the speed are caught up with after two thirds of a second
		for next := now.Add(step); now.Before(next); {
			v.catchup.follow(e.bitrate(), 0, now)
			now = v.look(now, next)
		}
		take(t, e, now, source.Next(mediatest.Frame{Size: 83_000})...)
	}
	v.look(now, now.Add(step))
	if n := e.ring.Head() - v.pos; n > 80 {
		t.Errorf("%d packets behind", n)
	}
}

// look sends what may be sent, and returns when to look again, but for what comes by then.
func (t *egress) look(now, latest time.Time) time.Time {
	for p, err := t.enc.ring.At(t.pos); err == nil; p, err = t.enc.ring.At(t.pos) {
		at, ok := t.catchup.admit(p, now)
		if !ok {
			if at.Before(latest) {
				return at
			}
			return latest
		}
		t.pos++
	}
	return latest
}

// A viewer at which a busy worker looks seldom catches up all the same: what one look may send grows with the time between two.
func TestCatchupInLongRounds(t *testing.T) {
	const round = 100 * time.Millisecond
	e := testEncoding(quiet(t, nil), 4096)
	source, now := testSource(), time.Unix(1000, 0)
	stream := func(frames int, f mediatest.Frame) {
		for range frames {
			take(t, e, now, source.Next(f)...)
			now = now.Add(round / 3)
		}
	}
	stream(1, mediatest.Frame{Key: true, Size: 10_000})
	stream(150, mediatest.Frame{Size: 10_000})
	v := testEgress()
	v.choose(e, now)
	if !v.tryStart(now) {
		t.Fatal("not started")
	}
	for range 40 {
		v.catchup.follow(e.bitrate(), round, now)
		if at := v.look(now, now.Add(round)); !at.After(now) {
			t.Fatal("it has to wait for no time")
		}
		if v.pos == e.ring.Head() {
			return
		}
		stream(3, mediatest.Frame{Size: 10_000})
	}
	t.Errorf("%d packets behind after four seconds", e.ring.Head()-v.pos)
}

// checkShown compares when a packet came with when one that is sent live comes with the timestamp under which it is
// shown. start is when the source's first frame, at 0, was taken.
func checkShown(t *testing.T, v *egress, p *ring.Packet, start, now time.Time) {
	t.Helper()
	shown := start.Add(time.Duration(v.catchup.apply(p.Timestamp)) * time.Second / 90000)
	late := now.Sub(shown)
	if least, most := -2*time.Millisecond, 12*time.Millisecond; p.Timestamp != v.catchup.key && (late < least || late > most) {
		t.Fatalf("%v after the beginning a packet came %v after its time", now.Sub(v.began), late)
	}
}

// Who is let in between two pictures sees the key frame at the moment itself, a moment after the newest one. A
// source that pauses stands still.
func TestLiveEdge(t *testing.T) {
	came := time.Unix(1000, 0)
	newest := &ring.Packet{Timestamp: 0xffffff00, Arrival: came}
	for _, c := range []struct {
		after time.Duration
		want  uint32
	}{{0, 0xffffff00}, {20 * time.Millisecond, 1800 - 0x100}, {encodingBehind, 0xffffff00}, {-time.Second, 0xffffff00}} {
		if got := liveEdge(newest, 90000, came.Add(c.after)); got != c.want {
			t.Errorf("after %v: %#x, want %#x", c.after, got, c.want)
		}
	}
}

// Pictures behind the key frame run from the moment when it has gone, if they have waited for it; what comes
// later than the viewer keeps to the moment when that was let in.
func TestCatchupBegins(t *testing.T) {
	const rate = 90_000
	joined := time.Unix(1000, 0)
	for _, c := range []struct {
		name        string
		ts          uint32
		start, edge time.Duration
	}{
		{"waited", rate, 100 * time.Millisecond, 3100 * time.Millisecond},
		{"came later", 3*rate + 1, 0, 3 * time.Second},
	} {
		t.Run(c.name, func(t *testing.T) {
			u := newCatchup(0, 3*rate, rate, 50_000_000, joined)
			key := u.apply(0)
			u.admit(&ring.Packet{Timestamp: 0, Payload: make([]byte, 1000)}, joined)
			u.admit(&ring.Packet{Timestamp: c.ts, Payload: make([]byte, 1000)}, joined.Add(100*time.Millisecond))
			if got := u.start.Sub(joined); got != c.start || u.edge != ticks(c.edge, rate) || u.apply(0) != key {
				t.Errorf("begins %v later at %d, the key frame at %d", got, u.edge, u.apply(0))
			}
			u.admit(&ring.Packet{Timestamp: c.ts + 1, Payload: make([]byte, 1000)}, joined.Add(time.Second))
			if got := u.start.Sub(joined); got != c.start {
				t.Errorf("begins again, %v later", got)
			}
		})
	}
}

// A repeat of a packet that has just been sent from the history is not too late.
func TestCatchupSentAt(t *testing.T) {
	began := time.Unix(1000, 0)
	c := newCatchup(0, 450_000, 90_000, 2_400_000, began.Add(80*time.Millisecond))
	p := &ring.Packet{Timestamp: 360_000, Arrival: began.Add(-time.Second)}
	if got := c.sentAt(p, began).Sub(began); got != 1080*time.Millisecond {
		t.Errorf("sent %v after the start", got)
	}
	live := &ring.Packet{Timestamp: 900_000, Arrival: began.Add(5 * time.Second)}
	if got := c.sentAt(live, began); !got.Equal(live.Arrival) {
		t.Errorf("a live packet was sent at %v", got)
	}
}
