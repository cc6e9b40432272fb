package mediatest

import (
	"time"

	"github.com/pion/rtp"

	"github.com/fanfare-relay/fanfare/media"
)

// SourceConfig describes the stream that a Source makes. Zero fields get the defaults named here.
type SourceConfig struct {
	Codec       media.Codec
	SSRC        media.SSRC
	PayloadType media.PayloadType
	// Seq, Timestamp, PictureID and TL0PicIdx are the first ones used.
	Seq       uint16
	Timestamp uint32
	PictureID uint16
	TL0PicIdx uint8
	// Width and Height of the picture: 640 by 360. Even numbers.
	Width, Height uint16
	// Interval is the time from frame to frame: 1/30 s, for Opus 20 ms.
	Interval time.Duration
	// MTU bounds the payload of a packet, in bytes: 1,100.
	MTU int
	// High makes the H.264 of its profile High, and not of the constrained baseline.
	High bool
}

func (c *SourceConfig) setDefaults() {
	if c.Width == 0 || c.Height == 0 {
		c.Width, c.Height = 640, 360
	}
	if c.Interval == 0 {
		c.Interval = time.Second / 30
		if c.Codec == media.CodecOpus {
			c.Interval = 20 * time.Millisecond
		}
	}
	if c.MTU == 0 {
		c.MTU = 1100
	}
}

// Frame says what a frame is to be.
type Frame struct {
	Key bool
	// Size is the number of bytes of the coded frame, about; the headers come first whatever it is.
	Size int
	// Temporal is the temporal layer, for VP8 and VP9.
	Temporal uint8
	// Spatial is the highest spatial layer, for VP9. Each has half the width and height of the next, and a quarter of
	// its bytes; Size is that of the highest.
	Spatial uint8
	// SwitchUp says that who has had less may have the temporal layer from this frame on, for VP9.
	SwitchUp bool
}

// Source makes the RTP packets of one encoding, frame after frame.
type Source struct {
	cfg    SourceConfig
	frames int
	seq    uint16
	id     uint16
	tl0    uint8
}

// NewSource returns a source. It panics for a codec that is not one of media's.
func NewSource(cfg SourceConfig) *Source {
	cfg.setDefaults()
	if cfg.Codec.Kind() == media.KindUnknown {
		panic("mediatest: a source needs a codec")
	}
	return &Source{cfg: cfg, seq: cfg.Seq, id: cfg.PictureID & 0x7fff, tl0: cfg.TL0PicIdx}
}

// SetSize changes the size of the picture from the next key frame on.
func (s *Source) SetSize(width, height uint16) { s.cfg.Width, s.cfg.Height = width, height }

// Next returns the packets of the next frame. The marker bit stands on the last one of a video
// frame.
func (s *Source) Next(f Frame) []*rtp.Packet {
	payloads := s.payloads(f)
	elapsed := time.Duration(s.frames) * s.cfg.Interval
	ts := s.cfg.Timestamp + uint32(elapsed.Seconds()*float64(s.cfg.Codec.ClockRate())+0.5)
	packets := make([]*rtp.Packet, len(payloads))
	for i, p := range payloads {
		packets[i] = &rtp.Packet{
			Header: rtp.Header{
				Version:        2,
				Marker:         i == len(payloads)-1 && s.cfg.Codec.Kind() == media.KindVideo,
				PayloadType:    uint8(s.cfg.PayloadType),
				SequenceNumber: s.seq,
				Timestamp:      ts,
				SSRC:           uint32(s.cfg.SSRC),
			},
			Payload: p,
		}
		s.seq++
	}
	s.frames++
	return packets
}

// payloads makes the payloads of a frame and moves the numbers of VP8 and VP9 on.
func (s *Source) payloads(f Frame) [][]byte {
	if s.frames > 0 {
		s.id = (s.id + 1) & 0x7fff
		if f.Temporal == 0 {
			s.tl0++
		}
	}
	switch s.cfg.Codec {
	case media.CodecVP8:
		return s.vp8(f)
	case media.CodecVP9:
		return s.vp9(f)
	case media.CodecH264:
		return s.h264(f)
	case media.CodecAV1:
		return s.av1(f)
	default:
		return [][]byte{filled(opusHead, f.Size)}
	}
}

// opusHead is a table-of-contents byte: CELT, full band, 20 ms, stereo, one frame (RFC 6716 section 3.1).
var opusHead = []byte{0xfc}

// filled returns head, filled up to size bytes.
func filled(head []byte, size int) []byte {
	b := append([]byte(nil), head...)
	for len(b) < size {
		b = append(b, filler)
	}
	return b
}

// filler is a byte that begins neither an H.264 start code nor an escape.
const filler = 0x55

// chunks cuts b into pieces of at most n bytes, and at least one piece.
func chunks(b []byte, n int) [][]byte {
	var out [][]byte
	for len(b) > n {
		out = append(out, b[:n])
		b = b[n:]
	}
	return append(out, b)
}

// bitWriter writes headers bit by bit, most significant first.
type bitWriter struct {
	b []byte
	n int
}

func (w *bitWriter) put(v uint32, n int) {
	for i := n - 1; i >= 0; i-- {
		if w.n%8 == 0 {
			w.b = append(w.b, 0)
		}
		w.b[w.n/8] |= byte(v>>i&1) << (7 - w.n%8)
		w.n++
	}
}

// golomb writes ue(v) (ITU-T H.264 section 9.1).
func (w *bitWriter) golomb(v uint32) {
	n := 0
	for (v+1)>>n > 1 {
		n++
	}
	w.put(0, n)
	w.put(v+1, n+1)
}
