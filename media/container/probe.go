package container

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/fanfare-relay/fanfare/media"
)

// demuxer is one file format: it finds tracks and cuts out raw frames.
type demuxer interface {
	// tracks lists every track of the file, carried or not, in the file's order.
	tracks() []rawTrack
	// choose tells which of them are wanted; frames of others are skipped.
	choose(wanted []int)
	// next returns the next frame of a wanted track, in decoding order, io.EOF at the end.
	next() (rawFrame, error)
}

// rawTrack is a track as the file describes it.
type rawTrack struct {
	kind  media.Kind
	codec media.Codec // CodecUnknown when not carried
	// name is the format's name for people, for example "HEVC".
	name     string
	config   []byte // avcC, av1C or OpusHead
	lengths  bool   // H.264 is length-prefixed as in avcC, not Annex B
	channels int
	turned   bool // the file asks for the picture to be turned
}

// rawFrame is a frame as it lies in the file.
type rawFrame struct {
	track         int // index in tracks()
	pts, duration time.Duration
	data          []byte
}

// probeFrames and probeBytes bound what is read ahead to learn size, profile and B-frames.
// x264 uses at most 16 B-frames in a row.
const (
	probeFrames = 24
	probeBytes  = 8 << 20
)

// probed turns a demuxer into a Reader: it chooses tracks, brings frames into canonical
// form, and looks at the first frames.
type probed struct {
	d      demuxer
	out    []Track
	forms  []former // for each out track
	index  map[int]int
	notes  []string
	queue  []Frame
	failed error
}

func probe(d demuxer) (Reader, error) {
	p := &probed{d: d, index: map[int]int{}}
	raw := d.tracks()
	if err := p.pick(raw); err != nil {
		return nil, err
	}
	p.lookAhead()
	if len(p.queue) == 0 {
		if p.failed != nil && !errors.Is(p.failed, io.EOF) {
			return nil, p.failed
		}
		return nil, fmt.Errorf("%w: the file holds no frames", ErrNoTrack)
	}
	return p, nil
}

// pick takes the first carried track of each kind, picture first.
func (p *probed) pick(raw []rawTrack) error {
	var names []string
	var wanted []int
	for _, kind := range []media.Kind{media.KindVideo, media.KindAudio} {
		chosen, left := choose(raw, kind)
		names = append(names, left...)
		if chosen < 0 {
			if kind == media.KindVideo && len(left) > 0 {
				return fmt.Errorf("%w (%s); convert it to H.264, VP8, VP9 or AV1 first", ErrNotCarried, strings.Join(left, ", "))
			}
			continue
		}
		f, err := newFormer(raw[chosen])
		if err != nil {
			return err
		}
		p.index[chosen] = len(p.out)
		p.out = append(p.out, Track{Codec: raw[chosen].codec, Channels: raw[chosen].channels})
		p.forms = append(p.forms, f)
		wanted = append(wanted, chosen)
		if raw[chosen].turned {
			p.notes = append(p.notes, "The file asks players to turn the picture; viewers will see it unturned.")
		}
	}
	if len(p.out) == 0 {
		if len(names) > 0 {
			return fmt.Errorf("%w (found only %s)", ErrNoTrack, strings.Join(names, ", "))
		}
		return ErrNoTrack
	}
	for _, n := range names {
		p.notes = append(p.notes, n+" is left out: WebRTC does not carry it.")
	}
	p.d.choose(wanted)
	return nil
}

// choose returns the first carried track of the kind (or -1), and the names of those that are not carried.
func choose(raw []rawTrack, kind media.Kind) (chosen int, left []string) {
	chosen = -1
	for i, t := range raw {
		switch {
		case t.kind != kind:
		case t.codec == media.CodecUnknown:
			left = append(left, t.name+" "+kindWord(kind))
		case chosen < 0:
			chosen = i
		}
	}
	return chosen, left
}

func kindWord(k media.Kind) string {
	if k == media.KindVideo {
		return "picture"
	}
	return "sound"
}

// lookAhead fills the queue until the picture's first key frame and its order are known.
func (p *probed) lookAhead() {
	video, bytes, seen := p.out[0].Codec.Kind() == media.KindVideo, 0, 0
	var last time.Duration
	reordered := false
	for seen < probeFrames && bytes < probeBytes {
		f, err := p.read()
		if err != nil {
			p.failed = err
			break
		}
		p.queue = append(p.queue, f)
		bytes += len(f.Data)
		if f.Track != 0 {
			continue
		}
		if seen++; !video {
			break
		}
		reordered = reordered || f.PTS < last
		last = f.PTS
		if t := &p.out[0]; f.Key && t.Width == 0 {
			info := Inspect(t.Codec, f.Data)
			t.Width, t.Height, t.Profile = info.Width, info.Height, info.Profile
		}
	}
	if t := &p.out[0]; t.Profile == "" {
		t.Profile = defaultProfile(t.Codec)
	}
	if reordered {
		p.notes = append(p.notes, "The picture uses B-frames, which browsers do not play smoothly over WebRTC; converting it with \"ffmpeg -bf 0\" helps.")
	}
}

func defaultProfile(c media.Codec) string {
	switch c {
	case media.CodecH264:
		return "42e01f"
	case media.CodecVP9, media.CodecAV1:
		return "0"
	default:
		return ""
	}
}

// read takes one frame from the demuxer into canonical form; frames that become empty are skipped.
func (p *probed) read() (Frame, error) {
	for {
		raw, err := p.d.next()
		if err != nil {
			return Frame{}, err
		}
		i, ok := p.index[raw.track]
		if !ok {
			continue
		}
		data, err := p.forms[i].form(raw.data)
		if err != nil {
			return Frame{}, err
		}
		if len(data) == 0 {
			continue
		}
		f := Frame{Track: i, PTS: raw.pts, Duration: raw.duration, Data: data}
		f.Key = IsKey(p.out[i].Codec, data)
		if f.Duration == 0 && p.out[i].Codec == media.CodecOpus {
			f.Duration = OpusDuration(data)
		}
		return f, nil
	}
}

func (p *probed) Tracks() []Track { return p.out }
func (p *probed) Notes() []string { return p.notes }
func (p *probed) Close() error    { return nil }

func (p *probed) Next() (Frame, error) {
	if len(p.queue) > 0 {
		f := p.queue[0]
		p.queue = p.queue[1:]
		return f, nil
	}
	if p.failed != nil {
		err := p.failed
		p.failed = io.EOF
		return Frame{}, err
	}
	f, err := p.read()
	if err != nil {
		p.failed = io.EOF
	}
	return f, err
}
