package signalling

import (
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// Requests a minute from one client, by SECURITY section 2: few that fail, since who fails
// often is guessing; many that succeed, since a class sits behind one address.
const (
	refusedPerMinute = 10  // WHIP requests, and hellos of publishers, with a wrong key or body
	wrongPerMinute   = 5   // wrong viewer passwords
	goodPerMinute    = 300 // sessions made; counted apart for WHIP, WHEP, /play, its answers and /ws
	openedPerMinute  = 10  // rooms of files opened without a key
	numbersPerMinute = 30  // hellos with the number of a short code
	// maxUnfinishedEach bounds the sessions of one client that were answered and have not
	// connected: a class that opens one link at once fits in, a flood of offers does not.
	maxUnfinishedEach = 64
	// maxClients bounds what is remembered; clients with full budgets are forgotten first.
	maxClients = 20_000
)

// meter counts one kind of request for each client. Its zero value is not ready; see newMeter.
type meter struct {
	perMinute int
	off       bool

	mu      sync.Mutex
	clients map[string]*rate.Limiter
}

func newMeter(perMinute int, off bool) *meter {
	return &meter{perMinute: perMinute, off: off, clients: map[string]*rate.Limiter{}}
}

// wait returns how long the client must wait before it may ask; 0 means now. Nothing is spent.
func (m *meter) wait(client string, now time.Time) time.Duration {
	if m.off {
		return 0
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	l, ok := m.clients[client]
	if !ok {
		return 0
	}
	missing := 1 - l.TokensAt(now)
	if missing <= 0 {
		return 0
	}
	return time.Duration(missing * 60 / float64(m.perMinute) * float64(time.Second))
}

// spend takes one from the client's budget, which may already be empty.
func (m *meter) spend(client string, now time.Time) {
	if m.off {
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	l, ok := m.clients[client]
	if !ok {
		m.makeRoom(now)
		l = rate.NewLimiter(rate.Limit(float64(m.perMinute)/60), m.perMinute)
		m.clients[client] = l
	}
	l.AllowN(now, 1)
}

// take is wait and spend in one: it spends only when nothing has to be waited for.
func (m *meter) take(client string, now time.Time) time.Duration {
	d := m.wait(client, now)
	if d == 0 {
		m.spend(client, now)
	}
	return d
}

// makeRoom forgets clients whose budget is whole again, and when there are too many others
// still, any: a flood from many addresses must not fill the memory.
func (m *meter) makeRoom(now time.Time) {
	if len(m.clients) < maxClients {
		return
	}
	for client, l := range m.clients {
		if l.TokensAt(now) >= float64(m.perMinute) {
			delete(m.clients, client)
		}
	}
	for client := range m.clients {
		if len(m.clients) < maxClients {
			return
		}
		delete(m.clients, client)
	}
}

// meters are all that is counted by client.
type meters struct {
	refused, wrong    *meter
	whip, whep, hello *meter
	play, played      *meter // addresses and answers, apart: who waits for a recording must not keep others from watching
	opened, numbers   *meter
}

func newMeters(off bool) meters {
	return meters{
		refused: newMeter(refusedPerMinute, off), wrong: newMeter(wrongPerMinute, off),
		whip: newMeter(goodPerMinute, off), whep: newMeter(goodPerMinute, off), hello: newMeter(goodPerMinute, off),
		play: newMeter(goodPerMinute, off), played: newMeter(goodPerMinute, off),
		opened: newMeter(openedPerMinute, off), numbers: newMeter(numbersPerMinute, off),
	}
}
