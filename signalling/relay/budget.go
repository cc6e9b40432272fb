package relay

import "time"

// burst is how long a budget may be saved up: short enough that a rate is one, long enough that a
// late timer costs nothing.
const burst = 250 * time.Millisecond

// Budget is a rate of bytes that several share. Whoever has bytes spends them at once and waits
// after it until the debt is paid: so everyone has at most one reading's worth under way, and they
// come by turns.
type Budget struct {
	rate float64 // bytes a second
	have float64 // may be below zero
	at   time.Time
}

// NewBudget makes a full budget of so many bytes a second, at least 1.
func NewBudget(rate int) Budget {
	r := float64(max(rate, 1))
	return Budget{rate: r, have: r * burst.Seconds()}
}

// Take spends n bytes and returns how long to wait until they are paid for.
func (b *Budget) Take(n int, now time.Time) time.Duration {
	if since := now.Sub(b.at); !b.at.IsZero() && since > 0 {
		b.have = min(b.have+b.rate*since.Seconds(), b.rate*burst.Seconds())
	}
	if b.at.IsZero() || now.After(b.at) {
		b.at = now
	}
	b.have -= float64(n)
	if b.have >= 0 {
		return 0
	}
	return time.Duration(-b.have / b.rate * float64(time.Second))
}
