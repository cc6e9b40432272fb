package crowd

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/pion/dtls/v2"
	"github.com/pion/webrtc/v3"

	"github.com/fanfare-relay/fanfare/endpoint"
)

func within(t *testing.T) context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	t.Cleanup(cancel)
	return ctx
}

// gather starts a crowd and lets n viewers join at once.
func gather(t *testing.T, cfg Config, n int) (*Crowd, []*Viewer) {
	t.Helper()
	c, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	viewers := make([]*Viewer, n)
	var joining sync.WaitGroup
	for i := range viewers {
		joining.Go(func() {
			v, timing, err := c.Join(within(t), patience)
			if err != nil {
				t.Errorf("viewer %d: %v", i, err)
			}
			if timing.Answered <= 0 || timing.Connected <= 0 || timing.FirstPacket <= 0 || timing.FirstKeyFrame < timing.FirstPacket {
				t.Errorf("viewer %d: %+v", i, timing)
			}
			viewers[i] = v
		})
	}
	joining.Wait()
	return c, viewers
}

// TestCrowd: viewers join a server of another make in either role of DTLS and with either protection, see everything, and say
// what viewers say.
func TestCrowd(t *testing.T) {
	for name, r := range map[string]struct {
		role    webrtc.DTLSRole
		profile dtls.SRTPProtectionProfile
	}{
		"server passive, GCM": {webrtc.DTLSRoleServer, dtls.SRTP_AEAD_AES_128_GCM},
		"server active, GCM":  {webrtc.DTLSRoleClient, dtls.SRTP_AEAD_AES_128_GCM},
		"server passive, CM":  {webrtc.DTLSRoleServer, dtls.SRTP_AES128_CM_HMAC_SHA1_80},
		"server active, CM":   {webrtc.DTLSRoleClient, dtls.SRTP_AES128_CM_HMAC_SHA1_80},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := serve(t, r.role, r.profile)
			s.stream()
			var delays atomic.Int64
			c, _ := gather(t, Config{URL: s.URL + "/whep", VerifyOneIn: 2, OnDelay: func(d time.Duration) {
				if d < 0 {
					t.Errorf("a packet came %v before it was sent", -d)
				}
				delays.Add(1)
			}}, 4)
			wait(t, func() bool {
				s.mu.Lock()
				defer s.mu.Unlock()
				f := c.Figures()
				return f.Received > 400 && f.Fewest > 20 && delays.Load() > 100 && s.reports >= 4 && s.wide >= 4
			})
			f := c.Figures()
			if f.Viewers != 4 || f.Lost != 0 || f.Forged != 0 || f.Other != 0 || f.Verified == 0 || f.Verified >= f.Received || f.PLIs == 0 {
				t.Errorf("%+v", f)
			}
		})
	}
}

func wait(t *testing.T, done func() bool) {
	t.Helper()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for end := time.After(patience); !done(); {
		select {
		case <-tick.C:
		case <-end:
			t.Fatal("it never came to that")
		}
	}
}

// TestBusy: a server that is busy is asked again when it said, and counted.
func TestBusy(t *testing.T) {
	s := serve(t, webrtc.DTLSRoleServer)
	s.busy = 1
	s.stream()
	c, viewers := gather(t, Config{URL: s.URL + "/whep"}, 1)
	if f := c.Figures(); f.Waits != 1 || viewers[0].Timing().Answered < time.Second {
		t.Errorf("waited %d times, answered after %v", f.Waits, viewers[0].Timing().Answered)
	}
}

// TestLeave: leaving deletes the session, and the end deletes the others.
func TestLeave(t *testing.T) {
	s := serve(t, webrtc.DTLSRoleServer)
	s.stream()
	c, viewers := gather(t, Config{URL: s.URL + "/whep"}, 3)
	viewers[1].Leave()
	if n := c.Figures().Viewers; n != 2 {
		t.Errorf("%d viewers are left", n)
	}
	c.Close()
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.live) != 0 || c.Figures().Viewers != 0 {
		t.Errorf("%d sessions are left, %d viewers", len(s.live), c.Figures().Viewers)
	}
}

// TestGone: a server that ends a session is heard.
func TestGone(t *testing.T) {
	s := serve(t, webrtc.DTLSRoleServer)
	s.stream()
	c, viewers := gather(t, Config{URL: s.URL + "/whep"}, 1)
	s.mu.Lock()
	for _, pc := range s.live {
		_ = pc.Close()
	}
	s.mu.Unlock()
	select {
	case <-viewers[0].Gone():
	case <-time.After(patience):
		t.Fatal("nobody noticed")
	}
	if f := c.Figures(); f.Lost != 1 {
		t.Errorf("%+v", f)
	}
}

// TestJoinFails: the error says what is wrong, and nothing is left.
func TestJoinFails(t *testing.T) {
	s := serve(t, webrtc.DTLSRoleServer) // sends nothing
	c, err := New(Config{URL: s.URL + "/whep"})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	ctx, cancel := context.WithCancelCause(within(t))
	never := errors.New("no picture")
	joined := make(chan struct{})
	go func() {
		defer close(joined)
		if _, timing, err := c.Join(ctx, patience); !errors.Is(err, never) || timing.Connected == 0 || timing.FirstPacket != 0 {
			t.Errorf("%v %+v", err, timing)
		}
	}()
	wait(t, func() bool { return c.Figures().Viewers == 1 })
	cancel(never)
	<-joined
	s.mu.Lock()
	if left := c.Figures().Viewers + len(s.live); left != 0 {
		t.Errorf("%d are left", left)
	}
	s.mu.Unlock()
	if _, _, err := c.Join(within(t), time.Nanosecond); !errors.Is(err, ErrNoKeyFrame) && !errors.Is(err, endpoint.ErrNoMedia) {
		t.Errorf("without patience: %v", err)
	}
	lost, err := New(Config{URL: s.URL + "/nothing"})
	if err != nil {
		t.Fatal(err)
	}
	defer lost.Close()
	if _, _, err := lost.Join(within(t), patience); !errors.Is(err, endpoint.ErrNotFound) {
		t.Error(err)
	}
}
