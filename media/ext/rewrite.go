package ext

import "encoding/binary"

// mapSize bounds the extensions that one viewer may use; the one-byte form has 14 ids.
const mapSize = 16

// Map tells which id of the publisher becomes which id of a viewer. Ids that are not in it are
// left out. The zero value leaves everything out.
type Map struct {
	n        uint8
	large    bool // an id of a viewer needs the two-byte form
	from, to [mapSize]uint8
}

// Set maps the publisher's id to the viewer's; 0 as the viewer's removes it. The error is
// ErrFull for a map with 16 entries, or for the id 0.
func (m *Map) Set(publisher, viewer uint8) error {
	if publisher == 0 {
		return ErrFull
	}
	m.large = m.large || viewer > maxOneByteID
	for i := range m.n {
		if m.from[i] == publisher {
			m.to[i] = viewer
			return nil
		}
	}
	if m.n == mapSize {
		return ErrFull
	}
	m.from[m.n], m.to[m.n] = publisher, viewer
	m.n++
	return nil
}

// Get returns the viewer's id, or 0.
func (m *Map) Get(publisher uint8) uint8 {
	for i := range m.n {
		if m.from[i] == publisher {
			return m.to[i]
		}
	}
	return 0
}

// Element is an extension that the relay adds itself, with the viewer's id. One with the id 0
// is passed over. An element of the packet with the same id is replaced by it.
type Element struct {
	ID   uint8
	Data []byte // at most 255 bytes
}

// AppendRewritten appends the whole extension block for a viewer, beginning with profile and
// length, and appends nothing when no element remains: then the header's X bit must stay
// clear. It uses the one-byte form wherever that fits: ids up to 14, 1 to 16 bytes each. A viewer
// that has not negotiated extmap-allow-mixed must not be mapped to larger ids, nor to extensions
// that grow longer, such as the dependency descriptor (RFC 8285 section 4.1.2).
func AppendRewritten(dst []byte, profile uint16, raw []byte, m *Map, add ...Element) []byte {
	w := begin(dst, twoByte(profile, raw, m, add))
	it := Iterate(profile, raw)
	for {
		id, data, ok := it.Next()
		if !ok {
			break
		}
		if to := m.Get(id); to != 0 && !has(add, to) {
			w.add(to, data)
		}
	}
	for _, e := range add {
		if e.ID != 0 {
			w.add(e.ID, e.Data)
		}
	}
	return w.end()
}

// twoByte tells whether any element needs the two-byte form. What comes in the one-byte form and gets
// a small id fits into it again.
func twoByte(profile uint16, raw []byte, m *Map, add []Element) bool {
	for _, e := range add {
		if e.ID != 0 && needsTwoBytes(e.ID, e.Data) {
			return true
		}
	}
	if profile == ProfileOneByte && !m.large {
		return false
	}
	it := Iterate(profile, raw)
	for {
		id, data, ok := it.Next()
		if !ok {
			return false
		}
		if to := m.Get(id); to != 0 && !has(add, to) && needsTwoBytes(to, data) {
			return true
		}
	}
}

// Limits of the one-byte form (RFC 8285 section 4.2).
const maxOneByteID, maxOneByteData = 14, 16

func needsTwoBytes(id uint8, data []byte) bool {
	return id > maxOneByteID || len(data) == 0 || len(data) > maxOneByteData
}

func has(add []Element, id uint8) bool {
	for _, e := range add {
		if e.ID == id {
			return true
		}
	}
	return false
}

// writer appends one block; it knows where the block began.
type writer struct {
	dst     []byte
	start   int
	twoByte bool
}

func begin(dst []byte, twoByte bool) writer {
	start := len(dst)
	profile := uint16(ProfileOneByte)
	if twoByte {
		profile = ProfileTwoByte
	}
	dst = binary.BigEndian.AppendUint16(dst, profile)
	return writer{dst: append(dst, 0, 0), start: start, twoByte: twoByte}
}

func (w *writer) add(id uint8, data []byte) {
	if w.twoByte {
		data = data[:min(len(data), 255)]
		w.dst = append(w.dst, id, uint8(len(data)))
	} else {
		w.dst = append(w.dst, id<<4|uint8(len(data)-1))
	}
	w.dst = append(w.dst, data...)
}

// end pads the block to whole words and writes its length; a block without elements it takes back.
func (w *writer) end() []byte {
	if len(w.dst) == w.start+4 {
		return w.dst[:w.start]
	}
	for (len(w.dst)-w.start)%4 != 0 {
		w.dst = append(w.dst, 0)
	}
	binary.BigEndian.PutUint16(w.dst[w.start+2:], uint16((len(w.dst)-w.start)/4-1))
	return w.dst
}
