package schedule

import (
	"testing"
	"time"
)

// modelLine is a line with a queue that never loses, somebody who answers at its end, and always something to send.
type modelLine struct {
	Uplink
	carries   float64       // bytes a millisecond
	roundTrip time.Duration // with nothing in the queue
	now       time.Time
	waits     float64 // bytes before the line
	budget    float64 // bytes that may be handed to it
	handed    int64
	left      []int64 // bytes that have left it, by the millisecond
	answers   []modelAnswer
	answered  int
	further   time.Duration // that every way takes more than before
}

type modelAnswer struct {
	at   time.Time
	took time.Duration
}

func newModelLine(carries float64, roundTrip time.Duration) *modelLine {
	m := &modelLine{carries: carries, roundTrip: roundTrip, now: time.Unix(1e9, 0), left: make([]int64, 1+roundTrip.Milliseconds())}
	m.Begin(0, roundTrip, Gone{}, m.now)
	return m
}

// gone is what was handed over, and what is known to have left: a round trip ago.
func (m *modelLine) gone() Gone {
	return Gone{Handed: m.handed, Left: m.left[len(m.left)-1-int(m.roundTrip.Milliseconds())]}
}

// run sends for so many milliseconds, and returns the share of the line that was used, and how long the longest queue took to leave.
func (m *modelLine) run(ms int) (used float64, longest time.Duration) {
	before := m.left[len(m.left)-1]
	for range ms {
		m.now = m.now.Add(time.Millisecond)
		out := min(m.waits, m.carries)
		m.waits -= out
		m.left = append(m.left, m.left[len(m.left)-1]+int64(out))
		for len(m.answers) > 0 && !m.now.Before(m.answers[0].at) {
			m.answered++
			m.Answered(Peer(m.answered%Ways), m.answers[0].took, m.answers[0].took-m.roundTrip+m.further, m.gone(), m.now)
			m.answers = m.answers[1:]
		}
		if m.Asks(m.gone(), m.now) {
			took := m.roundTrip + time.Duration(m.waits/m.carries*float64(time.Millisecond))
			m.answers = append(m.answers, modelAnswer{m.now.Add(took), took})
		}
		const leaf, held = 64 << 10, 1 << 20 // bytes; so much fits into the channels
		for m.budget = min(leaf, m.budget+m.Rate()/1000); m.budget >= 0 && m.waits < held; m.budget -= leaf {
			m.waits += leaf
			m.handed += leaf
		}
		longest = max(longest, time.Duration(m.waits/m.carries*float64(time.Millisecond)))
	}
	return float64(m.left[len(m.left)-1]-before) / (float64(ms) * m.carries), longest
}

// TestUplinkFillsItsLine: whatever line it is, it is soon in use, and little waits: a leaf or two on a slow one.
func TestUplinkFillsItsLine(t *testing.T) {
	const leaf = 64 << 10
	for _, c := range []struct {
		carries   float64
		roundTrip time.Duration
	}{
		{625, 50 * time.Millisecond}, {1250, 20 * time.Millisecond}, {1250, 50 * time.Millisecond}, {2500, 50 * time.Millisecond},
		{2500, 300 * time.Millisecond}, {12_500, 100 * time.Millisecond}, {125_000, 2 * time.Millisecond},
	} {
		m := newModelLine(c.carries, c.roundTrip)
		m.run(10_000) // it finds out
		used, longest := m.run(10_000)
		most := 100*time.Millisecond + c.roundTrip/2 + time.Duration(2*leaf/c.carries*float64(time.Millisecond))
		t.Logf("%.0f bytes a millisecond over %v: %.3f of it used, at most %v wait", c.carries, c.roundTrip, used, longest)
		if used < 0.93 || longest > most {
			t.Errorf("%.0f bytes a millisecond over %v: %.3f of it used, %v wait, not %v", c.carries, c.roundTrip, used, longest, most)
		}
	}
}

// TestUplinkFindsOut: a line of 20 Mbit/s is in use from the first moments on, and one that is ten times as wide in a second.
func TestUplinkFindsOut(t *testing.T) {
	m := newModelLine(2500, 50*time.Millisecond)
	if used, longest := m.run(1000); used < 0.85 || longest > 400*time.Millisecond {
		t.Errorf("%.3f of it used in the first second, %v wait", used, longest)
	}
	m = newModelLine(25_000, 50*time.Millisecond)
	m.run(1500)
	if used, _ := m.run(1000); used < 0.9 {
		t.Errorf("%.3f of a wide line used after a second and a half", used)
	}
}

// TestUplinkFollows: a line that becomes narrow is noticed in some seconds, one that becomes wide, too.
func TestUplinkFollows(t *testing.T) {
	m := newModelLine(2500, 50*time.Millisecond)
	m.run(3000)
	m.carries = 625
	m.run(20_000)
	if _, longest := m.run(2000); longest > 350*time.Millisecond {
		t.Errorf("%v wait on a line that has become narrow", longest)
	}
	m.carries = 5000
	m.run(3000)
	if used, _ := m.run(1000); used < 0.9 {
		t.Errorf("%.3f used of a line that has become wide", used)
	}
}

// TestUplinkAfterAPause: a time with nothing to send, or with less than the line takes, is no word on it.
func TestUplinkAfterAPause(t *testing.T) {
	now := time.Unix(1e9, 0)
	var u Uplink
	u.Begin(5e6, time.Second, Gone{}, now)
	for k := range int64(20) { // what there was is handed over at once, and answers take long for other reasons
		now = now.Add(time.Second)
		so := Gone{Handed: k << 23}
		if !u.Asks(so, now) {
			t.Fatal("it does not ask")
		}
		u.Answered(Peer(k%Ways), 300*time.Millisecond, 250*time.Millisecond, so, now.Add(300*time.Millisecond))
	}
	if u.Rate() != 5e6 {
		t.Errorf("%.0f bytes a second, where nothing was to be sent", u.Rate())
	}
}

// TestUplinkOfWhatStays: when every way has become longer, or others fill the line, no drain makes that less, and the line stays in use.
func TestUplinkOfWhatStays(t *testing.T) {
	m := newModelLine(2500, 50*time.Millisecond)
	m.run(3000)
	m.further = 150 * time.Millisecond
	if used, _ := m.run(5000); used < 0.6 {
		t.Errorf("%.3f used in the first seconds of a longer way", used)
	}
	used, longest := m.run(5000)
	if used < 0.93 || longest > 250*time.Millisecond {
		t.Errorf("%.3f used of a line whose ways are longer, %v wait", used, longest)
	}
	m.further = 0
	m.run(1000)
	if used, longest := m.run(5000); used < 0.93 || longest > 250*time.Millisecond {
		t.Errorf("%.3f used when they are as before, %v wait", used, longest)
	}
}

// TestUplinkOfLiars: two who say that everything waits slow down nobody.
func TestUplinkOfLiars(t *testing.T) {
	now := time.Unix(1e9, 0)
	var u Uplink
	u.Begin(5e6, time.Second, Gone{}, now)
	for k := range int64(1000) { // all that may go out does
		now = now.Add(20 * time.Millisecond)
		so := Gone{Handed: k * 1e5, Left: k * 1e5}
		u.Asks(so, now)
		u.Answered(Peer(k%2), 5*time.Millisecond, time.Minute, so, now)
	}
	if u.Rate() < 5e6 {
		t.Errorf("%.0f bytes a second by the word of two", u.Rate())
	}
}
