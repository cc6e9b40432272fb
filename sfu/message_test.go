package sfu_test

import (
	"bytes"
	"testing"
	"time"

	"github.com/pion/rtp"

	"github.com/fanfare-relay/fanfare/media"
	"github.com/fanfare-relay/fanfare/media/mediatest"
	"github.com/fanfare-relay/fanfare/sfu"
	"github.com/fanfare-relay/fanfare/sfu/sfutest"
)

// evenFrames are frames as Chromium cuts them: parts that differ by one byte at most, the longer ones last.
func evenFrames(seqNumber uint16, sizes ...int) (out []*rtp.Packet) {
	for f, left := range sizes {
		parts := (left + 1169) / 1170
		for i := range parts {
			size := left / (parts - i)
			left -= size
			p := append([]byte{0x80, 0x80, 0x80, byte(1 + f)}, bytes.Repeat([]byte{0x11}, size)...) // RFC 7741 section 4.2
			if i == 0 {
				p[0] |= 0x10
			}
			out = append(out, &rtp.Packet{Payload: p, Header: rtp.Header{
				Version: 2, SequenceNumber: seqNumber, Timestamp: uint32(90_000 + 3000*f), Marker: i == parts-1,
			}})
			seqNumber++
		}
	}
	return out
}

// watchEven lets viewers see two frames with two packets of sound, all in one pass of the worker, and says what each got.
func watchEven(t *testing.T, offers ...sfutest.ViewerOptions) (sent, sounds []*rtp.Packet, got []*sfutest.Viewer, messages uint64) {
	t.Helper()
	r, held, release := startHeld(t, int64(len(offers)))
	defer release()
	pub := sfutest.Publish(t, r, "s", media.CodecVP8, media.CodecOpus)
	video := mediatest.NewSource(mediatest.SourceConfig{Codec: media.CodecVP8})
	audio := mediatest.NewSource(mediatest.SourceConfig{Codec: media.CodecOpus})
	pub.Send(t, media.KindVideo, video.Next(mediatest.Frame{Key: true, Size: 900})...)
	pub.Send(t, media.KindAudio, audio.Next(mediatest.Frame{Size: 80})...)
	r.WaitStats(t, "picture and sound", func(s sfu.Stats) bool { return s.PacketsIn == 2 })
	for _, o := range offers {
		v := sfutest.NewViewer(t, r, o)
		v.Connect(t, "s")
		got = append(got, v)
	}
	<-held
	sent = evenFrames(100, 4678, 3000)
	for range 2 {
		sounds = append(sounds, audio.Next(mediatest.Frame{Size: 80})...)
	}
	in := sfu.NewStandIn(t, r.SFU, "s", sent, sounds...)
	in.Uncaptured()
	in.Forward(0, 0, time.Now()) // viewers begin
	before := r.Stats().Sending.Messages
	in.Forward(len(sent), len(sounds), time.Now())
	messages = r.Stats().Sending.Messages - before
	for _, v := range got {
		v.WaitCount(t, media.KindVideo, 1+len(sent))
		v.WaitCount(t, media.KindAudio, 1+len(sounds))
	}
	return sent, sounds, got, messages
}

// Parts of a frame that are one byte shorter are padded for who gets repeats as packets of their own. Payloads, order and
// numbers are those of the publisher either way.
func TestPadding(t *testing.T) {
	t.Parallel()
	sent, sounds, got, _ := watchEven(t, sfutest.ViewerOptions{}, sfutest.ViewerOptions{NoRTX: true})
	for i, padded := range []string{"pp-----", "-------"} { // parts of 1169, 1169, 1170, 1170 bytes, and of 1000
		pictures := got[i].Packets(media.KindVideo)[1:]
		checkSame(t, sent, pictures, sfutest.ViewerType(media.CodecVP8))
		for k, p := range pictures {
			if p.Padding != (padded[k] == 'p') {
				t.Errorf("viewer %d: packet %d of %d bytes: padded %v", i, k, len(p.Payload), p.Padding)
			}
		}
		checkSame(t, sounds, got[i].Packets(media.KindAudio)[1:], sfutest.ViewerType(media.CodecOpus))
	}
}

// Payloads that are changed for a viewer are padded, too: here a frame has been left out, over which picture ids close up.
func TestPaddingOfChangedPayloads(t *testing.T) {
	t.Parallel()
	r, held, release := startHeld(t, 1)
	defer release()
	pub := sfutest.Publish(t, r, "s", media.CodecVP8)
	pub.Send(t, media.KindVideo, mediatest.NewSource(mediatest.SourceConfig{Codec: media.CodecVP8}).Next(mediatest.Frame{Key: true, Size: 900})...)
	r.WaitStats(t, "a key frame", func(s sfu.Stats) bool { return s.PacketsIn == 1 })
	v := sfutest.NewViewer(t, r, sfutest.ViewerOptions{})
	v.Connect(t, "s")
	<-held
	sent := evenFrames(100, 100, 4678)
	in := sfu.NewStandIn(t, r.SFU, "s", sent)
	in.Forward(0, 0, time.Now()) // the viewer begins
	in.LeaveOut(1)
	in.Forward(4, 0, time.Now())
	v.WaitCount(t, media.KindVideo, 5)
	for i, p := range v.Packets(media.KindVideo)[1:] {
		want := bytes.Clone(sent[1+i].Payload)
		want[3]-- // its picture id
		if p.Padding != (i < 2) || !bytes.Equal(p.Payload, want) {
			t.Errorf("packet %d of %d bytes, padded %v, begins %x and not %x", i, len(p.Payload), p.Padding, p.Payload[:6], want[:6])
		}
	}
}
