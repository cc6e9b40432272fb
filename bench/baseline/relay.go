package main

import (
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/pion/ice/v2"
	"github.com/pion/interceptor"
	"github.com/pion/rtcp"
	"github.com/pion/webrtc/v3"
)

// relay is one stream: two tracks that every viewer gets, and the sessions.
type relay struct {
	api    *webrtc.API
	mux    ice.UDPMux
	pli    time.Duration
	tracks []*webrtc.TrackLocalStaticRTP // picture, sound
	ask    chan struct{}                 // a viewer asks for a key frame

	mu       sync.Mutex
	sessions map[string]*webrtc.PeerConnection
	made     int
	closed   bool
}

func newRelay(conn net.PacketConn, pli time.Duration) (*relay, error) {
	r := &relay{pli: pli, ask: make(chan struct{}, 1), sessions: map[string]*webrtc.PeerConnection{}, mux: webrtc.NewICEUDPMux(nil, conn)}
	var err error
	if r.api, err = newAPI(r.mux); err != nil {
		return nil, err
	}
	for _, c := range []struct{ mime, id string }{{webrtc.MimeTypeVP8, "video"}, {webrtc.MimeTypeOpus, "audio"}} {
		t, err := webrtc.NewTrackLocalStaticRTP(webrtc.RTPCodecCapability{MimeType: c.mime}, c.id, "baseline")
		if err != nil {
			return nil, err
		}
		r.tracks = append(r.tracks, t)
	}
	return r, nil
}

// newAPI is pion with its default codecs and interceptors: NACK, reports, transport-wide feedback.
func newAPI(mux ice.UDPMux) (*webrtc.API, error) {
	codecs, interceptors := &webrtc.MediaEngine{}, &interceptor.Registry{}
	if err := codecs.RegisterDefaultCodecs(); err != nil {
		return nil, err
	}
	if err := webrtc.RegisterDefaultInterceptors(codecs, interceptors); err != nil {
		return nil, err
	}
	var settings webrtc.SettingEngine
	settings.SetICEUDPMux(mux)
	settings.SetNetworkTypes([]webrtc.NetworkType{webrtc.NetworkTypeUDP4})
	settings.SetICEMulticastDNSMode(ice.MulticastDNSModeDisabled)
	settings.SetIncludeLoopbackCandidate(true)
	return webrtc.NewAPI(webrtc.WithMediaEngine(codecs), webrtc.WithInterceptorRegistry(interceptors), webrtc.WithSettingEngine(settings)), nil
}

func (r *relay) handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /whip/{stream}", r.offered(r.publisher))
	mux.HandleFunc("POST /whep/{stream}", r.offered(r.viewer))
	mux.HandleFunc("DELETE /session/{id}", r.ended)
	mux.HandleFunc("PATCH /session/{id}", r.asked)
	return mux
}

// maxOffer bounds what is read of a request.
const maxOffer = 256 << 10

