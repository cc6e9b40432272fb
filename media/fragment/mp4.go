package fragment

import (
	"encoding/binary"
	"fmt"
)

// mp4 cuts one recording at its movie fragments. What stands before the first one is Init.
type mp4 struct {
	tracks map[uint32]*mp4Track
	movie  bool // moov has been seen
	media  bool // moof has been seen
	skip   uint64
}

type mp4Track struct {
	picture bool
	flags   uint32 // of a sample of which nothing else is said (trex)
}

// box is the head of one (ISO/IEC 14496-12 section 4.2).
//
//	|  size, 32 bits  |  type, 32 bits  |  size, 64 bits, if the first is 1  |
type box struct {
	kind string
	size uint64 // all of it; 0: to the end of the file
	head int
}

// notSync is the bit of a sample's flags that says that it is no key frame (section 8.8.3.1).
const notSync = 1 << 16

func (m *mp4) next(b []byte) (int, Part, error) {
	if m.skip > 0 {
		n := int(min(m.skip, uint64(len(b))))
		m.skip -= uint64(n)
		return n, Part{}, nil
	}
	x, ok, err := readBox(b)
	if err != nil || !ok {
		return 0, Part{}, err
	}
	switch {
	case x.kind == "moof":
		return m.fragment(b, x)
	case m.media:
		m.skip = x.size - uint64(x.head)
		return x.head, Part{}, nil
	}
	return m.beforeMedia(b, x)
}

func (m *mp4) beforeMedia(b []byte, x box) (int, Part, error) {
	if x.kind == "mdat" {
		return 0, Part{}, fmt.Errorf("%w: MP4 without fragments", ErrFormat)
	}
	if x.size > MaxInit {
		return 0, Part{}, fmt.Errorf("%w: box of %d bytes", ErrTooLarge, x.size)
	}
	if uint64(len(b)) < x.size {
		return 0, Part{}, nil
	}
	if x.kind == "moov" {
		m.movie = true
		if err := m.readMovie(b[x.head:x.size]); err != nil {
			return 0, Part{}, err
		}
	}
	return int(x.size), Part{Init: true}, nil
}

func (m *mp4) fragment(b []byte, x box) (int, Part, error) {
	if !m.movie {
		return 0, Part{}, fmt.Errorf("%w: a fragment before the movie", ErrFormat)
	}
	if x.size > MaxHeld {
		return 0, Part{}, fmt.Errorf("%w: a fragment's head of %d bytes", ErrTooLarge, x.size)
	}
	if uint64(len(b)) < x.size {
		return 0, Part{}, nil
	}
	key, err := m.begins(b[x.head:x.size])
	if err != nil {
		return 0, Part{}, err
	}
	m.media = true
	return int(x.size), Part{Key: key}, nil
}

func (m *mp4) readMovie(body []byte) error {
	return eachBox(body, func(kind string, body []byte) error {
		switch kind {
		case "trak":
			return m.readTrack(body)
		case "mvex":
			return eachBox(body, func(kind string, body []byte) error {
				if kind == "trex" && len(body) >= 24 {
					m.track(binary.BigEndian.Uint32(body[4:])).flags = binary.BigEndian.Uint32(body[20:])
				}
				return nil
			})
		}
		return nil
	})
}

func (m *mp4) track(id uint32) *mp4Track {
	t, ok := m.tracks[id]
	if !ok {
		t = &mp4Track{}
		m.tracks[id] = t
	}
	return t
}

// readTrack finds a track's number (tkhd) and kind (mdia/hdlr).
func (m *mp4) readTrack(body []byte) error {
	var id uint32
	var handler string
	err := eachBox(body, func(kind string, body []byte) error {
		switch {
		case kind == "tkhd" && len(body) >= 24:
			at := 12 // version and flags, two times of 32 bits
			if body[0] == 1 {
				at = 20 // of 64 bits
			}
			id = binary.BigEndian.Uint32(body[at:])
		case kind == "mdia":
			return eachBox(body, func(kind string, body []byte) error {
				if kind == "hdlr" && len(body) >= 12 {
					handler = string(body[8:12])
				}
				return nil
			})
		}
		return nil
	})
	if handler == "vide" {
		m.track(id).picture = true
	}
	return err
}

