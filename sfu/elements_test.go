package sfu_test

import (
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/pion/rtp"

	"github.com/fanfare-relay/fanfare/media"
	"github.com/fanfare-relay/fanfare/media/ext"
	"github.com/fanfare-relay/fanfare/media/mediatest"
	"github.com/fanfare-relay/fanfare/media/report"
	"github.com/fanfare-relay/fanfare/sfu"
	"github.com/fanfare-relay/fanfare/sfu/sfutest"
)

// captures is a publisher that says when its pictures were captured, by a clock of its own.
type captures struct {
	pub    *sfutest.Publisher
	source *mediatest.Source
	// ahead is the publisher's clock before that of the relay, and capture the capture system's before
	// the publisher's.
	ahead, capture time.Duration
	taken          []report.NTP // when each picture was captured, by the capture system's clock
}

// send sends a picture, with the time of its capture if it is told, and lets its time pass.
func (c *captures) send(t *testing.T, told bool) {
	t.Helper()
	packets := c.source.Next(mediatest.Frame{Key: len(c.taken) == 0, Size: 2500})
	at := report.NTPOf(time.Now().Add(c.ahead + c.capture))
	c.taken = append(c.taken, at)
	if told {
		extend(t, packets[0], c.pub.ExtensionID(media.KindVideo, ext.URIAbsCaptureTime),
			ext.CaptureTime{NTP: uint64(at), Offset: report.Fixed(c.capture), Known: true}.Append(nil))
	}
	c.pub.Send(t, media.KindVideo, packets...)
	time.Sleep(time.Second / 30)
}

func extend(t *testing.T, p *rtp.Packet, id uint8, data []byte) {
	t.Helper()
	if err := p.SetExtension(id, data); err != nil {
		t.Fatal(err)
	}
}

// The publisher tells once a second when a picture was captured. Every viewer can reckon it for every
// picture, one who comes late too, and knows how the capture system's clock lies to the relay's.
func TestCaptureTimes(t *testing.T) {
	const delay, late = 30 * time.Millisecond, 60
	synctest.Test(t, func(t *testing.T) {
		n := sfutest.NewNetwork(3)
		r := startVirtual(t, n)
		c := &captures{
			source: mediatest.NewSource(mediatest.SourceConfig{Codec: media.CodecVP8, Timestamp: 1<<32 - 300_000}),
			ahead:  40 * time.Second, capture: -2 * time.Second,
		}
		c.pub = sfutest.NewPublisherOn(t, n.Listen(sfutest.Line{Delay: delay}), media.CodecVP8)
		c.pub.Connect(t, r, "s")
		view := func() *sfutest.Viewer {
			v := sfutest.NewViewer(t, r, sfutest.ViewerOptions{Conn: n.Listen(sfutest.Line{})})
			v.Connect(t, "s")
			return v
		}
		viewers := []*sfutest.Viewer{view()}
		time.Sleep(3 * time.Second) // for a check that tells the round trip
		for i := range 150 {
			if i == 20 {
				c.pub.Report(t, media.KindVideo, uint64(report.NTPOf(time.Now().Add(c.ahead))), 1<<32-300_000+20*3000)
			}
			if i == late {
				viewers = append(viewers, view())
			}
			c.send(t, i%30 == 0)
		}
		time.Sleep(time.Second)
		for i, v := range viewers {
			told, before := checkCaptures(t, c, v)
			t.Logf("viewer %d was told %d times, %d of them before the publisher's report", i, told, before)
			if most := []int{8, 90}[i]; told > most || (before > 0) != (i == 0) { // each of 80 frames in fast motion
				t.Error("that is not as it should be")
			}
		}
	})
}

