package sfu_test

import (
	"encoding/binary"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/pion/rtp"

	"github.com/fanfare-relay/fanfare/media"
	"github.com/fanfare-relay/fanfare/media/mediatest"
	"github.com/fanfare-relay/fanfare/sfu"
	"github.com/fanfare-relay/fanfare/sfu/sfutest"
)

// repeatsUnder is how far the source of repeats is from that of what they repeat.
const repeatsUnder = 1

// withRepeats makes the offer name a source of repeats.
func withRepeats(t *testing.T, offer string) string {
	t.Helper()
	at := strings.Index(offer, "a=ssrc:")
	var ssrc uint32
	if at < 0 {
		t.Fatal("the offer names no source")
	}
	if _, err := fmt.Sscanf(offer[at:], "a=ssrc:%d", &ssrc); err != nil {
		t.Fatal(err)
	}
	return offer[:at] + fmt.Sprintf("a=ssrc-group:FID %d %d\r\na=ssrc:%d cname:x\r\n", ssrc, ssrc+repeatsUnder, ssrc+repeatsUnder) + offer[at:]
}

// repeatOf is a packet as RFC 4588 repeats it.
func repeatOf(p *rtp.Packet) *rtp.Packet {
	again := p.Clone()
	again.Payload = append(binary.BigEndian.AppendUint16(nil, p.SequenceNumber), p.Payload...)
	return again
}

// Repeats that come before their source has begun, as browsers send them to probe the line, do not cost the
// track; later ones are taken.
func TestEarlyRepeatsCostNoTrack(t *testing.T) {
	t.Parallel()
	r := sfutest.Start(t, nil)
	pub := sfutest.NewPublisher(t, media.CodecVP8)
	pub.ConnectAs(t, r, "s", func(offer string) string { return withRepeats(t, offer) })
	source := mediatest.NewSource(mediatest.SourceConfig{Codec: media.CodecVP8, Width: 320, Height: 180})
	first := source.Next(mediatest.Frame{Key: true, Size: 500})
	repeat := func(p *rtp.Packet) {
		pub.Move(repeatsUnder)
		pub.Send(t, media.KindVideo, repeatOf(p))
		pub.Move(1<<32 - repeatsUnder)
	}
	eventually(t, "an early repeat is held back", func() bool {
		repeat(first[0])
		return r.Stats().Drops[sfu.DropEarlyRepeat] > 0
	})
	v := sfutest.NewViewer(t, r, sfutest.ViewerOptions{})
	v.Connect(t, "s")
	v.Repeat(t, media.KindVideo, "the picture", func() { pub.Send(t, media.KindVideo, source.Next(mediatest.Frame{Key: true, Size: 500})...) },
		func(got []sfutest.Packet) bool { return len(got) > 0 })
	eventually(t, "a later repeat is taken", func() bool {
		repeat(first[0])
		return r.Stats().RTXReceived > 0
	})
}

// eventually asks again until it is so.
func eventually(t *testing.T, what string, so func() bool) {
	t.Helper()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	deadline := time.After(sfutest.Patience)
	for !so() {
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatalf("never came: %s", what)
		}
	}
}
