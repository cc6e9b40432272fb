package sfu_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/fanfare-relay/fanfare/media"
	"github.com/fanfare-relay/fanfare/media/mediatest"
	"github.com/fanfare-relay/fanfare/sfu/sfutest"
)

// A viewer that joined a moment ago, to whom all has come and who asks for a key frame all the same, is
// slow: the publisher hears nothing of it for four seconds. One that has missed something is helped.
func TestSlowDecoder(t *testing.T) {
	for name, c := range map[string]struct {
		loss  float64
		after time.Duration
		asked int64
	}{
		"all has come, 1.5 s": {0, 1500 * time.Millisecond, 0},
		"all has come, 4.5 s": {0, 4500 * time.Millisecond, 1},
		"some is lost, 0.5 s": {0.2, 500 * time.Millisecond, 0},
		"some is lost, 1.5 s": {0.2, 1500 * time.Millisecond, 1},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				a := newAudience(t, 1)
				play := func(d time.Duration) {
					for end := time.Now().Add(d); time.Now().Before(end); {
						time.Sleep(time.Second / 30)
						a.pub.Send(t, media.KindVideo, a.source.Next(mediatest.Frame{Key: a.keyWanted(), Size: 2500})...)
					}
				}
				play(2 * time.Second)
				conn := a.net.Listen(sfutest.Line{})
				late := sfutest.NewViewer(t, a.relay, sfutest.ViewerOptions{Conn: conn, Feedback: true})
				late.Connect(t, "s")
				conn.SetLine(sfutest.Line{Loss: c.loss})
				play(c.after)
				conn.SetLine(sfutest.Line{})
				before := a.pub.PLIs.Load()
				late.AskForKey(t)
				play(100 * time.Millisecond)
				if n := a.pub.PLIs.Load() - before; n != c.asked {
					t.Errorf("the publisher was asked %d times, not %d", n, c.asked)
				}
			})
		})
	}
}
