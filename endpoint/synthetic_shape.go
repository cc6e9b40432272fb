package endpoint

import (
	"time"
)

// Times of a synthetic stream.
const (
	frameTime = time.Second / 30
	soundTime = 20 * time.Millisecond
	// paceTime and paceBurst are how pictures go out: as browsers pace them, at least so many packets each time.
	paceTime  = 5 * time.Millisecond
	paceBurst = 4
	// paceFactor is how much faster than the stream's rate packets may go out.
	paceFactor = 2.5
	// keyPause is the least time between key frames.
	keyPause = 300 * time.Millisecond
)

const (
	vp8Descriptor = 4
	// chromiumPayload is the largest payload of Chromium's, descriptor included.
	chromiumPayload = 1174
)

// shape is a synthetic picture: frames of recorded sizes, scaled to a bit rate. It is a value.
type shape struct {
	pictures, keys, sound []int
	scale                 float64
	burst                 int // packets each paceTime
	frame, key, sounds    int // how many there have been
	picture               uint16
}

// newShape makes a picture of so many bits a second, key frames not counted.
func newShape(bitrate float64) shape {
	s := shape{pictures: recordedPictures(), keys: recordedKeys(), sound: recordedSound()}
	sum := 0
	for _, n := range s.pictures {
		sum += n
	}
	recorded := float64(sum) / float64(len(s.pictures)) * 8 / frameTime.Seconds()
	s.scale = bitrate / recorded
	s.burst = max(paceBurst, int(bitrate*paceFactor*paceTime.Seconds()/8/chromiumPayload))
	return s
}

// next returns the payloads of the next frame: VP8 with a picture id of 15 bits (RFC 7741 section 4.2), cut into nearly equal parts
// as Chromium does. What follows the headers is no picture.
func (s *shape) next(key bool) [][]byte {
	size := s.pictures[s.frame%len(s.pictures)]
	if key {
		size = s.keys[s.key%len(s.keys)]
		s.key++
	}
	s.frame++
	frame := make([]byte, max(int(float64(size)*s.scale+0.5), 10+StampSize))
	for i := range frame {
		frame[i] = byte(i*31) | 1
	}
	frame[0] = 0x11 // shown, built on others (RFC 6386 section 9.1)
	if key {
		copy(frame, []byte{0x10, 0, 0, 0x9d, 0x01, 0x2a, 1280 & 0xff, 1280 >> 8, 720 & 0xff, 720 >> 8})
	}
	payloads := split(frame, chromiumPayload-vp8Descriptor)
	for i, part := range payloads {
		first := byte(0x80) // X
		if i == 0 {
			first |= 0x10 // S
		}
		payloads[i] = append([]byte{first, 0x80, 0x80 | byte(s.picture>>8), byte(s.picture)}, part...)
	}
	s.picture = (s.picture + 1) & 0x7FFF
	return payloads
}

// split cuts b into as few parts as possible of at most limit bytes; they differ by one byte at most, and the longer come last.
func split(b []byte, limit int) [][]byte {
	n := (len(b) + limit - 1) / limit
	var parts [][]byte
	for ; n > 0; n-- {
		size := len(b) / n
		parts = append(parts, b[:size])
		b = b[size:]
	}
	return parts
}

// opus returns the next packet of sound: 20 ms of CELT in stereo (RFC 6716 section 3.1), of a recorded size.
func (s *shape) opus() []byte {
	b := make([]byte, max(s.sound[s.sounds%len(s.sound)], 1+StampSize))
	b[0] = 0xfc
	s.sounds++
	return b
}
