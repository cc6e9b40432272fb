package container

import (
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"strings"

	"github.com/fanfare-relay/fanfare/media"
)

// ErrWrongContainer: the codec does not go into this kind of file.
var ErrWrongContainer = errors.New("this kind of file does not hold the codec")

// Writer writes one recording. It writes whole groups of frames, so that a file that was never closed
// can be played up to its last second or two.
type Writer interface {
	// WriteFrame takes frames in canonical form; Track is the index in the tracks given at the start, times count
	// from 0 and do not step back within a track.
	WriteFrame(f Frame) error
	// Close finishes the file; it does not close the underlying writer.
	Close() error
}

// FileFor tells which codecs of picture a file name's ending stands for; nil when it is neither .webm nor .mp4.
func FileFor(name string) []media.Codec {
	switch strings.ToLower(filepath.Ext(name)) {
	case ".webm":
		return []media.Codec{media.CodecVP8, media.CodecVP9, media.CodecAV1}
	case ".mp4":
		return []media.Codec{media.CodecH264}
	default:
		return nil
	}
}

// NewWriter starts a .webm or .mp4 file by its name. key is the first key frame of the picture, from
// which size and decoder configuration come; it is not written.
func NewWriter(name string, w io.WriteSeeker, tracks []Track, key []byte) (Writer, error) {
	for i, t := range tracks {
		if t.Codec.Kind() != media.KindVideo {
			continue
		}
		info := Inspect(t.Codec, key)
		if info.Width == 0 {
			return nil, fmt.Errorf("%w: the first frame is no key frame", ErrDamaged)
		}
		tracks[i].Width, tracks[i].Height, tracks[i].Profile = info.Width, info.Height, info.Profile
	}
	switch strings.ToLower(filepath.Ext(name)) {
	case ".webm":
		return newWebM(w, tracks, key)
	case ".mp4":
		return newMP4Writer(w, tracks, key)
	default:
		return nil, fmt.Errorf("%w: the name must end with .webm or .mp4", ErrWrongContainer)
	}
}

// opusHead is the identification header (RFC 7845 section 5.1), with the usual 6.5 ms of pre-skip.
func opusHead(channels int) []byte {
	b := append([]byte("OpusHead\x01"), byte(max(channels, 1)))
	b = binary.LittleEndian.AppendUint16(b, 312)
	b = binary.LittleEndian.AppendUint32(b, 48000)
	return append(b, 0, 0, 0)
}

// av1Config is AV1CodecConfigurationRecord (AV1 in ISOBMFF section 2.3) for a key frame, with its sequence header.
// The level and the chroma fields repeat what the sequence header says; players read that.
func av1Config(key []byte) []byte {
	units, _ := splitOBU(key)
	for _, u := range units {
		if u.kind != obuSequence {
			continue
		}
		profile, _, _ := av1Size(u.payload)
		return u.appendTo([]byte{0x81, profile << 5, 0x0C, 0})
	}
	return nil
}

// avcConfigOf makes AVCDecoderConfigurationRecord (ISO/IEC 14496-15 section 5.3.3.1) of a key frame's parameter
// sets, with NAL unit lengths of four bytes; nil when they are not all there.
func avcConfigOf(key []byte) []byte {
	var sps, pps [][]byte
	for _, u := range SplitNAL(key) {
		switch nalType(u) {
		case nalSPS:
			sps = append(sps, u)
		case nalPPS:
			pps = append(pps, u)
		}
	}
	if len(sps) == 0 || len(pps) == 0 || len(sps[0]) < 4 || len(sps) > 31 || len(pps) > 255 {
		return nil
	}
	b := []byte{1, sps[0][1], sps[0][2], sps[0][3], 0xFF, 0xE0 | byte(len(sps))}
	for _, u := range sps {
		b = append(binary.BigEndian.AppendUint16(b, uint16(len(u))), u...)
	}
	b = append(b, byte(len(pps)))
	for _, u := range pps {
		b = append(binary.BigEndian.AppendUint16(b, uint16(len(u))), u...)
	}
	if p := hex.EncodeToString(sps[0][1:2]); p == "64" || p == "6e" || p == "7a" || p == "f4" {
		b = append(b, 0xFD, 0xF8, 0xF8, 0) // chroma 4:2:0, 8 bit: all that WebRTC carries
	}
	return b
}
