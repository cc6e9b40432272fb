package sfu_test

import (
	"bytes"
	"testing"
	"testing/synctest"
	"time"

	"github.com/pion/rtp"

	"github.com/fanfare-relay/fanfare/media"
	"github.com/fanfare-relay/fanfare/media/mediatest"
	"github.com/fanfare-relay/fanfare/sfu/sfutest"
)

// A publisher's packets reach every viewer whole, in order and without gaps, under the
// numbers that the viewer offered.
func TestForward(t *testing.T) {
	t.Parallel()
	for _, codec := range []media.Codec{media.CodecVP8, media.CodecVP9, media.CodecH264, media.CodecAV1} {
		t.Run(codec.String(), func(t *testing.T) {
			t.Parallel()
			r := sfutest.Start(t, nil)
			pub := sfutest.Publish(t, r, "s", codec, media.CodecOpus)
			viewers := []*sfutest.Viewer{sfutest.Subscribe(t, r, "s"), sfutest.Subscribe(t, r, "s"), sfutest.Subscribe(t, r, "s")}
			video := mediatest.NewSource(mediatest.SourceConfig{Codec: codec, Seq: 65500, PictureID: 32760})
			audio := mediatest.NewSource(mediatest.SourceConfig{Codec: media.CodecOpus, Seq: 10})
			var sent []*rtp.Packet
			for i := range 60 { // sound begins at its newest packet: the first is seen before the next comes
				frame := video.Next(mediatest.Frame{Key: i == 0, Size: 2500})
				sent = append(sent, frame...)
				pub.Send(t, media.KindVideo, frame...)
				pub.Send(t, media.KindAudio, audio.Next(mediatest.Frame{Size: 80})...)
				for _, v := range viewers { // one frame after the other: sockets hold only so much
					v.WaitCount(t, media.KindVideo, len(sent))
					v.WaitCount(t, media.KindAudio, i+1)
				}
			}
			for _, v := range viewers {
				checkSame(t, sent, v.Packets(media.KindVideo), sfutest.ViewerType(codec))
			}
		})
	}
}

func checkSame(t *testing.T, sent []*rtp.Packet, got []sfutest.Packet, pt uint8) {
	t.Helper()
	if len(got) != len(sent) {
		t.Fatalf("%d packets, want %d", len(got), len(sent))
	}
	for i, p := range got {
		switch {
		case p.SequenceNumber != got[0].SequenceNumber+uint16(i):
			t.Fatalf("packet %d has number %d after %d", i, p.SequenceNumber, got[i-1].SequenceNumber)
		case p.Timestamp-got[0].Timestamp != sent[i].Timestamp-sent[0].Timestamp:
			t.Fatalf("packet %d: timestamps are not the publisher's", i)
		case p.PayloadType != pt:
			t.Fatalf("packet %d has payload type %d, want %d", i, p.PayloadType, pt)
		case p.Marker != sent[i].Marker:
			t.Fatalf("packet %d: marker %v", i, p.Marker)
		case !bytes.Equal(p.Payload, sent[i].Payload):
			t.Fatalf("packet %d: another payload", i)
		}
	}
}

// Who joins in the middle of a group of pictures gets all of it, from the key frame on, with
// compressed timestamps, and the publisher is not asked for anything.
func TestJoinInTheMiddleOfAGroup(t *testing.T) {
	t.Parallel()
	r := sfutest.Start(t, nil)
	pub := sfutest.Publish(t, r, "s", media.CodecVP8)
	first := sfutest.Subscribe(t, r, "s")
	video := mediatest.NewSource(mediatest.SourceConfig{Codec: media.CodecVP8})
	var sent []*rtp.Packet
	send := func(key bool) {
		frame := video.Next(mediatest.Frame{Key: key, Size: 2500})
		sent = append(sent, frame...)
		pub.Send(t, media.KindVideo, frame...)
	}
	for i := range 90 { // three seconds of pictures
		send(i == 0)
		first.WaitCount(t, media.KindVideo, len(sent))
	}
	asked := r.Stats().PLIsSent
	group := len(sent)
	late := sfutest.Subscribe(t, r, "s")
	late.WaitCount(t, media.KindVideo, group)
	for range 60 {
		send(false)
		late.WaitCount(t, media.KindVideo, len(sent))
	}
	got := late.Packets(media.KindVideo)
	checkNumbers(t, sent, got)
	if n := r.Stats().PLIsSent; n != asked {
		t.Errorf("the publisher was asked for a key frame %d times", n-asked)
	}
	length := sent[group-1].Timestamp - sent[0].Timestamp
	if shown := got[group-1].Timestamp - got[0].Timestamp; shown != length/4 {
		t.Errorf("a group of %d units is shown in %d", length, shown)
	}
	// From where both meet the timestamps run as the publisher's.
	n := len(sent) - 1
	if d, want := got[n].Timestamp-got[n-10].Timestamp, sent[n].Timestamp-sent[n-10].Timestamp; d != want {
		t.Errorf("at the live edge timestamps run by %d instead of %d", d, want)
	}
}

func checkNumbers(t *testing.T, sent []*rtp.Packet, got []sfutest.Packet) {
	t.Helper()
	if len(got) != len(sent) {
		t.Fatalf("%d packets, want %d", len(got), len(sent))
	}
	for i, p := range got {
		if p.SequenceNumber != got[0].SequenceNumber+uint16(i) || !bytes.Equal(p.Payload, sent[i].Payload) {
			t.Fatalf("packet %d has number %d after %d, or another payload", i, p.SequenceNumber, got[max(i-1, 0)].SequenceNumber)
		}
		if i > 0 && int32(p.Timestamp-got[i-1].Timestamp) < 0 {
			t.Fatalf("packet %d: time goes back", i)
		}
	}
}

// A key frame goes at once to a viewer whose line has carried all that it was sent: what the line could
// carry beyond that nobody knows, and nobody needs.
func TestWideLinesGetKeyFramesAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := sfutest.NewNetwork(3)
		r := startVirtual(t, n)
		pub := sfutest.NewPublisherOn(t, n.Listen(sfutest.Line{}), media.CodecVP8)
		pub.Connect(t, r, "s")
		v := sfutest.NewViewer(t, r, sfutest.ViewerOptions{Conn: n.Listen(sfutest.Line{Delay: 10 * time.Millisecond}), Feedback: true})
		v.Connect(t, "s")
		source := mediatest.NewSource(mediatest.SourceConfig{Codec: media.CodecVP8})
		send := func(key bool, size int) (packets int) {
			frame := source.Next(mediatest.Frame{Key: key, Size: size})
			pub.Send(t, media.KindVideo, frame...)
			return len(frame)
		}
		send(true, 40_000)
		for range 10 * 30 {
			time.Sleep(time.Second / 30)
			send(false, 10_000)
		}
		time.Sleep(time.Second / 30)
		before, sent := len(v.Packets(media.KindVideo)), time.Now()
		want := send(true, 100_000)
		time.Sleep(15 * time.Millisecond)
		if n := len(v.Packets(media.KindVideo)) - before; n < want {
			t.Errorf("%d of %d packets of the key frame came within %v", n, want, time.Since(sent))
			time.Sleep(200 * time.Millisecond)
			for i, p := range v.Packets(media.KindVideo)[before-5:] {
				t.Log(i-5, p.At.Sub(sent), p.Repeated, p.Timestamp, len(p.Payload))
			}
		}
	})
}
