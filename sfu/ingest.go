package sfu

import (
	"errors"
	"io"
	"net"
	"sync/atomic"
	"time"

	"github.com/pion/interceptor"
	"github.com/pion/rtcp"
	"github.com/pion/webrtc/v3"

	"github.com/fanfare-relay/fanfare/media"
	"github.com/fanfare-relay/fanfare/media/codec"
	"github.com/fanfare-relay/fanfare/media/layer"
	"github.com/fanfare-relay/fanfare/media/nack"
	"github.com/fanfare-relay/fanfare/media/report"
	"github.com/fanfare-relay/fanfare/media/ring"
	"github.com/fanfare-relay/fanfare/media/seq"
)

const (
	// ringVideo and ringAudio are the packets that a history holds: twelve seconds of video
	// at 2.5 Mbit/s, ten of sound. A viewer who joins is let in to a group of pictures of up to
	// catchupLongest; a worker that is further behind has been lapped.
	ringVideo = 4096
	ringAudio = 512
	// reportInterval is that of reports, in both directions (RFC 3550 section 6.2 asks for 5 s
	// on average and lets profiles go lower; browsers send every second).
	reportInterval = time.Second
)

// encoding is one RTP stream of a publisher: an audio track, a video track, or one rid of
// a simulcast track. Its ingest goroutine owns what has no atomic; workers read the rest.
type encoding struct {
	pub    *publisher
	kind   media.Kind
	rid    media.RID
	rank   int // place in the offer's list of rids
	source seq.Source
	track  report.Track
	ssrc   media.SSRC
	// formats by payload type, and extensions, as negotiated; never changed.
	formats [128]*format
	exts    []extension
	ring    *ring.Ring

	// bytes counts payload since the newest key frame began; keyAt is when that was and
	// askedAt when a key frame was last wanted, both in Unix nanoseconds, 0 for never.
	bytes          atomic.Uint64
	keyAt, askedAt atomic.Int64
	lastArrival    atomic.Int64
	rates          atomic.Pointer[rates] // smoothed over some seconds; nil before the first
	size           atomic.Uint32         // width and height of the newest key frame, 16 bits each
	mapping        atomic.Pointer[report.Mapping]
	lastSR         atomic.Pointer[senderReport]
	captureOffset  atomic.Int64 // what the publisher says of its capture clock, see captureTime

	gate    keyGate // owned by the publisher's loop
	dropped bool    // off the publisher's list; guarded by its mu

	dependency dependency
	capture    captureClock

	builder ring.Builder
	nacks   *nack.Receiver
	stats   report.Receiver
	tally   tally
	armed   time.Time // the read deadline that is set
	reports time.Time // when the next report is due
	// counted are payload bytes since the last report, by layer.
	counted [layer.MaxSpatial][layer.MaxTemporal]uint64
	seenSR  *senderReport
	info    media.TrackInfo
	due     []uint64
	pairs   []rtcp.NackPair
}

// senderReport is what a publisher's sender report says, and when it came.
type senderReport struct {
	ntp report.NTP
	at  time.Time
}

// requestKey notes that somebody cannot go on without a key frame. The publisher's loop
// decides when to ask. Any goroutine may call it.
func (e *encoding) requestKey(now time.Time) {
	if e.kind != media.KindVideo {
		return
	}
	e.askedAt.Store(now.UnixNano())
	e.pub.poke()
}

// remoteTrack is what ingest needs of pion's track.
type remoteTrack interface {
	Read(b []byte) (int, interceptor.Attributes, error)
	SetReadDeadline(time.Time) error
}

