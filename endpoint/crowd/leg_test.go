package crowd

import (
	"encoding/binary"
	"slices"
	"testing"
	"time"

	"github.com/pion/rtcp"
	"github.com/pion/rtp"
	"github.com/pion/srtp/v3"

	"github.com/fanfare-relay/fanfare/endpoint"
	"github.com/fanfare-relay/fanfare/media"
	"github.com/fanfare-relay/fanfare/media/mediatest"
)

// exchange is a leg and the server's side of its keys.
type exchange struct {
	t      *testing.T
	leg    *leg
	rx, tx *srtp.Context // the server's
	now    time.Time
	delays []time.Duration
}

const (
	videoSSRC = 100
	repeatPT  = 97 // of VP8
)

func newExchange(t *testing.T, verify bool) *exchange {
	t.Helper()
	x := &exchange{t: t, now: start()}
	k := keys{
		profile: srtp.ProtectionProfileAeadAes128Gcm, ourKey: []byte("0123456789abcdef"), peerKey: []byte("fedcba9876543210"),
		ourSalt: []byte("012345678901"), peerSalt: []byte("109876543210"), lastFlight: [][]byte{{20, 1}, {22, 2}},
	}
	ice := testAgent()
	ice.selected, ice.nominated, ice.heard = 0, true, x.now
	var err error
	x.leg, err = newLeg(ice, k, answer{wide: wideID}, newPayloads(), verify, func(d time.Duration) { x.delays = append(x.delays, d) }, x.now)
	if err != nil {
		t.Fatal(err)
	}
	if x.tx, err = srtp.CreateContext(k.peerKey, k.peerSalt, k.profile); err != nil {
		t.Fatal(err)
	}
	if x.rx, err = srtp.CreateContext(k.ourKey, k.ourSalt, k.profile); err != nil {
		t.Fatal(err)
	}
	return x
}

// give hands a packet to the leg, as much of it as the leg asks for.
func (x *exchange) give(p *rtp.Packet) (key bool) {
	x.t.Helper()
	b, err := p.Marshal()
	if err != nil {
		x.t.Fatal(err)
	}
	if b, err = x.tx.EncryptRTP(nil, b, nil); err != nil {
		x.t.Fatal(err)
	}
	kept := b
	if !x.leg.whole() {
		kept = b[:min(len(b), 64)]
	}
	var out []datagram
	key = x.leg.receive(kept, len(b), x.now, x.now, &out)
	if len(out) != 0 {
		x.t.Errorf("a packet was answered: %v", out)
	}
	return key
}

// said lets time pass and returns what the leg says then.
func (x *exchange) said(d time.Duration) (list []rtcp.Packet) {
	x.t.Helper()
	x.now = x.now.Add(d)
	var out []datagram
	x.leg.tick(x.now, &out)
	for _, o := range out {
		if classify(o.b) != classRTCP {
			continue
		}
		clear, err := x.rx.DecryptRTCP(nil, o.b, nil)
		if err != nil {
			x.t.Fatal(err)
		}
		packets, err := rtcp.Unmarshal(clear)
		if err != nil {
			x.t.Fatal(err)
		}
		list = append(list, packets...)
	}
	return list
}

func video() *mediatest.Source {
	return mediatest.NewSource(mediatest.SourceConfig{Codec: media.CodecVP8, PayloadType: 96, SSRC: videoSSRC, Seq: 65530})
}

// repeatOf packs a packet as RTX.
func repeatOf(p *rtp.Packet, seq uint16) *rtp.Packet {
	payload := append(binary.BigEndian.AppendUint16(nil, p.SequenceNumber), p.Payload...)
	return &rtp.Packet{Header: rtp.Header{
		Version: 2, PayloadType: repeatPT, SSRC: videoSSRC + 1, SequenceNumber: seq, Timestamp: p.Timestamp, Marker: p.Marker,
	}, Payload: payload}
}

