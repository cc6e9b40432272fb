package sfu_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fanfare-relay/fanfare/media"
	"github.com/fanfare-relay/fanfare/media/mediatest"
	"github.com/fanfare-relay/fanfare/sfu"
	"github.com/fanfare-relay/fanfare/sfu/sfutest"
)

// threeSizes publishes 180p, 360p and 720p, with key frames only when they are asked for.
type threeSizes struct {
	*sfutest.Publisher
	sources map[string]*mediatest.Source
}

func publishThree(t *testing.T, r *sfutest.Relay) *threeSizes {
	t.Helper()
	p := &threeSizes{sfutest.PublishSimulcast(t, r, "s", media.CodecVP8, "q", "h", "f"), map[string]*mediatest.Source{}}
	for i, rid := range []string{"q", "h", "f"} {
		p.sources[rid] = mediatest.NewSource(mediatest.SourceConfig{
			Codec: media.CodecVP8, SSRC: media.SSRC(100 * (i + 1)), Seq: uint16(1000 * i),
			Width: uint16(320 << i), Height: uint16(180 << i)})
	}
	return p
}

// send sends one frame of each size.
func (p *threeSizes) send(t *testing.T, key bool) {
	t.Helper()
	select {
	case <-p.KeyWanted():
		key = true
	default:
	}
	for i, rid := range []string{"q", "h", "f"} {
		p.SendEncoding(t, media.KindVideo, rid, p.sources[rid].Next(mediatest.Frame{Key: key, Size: 200 << i})...)
	}
}

// begin sends key frames until the relay has all encodings and the viewer the largest: pion takes
// the first packets of an encoding for probes.
func (p *threeSizes) begin(t *testing.T, r *sfutest.Relay, v *sfutest.Viewer) {
	t.Helper()
	v.Repeat(t, media.KindVideo, "the full picture", func() { p.send(t, true) }, func(got []sfutest.Packet) bool {
		return newestWidth(t, got) == 1280 && len(pictureOf(t, r, v).Qualities) == 3
	})
}

// newestWidth is that of the newest key frame.
func newestWidth(t *testing.T, got []sfutest.Packet) int {
	t.Helper()
	for i := len(got) - 1; i >= 0; i-- {
		if w := width(t, got[i]); w > 0 {
			return w
		}
	}
	return 0
}

