package peer

import (
	"bytes"
	"errors"
	"io"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fanfare-relay/fanfare/mesh/wire"
)

// repeated reads as one frame so many times, with a pause before each.
type repeated struct {
	bytes.Buffer // what is written to it
	frame        []byte
	times        int
	pause        time.Duration
}

func (r *repeated) Read(b []byte) (int, error) {
	if r.times == 0 {
		return 0, io.EOF
	}
	r.times--
	time.Sleep(r.pause)
	return copy(b, r.frame), nil
}

// TestFlood: who sends more frames than a second and a burst hold is cut off, and who sends as many as that is not.
func TestFlood(t *testing.T) {
	for _, c := range []struct {
		name  string
		pause time.Duration
		taken int
		ends  error
	}{
		{"all at once", 0, controlAtOnce, errFlood},
		{"twice as many as a second holds", time.Second / (2 * controlASecond), 2 * controlAtOnce, errFlood},
		{"as many as a second holds", time.Second / controlASecond, 4 * controlAtOnce, io.EOF},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				from := &repeated{frame: wire.Append(nil, wire.Ping{}), times: 4 * controlAtOnce, pause: c.pause}
				taken := 0
				err := (&link{control: channel{from, noGauge{}}}).readControl(func(wire.Frame) { taken++ })
				if !errors.Is(err, c.ends) || taken < c.taken-1 || taken > c.taken+1 {
					t.Errorf("%d frames are taken, then %v; want %d, then %v", taken, err, c.taken, c.ends)
				}
			})
		})
	}
	if !protocolError(errFlood) {
		t.Error("a flood does not break the protocol")
	}
}

// TestAskingTooMuch: who asks for more than may be unanswered hears why, and is left alone for a while.
func TestAskingTooMuch(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	slow := func(c *Config) { c.UpRate = 1 }
	sender := r.share(slow, random(t, filepath.Join(t.TempDir(), "file"), 1<<20))
	await[Opened](sender)
	piece := int(shapeOf(sender).Piece)
	greedy := sender.puppet(1)
	greedy.say(wire.Stat{})
	shown, ok := greedy.hear().(wire.Have)
	for !ok {
		shown, ok = greedy.hear().(wire.Have)
	}
	const most = 16 << 20 // docs/MESH.md, section 6
	for range most/piece + 8 {
		greedy.say(wire.Want{Leaves: wire.Leaves{Piece: shown.Ranges[0].First, Count: uint16(piece / wire.LeafSize)}})
	}
	bye, ok := greedy.hear().(wire.Bye)
	for !ok {
		bye, ok = greedy.hear().(wire.Bye)
	}
	if bye.Reason != wire.BrokeProtocol {
		t.Errorf("it hears %v", bye.Reason)
	}
	sender.swarm.call(func() {
		if !time.Now().Before(sender.swarm.banned[greedy.link.peer]) {
			t.Error("it is not left alone")
		}
	})
}
