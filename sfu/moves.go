package sfu

import (
	"encoding/binary"
	"slices"
	"time"

	"github.com/pion/webrtc/v3"

	"github.com/fanfare-relay/fanfare/media"
	"github.com/fanfare-relay/fanfare/media/ext"
	"github.com/fanfare-relay/fanfare/sfu/lite"
)

// A publisher may change the source of a track in the middle (RFC 3550 section 8.2 makes those do that
// whose number collides; some programs do at each change of track). pion has nothing for a second source
// of an m-line; and of a rid it changes the fields of a track that is being read. So the relay opens a
// receiver of its own for the new source, before a packet of it gets to pion, and the packets that
// announce it are lost. The new source is an encoding like any other. Its repeats by RTX are not known,
// so a packet that is lost costs a key frame. A source that another one has replaced is closed when the
// next one is opened, so however often a publisher moves, a track has two of them at most.

// A publisher may move moveBurst times in a row, enough for four tracks that change twice, and once more
// each moveEvery: whoever can send in its name could else keep the relay busy with opening. (What is not
// authentic goes no further than an open receiver.)
const (
	moveBurst = 8
	moveEvery = 5 * time.Second
)

// move is a new source of a track that has one.
type move struct {
	ssrc media.SSRC
	pt   media.PayloadType
	mid  media.MID
	rid  media.RID // "" for a track without
}

// move tells which track a packet of an unknown source belongs to, by its extensions. ok is false when
// that track still has a source to come.
func (s *sources) move(b []byte) (m move, ok bool) {
	if len(b) < rtpHeader {
		return m, false
	}
	profile, raw, ok := clearExtension(b)
	if !ok {
		return m, false
	}
	m.ssrc, m.pt = media.SSRC(binary.BigEndian.Uint32(b[8:])), media.PayloadType(b[1]&0x7f)
	for i := range s.places {
		p := &s.places[i]
		mid, ok := ext.Find(profile, raw, p.midID)
		if !ok || string(mid) != p.mid {
			continue
		}
		m.mid = media.MID(p.mid)
		if p.rid == 0 {
			return m, true
		}
		rid, ok := ext.Find(profile, raw, p.rid)
		left, offered := s.free[claim(p.mid, p.rid, rid)]
		m.rid = media.RID(rid)
		return m, ok && offered && left == 0
	}
	return m, false
}

// admits tells whether a datagram of RTP or RTCP is of a source that the publisher may have. If it announces
// a new one, the loop is asked to open that. The demultiplexer calls it.
func (p *publisher) admits(kind lite.Kind, b []byte) bool {
	if kind == lite.KindRTCP {
		if ssrc, ok := lite.SenderSSRC(b); ok && p.hasSource(ssrc) {
			return true
		}
	}
	return p.from.admits(kind, b) || kind == lite.KindRTP && p.movesTo(b)
}

// movesTo takes a packet that sources does not admit. It tells whether a receiver waits for its source.
func (p *publisher) movesTo(b []byte) bool {
	if len(b) < rtpHeader {
		return false
	}
	if p.hasSource(media.SSRC(binary.BigEndian.Uint32(b[8:]))) {
		return true
	}
	if m, ok := p.from.move(b); ok {
		select {
		case p.moves <- m:
		default: // it is busy with one; the next packet asks again
		}
	}
	return false
}

func (p *publisher) hasSource(ssrc media.SSRC) bool {
	for _, e := range p.list() {
		if e.ssrc == ssrc {
			return true
		}
	}
	return false
}

// opened is a source that the relay has opened, beyond those of the offer.
type opened struct {
	encoding *encoding
	receiver *webrtc.RTPReceiver
}

// open makes a receiver for a new source of a track. The loop calls it.
func (p *publisher) open(m move, now time.Time) {
	t := p.trackNamed(m.mid)
	if t == nil || p.hasSource(m.ssrc) {
		return
	}
	if !slices.ContainsFunc(t.formats, func(f format) bool { return f.pt == m.pt }) {
		return // repeats
	}
	if !p.opens.AllowN(now, 1) {
		return
	}
	p.retire(t.kind, m.rid)
	receiver, err := p.api.NewRTPReceiver(codecType(t.kind), p.pc.SCTP().Transport())
	if err == nil {
		err = receiver.Receive(webrtc.RTPReceiveParameters{Encodings: []webrtc.RTPDecodingParameters{
			{RTPCodingParameters: webrtc.RTPCodingParameters{SSRC: webrtc.SSRC(m.ssrc)}}}})
	}
	if err != nil {
		p.sfu.log.Debug("new source not opened", "session", p.id.Short(), "err", err)
		return
	}
	e, ok := p.newEncoding(t, m.rid, m.ssrc)
	if !ok {
		_ = receiver.Stop() // nobody reads it
		return
	}
	p.opened = append(p.opened, opened{encoding: e, receiver: receiver})
	go func() {
		defer p.tasks.Done()
		e.requestKey(now) // the new source's first packets, its key frame among them, are lost
		e.run(receiver.Track())
	}()
}

// retire closes the sources of a track's place that were opened and that another one has replaced.
func (p *publisher) retire(kind media.Kind, rid media.RID) {
	list := p.list()
	p.opened = slices.DeleteFunc(p.opened, func(o opened) bool {
		if e := o.encoding; e.kind != kind || e.rid != rid || !e.replaced(list) {
			return false
		}
		p.drop(o.encoding)
		_ = o.receiver.Stop() // its track ends, and with it the ingest
		return true
	})
}

// drop takes an encoding off the list. Viewers who still have it find it in their own hands.
func (p *publisher) drop(e *encoding) {
	p.mu.Lock()
	defer p.mu.Unlock()
	list := slices.DeleteFunc(slices.Clone(p.list()), func(other *encoding) bool { return other == e })
	p.encodings.Store(&list)
	p.sync.Forget(e.track)
	e.dropped = true
}

// replaceAfter is how far the source in a track's place may be behind another one: packets of the former
// source that come late are not a return to it.
const replaceAfter = int64(100 * time.Millisecond)

// replaced tells whether another source of the list has the encoding's place: the one that is being sent,
// or, while both are, the one that was opened later. A publisher may go back to a former one.
func (e *encoding) replaced(list []*encoding) bool {
	for _, other := range list {
		if other == e || other.kind != e.kind || other.rid != e.rid || other.ring.Head() == 0 {
			continue
		}
		lead := other.lastArrival.Load() - e.lastArrival.Load()
		if lead > replaceAfter || lead > -replaceAfter && other.source > e.source {
			return true
		}
	}
	return false
}
