package container

import (
	"encoding/binary"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/fanfare-relay/fanfare/media"
)

// ogg reads Opus out of Ogg (RFC 3533, RFC 7845). Packets get their times by adding up durations,
// which is what the granule positions of a file say too; only the first Opus stream is read.
//
//	0 "OggS" | 4 version | 5 flags: continued, first, last | 6 granule position | 14 serial | 18 page | 22 checksum | 26 segments | 27 table
type ogg struct {
	s       *source
	track   rawTrack
	serial  uint32
	found   bool
	packets [][]byte
	partial []byte
	at      time.Duration
}

func openOgg(r io.ReaderAt, size int64) (demuxer, error) {
	o := &ogg{s: newSource(r, size), track: rawTrack{kind: media.KindAudio, name: "Vorbis"}}
	for len(o.packets) == 0 {
		if err := o.page(); err != nil {
			return nil, fmt.Errorf("%w: no whole packet", ErrDamaged)
		}
	}
	head := o.packets[0]
	o.packets = o.packets[1:]
	switch {
	case len(head) >= 19 && strings.HasPrefix(string(head), "OpusHead"):
		o.track.codec, o.track.name = media.CodecOpus, "Opus"
		o.track.config, o.track.channels = head, int(head[9])
	case strings.HasPrefix(string(head), "\x80theora"):
		o.track.kind, o.track.name = media.KindVideo, "Theora"
	case strings.HasPrefix(string(head), "\x7fFLAC"):
		o.track.name = "FLAC"
	}
	return o, nil
}

func (o *ogg) tracks() []rawTrack { return []rawTrack{o.track} }
func (o *ogg) choose([]int)       {}

func (o *ogg) next() (rawFrame, error) {
	for {
		for len(o.packets) == 0 {
			if err := o.page(); err != nil {
				return rawFrame{}, err
			}
		}
		p := o.packets[0]
		o.packets = o.packets[1:]
		if strings.HasPrefix(string(p), "OpusTags") {
			continue
		}
		f := rawFrame{pts: o.at, duration: OpusDuration(p), data: p}
		o.at += f.duration
		return f, nil
	}
}

// page reads one page and adds the packets that end in it. A file that is cut short ends there.
func (o *ogg) page() error {
	var h [27]byte
	if err := o.s.fill(h[:]); err != nil {
		return io.EOF
	}
	if string(h[:4]) != "OggS" {
		return fmt.Errorf("%w: no Ogg page at %d", ErrDamaged, o.s.pos-27)
	}
	table := make([]byte, h[26])
	if err := o.s.fill(table); err != nil {
		return io.EOF
	}
	n := 0
	for _, c := range table {
		n += int(c)
	}
	body, err := o.s.bytes(int64(n), 255*255)
	if err != nil {
		return io.EOF
	}
	serial := binary.LittleEndian.Uint32(h[14:])
	if !o.found {
		o.found, o.serial = true, serial
	}
	if serial != o.serial {
		return nil
	}
	if h[5]&1 == 0 {
		o.partial = nil
	}
	return o.segments(table, body)
}

// segments joins lacing values: a packet ends with the first one below 255 (RFC 3533 section 5).
func (o *ogg) segments(table, body []byte) error {
	for _, c := range table {
		o.partial = append(o.partial, body[:c]...)
		body = body[c:]
		if len(o.partial) > maxFrame {
			return fmt.Errorf("%w: a packet without end", ErrDamaged)
		}
		if c < 255 {
			o.packets = append(o.packets, o.partial)
			o.partial = nil
		}
	}
	return nil
}
