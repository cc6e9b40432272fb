package sfu_test

import (
	"encoding/binary"
	"testing"
	"time"

	"github.com/pion/rtp"

	"github.com/fanfare-relay/fanfare/compare/stats"
	"github.com/fanfare-relay/fanfare/media"
	"github.com/fanfare-relay/fanfare/media/mediatest"
	"github.com/fanfare-relay/fanfare/sfu/sfutest"
)

// ladder is a simulcast publisher: three encodings of 30 frames a second, with key frames when
// they are asked for.
type ladder struct {
	pub     *sfutest.Publisher
	sources map[string]*mediatest.Source
	frame   int
	sent    []ladderPacket // by the number that stands at the end of each
}

type ladderPacket struct {
	rid string
	at  time.Time
}

var ladderRates = []struct {
	rid           string
	bytes         int // a frame
	width, height uint16
}{{"l", 625, 320, 180}, {"m", 2083, 640, 360}, {"h", 10_000, 1280, 720}} // 150, 500 and 2,400 kbit/s

func publishLadder(t *testing.T, n *sfutest.Network, r *sfutest.Relay) *ladder {
	t.Helper()
	l := &ladder{sources: map[string]*mediatest.Source{}}
	l.pub = sfutest.PublishSimulcastOn(t, n.Listen(sfutest.Line{}), r, "s", media.CodecVP8, "l", "m", "h")
	for i, e := range ladderRates {
		l.sources[e.rid] = mediatest.NewSource(mediatest.SourceConfig{
			Codec: media.CodecVP8, SSRC: media.SSRC(100 + i), Width: e.width, Height: e.height})
	}
	return l
}

// send sends the next frame of each encoding, and lets its time pass.
func (l *ladder) send(t *testing.T) {
	t.Helper()
	for _, e := range ladderRates {
		key := l.pub.KeyWantedOf(media.KindVideo, e.rid) || l.frame == 0
		size := e.bytes
		if key {
			size *= 4
		}
		packets := l.sources[e.rid].Next(mediatest.Frame{Key: key, Size: size})
		l.number(e.rid, packets)
		l.pub.SendEncoding(t, media.KindVideo, e.rid, packets...)
	}
	l.frame++
	time.Sleep(time.Second / 30)
}

// number writes into the end of packets which ones they are.
func (l *ladder) number(rid string, packets []*rtp.Packet) {
	for _, p := range packets {
		binary.BigEndian.PutUint32(p.Payload[len(p.Payload)-4:], uint32(len(l.sent)))
		l.sent = append(l.sent, ladderPacket{rid: rid, at: time.Now()})
	}
}

// run sends for a time, and returns when it has passed.
func (l *ladder) run(t *testing.T, d time.Duration) time.Time {
	t.Helper()
	for end := time.Now().Add(d); time.Now().Before(end); {
		l.send(t)
	}
	return time.Now()
}

// arrivals is what came to a viewer: of so many packets some never did, and all but a hundredth of the others
// within p99 milliseconds of their sending.
type arrivals struct {
	packets, lost int
	p99           float64
}

// arrived looks for the packets of one encoding that were sent in a time.
func (l *ladder) arrived(v *sfutest.Viewer, rid string, from, to time.Time) (a arrivals) {
	came := map[uint32]time.Time{}
	for _, p := range v.Packets(media.KindVideo) {
		if len(p.Payload) < 4 {
			continue
		}
		number := binary.BigEndian.Uint32(p.Payload[len(p.Payload)-4:])
		if _, twice := came[number]; !twice {
			came[number] = p.At
		}
	}
	var took []float64
	for number, s := range l.sent {
		if s.rid != rid || s.at.Before(from) || !s.at.Before(to) {
			continue
		}
		a.packets++
		if at, ok := came[uint32(number)]; ok {
			took = append(took, 1000*at.Sub(s.at).Seconds())
		} else {
			a.lost++
		}
	}
	a.p99 = stats.Quantile(took, 0.99)
	return a
}
