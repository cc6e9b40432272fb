// Package container reads media files into timed frames, packs frames into RTP payloads,
// puts frames together again from packets, and writes recordings.
//
// It owns the file formats WebM and Matroska (RFC 9559 on EBML, RFC 8794), MP4 and QuickTime
// (ISO/IEC 14496-12, -15), IVF, Ogg with Opus (RFC 7845), and the payload formats
// VP8 (RFC 7741), VP9 (RFC 9628), H.264 (RFC 6184), AV1 (AOM RTP specification 1.0) and Opus (RFC 7587).
//
// It never transcodes, opens no socket, starts no goroutine of its own and asks no clock. A length
// that a file or packet claims is believed only as far as the bytes are there.
//
// One canonical form of a frame is used everywhere (see Frame.Data), so a frame that was sent
// can be compared byte for byte with the frame that arrives.
package container

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/fanfare-relay/fanfare/media"
)

// Errors that say why a file cannot be used. They come wrapped with details for people.
var (
	// ErrNotMedia: the file is none of the formats that are read here.
	ErrNotMedia = errors.New("not a video or sound file that can be read (WebM, MKV, MP4, MOV, IVF, Ogg)")
	// ErrNoTrack: the format is known, but there is no track that WebRTC carries.
	ErrNoTrack = errors.New("no track that can be sent")
	// ErrNotCarried: the picture is in a format that WebRTC does not carry.
	ErrNotCarried = errors.New("the picture is in a format that WebRTC does not carry")
	// ErrDamaged: the file breaks the rules of its format.
	ErrDamaged = errors.New("the file is damaged")
)

// maxFrame bounds one frame in bytes. An 8K key frame at the highest sane quality stays below it;
// a larger claim is damage. maxIndex bounds one table or header that is held in memory.
const (
	maxFrame = 32 << 20
	maxIndex = 64 << 20
)

// Track describes one track that can be sent.
type Track struct {
	Codec media.Codec
	// Width and Height in pixels of the first key frame; 0 for sound.
	Width, Height int
	// Channels of sound as the file says; 0 for pictures.
	Channels int
	// Profile is the value of the fmtp parameter that names the profile: "42e01f" for H.264
	// (RFC 6184 section 8.1), "0" to "3" for VP9 and AV1, empty otherwise.
	Profile string
}

// FMTP returns the format parameters for an offer (RFC 6184 section 8.2.1, RFC 9628 section 7,
// RFC 7587 section 7), or "".
func (t Track) FMTP() string {
	switch t.Codec {
	case media.CodecH264:
		return "level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=" + t.Profile
	case media.CodecVP9:
		return "profile-id=" + t.Profile
	case media.CodecOpus:
		if t.Channels > 1 {
			return "minptime=10;useinbandfec=1;stereo=1;sprop-stereo=1"
		}
		return "minptime=10;useinbandfec=1"
	default:
		return ""
	}
}

// Frame is one coded picture or one packet of sound.
type Frame struct {
	// Track is the index in Tracks.
	Track int
	// PTS is the presentation time from the start of the file. Frames come in decoding order,
	// so with B-frames it may step back.
	PTS time.Duration
	// Duration is 0 when the file does not tell.
	Duration time.Duration
	// Key is set when the frame can be decoded without others (from the coded data, not from
	// the file's word). Always set for sound.
	Key bool
	// Data in canonical form: VP8, VP9 and Opus as they are; H.264 as an Annex B byte stream with
	// four-byte start codes, parameter sets before every IDR picture, without access unit
	// delimiters and filler; AV1 as OBUs with size fields, without temporal delimiters, padding
	// and tile lists.
	Data []byte
}

// Reader hands out the frames of one file. It is not safe for concurrent use.
type Reader interface {
	// Tracks are at most one of picture and one of sound, picture first.
	Tracks() []Track
	// Notes are sentences for people about what is left out or may look wrong.
	Notes() []string
	// Next returns the next frame, io.EOF at the end. After ErrDamaged it returns io.EOF.
	Next() (Frame, error)
	Close() error
}

// Open reads a file; beside an .ivf it also reads the .ogg or .opus of the same name.
func Open(path string) (Reader, error) {
	r, err := openOne(path)
	if err != nil || !strings.EqualFold(filepath.Ext(path), ".ivf") {
		return r, err
	}
	base := strings.TrimSuffix(path, filepath.Ext(path))
	for _, ext := range []string{".ogg", ".opus"} {
		if _, err := os.Stat(base + ext); err != nil {
			continue
		}
		sound, err := openOne(base + ext)
		if err != nil {
			_ = r.Close()
			return nil, fmt.Errorf("%s: %w", filepath.Base(base+ext), err)
		}
		return Merge(r, sound), nil
	}
	return r, nil
}

func openOne(path string) (Reader, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	st, err := f.Stat()
	if err == nil && !st.Mode().IsRegular() {
		err = fmt.Errorf("%w: not a regular file", ErrNotMedia)
	}
	if err != nil {
		_ = f.Close()
		return nil, err
	}
	r, err := New(f, st.Size())
	if err != nil {
		_ = f.Close()
		return nil, err
	}
	return &closing{Reader: r, c: f}, nil
}

// New reads a file of the given size in bytes; the format is told by its first bytes.
func New(r io.ReaderAt, size int64) (Reader, error) {
	var head [12]byte
	n, err := r.ReadAt(head[:], 0)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	open := sniff(head[:n])
	if open == nil {
		return nil, ErrNotMedia
	}
	d, err := open(r, size)
	if err != nil {
		return nil, err
	}
	return probe(d)
}

type opener func(io.ReaderAt, int64) (demuxer, error)

// sniff finds the format by the first bytes of a file, or nil.
func sniff(head []byte) opener {
	if len(head) < 8 {
		return nil
	}
	switch string(head[:4]) {
	case "\x1a\x45\xdf\xa3":
		return openMatroska
	case "DKIF":
		return openIVF
	case "OggS":
		return openOgg
	}
	switch string(head[4:8]) {
	case "ftyp", "moov", "mdat", "free", "skip", "wide", "pnot", "styp":
		return openMP4
	}
	return nil
}

type closing struct {
	Reader
	c io.Closer
}

func (c *closing) Close() error { return c.c.Close() }
