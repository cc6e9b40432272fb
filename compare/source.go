package compare

import (
	"context"
	"encoding/binary"
	"sync"
	"sync/atomic"
	"time"

	"github.com/pion/rtp"
	"github.com/pion/webrtc/v3"

	"github.com/fanfare-relay/fanfare/endpoint"
)

// Shape of the stream.
const (
	frameTime  = time.Second / 30
	keyEvery   = 60 // frames
	mostBytes  = 1150
	descriptor = 4
	trailer    = 8 + endpoint.StampSize
	mostParts  = 64 // so that a word of bits says which have come
)

// frame is one picture of the paced source: parts of equal size.
type frame struct {
	number uint32
	made   time.Time
	key    bool
	parts  int
	size   int // of each part, bytes
}

// newFrame makes a frame of a stream of so many Mbit/s. All are of one size, key frames too, so that the rate is what it is said to be.
func newFrame(number uint32, mbit float64, key bool, made time.Time) frame {
	bytes := int(mbit * 1e6 / 8 * frameTime.Seconds())
	parts := (bytes + mostBytes - 1) / mostBytes
	return frame{number, made, key, parts, max(bytes/parts, descriptor+16+trailer)}
}

// part is the payload of one packet: VP8 (RFC 7741 section 4.2, with a picture id of 15 bits) as far as relays look; its end says
// which part of which frame it is, and when that was made. Nothing of it can be decoded.
func (f frame) part(i int) []byte {
	b := make([]byte, f.size)
	b[0] = 0x80
	b[1], b[2], b[3] = 0x80, 0x80|byte(f.number>>8&0x7f), byte(f.number)
	if i == 0 {
		b[0] |= 0x10
		b[descriptor] = 0x11
		if f.key {
			copy(b[descriptor:], []byte{0x10, 0, 0, 0x9d, 0x01, 0x2a, 320 & 0xff, 320 >> 8, 180, 0})
		}
	}
	end := b[len(b)-trailer:]
	binary.BigEndian.PutUint32(end, f.number)
	binary.BigEndian.PutUint16(end[4:], uint16(i))
	binary.BigEndian.PutUint16(end[6:], uint16(f.parts))
	endpoint.PutStamp(b, f.made)
	return b
}

// part is what a packet says about itself.
type part struct {
	frame uint32
	index int
	parts int
	made  time.Time
}

// readPart reads the end of a payload; false for what is not of the source.
func readPart(b []byte) (p part, ok bool) {
	if len(b) < trailer {
		return p, false
	}
	end := b[len(b)-trailer:]
	p.frame, p.index, p.parts = binary.BigEndian.Uint32(end), int(binary.BigEndian.Uint16(end[4:])), int(binary.BigEndian.Uint16(end[6:]))
	p.made, ok = endpoint.ReadStamp(b)
	return p, ok && p.parts > 0 && p.parts <= mostParts && p.index < p.parts
}

// packet makes RTP of a payload; its number follows from the part's place, so that whoever passes parts on gives them the same.
func (p part) packet(payload []byte) *rtp.Packet {
	return &rtp.Packet{
		Header: rtp.Header{
			Version: 2, SequenceNumber: uint16(int(p.frame)*p.parts + p.index), Timestamp: p.frame * 3000, Marker: p.index == p.parts-1,
		},
		Payload: payload,
	}
}

// source is the uploader's stream: a track to the server, which rests while nobody is served by that, and one to everybody else.
type source struct {
	mbit     float64
	toServer *webrtc.TrackLocalStaticRTP
	direct   *webrtc.TrackLocalStaticRTP
	wantKey  atomic.Bool
	onServer atomic.Int64 // legs from the server

	making sync.Mutex
	made   []frame
}

func newSource(mbit float64) *source { return &source{mbit: mbit} }

// open makes the tracks.
func (s *source) open() (err error) {
	if s.toServer, err = newTrack("uploader"); err != nil {
		return err
	}
	s.direct, err = newTrack("uploader")
	return err
}

func (s *source) key() { s.wantKey.Store(true) }

// serve counts a leg more from the server. After a rest the track goes on with a key frame: viewers begin at the newest one, and
// between an older one and what comes now there is the rest, which the server would play, too, if in fast motion. (The product's
// uploader does not rest, but keeps a small copy going.)
func (s *source) serve() {
	if s.onServer.Add(1) == 1 {
		s.key()
	}
}

// frames are those that were made so far.
func (s *source) frames() []frame {
	s.making.Lock()
	defer s.making.Unlock()
	return s.made[:len(s.made):len(s.made)]
}

// send makes a frame every thirtieth of a second until ctx ends.
func (s *source) send(ctx context.Context) {
	tick := time.NewTicker(frameTime)
	defer tick.Stop()
	var toServer uint16
	for number := uint32(0); ; number++ {
		f := newFrame(number, s.mbit, number%keyEvery == 0 || s.wantKey.Swap(false), time.Now())
		s.making.Lock()
		s.made = append(s.made, f)
		s.making.Unlock()
		for i := range f.parts {
			payload := f.part(i)
			p := part{frame: number, index: i, parts: f.parts}.packet(payload)
			if s.onServer.Load() > 0 {
				up := *p
				up.SequenceNumber = toServer // without gaps for the pauses
				toServer++
				_ = s.toServer.WriteRTP(&up) // a lost session shows in what viewers get
			}
			_ = s.direct.WriteRTP(p)
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
	}
}
