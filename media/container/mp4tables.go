package container

import (
	"encoding/binary"
	"fmt"

	"github.com/fanfare-relay/fanfare/media"
)

// sampleEntry reads the first entry of stsd (8.5.2): codec, decoder configuration, channels.
func (t *mp4Track) sampleEntry(stsd []byte) {
	t.name = "unknown"
	if len(stsd) < 16 {
		return
	}
	eachBox(stsd[8:min(len(stsd), 8+int(binary.BigEndian.Uint32(stsd[8:])))], func(kind string, b []byte) {
		t.codec, t.name = mp4Codec(kind)
		// VisualSampleEntry has 78 bytes before its boxes, AudioSampleEntry 28 (12.1.3, 12.2.3).
		skip := 78
		if t.kind == media.KindAudio {
			skip = 28
			if len(b) >= 18 {
				t.channels = int(b[17])
			}
		}
		if len(b) < skip {
			return
		}
		switch kind {
		case "avc1", "avc3":
			t.config, t.lengths = child(b[skip:], "avcC"), true
		case "av01":
			t.config = child(b[skip:], "av1C")
		case "Opus":
			t.config = child(b[skip:], "dOps")
		}
	})
}

// mp4Codec maps a sample entry to a codec and a name for people.
func mp4Codec(kind string) (media.Codec, string) {
	switch kind {
	case "avc1", "avc3":
		return media.CodecH264, "H.264"
	case "vp08":
		return media.CodecVP8, "VP8"
	case "vp09":
		return media.CodecVP9, "VP9"
	case "av01":
		return media.CodecAV1, "AV1"
	case "Opus":
		return media.CodecOpus, "Opus"
	case "hvc1", "hev1", "dvh1", "dvhe":
		return media.CodecUnknown, "HEVC"
	case "mp4a":
		return media.CodecUnknown, "AAC"
	case "ac-3", "ec-3":
		return media.CodecUnknown, "AC-3"
	case "encv", "enca":
		return media.CodecUnknown, "encrypted"
	default:
		return media.CodecUnknown, printable(kind)
	}
}

// sampleTables is a cursor over the tables of stbl: sizes, times, chunks. They are slices of the
// moov box, read entry by entry.
type sampleTables struct {
	sizes     table // stsz entries of 4 bytes; with a fixed size it is empty
	fixed     uint32
	count     uint32
	times     runs // stts
	offsets   runs // ctts
	chunks    table
	chunkMap  table // stsc entries of 12 bytes
	sample    uint32
	dts       int64
	chunk     int    // index of the next chunk
	inChunk   uint32 // samples left in this one
	at        int64
	mapIndex  int
	perChunk  uint32
	halfSizes int // stz2: bits a size, 0 for stsz
}

// table is a list of entries of one width in bytes.
type table struct {
	b     []byte
	width int
}

func (t table) len() int {
	if t.width == 0 {
		return 0
	}
	return len(t.b) / t.width
}

func (t table) entry(i int) []byte { return t.b[i*t.width : (i+1)*t.width] }

// fullTable cuts a table out of a full box: skip bytes, then a count, then entries. What the count
// promises beyond the box is not there.
func fullTable(b []byte, skip, width int) table {
	if len(b) < skip+4 {
		return table{}
	}
	n := int64(binary.BigEndian.Uint32(b[skip:]))
	b = b[skip+4:]
	n = min(n, int64(len(b)/width))
	return table{b[:n*int64(width)], width}
}

// runs walks run-length tables: count, value (8 bytes an entry).
type runs struct {
	table
	index int
	left  uint32
	value uint32
}

// next returns the value for the next sample; behind the end the last value stays.
func (r *runs) next() uint32 {
	for r.left == 0 && r.index < r.len() {
		e := r.entry(r.index)
		r.index++
		r.left, r.value = binary.BigEndian.Uint32(e), binary.BigEndian.Uint32(e[4:])
	}
	if r.left > 0 {
		r.left--
	}
	return r.value
}

func newSampleTables(stbl []byte) sampleTables {
	var s sampleTables
	if b := child(stbl, "stsz"); len(b) >= 12 {
		s.fixed, s.count = binary.BigEndian.Uint32(b[4:]), binary.BigEndian.Uint32(b[8:])
		if s.fixed == 0 {
			s.sizes = fullTable(b, 8, 4)
			s.count = min(s.count, uint32(s.sizes.len()))
		}
	} else if b := child(stbl, "stz2"); len(b) >= 12 && (b[7] == 8 || b[7] == 16) {
		s.halfSizes = int(b[7])
		s.sizes = fullTable(b, 8, s.halfSizes/8)
		s.count = uint32(s.sizes.len())
	}
	s.times.table = fullTable(child(stbl, "stts"), 4, 8)
	s.offsets.table = fullTable(child(stbl, "ctts"), 4, 8)
	s.chunkMap = fullTable(child(stbl, "stsc"), 4, 12)
	if b := child(stbl, "co64"); b != nil {
		s.chunks = fullTable(b, 4, 8)
	} else {
		s.chunks = fullTable(child(stbl, "stco"), 4, 4)
	}
	return s
}

// next returns the next sample, in decoding order.
func (s *sampleTables) next() (mp4Sample, bool) {
	if s.sample >= s.count {
		return mp4Sample{}, false
	}
	for s.inChunk == 0 {
		if !s.nextChunk() {
			return mp4Sample{}, false
		}
	}
	out := mp4Sample{offset: s.at, size: s.sizeOf(s.sample), dts: s.dts, duration: s.times.next()}
	if s.offsets.len() > 0 {
		// Version 0 is unsigned by the book, but QuickTime files hold signed values there too.
		out.composition = int64(int32(s.offsets.next()))
	}
	s.sample++
	s.inChunk--
	s.at += int64(out.size)
	s.dts += int64(out.duration)
	return out, true
}

