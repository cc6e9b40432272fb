package peer

import (
	"math/rand/v2"
	"testing"
	"time"

	"golang.org/x/time/rate"

	"github.com/fanfare-relay/fanfare/mesh/manifest"
	"github.com/fanfare-relay/fanfare/mesh/schedule"
	"github.com/fanfare-relay/fanfare/mesh/wire"
)

// lying is a channel in which so many bytes lie.
type lying uint64

func (n lying) BufferedAmount() uint64             { return uint64(n) }
func (lying) SetBufferedAmountLowThreshold(uint64) {}
func (lying) OnBufferedAmountLow(func())           {}

// neighbour is one of whom pace looks at some things.
type neighbour struct {
	lies           uint64 // in its lane
	sent           int64  // to it so far
	asked          int    // in which second it was sent a PING
	complete, gone bool
}

// holding is a peer that has everything, with such neighbours, the first of whom asks for a leaf.
func holding(upRate int, neighbours []neighbour) *swarm {
	const pieces = 16
	cfg := schedule.DefaultConfig(schedule.Shape{Size: pieces * manifest.LeafSize, Piece: manifest.LeafSize, Leaf: manifest.LeafSize})
	s := &swarm{cfg: Config{UpRate: upRate}, sched: schedule.New(cfg, rand.New(rand.NewPCG(1, 2))), limit: rate.NewLimiter(rate.Inf, 0)}
	if upRate > 0 {
		s.limit = newLimit(upRate)
	}
	s.sched.Hold(0, pieces)
	for i, n := range neighbours {
		if n.gone {
			continue
		}
		s.slots[i] = &link{
			slot: schedule.Peer(i), joined: true, complete: n.complete, sent: n.sent, rtt: 50 * time.Millisecond, outbox: newOutbox(),
			pinged: time.Unix(int64(n.asked), 0), lane: channel{gauge: lying(n.lies)},
		}
		s.sentBytes += n.sent
		s.sched.PeerJoined(schedule.Peer(i), 1, time.Millisecond)
	}
	if err := s.sched.Wanted(0, 0, 0, 1); err != nil {
		panic(err)
	}
	return s
}

// TestPacedAmongNeighbours: who was told keeps to that, and who has few neighbours sends as fast as it goes; with more, the line is to be
// found out, by a neighbour in whose channel nothing waits for the channel itself.
func TestPacedAmongNeighbours(t *testing.T) {
	for _, c := range []struct {
		name       string
		upRate     int
		neighbours []neighbour
		limited    bool
		asks       int // the neighbour who is sent a PING; -1: none
	}{
		{"two", 0, []neighbour{{}, {}}, false, -1},
		{"three", 0, []neighbour{{lies: 1000}, {}, {lies: 10}}, true, 1},
		{"in turns", 0, []neighbour{{asked: 3}, {asked: 1}, {asked: 2}}, true, 1},
		{"in turns, but for whoever has more in its channel", 0, []neighbour{{asked: 4}, {lies: 10, asked: 1, sent: 1 << 20}, {asked: 3}, {asked: 2}}, true, 3},
		{"three of whom one has everything", 0, []neighbour{{}, {}, {complete: true}}, false, -1},
		{"three and one that is gone", 0, []neighbour{{}, {}, {}, {gone: true}}, true, 0},
		{"told", 1 << 20, []neighbour{{}, {}, {}}, true, -1},
		{"windows that have not grown", 0, []neighbour{{lies: 60_000, sent: 130_000}, {lies: 1, sent: 1000}, {lies: 2}}, true, -1},
		{"windows that have grown", 0, []neighbour{{lies: 60_000, sent: 1 << 20}, {lies: 50_000, sent: 1 << 20}, {lies: 2}}, true, 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := holding(c.upRate, c.neighbours)
			s.pace(time.Unix(1e9, 0))
			if limited := s.limit.Limit() != rate.Inf; limited != c.limited {
				t.Errorf("limited: %v", limited)
			}
			if c.upRate > 0 && s.limit.Limit() != rate.Limit(c.upRate) {
				t.Errorf("a limit of %.0f", s.limit.Limit())
			}
			for i, l := range s.slots {
				if l == nil {
					continue
				}
				frames, _ := l.outbox.take()
				if asked := len(frames) == 1 && frames[0].Type() == wire.TypePing; asked != (i == c.asks) || len(frames) > 1 {
					t.Errorf("%d frames to %d", len(frames), i)
				}
			}
		})
	}
}

// TestPaceFollowsAnswers: what answers take sets the limit, until few neighbours are left. One or two who lie about it do not.
func TestPaceFollowsAnswers(t *testing.T) {
	const long, wait = 400 * time.Millisecond, 350 * time.Millisecond
	s := holding(0, []neighbour{{lies: 1 << 20, sent: 4 << 20}, {}, {}, {}}) // much lies in a channel
	now := time.Unix(1e9, 0)
	s.pace(now)
	first := s.limit.Limit()
	for k := range 40 {
		now = now.Add(time.Second / 2)
		s.timed(s.slots[k%2], long, wait, now)
	}
	if s.limit.Limit() < first {
		t.Errorf("%.0f bytes a second, %.0f before two said that they wait", s.limit.Limit(), first)
	}
	for k := range 8 {
		now = now.Add(time.Second / 2)
		s.timed(s.slots[k%3], long, wait, now)
	}
	if s.limit.Limit() >= first || s.limit.Limit() <= 0 {
		t.Errorf("%.0f bytes a second where answers wait, %.0f before", s.limit.Limit(), first)
	}
	s.slots[0], s.slots[1] = nil, nil
	s.pace(now)
	s.timed(s.slots[2], long, wait, now.Add(time.Second))
	if s.limit.Limit() != rate.Inf {
		t.Errorf("%.0f bytes a second to two", s.limit.Limit())
	}
}
