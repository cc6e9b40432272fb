package sfu_test

import (
	"context"
	"errors"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/pion/webrtc/v3"

	"github.com/fanfare-relay/fanfare/media"
	"github.com/fanfare-relay/fanfare/media/mediatest"
	"github.com/fanfare-relay/fanfare/sfu"
	"github.com/fanfare-relay/fanfare/sfu/sfutest"
)

// However many viewers ask, the publisher is asked once a second at most.
func TestPLIsAreMerged(t *testing.T) {
	t.Parallel()
	r := sfutest.Start(t, nil)
	pub := sfutest.Publish(t, r, "s", media.CodecVP8)
	viewers := []*sfutest.Viewer{sfutest.Subscribe(t, r, "s"), sfutest.Subscribe(t, r, "s"), sfutest.Subscribe(t, r, "s")}
	play(t, pub, viewers, newSource(media.CodecVP8), 0, 2)
	// Requests of the first second are not passed on: those viewers have just been given a key frame.
	begin, before := time.Now(), r.Stats().PLIsSent
	r.WaitStats(t, "a request goes up", func(s sfu.Stats) bool {
		viewers[0].AskForKey(t)
		return s.PLIsSent > before
	})
	asked := r.Stats().PLIsReceived
	const each = 40
	for range each {
		for _, v := range viewers {
			v.AskForKey(t)
		}
	}
	st := r.WaitStats(t, "all of the requests", func(s sfu.Stats) bool { return s.PLIsReceived >= asked+each*uint64(len(viewers)) })
	allowed := uint64(time.Since(begin)/time.Second) + 1
	if got := st.PLIsSent - before; got > allowed {
		t.Errorf("%d key frames were asked for in %v", got, time.Since(begin))
	}
}

// A viewer who joins starts with a key frame at once: from the history when that is young,
// else with the one that the publisher is asked for.
func TestJoin(t *testing.T) {
	t.Parallel()
	r := sfutest.Start(t, nil)
	pub := sfutest.Publish(t, r, "s", media.CodecVP8)
	first := sfutest.Subscribe(t, r, "s")
	play(t, pub, []*sfutest.Viewer{first}, newSource(media.CodecVP8), 0, 3)
	late := sfutest.Subscribe(t, r, "s")
	source := mediatest.NewSource(mediatest.SourceConfig{Codec: media.CodecVP8, Seq: 5000})
	late.Repeat(t, media.KindVideo, "a key frame", func() {
		select {
		case <-pub.KeyWanted(): // on a machine so slow that the group has aged
			pub.Send(t, media.KindVideo, source.Next(mediatest.Frame{Key: true, Size: 900})...)
		default:
		}
	}, func(p []sfutest.Packet) bool { return len(p) > 0 })
	if got := late.Packets(media.KindVideo); width(t, got[0]) != 640 {
		t.Error("the first packet begins no key frame")
	}
}

// A viewer costs no goroutine: what the handshakes of five more needed is gone again.
func TestNoGoroutinePerViewer(t *testing.T) {
	r := sfutest.Start(t, nil)
	pub := sfutest.Publish(t, r, "s", media.CodecVP8)
	clients := []*sfutest.Viewer{sfutest.Subscribe(t, r, "s")}
	play(t, pub, clients, newSource(media.CodecVP8), 0, 1)
	few := relayGoroutines()
	for range 5 {
		clients = append(clients, sfutest.Subscribe(t, r, "s"))
	}
	// Handshakes end a moment after they have succeeded.
	r.WaitStats(t, "the goroutines of handshakes end", func(sfu.Stats) bool { return relayGoroutines() <= few })
	if n := r.Stats().Viewers; n != len(clients) {
		t.Errorf("%d viewers are connected, want %d", n, len(clients))
	}
}

// relayGoroutines counts the goroutines that the relay's own packages have started.
func relayGoroutines() int {
	buf := make([]byte, 4<<20)
	count := 0
	for line := range strings.Lines(string(buf[:runtime.Stack(buf, true)])) {
		own, ok := strings.CutPrefix(line, "created by github.com/fanfare-relay/fanfare/sfu")
		if ok && !strings.HasPrefix(own, "/sfutest") && !strings.HasPrefix(own, "_test") {
			count++
		}
	}
	return count
}

