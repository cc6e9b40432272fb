package container

import (
	"fmt"

	"github.com/fanfare-relay/fanfare/media"
)

// former brings the raw frames of one track into canonical form (see Frame.Data).
type former interface {
	form(data []byte) ([]byte, error)
}

func newFormer(t rawTrack) (former, error) {
	switch t.codec {
	case media.CodecH264:
		if !t.lengths {
			return &annexBFormer{}, nil
		}
		c, err := parseAVCC(t.config)
		if err != nil {
			return nil, err
		}
		return &avcFormer{c}, nil
	case media.CodecAV1:
		f := &av1Former{}
		if len(t.config) > 4 {
			f.sequence = av1Sequence(t.config[4:])
		}
		return f, nil
	default:
		return plainFormer{}, nil
	}
}

type plainFormer struct{}

func (plainFormer) form(data []byte) ([]byte, error) { return data, nil }

// avcConfig is the AVCDecoderConfigurationRecord (ISO/IEC 14496-15 section 5.3.3.1).
type avcConfig struct {
	lengthSize int
	sets       [][]byte // parameter sets, SPS first
}

func parseAVCC(b []byte) (avcConfig, error) {
	bad := fmt.Errorf("%w: no H.264 parameters", ErrDamaged)
	if len(b) < 7 || b[0] != 1 {
		return avcConfig{}, bad
	}
	c := avcConfig{lengthSize: int(b[4]&3) + 1}
	count, b := int(b[5]&31), b[6:]
	for kind := 0; kind < 2; kind++ {
		for range count {
			if len(b) < 2 || len(b) < 2+int(b[0])<<8+int(b[1]) {
				return avcConfig{}, bad
			}
			n := int(b[0])<<8 | int(b[1])
			if n > 0 {
				c.sets = append(c.sets, b[2:2+n])
			}
			b = b[2+n:]
		}
		if kind == 0 {
			if len(b) == 0 {
				return avcConfig{}, bad
			}
			count, b = int(b[0]), b[1:]
		}
	}
	return c, nil
}

// avcFormer turns length-prefixed NAL units into Annex B.
type avcFormer struct{ avcConfig }

func (f *avcFormer) form(data []byte) ([]byte, error) {
	var units [][]byte
	for len(data) > 0 {
		if len(data) < f.lengthSize {
			return nil, fmt.Errorf("%w: a NAL unit is cut off", ErrDamaged)
		}
		n := 0
		for _, c := range data[:f.lengthSize] {
			n = n<<8 | int(c)
		}
		data = data[f.lengthSize:]
		if n > len(data) {
			return nil, fmt.Errorf("%w: a NAL unit of %d bytes in a frame with %d left", ErrDamaged, n, len(data))
		}
		units = append(units, data[:n])
		data = data[n:]
	}
	return joinNAL(units, f.sets), nil
}

// annexBFormer cleans an Annex B stream and repeats the newest parameter sets before IDR pictures that lack them.
type annexBFormer struct{ sets [][]byte }

func (f *annexBFormer) form(data []byte) ([]byte, error) {
	units := SplitNAL(data)
	var sets [][]byte
	for _, u := range units {
		if t := nalType(u); t == nalSPS || t == nalPPS {
			sets = append(sets, u)
		}
	}
	if len(sets) > 0 {
		f.sets = sets
	}
	return joinNAL(units, f.sets), nil
}

// av1Former keeps the sequence header of the container for key frames that lack their own.
type av1Former struct{ sequence []byte }

func (f *av1Former) form(data []byte) ([]byte, error) {
	units, err := splitOBU(data)
	if err != nil {
		return nil, err
	}
	out := make([]byte, 0, len(data)+8)
	hasSequence := false
	for _, u := range units {
		hasSequence = hasSequence || u.kind == obuSequence
	}
	if !hasSequence && len(f.sequence) > 0 && av1StartsWithKey(units) {
		out = append(out, f.sequence...)
	}
	for _, u := range units {
		out = u.appendTo(out)
	}
	return out, nil
}

// av1Sequence returns the sequence header among the config OBUs of av1C, in canonical form.
func av1Sequence(config []byte) []byte {
	units, err := splitOBU(config)
	if err != nil {
		return nil
	}
	for _, u := range units {
		if u.kind == obuSequence {
			return u.appendTo(nil)
		}
	}
	return nil
}
