package ext

// Iterator goes through the elements of one extension block. It is a value; the zero value
// has no elements.
type Iterator struct {
	raw     []byte
	twoByte bool
}

// Iterate returns an iterator over raw, the block without its four bytes of profile and
// length (ring.Packet.Extension). A profile that is not of RFC 8285 has no elements.
func Iterate(profile uint16, raw []byte) Iterator {
	switch {
	case profile == ProfileOneByte:
		return Iterator{raw: raw}
	case profile&0xfff0 == ProfileTwoByte:
		return Iterator{raw: raw, twoByte: true}
	default:
		return Iterator{}
	}
}

// Next returns the next element: its id (1 to 14, or 1 to 255 in the two-byte form) and its
// bytes, which refer to raw. Broken elements end the iteration.
//
//	one-byte form   | ID 4 | len-1 4 | data ...     two-byte form   | ID 8 | len 8 | data ...
func (it *Iterator) Next() (id uint8, data []byte, ok bool) {
	for len(it.raw) > 0 && it.raw[0] == 0 { // padding
		it.raw = it.raw[1:]
	}
	var n int
	switch {
	case len(it.raw) == 0:
		return 0, nil, false
	case it.twoByte && len(it.raw) >= 2:
		id, n, it.raw = it.raw[0], int(it.raw[1]), it.raw[2:]
	case !it.twoByte && it.raw[0]>>4 != 0 && it.raw[0]>>4 != 15: // 15 ends the block (RFC 8285 section 4.2)
		id, n, it.raw = it.raw[0]>>4, int(it.raw[0]&0x0f)+1, it.raw[1:]
	default:
		it.raw = nil
		return 0, nil, false
	}
	if n > len(it.raw) {
		it.raw = nil
		return 0, nil, false
	}
	data, it.raw = it.raw[:n:n], it.raw[n:]
	return id, data, true
}

// Find returns the bytes of the first element with the id.
func Find(profile uint16, raw []byte, id uint8) (data []byte, ok bool) {
	it := Iterate(profile, raw)
	for {
		got, data, ok := it.Next()
		if !ok || got == id {
			return data, ok
		}
	}
}