// checkCaptures reckons as a receiver does, and counts how often the viewer was told, and how often
// without the clock's offset.
func checkCaptures(t *testing.T, c *captures, v *sfutest.Viewer) (told, before int) {
	t.Helper()
	id := v.ExtensionID(media.KindVideo, ext.URIAbsCaptureTime)
	var last report.Capture
	frame := 0
	packets := v.Packets(media.KindVideo) // those of one moment come in any order
	slices.SortStableFunc(packets, func(a, b sfutest.Packet) int { return int(int16(a.SequenceNumber - b.SequenceNumber)) })
	for _, p := range packets {
		if raw := p.GetExtension(id); raw != nil {
			got, ok := ext.ParseCaptureTime(raw)
			if !ok {
				t.Fatalf("frame %d tells its capture by %x", frame, raw)
			}
			last = report.NewCapture(report.NTP(got.NTP), p.Timestamp, 90000)
			told++
			wrong := got.Offset - report.Fixed(c.ahead+c.capture)
			if !got.Known {
				before++
			} else if wrong > 1<<22 || wrong < -1<<22 { // a millisecond
				t.Fatalf("frame %d: the clock's offset is wrong by %d", frame, wrong)
			}
		}
		if off := last.At(p.Timestamp).Sub(c.taken[frame]); off > 2*time.Millisecond || off < -2*time.Millisecond {
			t.Fatalf("frame %d is taken to be captured %v wrong", frame, off)
		}
		if p.Marker {
			frame++
		}
	}
	if frame != len(c.taken) {
		t.Fatalf("%d of %d frames came", frame, len(c.taken))
	}
	return told, before
}

// A viewer of which packets are repeated as they were gets no time of capture, which would change.
func TestNoCaptureTimeInRepeats(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := sfutest.NewNetwork(3)
		r := startVirtual(t, n)
		c := &captures{source: mediatest.NewSource(mediatest.SourceConfig{Codec: media.CodecVP8})}
		c.pub = sfutest.NewPublisherOn(t, n.Listen(sfutest.Line{}), media.CodecVP8)
		c.pub.Connect(t, r, "s")
		v := sfutest.NewViewer(t, r, sfutest.ViewerOptions{NoRTX: true, Conn: n.Listen(sfutest.Line{})})
		v.Connect(t, "s")
		for range 3 {
			c.send(t, true)
		}
		for _, p := range v.WaitCount(t, media.KindVideo, 3) {
			if p.Extension {
				t.Errorf("packet %d has extensions: %x", p.SequenceNumber, p.GetExtensionIDs())
			}
		}
	})
}

// The delay of playout that the stream's owner asks for, or else the relay, stands on the first packet of each key frame,
// instead of the publisher's, also when that packet comes again, as it was or by RTX.
func TestPlayoutDelay(t *testing.T) {
	theirs := []byte{0x01, 0x00, 0x20}
	some := &media.PlayoutDelay{Least: 100 * time.Millisecond, Most: 400 * time.Millisecond}
	for name, c := range map[string]struct {
		relay, stream *media.PlayoutDelay
		noRTX         bool
		want          []string // on the packets of a key frame and of another one
	}{
		"none":             {want: []string{"\x01\x00\x20", "\x01\x00\x20", "\x01\x00\x20", "\x01\x00\x20"}},
		"the relay's":      {relay: some, want: []string{"\x00\xa0\x28", "", "", ""}},
		"the stream's":     {stream: some, want: []string{"\x00\xa0\x28", "", "", ""}},
		"both":             {relay: &media.PlayoutDelay{}, stream: some, want: []string{"\x00\xa0\x28", "", "", ""}},
		"at once":          {relay: &media.PlayoutDelay{}, want: []string{"\x00\x00\x00", "", "", ""}},
		"repeated as sent": {relay: &media.PlayoutDelay{}, noRTX: true, want: []string{"\x00\x00\x00", "", "", ""}},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				n := sfutest.NewNetwork(3)
				r := sfutest.Start(t, func(cfg *sfu.Config) {
					_ = cfg.Conn.Close()
					cfg.Conn, cfg.Workers, cfg.PlayoutDelay = n.Listen(sfutest.Line{}), 1, c.relay
				})
				pub := sfutest.NewPublisherOn(t, n.Listen(sfutest.Line{}), media.CodecVP8)
				pub.Options.PlayoutDelay = c.stream
				pub.Connect(t, r, "s")
				conn := n.Listen(sfutest.Line{})
				v := sfutest.NewViewer(t, r, sfutest.ViewerOptions{Conn: conn, NoRTX: c.noRTX})
				v.Connect(t, "s")
				source := mediatest.NewSource(mediatest.SourceConfig{Codec: media.CodecVP8})
				send := func(key bool) {
					for _, p := range source.Next(mediatest.Frame{Key: key, Size: 2000}) {
						extend(t, p, pub.ExtensionID(media.KindVideo, ext.URIPlayoutDelay), theirs)
						pub.Send(t, media.KindVideo, p)
					}
				}
				check := func(got []sfutest.Packet) {
					t.Helper()
					for i, want := range c.want {
						if data := got[i].GetExtension(v.ExtensionID(media.KindVideo, ext.URIPlayoutDelay)); string(data) != want {
							t.Errorf("packet %d says %x, want %x", i, data, want)
						}
					}
				}
				send(true)
				send(false)
				check(v.WaitCount(t, media.KindVideo, 4))

				// Once more, and the key frame's first packet is lost.
				conn.SetLine(sfutest.Line{Loss: 1})
				send(true)
				synctest.Wait()
				conn.SetLine(sfutest.Line{})
				first := v.Packets(media.KindVideo)[0].SequenceNumber
				v.Repeat(t, media.KindVideo, "what was lost", func() { send(false) }, func(p []sfutest.Packet) bool {
					return len(p) > 8 && missing(p, first) == 0
				})
				again := v.Packets(media.KindVideo)
				slices.SortStableFunc(again, func(a, b sfutest.Packet) int { return int(int16(a.SequenceNumber - b.SequenceNumber)) })
				again = again[4:]
				if st := r.Stats(); st.RTXSent < 2 || again[0].Repeated == c.noRTX {
					t.Fatalf("%d repeats; the first packet is one: %v", st.RTXSent, again[0].Repeated)
				}
				check(again)
				if n := r.Stats().Drops[sfu.DropSeal]; n > 0 {
					t.Errorf("%d repeats were not the packets that went out first", n)
				}
			})
		})
	}
}

