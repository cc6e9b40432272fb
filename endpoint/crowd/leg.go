package crowd

import (
	"encoding/binary"
	"errors"
	"net/netip"
	"time"

	"github.com/pion/interceptor/pkg/twcc"
	"github.com/pion/rtcp"
	"github.com/pion/srtp/v3"

	"github.com/fanfare-relay/fanfare/endpoint"
	"github.com/fanfare-relay/fanfare/media"
)

// keys are those of one connection (RFC 5764 section 4.2), ours to send, the server's to receive.
type keys struct {
	profile           srtp.ProtectionProfile
	ourKey, ourSalt   []byte
	peerKey, peerSalt []byte
	lastFlight        [][]byte // our last datagrams of the handshake, when ours were the last
}

// leg is a viewer whose connection stands: what it makes of each datagram, and what it says.
type leg struct {
	ice        *agent
	rx, tx     *srtp.Context
	lastFlight [][]byte
	flightAt   time.Time
	types      *payloads
	wideID     uint8
	wide       *twcc.Recorder
	ssrc       uint32
	verify     bool // decrypts everything, for good
	keys       *keyWatch
	ended      bool // the server has said good-bye

	tracks [2]track // sound, picture
	count  counts

	nextReport, nextWide, nextPLI, nextICE time.Time
	clear                                  []byte // scratch
	numbers                                []uint16
	delay                                  func(time.Duration)
}

// track is what is known of one of the two.
type track struct {
	flow
	codec  media.Codec
	sr     uint32 // the middle of the newest sender report's time
	srAt   time.Time
	frames uint64
}

// counts are what is only counted.
type counts struct {
	packets, bytes uint64 // RTP datagrams of every kind, and their payload with its tag
	repeats        uint64 // RTX packets
	forged         uint64 // packets that did not decrypt
	verified       uint64 // packets that did
	nacks, plis    uint64
	other          uint64 // datagrams that are no packet of a track
	cut            uint64 // datagrams longer than the buffer, where the whole was needed
}

// Times of what a viewer says.
const (
	reportEvery = time.Second
	wideEvery   = 100 * time.Millisecond
	pliEvery    = 200 * time.Millisecond // as browsers do while there is no picture
	flightEvery = 20 * time.Millisecond
)

// newLeg begins when the handshake is done. delay may be nil.
func newLeg(ice *agent, k keys, a answer, types *payloads, verify bool, delay func(time.Duration), now time.Time) (*leg, error) {
	l := &leg{
		ice: ice, lastFlight: k.lastFlight, types: types, wideID: a.wide, ssrc: ice.chance.Uint32(), verify: verify, delay: delay,
		keys: &keyWatch{}, nextPLI: now.Add(pliEvery), nextICE: now,
	}
	var err error
	if l.rx, err = srtp.CreateContext(k.peerKey, k.peerSalt, k.profile, srtp.SRTPReplayProtection(1024)); err != nil {
		return nil, err
	}
	if l.tx, err = srtp.CreateContext(k.ourKey, k.ourSalt, k.profile); err != nil {
		return nil, err
	}
	if a.wide != 0 {
		l.wide = twcc.NewRecorder(l.ssrc)
	}
	// Viewers that joined together do not report together.
	spread := func(d time.Duration) time.Time { return now.Add(time.Duration(ice.chance.Int64N(int64(d)))) }
	l.nextReport, l.nextWide = spread(reportEvery), spread(wideEvery)
	return l, nil
}

// whole tells whether the next datagrams are needed as a whole, or their first bytes do.
func (l *leg) whole() bool {
	return l.verify || l.keys != nil || len(l.tracks[1].missing)+len(l.tracks[0].missing) > 0
}

// timed tells whether times of arrival are needed to better than a sweep.
func (l *leg) timed() bool { return l.verify || l.keys != nil || l.wide != nil }