// offered answers an offer with all candidates; prepare fits the connection out before.
func (r *relay) offered(prepare func(*webrtc.PeerConnection) error) http.HandlerFunc {
	return func(w http.ResponseWriter, req *http.Request) {
		offer, err := io.ReadAll(http.MaxBytesReader(w, req.Body, maxOffer))
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		pc, err := r.api.NewPeerConnection(webrtc.Configuration{})
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		id, err := r.keep(pc)
		if err == nil {
			err = prepare(pc)
		}
		if err == nil {
			err = answer(pc, string(offer))
		}
		if err != nil {
			r.remove(id)
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		w.Header().Set("Content-Type", "application/sdp")
		w.Header().Set("Location", "/session/"+id)
		w.WriteHeader(http.StatusCreated)
		_, _ = io.WriteString(w, pc.LocalDescription().SDP) // a client that has gone needs none
	}
}

func answer(pc *webrtc.PeerConnection, offer string) error {
	if err := pc.SetRemoteDescription(webrtc.SessionDescription{Type: webrtc.SDPTypeOffer, SDP: offer}); err != nil {
		return err
	}
	a, err := pc.CreateAnswer(nil)
	if err != nil {
		return err
	}
	gathered := webrtc.GatheringCompletePromise(pc)
	if err := pc.SetLocalDescription(a); err != nil {
		return err
	}
	<-gathered
	return nil
}

// publisher copies what comes into the tracks.
func (r *relay) publisher(pc *webrtc.PeerConnection) error {
	pc.OnTrack(func(remote *webrtc.TrackRemote, _ *webrtc.RTPReceiver) {
		local := r.tracks[0]
		if remote.Kind() == webrtc.RTPCodecTypeAudio {
			local = r.tracks[1]
		} else {
			over := make(chan struct{})
			defer close(over)
			go r.askForKeyFrames(pc, uint32(remote.SSRC()), over)
		}
		for {
			packet, _, err := remote.ReadRTP()
			if err != nil {
				return
			}
			if err := local.WriteRTP(packet); err != nil && !errors.Is(err, io.ErrClosedPipe) {
				return
			}
		}
	})
	return nil
}

// askForKeyFrames asks at once, every r.pli, and when viewers ask, but then at most once a second.
func (r *relay) askForKeyFrames(pc *webrtc.PeerConnection, ssrc uint32, over <-chan struct{}) {
	every, breath := time.NewTicker(r.pli), time.NewTicker(time.Second)
	defer every.Stop()
	defer breath.Stop()
	for {
		_ = pc.WriteRTCP([]rtcp.Packet{&rtcp.PictureLossIndication{MediaSSRC: ssrc}}) // asked again soon
		select {
		case <-breath.C:
		case <-over:
			return
		}
		select {
		case <-every.C:
		case <-r.ask:
		case <-over:
			return
		}
	}
}

// viewer gives both tracks and reads the reports, which the interceptors need.
func (r *relay) viewer(pc *webrtc.PeerConnection) error {
	for _, t := range r.tracks {
		sender, err := pc.AddTrack(t)
		if err != nil {
			return err
		}
		go func() {
			for {
				packets, _, err := sender.ReadRTCP()
				if err != nil {
					return
				}
				r.heed(packets)
			}
		}()
	}
	return nil
}

func (r *relay) heed(packets []rtcp.Packet) {
	for _, p := range packets {
		switch p.(type) {
		case *rtcp.PictureLossIndication, *rtcp.FullIntraRequest:
			select {
			case r.ask <- struct{}{}:
			default: // one waits already
			}
		}
	}
}

// keep notes a session, and forgets it when the connection is lost.
func (r *relay) keep(pc *webrtc.PeerConnection) (string, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.made++
	id := fmt.Sprint(r.made)
	r.sessions[id] = pc
	if r.closed {
		return id, http.ErrServerClosed
	}
	pc.OnConnectionStateChange(func(s webrtc.PeerConnectionState) {
		if s == webrtc.PeerConnectionStateFailed {
			go r.remove(id) // Close waits for this callback
		}
	})
	return id, nil
}

// remove ends a session and tells whether there was one.
func (r *relay) remove(id string) bool {
	r.mu.Lock()
	pc := r.sessions[id]
	delete(r.sessions, id)
	r.mu.Unlock()
	return pc != nil && pc.Close() == nil
}

func (r *relay) ended(w http.ResponseWriter, req *http.Request) {
	if !r.remove(req.PathValue("id")) {
		http.NotFound(w, req)
	}
}

// asked answers clients that ask whether their session is still there. Candidates are not needed: all came with the offer.
func (r *relay) asked(w http.ResponseWriter, req *http.Request) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.sessions[req.PathValue("id")] == nil {
		http.NotFound(w, req)
		return
	}
	w.WriteHeader(http.StatusNoContent)
}

func (r *relay) close() {
	r.mu.Lock()
	all := r.sessions
	r.sessions, r.closed = map[string]*webrtc.PeerConnection{}, true
	r.mu.Unlock()
	for _, pc := range all {
		_ = pc.Close() // its end is what is wanted
	}
	_ = r.mux.Close()
}
