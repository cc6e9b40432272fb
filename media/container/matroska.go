package container

import (
	"errors"
	"fmt"
	"io"
	"math"
	"time"

	"github.com/fanfare-relay/fanfare/media"
)

// Element identifiers (RFC 9559 section 5, RFC 8794 section 11.2).
const (
	idEBML            = 0x1A45DFA3
	idDocType         = 0x4282
	idSegment         = 0x18538067
	idInfo            = 0x1549A966
	idTimestampScale  = 0x2AD7B1
	idTracks          = 0x1654AE6B
	idTrackEntry      = 0xAE
	idTrackNumber     = 0xD7
	idTrackType       = 0x83
	idCodecID         = 0x86
	idCodecPrivate    = 0x63A2
	idDefaultDuration = 0x23E383
	idAudio           = 0xE1
	idChannels        = 0x9F
	idEncodings       = 0x6D80
	idEncoding        = 0x6240
	idCompression     = 0x5034
	idCompAlgo        = 0x4254
	idCompSettings    = 0x4255
	idEncryption      = 0x5035
	idVideo           = 0xE0
	idProjection      = 0x7670
	idPoseRoll        = 0x7675
	idCluster         = 0x1F43B675
	idTimestamp       = 0xE7
	idSimpleBlock     = 0xA3
	idBlockGroup      = 0xA0
	idBlock           = 0xA1
	idBlockDuration   = 0x9B
)

// matroska walks WebM and Matroska files. Segment and Cluster are entered, so the walk is a flat
// list of elements and works for files of unknown sizes (live recordings) too.
type matroska struct {
	s       *source
	scale   uint64 // nanoseconds a tick
	entries []mkvTrack
	wanted  map[uint64]int // track number → index in entries
	cluster uint64         // ticks
	queue   []rawFrame     // the rest of a laced block
	started bool           // a cluster was met
}

type mkvTrack struct {
	rawTrack
	number  uint64
	each    time.Duration // DefaultDuration
	prefix  []byte        // bytes taken off the head of each frame (header stripping)
	sealed  bool          // encrypted, or compressed in a way that nothing here undoes
	codecID string
}

func openMatroska(r io.ReaderAt, size int64) (demuxer, error) {
	m := &matroska{s: newSource(r, size), scale: 1_000_000}
	for !m.started {
		err := m.step()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, err
		}
	}
	if len(m.entries) == 0 {
		return nil, ErrNoTrack
	}
	return m, nil
}

func (m *matroska) tracks() []rawTrack {
	out := make([]rawTrack, len(m.entries))
	for i, t := range m.entries {
		out[i] = t.rawTrack
	}
	return out
}

func (m *matroska) choose(wanted []int) {
	m.wanted = map[uint64]int{}
	for _, i := range wanted {
		m.wanted[m.entries[i].number] = i
	}
}

func (m *matroska) next() (rawFrame, error) {
	for len(m.queue) == 0 {
		if err := m.step(); err != nil {
			return rawFrame{}, err
		}
	}
	f := m.queue[0]
	m.queue = m.queue[1:]
	return f, nil
}

// step handles one element. A file that is cut short ends there.
func (m *matroska) step() error {
	h, err := m.s.header()
	if err != nil {
		return err
	}
	switch h.id {
	case idSegment:
		return nil
	case idCluster:
		m.started = true
		return nil
	}
	if h.size < 0 {
		return fmt.Errorf("%w: an element without a size at %d", ErrDamaged, m.s.pos)
	}
	limit := maxFrame
	switch h.id {
	case idEBML, idInfo, idTracks, idTimestamp:
		limit = maxIndex
	case idSimpleBlock, idBlockGroup:
	default:
		m.s.skip(h.size)
		return nil
	}
	body, err := m.s.bytes(h.size, limit)
	if errors.Is(err, io.ErrUnexpectedEOF) {
		return io.EOF
	}
	if err != nil {
		return err
	}
	return m.element(h.id, body)
}

func (m *matroska) element(id uint32, body []byte) error {
	switch id {
	case idEBML:
		return m.docType(body)
	case idInfo:
		eachElement(body, func(id uint32, b []byte) {
			if id == idTimestampScale {
				m.scale = ebmlUint(b)
			}
		})
		if m.scale == 0 || m.scale > uint64(time.Hour) {
			return fmt.Errorf("%w: a time scale of %d ns", ErrDamaged, m.scale)
		}
	case idTracks:
		if len(m.entries) == 0 {
			eachElement(body, m.trackEntry)
		}
	case idTimestamp:
		m.cluster = ebmlUint(body)
	case idSimpleBlock:
		m.block(body, 0)
	case idBlockGroup:
		m.blockGroup(body)
	}
	return nil
}

