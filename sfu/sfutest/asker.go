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
}

// askEvery is how often an asker looks, as libwebrtc does.
const askEvery = 20 * time.Millisecond

func newAsker(ssrc uint32, rtt time.Duration, send func([]rtcp.Packet) error) *asker {
	return &asker{ssrc: ssrc, send: send, lost: nack.NewReceiver(nack.ReceiverConfig{Reorder: time.Millisecond, RTT: rtt})}
}

func (a *asker) note(number uint16, now time.Time) {
	a.mu.Lock()
	a.lost.Observe(a.ext.Extend(number), now)
	a.mu.Unlock()
	a.ask(now)
}

func (a *asker) ask(now time.Time) {
	a.mu.Lock()
	due, _ := a.lost.AppendDue(nil, now)
	a.mu.Unlock()
	if len(due) > 0 {
		// A closed connection sends nothing any more; the track tells.
		_ = a.send([]rtcp.Packet{&rtcp.TransportLayerNack{MediaSSRC: a.ssrc, Nacks: nack.AppendPairs(nil, due)}})
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
