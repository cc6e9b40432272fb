package schedule_test

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/fanfare-relay/fanfare/mesh/schedule"
)

// leafID names a leaf.
type leafID struct{ piece, leaf int }

// model is the slow, obvious account of what a scheduler said and was told.
type model struct {
	t     testing.TB
	cfg   schedule.Config
	s     *schedule.Scheduler
	now   time.Time
	here  map[schedule.Peer]bool
	shown map[schedule.Peer]map[int]bool   // by peers to us
	owed  map[schedule.Peer]map[leafID]int // asked for, and the order of asking
	asked map[schedule.Peer]map[leafID]int // by peers of us, how often
	got   map[leafID]bool
	order int
}

func newModel(t testing.TB, cfg schedule.Config, seed uint64) *model {
	return &model{
		t: t, cfg: cfg, now: epoch, s: schedule.New(cfg, rand.New(rand.NewPCG(seed, 1))),
		here: map[schedule.Peer]bool{}, shown: map[schedule.Peer]map[int]bool{}, owed: map[schedule.Peer]map[leafID]int{},
		asked: map[schedule.Peer]map[leafID]int{}, got: map[leafID]bool{},
	}
}

func (m *model) join(p schedule.Peer) {
	m.s.PeerJoined(p, 1, 50*time.Millisecond)
	m.here[p], m.shown[p], m.owed[p], m.asked[p] = true, map[int]bool{}, map[leafID]int{}, map[leafID]int{}
}

func (m *model) leave(p schedule.Peer) {
	m.s.PeerLeft(p)
	delete(m.here, p)
	delete(m.shown, p)
	delete(m.owed, p)
	delete(m.asked, p)
}

// show shows pieces as far as they exist.
func (m *model) show(p schedule.Peer, first, count int) {
	err := m.s.Shown(p, first, count)
	if bad := count < 1 || first+count > m.cfg.Pieces(); bad != (err != nil) {
		m.t.Fatalf("shown %d+%d: %v", first, count, err)
	}
	for i := first; err == nil && m.here[p] && i < first+count; i++ {
		m.shown[p][i] = true
	}
}

// deliver has a peer send what it owes, the k-th in the order of asking.
func (m *model) deliver(p schedule.Peer, k int) bool {
	if len(m.owed[p]) == 0 {
		return false
	}
	k %= len(m.owed[p])
	var chosen leafID
	for id, order := range m.owed[p] {
		before := 0
		for _, other := range m.owed[p] {
			if other < order {
				before++
			}
		}
		if before == k {
			chosen = id
		}
	}
	if got := m.s.Expects(p, chosen.piece, chosen.leaf, m.now); got != schedule.Asked {
		m.t.Fatalf("%v of %d is expected as %d", chosen, p, got)
	}
	if !m.s.LeafArrived(p, chosen.piece, chosen.leaf, m.now) {
		m.t.Fatalf("%v of %d was no news", chosen, p)
	}
	m.got[chosen] = true
	delete(m.owed[p], chosen)
	return true
}

// next takes the frames and holds them against the account.
func (m *model) next() {
	for _, a := range m.s.AppendNext(nil, m.now) {
		if !m.here[a.Peer] {
			m.t.Fatalf("a frame to %d, who is not here: %s", a.Peer, frame(a))
		}
		for l := a.First; a.Kind != schedule.Have && l < a.First+a.Count; l++ {
			id := leafID{a.Piece, l}
			switch a.Kind {
			case schedule.Want:
				m.want(a.Peer, id)
			case schedule.Cancel:
				if _, owed := m.owed[a.Peer][id]; !owed {
					m.t.Fatalf("cancelled what was not asked for: %s", frame(a))
				}
				delete(m.owed[a.Peer], id)
			}
		}
	}
	m.bounds()
}

func (m *model) want(p schedule.Peer, id leafID) {
	if m.got[id] || !m.shown[p][id.piece] {
		m.t.Fatalf("%v wanted of %d: here %v, shown %v", id, p, m.got[id], m.shown[p][id.piece])
	}
	if _, twice := m.owed[p][id]; twice {
		m.t.Fatalf("%v wanted of %d twice", id, p)
	}
	for other, owed := range m.owed {
		if _, twice := owed[id]; twice && m.s.Missing() >= 2*len(m.here) {
			m.t.Fatalf("%v wanted of %d and %d outside the end game", id, other, p)
		}
	}
	m.order++
	m.owed[p][id] = m.order
}

func (m *model) bounds() {
	all := int64(0)
	for p, owed := range m.owed {
		sum := int64(0)
		for id := range owed {
			sum += m.cfg.LeafBytes(id.piece, id.leaf)
		}
		if sum > m.cfg.Pair {
			m.t.Fatalf("%d bytes are asked of %d, of %d", sum, p, m.cfg.Pair)
		}
		all += sum
	}
	if all > m.cfg.Budget {
		m.t.Fatalf("%d bytes are asked for, of %d", all, m.cfg.Budget)
	}
}

// ask has a peer ask us.
func (m *model) ask(p schedule.Peer, piece, first, count int) {
	if m.s.Wanted(p, piece, first, count) != nil || !m.here[p] || !m.s.Has(piece) {
		return
	}
	for l := first; l < first+count; l++ {
		m.asked[p][leafID{piece, l}]++
	}
}

func (m *model) cancel(p schedule.Peer, piece, first, count int) {
	if m.s.Cancelled(p, piece, first, count) != nil {
		return
	}
	for l := first; l < first+count; l++ {
		delete(m.asked[p], leafID{piece, l})
	}
}

