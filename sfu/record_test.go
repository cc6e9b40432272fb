package sfu_test

import (
	"encoding/binary"
	"flag"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/fanfare-relay/fanfare/media"
	"github.com/fanfare-relay/fanfare/media/ext"
	"github.com/fanfare-relay/fanfare/media/mediatest"
	"github.com/fanfare-relay/fanfare/sfu"
	"github.com/fanfare-relay/fanfare/sfu/sfutest"
)

// recordTo is where TestRecordLines writes; nothing is recorded without it.
var recordTo = flag.String("record-lines", "", "folder for the recordings of TestRecordLines")

// lineStage is a line for a time.
type lineStage struct {
	line sfutest.Line
	time time.Duration
}

// TestRecordLines records what lines do to what the relay sends to a real receiver: in real time, with the
// scheduling of this machine. media/estimate plays the recordings.
//
//	go test ./sfu -run TestRecordLines -args -record-lines ../media/estimate/testdata
func TestRecordLines(t *testing.T) {
	if *recordTo == "" {
		t.Skip("it makes recordings, which TestRecorded of media/estimate plays, and tests nothing: see -record-lines")
	}
	const delay, queue = 20 * time.Millisecond, 60_000
	wide := sfutest.Line{Delay: delay, Rate: 10_000_000, Queue: queue}
	narrow := sfutest.Line{Delay: delay, Rate: 300_000, Queue: 15_000}
	bursts := sfutest.Line{Delay: delay, Rate: 10_000_000, Queue: queue, DownLoss: 0.02, Burst: 4}
	tight := sfutest.Line{Delay: delay, Rate: 3_000_000, Queue: 2 * queue}
	for _, c := range []struct {
		name    string
		publish func(*testing.T, *sfutest.Network, *sfutest.Relay) (send func())
		stages  []lineStage
	}{
		{"squeezed", publishAll, []lineStage{{wide, 7 * time.Second}, {narrow, 8 * time.Second}}},
		{"bursts", publishLargest, []lineStage{{bursts, 10 * time.Second}}},
		{"tight", publishLargest, []lineStage{{tight, 10 * time.Second}}},
	} {
		text := recordLine(t, c.publish, c.stages)
		if err := os.WriteFile(filepath.Join(*recordTo, c.name+".txt"), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// publishAll publishes three encodings.
func publishAll(t *testing.T, n *sfutest.Network, r *sfutest.Relay) (send func()) {
	t.Helper()
	l := publishLadder(t, n, r)
	return func() { l.send(t) }
}

// publishLargest publishes the largest of them alone, which viewers are sent whatever their lines carry.
func publishLargest(t *testing.T, n *sfutest.Network, r *sfutest.Relay) (send func()) {
	t.Helper()
	e := ladderRates[len(ladderRates)-1]
	pub := sfutest.NewPublisherOn(t, n.Listen(sfutest.Line{}), media.CodecVP8)
	pub.Connect(t, r, "s")
	source := mediatest.NewSource(mediatest.SourceConfig{Codec: media.CodecVP8, Width: e.width, Height: e.height})
	first := true
	return func() {
		f := mediatest.Frame{Key: first || pub.KeyWantedOf(media.KindVideo, ""), Size: e.bytes}
		if first = false; f.Key {
			f.Size *= 4
		}
		pub.Send(t, media.KindVideo, source.Next(f)...)
		time.Sleep(time.Second / 30)
	}
}

// recordLine lets a viewer watch, and tells when each packet left for them and when it came.
func recordLine(t *testing.T, publish func(*testing.T, *sfutest.Network, *sfutest.Relay) (send func()), stages []lineStage) string {
	t.Helper()
	n := sfutest.NewNetwork(3)
	var relay *sfutest.Conn
	r := sfutest.Start(t, func(c *sfu.Config) {
		_ = c.Conn.Close()
		relay = n.Listen(sfutest.Line{})
		c.Conn, c.Workers = relay, 1
	})
	send := publish(t, n, r)
	conn := n.Listen(stages[0].line)
	rec := &recording{PacketConn: conn, came: map[uint16]time.Time{}}
	v := sfutest.NewViewer(t, r, sfutest.ViewerOptions{Conn: rec, Feedback: true, RTT: 50 * time.Millisecond})
	v.Connect(t, "s")
	rec.start(v.ExtensionID(media.KindVideo, ext.URITransportCC))
	relay.Tap(rec.left)
	for _, s := range stages {
		conn.SetLine(s.line)
		rec.stage(s.line.Rate)
		for end := time.Now().Add(s.time); time.Now().Before(end); {
			send()
		}
	}
	relay.Tap(nil)
	time.Sleep(time.Second) // for what is on its way
	return rec.text()
}

// recording is a viewer's socket that notes what the relay sends to it.
type recording struct {
	net.PacketConn

	mu      sync.Mutex
	id      uint8 // of the transport-wide number; 0 before the start
	last    time.Time
	packets []recorded
	came    map[uint16]time.Time
}

// recorded is a packet that the relay has sent, or the line's rate from then on.
type recorded struct {
	rate   media.Bitrate
	number uint16
	size   int
	left   time.Time
}

func (r *recording) start(id uint8) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.id, r.last = id, time.Now()
}

func (r *recording) stage(rate media.Bitrate) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.packets = append(r.packets, recorded{rate: rate})
}

// left notes a datagram that the relay sends.
func (r *recording) left(b []byte) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if number, ok := transportNumber(b, r.id); ok {
		r.packets = append(r.packets, recorded{number: number, size: len(b), left: time.Now()})
	}
}

// ReadFrom notes what comes.
func (r *recording) ReadFrom(b []byte) (int, net.Addr, error) {
	n, from, err := r.PacketConn.ReadFrom(b)
	r.mu.Lock()
	defer r.mu.Unlock()
	if number, ok := transportNumber(b[:n], r.id); ok {
		r.came[number] = time.Now()
	}
	return n, from, err
}

// transportNumber reads a packet's transport-wide sequence number, which is not encrypted.
func transportNumber(b []byte, id uint8) (number uint16, ok bool) {
	if id == 0 || len(b) < 16 || b[0]>>6 != 2 || b[0]&0x10 == 0 || b[1] >= 192 && b[1] < 224 { // no RTP with extensions
		return 0, false
	}
	at := 12 + 4*int(b[0]&0x0f)
	raw, ok := ext.Find(binary.BigEndian.Uint16(b[at:]), b[at+4:], id)
	if !ok || len(raw) != 2 {
		return 0, false
	}
	return binary.BigEndian.Uint16(raw), true
}

// text has a line for each packet: how many tenths of a millisecond after the one before it left, its bytes, and how many
// tenths it was under way, "-" when it never came. "line" tells the line's rate from there on.
func (r *recording) text() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	const unit = 100 * time.Microsecond
	var b strings.Builder
	begin, last := r.last, time.Duration(0)
	for _, p := range r.packets {
		if p.rate > 0 {
			fmt.Fprintf(&b, "line %d\n", p.rate)
			continue
		}
		left, way := p.left.Sub(begin)/unit, "-"
		if came, ok := r.came[p.number]; ok {
			way = fmt.Sprint(int64(came.Sub(p.left) / unit))
		}
		fmt.Fprintln(&b, int64(left-last), p.size, way)
		last = left
	}
	return b.String()
}
