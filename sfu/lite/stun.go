package lite

import (
	"bytes"
	"encoding/binary"
	"net/netip"

	"github.com/pion/stun/v3"
)

// The few numbers of RFC 8489 that looking at raw bytes needs.
const (
	stunHeader     = 20
	stunCookie     = 0x2112A442
	bindingRequest = 0x0001
)

// eachAttribute walks the attributes of a STUN message without decoding it, until f
// returns false. It is false when b is no whole STUN message.
func eachAttribute(b []byte, f func(kind uint16, value []byte) bool) bool {
	if len(b) < stunHeader || binary.BigEndian.Uint32(b[4:]) != stunCookie ||
		int(binary.BigEndian.Uint16(b[2:])) != len(b)-stunHeader || len(b)%4 != 0 {
		return false
	}
	for rest := b[stunHeader:]; len(rest) > 0; {
		if len(rest) < 4 {
			return false
		}
		n := int(binary.BigEndian.Uint16(rest[2:]))
		padded := 4 + (n+3)&^3
		if padded > len(rest) {
			return false
		}
		if !f(binary.BigEndian.Uint16(rest), rest[4:4+n]) {
			return true
		}
		rest = rest[padded:]
	}
	return true
}

// LocalUfrag looks into a STUN message for the receiver's part of USERNAME, the ufrag
// that we gave out (RFC 8445 section 7.2.2). It checks no more than it needs to walk the
// attributes, allocates nothing, and the result is a part of b. It is false for anything
// but a Binding request with such a USERNAME.
func LocalUfrag(b []byte) ([]byte, bool) {
	if len(b) < stunHeader || binary.BigEndian.Uint16(b) != bindingRequest {
		return nil, false
	}
	var name []byte
	eachAttribute(b, func(kind uint16, value []byte) bool {
		if stun.AttrType(kind) == stun.AttrUsername {
			name = value
		}
		return name == nil
	})
	ufrag, _, found := bytes.Cut(name, []byte{':'})
	if !found || len(ufrag) == 0 {
		return nil, false
	}
	return ufrag, true
}

// AppendBindingResponse appends to dst the answer to a plain STUN Binding request, one
// without USERNAME: where it came from (XOR-MAPPED-ADDRESS), and FINGERPRINT when the
// request has one. It is false for everything else, and dst is returned as it was.
//
// The answer is never larger than twice the question: as payload over IPv4, and on the wire, with
// IP and UDP headers, over IPv6 too. There the browsers' bare question of 20 bytes gets 44, most of
// which is the address (docs/SECURITY.md tells why it is answered).
func AppendBindingResponse(dst, request []byte, from netip.AddrPort) ([]byte, bool) {
	if len(request) < stunHeader || binary.BigEndian.Uint16(request) != bindingRequest || !from.IsValid() {
		return dst, false
	}
	plain, marked := true, false
	whole := eachAttribute(request, func(kind uint16, _ []byte) bool {
		switch t := stun.AttrType(kind); {
		case t == stun.AttrFingerprint:
			marked = true
		case t.Required():
			plain = false // USERNAME, or a wish of RFC 5780 that we do not grant
		}
		return plain
	})
	if !whole || !plain {
		return dst, false
	}
	start := len(dst)
	dst = binary.BigEndian.AppendUint16(dst, 0x0101) // Binding success
	dst = binary.BigEndian.AppendUint16(dst, 0)      // length, below
	dst = append(dst, request[4:stunHeader]...)      // cookie and transaction
	dst = appendXORMapped(dst, request[4:stunHeader], from)
	if marked {
		binary.BigEndian.PutUint16(dst[start+2:], uint16(len(dst)-start-stunHeader+8))
		crc := stun.FingerprintValue(dst[start:])
		dst = binary.BigEndian.AppendUint16(dst, uint16(stun.AttrFingerprint))
		dst = binary.BigEndian.AppendUint16(dst, 4)
		dst = binary.BigEndian.AppendUint32(dst, crc)
	}
	binary.BigEndian.PutUint16(dst[start+2:], uint16(len(dst)-start-stunHeader))
	return dst, true
}

// appendXORMapped appends XOR-MAPPED-ADDRESS (RFC 8489 section 14.2). mask is the cookie
// with the transaction ID.
func appendXORMapped(dst, mask []byte, from netip.AddrPort) []byte {
	ip := from.Addr().Unmap().AsSlice()
	family := byte(1)
	if len(ip) == 16 {
		family = 2
	}
	dst = binary.BigEndian.AppendUint16(dst, uint16(stun.AttrXORMappedAddress))
	dst = binary.BigEndian.AppendUint16(dst, uint16(4+len(ip)))
	dst = append(dst, 0, family)
	dst = binary.BigEndian.AppendUint16(dst, from.Port()^uint16(stunCookie>>16))
	for i, x := range ip {
		dst = append(dst, x^mask[i])
	}
	return dst
}