// run reads the track until it ends. It is the encoding's ingest goroutine. Timers (asking
// for lost packets, reports) are read deadlines, so that one goroutine is enough; a read
// that times out also picks up repeats, which pion delivers only between reads.
func (e *encoding) run(track remoteTrack) {
	failures := 0
	for {
		if !e.arm(track) {
			return
		}
		n, attrs, err := track.Read(e.builder.Buffer())
		now := time.Now()
		switch {
		case err == nil:
			e.receive(n, attrs, now)
			failures = 0
		case isTimeout(err):
			e.armed = time.Time{}
		case errors.Is(err, webrtc.ErrCodecNotFound):
			e.tally.drop(DropNotNegotiated)
		case errors.Is(err, io.EOF) || failures == maxFailures:
			e.flush()
			return
		default: // a packet that pion's readers choke on
			e.tally.drop(DropBadPacket)
			failures++
		}
		e.tick(now)
		e.flush()
	}
}

// maxFailures in a row end an encoding: they are the track's, not those of single packets.
const maxFailures = 100

func isTimeout(err error) bool {
	var n net.Error
	return errors.As(err, &n) && n.Timeout()
}

func (e *encoding) flush() { e.tally.flush(&e.pub.stream.counters, &e.pub.sfu.total) }

// arm sets the read deadline to the next thing to do. It is touched only when it must come
// earlier than the one that is set, or that one has passed: setting it is not free.
func (e *encoding) arm(track remoteTrack) bool {
	at := e.reports
	if d, ok := e.nacks.Deadline(); ok && d.Before(at) {
		at = d
	}
	if !e.armed.IsZero() && !at.Before(e.armed) {
		return true
	}
	e.armed = at
	return track.SetReadDeadline(at) == nil
}

// receive takes one packet of n bytes in the builder's buffer.
func (e *encoding) receive(n int, attrs interceptor.Attributes, now time.Time) {
	repeated := attrs.Get(webrtc.AttributeRtxSsrc) != nil
	if repeated {
		e.tally.RTXReceived++
	}
	p, err := e.builder.Build(n, now)
	if err != nil {
		e.tally.drop(DropBadPacket)
		return
	}
	f := e.formats[p.PayloadType&0x7f]
	if f == nil {
		e.tally.drop(DropNotNegotiated)
		return
	}
	p.Codec = f.codec
	p.Descriptor = codec.Describe(f.codec, p.Payload, p.Marker)
	e.readDependency(p)
	e.readCapture(p)
	// A stale packet was given up, but may still be of use: the history refuses those it has.
	if f.nack && e.nacks.Observe(p.ExtSeq, now) == nack.GapTooLarge {
		e.requestKey(now)
	}
	if !repeated { // reports tell what the network did, not what was repaired
		e.stats.Observe(p.ExtSeq, p.Timestamp, now)
	}
	e.pub.observePacket(e, p)
	e.publish(p, now)
}

// publish puts the packet into the history and wakes the workers. What is known of a key frame
// follows it: a worker in between believes the group before it to go on, and asks in vain.
func (e *encoding) publish(p *ring.Packet, now time.Time) {
	if !e.ring.Takes(p.ExtSeq) {
		e.tally.drop(DropDuplicate)
		return
	}
	begins := e.beginsGroup(p)
	e.ring.Append(p)
	if begins {
		e.bytes.Store(0)
		e.keyAt.Store(now.UnixNano())
		e.tally.KeyFrames++
	}
	e.bytes.Add(uint64(len(p.Payload)))
	e.count(p)
	e.lastArrival.Store(now.UnixNano())
	e.tally.PacketsIn++
	e.tally.BytesIn += uint64(len(p.Payload))
	e.tally.dirty = true
	e.noteInfo(p)
	e.pub.stream.wake()
}

// beginsGroup tells whether a new group of pictures begins with the packet, which is not in the
// history yet. Further starts of the same frame are passed over, and those of older frames.
func (e *encoding) beginsGroup(p *ring.Packet) bool {
	if e.kind != media.KindVideo || !p.Descriptor.KeyFrame || !p.Descriptor.FrameStart {
		return false
	}
	k, ok := e.ring.KeyFrame()
	return !ok || k.Timestamp != p.Timestamp && k.ExtSeq < p.ExtSeq
}

