package endpoint

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"math/rand/v2"
	"net"
	"sync"
	"time"

	"github.com/pion/interceptor"
	"github.com/pion/rtcp"
	"github.com/pion/webrtc/v3"

	"github.com/fanfare-relay/fanfare/media"
	"github.com/fanfare-relay/fanfare/media/container"
	"github.com/fanfare-relay/fanfare/media/report"
)

// Frame is one whole frame that a viewer received, in canonical form (container.Frame).
type Frame struct {
	Kind      media.Kind
	Codec     media.Codec
	Timestamp uint32 // RTP
	Key       bool
	Data      []byte
	// Captured is the frame's place on one line for sound and picture, in this machine's time: from sender
	// reports once there are any, from arrivals before.
	Captured time.Time
	// First and Last are the arrivals of the first and the last packet.
	First, Last time.Time
}

// ViewerConfig says what to view.
type ViewerConfig struct {
	// URL is the WHEP endpoint, Bearer a password or token, "" for none.
	URL, Bearer string
	// OnFrame gets every whole frame, one call at a time; nil for none.
	OnFrame func(Frame)
	// OnDelay gets, for the last packet of each picture, arrival minus capture by the sender's clock. It means
	// something when both clocks agree, as on one machine. It must be quick and must not call the viewer.
	OnDelay func(time.Duration)
	// Shallow joins frames only until the first whole key frame and counts from then on: for load.
	Shallow bool
	// Loss is the share (0 to 1) of media packets that are thrown away when they come, by chance, as a bad line would.
	Loss float64
	// Log takes life-cycle lines; nil for none.
	Log *slog.Logger

	patience time.Duration // tests lose connections faster
}

// Viewer receives one stream over WHEP, again and again in View, once in Session. Use NewViewer.
type Viewer struct {
	cfg    ViewerConfig
	rtc    webrtc.Configuration
	signal *signal

	delivery sync.Mutex // held while OnFrame runs

	mu     sync.Mutex // guards all below, and every inbound
	sync   report.Sync
	tracks [2]*inbound // sound, picture
	timing Timing
	posted time.Time

	keyFrame chan struct{} // closed at the first whole key frame of all
}

// Identity is what several viewers of one process share: a certificate.
type Identity struct{ rtc webrtc.Configuration }

// NewIdentity makes a certificate.
func NewIdentity() (Identity, error) {
	rtc, err := newConfiguration()
	return Identity{rtc}, err
}

// NewViewer prepares a viewer.
func NewViewer(cfg ViewerConfig, id Identity) *Viewer {
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	if cfg.patience == 0 {
		cfg.patience = patience
	}
	return &Viewer{cfg: cfg, rtc: id.rtc, signal: newSignal(cfg.URL, cfg.Bearer), keyFrame: make(chan struct{})}
}

// KeyFrame is closed when the first whole key frame has arrived.
func (v *Viewer) KeyFrame() <-chan struct{} { return v.keyFrame }

// Run views until ctx ends (its error) or the server does not let the viewer be. A session that is lost is
// made again. Figures start anew with each session.
func (v *Viewer) Run(ctx context.Context) error {
	var r retry
	for {
		err := v.Session(ctx, r.up)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		err = r.pause(ctx, err, func(err error, wait time.Duration) {
			v.cfg.Log.Warn("view interrupted", "reason", err, "again_in", wait.Round(time.Millisecond))
		})
		if err != nil {
			return err
		}
	}
}

// Session views once. up is called when the connection stands; nil for nothing. Its error is never nil: it says
// why the session ended. The session is ended by DELETE.
func (v *Viewer) Session(ctx context.Context, up func()) error {
	defer v.signal.close()
	pc, err := v.peerConnection()
	if err != nil {
		return err
	}
	// Nothing is delivered once Session has returned.
	var reading readers
	defer reading.wait()
	defer pc.Close()
	connected, lost := make(chan struct{}), make(chan struct{})
	watchState(pc, connected, lost)
	pc.OnTrack(func(t *webrtc.TrackRemote, r *webrtc.RTPReceiver) {
		if reading.enter() {
			defer reading.Done()
			v.receive(pc, t, r)
		}
	})
	at, err := exchange(ctx, pc, v.signal, v.begin)
	if err == nil {
		v.mark(func(t *Timing, since time.Duration) { t.Answered = since })
		err = awaitUp(ctx, pc, at.answer, connected, lost)
	}
	if err == nil {
		v.mark(func(t *Timing, since time.Duration) { t.Connected = cmp.Or(t.Connected, since) })
		if up != nil {
			up()
		}
		select {
		case <-ctx.Done():
			err = ctx.Err()
		case <-lost:
			err = ErrLost
		}
	}
	ending, cancel := context.WithTimeout(context.Background(), 3*time.Second)
	defer cancel()
	if e := v.signal.remove(ending, at); errors.Is(e, ErrEnded) && ctx.Err() == nil {
		return e
	}
	return err
}

// readers counts the goroutines that pion starts for tracks. None enters once wait has been called.
type readers struct {
	mu     sync.Mutex
	closed bool
	sync.WaitGroup
}

func (r *readers) enter() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.closed {
		r.Add(1)
	}
	return !r.closed
}

func (r *readers) wait() {
	r.mu.Lock()
	r.closed = true
	r.mu.Unlock()
	r.Wait()
}