// begins tells whether a player can begin with a fragment: its pictures begin with a key frame. Sound
// alone can begin anywhere.
func (m *mp4) begins(body []byte) (bool, error) {
	pictures := false
	for _, t := range m.tracks {
		pictures = pictures || t.picture
	}
	begins, seen := !pictures, false
	err := eachBox(body, func(kind string, body []byte) error {
		if kind != "traf" || seen {
			return nil
		}
		picture, sync, err := m.firstSample(body)
		if picture {
			begins, seen = sync, true
		}
		return err
	})
	return begins, err
}

// Flags of tfhd and trun that say which members are there (sections 8.8.7 and 8.8.8).
const (
	tfhdBaseOffset    = 0x1
	tfhdDescription   = 0x2
	tfhdDuration      = 0x8
	tfhdSize          = 0x10
	tfhdFlags         = 0x20
	trunOffset        = 0x1
	trunFirstFlags    = 0x4
	trunDuration      = 0x100
	trunSize          = 0x200
	trunFlags         = 0x400
	fullBoxHeader     = 4
	trunFixed         = fullBoxHeader + 4 // and the number of samples
	tfhdFixed         = fullBoxHeader + 4 // and the track
	sampleMemberBytes = 4
)

func (m *mp4) firstSample(traf []byte) (picture, sync bool, err error) {
	var flags uint32
	first := true
	err = eachBox(traf, func(kind string, b []byte) error {
		switch {
		case kind == "tfhd" && len(b) >= tfhdFixed:
			if t, ok := m.tracks[binary.BigEndian.Uint32(b[4:])]; ok {
				picture, flags = t.picture, t.flags
			}
			if f, ok := member(b, tfhdFixed, tfhdFlags, []sized{{tfhdBaseOffset, 8}, {tfhdDescription, 4}, {tfhdDuration, 4}, {tfhdSize, 4}}); ok {
				flags = f
			}
		case kind == "trun" && first && len(b) >= trunFixed:
			first = false
			if f, ok := member(b, trunFixed, trunFirstFlags, []sized{{trunOffset, 4}}); ok {
				flags = f
			} else if f, ok := member(b, trunFixed, trunFlags, []sized{{trunOffset, 4}, {trunFirstFlags, 4}, {trunDuration, 4}, {trunSize, 4}}); ok {
				flags = f
			}
		}
		return nil
	})
	return picture, flags&notSync == 0, err
}

// sized is a member that may stand before another one, by its flag.
type sized struct {
	flag uint32
	size int
}

// member reads an optional member of 32 bits that comes after those of before, as far as they are there.
func member(b []byte, at int, flag uint32, before []sized) (uint32, bool) {
	has := binary.BigEndian.Uint32(b) & 0xffffff
	if has&flag == 0 {
		return 0, false
	}
	for _, s := range before {
		if has&s.flag != 0 {
			at += s.size
		}
	}
	if len(b) < at+sampleMemberBytes {
		return 0, false
	}
	return binary.BigEndian.Uint32(b[at:]), true
}

func eachBox(body []byte, do func(kind string, body []byte) error) error {
	for len(body) > 0 {
		x, ok, err := readBox(body)
		if err != nil {
			return err
		}
		if !ok || uint64(len(body)) < x.size {
			return fmt.Errorf("%w: a box is longer than what holds it", ErrFormat)
		}
		if err := do(x.kind, body[x.head:x.size]); err != nil {
			return err
		}
		body = body[x.size:]
	}
	return nil
}

// readBox reads the head of a box; ok is false when it is not all there.
func readBox(b []byte) (x box, ok bool, err error) {
	if len(b) < 8 {
		return x, false, nil
	}
	x = box{kind: string(b[4:8]), size: uint64(binary.BigEndian.Uint32(b)), head: 8}
	if x.size == 1 {
		if len(b) < 16 {
			return x, false, nil
		}
		x.size, x.head = binary.BigEndian.Uint64(b[8:]), 16
	}
	if x.size < uint64(x.head) || x.size > 1<<62 {
		return x, false, fmt.Errorf("%w: a box of %d bytes", ErrFormat, x.size)
	}
	return x, true, nil
}
