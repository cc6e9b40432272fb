package container

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"time"

	"github.com/fanfare-relay/fanfare/media"
)

// mp4 reads MP4 and QuickTime files (ISO/IEC 14496-12), plain and fragmented. Sample tables are walked
// by cursors and never spread out, so memory follows the bytes of the file and not what they claim.
type mp4 struct {
	r      io.ReaderAt
	size   int64
	list   []*mp4Track
	wanted []int
	// walk is where the next top-level box of a fragmented file starts.
	walk  int64
	ended bool
}

// mp4Track is one trak box.
type mp4Track struct {
	rawTrack
	id        uint32
	timescale uint32
	// shift in timescale units is added to decoding time plus composition offset: the edit list.
	shift  int64
	tables sampleTables
	// defaults of track fragments (trex, 8.8.3) and the decoding time of the next fragment sample.
	defaults trackDefaults
	fragTime int64
	queue    []mp4Sample
}

// mp4Sample is where one sample lies in the file. Times are in timescale units.
type mp4Sample struct {
	offset      int64
	size        uint32
	dts         int64
	composition int64
	duration    uint32
}

func openMP4(r io.ReaderAt, size int64) (demuxer, error) {
	m := &mp4{r: r, size: size}
	moov, at, err := m.find("moov", 0)
	if errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("%w: there is no index (moov); was the recording cut off?", ErrDamaged)
	}
	if err != nil {
		return nil, err
	}
	m.walk = at
	if err := m.movie(moov); err != nil {
		return nil, err
	}
	if len(m.list) == 0 {
		return nil, ErrNoTrack
	}
	return m, nil
}

func (m *mp4) tracks() []rawTrack {
	out := make([]rawTrack, len(m.list))
	for i, t := range m.list {
		out[i] = t.rawTrack
	}
	return out
}

func (m *mp4) choose(wanted []int) { m.wanted = wanted }

// next takes the sample with the earliest decoding time of all wanted tracks.
func (m *mp4) next() (rawFrame, error) {
	for {
		best, starved, err := m.earliest()
		if err != nil {
			return rawFrame{}, err
		}
		// A fragmented file may hold the other track's samples of the same time in the next fragment.
		if starved && !m.ended && m.queued() < maxRun {
			if err := m.fragment(); errors.Is(err, io.EOF) {
				m.ended = true
			} else if err != nil {
				return rawFrame{}, err
			}
			continue
		}
		if best < 0 {
			return rawFrame{}, io.EOF
		}
		return m.take(best)
	}
}

// queued counts the samples read ahead.
func (m *mp4) queued() (n int) {
	for _, i := range m.wanted {
		n += len(m.list[i].queue)
	}
	return n
}

// earliest returns the wanted track to read from, -1 when all are at their end; starved is set when
// any of them has run out of samples.
func (m *mp4) earliest() (best int, starved bool, err error) {
	best = -1
	var bestAt time.Duration
	for _, i := range m.wanted {
		t := m.list[i]
		if len(t.queue) == 0 {
			s, ok := t.tables.next()
			if !ok {
				starved = true
				continue
			}
			t.queue = append(t.queue, s)
			t.fragTime = s.dts + int64(s.duration)
		}
		at := t.duration(t.queue[0].dts)
		if best < 0 || at < bestAt {
			best, bestAt = i, at
		}
	}
	return best, starved, nil
}

func (m *mp4) take(i int) (rawFrame, error) {
	t := m.list[i]
	s := t.queue[0]
	t.queue = t.queue[1:]
	if s.size > maxFrame {
		return rawFrame{}, fmt.Errorf("%w: a frame of %d bytes", ErrDamaged, s.size)
	}
	if s.offset < 0 || s.offset > m.size-int64(s.size) {
		return rawFrame{}, io.EOF // cut short
	}
	data := make([]byte, s.size)
	if _, err := m.r.ReadAt(data, s.offset); err != nil && !errors.Is(err, io.EOF) {
		return rawFrame{}, err
	}
	return rawFrame{
		track:    i,
		pts:      max(0, t.duration(s.dts+s.composition+t.shift)),
		duration: t.duration(int64(s.duration)),
		data:     data,
	}, nil
}

// duration converts timescale units.
func (t *mp4Track) duration(n int64) time.Duration {
	if n < 0 {
		if n == math.MinInt64 {
			return 0
		}
		return -scaled(uint64(-n), uint64(t.timescale))
	}
	return scaled(uint64(n), uint64(t.timescale))
}

// boxHeader reads a box header at a position: type, and where its body lies.
func (m *mp4) boxHeader(at int64) (kind string, body, end int64, err error) {
	var h [16]byte
	if at > m.size-8 {
		return "", 0, 0, io.EOF
	}
	if _, err := m.r.ReadAt(h[:min(16, m.size-at)], at); err != nil && !errors.Is(err, io.EOF) {
		return "", 0, 0, err
	}
	size, n := int64(binary.BigEndian.Uint32(h[:])), int64(8)
	switch size {
	case 0:
		size = m.size - at
	case 1:
		size, n = int64(binary.BigEndian.Uint64(h[8:])&math.MaxInt64), 16
	}
	if size < n {
		return "", 0, 0, fmt.Errorf("%w: a box of %d bytes at %d", ErrDamaged, size, at)
	}
	if size > m.size-at {
		size = m.size - at
	}
	return string(h[4:8]), at + n, at + size, nil
}

