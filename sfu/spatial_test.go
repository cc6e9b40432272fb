package sfu_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/fanfare-relay/fanfare/media"
	"github.com/fanfare-relay/fanfare/media/codec"
	"github.com/fanfare-relay/fanfare/media/mediatest"
	"github.com/fanfare-relay/fanfare/sfu"
	"github.com/fanfare-relay/fanfare/sfu/sfutest"
)

// scalable is a publisher of VP9 in two spatial and two temporal layers, 30 pictures a second, with key frames when
// they are asked for.
type scalable struct {
	pub    *sfutest.Publisher
	source *mediatest.Source
	sent   int // pictures
}

func (s *scalable) run(t *testing.T, d time.Duration) {
	t.Helper()
	for end := time.Now().Add(d); time.Now().Before(end); s.sent++ {
		key := s.sent == 0 || s.pub.KeyWantedOf(media.KindVideo, "")
		f := mediatest.Frame{Key: key, Size: 5000, Spatial: 1}
		if !key && s.sent%2 == 1 {
			f.Temporal, f.SwitchUp = 1, true
		}
		s.pub.Send(t, media.KindVideo, s.source.Next(f)...)
		time.Sleep(time.Second / 30)
		synctest.Wait()
	}
}

// svcPicture is what a viewer has got of a picture.
type svcPicture struct {
	key bool
	top media.Layer
}

// svcPictures reads what a viewer got: numbers without a gap, and of each picture all layers up to one, with the marker on
// the last packet alone.
func svcPictures(t *testing.T, v *sfutest.Viewer) (list []svcPicture) {
	t.Helper()
	packets := v.Packets(media.KindVideo)
	checkContinuous(t, packets)
	next := int8(0) // the spatial layer that begins next
	for i, p := range packets {
		d := codec.Describe(media.CodecVP9, p.Payload, false)
		begins := i == 0 || packets[i-1].Timestamp != p.Timestamp
		ends := i == len(packets)-1 || packets[i+1].Timestamp != p.Timestamp
		if begins {
			next = 0
			list = append(list, svcPicture{key: d.KeyFrame})
		}
		if d.FrameStart {
			if d.Layer.Spatial != next {
				t.Fatalf("picture %d goes on with layer %d after %d layers", len(list), d.Layer.Spatial, next)
			}
			next++
		}
		if begins && !d.FrameStart || ends != p.Marker || ends && !d.FrameEnd {
			t.Fatalf("picture %d: packet %d begins %v, ends %v, marker %v", len(list), i, begins, ends, p.Marker)
		}
		list[len(list)-1].top = d.Layer
	}
	return list
}

// The layers of one encoding fall at once, and rise where the stream allows it: more motion with the next picture that says
// so, a larger picture with a key frame, for which the publisher is asked once. Another viewer has everything throughout.
func TestSpatialLayers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := sfutest.NewNetwork(5)
		r := startVirtual(t, n)
		s := &scalable{
			pub:    sfutest.NewPublisherOn(t, n.Listen(sfutest.Line{}), media.CodecVP9),
			source: mediatest.NewSource(mediatest.SourceConfig{Codec: media.CodecVP9, Seq: 65500}),
		}
		s.pub.Connect(t, r, "s")
		var viewers []*sfutest.Viewer
		for range 2 {
			v := sfutest.NewViewer(t, r, sfutest.ViewerOptions{Conn: n.Listen(sfutest.Line{})})
			v.Connect(t, "s")
			viewers = append(viewers, v)
		}
		v := viewers[0]
		s.run(t, 3*time.Second) // what each layer takes is known after one
		for _, step := range []struct {
			name string
			wish media.Wish
			top  media.Layer // of all its pictures at the end
			few  bool        // not every picture comes
			keys int64       // that the publisher is asked for
		}{
			{"everything", media.Wish{}, media.Layer{Spatial: 1, Temporal: 1}, false, 0},
			{"a small window", media.Wish{MaxHeight: 180}, media.Layer{Temporal: 1}, false, 0},
			{"nobody looks", media.Wish{Hidden: true}, media.Layer{}, true, 0},
			{"a small window again", media.Wish{MaxHeight: 180}, media.Layer{Temporal: 1}, false, 0},
			{"a large window", media.Wish{}, media.Layer{Spatial: 1, Temporal: 1}, false, 1},
		} {
			before, asked, sent := len(svcPictures(t, v)), s.pub.PLIs.Load(), s.sent
			if err := r.Wish(v.Answer.Session, step.wish); err != nil {
				t.Fatal(err)
			}
			time.Sleep(10 * time.Millisecond) // between two pictures
			synctest.Wait()
			s.run(t, 2*time.Second)
			got := svcPictures(t, v)[before:]
			checkTop(t, step.name, got[len(got)/2+10:], step.top)
			if came := len(got); (came < s.sent-sent) != step.few {
				t.Errorf("%s: %d of %d pictures came", step.name, came, s.sent-sent)
			}
			if n := s.pub.PLIs.Load() - asked; n != step.keys {
				t.Errorf("%s: the publisher was asked for %d key frames, not %d", step.name, n, step.keys)
			}
			for i := 1; i < len(got); i++ {
				if got[i].top.Spatial > got[i-1].top.Spatial && !got[i].key {
					t.Errorf("%s: picture %d is larger than the one before and no key frame", step.name, i)
				}
			}
		}
		all := svcPictures(t, viewers[1])
		checkTop(t, "the other viewer", all, media.Layer{Spatial: 1, Temporal: 1})
		if len(all) != s.sent {
			t.Errorf("the other viewer has %d of %d pictures", len(all), s.sent)
		}
		if r.Stats().Drops[sfu.DropLayer] == 0 {
			t.Error("nothing was left out")
		}
	})
}

// checkTop fails unless all pictures have the spatial layer, and all temporal layers up to that of top are among them.
func checkTop(t *testing.T, name string, got []svcPicture, top media.Layer) {
	t.Helper()
	motion := int8(0)
	for i, p := range got {
		motion = max(motion, p.top.Temporal)
		if p.top.Spatial != top.Spatial {
			t.Errorf("%s: picture %d ends with spatial layer %d, not %d", name, i, p.top.Spatial, top.Spatial)
			return
		}
	}
	if motion != top.Temporal {
		t.Errorf("%s: temporal layers up to %d, not %d", name, motion, top.Temporal)
	}
}
