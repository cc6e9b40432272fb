package sfu_test

import (
	"net"
	"slices"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fanfare-relay/fanfare/media"
	"github.com/fanfare-relay/fanfare/media/mediatest"
	"github.com/fanfare-relay/fanfare/sfu"
	"github.com/fanfare-relay/fanfare/sfu/sfutest"
)

// What is told of a stream are its own packets, what was thrown away and why, and each packet's time in the relay.
func TestRelaying(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newAudience(t, 3)
		begun := a.relay.Relaying("s") // viewers have caught up with the first frame
		a.live(t, time.Second, func() {})
		for range 4 { // viewers send no RTP
			a.net.Forge([]byte{0x80, 96, 0, 1, 0, 0, 0, 0, 0, 0, 0, 1, 0}, a.conns[0], a.relay.Port)
			synctest.Wait()
		}
		a.frame(t, false)
		synctest.Wait()
		got := a.relay.Relaying("s")
		if got.In != uint64(a.sent) || got.Out != 3*got.In || got.Repeats != 0 {
			t.Errorf("%d in, %d out, %d repeats of %d packets to 3 viewers", got.In, got.Out, got.Repeats, a.sent)
		}
		var timed uint64
		for i, n := range got.Delays {
			timed += n - begun.Delays[i]
		}
		if sent := got.Out - begun.Out; timed != sent {
			t.Errorf("%d of %d packets were timed", timed, sent)
		}
		if got.Datagrams < got.Out || got.Messages == 0 || got.Messages > got.Datagrams || got.Calls == 0 || got.Calls > got.Messages {
			t.Errorf("%d datagrams in %d messages and %d calls", got.Datagrams, got.Messages, got.Calls)
		}
		if !slices.Contains(got.Dropped, media.Dropped{Reason: "rtp", Packets: 4}) {
			t.Errorf("dropped %v", got.Dropped)
		}
		other := a.relay.Relaying("another")
		if other.In != 0 || other.Out != 0 || other.Dropped != nil || other.Datagrams != got.Datagrams {
			t.Errorf("of a stream that is not there %+v", other)
		}
	})
}

// slowConn takes its time for each datagram to one port. (Others are pion's, which holds locks meanwhile.)
type slowConn struct {
	net.PacketConn
	port  int
	pause atomic.Int64
}

func (c *slowConn) WriteTo(b []byte, to net.Addr) (int, error) {
	if a, ok := to.(*net.UDPAddr); ok && a.Port == c.port {
		time.Sleep(time.Duration(c.pause.Load()))
	}
	return c.PacketConn.WriteTo(b, to)
}

// A packet's time in the relay ends when the system has it.
func TestDelayUntilSent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := sfutest.NewNetwork(3)
		viewer := n.Listen(sfutest.Line{})
		conn := &slowConn{port: viewer.LocalAddr().(*net.UDPAddr).Port}
		r := sfutest.Start(t, func(c *sfu.Config) {
			_ = c.Conn.Close()
			conn.PacketConn = n.Listen(sfutest.Line{})
			c.Conn, c.Workers = conn, 1
		})
		pub := sfutest.NewPublisherOn(t, n.Listen(sfutest.Line{}), media.CodecVP8)
		pub.Connect(t, r, "s")
		sfutest.NewViewer(t, r, sfutest.ViewerOptions{Conn: viewer, Codecs: []media.Codec{media.CodecVP8}}).Connect(t, "s")
		source := newSource(media.CodecVP8)
		longer := func() (n uint64) { // than 4 ms
			for i, count := range r.Relaying("s").Delays {
				if time.Microsecond<<(i+1) > 5*time.Millisecond {
					n += count
				}
			}
			return n
		}
		send := func(f mediatest.Frame) uint64 {
			before := r.Relaying("s").Out
			pub.Send(t, media.KindVideo, source.Next(f)...)
			time.Sleep(time.Second)
			synctest.Wait()
			return r.Relaying("s").Out - before
		}
		if sent := send(mediatest.Frame{Key: true, Size: 3000}); sent == 0 || longer() != 0 {
			t.Errorf("%d packets went out, %d of them took long", sent, longer())
		}
		conn.pause.Store(int64(8 * time.Millisecond))
		if sent := send(mediatest.Frame{Size: 3000}); sent == 0 || longer() != sent {
			t.Errorf("%d packets went out slowly, %d of them took long", sent, longer())
		}
	})
}
