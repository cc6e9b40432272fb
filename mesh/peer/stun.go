package peer

import "encoding/binary"

const (
	stunHeader = 20
	stunCookie = 0x2112A442
	// What every address attribute has at least: a byte of zero, the family, the port, an IPv4 address.
	leastAddress = 8
)

// shortAddress tells whether a datagram is a STUN message (RFC 8489, section 5) with an address attribute
// (section 14.1) that is shorter than any address. Other faults are told by whoever parses it.
func shortAddress(b []byte) bool {
	if len(b) < stunHeader || binary.BigEndian.Uint32(b[4:]) != stunCookie {
		return false
	}
	for rest := b[stunHeader:]; len(rest) >= 4; {
		kind, size := binary.BigEndian.Uint16(rest), int(binary.BigEndian.Uint16(rest[2:]))
		if isAddress(kind) && size < leastAddress {
			return true
		}
		rest = rest[min(len(rest), 4+(size+3)&^3):]
	}
	return false
}

// isAddress tells whether attributes of this type hold an address (RFC 8489 and RFC 8656, section 18).
func isAddress(kind uint16) bool {
	switch kind {
	case 0x0001, // MAPPED-ADDRESS
		0x0012, // XOR-PEER-ADDRESS
		0x0016, // XOR-RELAYED-ADDRESS
		0x0020, // XOR-MAPPED-ADDRESS
		0x8020, // the same by an early draft, and still to pion
		0x8023, // ALTERNATE-SERVER
		0x802b, // RESPONSE-ORIGIN
		0x802c: // OTHER-ADDRESS
		return true
	}
	return false
}
