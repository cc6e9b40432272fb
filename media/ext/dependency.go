package ext

import (
	"encoding/binary"

	"github.com/fanfare-relay/fanfare/media"
)

// Limits of the dependency descriptor (AV1 RTP specification, appendix A.2): templates are named
// by six bits, decode targets are counted by five.
const (
	maxTemplates     = 64
	maxTargets       = 32
	dependencyHeader = 3
)

// What a frame is to a decode target (AV1 RTP specification, table A.1).
const (
	indicationAbsent = 0
	indicationSwitch = 2
)

// Dependencies reads the dependency descriptors of one encoding. It keeps the structure that came
// last, by which the packets after it are read. The zero value knows none. It belongs to one
// goroutine.
type Dependencies struct {
	known     bool
	offset    uint8 // template_id_offset
	targets   int
	count     int // templates
	templates [maxTemplates]template
	// targetLayers are what the decode targets consist of.
	targetLayers [maxTargets]media.Layer
}

type template struct {
	layer media.Layer
	dtis  [maxTargets]uint8
}

// FrameInfo is what a packet's dependency descriptor says of its frame.
type FrameInfo struct {
	// First and Last tell whether the packet begins and ends the frame.
	First, Last bool
	// Number counts the frames of the encoding, all layers together.
	Number uint16
	Layer  media.Layer
	// SwitchUp is as in media.Descriptor. It is told with frames of the base layer: with others it
	// would take to know what they refer to.
	SwitchUp int8
}

// Read reads one descriptor: the bytes of the header extension URIDependency. It is not ok when
// they are broken, or when the structure that they refer to is not known; then nothing is kept.
//
//	| start 1 | end 1 | template 6 | frame number 16 | optional: flags, structure, custom parts |
func (d *Dependencies) Read(raw []byte) (f FrameInfo, ok bool) {
	if len(raw) < dependencyHeader {
		return f, false
	}
	f.First, f.Last = raw[0]&0x80 != 0, raw[0]&0x40 != 0
	f.Number = binary.BigEndian.Uint16(raw[1:])
	r := bitReader{b: raw[dependencyHeader:]}
	custom := false
	if len(raw) > dependencyHeader {
		structure, active := r.flag(), r.flag()
		custom = r.flag()
		r.skip(2) // custom_fdiffs_flag, custom_chains_flag: what they announce comes last
		if structure {
			var next Dependencies
			if !next.readStructure(&r) {
				return f, false
			}
			*d = next
		}
		if active {
			r.skip(d.targets) // active_decode_targets_bitmask
		}
	}
	at := int(raw[0]-d.offset) & (maxTemplates - 1)
	if !d.known || at >= d.count {
		return f, false
	}
	t := &d.templates[at]
	dtis := &t.dtis
	var own [maxTargets]uint8
	if custom {
		r.readIndications(own[:d.targets])
		dtis = &own
	}
	f.Layer = t.layer
	f.SwitchUp = d.switchUp(t.layer, dtis)
	return f, !r.short
}

// switchUp is the highest temporal layer of the decode targets of the frame's spatial layer that
// can be entered with the frame.
func (d *Dependencies) switchUp(l media.Layer, dtis *[maxTargets]uint8) (up int8) {
	if l.Temporal > 0 {
		return 0
	}
	for i, target := range d.targetLayers[:d.targets] {
		if target.Spatial == l.Spatial && dtis[i] == indicationSwitch {
			up = max(up, target.Temporal)
		}
	}
	return up
}

// readStructure reads template_dependency_structure().
func (d *Dependencies) readStructure(r *bitReader) bool {
	d.offset = uint8(r.read(6))
	d.targets = int(r.read(5)) + 1
	if !d.readLayers(r) {
		return false
	}
	for i := range d.count {
		r.readIndications(d.templates[i].dtis[:d.targets])
	}
	for range d.count { // template_fdiffs()
		for r.flag() {
			r.skip(4)
		}
	}
	d.skipChains(r)
	d.findTargets()
	if r.flag() { // resolutions_present_flag
		r.skip(32 * (int(d.templates[d.count-1].layer.Spatial) + 1))
	}
	d.known = !r.short
	return d.known
}

// readLayers reads template_layers(): of each template whether the next one is of the same layer,
// the next temporal, or the next spatial one.
func (d *Dependencies) readLayers(r *bitReader) bool {
	var l media.Layer
	for {
		if d.count == maxTemplates {
			return false
		}
		d.templates[d.count].layer = l
		d.count++
		switch r.read(2) {
		case 1:
			l.Temporal++
		case 2:
			l.Spatial, l.Temporal = l.Spatial+1, 0
		case 3:
			return !r.short
		}
	}
}

// skipChains passes over template_chains().
func (d *Dependencies) skipChains(r *bitReader) {
	chains := r.nonSymmetric(d.targets + 1)
	if chains == 0 {
		return
	}
	for range d.targets {
		r.nonSymmetric(chains) // decode_target_protected_by
	}
	r.skip(4 * chains * d.count)
}

// findTargets is decode_target_layers(): a decode target reaches up to the highest layer of the
// frames that are present in it.
func (d *Dependencies) findTargets() {
	for i := range d.targets {
		l := &d.targetLayers[i]
		for _, t := range d.templates[:d.count] {
			if t.dtis[i] != indicationAbsent {
				l.Spatial, l.Temporal = max(l.Spatial, t.layer.Spatial), max(l.Temporal, t.layer.Temporal)
			}
		}
	}
}

// Renumber adds shift to the frame number of a dependency descriptor, in place. What frames say of
// one another is said by differences, and stays as it is.
func Renumber(descriptor []byte, shift uint16) {
	if len(descriptor) >= dependencyHeader {
		binary.BigEndian.PutUint16(descriptor[1:], binary.BigEndian.Uint16(descriptor[1:])+shift)
	}
}

// bitReader reads the most significant bit first. Past the end it reads zeros and sets short.
type bitReader struct {
	b     []byte
	pos   int // in bits
	short bool
}

func (r *bitReader) read(n int) (v uint32) {
	for range n {
		v <<= 1
		if r.pos>>3 < len(r.b) {
			v |= uint32(r.b[r.pos>>3]>>(7-r.pos&7)) & 1
		} else {
			r.short = true
		}
		r.pos++
	}
	return v
}

func (r *bitReader) flag() bool { return r.read(1) == 1 }

func (r *bitReader) skip(n int) {
	r.pos += n
	r.short = r.short || r.pos > 8*len(r.b)
}

func (r *bitReader) readIndications(dst []uint8) {
	for i := range dst {
		dst[i] = uint8(r.read(2))
	}
}

// nonSymmetric reads ns(n), a number below n (AV1 specification, section 4.10.7).
func (r *bitReader) nonSymmetric(n int) int {
	w := 0
	for x := n; x != 0; x >>= 1 {
		w++
	}
	m := 1<<w - n
	v := int(r.read(w - 1))
	if v < m {
		return v
	}
	return v<<1 - m + int(r.read(1))
}
