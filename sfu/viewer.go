package sfu

import (
	"encoding/binary"
	"slices"
	"sync/atomic"
	"time"
	"unsafe"

	"github.com/pion/rtcp"

	"github.com/fanfare-relay/fanfare/media"
	"github.com/fanfare-relay/fanfare/media/codec"
	"github.com/fanfare-relay/fanfare/media/estimate"
	"github.com/fanfare-relay/fanfare/media/layer"
	"github.com/fanfare-relay/fanfare/media/nack"
	"github.com/fanfare-relay/fanfare/media/pace"
	"github.com/fanfare-relay/fanfare/media/report"
	"github.com/fanfare-relay/fanfare/media/ring"
	"github.com/fanfare-relay/fanfare/media/seq"
	"github.com/fanfare-relay/fanfare/sfu/lite"
	"github.com/fanfare-relay/fanfare/sfu/prefetch"
)

// viewer is a viewer's session. Its worker owns it, but for what never changes and for what routes guards.
type viewer struct {
	hotViewer
	// What is known of the line.
	estimator estimate.Estimator

	// Never changed.
	id           media.SessionID
	stream       *stream
	shard        *shard
	fingerprints []lite.Fingerprint
	cname        string

	// Guarded by routes.mu: our ufrags that lead here, and whether the leg has ended.
	ufrags    []string
	forgotten bool

	waiting atomic.Int32 // its datagrams in the worker's inbox

	handshake  *lite.Handshake // in progress, or nil
	paths      []lite.Path     // addresses that lead here: checked, or being probed
	senders    []media.SSRC    // of its reports
	nextReport time.Time
	asked      asked     // for the round trip
	paused     time.Time // when a paced track goes on; zero: none is paced
	probing    probing
	spread     pace.Bucket // of pictures, while spreads

	// What it is sent of the picture.
	wish     media.Wish
	selector layer.Selector

	early media.CloseReason // closed before it was added
	heard bool              // feedback has told of a first packet that arrived

	shardAt int // place in shard.viewers
	heapAt  int // place in the worker's heap
	inHeap  bool
}

// hotViewer is what each pass looks at, side by side.
type hotViewer struct {
	connected bool
	estimates bool // the viewer gives feedback about its line
	spreads   bool
	// numbered tells whether the packet in work has a transport-wide number, transportSeq is that of the next
	// one that has.
	numbered     bool
	transportSeq uint16
	chosen       uint32 // the look at the offers that the picture was chosen from; 0: choose again
	tracks       []egress
	leg          *lite.Leg
	path         lite.Path // where media goes
	memory       [8]prefetch.Range
}

// remember finds out where that lies which each packet looks at.
func (v *viewer) remember() {
	list := v.leg.AppendMemory(v.memory[:0])
	for i := range v.tracks {
		t := &v.tracks[i]
		list = append(list, prefetch.Head(t, hotEgressBytes))
	}
	copy(v.memory[:], list)
}

// fetch asks for the viewer's own memory, and fetchRest for all that a pass over it looks at, which must be
// known by then.
func (v *viewer) fetch() {
	prefetch.Head(v, hotViewerBytes).Fetch()
}

func (v *viewer) fetchRest() {
	for i := range v.memory {
		v.memory[i].Fetch()
	}
	if v.estimates {
		prefetch.Slice(v.estimator.Next(packetsAPass)).Fetch()
	}
}

// packetsAPass is how many packets a viewer gets in a pass over a thousand, about.
const packetsAPass = 4

const (
	hotViewerBytes = unsafe.Offsetof(viewer{}.estimator) + estimate.HotBytes
	hotEgressBytes = unsafe.Offsetof(egress{}.feed) + unsafe.Offsetof(feed{}.catchup) + unsafe.Offsetof(catchup{}.start)
)

// report sends one compound packet with a sender report for each track that has begun, and
// the name that ties them together (RFC 3550 section 6.1).
func (w *worker) report(v *viewer, now time.Time) {
	buf := w.rtcp[:0]
	for i := range v.tracks {
		t := &v.tracks[i]
		mapping := t.clock()
		if mapping == nil {
			continue
		}
		sr := t.sent.Report(t.ssrc, now, mapping.RTP(now)+t.rewriter.TimestampOffset())
		buf = appendRTCP(buf, &sr)
		buf = appendRTCP(buf, rtcp.NewCNAMESourceDescription(uint32(t.ssrc), v.cname))
	}
	if len(buf) > 0 {
		w.sendRTCP(v, v.asked.append(buf, v.tracks[0].ssrc, now))
	}
}