// asked are the numbers of all NACKs.
func asked(list []rtcp.Packet) (numbers []uint16) {
	for _, p := range list {
		if n, ok := p.(*rtcp.TransportLayerNack); ok {
			for _, pair := range n.Nacks {
				numbers = append(numbers, pair.PacketList()...)
			}
		}
	}
	return numbers
}

func plis(list []rtcp.Packet) (n int) {
	for _, p := range list {
		if _, ok := p.(*rtcp.PictureLossIndication); ok {
			n++
		}
	}
	return n
}

// TestLegRepair: a hole in the key frame is asked for, filled by RTX, and the key frame is whole; it is then that a viewer
// who is not of the sample stops decrypting, until something is missing again.
func TestLegRepair(t *testing.T) {
	x, s := newExchange(t, false), video()
	frame := s.Next(mediatest.Frame{Key: true, Size: 5000})
	for i, p := range frame {
		if i != 1 && x.give(p) {
			t.Fatal("a key frame with a hole is whole")
		}
	}
	if got := asked(x.said(0)); !slices.Equal(got, []uint16{frame[1].SequenceNumber}) {
		t.Fatalf("asked for %v", got)
	}
	if !x.give(repeatOf(frame[1], 1)) {
		t.Error("the repaired key frame is not whole")
	}
	if x.leg.whole() || x.leg.count.forged != 0 {
		t.Error("still decrypts")
	}
	verified := x.leg.count.verified
	frame = s.Next(mediatest.Frame{Size: 3000})
	x.give(frame[0])
	x.give(frame[2])
	if x.leg.count.verified != verified || !x.leg.whole() {
		t.Errorf("decrypted %d, asks for the whole: %v", x.leg.count.verified-verified, x.leg.whole())
	}
	x.give(repeatOf(frame[1], 2))
	x.give(repeatOf(frame[1], 3)) // padding, which is not looked at
	v := x.leg.tracks[1]
	if v.late != 2 || len(v.missing) != 0 || v.received != v.expected() || v.frames != 2 || x.leg.count.repeats != 3 || x.leg.count.forged+x.leg.count.cut != 0 {
		t.Errorf("%+v %+v", v, x.leg.count)
	}
}

// TestLegSample: a viewer of the sample decrypts everything, tells delays once it has a picture, and sees what was forged.
func TestLegSample(t *testing.T) {
	x, s := newExchange(t, true), video()
	for i := range 3 {
		for _, p := range s.Next(mediatest.Frame{Key: i == 0, Size: 2000}) {
			endpoint.PutStamp(p.Payload, x.now)
			x.now = x.now.Add(time.Millisecond)
			x.give(p)
		}
	}
	if len(x.delays) != 4 || x.delays[0] != time.Millisecond {
		t.Errorf("delays %v", x.delays)
	}
	p := s.Next(mediatest.Frame{Size: 100})[0]
	b, err := p.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	var out []datagram
	x.leg.receive(append(b, make([]byte, 16)...), len(b)+16, x.now, x.now, &out)
	if x.leg.count.forged != 1 || x.leg.count.verified != 6 {
		t.Errorf("%+v", x.leg.count)
	}
}

// TestLegSays: key frames are asked for while there is none, reports come each second, feedback ten times a second.
func TestLegSays(t *testing.T) {
	x, s := newExchange(t, false), video()
	if got := x.said(time.Second); plis(got) != 0 {
		t.Error("asks for a key frame before there is any picture")
	}
	x.give(s.Next(mediatest.Frame{Size: 100})[0])
	keys, reports := 0, 0
	for range 100 {
		list := x.said(10 * time.Millisecond)
		keys += plis(list)
		for _, p := range list {
			if r, ok := p.(*rtcp.ReceiverReport); ok && len(r.Reports) == 1 && r.Reports[0].SSRC == videoSSRC {
				reports++
			}
		}
	}
	if keys != 5 || reports != 1 {
		t.Errorf("%d PLIs, %d reports in a second", keys, reports)
	}
	for _, p := range s.Next(mediatest.Frame{Key: true, Size: 3000}) {
		x.give(p)
	}
	if got := x.said(pliEvery); plis(got) != 0 {
		t.Error("asks for a key frame that is there")
	}
}

