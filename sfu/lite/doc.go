// Package lite is the viewer's leg: one peer connection towards a browser that only
// receives, as an ICE-lite endpoint of our own.
//
// A [Leg] is a value. It owns ICE-lite (RFC 8445 section 2.5, consent as in RFC 7675),
// what remains of DTLS after the handshake (RFC 6347), and the keys of SRTP and SRTCP
// (RFC 3711, RFC 7714, RFC 5764). It is fed with datagrams and the time, and hands back
// datagrams to send, decrypted RTCP, events and the next deadline. It has no goroutine,
// socket, lock, log or clock, and exactly one goroutine may use it at a time.
//
// The [Handshaker] is the shell that waits: it runs the DTLS handshakes, a bounded number
// at once, on pion/dtls. It knows no leg; its result is given to the leg.
//
// The package never touches RTP payloads except to encrypt them, never parses SDP and
// never learns an address from anything but an authentic ICE check.
package lite