// appendRTCP appends what pion/rtcp makes of a packet of ours, which cannot fail.
func appendRTCP(dst []byte, p rtcp.Packet) []byte {
	b, err := p.Marshal()
	if err != nil {
		panic("sfu: own RTCP cannot be written: " + err.Error())
	}
	return append(dst, b...)
}

func (w *worker) sendRTCP(v *viewer, b []byte) {
	packet, err := v.leg.SealRTCP(w.batch.Room(), b)
	if err != nil {
		w.tally.drop(DropSeal)
		return
	}
	w.batch.Add(packet, v.path)
}

// readRTCP takes a decrypted compound packet of the viewer. Anything may be in it.
func (w *worker) readRTCP(v *viewer, b []byte, now time.Time) {
	w.tally.dirty = true
	for len(b) >= rtcpHeader {
		n := 4 * (1 + int(binary.BigEndian.Uint16(b[2:])))
		if n > len(b) {
			break
		}
		w.readOne(v, b[:n], now)
		b = b[n:]
	}
	if len(b) > 0 {
		w.tally.RTCPIgnored++
	}
}

// rtcpHeader is the part that all RTCP packets begin with (RFC 3550 section 6.4.1).
const rtcpHeader = 4

// readOne takes one packet of a compound. Feedback about the line comes many times a second, and
// is read without making values of it.
func (w *worker) readOne(v *viewer, b []byte, now time.Time) {
	if estimate.IsFeedback(b) {
		v.estimator.Feedback(b, now)
		v.chosen = 0
		v.spreadPictures(w.round, now)
		w.probe(v, now)
		if !v.heard {
			w.hearFirst(v, b, now)
		}
		return
	}
	pkts, err := rtcp.Unmarshal(b)
	if err != nil {
		w.tally.RTCPIgnored++
		return
	}
	for _, pkt := range pkts {
		w.readPacket(v, pkt, now)
	}
}

func (w *worker) readPacket(v *viewer, pkt rtcp.Packet, now time.Time) {
	switch p := pkt.(type) {
	case *rtcp.TransportLayerNack:
		if t := v.trackOf(p.MediaSSRC); t != nil {
			w.repeat(v, t, p.Nacks, now)
		}
	case *rtcp.PictureLossIndication:
		w.wantKey(v, p.MediaSSRC, now)
	case *rtcp.FullIntraRequest:
		for _, f := range p.FIR[:min(len(p.FIR), maxTracks)] {
			w.wantKey(v, f.SSRC, now)
		}
	case *rtcp.ReceiverEstimatedMaximumBitrate:
		v.estimator.REMB(media.Bitrate(p.Bitrate), now)
		v.chosen = 0
	case *rtcp.ReceiverReport:
		v.learn(p.Reports, now)
	case *rtcp.SenderReport:
		v.learn(p.Reports, now)
	case *rtcp.ExtendedReport:
		v.asked.note(p, now)
	default:
		w.tally.RTCPIgnored++
	}
}

// maxTracks is the most that one viewer has: sound and picture.
const maxTracks = 2

// learn takes the round trip from reception reports.
func (v *viewer) learn(reports []rtcp.ReceptionReport, now time.Time) {
	for _, r := range reports {
		t := v.trackOf(r.SSRC)
		if t == nil {
			continue
		}
		rtt, ok := report.RTT(r.LastSenderReport, r.Delay, now)
		if ok {
			t.responder.SetRTT(rtt)
		}
		lost := float64(r.FractionLost) / 256
		if t.kind == media.KindVideo {
			v.estimator.Report(lost, rtt, now)
			t.parity.observe(lost, rtt, now)
		} else {
			t.redundancy.Observe(lost, now)
		}
	}
}

