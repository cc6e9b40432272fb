package endpoint

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/pion/rtcp"
	"github.com/pion/rtp"

	"github.com/fanfare-relay/fanfare/media"
	"github.com/fanfare-relay/fanfare/media/container"
)

func TestAddresses(t *testing.T) {
	for _, tt := range []struct {
		raw, stream string
		publish     bool
		endpoint    string
		page        string
		err         error
	}{
		{"http://h:8080/w/evening", "", true, "http://h:8080/whip/evening", "http://h:8080/w/evening", nil},
		{"http://h:8080/w/evening?x=1#t", "", false, "http://h:8080/whep/evening", "http://h:8080/w/evening", nil},
		{"http://h/whip/a", "", false, "http://h/whep/a", "http://h/w/a", nil},
		{"https://h/whip/a", "", true, "https://h/whip/a", "https://h/w/a", nil},
		{"https://h/whip/a", "b", true, "https://h/whip/b", "https://h/w/b", nil},
		{"localhost:8080", "a", true, "http://localhost:8080/whip/a", "http://localhost:8080/w/a", nil},
		{"http://h/", "a", false, "http://h/whep/a", "http://h/w/a", nil},
		{"http://h/studio#key=k", "a", true, "http://h/whip/a", "http://h/w/a", nil},
		{"http://h/live/w/a", "", true, "http://h/live/whip/a", "http://h/live/w/a", nil},
		{"http://h/app/whip?stream=x", "", true, "http://h/app/whip?stream=x", "", nil},
		{"http://h/rtc/v1/whip/", "", true, "http://h/rtc/v1/whip/", "", nil},
		{"http://h", "", true, "", "", ErrNoStream},
		{"http://h/studio", "", false, "", "", ErrNoStream},
	} {
		f := ViewAddress
		if tt.publish {
			f = PublishAddress
		}
		a, err := f(tt.raw, tt.stream)
		if !errors.Is(err, tt.err) || a.Endpoint != tt.endpoint || a.Page != tt.page {
			t.Errorf("%s %s: %+v, %v", tt.raw, tt.stream, a, err)
		}
	}
	for _, bad := range []string{"", "ftp://h/w/a", "http://", "http://[::1", "%zz"} {
		if _, err := PublishAddress(bad, "a"); err == nil {
			t.Errorf("%q was taken", bad)
		}
	}
	if a, _ := PublishAddress("http://h/studio#key=fanpub_a-b_c", "x"); a.Key != "fanpub_a-b_c" {
		t.Errorf("key %q", a.Key)
	}
}

func FuzzAddress(f *testing.F) {
	f.Add("http://h:8080/w/evening", "")
	f.Fuzz(func(t *testing.T, raw, stream string) {
		a, err := PublishAddress(raw, stream)
		if err != nil {
			return
		}
		if _, err := parseServer(a.Endpoint); err != nil {
			t.Errorf("%q gives %q", raw, a.Endpoint)
		}
	})
}

func TestRetry(t *testing.T) {
	busy := &HTTPError{Status: 503, RetryAfter: 3 * time.Second}
	for _, tt := range []struct {
		name  string
		r     retry
		err   error
		again bool
		wait  time.Duration
	}{
		{"first attempt fails", retry{}, ErrUnreachable, false, 0},
		{"persistent", retry{persist: true}, ErrUnreachable, true, 250 * time.Millisecond},
		{"after it worked", retry{worked: true}, ErrUnreachable, true, 250 * time.Millisecond},
		{"lost", retry{worked: true}, ErrLost, true, 250 * time.Millisecond},
		{"many times", retry{worked: true, tries: 20}, ErrUnreachable, true, 5 * time.Second},
		{"busy says when", retry{}, busy, true, 3 * time.Second},
		{"busy too often", retry{tries: 5}, busy, false, 0},
		{"wrong key", retry{worked: true, persist: true}, &HTTPError{Status: 401}, false, 0},
		{"ended", retry{worked: true, persist: true}, &HTTPError{Status: 410}, false, 0},
		{"refused", retry{worked: true}, &HTTPError{Status: 400}, false, 0},
		{"gone", retry{worked: true}, &HTTPError{Status: 404}, false, 0},
	} {
		wait, again := tt.r.next(tt.err, 0)
		if again != tt.again || wait != tt.wait {
			t.Errorf("%s: %v %v, want %v %v", tt.name, wait, again, tt.wait, tt.again)
		}
	}
}

