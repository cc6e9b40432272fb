package lite

import (
	"encoding/binary"
	"fmt"
	"time"
	"unsafe"

	"github.com/fanfare-relay/fanfare/media"
	"github.com/fanfare-relay/fanfare/sfu/prefetch"
)

// Sizes of RTP and SRTCP (RFC 3550 section 5.1, RFC 3711 section 3.4).
const (
	rtpHeader      = 12
	rtcpHeader     = 8
	srtcpIndex     = 4
	srtcpEncrypted = 1 << 31 // the E flag of the index word
	maxSRTCPIndex  = 1<<31 - 1
)

const (
	// MaxSources is how many SSRCs a leg sends: sound, picture and its RTX, with room.
	MaxSources = 8
	// maxSenders is how many SSRCs the peer may report under. Chromium uses two, one
	// for sound and one for the picture, with an index each.
	maxSenders = 8
	// Overhead is the most that sealing adds to an RTP packet; OverheadRTCP to RTCP.
	Overhead     = gcmTag
	OverheadRTCP = gcmTag + srtcpIndex
)

// packetCipher is one SRTP profile with the keys of one leg. Indices are the caller's
// business. dst may be directly before the packet's parts, to work in place.
type packetCipher interface {
	sealRTP(dst, header, payload []byte, ssrc uint32, index uint64) []byte
	sealRTCP(dst, packet []byte, ssrc, index uint32) []byte
	// rtcpTrailer returns E flag and index; false when the packet is too short.
	rtcpTrailer(packet []byte) (uint32, bool)
	openRTCP(dst, packet []byte, ssrc, index uint32) ([]byte, bool)
	// appendMemory appends where sealRTP finds its keys.
	appendMemory(dst []prefetch.Range) []prefetch.Range
}

// srtpSession is the keys of a leg and the indices that were used with them.
type srtpSession struct {
	cipher packetCipher
	// ssrcs are those of sources, side by side: one look at memory finds a source.
	ssrcs     [MaxSources]uint32
	sources   []source
	profile   Profile
	rtcpIndex uint32 // of the next SRTCP packet
	senders   []sender
}

// usualSources have room from the start: sound, picture, its RTX and its parity.
const usualSources = 4

func newSession(p Profile, k *exportedKeys) (*srtpSession, error) {
	s := &srtpSession{profile: p, sources: make([]source, 0, usualSources)}
	var err error
	switch p {
	case ProfileGCM:
		s.cipher, err = newGCMCipher(k)
	case ProfileCM:
		s.cipher, err = newCMCipher(k)
	default:
		err = fmt.Errorf("SRTP profile %d is not supported", p)
	}
	return s, err
}

// AppendMemory appends where that lies which SealRTP looks at, so that it can be fetched ahead of time: with
// many viewers each finds it in cold memory. It is the same for as long as the leg is connected; before
// it is, there is none.
func (l *Leg) AppendMemory(dst []prefetch.Range) []prefetch.Range {
	if l.state != stateConnected {
		return dst
	}
	s := l.srtp
	dst = append(dst, prefetch.Head(l, unsafe.Offsetof(l.nominated)), prefetch.Head(s, unsafe.Offsetof(s.profile)))
	// Sound and picture begin before all others.
	return s.cipher.appendMemory(append(dst, prefetch.Slice(s.sources[:2:2])))
}

// SealRTP appends the encrypted packet to dst. header is the whole RTP header with CSRCs
// and extension, payload all that follows. To encrypt in place, build the packet in the
// spare capacity of dst and pass it in its two parts; Overhead bytes of room after it
// avoid a new array. header and payload may not overlap the result otherwise.
//
// A nonce is made of the SSRC and the packet's index, so no index may be used twice with
// different content. The leg sees to that itself: it extends the 16-bit sequence number
// as the receiver does (RFC 3711 section 3.3.1, starting at rollover 0 with the first
// packet of an SSRC) and remembers which of the last 1,024 indices of each SSRC it has
// used. Packets may be sent out of order within that window. A second packet with the
// same number, or one before the window, is refused with ErrIndexUsed, identical or not;
// repeats go by RTX on an SSRC of its own (RFC 4588), or by SealAgain. At most MaxSources SSRCs.
func (l *Leg) SealRTP(dst, header, payload []byte) ([]byte, error) {
	if l.state != stateConnected {
		return dst, ErrNotConnected
	}
	if len(header) < rtpHeader {
		return dst, ErrBadPacket
	}
	ssrc := binary.BigEndian.Uint32(header[8:])
	src := l.srtp.source(ssrc)
	if src == nil {
		return dst, ErrTooManySources
	}
	index, ok := src.use(binary.BigEndian.Uint16(header[2:]))
	if !ok {
		return dst, ErrIndexUsed
	}
	sealed := l.srtp.cipher.sealRTP(dst, header, payload, ssrc, index)
	if src.tags != nil {
		src.tags[index%windowSize] = tagOf(sealed)
	}
	return sealed, nil
}

