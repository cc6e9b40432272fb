package sfu_test

import (
	"testing"

	"github.com/pion/rtp/codecs"
	"github.com/pion/webrtc/v3"

	"github.com/fanfare-relay/fanfare/media"
	"github.com/fanfare-relay/fanfare/media/mediatest"
	"github.com/fanfare-relay/fanfare/sfu/sfutest"
)

// A publisher who comes back, with another codec and then without sound, takes over at
// once. Viewers keep their connection; their numbers run on without a gap.
func TestTakeover(t *testing.T) {
	t.Parallel()
	r := sfutest.Start(t, nil)
	first := sfutest.Publish(t, r, "s", media.CodecVP8, media.CodecOpus)
	viewers := []*sfutest.Viewer{sfutest.Subscribe(t, r, "s"), sfutest.Subscribe(t, r, "s")}
	total := play(t, first, viewers, newSource(media.CodecVP8), 0, 10)

	second := sfutest.Publish(t, r, "s", media.CodecH264)
	gone := r.WaitEvent(t, "the first publisher is replaced", func(e media.Event) bool {
		return e.Kind == media.EventDisconnected && e.Session == first.Answer.Session
	})
	if gone.Reason != media.CloseReplaced {
		t.Errorf("reason %q, want %q", gone.Reason, media.CloseReplaced)
	}
	total = play(t, second, viewers, newSource(media.CodecH264), total, 10)

	third := sfutest.Publish(t, r, "s", media.CodecVP8, media.CodecOpus)
	play(t, third, viewers, newSource(media.CodecVP8), total, 10)
	for _, v := range viewers {
		if s := v.State(); s != webrtc.PeerConnectionStateConnected {
			t.Errorf("a viewer is %v", s)
		}
		checkContinuous(t, v.Packets(media.KindVideo))
	}
	if st := r.Stats(); st.HandshakesDone != uint64(len(viewers)) {
		t.Errorf("%d handshakes for %d viewers", st.HandshakesDone, len(viewers))
	}
}

// play sends frames, the first of which is a key frame, and waits until each has come.
func play(t *testing.T, p *sfutest.Publisher, viewers []*sfutest.Viewer, source *mediatest.Source, before, frames int) int {
	t.Helper()
	for i := range frames {
		packets := source.Next(mediatest.Frame{Key: i == 0, Size: 2500})
		p.Send(t, media.KindVideo, packets...)
		before += len(packets)
		for _, v := range viewers {
			v.WaitCount(t, media.KindVideo, before)
		}
	}
	return before
}

func newSource(codec media.Codec) *mediatest.Source {
	return mediatest.NewSource(mediatest.SourceConfig{Codec: codec, Seq: 4711, Timestamp: 99, PictureID: 500, TL0PicIdx: 7})
}

func checkContinuous(t *testing.T, got []sfutest.Packet) {
	t.Helper()
	picture := -1
	for i := 1; i < len(got); i++ {
		if got[i].SequenceNumber != got[i-1].SequenceNumber+1 {
			t.Fatalf("packet %d has number %d after %d", i, got[i].SequenceNumber, got[i-1].SequenceNumber)
		}
		if int32(got[i].Timestamp-got[i-1].Timestamp) < 0 {
			t.Fatalf("packet %d: the timestamp goes back from %d to %d", i, got[i-1].Timestamp, got[i].Timestamp)
		}
		if got[i].PayloadType != sfutest.ViewerType(media.CodecVP8) {
			continue
		}
		var vp8 codecs.VP8Packet
		if _, err := vp8.Unmarshal(got[i].Payload); err != nil {
			t.Fatalf("packet %d: %v", i, err)
		}
		id := int(vp8.PictureID)
		if picture >= 0 && id != picture && id != (picture+1)&0x7fff {
			t.Fatalf("packet %d: picture %d after %d", i, id, picture)
		}
		picture = id
	}
}

// A viewer who comes before the stream gets an answer, and media when it comes.
func TestViewerBeforeLive(t *testing.T) {
	t.Parallel()
	r := sfutest.Start(t, nil)
	v := sfutest.Subscribe(t, r, "s")
	if st := r.Stats().Streams["s"]; st.Live || st.Viewers != 1 {
		t.Fatalf("the stream is %+v", st)
	}
	pub := sfutest.Publish(t, r, "s", media.CodecVP8, media.CodecOpus)
	play(t, pub, []*sfutest.Viewer{v}, newSource(media.CodecVP8), 0, 5)
	if e := r.WaitEvent(t, "the picture's size", func(e media.Event) bool {
		return e.Kind == media.EventMedia && e.Track.Kind == media.KindVideo && e.Track.Width > 0
	}); e.Track.Width != 640 || e.Track.Height != 360 || e.Track.Codec != media.CodecVP8 {
		t.Errorf("told of %+v", e.Track)
	}
}

// Sound alone is a stream as well.
func TestAudioOnly(t *testing.T) {
	t.Parallel()
	r := sfutest.Start(t, nil)
	pub := sfutest.Publish(t, r, "s", media.CodecOpus)
	v := sfutest.Subscribe(t, r, "s")
	source := mediatest.NewSource(mediatest.SourceConfig{Codec: media.CodecOpus})
	for i := range 20 {
		pub.Send(t, media.KindAudio, source.Next(mediatest.Frame{Size: 80})...)
		if i > 0 { // the first may fall to the time before the viewer's track begins
			v.WaitCount(t, media.KindAudio, i)
		}
	}
	if n := len(v.Packets(media.KindVideo)); n > 0 {
		t.Errorf("%d packets of a picture that is not there", n)
	}
}

// The best encoding of a simulcast sender is sent.
func TestSimulcast(t *testing.T) {
	t.Parallel()
	r := sfutest.Start(t, nil)
	pub := sfutest.PublishSimulcast(t, r, "s", media.CodecVP8, "q", "h", "f")
	v := sfutest.Subscribe(t, r, "s")
	sources := map[string]*mediatest.Source{}
	for i, rid := range []string{"q", "h", "f"} {
		sources[rid] = mediatest.NewSource(mediatest.SourceConfig{
			Codec: media.CodecVP8, SSRC: media.SSRC(100 * (i + 1)), Seq: uint16(1000 * i),
			Width: uint16(160 << i), Height: uint16(90 << i)})
	}
	send := func() {
		for rid, source := range sources {
			pub.SendEncoding(t, media.KindVideo, rid, source.Next(mediatest.Frame{Key: true, Size: 900})...)
		}
	}
	// pion tells an encoding by its first packets; until it has, they are probes. So key
	// frames are sent until the viewer has the largest of them.
	v.Repeat(t, media.KindVideo, "the full picture",
		send, func(p []sfutest.Packet) bool { return len(p) > 0 && width(t, p[len(p)-1]) == 640 })
	if n := r.Stats().Streams["s"].KeyFrames; n < 3 {
		t.Errorf("%d key frames came in from three encodings", n)
	}
	checkContinuous(t, v.Packets(media.KindVideo))
}

// width reads the size from a VP8 key frame (RFC 6386 section 9.1), 0 in other packets.
func width(t *testing.T, p sfutest.Packet) int {
	t.Helper()
	var vp8 codecs.VP8Packet
	payload, err := vp8.Unmarshal(p.Payload)
	if err != nil || vp8.S == 0 || len(payload) < 10 || payload[0]&1 != 0 {
		return 0
	}
	return int(payload[6]) | int(payload[7]&0x3f)<<8
}
