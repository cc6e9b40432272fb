package crowd

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/pion/dtls/v2"
	"github.com/pion/ice/v2"
	"github.com/pion/interceptor"
	"github.com/pion/logging"
	"github.com/pion/rtcp"
	"github.com/pion/rtp"
	"github.com/pion/webrtc/v3"

	"github.com/fanfare-relay/fanfare/endpoint"
	"github.com/fanfare-relay/fanfare/media"
	"github.com/fanfare-relay/fanfare/media/mediatest"
)

// patience bounds the time of a test that fails.
const patience = 20 * time.Second

// server is a WHEP server of another make: pion on the other side, a full ICE agent with default interceptors.
type server struct {
	*httptest.Server
	t        *testing.T
	settings webrtc.SettingEngine
	track    *webrtc.TrackLocalStaticRTP
	sound    *webrtc.TrackLocalStaticRTP

	mu      sync.Mutex
	busy    int // POSTs to refuse
	next    int
	live    map[string]*webrtc.PeerConnection
	reports int
	wide    int
	keys    chan struct{}
}

// serve starts a server; role is that of its DTLS, profiles are its protections of media.
func serve(t *testing.T, role webrtc.DTLSRole, profiles ...dtls.SRTPProtectionProfile) *server {
	t.Helper()
	s := &server{t: t, live: map[string]*webrtc.PeerConnection{}, keys: make(chan struct{}, 1)}
	quiet := logging.NewDefaultLoggerFactory()
	quiet.DefaultLogLevel = logging.LogLevelDisabled
	s.settings.LoggerFactory = quiet
	s.settings.SetIncludeLoopbackCandidate(true)
	s.settings.SetICEMulticastDNSMode(ice.MulticastDNSModeDisabled)
	s.settings.SetNetworkTypes([]webrtc.NetworkType{webrtc.NetworkTypeUDP4})
	s.settings.SetSRTPProtectionProfiles(profiles...)
	if err := s.settings.SetAnsweringDTLSRole(role); err != nil {
		t.Fatal(err)
	}
	var err error
	if s.track, err = webrtc.NewTrackLocalStaticRTP(webrtc.RTPCodecCapability{MimeType: "video/VP8", ClockRate: 90000}, "video", "s"); err != nil {
		t.Fatal(err)
	}
	if s.sound, err = webrtc.NewTrackLocalStaticRTP(webrtc.RTPCodecCapability{MimeType: "audio/opus", ClockRate: 48000, Channels: 2}, "audio", "s"); err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /whep", s.post)
	mux.HandleFunc("DELETE /session/{id}", s.remove)
	s.Server = httptest.NewServer(mux)
	t.Cleanup(func() {
		s.Close()
		for _, pc := range s.live {
			_ = pc.Close()
		}
	})
	return s
}

func (s *server) post(w http.ResponseWriter, req *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.busy > 0 {
		s.busy--
		w.Header().Set("Retry-After", "1")
		http.Error(w, "busy", http.StatusServiceUnavailable)
		return
	}
	offer, err := io.ReadAll(req.Body)
	if err != nil {
		s.t.Error(err)
		return
	}
	pc, answer, err := s.answer(string(offer))
	if err != nil {
		s.t.Error(err)
		http.Error(w, "bad", http.StatusBadRequest)
		return
	}
	s.next++
	id := fmt.Sprint(s.next)
	s.live[id] = pc
	w.Header().Set("Content-Type", "application/sdp")
	w.Header().Set("Location", "/session/"+id)
	w.WriteHeader(http.StatusCreated)
	_, _ = io.WriteString(w, answer)
}

func (s *server) answer(offer string) (*webrtc.PeerConnection, string, error) {
	engine, registry := &webrtc.MediaEngine{}, &interceptor.Registry{}
	if err := engine.RegisterDefaultCodecs(); err != nil {
		return nil, "", err
	}
	if err := webrtc.ConfigureTWCCHeaderExtensionSender(engine, registry); err != nil {
		return nil, "", err
	}
	if err := webrtc.RegisterDefaultInterceptors(engine, registry); err != nil {
		return nil, "", err
	}
	pc, err := webrtc.NewAPI(webrtc.WithMediaEngine(engine), webrtc.WithInterceptorRegistry(registry), webrtc.WithSettingEngine(s.settings)).
		NewPeerConnection(webrtc.Configuration{})
	if err != nil {
		return nil, "", err
	}
	for _, track := range []webrtc.TrackLocal{s.sound, s.track} {
		sender, err := pc.AddTrack(track)
		if err != nil {
			return pc, "", err
		}
		go s.listen(sender)
	}
	if err := pc.SetRemoteDescription(webrtc.SessionDescription{Type: webrtc.SDPTypeOffer, SDP: offer}); err != nil {
		return pc, "", err
	}
	answer, err := pc.CreateAnswer(nil)
	if err != nil {
		return pc, "", err
	}
	gathered := webrtc.GatheringCompletePromise(pc)
	if err := pc.SetLocalDescription(answer); err != nil {
		return pc, "", err
	}
	<-gathered
	return pc, pc.LocalDescription().SDP, nil
}

// listen reads what viewers say until the connection is closed.
func (s *server) listen(sender *webrtc.RTPSender) {
	for {
		packets, _, err := sender.ReadRTCP()
		if err != nil {
			return
		}
		s.mu.Lock()
		for _, p := range packets {
			switch p.(type) {
			case *rtcp.ReceiverReport:
				s.reports++
			case *rtcp.TransportLayerCC:
				s.wide++
			case *rtcp.PictureLossIndication:
				select {
				case s.keys <- struct{}{}:
				default:
				}
			}
		}
		s.mu.Unlock()
	}
}

func (s *server) remove(_ http.ResponseWriter, req *http.Request) {
	s.mu.Lock()
	pc := s.live[req.PathValue("id")]
	delete(s.live, req.PathValue("id"))
	s.mu.Unlock()
	if pc == nil {
		s.t.Error("a session was deleted twice")
		return
	}
	_ = pc.Close()
}

// stream sends until the test ends: a key frame whenever one is asked for, stamps in every packet. The first key frame only comes
// when it is asked for.
func (s *server) stream() {
	video := mediatest.NewSource(mediatest.SourceConfig{Codec: media.CodecVP8, MTU: 1000, Seq: 65000})
	audio := mediatest.NewSource(mediatest.SourceConfig{Codec: media.CodecOpus})
	quit, ended := make(chan struct{}), make(chan struct{})
	s.t.Cleanup(func() {
		close(quit)
		<-ended
	})
	go func() {
		defer close(ended)
		tick := time.NewTicker(10 * time.Millisecond)
		defer tick.Stop()
		for {
			key := false
			select {
			case <-quit:
				return
			case <-s.keys:
				key = true
			case <-tick.C:
			}
			write(s.track, video.Next(mediatest.Frame{Key: key, Size: 5000}))
			write(s.sound, audio.Next(mediatest.Frame{Size: 80}))
		}
	}()
}

func write(track *webrtc.TrackLocalStaticRTP, packets []*rtp.Packet) {
	for _, p := range packets {
		endpoint.PutStamp(p.Payload, time.Now())
		_ = track.WriteRTP(p) // connections that are closing
	}
}