// begin starts figures and the join's clock anew.
func (v *Viewer) begin() {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.sync, v.tracks, v.timing, v.posted = report.Sync{}, [2]*inbound{}, Timing{}, time.Now()
}

func (v *Viewer) mark(set func(*Timing, time.Duration)) {
	v.mu.Lock()
	defer v.mu.Unlock()
	set(&v.timing, time.Since(v.posted))
}

// viewFormats are what a viewer offers, in order of preference, as browsers do.
func viewFormats() []struct {
	codec media.Codec
	fmtp  string
} {
	h264 := "level-asymmetry-allowed=1;packetization-mode=1;profile-level-id="
	return []struct {
		codec media.Codec
		fmtp  string
	}{
		{media.CodecVP8, ""},
		{media.CodecVP9, "profile-id=0"}, {media.CodecVP9, "profile-id=2"},
		{media.CodecH264, h264 + "42e01f"}, {media.CodecH264, h264 + "4d001f"}, {media.CodecH264, h264 + "640034"},
		{media.CodecAV1, ""},
		{media.CodecOpus, "minptime=10;useinbandfec=1;stereo=1"},
	}
}

// firstPT is the payload type of the first format; its RTX is the next number, and so on.
const firstPT = 96

func codecOf(pt uint8) media.Codec {
	i := (int(pt) - firstPT) / 2
	if f := viewFormats(); pt >= firstPT && i < len(f) {
		return f[i].codec
	}
	return media.CodecUnknown
}

func (v *Viewer) peerConnection() (*webrtc.PeerConnection, error) {
	engine := &webrtc.MediaEngine{}
	for i, f := range viewFormats() {
		pt := webrtc.PayloadType(firstPT + 2*i)
		if err := engine.RegisterCodec(codecParameters(f.codec, f.fmtp, pt), rtpKind(f.codec.Kind())); err != nil {
			return nil, err
		}
		if f.codec.Kind() == media.KindAudio {
			continue
		}
		rtx := webrtc.RTPCodecParameters{
			RTPCodecCapability: webrtc.RTPCodecCapability{MimeType: "video/rtx", ClockRate: 90000, SDPFmtpLine: rtxFmtp(pt)},
			PayloadType:        pt + 1,
		}
		if err := engine.RegisterCodec(rtx, webrtc.RTPCodecTypeVideo); err != nil {
			return nil, err
		}
	}
	for _, kind := range []webrtc.RTPCodecType{webrtc.RTPCodecTypeAudio, webrtc.RTPCodecTypeVideo} {
		// The mid tells the tracks of servers apart that do not announce their SSRCs.
		ext := webrtc.RTPHeaderExtensionCapability{URI: "urn:ietf:params:rtp-hdrext:sdes:mid"}
		if err := engine.RegisterHeaderExtension(ext, kind); err != nil {
			return nil, err
		}
	}
	registry := &interceptor.Registry{}
	if v.cfg.Loss > 0 {
		registry.Add(badLine{share: v.cfg.Loss})
	}
	pc, err := newAPI(engine, registry, v.cfg.patience).NewPeerConnection(v.rtc)
	if err != nil {
		return nil, err
	}
	for _, kind := range []webrtc.RTPCodecType{webrtc.RTPCodecTypeAudio, webrtc.RTPCodecTypeVideo} {
		_, err := pc.AddTransceiverFromKind(kind, webrtc.RTPTransceiverInit{Direction: webrtc.RTPTransceiverDirectionRecvonly})
		if err != nil {
			_ = pc.Close()
			return nil, err
		}
	}
	return pc, nil
}

// receive reads one track until the session ends. Its one goroutine does packets and deadlines alike; a second
// one reads sender reports.
func (v *Viewer) receive(pc *webrtc.PeerConnection, t *webrtc.TrackRemote, r *webrtc.RTPReceiver) {
	codec := codecOf(uint8(t.PayloadType()))
	if codec == media.CodecUnknown {
		return
	}
	in := newInbound(media.SSRC(rand.Uint32()), media.SSRC(t.SSRC()), codec, v.cfg.Shallow)
	v.mu.Lock()
	v.tracks[kindIndex(codec.Kind())] = in
	v.mu.Unlock()
	reports := make(chan struct{})
	go func() {
		defer close(reports)
		v.readReports(r, in)
	}()
	defer func() { <-reports }()
	buf := make([]byte, 2048) // servers may send what loopback carries; a packet cut short ends the track
	var frames []container.Assembled
	var out []rtcp.Packet
	for {
		n, attributes, err := t.Read(buf)
		now := time.Now()
		var timeout net.Error // pion's own, not os.ErrDeadlineExceeded
		late := errors.As(err, &timeout) && timeout.Timeout()
		if err != nil && !late {
			return
		}
		frames, out = frames[:0], out[:0]
		v.mu.Lock()
		if !late {
			frames = v.packet(in, frames, buf[:n], attributes.Get(webrtc.AttributeRtxPayloadType) != nil, now)
		}
		at, ok := in.deadline()
		if ok && !now.Before(at) {
			frames, out = in.tick(frames, out, now)
			at, ok = in.deadline()
		}
		v.mu.Unlock()
		if !ok {
			at = time.Time{}
		}
		_ = t.SetReadDeadline(at)
		v.deliver(in, frames)
		if len(out) > 0 {
			// A session that is gone is noticed by Read.
			_ = pc.WriteRTCP(out)
		}
	}
}