func TestRetryAfter(t *testing.T) {
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	for v, want := range map[string]time.Duration{
		"": 0, "7": 7 * time.Second, "-1": 0, "x": 0, "Fri, 02 Jan 2026 03:04:25 GMT": 20 * time.Second, "99999999": 24 * time.Hour,
	} {
		if got := retryAfter(v, now); got != want {
			t.Errorf("%q: %v, want %v", v, got, want)
		}
	}
}

const ms = time.Millisecond

func picture(pts time.Duration, key bool) container.Frame {
	return container.Frame{PTS: pts, Duration: 40 * ms, Key: key, Data: []byte{1}}
}

func sound(pts time.Duration) container.Frame {
	return container.Frame{Track: 1, PTS: pts, Duration: 20 * ms, Key: true, Data: []byte{1}}
}

// TestTimelineJump: sound and picture stay together across a jump, and nothing steps back.
func TestTimelineJump(t *testing.T) {
	var l timeline
	place := func(f container.Frame) (placed, bool) {
		c := media.CodecVP8
		if f.Track == 1 {
			c = media.CodecOpus
		}
		return l.place(f, c)
	}
	for at := time.Duration(0); at < 200*ms; at += 40 * ms {
		place(picture(at, at == 0))
		place(sound(at))
		place(sound(at + 20*ms))
	}
	// The next key frame is at 1 s of the file; now is 190 ms.
	if p := l.onPLI(time.Second, true, false); p != jumpTo {
		t.Fatalf("plan %v", p)
	}
	l.jump(time.Second, 190*ms)
	for _, f := range []container.Frame{picture(200*ms, false), sound(980 * ms)} {
		if _, ok := place(f); ok {
			t.Error("a frame before the jump came through")
		}
	}
	p, ok := place(picture(time.Second, true))
	s, _ := place(sound(time.Second))
	if !ok || p.at != 190*ms || s.at != p.at || s.send < p.send {
		t.Errorf("picture at %v, sound at %v", p.at, s.at)
	}
}

func TestTimelineFiles(t *testing.T) {
	var l timeline
	for _, f := range []container.Frame{picture(0, true), picture(40*ms, false)} {
		l.place(f, media.CodecVP8)
	}
	l.place(sound(70*ms), media.CodecOpus) // the sound ends at 90 ms
	l.nextFile()
	if p, _ := l.place(picture(0, true), media.CodecVP8); p.at != 90*ms {
		t.Errorf("the second file begins at %v", p.at)
	}
	// B-frames: decoding order goes out in order, times step back.
	a, _ := l.place(picture(160*ms, false), media.CodecH264)
	b, _ := l.place(picture(80*ms, false), media.CodecH264)
	if b.at >= a.at || b.send < a.send {
		t.Errorf("at %v %v, send %v %v", a.at, b.at, a.send, b.send)
	}
}

func TestPlanOnPLI(t *testing.T) {
	l := timeline{picture: 500 * ms}
	for _, tt := range []struct {
		key         time.Duration
		found, more bool
		want        plan
	}{
		{time.Second, true, false, jumpTo}, {560 * ms, true, true, stay}, {0, false, true, skipFile}, {0, false, false, stay},
	} {
		if got := l.onPLI(tt.key, tt.found, tt.more); got != tt.want {
			t.Errorf("%+v: %v", tt, got)
		}
	}
}

