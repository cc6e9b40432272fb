package sfu_test

import (
	"testing"

	"github.com/fanfare-relay/fanfare/media"
	"github.com/fanfare-relay/fanfare/media/mediatest"
	"github.com/fanfare-relay/fanfare/sfu/sfutest"
)

// speak sends sound and waits until enough of it has come; the first packet may fall to the
// time before the viewer's track begins.
func speak(t *testing.T, p *sfutest.Publisher, v *sfutest.Viewer, packets int) {
	t.Helper()
	source := mediatest.NewSource(mediatest.SourceConfig{Codec: media.CodecOpus, Seq: 60000, Timestamp: 7})
	before := len(v.Packets(media.KindAudio))
	for i := range packets {
		p.Send(t, media.KindAudio, source.Next(mediatest.Frame{Size: 80})...)
		if i > 0 {
			v.WaitCount(t, media.KindAudio, before+i)
		}
	}
}

// checkRising makes sure that numbers run on and timestamps do not step back.
func checkRising(t *testing.T, got []sfutest.Packet) {
	t.Helper()
	for i := 1; i < len(got); i++ {
		if got[i].SequenceNumber != got[i-1].SequenceNumber+1 || int32(got[i].Timestamp-got[i-1].Timestamp) <= 0 {
			t.Fatalf("packet %d: %d at %d, after %d at %d", i,
				got[i].SequenceNumber, got[i].Timestamp, got[i-1].SequenceNumber, got[i-1].Timestamp)
		}
	}
}

// Sound alone between two publishers with a picture: each track goes on where it stood.
func TestPictureComesBack(t *testing.T) {
	t.Parallel()
	r := sfutest.Start(t, nil)
	v := sfutest.Subscribe(t, r, "s")
	viewers := []*sfutest.Viewer{v}
	first := sfutest.Publish(t, r, "s", media.CodecVP8, media.CodecOpus)
	speak(t, first, v, 5)
	total := play(t, first, viewers, newSource(media.CodecVP8), 0, 5)

	second := sfutest.Publish(t, r, "s", media.CodecOpus)
	speak(t, second, v, 5)
	if n := len(v.Packets(media.KindVideo)); n != total {
		t.Errorf("%d packets of a picture that nobody sends", n-total)
	}

	third := sfutest.Publish(t, r, "s", media.CodecVP8, media.CodecOpus)
	speak(t, third, v, 5)
	play(t, third, viewers, newSource(media.CodecVP8), total, 5)
	checkContinuous(t, v.Packets(media.KindVideo))
	checkRising(t, v.Packets(media.KindAudio))
}

// A viewer without the publisher's codec has the sound, costs the publisher no key frames, and
// has the picture when a publisher brings one that it takes.
func TestViewerWithSomeCodecs(t *testing.T) {
	t.Parallel()
	r := sfutest.Start(t, nil)
	v := sfutest.NewViewer(t, r, sfutest.ViewerOptions{Codecs: []media.Codec{media.CodecVP8, media.CodecOpus}})
	v.Connect(t, "s")
	whole := sfutest.Subscribe(t, r, "s")
	first := sfutest.Publish(t, r, "s", media.CodecH264, media.CodecOpus)
	play(t, first, []*sfutest.Viewer{whole}, newSource(media.CodecH264), 0, 5)
	speak(t, first, v, 5)
	if n := len(v.Packets(media.KindVideo)); n > 0 {
		t.Errorf("%d packets of a codec that was not offered", n)
	}
	second := sfutest.Publish(t, r, "s", media.CodecVP8)
	play(t, second, []*sfutest.Viewer{v}, newSource(media.CodecVP8), 0, 5)
	checkContinuous(t, v.Packets(media.KindVideo))
}
