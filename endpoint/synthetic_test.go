package endpoint

import (
	"context"
	"errors"
	"math"
	"testing"
	"time"

	"github.com/fanfare-relay/fanfare/media"
	"github.com/fanfare-relay/fanfare/media/codec"
)

// TestSplit: as few parts as possible, nearly equal, the longer ones last.
func TestSplit(t *testing.T) {
	for _, r := range []struct{ size, limit, parts int }{{1, 10, 1}, {10, 10, 1}, {11, 10, 2}, {20, 10, 2}, {21, 10, 3}, {23456, 1170, 21}} {
		parts := split(make([]byte, r.size), r.limit)
		sum := 0
		for i, p := range parts {
			sum += len(p)
			if len(p) > r.limit || i > 0 && (len(p) < len(parts[i-1]) || len(p) > len(parts[0])+1) {
				t.Errorf("%d: part %d of %d bytes behind one of %d", r.size, i, len(p), len(parts[max(i-1, 0)]))
			}
		}
		if len(parts) != r.parts || sum != r.size {
			t.Errorf("%d: %d parts of %d bytes", r.size, len(parts), sum)
		}
	}
}

func testPacer(cfg SyntheticConfig) *pacer {
	cfg.Bitrate = 2.4e6
	return newPacer(cfg, newShape(cfg.Bitrate), &outbound{base: math.MaxUint32 - 9000}, &outbound{}, time.Unix(1e9, 0))
}

// run steps a pacer through a time, every five milliseconds, and returns what went out.
func (p *pacer) run(d time.Duration, each func(at time.Duration)) (all []paced) {
	for at := time.Duration(0); at < d; at += paceTime {
		if each != nil {
			each(at)
		}
		all = append(all, p.step(p.begin.Add(at))...)
	}
	return all
}

// TestPacer: ten seconds have the rate, the rhythm and the descriptions of a stream.
func TestPacer(t *testing.T) {
	p := testPacer(SyntheticConfig{KeyEvery: 4 * time.Second})
	var bytes, frames, keys, sounds, most int
	var next uint16
	started := false
	for at := time.Duration(0); at < 10*time.Second; at += paceTime {
		pictures := 0
		for _, out := range p.step(p.begin.Add(at)) {
			if out.track == p.sound {
				sounds++
				continue
			}
			pictures++
			d := codec.Describe(media.CodecVP8, out.packet.Payload, out.packet.Marker)
			if d.FrameStart != out.first || d.PictureID < 0 || out.first && d.KeyFrame != out.key || started && out.packet.SequenceNumber != next {
				t.Fatalf("packet %+v: %+v", out.packet.Header, d)
			}
			if out.first && out.key && (d.Width != 1280 || d.Height != 720) {
				t.Errorf("%d by %d", d.Width, d.Height)
			}
			next, started = out.packet.SequenceNumber+1, true
			if !out.key {
				bytes += len(out.packet.Payload)
			} else if out.first {
				keys++
			}
			if out.packet.Marker {
				frames++
			}
			PutStamp(out.packet.Payload, time.Now()) // there is room
		}
		most = max(most, pictures)
	}
	if rate := float64(bytes) * 8 / 10; rate < 2.2e6 || rate > 2.5e6 {
		t.Errorf("%.0f bits a second", rate)
	}
	if frames < 297 || frames > 300 || keys != 3 || sounds != 500 || most != paceBurst {
		t.Errorf("%d frames, %d key frames, %d packets of sound, %d packets at once", frames, keys, sounds, most)
	}
}

// TestPacerKeys: a key frame comes when it is asked for, with a pause between; and never by itself when it is told so.
func TestPacerKeys(t *testing.T) {
	p := testPacer(SyntheticConfig{})
	keys := 0
	count := func(all []paced) (n int) {
		for _, out := range all {
			if out.key && out.first {
				n++
			}
		}
		return n
	}
	keys = count(p.run(time.Second, func(time.Duration) { p.wantKey = true }))
	if keys != 3 {
		t.Errorf("%d key frames in a second of asking", keys)
	}
	p = testPacer(SyntheticConfig{})
	if keys = count(p.run(10*time.Second, nil)); keys != 1 {
		t.Errorf("%d key frames without asking", keys)
	}
}

// TestPacerCatchesUp: after a pause of the process everything is sent all the same, but not at once.
func TestPacerCatchesUp(t *testing.T) {
	p := testPacer(SyntheticConfig{})
	p.run(time.Second, nil)
	out := p.step(p.begin.Add(2 * time.Second))
	pictures := 0
	for _, o := range out {
		if o.track == p.picture {
			pictures++
		}
	}
	if pictures > 3*paceBurst || p.frames != 61 {
		t.Errorf("%d packets at once, %d frames", pictures, p.frames)
	}
}

// TestSynthetic: a relay of another make gets it, and its key frame is whole.
func TestSynthetic(t *testing.T) {
	r := newTestRelay(t, media.CodecVP8, "")
	s, err := NewSynthetic(SyntheticConfig{URL: r.URL + "/whip/s", Bitrate: 1e6})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	ended := make(chan error, 1)
	go func() { ended <- s.Run(ctx) }()
	id, err := NewIdentity()
	if err != nil {
		t.Fatal(err)
	}
	v := NewViewer(ViewerConfig{URL: r.URL + "/whep/s"}, id)
	watching, leave := context.WithCancel(ctx)
	left := make(chan error, 1)
	go func() { left <- v.Session(watching, nil) }()
	select {
	case <-v.KeyFrame():
	case err := <-ended:
		t.Fatal(err)
	}
	leave()
	<-left
	if st := s.Stats(); len(st) != 2 || st[0].KeyFramesSent == 0 || st[1].PacketsSent == 0 {
		t.Errorf("%+v", s.Stats())
	}
	cancel()
	if err := <-ended; !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	if len(r.deleted) == 0 {
		t.Error("the session was not ended")
	}
}