func (m *matroska) docType(body []byte) error {
	doc := ""
	eachElement(body, func(id uint32, b []byte) {
		if id == idDocType {
			doc = string(b)
		}
	})
	if doc != "" && doc != "webm" && doc != "matroska" {
		return fmt.Errorf("%w: EBML of another kind", ErrNotMedia)
	}
	return nil
}

func (m *matroska) trackEntry(id uint32, body []byte) {
	if id != idTrackEntry {
		return
	}
	var t mkvTrack
	eachElement(body, func(id uint32, b []byte) {
		switch id {
		case idTrackNumber:
			t.number = ebmlUint(b)
		case idTrackType:
			switch ebmlUint(b) {
			case 1:
				t.kind = media.KindVideo
			case 2:
				t.kind = media.KindAudio
			}
		case idCodecID:
			t.codecID = string(b)
		case idCodecPrivate:
			t.config = b
		case idDefaultDuration:
			t.each = time.Duration(min(ebmlUint(b), uint64(time.Hour)))
		case idAudio:
			t.channels = mkvChannels(b)
		case idVideo:
			t.turned = mkvTurned(b)
		case idEncodings:
			t.prefix, t.sealed = mkvEncodings(b)
		}
	})
	t.codec, t.name = mkvCodec(t.codecID)
	if t.sealed {
		t.codec, t.name = media.CodecUnknown, "encrypted or compressed "+t.name
	}
	t.lengths = t.codecID == "V_MPEG4/ISO/AVC"
	m.entries = append(m.entries, t)
}

func mkvChannels(body []byte) int {
	n := 1
	eachElement(body, func(id uint32, b []byte) {
		if id == idChannels {
			n = int(min(ebmlUint(b), 255))
		}
	})
	return n
}

func mkvTurned(body []byte) (turned bool) {
	eachElement(body, func(id uint32, b []byte) {
		if id != idProjection {
			return
		}
		eachElement(b, func(id uint32, b []byte) {
			turned = turned || id == idPoseRoll && ebmlFloat(b) != 0
		})
	})
	return turned
}

func ebmlFloat(b []byte) float64 {
	switch len(b) {
	case 4:
		return float64(math.Float32frombits(uint32(ebmlUint(b))))
	case 8:
		return math.Float64frombits(ebmlUint(b))
	default:
		return 0
	}
}

// maxPrefix bounds what is put before each frame, which may be very small ones; muxers strip a few bytes.
const maxPrefix = 1 << 10

// mkvEncodings understands header stripping, which mkvmerge uses; all else seals the track (RFC 9559 section 5.1.4.1.31).
func mkvEncodings(body []byte) (prefix []byte, sealed bool) {
	eachElement(body, func(id uint32, b []byte) {
		if id != idEncoding {
			return
		}
		eachElement(b, func(id uint32, b []byte) {
			switch id {
			case idEncryption:
				sealed = true
			case idCompression:
				algo := uint64(0)
				eachElement(b, func(id uint32, b []byte) {
					switch id {
					case idCompAlgo:
						algo = ebmlUint(b)
					case idCompSettings:
						prefix = b
					}
				})
				sealed = sealed || algo != 3 || len(prefix) > maxPrefix
			}
		})
	})
	return prefix, sealed
}

// mkvCodec maps a Codec ID (draft-ietf-cellar-codec) to a codec and a name for people.
func mkvCodec(id string) (media.Codec, string) {
	switch id {
	case "V_VP8":
		return media.CodecVP8, "VP8"
	case "V_VP9":
		return media.CodecVP9, "VP9"
	case "V_AV1":
		return media.CodecAV1, "AV1"
	case "V_MPEG4/ISO/AVC", "V_MPEG4/ISO/AVC/ANNEXB":
		return media.CodecH264, "H.264"
	case "A_OPUS":
		return media.CodecOpus, "Opus"
	case "V_MPEGH/ISO/HEVC":
		return media.CodecUnknown, "HEVC"
	case "A_VORBIS":
		return media.CodecUnknown, "Vorbis"
	}
	if len(id) > 5 && id[:5] == "A_AAC" || id == "A_AAC" {
		return media.CodecUnknown, "AAC"
	}
	if len(id) > 2 && len(id) < 40 {
		return media.CodecUnknown, printable(id[2:])
	}
	return media.CodecUnknown, "unknown"
}

// printable replaces what could disturb a terminal.
func printable(s string) string {
	b := []byte(s)
	for i, c := range b {
		if c < ' ' || c > '~' {
			b[i] = '?'
		}
	}
	return string(b)
}
