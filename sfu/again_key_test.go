package sfu_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/fanfare-relay/fanfare/media"
	"github.com/fanfare-relay/fanfare/media/mediatest"
	"github.com/fanfare-relay/fanfare/sfu/sfutest"
)

// A viewer whose decoder stumbles over the burst at its beginning gets the group once more, under numbers
// and times that go on, and the publisher is not asked. The second time it is.
func TestLetInAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newAudience(t, 1)
		group := 0 // packets since the newest key frame
		play := func(d time.Duration) {
			for end := time.Now().Add(d); time.Now().Before(end); {
				time.Sleep(time.Second / 30)
				key := a.keyWanted()
				packets := a.source.Next(mediatest.Frame{Key: key, Size: 2500})
				if group += len(packets); key {
					group = len(packets)
				}
				a.pub.Send(t, media.KindVideo, packets...)
			}
			synctest.Wait()
		}
		play(1500 * time.Millisecond)
		late := a.join(t)
		play(1500 * time.Millisecond)
		asked, before := a.pub.PLIs.Load(), len(late.Packets(media.KindVideo))
		late.AskForKey(t)
		play(1500 * time.Millisecond)
		got := late.Packets(media.KindVideo)
		checkContinuous(t, got)
		if n := a.pub.PLIs.Load() - asked; n != 0 {
			t.Errorf("the publisher was asked %d times", n)
		}
		if len(got) != before+group {
			t.Errorf("%d packets; %d before, and %d of the group", len(got), before, group)
		}
		late.AskForKey(t)
		play(100 * time.Millisecond)
		if n := a.pub.PLIs.Load() - asked; n != 1 {
			t.Errorf("the publisher was asked %d times after the second request", n)
		}
	})
}

// A viewer on a line with loss is not sent the group again: its key frame comes from the publisher.
func TestNotLetInAgainWhereItWasLost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newAudience(t, 1)
		late := a.join(t)
		play := func(d time.Duration) { a.live(t, d, func() {}) }
		play(1200 * time.Millisecond)
		conn := a.conns[len(a.conns)-1]
		for conn.SetLine(sfutest.Line{Loss: 0.1}); conn.Lost() == 0; {
			play(100 * time.Millisecond)
		}
		conn.SetLine(sfutest.Line{})
		play(200 * time.Millisecond)
		asked := a.pub.PLIs.Load()
		late.AskForKey(t)
		play(100 * time.Millisecond)
		if n := a.pub.PLIs.Load() - asked; n != 1 {
			t.Errorf("the publisher was asked %d times, and not once", n)
		}
	})
}