// SealAgain appends what SealRTP made of the same header and payload before, byte for byte, for
// peers that take no RTX; the SSRC must be one of Config.Repeats. The nonce is used a second
// time, so only the very same packet may go out under it: the result is held against the tag
// of what was sent, and anything else is refused with ErrNotTheSame. (Two packets of one nonce
// have the same 64 bits of tag with a chance below 2^-56, and nobody can look for such a pair
// without the keys.) ErrIndexUnused: the number was not used, or nobody knows any more.
func (l *Leg) SealAgain(dst, header, payload []byte) ([]byte, error) {
	if l.state != stateConnected {
		return dst, ErrNotConnected
	}
	if len(header) < rtpHeader {
		return dst, ErrBadPacket
	}
	ssrc := binary.BigEndian.Uint32(header[8:])
	src := l.srtp.known(ssrc)
	if src == nil || src.tags == nil {
		return dst, ErrIndexUnused
	}
	index, ok := src.sent(binary.BigEndian.Uint16(header[2:]))
	if !ok {
		return dst, ErrIndexUnused
	}
	sealed := l.srtp.cipher.sealRTP(dst, header, payload, ssrc, index)
	if tagOf(sealed) != src.tags[index%windowSize] {
		clear(sealed[len(dst):]) // nobody shall send it by mistake
		return dst, ErrNotTheSame
	}
	return sealed, nil
}

// tagOf is the end of a sealed packet's authentication tag, which depends on every bit of it.
func tagOf(sealed []byte) uint64 {
	return binary.BigEndian.Uint64(sealed[len(sealed)-8:])
}

// SealRTCP appends the encrypted compound packet to dst. The index is the leg's own: one
// count for all SSRCs. In place works as with SealRTP.
func (l *Leg) SealRTCP(dst, packet []byte) ([]byte, error) {
	if l.state != stateConnected {
		return dst, ErrNotConnected
	}
	if len(packet) < rtcpHeader {
		return dst, ErrBadPacket
	}
	s := l.srtp
	if s.rtcpIndex > maxSRTCPIndex {
		return dst, ErrKeyExhausted
	}
	index := s.rtcpIndex
	s.rtcpIndex++
	return s.cipher.sealRTCP(dst, packet, binary.BigEndian.Uint32(packet[4:]), index), nil
}

// SenderSSRC returns the sender of an RTCP or SRTCP packet, which is never encrypted.
func SenderSSRC(b []byte) (media.SSRC, bool) {
	if len(b) < rtcpHeader {
		return 0, false
	}
	return media.SSRC(binary.BigEndian.Uint32(b[4:])), true
}

// receiveRTCP opens a report. An authentic one also tells where the peer is: a browser
// reports on its selected pair only, and Firefox does not nominate anew after its NAT has
// changed the port.
func (l *Leg) receiveRTCP(b []byte, from Path, now time.Time, out *Out) DropReason {
	if l.state != stateConnected {
		return DropNotConnected
	}
	packet, newest, reason := l.srtp.open(b, out)
	switch {
	case reason != DropNone:
		return reason
	case l.knows(from):
		out.RTCP = append(out.RTCP, packet)
		if newest {
			l.hear(from, now)
			l.moveMedia(from, out)
		}
		return DropNone
	case newest:
		l.sendProbe(from, now, out)
	}
	return DropUncheckedAddress
}

// open checks and decrypts an SRTCP packet into out. newest is set when no report of this
// sender with a higher index came before.
func (s *srtpSession) open(b []byte, out *Out) (packet []byte, newest bool, reason DropReason) {
	trailer, ok := s.cipher.rtcpTrailer(b)
	if !ok {
		return nil, false, DropRTCPShort
	}
	if trailer&srtcpEncrypted == 0 {
		return nil, false, DropRTCPAuth // nobody agreed to unencrypted reports
	}
	ssrc, index := binary.BigEndian.Uint32(b[4:]), trailer&^srtcpEncrypted
	known := s.sender(ssrc)
	switch {
	case known == nil && len(s.senders) == maxSenders:
		return nil, false, DropRTCPSenders
	case known != nil && !known.fresh(index):
		return nil, false, DropRTCPReplay
	}
	n := len(out.arena)
	arena, ok := s.cipher.openRTCP(out.arena, b, ssrc, index)
	if !ok {
		return nil, false, DropRTCPAuth
	}
	out.arena = arena
	if known == nil {
		s.senders = append(s.senders, sender{ssrc: ssrc, top: index, seen: 1})
		out.event(Event{Kind: EventSender, SSRC: media.SSRC(ssrc)})
		return arena[n:len(arena):len(arena)], true, DropNone
	}
	return arena[n:len(arena):len(arena)], known.accept(index), DropNone
}