func pictureOf(t *testing.T, r *sfutest.Relay, v *sfutest.Viewer) media.Picture {
	t.Helper()
	p, err := r.Picture(t.Context(), v.Answer.Session)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// A viewer gets what it wishes: less at once from the history or by one key frame, and more again.
// Its numbers have no gaps, and others do not notice.
func TestWish(t *testing.T) {
	t.Parallel()
	r := sfutest.Start(t, nil)
	pub := publishThree(t, r)
	v, other := sfutest.Subscribe(t, r, "s"), sfutest.Subscribe(t, r, "s")
	pub.begin(t, r, v)
	pub.begin(t, r, other)
	changes := 0
	for _, step := range []struct {
		wish  media.Wish
		width int
		bound media.Bound
	}{
		{media.Wish{MaxHeight: 180}, 320, media.BoundWish},
		{media.Wish{MaxHeight: 200}, 640, media.BoundWish},
		{media.Wish{Hidden: true}, 320, media.BoundWish},
		{media.Wish{MaxHeight: 720}, 1280, media.BoundSource},
		{media.Wish{MaxHeight: 1, Hidden: true}, 320, media.BoundWish},
		{media.Wish{}, 1280, media.BoundSource},
	} {
		if err := r.Wish(v.Answer.Session, step.wish); err != nil {
			t.Fatal(err)
		}
		v.Repeat(t, media.KindVideo, "another size", func() { pub.send(t, false) },
			func(got []sfutest.Packet) bool { return newestWidth(t, got) == step.width })
		changes++
		p := pictureOf(t, r, v)
		if p.Current == nil || p.Current.Width != step.width || p.Bound != step.bound {
			t.Fatalf("with %+v: %+v, current %+v", step.wish, p, p.Current)
		}
	}
	checkContinuous(t, v.Packets(media.KindVideo))
	checkContinuous(t, other.Packets(media.KindVideo))
	if w := newestWidth(t, other.Packets(media.KindVideo)); w != 1280 {
		t.Errorf("the other viewer has a picture %d wide", w)
	}
	// Three key frames began the encodings; each change costs one of one encoding at most.
	if n := pub.PLIs.Load(); n > int64(3*3+changes) {
		t.Errorf("%d key frames were asked for", n)
	}
}

func TestPicture(t *testing.T) {
	t.Parallel()
	r := sfutest.Start(t, nil)
	v := sfutest.Subscribe(t, r, "s")
	if p := pictureOf(t, r, v); len(p.Qualities) > 0 || p.Current != nil || p.Bound != media.BoundNone {
		t.Errorf("before anything is published: %+v", p)
	}
	pub := publishThree(t, r)
	pub.begin(t, r, v)
	p := pictureOf(t, r, v)
	for i, q := range p.Qualities {
		if q.RID != []media.RID{"q", "h", "f"}[i] || q.Width != 320<<i || q.Height != 180<<i || q.Bitrate == 0 {
			t.Errorf("quality %d: %+v", i, q)
		}
	}
	if p.Current == nil || p.Current.RID != "f" || p.Bound != media.BoundSource || p.Estimate != 0 {
		t.Errorf("%+v, current %+v", p, p.Current)
	}
	if _, err := r.Picture(t.Context(), pub.Answer.Session); !errors.Is(err, media.ErrNoSuchSession) {
		t.Errorf("a publisher's picture: %v", err)
	}
	if err := r.Wish("nobody", media.Wish{}); !errors.Is(err, media.ErrNoSuchSession) {
		t.Errorf("a wish of nobody: %v", err)
	}
	if err := r.Close(v.Answer.Session, media.CloseRemoved); err != nil {
		t.Fatal(err)
	}
	if _, err := r.Picture(t.Context(), v.Answer.Session); !errors.Is(err, media.ErrNoSuchSession) {
		t.Errorf("the picture of a viewer that has gone: %v", err)
	}
}

// Questions that meet the end of the relay are answered as well.
func TestPictureAtTheEnd(t *testing.T) {
	t.Parallel()
	r := sfutest.Start(t, func(c *sfu.Config) { c.Workers = 1 })
	v := sfutest.Subscribe(t, r, "s")
	answered := make(chan error)
	go func() {
		for {
			if _, err := r.Picture(context.Background(), v.Answer.Session); err != nil {
				answered <- err
				return
			}
		}
	}()
	r.Shutdown()
	if err := <-answered; !errors.Is(err, media.ErrNoSuchSession) {
		t.Errorf("%v", err)
	}
}

// What the viewers of all workers get is told in one look.
func TestAudience(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := sfutest.NewNetwork(11)
		r := startVirtual(t, n)
		l := publishLadder(t, n, r)
		wide := sfutest.Line{Delay: 20 * time.Millisecond, Rate: 10_000_000, Queue: 200_000}
		var ids []media.SessionID
		for i := range 3 {
			v := sfutest.NewViewer(t, r, sfutest.ViewerOptions{Conn: n.Listen(wide), Feedback: i == 0})
			v.Connect(t, "s")
			ids = append(ids, v.Answer.Session)
		}
		if err := r.Wish(ids[2], media.Wish{MaxHeight: 180}); err != nil {
			t.Fatal(err)
		}
		for range 150 {
			l.send(t)
		}
		a := r.Audience(t.Context())
		lines := 0
		for _, n := range a.Lines {
			lines += n
		}
		if lines != 1 || a.Heights[720] != 2 || a.Heights[180] != 1 || a.Bounds[media.BoundSource] != 2 || a.Bounds[media.BoundWish] != 1 || a.Parity != 0 {
			t.Errorf("%+v", a)
		}
		list := r.Lines(t.Context(), "s")
		first := list[ids[0]]
		if len(list) != 3 || first.Estimate == 0 || first.Height != 720 || list[ids[1]] != (media.ViewerLine{Height: 720, Bound: media.BoundSource}) ||
			list[ids[2]] != (media.ViewerLine{Height: 180, Bound: media.BoundWish}) {
			t.Errorf("%+v", list)
		}
		if list := r.Lines(t.Context(), "nothing"); len(list) != 0 {
			t.Errorf("of no stream: %+v", list)
		}
	})
}
