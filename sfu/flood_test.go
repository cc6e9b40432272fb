package sfu_test

import (
	"flag"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/pion/rtcp"

	"github.com/fanfare-relay/fanfare/media"
	"github.com/fanfare-relay/fanfare/media/mediatest"
	"github.com/fanfare-relay/fanfare/sfu/sfutest"
)

// The storm of key frame requests is bound to so many viewers; `make prove` has 100.
var stormViewers = flag.Int("storm-viewers", 8, "viewers in TestKeyFrameStorm")

// audience is a stream in virtual time: a publisher of VP8 and viewers who see all of it.
type audience struct {
	net     *sfutest.Network
	relay   *sfutest.Relay
	pubConn *sfutest.Conn
	pub     *sfutest.Publisher
	conns   []*sfutest.Conn
	viewers []*sfutest.Viewer
	source  *mediatest.Source
	sent    int
}

func newAudience(t *testing.T, viewers int) *audience {
	t.Helper()
	a := &audience{net: sfutest.NewNetwork(11), source: newSource(media.CodecVP8)}
	a.relay = startVirtual(t, a.net)
	a.pubConn = a.net.Listen(sfutest.Line{})
	a.pub = sfutest.NewPublisherOn(t, a.pubConn, media.CodecVP8)
	a.pub.Connect(t, a.relay, "s")
	for range viewers {
		a.join(t)
	}
	a.frame(t, true)
	time.Sleep(5 * time.Second) // longer than a viewer who stumbles is let in again without the publisher
	return a
}

func (a *audience) join(t *testing.T) *sfutest.Viewer {
	t.Helper()
	conn := a.net.Listen(sfutest.Line{})
	v := sfutest.NewViewer(t, a.relay, sfutest.ViewerOptions{Conn: conn, Codecs: []media.Codec{media.CodecVP8}})
	v.Connect(t, "s")
	a.conns, a.viewers = append(a.conns, conn), append(a.viewers, v)
	return v
}

// frame sends a frame and lets everybody have it.
func (a *audience) frame(t *testing.T, key bool) {
	t.Helper()
	packets := a.source.Next(mediatest.Frame{Key: key, Size: 2500})
	a.pub.Send(t, media.KindVideo, packets...)
	a.sent += len(packets)
	synctest.Wait()
}

// live lets the stream go on for a time; each is called every 10 ms.
func (a *audience) live(t *testing.T, length time.Duration, each func()) {
	t.Helper()
	const step = 10 * time.Millisecond
	for at := time.Duration(0); at < length; at += step {
		time.Sleep(step)
		if at%(4*step) == 0 {
			a.frame(t, a.keyWanted())
		}
		each()
		synctest.Wait()
	}
}

func (a *audience) keyWanted() bool {
	select {
	case <-a.pub.KeyWanted():
		return true
	default:
		return false
	}
}

// allSeen fails when a viewer has lost a packet or been asked to see another order.
func (a *audience) allSeen(t *testing.T, viewers []*sfutest.Viewer) {
	t.Helper()
	synctest.Wait()
	for i, v := range viewers {
		got := v.Packets(media.KindVideo)
		if len(got) != a.sent {
			t.Errorf("viewer %d has %d of %d packets", i, len(got), a.sent)
		}
		checkContinuous(t, got)
	}
}

// However many viewers ask, and one of them ten thousand times a second, the publisher is asked
// once a second for each encoding, and the picture goes on for everybody.
func TestKeyFrameStorm(t *testing.T) {
	t.Run("one encoding", func(t *testing.T) { synctest.Test(t, stormOfOne) })
	t.Run("three encodings", func(t *testing.T) { synctest.Test(t, stormOfThree) })
}

func stormOfOne(t *testing.T) {
	a := newAudience(t, *stormViewers)
	const length, mad = 2 * time.Second, 100 // requests of the mad one each 10 ms
	before, turn := a.pub.PLIs.Load(), 0
	a.live(t, length, func() {
		if turn++; turn%5 == 0 { // 20 a second each
			for _, v := range a.viewers {
				v.AskForKey(t)
			}
		}
		for range mad {
			a.viewers[0].AskForKey(t)
		}
	})
	asked, st := a.pub.PLIs.Load()-before, a.relay.Stats()
	t.Logf("%d requests of %d viewers became %d", st.PLIsReceived, len(a.viewers), asked)
	if limit := int64(length/time.Second) + 1; asked > limit || asked == 0 {
		t.Errorf("the publisher was asked %d times in %v", asked, length)
	}
	if want := uint64(length / (10 * time.Millisecond) * mad); st.PLIsReceived < want {
		t.Errorf("%d requests came, want %d", st.PLIsReceived, want)
	}
	a.allSeen(t, a.viewers)
}

