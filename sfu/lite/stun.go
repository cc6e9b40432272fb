package lite

import "net/netip"

// LocalUfrag looks into a STUN message for the receiver's part of USERNAME, the ufrag
// that we gave out (RFC 8445 section 7.2.2). It checks no more than it needs to walk the
// attributes, allocates nothing, and the result is a part of b. It is false for anything
// but a Binding request with such a USERNAME.
func LocalUfrag(b []byte) ([]byte, bool) { return nil, false }

// AppendBindingResponse appends to dst the answer to a plain STUN Binding request, one
// without USERNAME: where it came from (XOR-MAPPED-ADDRESS), and FINGERPRINT when the
// request has one. It is false for everything else, and dst is returned as it was. On the
// wire, with IP and UDP headers, the answer is never larger than twice the question.
func AppendBindingResponse(dst, request []byte, from netip.AddrPort) ([]byte, bool) {
	return dst, false
}