// How the camera is held and how loud the sound is come to every viewer with the packets that the publisher said
// it with.
func TestOrientationAndLevel(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := sfutest.NewNetwork(3)
		r := startVirtual(t, n)
		pub := sfutest.NewPublisherOn(t, n.Listen(sfutest.Line{}), media.CodecVP8, media.CodecOpus)
		pub.Connect(t, r, "s")
		var viewers []*sfutest.Viewer
		for _, o := range []sfutest.ViewerOptions{{}, {Feedback: true}, {NoRTX: true}} {
			o.Conn = n.Listen(sfutest.Line{})
			v := sfutest.NewViewer(t, r, o)
			v.Connect(t, "s")
			viewers = append(viewers, v)
		}
		var held, loud []string
		video := mediatest.NewSource(mediatest.SourceConfig{Codec: media.CodecVP8})
		audio := mediatest.NewSource(mediatest.SourceConfig{Codec: media.CodecOpus})
		for i := range 20 {
			turned, level := []byte{byte(i % 16)}, []byte{byte(0x80 | 3*i)}
			for j, p := range video.Next(mediatest.Frame{Key: i == 0, Size: 2000}) {
				if j == 0 { // as browsers do: with the last packet
					held = append(held, "")
				} else {
					extend(t, p, pub.ExtensionID(media.KindVideo, ext.URIVideoOrientation), turned)
					held = append(held, string(turned))
				}
				pub.Send(t, media.KindVideo, p)
			}
			p := audio.Next(mediatest.Frame{Size: 80})[0]
			extend(t, p, pub.ExtensionID(media.KindAudio, ext.URIAudioLevel), level)
			pub.Send(t, media.KindAudio, p)
			loud = append(loud, string(level))
			time.Sleep(20 * time.Millisecond)
			synctest.Wait()
		}
		for i, v := range viewers {
			if got := said(v, media.KindVideo, ext.URIVideoOrientation); !slices.Equal(got, held) {
				t.Errorf("viewer %d: the camera is held like %x, not %x", i, got, held)
			}
			if got := said(v, media.KindAudio, ext.URIAudioLevel); !slices.Equal(got, loud) {
				t.Errorf("viewer %d: the sound is as loud as %x, not %x", i, got, loud)
			}
		}
	})
}

// said is what a viewer's packets of a kind say by one extension, "" for one without.
func said(v *sfutest.Viewer, kind media.Kind, uri string) (values []string) {
	for _, p := range v.Packets(kind) {
		values = append(values, string(p.GetExtension(v.ExtensionID(kind, uri))))
	}
	return values
}
