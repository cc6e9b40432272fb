package sfu

import (
	"bytes"
	"testing"
	"time"

	"github.com/pion/rtcp"

	"github.com/fanfare-relay/fanfare/media"
	"github.com/fanfare-relay/fanfare/media/mediatest"
	"github.com/fanfare-relay/fanfare/media/red"
)

// A viewer whose reports tell of lost sound gets each packet of sound twice, the second time with
// the next one.
func TestRedundantSound(t *testing.T) {
	s := quiet(t, nil)
	e, w, now := testEncoding(s, 64), newWorker(s), time.Unix(1000, 0)
	e.kind = media.KindAudio
	e.formats[testPT] = &format{pt: testPT, codec: media.CodecOpus}
	source := mediatest.NewSource(mediatest.SourceConfig{Codec: media.CodecOpus, PayloadType: testPT})
	for range 3 {
		take(t, e, now, source.Next(mediatest.Frame{Size: 80})...)
	}
	offer := trackOffer{kind: media.KindAudio, formats: []format{{pt: 111, codec: media.CodecOpus, red: 63}}}
	v := &viewer{hotViewer: hotViewer{tracks: []egress{newEgress(&offer, trackSSRC{main: 7}, ownIDs{})}}}
	track := &v.tracks[0]
	track.choose(e, now)
	if !track.tryStart(now) || track.redundancy.On() {
		t.Fatal("not started, or redundant from the beginning")
	}
	v.learn([]rtcp.ReceptionReport{{SSRC: 7, FractionLost: 13}}, now)
	if !track.redundancy.On() {
		t.Fatal("5 % of the sound are lost, and nothing follows")
	}
	at := func(pos uint64) []red.Block {
		p, err := e.ring.At(pos)
		if err != nil {
			t.Fatal(err)
		}
		blocks, err := red.Parse(nil, w.withPrevious(track, p))
		if err != nil {
			t.Fatal(err)
		}
		return blocks
	}
	if b := at(0); len(b) != 1 || b[0].Type != 111 {
		t.Errorf("the first packet has nothing before it: %+v", b)
	}
	first, err := e.ring.At(0)
	if err != nil {
		t.Fatal(err)
	}
	b := at(1)
	if len(b) != 2 || b[0].Offset != 960 || b[0].Type != 111 || !bytes.Equal(b[0].Payload, first.Payload) || w.tally.Redundant != 1 {
		t.Errorf("%+v, %d counted", b, w.tally.Redundant)
	}
}
