package endpoint

import (
	"context"
	"fmt"
	"sync"

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

// awaitUp waits for the connection.
func awaitUp(ctx context.Context, up, lost <-chan struct{}) error {
	ctx, cancel := context.WithTimeout(ctx, connectTimeout)
	defer cancel()
	select {
	case <-up:
		return nil
	case <-lost:
		return ErrNoMedia
	case <-ctx.Done():
		if context.Cause(ctx) == context.DeadlineExceeded {
			return ErrNoMedia
		}
		return ctx.Err()
	}
}