func (s *sampleTables) nextChunk() bool {
	if s.chunk >= s.chunks.len() {
		return false
	}
	e := s.chunks.entry(s.chunk)
	if len(e) == 8 {
		s.at = int64(binary.BigEndian.Uint64(e) & (1<<62 - 1))
	} else {
		s.at = int64(binary.BigEndian.Uint32(e))
	}
	s.chunk++
	for s.mapIndex < s.chunkMap.len() {
		e := s.chunkMap.entry(s.mapIndex)
		if binary.BigEndian.Uint32(e) > uint32(s.chunk) {
			break
		}
		s.perChunk = binary.BigEndian.Uint32(e[4:])
		s.mapIndex++
	}
	s.inChunk = s.perChunk
	return true
}

func (s *sampleTables) sizeOf(i uint32) uint32 {
	switch {
	case s.fixed != 0:
		return s.fixed
	case s.halfSizes == 8:
		return uint32(s.sizes.entry(int(i))[0])
	case s.halfSizes == 16:
		return uint32(binary.BigEndian.Uint16(s.sizes.entry(int(i))))
	default:
		return binary.BigEndian.Uint32(s.sizes.entry(int(i)))
	}
}

// trackDefaults are the values that samples of a fragment take when nothing else is said (8.8.3, 8.8.7).
type trackDefaults struct{ duration, size uint32 }

// maxRun bounds the samples of one track that are read ahead: an hour of 60 pictures a second and
// more. A run without sizes of its own takes no bytes for its samples, so bytes do not bound it.
const maxRun = 1 << 18

// fragment reads the next moof box and queues its samples; io.EOF at the end of the file.
func (m *mp4) fragment() error {
	for {
		kind, start, end, err := m.boxHeader(m.walk)
		if err != nil {
			return err
		}
		moofAt := m.walk
		m.walk = end
		if kind != "moof" {
			continue
		}
		if end-start > maxIndex {
			return fmt.Errorf("%w: a fragment index of %d bytes", ErrDamaged, end-start)
		}
		body, _, err := m.find("moof", moofAt)
		if err != nil {
			return err
		}
		eachBox(body, func(kind string, b []byte) {
			if kind == "traf" {
				m.trackFragment(b, moofAt)
			}
		})
		return nil
	}
}

// trackFragment reads traf: tfhd (8.8.7), tfdt (8.8.12) and its runs (8.8.8).
func (m *mp4) trackFragment(traf []byte, moofAt int64) {
	head := child(traf, "tfhd")
	if len(head) < 8 {
		return
	}
	t := m.wantedTrack(binary.BigEndian.Uint32(head[4:]))
	if t == nil {
		return
	}
	flags := binary.BigEndian.Uint32(head) & 0xFFFFFF
	base, d := moofAt, t.defaults
	head = head[8:]
	take := func(flag uint32, n int) []byte {
		if flags&flag == 0 || len(head) < n {
			return nil
		}
		v := head[:n]
		head = head[n:]
		return v
	}
	if b := take(1, 8); b != nil {
		base = int64(binary.BigEndian.Uint64(b) & (1<<62 - 1))
	}
	take(2, 4)
	if b := take(8, 4); b != nil {
		d.duration = binary.BigEndian.Uint32(b)
	}
	if b := take(16, 4); b != nil {
		d.size = binary.BigEndian.Uint32(b)
	}
	if b := child(traf, "tfdt"); len(b) >= 8 {
		t.fragTime = int64(binary.BigEndian.Uint32(b[4:]))
		if b[0] == 1 && len(b) >= 12 {
			t.fragTime = int64(binary.BigEndian.Uint64(b[4:]) & (1<<62 - 1))
		}
	}
	at := base
	eachBox(traf, func(kind string, b []byte) {
		if kind == "trun" {
			at = t.run(b, base, at, d)
		}
	})
}

func (m *mp4) wantedTrack(id uint32) *mp4Track {
	for _, i := range m.wanted {
		if m.list[i].id == id {
			return m.list[i]
		}
	}
	return nil
}

// run reads trun and returns where its data ends.
func (t *mp4Track) run(b []byte, base, at int64, d trackDefaults) int64 {
	if len(b) < 8 {
		return at
	}
	flags, count := binary.BigEndian.Uint32(b)&0xFFFFFF, binary.BigEndian.Uint32(b[4:])
	b = b[8:]
	take := func(flag uint32) (uint32, bool) {
		if flags&flag == 0 || len(b) < 4 {
			return 0, false
		}
		v := binary.BigEndian.Uint32(b)
		b = b[4:]
		return v, true
	}
	if v, ok := take(1); ok {
		at = base + int64(int32(v))
	}
	take(4)
	perSample := flags & 0xF00
	if perSample == 0 && d.size == 0 {
		return at // all samples are empty
	}
	for range count {
		if perSample != 0 && len(b) < 4 || len(t.queue) >= maxRun {
			break
		}
		s := mp4Sample{offset: at, size: d.size, duration: d.duration, dts: t.fragTime}
		if v, ok := take(0x100); ok {
			s.duration = v
		}
		if v, ok := take(0x200); ok {
			s.size = v
		}
		take(0x400)
		if v, ok := take(0x800); ok {
			s.composition = int64(int32(v))
		}
		if s.size == 0 {
			continue
		}
		t.queue = append(t.queue, s)
		at += int64(s.size)
		t.fragTime += int64(s.duration)
	}
	return at
}