// noteInfo tells about the first packet, another codec and another size.
func (e *encoding) noteInfo(p *ring.Packet) {
	info := media.TrackInfo{Kind: e.kind, Codec: p.Codec, Width: e.info.Width, Height: e.info.Height}
	if d := p.Descriptor; d.KeyFrame && d.Width > 0 {
		info.Width, info.Height = int(d.Width), int(d.Height)
		e.size.Store(uint32(d.Width)<<16 | uint32(d.Height))
	}
	if info == e.info {
		return
	}
	e.info = info
	e.pub.tellMedia(info, p.Arrival)
}

// tick does what is due: asking for lost packets, a receiver report.
func (e *encoding) tick(now time.Time) {
	if sr := e.lastSR.Load(); sr != nil && sr != e.seenSR {
		e.seenSR = sr
		e.stats.ObserveReport(sr.ntp, sr.at)
	}
	if at, ok := e.nacks.Deadline(); ok && !at.After(now) {
		e.askForLost(now)
	}
	if !now.Before(e.reports) {
		e.measure(now.Sub(e.reports) + reportInterval)
		e.reports = now.Add(reportInterval)
		e.sendReport(now)
	}
}

// measure renews the rates from what came in the time since the last call.
func (e *encoding) measure(elapsed time.Duration) {
	old := e.rates.Load()
	next := new(rates)
	for s := range e.counted {
		for t, bytes := range e.counted[s] {
			rate := media.Bitrate(float64(8*bytes) / elapsed.Seconds())
			if old != nil && old[s][t] > 0 {
				rate = (3*old[s][t] + rate) / 4
			}
			next[s][t] = rate
		}
	}
	e.rates.Store(next)
	e.counted = [layer.MaxSpatial][layer.MaxTemporal]uint64{}
}

// count adds a packet to the bytes of its layer.
func (e *encoding) count(p *ring.Packet) {
	l := p.Descriptor.Layer
	s, t := min(max(int(l.Spatial), 0), layer.MaxSpatial-1), min(max(int(l.Temporal), 0), layer.MaxTemporal-1)
	e.counted[s][t] += uint64(len(p.Payload))
}

// group returns how long the newest group of pictures is so far, and its bytes.
func (e *encoding) group() (length time.Duration, bytes uint64) {
	return time.Duration(e.lastArrival.Load() - e.keyAt.Load()), e.bytes.Load()
}

// newer tells whether the packet at a position came after a time in Unix nanoseconds.
func (e *encoding) newer(at uint64, than int64) bool {
	p, err := e.ring.At(at)
	return err == nil && p.Arrival.UnixNano() > than
}

// bitrate is what the encoding has been sending: by its last seconds, or, when it has just
// begun, by its newest group.
func (e *encoding) bitrate() media.Bitrate {
	length, bytes := e.group()
	rate := media.Bitrate(float64(8*bytes) / max(length.Seconds(), 1))
	if r := e.rates.Load(); r != nil {
		rate = max(rate, r.sum())
	}
	return rate
}

func (e *encoding) askForLost(now time.Time) {
	due, lost := e.nacks.AppendDue(e.due[:0], now)
	e.due = due
	if lost > 0 {
		e.requestKey(now)
	}
	if len(due) == 0 {
		return
	}
	e.pairs = nack.AppendPairs(e.pairs[:0], due)
	e.tally.NACKsSent += uint64(len(due))
	e.tally.dirty = true
	e.pub.send(&rtcp.TransportLayerNack{
		SenderSSRC: uint32(e.pub.ssrc), MediaSSRC: uint32(e.ssrc), Nacks: e.pairs})
}

func (e *encoding) sendReport(now time.Time) {
	if r, ok := e.stats.Report(e.ssrc, now); ok {
		e.pub.send(&rtcp.ReceiverReport{SSRC: uint32(e.pub.ssrc), Reports: []rtcp.ReceptionReport{r}})
	}
}