// find returns the body of the next top-level box of a type and the position behind it.
func (m *mp4) find(kind string, at int64) (body []byte, end int64, err error) {
	for {
		k, start, end, err := m.boxHeader(at)
		if err != nil {
			return nil, 0, err
		}
		if k != kind {
			at = end
			continue
		}
		if end-start > maxIndex {
			return nil, 0, fmt.Errorf("%w: an index of %d bytes", ErrDamaged, end-start)
		}
		body := make([]byte, max(0, end-start))
		if _, err := m.r.ReadAt(body, start); err != nil && !errors.Is(err, io.EOF) {
			return nil, 0, err
		}
		return body, end, nil
	}
}

// eachBox walks the boxes in b and stops at the first thing that is no whole box.
func eachBox(b []byte, f func(kind string, body []byte)) {
	for len(b) >= 8 {
		size, n := uint64(binary.BigEndian.Uint32(b)), uint64(8)
		switch size {
		case 0:
			size = uint64(len(b))
		case 1:
			if len(b) < 16 {
				return
			}
			size, n = binary.BigEndian.Uint64(b[8:]), 16
		}
		if size < n || size > uint64(len(b)) {
			return
		}
		f(string(b[4:8]), b[n:size])
		b = b[size:]
	}
}

// child returns the body of the first box at the end of a path, or nil.
func child(b []byte, path ...string) []byte {
	for _, want := range path {
		var found []byte
		eachBox(b, func(kind string, body []byte) {
			if found == nil && kind == want {
				found = body
			}
		})
		if found == nil {
			return nil
		}
		b = found
	}
	return b
}

func (m *mp4) movie(moov []byte) error {
	defaults := map[uint32]trackDefaults{}
	if mvex := child(moov, "mvex"); mvex != nil {
		eachBox(mvex, func(kind string, b []byte) {
			if kind == "trex" && len(b) >= 24 {
				defaults[binary.BigEndian.Uint32(b[4:])] = trackDefaults{
					duration: binary.BigEndian.Uint32(b[12:]),
					size:     binary.BigEndian.Uint32(b[16:]),
				}
			}
		})
	} else {
		m.ended = true
	}
	movieScale := uint32(0)
	if b := child(moov, "mvhd"); b != nil {
		movieScale = headerTimescale(b)
	}
	eachBox(moov, func(kind string, b []byte) {
		if kind != "trak" {
			return
		}
		if t := parseTrak(b, movieScale); t != nil {
			t.defaults = defaults[t.id]
			m.list = append(m.list, t)
		}
	})
	return nil
}

// headerTimescale reads the time scale of mvhd and mdhd (8.2.2, 8.4.2).
func headerTimescale(b []byte) uint32 {
	at := 12
	if len(b) > 0 && b[0] == 1 {
		at = 20
	}
	if len(b) < at+4 {
		return 0
	}
	return binary.BigEndian.Uint32(b[at:])
}

// parseTrak returns nil for tracks that are neither picture nor sound.
func parseTrak(trak []byte, movieScale uint32) *mp4Track {
	t := &mp4Track{}
	if b := child(trak, "tkhd"); len(b) >= 84 {
		at := 12
		matrix := 40
		if b[0] == 1 {
			at, matrix = 20, 52
		}
		if len(b) >= matrix+36 {
			t.id = binary.BigEndian.Uint32(b[at:])
			t.turned = binary.BigEndian.Uint32(b[matrix:]) != 0x10000
		}
	}
	handler := child(trak, "mdia", "hdlr")
	if len(handler) < 12 {
		return nil
	}
	switch string(handler[8:12]) {
	case "vide":
		t.kind = media.KindVideo
	case "soun":
		t.kind, t.turned = media.KindAudio, false
	default:
		return nil
	}
	if b := child(trak, "mdia", "mdhd"); b != nil {
		t.timescale = headerTimescale(b)
	}
	stbl := child(trak, "mdia", "minf", "stbl")
	if t.timescale == 0 || stbl == nil {
		return nil
	}
	t.sampleEntry(child(stbl, "stsd"))
	t.tables = newSampleTables(stbl)
	t.shift = editShift(child(trak, "edts", "elst"), movieScale, t.timescale)
	return t
}

// editShift reads an edit list (8.6.6): an empty edit at the start delays the track, the media time of the
// first real edit is where it starts. Later edits are not followed.
func editShift(b []byte, movieScale, timescale uint32) int64 {
	if len(b) < 8 || movieScale == 0 {
		return 0
	}
	shift, width := int64(0), 12
	if b[0] == 1 {
		width = 20
	}
	for b = b[8:]; len(b) >= width; b = b[width:] {
		length, at := int64(binary.BigEndian.Uint32(b)), int64(int32(binary.BigEndian.Uint32(b[4:])))
		if width == 20 {
			length, at = int64(binary.BigEndian.Uint64(b)&math.MaxInt64), int64(binary.BigEndian.Uint64(b[8:]))
		}
		if at >= 0 {
			return shift - min(at, 1<<40)
		}
		if length > 1<<31 {
			return 0
		}
		shift += length * int64(timescale) / int64(movieScale)
	}
	return shift
}