// Sessions that are answered and never connect are bounded, and make place again.
func TestUnfinishedSessions(t *testing.T) {
	t.Parallel()
	r := sfutest.Start(t, func(c *sfu.Config) {
		c.MaxUnfinished, c.ConnectTimeout = 3, 300*time.Millisecond
	})
	v := sfutest.NewViewer(t, r, sfutest.ViewerOptions{})
	offer := v.Offer(t)
	for range 3 {
		if _, err := r.Subscribe(context.Background(), "s", offer); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := r.Subscribe(context.Background(), "s", offer); !errors.Is(err, media.ErrBusy) {
		t.Fatalf("the fourth gets %v, want ErrBusy", err)
	}
	st := r.WaitStats(t, "they are forgotten", func(s sfu.Stats) bool { return s.Unfinished == 0 })
	if len(st.Streams) != 0 {
		t.Errorf("streams are left: %v", st.Streams)
	}
	e := r.WaitEvent(t, "an end", func(e media.Event) bool { return e.Kind == media.EventDisconnected })
	if e.Reason != media.CloseUnfinished {
		t.Errorf("reason %q", e.Reason)
	}
	publisher := sfutest.NewPublisher(t, media.CodecVP8)
	if _, err := r.Publish(context.Background(), "s", publisher.Offer(t), media.PublishOptions{}); err != nil {
		t.Fatal(err)
	}
	r.WaitStats(t, "the publisher is forgotten as well", func(s sfu.Stats) bool { return s.Unfinished == 0 && len(s.Streams) == 0 })
}

// A viewer who leaves says so by close_notify; one who is closed hears so.
func TestGoodbye(t *testing.T) {
	t.Parallel()
	r := sfutest.Start(t, nil)
	leaver, removed := sfutest.Subscribe(t, r, "s"), sfutest.Subscribe(t, r, "s")
	leaver.Leave(t)
	e := r.WaitEvent(t, "the viewer has left", func(e media.Event) bool {
		return e.Kind == media.EventDisconnected && e.Session == leaver.Answer.Session
	})
	if e.Reason != media.CloseByClient {
		t.Errorf("reason %q, want %q", e.Reason, media.CloseByClient)
	}
	if err := r.Close(removed.Answer.Session, media.CloseRemoved); err != nil {
		t.Fatal(err)
	}
	r.WaitEvent(t, "the viewer was removed", func(e media.Event) bool {
		return e.Kind == media.EventDisconnected && e.Session == removed.Answer.Session && e.Reason == media.CloseRemoved
	})
	if err := r.Close(removed.Answer.Session, media.CloseRemoved); !errors.Is(err, media.ErrNoSuchSession) {
		t.Errorf("closing twice: %v", err)
	}
}

func TestCloseStream(t *testing.T) {
	t.Parallel()
	r := sfutest.Start(t, nil)
	pub := sfutest.Publish(t, r, "s", media.CodecVP8)
	v := sfutest.Subscribe(t, r, "s")
	r.CloseStream("s", media.CloseEnded)
	r.CloseStream("never", media.CloseEnded)
	for _, id := range []media.SessionID{pub.Answer.Session, v.Answer.Session} {
		r.WaitEvent(t, "an end", func(e media.Event) bool {
			return e.Kind == media.EventDisconnected && e.Session == id && e.Reason == media.CloseEnded
		})
	}
	if st := r.Stats(); len(st.Streams) != 0 || st.Viewers != 0 || st.Publishers != 0 {
		t.Errorf("left: %+v", st)
	}
}

func TestShutdownRefuses(t *testing.T) {
	t.Parallel()
	r := sfutest.Start(t, nil)
	v := sfutest.NewViewer(t, r, sfutest.ViewerOptions{})
	offer := v.Offer(t)
	connected := sfutest.Subscribe(t, r, "s")
	r.Shutdown()
	r.WaitEvent(t, "told of the shutdown", func(e media.Event) bool {
		return e.Session == connected.Answer.Session && e.Reason == media.CloseShutdown
	})
	if _, err := r.Subscribe(context.Background(), "s", offer); !errors.Is(err, media.ErrClosed) {
		t.Errorf("subscribe: %v", err)
	}
	if err := r.Serve(); !errors.Is(err, media.ErrClosed) {
		t.Errorf("serve: %v", err)
	}
}

// Both tracks get sender reports that tell one clock.
func TestSenderReports(t *testing.T) {
	t.Parallel()
	r := sfutest.Start(t, nil)
	pub := sfutest.Publish(t, r, "s", media.CodecVP8, media.CodecOpus)
	v := sfutest.Subscribe(t, r, "s")
	video := mediatest.NewSource(mediatest.SourceConfig{Codec: media.CodecVP8})
	audio := mediatest.NewSource(mediatest.SourceConfig{Codec: media.CodecOpus})
	key := true
	both := func([]sfutest.Packet) bool {
		seen := map[uint32]bool{}
		for _, sr := range v.Reports() {
			seen[sr.SSRC] = sr.PacketCount > 0 && sr.OctetCount > 0
		}
		return seen[v.SSRC(media.KindAudio)] && seen[v.SSRC(media.KindVideo)] && v.SSRC(media.KindVideo) != 0
	}
	v.Repeat(t, media.KindVideo, "reports on both", func() {
		pub.Send(t, media.KindVideo, video.Next(mediatest.Frame{Key: key, Size: 500})...)
		pub.Send(t, media.KindAudio, audio.Next(mediatest.Frame{Size: 80})...)
		key = false
	}, both)
	if v.State() != webrtc.PeerConnectionStateConnected {
		t.Errorf("the viewer is %v", v.State())
	}
}
