package lite

import "golang.org/x/crypto/cryptobyte"

const (
	// extensionUseSRTP is use_srtp of RFC 5764 section 4.1.1.
	extensionUseSRTP = 14
	// maxHello is several times a ClientHello with post-quantum key shares; maxFragments what such a
	// one may be cut into. Beyond either, nothing is to be learnt.
	maxHello     = 8 << 10
	maxFragments = 16
)

// HelloReader learns from a peer's datagrams which SRTP profiles its ClientHello offers. Browsers
// cut theirs into several fragments (RFC 6347 section 4.2.3), which may come in any order and again.
// Nobody has looked whether they are authentic. The zero value is ready.
type HelloReader struct {
	length    uint32            // of the message
	fragments map[uint32][]byte // by their offset in it
}

// Read takes a datagram of any kind. done: there is nothing more to learn. Then profiles are those
// that the ClientHello offers, in its order; none when it cannot be understood.
func (h *HelloReader) Read(datagram []byte) (profiles []Profile, done bool) {
	heard := false
	for len(datagram) > 0 {
		r, rest, ok := nextRecord(datagram)
		if !ok {
			break // what came before it counts (RFC 6347 section 4.1.2.7)
		}
		if r.isClientHello() {
			heard = true
			if !h.addAll(cryptobyte.String(r[recordHeader:])) {
				return nil, true
			}
		}
		datagram = rest
	}
	if !heard {
		return nil, false
	}
	if body, whole := h.body(); whole {
		return useSRTP(body), true
	}
	return nil, false
}

// addAll keeps the fragments at the beginning of a record, which may hold several messages; false when
// one of them breaks the rules or a limit.
func (h *HelloReader) addAll(messages cryptobyte.String) bool {
	for !messages.Empty() && messages[0] == messageClientHello {
		if !h.add(&messages) {
			return false
		}
	}
	return true
}

// add keeps one fragment.
func (h *HelloReader) add(message *cryptobyte.String) bool {
	var length, offset, size uint32
	var data []byte
	if !message.Skip(1) || !message.ReadUint24(&length) || !message.Skip(2) || !message.ReadUint24(&offset) ||
		!message.ReadUint24(&size) || !message.ReadBytes(&data, int(size)) {
		return false
	}
	if length > maxHello || offset+size > length {
		return false
	}
	if h.fragments == nil || length != h.length {
		h.length, h.fragments = length, map[uint32][]byte{}
	}
	if len(data) > len(h.fragments[offset]) {
		h.fragments[offset] = append([]byte(nil), data...)
	}
	return len(h.fragments) <= maxFragments
}

// body puts the fragments together; false while some are missing. They may overlap: a client that hears
// nothing cuts its hello anew, into smaller ones (RFC 6347 section 4.2.3).
func (h *HelloReader) body() (cryptobyte.String, bool) {
	if h.fragments == nil {
		return nil, false
	}
	body := make(cryptobyte.String, 0, h.length)
	for uint32(len(body)) < h.length {
		next := h.from(uint32(len(body)))
		if len(next) == 0 {
			return nil, false
		}
		body = append(body, next...)
	}
	return body, true
}

// from is the most that a fragment has of the message from a place on.
func (h *HelloReader) from(at uint32) (most []byte) {
	for offset, data := range h.fragments {
		if offset <= at && offset+uint32(len(data)) > at+uint32(len(most)) {
			most = data[at-offset:]
		}
	}
	return most
}

// useSRTP reads the extension in the body of a ClientHello (RFC 6347 section 4.2.1).
func useSRTP(body cryptobyte.String) []Profile {
	var session, cookie, suites, compression, extensions cryptobyte.String
	if !body.Skip(2+32) || !body.ReadUint8LengthPrefixed(&session) || !body.ReadUint8LengthPrefixed(&cookie) ||
		!body.ReadUint16LengthPrefixed(&suites) || !body.ReadUint8LengthPrefixed(&compression) ||
		!body.ReadUint16LengthPrefixed(&extensions) {
		return nil
	}
	for !extensions.Empty() {
		var kind uint16
		var data cryptobyte.String
		if !extensions.ReadUint16(&kind) || !extensions.ReadUint16LengthPrefixed(&data) {
			return nil
		}
		if kind == extensionUseSRTP {
			return profileList(data)
		}
	}
	return nil
}

func profileList(data cryptobyte.String) (profiles []Profile) {
	var list cryptobyte.String
	if !data.ReadUint16LengthPrefixed(&list) {
		return nil
	}
	for p := uint16(0); list.ReadUint16(&p); {
		profiles = append(profiles, Profile(p))
	}
	return profiles
}