// TestLegWide: transport-wide numbers are reported.
func TestLegWide(t *testing.T) {
	x, s := newExchange(t, false), video()
	for i := range uint16(10) {
		p := s.Next(mediatest.Frame{Key: i == 0, Size: 100})[0]
		if err := p.SetExtension(wideID, binary.BigEndian.AppendUint16(nil, 65530+i)); err != nil {
			t.Fatal(err)
		}
		if i != 4 {
			x.give(p)
		}
		x.now = x.now.Add(time.Millisecond)
	}
	statuses := 0
	for _, p := range x.said(wideEvery) {
		if f, ok := p.(*rtcp.TransportLayerCC); ok {
			statuses += int(f.PacketStatusCount)
			if f.BaseSequenceNumber != 65530 || len(f.RecvDeltas) != 9 {
				t.Errorf("%+v", f)
			}
		}
	}
	if statuses != 10 {
		t.Errorf("%d packets reported", statuses)
	}
}

// TestLegSenderReport: a report comes back in the receiver report, with the time since.
func TestLegSenderReport(t *testing.T) {
	x, s := newExchange(t, false), video()
	x.give(s.Next(mediatest.Frame{Key: true, Size: 100})[0])
	clear, err := rtcp.Marshal([]rtcp.Packet{&rtcp.SenderReport{SSRC: videoSSRC, NTPTime: 0x1122334455667788}})
	if err != nil {
		t.Fatal(err)
	}
	b, err := x.tx.EncryptRTCP(nil, clear, nil)
	if err != nil {
		t.Fatal(err)
	}
	var out []datagram
	x.leg.receive(b, len(b), x.now, x.now, &out)
	for _, p := range x.said(2 * time.Second) {
		if r, ok := p.(*rtcp.ReceiverReport); ok {
			if got := r.Reports[0]; got.LastSenderReport != 0x33445566 || got.Delay != 2<<16 || got.LastSequenceNumber != 65530 {
				t.Errorf("%+v", got)
			}
			return
		}
	}
	t.Error("no report")
}

// TestLegDTLS: our last flight is repeated, not too often; an alert ends the session.
func TestLegDTLS(t *testing.T) {
	x := newExchange(t, false)
	for _, r := range []struct {
		after time.Duration
		first byte
		sent  int
	}{{0, 22, 2}, {time.Millisecond, 22, 0}, {flightEvery, 20, 2}, {time.Second, 21, 0}} {
		if x.leg.lost(x.now) {
			t.Error("lost")
		}
		x.now = x.now.Add(r.after)
		var out []datagram
		x.leg.receive([]byte{r.first, 0xFE, 0xFD}, 3, x.now, x.now, &out)
		if len(out) != r.sent {
			t.Errorf("record %d: sent %d", r.first, len(out))
		}
	}
	if !x.leg.lost(x.now) {
		t.Error("an alert was not heard")
	}
}

// FuzzLeg: no datagram breaks a leg, and none that is forged counts as authentic.
func FuzzLeg(f *testing.F) {
	f.Add([]byte{0x90, 96, 0, 1, 0, 0, 0, 0, 0, 0, 0, 1, 0xBE, 0xDE, 0, 0}, 16)
	f.Add([]byte{0x80, 97, 0, 1, 0, 0, 0, 0, 0, 0, 0, 1}, 1200)
	f.Add([]byte{0x80, 200, 0, 6, 0, 0, 0, 0}, 8)
	f.Add([]byte{22, 0xFE, 0xFD}, 3)
	f.Fuzz(func(t *testing.T, b []byte, size int) {
		size = max(size, len(b))
		x := newExchange(t, true)
		var out []datagram
		for range 2 {
			x.leg.receive(b, size, x.now, x.now, &out)
			x.leg.tick(x.now, &out)
		}
		if x.leg.count.verified != 0 {
			t.Error("a forgery counts as authentic")
		}
	})
}
