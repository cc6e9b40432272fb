package signalling

import (
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/fanfare-relay/fanfare/signalling/msg"
)

// TestRelayOfTwoPairs: two pairs of a room have its rate between them, and neither starves the other.
func TestRelayOfTwoPairs(t *testing.T) {
	const rate, each = 100_000, 20
	relayBubble(t, rate, func(t *testing.T, r *rig, uw, dw msg.Welcome) {
		begin := time.Now()
		var all sync.WaitGroup
		var arrived [2]atomic.Int32
		for i, name := range []string{pairName, newPairName()} {
			a, b := r.pairUp("a", uw, dw, name)
			go func() {
				for range each {
					_ = a.conn.Write(t.Context(), websocket.MessageBinary, make([]byte, rate/4)) // seen below
				}
			}()
			all.Go(func() {
				for n := range int32(each) {
					if _, m, err := b.conn.Read(t.Context()); err != nil || len(m) != rate/4 {
						t.Errorf("%d bytes, %v", len(m), err)
						return
					}
					arrived[i].Add(1)
					if other := arrived[1-i].Load(); n > other+2 {
						t.Errorf("one pair has got %d messages, the other %d", n+1, other)
					}
				}
			})
		}
		all.Wait()
		// The last message arrives before its own bytes are paid for.
		if took := time.Since(begin); took < 9*time.Second || took > 10*time.Second {
			t.Errorf("ten seconds' worth took %v", took)
		}
	})
}