func (m *model) send() bool {
	n, ok := m.s.NextSend(m.now)
	if !ok {
		return false
	}
	id := leafID{n.Piece, n.Leaf}
	if m.asked[n.Peer][id] == 0 || !m.s.Has(n.Piece) {
		m.t.Fatalf("%v is sent to %d, who did not ask", id, n.Peer)
	}
	m.asked[n.Peer][id]--
	m.s.Sent(n, m.now)
	return true
}

// finish lets everybody who is here deliver, and one who has everything join: all must come.
func (m *model) finish() {
	last := schedule.Peer(schedule.MaxPeers - 1)
	m.s.Select(0, m.cfg.Pieces(), true, m.now)
	m.join(last)
	m.show(last, 0, m.cfg.Pieces())
	for m.next(); m.s.Missing() > 0; m.next() {
		moved := false
		for p := range schedule.Peer(schedule.MaxPeers) {
			for m.here[p] && m.deliver(p, 0) {
				m.next()
				moved = true
			}
		}
		if moved {
			continue
		}
		at, ok := m.s.Deadline()
		if !ok || !at.After(m.now) {
			m.t.Fatalf("%d pieces are missing, and nothing is to come (deadline %v, now %v)", m.s.Missing(), at, m.now)
		}
		m.now = at
	}
	for m.send() {
	}
	if m.s.Held() != m.cfg.Pieces() {
		m.t.Fatalf("held %d of %d", m.s.Held(), m.cfg.Pieces())
	}
}

// FuzzScheduler plays any facts in any order against what must always hold: no leaf is asked of
// two outside the end game, no window is exceeded, nothing is sent that was not asked for, and in
// the end everything is here.
func FuzzScheduler(f *testing.F) {
	for seed := range uint64(8) {
		r := rand.New(rand.NewPCG(seed, 9))
		input := make([]byte, 600)
		for i := range input {
			input[i] = byte(r.Uint32())
		}
		f.Add(input)
	}
	f.Fuzz(func(t *testing.T, input []byte) {
		if len(input) > 4000 {
			return
		}
		next := func() int {
			if len(input) == 0 {
				return 0
			}
			b := input[0]
			input = input[1:]
			return int(b)
		}
		cfg := schedule.DefaultConfig(schedule.Shape{Size: int64(1 + 10*next()), Piece: int64(10 * (1 + next()%8)), Leaf: 10})
		cfg.Pair, cfg.Budget = int64(10*(1+next()%20)), int64(10*(1+next()%60))
		m := newModel(t, cfg, uint64(next()))
		for len(input) > 0 {
			m.play(next(), schedule.Peer(next()%6), next)
			m.next()
		}
		m.finish()
	})
}

// play tells one fact.
func (m *model) play(fact int, p schedule.Peer, next func() int) {
	piece := next() % (m.cfg.Pieces() + 1)
	switch fact % 12 {
	case 0:
		if !m.here[p] {
			m.join(p)
		}
	case 1:
		if next()%4 == 0 {
			m.leave(p)
		}
	case 2, 3:
		m.show(p, piece, 1+next()%16)
	case 4, 5, 6:
		m.deliver(p, next())
	case 7:
		m.reject(p, piece, schedule.Reason(1+next()%4))
	case 8:
		m.s.Select(min(piece, m.cfg.Pieces()-1), 1, next()%4 > 0, m.now)
		m.s.Play(piece, next()%8)
	case 9:
		m.now = m.now.Add(time.Duration(next()) * 100 * time.Millisecond)
	case 10:
		m.ask(p, piece, next()%4, 1+next()%4)
		m.s.Full(p, next()%3 == 0 && m.here[p])
	case 11:
		m.cancel(p, piece, next()%4, 1+next()%4)
		m.send()
	}
}

func (m *model) reject(p schedule.Peer, piece int, reason schedule.Reason) {
	if err := m.s.Rejected(p, piece, 0, 1, reason, m.now); err != nil {
		return
	}
	delete(m.owed[p], leafID{piece, 0})
	if reason == schedule.NotHere {
		delete(m.shown[p], piece)
	}
}

// BenchmarkLeaf is the price of a leaf: a whole transfer of 16,384 pieces of four leaves from
// peers that all have everything.
func BenchmarkLeaf(b *testing.B) {
	for _, peers := range []int{1, 8, 63} {
		b.Run(fmt.Sprintf("%dpeers", peers), func(b *testing.B) {
			shape := schedule.Shape{Size: 16384 << 18, Piece: 1 << 18, Leaf: 1 << 16}
			leaves := 0
			for b.Loop() {
				leaves += transfer(b, shape, peers)
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(leaves), "ns/leaf")
		})
	}
}

// transfer delivers everything in the order in which it is asked for.
func transfer(b *testing.B, shape schedule.Shape, peers int) (leaves int) {
	s := schedule.New(schedule.DefaultConfig(shape), rand.New(rand.NewPCG(1, 1)))
	for p := range peers {
		s.PeerJoined(schedule.Peer(p), 1, 50*time.Millisecond)
		if err := s.Shown(schedule.Peer(p), 0, shape.Pieces()); err != nil {
			b.Fatal(err)
		}
	}
	now := epoch
	queue := s.AppendNext(nil, now)
	for len(queue) > 0 {
		a := queue[0]
		queue = queue[1:]
		for l := a.First; a.Kind == schedule.Want && l < a.First+a.Count; l++ {
			now = now.Add(time.Microsecond)
			if s.LeafArrived(a.Peer, a.Piece, l, now) {
				leaves++
			}
			queue = s.AppendNext(queue, now)
		}
	}
	if s.Missing() > 0 {
		b.Fatalf("%d pieces are missing", s.Missing())
	}
	return leaves
}