func (w *worker) wantKey(v *viewer, ssrc uint32, now time.Time) {
	t := v.trackOf(ssrc)
	if t == nil || t.kind != media.KindVideo {
		return
	}
	w.tally.PLIsReceived++
	if t.arriving(now) && !t.missed {
		t.wanted = true
		return
	}
	w.giveKey(v, t, now)
}

// giveKey answers a viewer who needs a key frame.
func (w *worker) giveKey(v *viewer, t *egress, now time.Time) {
	if t.again(now) {
		w.forward(v, t, now)
		return
	}
	if t.enc != nil && t.outOK { // without a format it will never have a picture
		t.enc.requestKey(now)
	}
}

// addPath notes an address that leads here: a probed one passes its check later.
func (v *viewer) addPath(p lite.Path) {
	if !slices.Contains(v.paths, p) {
		v.paths = append(v.paths, p)
	}
}

func (v *viewer) trackOf(ssrc uint32) *egress {
	for i := range v.tracks {
		if uint32(v.tracks[i].ssrc) == ssrc {
			return &v.tracks[i]
		}
	}
	return nil
}

// maxPairs bounds the work that one NACK makes: 64 pairs can ask for as much as the history holds.
const maxPairs = 64

// repeat answers a NACK: each packet that is still in the history goes out again, by RTX if the
// viewer takes it, else as it was.
func (w *worker) repeat(v *viewer, t *egress, pairs []rtcp.NackPair, now time.Time) {
	w.seqs = nack.AppendSeqs(w.seqs[:0], pairs[:min(len(pairs), maxPairs)])
	w.tally.NACKsReceived += uint64(len(w.seqs))
	admitted := t.responder.Admit(len(w.seqs), now)
	w.tally.refused[nack.OverBudget] += uint64(len(w.seqs) - admitted)
	for _, s := range w.seqs[:admitted] {
		w.repeatOne(v, t, s, now)
	}
}

func (w *worker) repeatOne(v *viewer, t *egress, seqNumber uint16, now time.Time) {
	origin, ok := t.rewriter.Origin(seqNumber)
	if !ok {
		w.tally.refused[nack.TooLate]++
		return
	}
	from := t.feedOf(origin.Source)
	if from == nil {
		w.tally.refused[nack.TooLate]++
		return
	}
	p, ok := from.enc.ring.BySeq(origin.Seq)
	if !ok || t.fell && (t.halted || from != &t.feed) { // what the line was too narrow for, and a key frame has replaced
		w.tally.refused[nack.TooLate]++
		return
	}
	f, ok := t.formatFor(from.enc, p.PayloadType)
	if !ok || f.rtx == 0 && !f.nack {
		w.tally.refused[nack.TooLate]++
		return
	}
	sent := from.catchup.sentAt(p, from.began)
	if v := t.responder.Decide(origin.Place.Ext, len(p.Payload), sent, now); v != nack.Resend {
		w.tally.refused[v]++
		return
	}
	if f.rtx == 0 {
		ok = w.sendAsSent(v, t, from, p, f, origin.Place, now)
	} else {
		ok = w.sendRTX(v, t, from, p, f, origin.Place, now)
	}
	if ok {
		w.tally.RTXSent++
	}
}

// sendAsSent sends a packet again under its own number, to a viewer that takes no RTX. It comes out
// as the first time, because it is made of the same: a packet that nobody changes, the place that
// the rewriter remembers, formats and extensions that are fixed for a source. If it did not, the leg
// would refuse it.
func (w *worker) sendAsSent(v *viewer, t *egress, from *feed, p *ring.Packet, f format, place seq.Place, now time.Time) bool {
	ts := from.catchup.apply(p.Timestamp) + place.TimestampOffset
	header := appendHeader(w.header[:0], f.pt, place.Seq, ts, t.ssrc,
		t.endsPicture(p), p, from, w.elements(v, t, from, f, p, ts, false, now))
	w.payload = codec.AppendPatched(w.payload[:0], p.Codec, place.Patch, p.Payload)
	packet, err := v.leg.SealAgain(w.batch.Room(), header, w.payload)
	if err != nil {
		w.tally.drop(DropSeal)
		return false
	}
	w.sendSealed(v, packet)
	t.sent.Sent(len(w.payload))
	return true
}
