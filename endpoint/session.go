package endpoint

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/pion/webrtc/v3"
)

// exchange makes the offer with all candidates, posts it and takes the answer. posting is called right
// before the POST.
func exchange(ctx context.Context, pc *webrtc.PeerConnection, s *signal, posting func()) (resource, error) {
	offer, err := pc.CreateOffer(nil)
	if err != nil {
		return resource{}, err
	}
	gathered := webrtc.GatheringCompletePromise(pc)
	if err := pc.SetLocalDescription(offer); err != nil {
		return resource{}, err
	}
	select {
	case <-gathered:
	case <-ctx.Done():
		return resource{}, ctx.Err()
	}
	posting()
	at, err := s.post(ctx, pc.LocalDescription().SDP)
	if err != nil {
		return resource{}, err
	}
	err = pc.SetRemoteDescription(webrtc.SessionDescription{Type: webrtc.SDPTypeAnswer, SDP: at.answer})
	if err != nil {
		return at, fmt.Errorf("%w: its answer cannot be used: %w", ErrRefused, err)
	}
	return at, nil
}

// watchState closes up when the connection stands, and lost when it has failed or was closed.
// Disconnected passes: a busy machine causes it.
func watchState(pc *webrtc.PeerConnection, up, lost chan struct{}) {
	var upOnce, lostOnce sync.Once
	pc.OnConnectionStateChange(func(s webrtc.PeerConnectionState) {
		switch s {
		case webrtc.PeerConnectionStateConnected:
			upOnce.Do(func() { close(up) })
		case webrtc.PeerConnectionStateFailed, webrtc.PeerConnectionStateClosed:
			lostOnce.Do(func() { close(lost) })
		}
	})
}

// awaitUp waits for the connection. Meanwhile it nudges: pion looks at its candidate pairs five times a second
// only, which would be most of the time that a join takes.
func awaitUp(ctx context.Context, pc *webrtc.PeerConnection, answer string, up, lost <-chan struct{}) error {
	ctx, cancel := context.WithTimeout(ctx, connectTimeout)
	defer cancel()
	first := firstCandidate(answer)
	wait := firstNudge
	timer := time.NewTimer(wait)
	defer timer.Stop()
	for n := 1; ; {
		select {
		case <-up:
			return nil
		case <-lost:
			return ErrNoMedia
		case <-timer.C:
			if first != "" && n <= nudges {
				nudge(pc, first, n)
				n, wait = n+1, wait*2
				timer.Reset(wait)
			}
		case <-ctx.Done():
			if errors.Is(ctx.Err(), context.DeadlineExceeded) {
				return ErrNoMedia
			}
			return ctx.Err()
		}
	}
}

// The first nudge comes when a check on loopback has been answered, the last behind a round trip of a quarter second.
const (
	firstNudge = 4 * time.Millisecond
	nudges     = 7
)

// nudge makes pion's ICE agent look at its pairs: any new remote candidate does that, so it is told of the
// first one again, as a reflexive one that differs in nothing but its related port.
func nudge(pc *webrtc.PeerConnection, candidate string, n int) {
	mid := uint16(0)
	// What is wrong with the candidate was wrong in the answer before.
	_ = pc.AddICECandidate(webrtc.ICECandidateInit{
		Candidate: fmt.Sprintf("%s typ srflx raddr 0.0.0.0 rport %d", candidate, n), SDPMLineIndex: &mid,
	})
}

// firstCandidate returns the first candidate of an answer without its type, "" when there is none that is host and UDP.
func firstCandidate(answer string) string {
	for l := range strings.Lines(answer) {
		l = strings.TrimSpace(l)
		if c, ok := strings.CutPrefix(l, "a=candidate:"); ok {
			c, _, host := strings.Cut(c, " typ host")
			if host && strings.Contains(strings.ToLower(c), " udp ") {
				return "candidate:" + c
			}
		}
	}
	return ""
}