// receive takes a datagram of which b is there and size is its true length. It tells whether a key frame is whole now
// for the first time.
func (l *leg) receive(b []byte, size int, at, now time.Time, out *[]datagram) (key bool) {
	switch classify(b) {
	case classRTP:
		return l.rtp(b, size, at)
	case classRTCP:
		l.rtcp(b, size, at)
	case classSTUN:
		l.ice.receive(b, l.ice.to(), now, out)
	case classDTLS:
		l.dtls(b, now, out)
	default:
		l.count.other++
	}
	return false
}

func (l *leg) rtp(b []byte, size int, at time.Time) (key bool) {
	h, ok := parseHeader(b, l.wideID)
	kind := l.types[h.pt]
	if !ok || kind.codec == media.CodecUnknown {
		l.count.other++
		return false
	}
	l.count.packets++
	l.count.bytes += uint64(size - h.size)
	if h.hasWide && l.wide != nil {
		l.wide.Record(h.ssrc, h.wide, at.UnixMicro())
	}
	t := &l.tracks[index(kind.codec)]
	if kind.rtx {
		l.count.repeats++
		return l.repeat(t, h, b, size, at)
	}
	if h.ssrc != t.ssrc {
		*t = track{flow: flow{ssrc: h.ssrc, before: t.expected(), received: t.received, lost: t.lost + uint64(len(t.missing))}, frames: t.frames}
		t.lastExpected, t.lastReceived = t.before, t.received
	}
	t.codec = kind.codec
	t.time(h.ts, at, kind.codec.ClockRate())
	if t.add(h.seq, at) == duplicate {
		return false
	}
	if h.marker && kind.codec.Kind() == media.KindVideo {
		t.frames++
	}
	if !l.verify && l.keys == nil {
		return false
	}
	payload, ok := l.decrypt(b, size, h)
	return ok && l.payload(t, h, payload, at)
}

// decrypt returns the payload of a packet, valid until the next call.
func (l *leg) decrypt(b []byte, size int, h header) ([]byte, bool) {
	if len(b) < size {
		l.count.cut++
		return nil, false
	}
	clear, err := l.rx.DecryptRTP(l.clear[:0], b, nil)
	if err != nil || len(clear) < h.size {
		l.count.forged++
		return nil, false
	}
	l.count.verified++
	l.clear = clear
	payload := clear[h.size:]
	if b[0]&0x20 == 0 {
		return payload, true
	}
	if len(payload) == 0 || int(payload[len(payload)-1]) > len(payload) {
		return nil, false
	}
	return payload[:len(payload)-int(payload[len(payload)-1])], true
}

// payload looks at what a packet carries.
func (l *leg) payload(t *track, h header, payload []byte, at time.Time) (key bool) {
	if sent, ok := endpoint.ReadStamp(payload); ok && l.delay != nil && l.verify && l.keys == nil {
		l.delay(at.Sub(sent))
	}
	if l.keys == nil || t.codec.Kind() != media.KindVideo {
		return false
	}
	if l.keys.add(h, beginsKey(t.codec, payload)) {
		l.keys = nil
		return true
	}
	return false
}

// repeat takes a packet of RTX (RFC 4588 section 4): the number of the packet that it repeats, then that one's payload.
// While nothing is missing it can only be padding, which is not worth decrypting.
func (l *leg) repeat(t *track, h header, b []byte, size int, at time.Time) (key bool) {
	if len(t.missing) == 0 && !l.verify && l.keys == nil {
		return false
	}
	payload, ok := l.decrypt(b, size, h)
	if !ok || len(payload) < 2 || !t.started {
		return false
	}
	h.seq = binary.BigEndian.Uint16(payload)
	if t.add(h.seq, at) == duplicate {
		return false
	}
	if h.marker {
		t.frames++
	}
	return l.payload(t, h, payload[2:], at)
}

func index(c media.Codec) int {
	if c.Kind() == media.KindVideo {
		return 1
	}
	return 0
}