// stormOfThree: each viewer has one of three encodings, by their wish.
func stormOfThree(t *testing.T) {
	const seconds, each = 3, 20 // requests of each viewer a second
	n := sfutest.NewNetwork(11)
	r := startVirtual(t, n)
	l := publishLadder(t, n, r)
	var viewers []*sfutest.Viewer
	for i := range *stormViewers {
		v := sfutest.NewViewer(t, r, sfutest.ViewerOptions{Conn: n.Listen(sfutest.Line{}), Codecs: []media.Codec{media.CodecVP8}})
		v.Connect(t, "s")
		if err := r.Wish(v.Answer.Session, media.Wish{MaxHeight: int(ladderRates[i%3].height)}); err != nil {
			t.Fatal(err)
		}
		viewers = append(viewers, v)
	}
	begin := l.run(t, 6*time.Second) // everybody has their encoding, and nobody is let in again without the publisher
	before := r.Stats()
	for turn := range 30 * seconds {
		if turn%3 < 2 { // 20 times a second
			for _, v := range viewers {
				v.AskForKey(t)
			}
		}
		l.send(t)
	}
	end := time.Now()
	synctest.Wait()
	requests := r.Stats().PLIsReceived - before.PLIsReceived
	if want := uint64(seconds * each * len(viewers)); requests < want {
		t.Errorf("%d requests came, want %d", requests, want)
	}
	for _, e := range ladderRates {
		asked := l.pub.KeysAsked(media.KindVideo, e.rid)
		asked = slices.DeleteFunc(asked, func(at time.Time) bool { return at.Before(begin) })
		t.Logf("%d requests of %d viewers became %d for %q", requests, len(viewers), len(asked), e.rid)
		if len(asked) == 0 {
			t.Errorf("the publisher was never asked for %q", e.rid)
		}
		for i := 1; i < len(asked); i++ {
			if apart := asked[i].Sub(asked[i-1]); apart < time.Second {
				t.Errorf("the publisher was asked for %q again after %v", e.rid, apart)
			}
		}
	}
	for i, v := range viewers {
		if a := l.arrived(v, ladderRates[i%3].rid, begin, end); a.lost > 0 {
			t.Errorf("viewer %d of %q has not got %d of %d packets", i, ladderRates[i%3].rid, a.lost, a.packets)
		}
		checkContinuous(t, v.Packets(media.KindVideo))
	}
}

// A viewer who asks for all of the 65,536 numbers again and again gets no more than its budget has,
// makes bounded work, and costs nobody a packet.
func TestAbsurdNACKs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newAudience(t, 3)
		mad, others := a.viewers[0], a.viewers[1:]
		before := a.relay.Stats()
		next := uint16(0)
		const length = 2 * time.Second
		a.live(t, length, func() {
			for range 8 { // all numbers each 80 ms
				mad.Ask(t, everyNumber(&next, 60)...)
			}
		})
		st := a.relay.Stats()
		const budget, lookups, size = 256 << 10, 4096, 1100
		windows := uint64(length/time.Second) + 1
		if n := st.RTXSent - before.RTXSent; n > windows*budget/(size/2) {
			t.Errorf("%d repeats", n)
		}
		refused := uint64(0)
		for _, n := range st.NACKsRefused {
			refused += n
		}
		asked := st.NACKsReceived - before.NACKsReceived
		if asked != refused+st.RTXSent || asked < 10*windows*lookups {
			t.Errorf("%d packets were asked for; %d repeats and %d refused", asked, st.RTXSent, refused)
		}
		a.allSeen(t, others)
	})
}

// everyNumber asks for the next 17 numbers by each pair.
func everyNumber(next *uint16, pairs int) []rtcp.NackPair {
	list := make([]rtcp.NackPair, pairs)
	for i := range list {
		list[i] = rtcp.NackPair{PacketID: *next, LostPackets: 0xffff}
		*next += 17
	}
	return list
}

// A burst of one viewer's datagrams fills its own share of the way to the worker, and what others
// ask for still comes through.
func TestBurstOfOneViewer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newAudience(t, 2)
		captured := make(chan []byte, 1)
		a.conns[0].Tap(func(b []byte) {
			if len(b) > 1 && b[0]>>6 == 2 {
				select {
				case captured <- b:
				default:
				}
			}
		})
		a.viewers[0].AskForKey(t)
		report := <-captured
		for range 5000 {
			a.net.Forge(report, a.conns[0], a.relay.Port)
		}
		before := a.relay.Stats().PLIsReceived
		a.viewers[1].AskForKey(t)
		synctest.Wait()
		if got := a.relay.Stats().PLIsReceived - before; got == 0 {
			t.Error("the other viewer's request was lost")
		}
		a.frame(t, true)
		a.allSeen(t, a.viewers)
	})
}

// A viewer whose line is dead, and one that reads nothing any more, cost nobody a packet.
func TestViewerWhoNeverReads(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newAudience(t, 3)
		a.conns[0].SetLine(sfutest.Line{Loss: 1})
		a.conns[1].SetLine(sfutest.Line{Rate: 1000, Queue: 2000})
		a.live(t, 5*time.Second, func() {})
		a.allSeen(t, a.viewers[2:])
	})
}

// Who is let in to a group of pictures and asks for a key frame meanwhile has one on its way: the
// publisher is not asked. Later it is.
func TestRequestWhileCatchingUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newAudience(t, 1)
		a.live(t, 2*time.Second, func() {})
		before := a.pub.PLIs.Load()
		late := a.join(t)
		a.live(t, 900*time.Millisecond, func() {
			if late.SSRC(media.KindVideo) != 0 {
				late.AskForKey(t)
			}
		})
		if n := a.pub.PLIs.Load() - before; n != 0 {
			t.Errorf("the publisher was asked %d times while a key frame was on its way", n)
		}
		if a.relay.Stats().PLIsReceived == 0 {
			t.Fatal("the viewer has not asked")
		}
		a.live(t, 4*time.Second, func() {})
		late.AskForKey(t)
		a.live(t, 100*time.Millisecond, func() {})
		if n := a.pub.PLIs.Load() - before; n != 1 {
			t.Errorf("the publisher was asked %d times afterwards", n)
		}
	})
}
