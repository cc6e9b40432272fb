package endpoint

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"

	"github.com/pion/interceptor"
	"github.com/pion/rtcp"
	"github.com/pion/webrtc/v3"

	"github.com/fanfare-relay/fanfare/media"
	"github.com/fanfare-relay/fanfare/media/seq"
)

// testRelay is the least WHIP and WHEP server that carries media: one stream, pion on both sides. It knows the codecs
// beforehand, because pion cannot answer a viewer before.
type testRelay struct {
	*httptest.Server
	t      *testing.T
	video  *webrtc.TrackLocalStaticRTP
	audio  *webrtc.TrackLocalStaticRTP
	posted chan struct{} // one for each WHIP POST

	mu        sync.Mutex
	publisher *webrtc.PeerConnection
	sessions  map[string]*webrtc.PeerConnection
	deleted   []string
	refuse    []http.HandlerFunc                     // answers for the next POSTs
	newest    map[*webrtc.TrackLocalStaticRTP]uint16 // sequence number sent
	plis      int
	asked     int // PATCHes
	replaced  bool
}

func newTestRelay(t *testing.T, video media.Codec, fmtp string) *testRelay {
	t.Helper()
	r := &testRelay{t: t, posted: make(chan struct{}, 16), sessions: map[string]*webrtc.PeerConnection{}, newest: map[*webrtc.TrackLocalStaticRTP]uint16{}}
	track := func(c media.Codec, fmtp string) *webrtc.TrackLocalStaticRTP {
		l, err := webrtc.NewTrackLocalStaticRTP(codecParameters(c, fmtp, 0).RTPCodecCapability, c.Kind().String(), "relay")
		if err != nil {
			t.Fatal(err)
		}
		return l
	}
	r.video, r.audio = track(video, fmtp), track(media.CodecOpus, "minptime=10;useinbandfec=1")
	mux := http.NewServeMux()
	mux.HandleFunc("POST /whip/s", r.whip)
	mux.HandleFunc("POST /whep/s", r.whep)
	mux.HandleFunc("DELETE /session/{id}", r.remove)
	mux.HandleFunc("PATCH /session/{id}", r.patch)
	r.Server = httptest.NewServer(mux)
	t.Cleanup(func() {
		r.Close()
		r.mu.Lock()
		defer r.mu.Unlock()
		for _, pc := range r.sessions {
			_ = pc.Close()
		}
	})
	return r
}

func (r *testRelay) whip(w http.ResponseWriter, req *http.Request) {
	r.mu.Lock()
	if len(r.refuse) > 0 {
		f := r.refuse[0]
		r.refuse = r.refuse[1:]
		r.mu.Unlock()
		f(w, req)
		return
	}
	r.mu.Unlock()
	pc := r.connection()
	pc.OnTrack(func(t *webrtc.TrackRemote, _ *webrtc.RTPReceiver) {
		to := r.video
		if t.Kind() == webrtc.RTPCodecTypeAudio {
			to = r.audio
		}
		r.forward(t, to)
	})
	r.mu.Lock()
	r.publisher = pc
	r.mu.Unlock()
	r.answer(w, req, pc)
	r.posted <- struct{}{}
}

// forward sends a publisher's packets on until it goes. Their numbers go on where those of the publisher before ended:
// SRTP lets no stream step back.
func (r *testRelay) forward(from *webrtc.TrackRemote, to *webrtc.TrackLocalStaticRTP) {
	var shift uint16
	for first := true; ; first = false {
		p, _, err := from.ReadRTP()
		if err != nil {
			return
		}
		r.mu.Lock()
		newest, before := r.newest[to]
		if first && before {
			shift = newest + 1 - p.SequenceNumber
		}
		p.SequenceNumber += shift
		if !before || seq.Newer(p.SequenceNumber, newest) {
			r.newest[to] = p.SequenceNumber
		}
		r.mu.Unlock()
		_ = to.WriteRTP(p)
	}
}

func (r *testRelay) whep(w http.ResponseWriter, req *http.Request) {
	pc := r.connection()
	for _, l := range []webrtc.TrackLocal{r.audio, r.video} {
		s, err := pc.AddTrack(l)
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		go r.feedback(s)
	}
	r.answer(w, req, pc)
}

// feedback passes requests for key frames to the publisher.
func (r *testRelay) feedback(s *webrtc.RTPSender) {
	for {
		packets, _, err := s.ReadRTCP()
		if err != nil {
			return
		}
		for _, p := range packets {
			if _, ok := p.(*rtcp.PictureLossIndication); ok {
				r.askKey()
			}
		}
	}
}

func (r *testRelay) askKey() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.plis++
	if r.publisher == nil {
		return
	}
	for _, t := range r.publisher.GetReceivers() {
		if t.Track() != nil && t.Track().Kind() == webrtc.RTPCodecTypeVideo {
			_ = r.publisher.WriteRTCP([]rtcp.Packet{&rtcp.PictureLossIndication{MediaSSRC: uint32(t.Track().SSRC())}})
		}
	}
}

func (r *testRelay) connection() *webrtc.PeerConnection {
	engine := &webrtc.MediaEngine{}
	if err := engine.RegisterDefaultCodecs(); err != nil {
		r.t.Error(err)
	}
	pc, err := newAPI(engine, &interceptor.Registry{}, patience).NewPeerConnection(webrtc.Configuration{})
	if err != nil {
		r.t.Error(err)
	}
	return pc
}

func (r *testRelay) answer(w http.ResponseWriter, req *http.Request, pc *webrtc.PeerConnection) {
	offer, _ := io.ReadAll(req.Body)
	err := pc.SetRemoteDescription(webrtc.SessionDescription{Type: webrtc.SDPTypeOffer, SDP: string(offer)})
	answer, err2 := pc.CreateAnswer(nil)
	done := webrtc.GatheringCompletePromise(pc)
	if err := errors.Join(err, err2, pc.SetLocalDescription(answer)); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	<-done
	r.mu.Lock()
	id := fmt.Sprint(len(r.sessions))
	r.sessions[id] = pc
	r.mu.Unlock()
	w.Header().Set("Content-Type", "application/sdp")
	w.Header().Set("Location", "/session/"+id)
	w.WriteHeader(http.StatusCreated)
	_, _ = io.WriteString(w, pc.LocalDescription().SDP)
}

func (r *testRelay) patch(w http.ResponseWriter, req *http.Request) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.asked++
	status := http.StatusNotFound
	if r.replaced {
		status = http.StatusGone
	} else if pc := r.sessions[req.PathValue("id")]; pc != nil && pc.ConnectionState() != webrtc.PeerConnectionStateClosed {
		w.WriteHeader(http.StatusNoContent)
		return
	}
	w.Header().Set("Content-Type", "application/problem+json")
	w.WriteHeader(status)
	_, _ = io.WriteString(w, `{"detail":"A newer publisher took over."}`)
}

func (r *testRelay) questions() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.asked
}

func (r *testRelay) remove(w http.ResponseWriter, req *http.Request) {
	r.mu.Lock()
	defer r.mu.Unlock()
	id := req.PathValue("id")
	r.deleted = append(r.deleted, id)
	_ = r.sessions[id].Close()
}
