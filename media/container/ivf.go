package container

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math/bits"
	"time"

	"github.com/fanfare-relay/fanfare/media"
)

// ivf reads IVF: a header of 32 bytes, then frames with 12 bytes before each (all little-endian).
//
//	0 "DKIF" | 4 version, header length (16 bit each) | 8 fourcc | 12 width, height | 16 rate | 20 scale | 24 frames, unused
//	0 size, 32 bit | 4 timestamp, 64 bit, in scale/rate seconds
type ivf struct {
	s           *source
	track       rawTrack
	rate, scale uint32
}

func openIVF(r io.ReaderAt, size int64) (demuxer, error) {
	v := &ivf{s: newSource(r, size)}
	h, err := v.s.bytes(32, 32)
	if err != nil {
		return nil, fmt.Errorf("%w: the header is cut off", ErrDamaged)
	}
	v.rate, v.scale = binary.LittleEndian.Uint32(h[16:]), binary.LittleEndian.Uint32(h[20:])
	if v.rate == 0 || v.scale == 0 {
		return nil, fmt.Errorf("%w: no time scale", ErrDamaged)
	}
	fourcc := string(h[8:12])
	v.track = rawTrack{kind: media.KindVideo, name: printable(fourcc)}
	switch fourcc {
	case "VP80":
		v.track.codec = media.CodecVP8
	case "VP90":
		v.track.codec = media.CodecVP9
	case "AV01":
		v.track.codec = media.CodecAV1
	case "H264":
		v.track.codec = media.CodecH264
	}
	if n := binary.LittleEndian.Uint16(h[6:]); n > 32 {
		v.s.skip(int64(n) - 32)
	}
	return v, nil
}

func (v *ivf) tracks() []rawTrack { return []rawTrack{v.track} }
func (v *ivf) choose([]int)       {}

func (v *ivf) next() (rawFrame, error) {
	var h [12]byte
	if err := v.s.fill(h[:]); err != nil {
		return rawFrame{}, io.EOF
	}
	data, err := v.s.bytes(int64(binary.LittleEndian.Uint32(h[:])), maxFrame)
	if errors.Is(err, io.ErrUnexpectedEOF) {
		err = io.EOF
	}
	if err != nil {
		return rawFrame{}, err
	}
	return rawFrame{
		pts:      scaled(binary.LittleEndian.Uint64(h[4:])*uint64(v.scale), uint64(v.rate)),
		duration: scaled(uint64(v.scale), uint64(v.rate)),
		data:     data,
	}, nil
}

// scaled converts n/perSecond seconds, rounded to the nearest nanosecond; what does not fit becomes 0.
func scaled(n, perSecond uint64) time.Duration {
	if perSecond == 0 {
		return 0
	}
	hi, lo := bits.Mul64(n, uint64(time.Second))
	lo, carry := bits.Add64(lo, perSecond/2, 0)
	hi += carry
	if hi >= perSecond {
		return 0
	}
	q, _ := bits.Div64(hi, lo, perSecond)
	if q > 1<<62 {
		return 0
	}
	return time.Duration(q)
}
