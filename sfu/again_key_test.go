package sfu_test

import (
	"encoding/binary"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fanfare-relay/fanfare/media"
	"github.com/fanfare-relay/fanfare/media/codec"
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

// A viewer who tells that the beginning has not come to it, as Firefox does at times, is not left waiting when
// it asks for a key frame: it gets the group again at once, and the publisher is not asked. One to whom all has
// come waits, as it may just be slow.
func TestLetInAgainWhoMissedTheBeginning(t *testing.T) {
	for _, test := range []struct {
		name       string
		first      uint16 // that has arrived
		toldBefore bool   // it asks
		keys       int
	}{
		{"it tells, and asks", 3, true, 2},
		{"it asks, and tells", 3, false, 2},
		{"all has come", 0, true, 1},
		{"all has come, as it tells later", 0, false, 1},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				a := newAudience(t, 1)
				a.live(t, 200*time.Millisecond, func() {})
				late := sfutest.NewViewer(t, a.relay, sfutest.ViewerOptions{
					Conn: a.net.Listen(sfutest.Line{}), Codecs: []media.Codec{media.CodecVP8}, Feedback: true})
				late.Connect(t, "s")
				a.live(t, 20*time.Millisecond, func() {})
				asked := a.pub.PLIs.Load()
				say := []func(){func() { late.Report(t, arrived(test.first)) }, func() { late.AskForKey(t) }}
				if !test.toldBefore {
					slices.Reverse(say)
				}
				for _, one := range say {
					one()
					synctest.Wait()
				}
				a.live(t, 40*time.Millisecond, func() {})
				got := late.Packets(media.KindVideo)
				checkContinuous(t, got)
				if n := keyFrames(got); n != test.keys {
					t.Errorf("%d key frames have come", n)
				}
				if n := a.pub.PLIs.Load() - asked; n != 0 {
					t.Errorf("the publisher was asked %d times", n)
				}
			})
		})
	}
}

// arrived is a feedback that one packet has arrived, and nothing before it is told of.
func arrived(number uint16) []byte {
	b := []byte{0x8f, 205, 0, 5, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 1, 0, 0x20, 1, 0, 0}
	binary.BigEndian.PutUint16(b[12:], number)
	return b
}

func keyFrames(packets []sfutest.Packet) (n int) {
	for _, p := range packets {
		if d := codec.Describe(media.CodecVP8, p.Payload, p.Marker); d.KeyFrame && d.FrameStart {
			n++
		}
	}
	return n
}
