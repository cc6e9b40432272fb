package peer

import (
	"cmp"
	"math"
	"slices"
	"time"

	"golang.org/x/time/rate"

	"github.com/fanfare-relay/fanfare/mesh/manifest"
	"github.com/fanfare-relay/fanfare/mesh/schedule"
	"github.com/fanfare-relay/fanfare/mesh/wire"
)

const (
	// fewestPaced is how many neighbours there are at least while leaves are paced. Channels to fewer hold little, and keep the line
	// full by themselves.
	fewestPaced = schedule.Ways
	// paceLate is for how long a busy program may make up.
	paceLate = 20 * time.Millisecond
	// warmAfter bytes a channel's window has grown: until then what lies in it waits for that, and not for our line.
	warmAfter = 128 << 10
)

// pace looks after how fast leaves go out where nobody has told (schedule.Uplink). It returns how long there is nothing to look at.
func (s *swarm) pace(now time.Time) time.Duration {
	if s.cfg.UpRate > 0 {
		return houseEvery
	}
	if s.neighbours() < fewestPaced {
		s.paced = false
		s.limit.SetLimitAt(now, rate.Inf)
		return houseEvery
	}
	if !s.paced {
		s.paced = true
		s.uplink.Begin(s.sched.SendRate(), s.nearest(), s.gone(), now)
	}
	waiting := s.picked != nil || s.sched.Waiting()
	asks := waiting && s.uplink.Asks(s.gone(), now)
	s.keepPace(now) // something may have drained
	if asks {
		if l := s.next(); l != nil {
			s.ping(l, now)
		}
	}
	if !waiting {
		return houseEvery
	}
	return s.uplink.Every()
}

func (s *swarm) keepPace(now time.Time) {
	bytes := s.uplink.Rate()
	if s.limit.Limit() == rate.Limit(bytes) {
		return
	}
	s.limit.SetBurstAt(now, max(manifest.LeafSize, int(bytes*paceLate.Seconds())))
	s.limit.SetLimitAt(now, rate.Limit(bytes))
}

// timed hears how long an answer of a peer took, and how much more than usual the way there.
func (s *swarm) timed(l *link, took, more time.Duration, now time.Time) {
	if s.paced && l.joined {
		s.uplink.Answered(l.slot, took, more, s.gone(), now)
		s.keepPace(now)
	}
}

func (s *swarm) ping(l *link, now time.Time) {
	l.pinged = now
	value := uint64(now.Sub(s.started))
	l.pings.ask(value)
	s.say(l, wire.Ping{Value: value})
}

// neighbours are those who may lack something, or have it from the start.
func (s *swarm) neighbours() (n int) {
	for _, l := range s.slots {
		if l != nil && l.joined && !l.complete {
			n++
		}
	}
	return n
}

// nearest is the shortest round trip to any of them.
func (s *swarm) nearest() time.Duration {
	near := time.Duration(math.MaxInt64)
	for _, l := range s.slots {
		if l != nil && l.joined && l.rtt > 0 {
			near = min(near, l.rtt)
		}
	}
	return near
}

// gone is what has gone out so far.
func (s *swarm) gone() schedule.Gone {
	so := schedule.Gone{Handed: s.sentBytes, Left: s.sentBytes}
	for _, l := range s.slots {
		if l != nil {
			so.Left -= int64(l.buffered())
		}
	}
	return so
}

// next is whom to ask next, or nil: in turns those whose lanes hold the least, as many as have to agree (schedule.Ways). A PING waits
// behind what lies in our own channel, too, which is no word on the line while the channel's window has not grown.
func (s *swarm) next() *link {
	type held struct {
		*link
		bytes uint64
	}
	var clear []held
	for _, l := range s.slots {
		if l == nil || !l.joined {
			continue
		}
		if bytes := l.buffered(); bytes == 0 || l.sent-int64(bytes) >= warmAfter {
			clear = append(clear, held{l, bytes})
		}
	}
	if len(clear) == 0 {
		return nil
	}
	slices.SortFunc(clear, func(a, b held) int { return cmp.Or(cmp.Compare(a.bytes, b.bytes), a.pinged.Compare(b.pinged)) })
	clear = clear[:min(len(clear), schedule.Ways)]
	return slices.MinFunc(clear, func(a, b held) int { return a.pinged.Compare(b.pinged) }).link
}
