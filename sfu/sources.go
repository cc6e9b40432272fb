package sfu

import (
	"encoding/binary"
	"strconv"
	"strings"

	"github.com/fanfare-relay/fanfare/media"
	"github.com/fanfare-relay/fanfare/media/ext"
	"github.com/fanfare-relay/fanfare/sfu/lite"
)

const (
	// maxDeclared bounds the sources that an offer may name beforehand, maxUnnamed those of a
	// publisher whose only m-line names none, maxReporters those that only report.
	maxDeclared  = 64
	maxUnnamed   = 4
	maxReporters = 16
)

// sources are the SSRCs under which one publisher may send: those of its offer, and one for each
// rid and for its repeats, which say in the packet what they are (RFC 8852). pion keeps a megabyte
// for every SSRC that it sees and looks at the keys later, so others do not get that far.
// The value belongs to the demultiplexer.
type sources struct {
	known     map[media.SSRC]bool // whether it has taken the place of a rid
	reporters map[media.SSRC]struct{}
	unnamed   int                       // how many more may come that the offer does not name
	free      map[string]int            // rids that have no source yet: repairs and packets may claim one each
	repeats   map[media.SSRC]media.SSRC // sources of repeats, and whose they are while that has not begun
	places    []extensionPlaces         // of m-lines whose packets say that they are theirs
}

// extensionPlaces are the ids of extensions on one m-line; 0: not negotiated.
type extensionPlaces struct {
	mid              string
	midID, rid, rrid uint8
}

func newSources(o *offer, text string) *sources {
	s := &sources{known: map[media.SSRC]bool{0: true}, reporters: map[media.SSRC]struct{}{}, free: map[string]int{}, repeats: map[media.SSRC]media.SSRC{}}
	for line := range strings.SplitSeq(text, "\n") {
		s.pair(line)
		value, ok := strings.CutPrefix(line, "a=ssrc:")
		if !ok || len(s.known) > maxDeclared {
			continue
		}
		number, _, _ := strings.Cut(strings.TrimSpace(value), " ")
		if n, ok := ssrcOf(number); ok {
			s.known[n] = false
		}
	}
	for i := range o.tracks {
		s.reserve(&o.tracks[i])
	}
	if len(o.tracks) == 1 && len(o.tracks[0].rids) == 0 && len(s.known) == 1 {
		s.unnamed = maxUnnamed
	}
	return s
}

// ssrcOf reads a source's number as SDP has it.
func ssrcOf(text string) (media.SSRC, bool) {
	n, err := strconv.ParseUint(text, 10, 32)
	return media.SSRC(n), err == nil
}

// pair notes which source repeats which (RFC 5576 section 4.2, RFC 4588 section 8.8).
func (s *sources) pair(line string) {
	value, ok := strings.CutPrefix(line, "a=ssrc-group:FID ")
	fields := strings.Fields(value)
	if !ok || len(fields) != 2 || len(s.repeats) >= maxDeclared {
		return
	}
	of, ok := ssrcOf(fields[0])
	repeats, ok2 := ssrcOf(fields[1])
	if ok && ok2 {
		s.repeats[repeats] = of
	}
}

// early tells whether a packet repeats one of a source that has not begun; begun tells whether that one has.
// pion gives repeats the payload type of the newest packet of the source. If a repeat is the first that it reads
// of the two, which happens on a busy machine and to a browser that probes its line with repeats from the
// start, the payload type is 0, and pion gives up the whole track.
func (s *sources) early(b []byte, begun func(media.SSRC) bool) bool {
	if len(b) < rtpHeader || len(s.repeats) == 0 {
		return false
	}
	ssrc := media.SSRC(binary.BigEndian.Uint32(b[8:]))
	of, ok := s.repeats[ssrc]
	if !ok {
		return false
	}
	if begun(of) {
		delete(s.repeats, ssrc)
		return false
	}
	return true
}

// reserve notes where an m-line's packets name it, and keeps a place for each of its rids.
func (s *sources) reserve(t *trackOffer) {
	p := extensionPlaces{mid: string(t.mid)}
	for _, e := range t.exts {
		switch e.uri {
		case ext.URIMid:
			p.midID = uint8(e.id)
		case ext.URIRid:
			p.rid = uint8(e.id)
		case ext.URIRepairedRid:
			p.rrid = uint8(e.id)
		}
	}
	if len(t.rids) == 0 { // it has no use for their names
		p.rid, p.rrid = 0, 0
	}
	if p.midID != 0 {
		s.places = append(s.places, p)
	}
	for _, rid := range t.rids {
		s.free[claim(p.mid, p.rid, []byte(rid))]++
		s.free[claim(p.mid, p.rrid, []byte(rid))]++
	}
}

// claim names the place of a rid, or of its repeats, on an m-line.
func claim(mid string, id uint8, rid []byte) string {
	return mid + " " + strconv.Itoa(int(id)) + " " + string(rid)
}

// admits tells whether a datagram of RTP or RTCP is of a source that the publisher may have.
// Others of its datagrams are none of its business.
func (s *sources) admits(kind lite.Kind, b []byte) bool {
	switch kind {
	case lite.KindRTCP:
		ssrc, ok := lite.SenderSSRC(b)
		return ok && s.admitsReporter(ssrc)
	case lite.KindRTP:
		return len(b) >= rtpHeader && s.admitsSource(media.SSRC(binary.BigEndian.Uint32(b[8:])), b)
	}
	return true
}

// rtpHeader is the part that all RTP packets begin with (RFC 3550 section 5.1).
const rtpHeader = 12

func (s *sources) admitsReporter(ssrc media.SSRC) bool {
	_, source := s.known[ssrc]
	_, reporter := s.reporters[ssrc]
	if source || reporter {
		return true
	}
	if len(s.reporters) >= maxReporters {
		return false
	}
	s.reporters[ssrc] = struct{}{}
	return true
}

func (s *sources) admitsSource(ssrc media.SSRC, b []byte) bool {
	if placed, ok := s.known[ssrc]; ok {
		if !placed && len(s.free) > 0 { // an offer may name sources as well as rids
			s.known[ssrc] = s.claims(b)
		}
		return true
	}
	switch {
	case s.unnamed > 0:
		s.unnamed--
	case !s.claims(b):
		return false
	}
	s.known[ssrc] = true
	return true
}

// claims tells whether a packet says that it is of a rid that has no source yet.
func (s *sources) claims(b []byte) bool {
	profile, raw, ok := clearExtension(b)
	if !ok {
		return false
	}
	for i := range s.places {
		p := &s.places[i]
		if mid, ok := ext.Find(profile, raw, p.midID); !ok || string(mid) != p.mid {
			continue
		}
		for _, id := range [...]uint8{p.rid, p.rrid} {
			rid, ok := ext.Find(profile, raw, id)
			if !ok || id == 0 {
				continue
			}
			if c := claim(p.mid, id, rid); s.free[c] > 0 {
				s.free[c]--
				return true
			}
		}
	}
	return false
}

// clearExtension finds the header extension of an SRTP packet, which is not encrypted
// (RFC 3711 section 3.1, RFC 8285).
func clearExtension(b []byte) (profile uint16, raw []byte, ok bool) {
	const extended = 0x10
	at := rtpHeader + 4*int(b[0]&0x0f) // contributing sources
	if b[0]&extended == 0 || len(b) < at+4 {
		return 0, nil, false
	}
	profile = binary.BigEndian.Uint16(b[at:])
	end := at + 4 + 4*int(binary.BigEndian.Uint16(b[at+2:]))
	if len(b) < end {
		return 0, nil, false
	}
	return profile, b[at+4 : end], true
}
