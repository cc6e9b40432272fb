package sfutest

import (
	"sync"
	"time"

	"github.com/pion/rtcp"

	"github.com/fanfare-relay/fanfare/media/nack"
	"github.com/fanfare-relay/fanfare/media/seq"
)

// asker asks for the lost packets of a track as browsers do: once found missing, and then once a
// round trip until they have come. (pion's own never learns that a repeat has come by RTX.)
type asker struct {
	send func([]rtcp.Packet) error
	ssrc uint32

	mu   sync.Mutex
	ext  seq.Extender
	lost *nack.Receiver
	// stuck is set when a packet has been given up: only a key frame helps.
	stuck bool
	asked time.Time
}

// askEvery is how often an asker looks, askKeyEvery the least time between two requests for key
// frames, as in libwebrtc.
const (
	askEvery    = 20 * time.Millisecond
	askKeyEvery = 200 * time.Millisecond
)

func newAsker(ssrc uint32, rtt time.Duration, send func([]rtcp.Packet) error) *asker {
	return &asker{ssrc: ssrc, send: send, lost: nack.NewReceiver(nack.ReceiverConfig{Reorder: time.Millisecond, RTT: rtt})}
}

func (a *asker) note(number uint16, now time.Time) {
	a.mu.Lock()
	if a.lost.Observe(a.ext.Extend(number), now) == nack.GapTooLarge {
		a.stuck = true
	}
	a.mu.Unlock()
	a.ask(now)
}

func (a *asker) ask(now time.Time) {
	a.mu.Lock()
	due, lost := a.lost.AppendDue(nil, now)
	a.stuck = a.stuck || lost > 0
	key := a.stuck && now.Sub(a.asked) >= askKeyEvery
	if key {
		a.asked, a.stuck = now, false
	}
	a.mu.Unlock()
	var pkts []rtcp.Packet
	if len(due) > 0 {
		pkts = append(pkts, &rtcp.TransportLayerNack{MediaSSRC: a.ssrc, Nacks: nack.AppendPairs(nil, due)})
	}
	if key {
		pkts = append(pkts, &rtcp.PictureLossIndication{MediaSSRC: a.ssrc})
	}
	if len(pkts) > 0 {
		_ = a.send(pkts) // a closed connection sends nothing any more; the track tells
	}
}

// run asks until ended is closed.
func (a *asker) run(ended <-chan struct{}) {
	tick := time.NewTicker(askEvery)
	defer tick.Stop()
	for {
		select {
		case now := <-tick.C:
			a.ask(now)
		case <-ended:
			return
		}
	}
}
