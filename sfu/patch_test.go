package sfu_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/fanfare-relay/fanfare/media"
	"github.com/fanfare-relay/fanfare/media/mediatest"
	"github.com/fanfare-relay/fanfare/sfu"
	"github.com/fanfare-relay/fanfare/sfu/sfutest"
)

// A viewer may restart ICE by PATCH: new credentials, the same keys, and the media goes on.
func TestRestart(t *testing.T) {
	t.Parallel()
	r := sfutest.Start(t, nil)
	pub := sfutest.Publish(t, r, "s", media.CodecVP8)
	v := sfutest.Subscribe(t, r, "s")
	viewers, source := []*sfutest.Viewer{v}, newSource(media.CodecVP8)
	total := play(t, pub, viewers, source, 0, 3)

	fragment := v.RestartFragment(t)
	got, err := r.Patch(context.Background(), v.Answer.Session, fragment)
	if err != nil {
		t.Fatal(err)
	}
	switch {
	case !got.Restarted || got.ETag == "" || got.ETag == v.Answer.ETag:
		t.Errorf("restarted %v, entity tag %q after %q", got.Restarted, got.ETag, v.Answer.ETag)
	case !strings.Contains(got.Fragment, "a=ice-ufrag:") || !strings.Contains(got.Fragment, "a=candidate:"):
		t.Errorf("the fragment lacks credentials or candidates:\n%s", got.Fragment)
	}
	v.Restart(t, got.Fragment)
	// pion turns packets away for a moment while it restarts, and asks for them again.
	first := v.Packets(media.KindVideo)[0].SequenceNumber
	v.Repeat(t, media.KindVideo, "ten more packets without a hole", func() {
		pub.Send(t, media.KindVideo, source.Next(mediatest.Frame{Size: 500})...)
	}, func(p []sfutest.Packet) bool { return len(p) > total+10 && missing(p, first) == 0 })
	if st := r.Stats(); st.HandshakesDone != 1 {
		t.Errorf("%d handshakes", st.HandshakesDone)
	}
}

func TestPatch(t *testing.T) {
	t.Parallel()
	r := sfutest.Start(t, nil)
	pub := sfutest.Publish(t, r, "s", media.CodecVP8)
	v := sfutest.Subscribe(t, r, "s")
	const candidate = "a=candidate:1 1 udp 2130706431 192.0.2.7 50000 typ host\r\n"
	restart := "a=ice-ufrag:abcd\r\na=ice-pwd:" + strings.Repeat("x", 24) + "\r\n"
	for _, c := range []struct {
		name, text string
		id         media.SessionID
		want       error
	}{
		{"candidates of a viewer", "a=mid:0\r\n" + candidate, v.Answer.Session, nil},
		{"candidates of a publisher", "m=video 9 UDP/TLS/RTP/SAVPF 0\r\na=mid:0\r\n" + candidate, pub.Answer.Session, nil},
		{"a whole fragment of a viewer", v.TrickleFragment(), v.Answer.Session, nil},
		{"a whole fragment of a publisher", pub.TrickleFragment(), pub.Answer.Session, nil},
		{"nothing", "", v.Answer.Session, nil},
		{"restart of a publisher", restart, pub.Answer.Session, media.ErrNoRestart},
		{"another m-line", "a=mid:77\r\n" + candidate, v.Answer.Session, media.ErrBadFragment},
		{"no fragment", "hello", v.Answer.Session, media.ErrBadFragment},
		{"no such session", candidate, "nobody", media.ErrNoSuchSession},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := r.Patch(context.Background(), c.id, c.text)
			if !errors.Is(err, c.want) || got.Restarted {
				t.Errorf("%+v, %v; want %v", got, err, c.want)
			}
		})
	}
}

// Noise on the media port reaches nobody: live viewers lose nothing, plain Binding requests
// are answered, everything else gets silence.
func TestNoise(t *testing.T) {
	t.Parallel()
	r := sfutest.Start(t, nil)
	pub := sfutest.Publish(t, r, "s", media.CodecVP8)
	v := sfutest.Subscribe(t, r, "s")
	source := newSource(media.CodecVP8)
	total := play(t, pub, []*sfutest.Viewer{v}, source, 0, 2)
	noise := sfutest.NewStranger(t, r)
	noise.Send(t, nil)
	noise.Send(t, []byte{0x55})
	for first := range 256 {
		noise.Send(t, append([]byte{byte(first), 0, 0, 40}, make([]byte, 60)...))
	}
	noise.Send(t, sfutest.ClientHello())
	r.WaitStats(t, "the noise is counted", func(s sfu.Stats) bool {
		return s.Drops[sfu.DropUnknownAddress] > 50 && s.Drops[sfu.DropUnknownKind] > 50
	})
	request := sfutest.BindingRequest()
	noise.Send(t, request)
	if answer := noise.Receive(t); len(answer) > 2*len(request) || answer[0] != 1 || answer[1] != 1 {
		t.Errorf("the answer to %d bytes is %d bytes: % x", len(request), len(answer), answer)
	}
	play(t, pub, []*sfutest.Viewer{v}, source, total, 3)
	checkContinuous(t, v.Packets(media.KindVideo))
	if st := r.Stats(); st.HandshakesDone+st.HandshakesFailed != 1 {
		t.Errorf("handshakes: %d done, %d failed; only the viewer's may begin", st.HandshakesDone, st.HandshakesFailed)
	}
}
