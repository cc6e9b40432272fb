// Package crowd views one stream as very many WHEP viewers (draft-ietf-wish-whep) from one process, so cheaply that
// one core of clients keeps up with one core of server. It is the light client of `fanfare load whep`.
//
// It owns a viewer's offer and the reading of the answer, the controlling side of ICE (RFC 8445) with consent (RFC 7675),
// the DTLS handshake in either role (RFC 5763), SRTP by pion/srtp, what a receiver says (RTCP: reports of RFC 3550,
// NACK and PLI of RFC 4585, transport-wide feedback), and the figures. Each viewer has its own credentials, handshake,
// keys and socket, as so many browsers would.
//
// It is cheap by what it leaves out. Sockets are not watched: a few readers sweep over them every few milliseconds by
// recvmmsg, and the kernel's receive times, not the sweep's, are the times of arrival; so neither side pays for wake-ups.
// Of most viewers only the first bytes of each packet are copied, and the RTP header is read, which is in clear. A sample
// decrypts and authenticates everything and tells delays from the send times that a Synthetic publisher wrote
// (endpoint.ReadStamp). Before its first whole key frame every viewer decrypts.
//
// It never decodes or keeps media, and shares no code with a relay's packet path: plain words (media) are all that it has in
// common with one.
//
// What decides (answer, agent, flow, keyWatch, leg) are values that are given the time; Crowd, its joins and its
// readers are the shells. Only Linux has what the readers need; New says ErrUnsupported elsewhere.
package crowd