// rtcp takes the server's sender reports.
func (l *leg) rtcp(b []byte, size int, at time.Time) {
	if len(b) < size {
		return
	}
	clear, err := l.rx.DecryptRTCP(nil, b, nil)
	if err != nil {
		if !errors.Is(err, srtp.ErrFailedToVerifyAuthTag) {
			l.count.other++ // a repeat
			return
		}
		l.count.forged++
		return
	}
	packets, err := rtcp.Unmarshal(clear)
	if err != nil {
		return
	}
	for _, p := range packets {
		sr, ok := p.(*rtcp.SenderReport)
		for i := range l.tracks {
			if t := &l.tracks[i]; ok && t.started && t.ssrc == sr.SSRC {
				t.sr, t.srAt = uint32(sr.NTPTime>>16), at
			}
		}
	}
}

// dtls takes a record behind the handshake. An alert is the server's good-bye: the socket hears nobody else. A handshake
// record means that our last flight was lost.
func (l *leg) dtls(b []byte, now time.Time, out *[]datagram) {
	const alert = 21
	if b[0] == alert {
		l.ended = true
		return
	}
	if now.Sub(l.flightAt) < flightEvery {
		return
	}
	l.flightAt = now
	for _, f := range l.lastFlight {
		*out = append(*out, datagram{b: f})
	}
}

// tick says what is due.
func (l *leg) tick(now time.Time, out *[]datagram) {
	if !now.Before(l.nextICE) {
		l.nextICE = l.ice.tick(now, out)
	}
	var say []rtcp.Packet
	for i := range l.tracks {
		t := &l.tracks[i]
		if len(t.missing) == 0 {
			continue
		}
		if l.numbers = t.asks(now, l.numbers[:0]); len(l.numbers) > 0 && t.codec.Kind() == media.KindVideo {
			l.count.nacks++
			say = append(say, &rtcp.TransportLayerNack{SenderSSRC: l.ssrc, MediaSSRC: t.ssrc, Nacks: rtcp.NackPairsFromSequenceNumbers(l.numbers)})
		}
	}
	if v := &l.tracks[1]; l.keys != nil && v.started && !now.Before(l.nextPLI) {
		l.nextPLI = now.Add(pliEvery)
		l.count.plis++
		say = append(say, &rtcp.PictureLossIndication{SenderSSRC: l.ssrc, MediaSSRC: v.ssrc})
	}
	if l.wide != nil && !now.Before(l.nextWide) {
		l.nextWide = now.Add(wideEvery)
		say = append(say, l.wide.BuildFeedbackPacket()...)
	}
	if !now.Before(l.nextReport) {
		l.nextReport = now.Add(reportEvery)
		say = append([]rtcp.Packet{l.report(now)}, say...)
	}
	l.say(say, out)
}

// report is the receiver report of both tracks (RFC 3550 section 6.4.2).
func (l *leg) report(now time.Time) rtcp.Packet {
	r := &rtcp.ReceiverReport{SSRC: l.ssrc}
	for i := range l.tracks {
		t := &l.tracks[i]
		if !t.started {
			continue
		}
		block := rtcp.ReceptionReport{
			SSRC: t.ssrc, FractionLost: t.share(), TotalLost: uint32(t.lost) & 0xFFFFFF,
			LastSequenceNumber: uint32(t.highest - 1<<16), Jitter: t.jitter >> 4, LastSenderReport: t.sr,
		}
		if t.sr != 0 {
			block.Delay = uint32(now.Sub(t.srAt) * 65536 / time.Second)
		}
		r.Reports = append(r.Reports, block)
	}
	return r
}

func (l *leg) say(say []rtcp.Packet, out *[]datagram) {
	if len(say) == 0 {
		return
	}
	clear, err := rtcp.Marshal(say)
	if err != nil {
		return
	}
	if b, err := l.tx.EncryptRTCP(nil, clear, nil); err == nil {
		*out = append(*out, datagram{netip.AddrPort{}, b})
	}
}

// lost tells whether the connection is gone.
func (l *leg) lost(now time.Time) bool { return l.ended || l.ice.lost(now) }