func TestAnchor(t *testing.T) {
	t0 := time.Unix(1000, 0)
	a := anchor{t0}
	if d := a.wait(100*ms, t0.Add(40*ms)); d != 60*ms {
		t.Errorf("wait %v", d)
	}
	if d := a.wait(100*ms, t0.Add(300*ms)); d != 0 || !a.start.Equal(t0) {
		t.Errorf("a little late: wait %v, start %v", d, a.start)
	}
	if a.wait(100*ms, t0.Add(10*time.Second)); a.at(t0.Add(10*time.Second)) != 100*ms {
		t.Error("far too late, and the line has not moved")
	}
}

// TestInbound: a lost packet is asked for, comes again, and nothing is missing; one that never comes costs a PLI.
func TestInbound(t *testing.T) {
	pack := container.NewPacketiser(media.CodecVP8, 65534)
	in := newInbound(1, 2, media.CodecVP8, false)
	now := time.Unix(1000, 0)
	key := append([]byte{0x10, 0, 0, 0x9d, 1, 0x2a, 64, 0, 48, 0}, make([]byte, 3*container.MaxPayload)...)
	delta := append([]byte{0x11, 0, 0}, make([]byte, 100)...)
	var packets []rtp.Packet
	for i, f := range [][]byte{key, delta, delta, delta} {
		packets = append(packets, pack.Packets(f, uint32(3000*i))...)
	}
	var got []container.Assembled
	var out []rtcp.Packet
	push := func(i int, repeated bool) { got = in.packet(got, media.CodecVP8, &packets[i], repeated, now) }
	push(0, false)
	push(2, false)
	push(3, false)
	now = now.Add(20 * ms)
	got, out = in.tick(got, nil, now)
	n, ok := out[0].(*rtcp.TransportLayerNack)
	if len(out) != 1 || !ok || len(n.Nacks) != 1 || n.Nacks[0].PacketID != packets[1].SequenceNumber {
		t.Fatalf("asked for %v", out)
	}
	push(1, true)
	push(4, false)
	if len(got) != 2 || !got[0].Key || in.stats.RetransmittedPacketsReceived != 1 {
		t.Fatalf("%d frames, %+v", len(got), in.stats)
	}
	push(6, false) // 5 never comes
	var plis int
	for end := now.Add(900 * ms); now.Before(end); now = now.Add(10 * ms) {
		if at, ok := in.deadline(); !ok || now.Before(at) {
			continue
		}
		got, out = in.tick(got, out[:0], now)
		for _, p := range out {
			if _, ok := p.(*rtcp.PictureLossIndication); ok {
				plis++
			}
		}
	}
	if plis != 1 || in.snapshot().FramesDropped != 1 || len(got) != 2 {
		t.Errorf("%d PLI, %+v, %d frames", plis, in.snapshot(), len(got))
	}
}

func TestHTTPErrors(t *testing.T) {
	for status, want := range map[int]error{
		400: ErrRefused, 401: ErrUnauthorised, 403: ErrUnauthorised, 404: ErrNotFound, 410: ErrEnded, 429: ErrBusy, 503: ErrBusy, 502: ErrUnreachable,
	} {
		if err := fmt.Errorf("x: %w", &HTTPError{Status: status}); !errors.Is(err, want) {
			t.Errorf("%d is no %v", status, want)
		}
	}
}

// TestConnectedAtTheFirstPacket: pion may tell of the connection when media has come by it already, and a
// join that was measured by then must not have stood before it was answered.
func TestConnectedAtTheFirstPacket(t *testing.T) {
	v := NewViewer(ViewerConfig{}, Identity{})
	v.begin()
	b, err := (&rtp.Packet{Header: rtp.Header{Version: 2, PayloadType: firstPT, SSRC: 2}, Payload: []byte{0x10, 0}}).Marshal()
	if err != nil {
		t.Fatal(err)
	}
	v.packet(newInbound(1, 2, media.CodecVP8, false), nil, b, false, v.posted.Add(7*time.Millisecond))
	if got := v.Timing(); got.FirstPacket != 7*time.Millisecond || got.Connected != got.FirstPacket {
		t.Errorf("first packet after %v, connected after %v", got.FirstPacket, got.Connected)
	}
}
